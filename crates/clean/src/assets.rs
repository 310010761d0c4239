//! Where style sheets and images come from.

use bytes::Bytes;

/// One stored response body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// MIME type as the server sent it, with its parameters if it had any.
    pub mime: String,
    /// The body, content coding undone.
    pub bytes: Bytes,
}

/// Looks assets up by absolute URL, without fragment. Must answer the same for the same URL for as long as a run lasts.
pub trait Assets: Sync {
    /// The asset at `url`, if there is one.
    fn get(&self, url: &str) -> Option<Asset>;

    /// The same for a style sheet: what is worth more trouble than a picture.
    fn sheet(&self, url: &str) -> Option<Asset> {
        self.get(url)
    }
}

/// Has nothing: every linked sheet is missing and every image becomes a placeholder.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAssets;

impl Assets for NoAssets {
    fn get(&self, _url: &str) -> Option<Asset> {
        None
    }
}
