//! Large files to the storage behind the Hub, whole by Git LFS or in chunks by Xet. Nothing is visible before a commit names it.

mod lfs;
#[cfg(feature = "xet")]
mod xet;

use std::ops::AddAssign;

use super::HubOptions;
use super::api::Api;
use crate::error::HubError;
use crate::event::Event;
use crate::publication::PublishedFile;
use crate::transfer::{Transfer, Way};

/// Files that are asked about at once: what the Hub answers grows old within hours.
const BATCH_FILES: usize = 64;
/// What the Hub calls Xet.
const XET: &str = "xet";

/// What went out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) files: usize,
    /// Their size.
    pub(super) bytes: u64,
    /// What of it went over the wire.
    pub(super) wire_bytes: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.wire_bytes += other.wire_bytes;
    }
}

/// Sends those of the files that the Hub lacks.
pub(super) fn upload(
    api: &Api<'_>,
    revision: &str,
    files: &[PublishedFile],
    options: &HubOptions,
) -> Result<Sent, HubError> {
    let mut sent = Sent::default();
    let mut told = None;
    for batch in files.chunks(BATCH_FILES) {
        let (answered, wanted) = lfs::ask(api, revision, batch, offered(options.transfer))?;
        let (way, why) = chosen(options.transfer, answered.as_deref())?;
        if told.replace(way) != Some(way) {
            api.client.observer.event(&Event::Carried { way, why });
        }
        sent += match way {
            Way::Lfs => lfs::send(api, revision, batch, &wanted, options.uploads_at_once)?,
            Way::Xet => by_xet(api, revision, batch, options)?,
        };
    }
    Ok(sent)
}

/// The ways that the Hub may choose from.
fn offered(transfer: Transfer) -> &'static [&'static str] {
    match transfer {
        Transfer::Auto if Transfer::HAS_XET => &[XET, lfs::IN_PARTS, lfs::WHOLE],
        Transfer::Xet => &[XET],
        Transfer::Auto | Transfer::Lfs => &lfs::TRANSFERS,
    }
}

/// The way that files go, and why.
fn chosen(transfer: Transfer, answered: Option<&str>) -> Result<(Way, &'static str), HubError> {
    match (transfer, answered == Some(XET)) {
        (Transfer::Xet, _) if !Transfer::HAS_XET => Err(HubError::NoXet("this program was built without it")),
        (Transfer::Xet, false) => Err(HubError::NoXet("the server does not offer it")),
        (Transfer::Xet, true) => Ok((Way::Xet, "as it was asked for")),
        (Transfer::Lfs, _) => Ok((Way::Lfs, "as it was asked for")),
        (Transfer::Auto, _) if !Transfer::HAS_XET => Ok((Way::Lfs, "this program was built without Xet")),
        (Transfer::Auto, true) => Ok((Way::Xet, "the server offers it")),
        (Transfer::Auto, false) => Ok((Way::Lfs, "the server does not offer Xet")),
    }
}

#[cfg(feature = "xet")]
use xet::send as by_xet;

#[cfg(not(feature = "xet"))]
fn by_xet(_: &Api<'_>, _: &str, _: &[PublishedFile], _: &HubOptions) -> Result<Sent, HubError> {
    Err(HubError::NoXet("this program was built without it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_is_what_both_sides_can_do() {
        let check = |transfer, answered, with: Option<Way>, without: Option<Way>| {
            let way = chosen(transfer, answered).ok().map(|(way, _)| way);
            assert_eq!(way, if Transfer::HAS_XET { with } else { without }, "{transfer:?} {answered:?}");
        };
        let (xet, lfs) = (Some(Way::Xet), Some(Way::Lfs));
        check(Transfer::Auto, Some("xet"), xet, lfs);
        check(Transfer::Auto, Some("basic"), lfs, lfs);
        check(Transfer::Auto, None, lfs, lfs);
        check(Transfer::Lfs, Some("multipart"), lfs, lfs);
        check(Transfer::Xet, Some("xet"), xet, None);
        check(Transfer::Xet, Some("basic"), None, None);
    }

    #[test]
    fn a_program_without_xet_does_not_speak_of_it() {
        assert_eq!(offered(Transfer::Auto).contains(&XET), Transfer::HAS_XET);
        assert!(!offered(Transfer::Lfs).contains(&XET));
    }
}
