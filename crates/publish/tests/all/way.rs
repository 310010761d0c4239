//! By which way large files go in this program's tests. `tests/xet` runs the same tests with another file in place of this one.

use publish::Publication;

use crate::stub::StubHub;

/// Requests by which large files go.
pub(crate) const CARRIES: &[&str] = &["/objects/batch", "PUT /storage/", "/verify"];
/// Those at which a refusal ends the run.
pub(crate) const DEADLY: &[&str] = &["/objects/batch", "PUT /storage/"];

pub(crate) fn start() -> StubHub {
    StubHub::start()
}

/// What holds when the official client has read everything.
pub(crate) fn was_read(stub: &StubHub, publication: &Publication) {
    assert!(stub.puts() > publication.data.len(), "nothing was sent in parts");
}
