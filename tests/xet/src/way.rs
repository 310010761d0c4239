//! Large files go by Xet.

use std::sync::Arc;

use publish::Publication;

use crate::store::LocalStore;
use crate::stub::StubHub;

/// Requests by which large files go.
pub(crate) const CARRIES: &[&str] = &[
    "/objects/batch",
    "/xet-write-token/",
    "/xorb-grants/",
    "PUT /simulation/xorb-uploads/",
    "/xorb-commits/",
    "/shards",
];
/// Those at which a refusal ends the run. To the store's `hf-xet` finds other ways.
pub(crate) const DEADLY: &[&str] = &["/objects/batch", "/xet-write-token/"];
/// Passes outlive the test.
pub(crate) const PASS_SECONDS: u64 = 3600;

pub(crate) fn start() -> StubHub {
    StubHub::over(Arc::new(LocalStore::start()), PASS_SECONDS)
}

/// What holds when the official client has read everything.
pub(crate) fn was_read(stub: &StubHub, publication: &Publication) {
    assert!(stub.asked("/reconstructions/") >= publication.data.len(), "shards did not come in chunks");
    assert!(stub.asked("/fetch_term") > 0);
}
