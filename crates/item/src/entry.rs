//! The envelope around a body.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{ParseHexError, parse_hex, write_hex};
use crate::{Attributes, Body, ContentHasher, Digest, Provenance, TypedBody};

/// Identity of an item: 128 bits, shown as 32 hex digits. A pure function of what was captured, never of where or when
/// we processed it, so placement by id is the same in every run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId([u8; 16]);

impl ItemId {
    /// The id of a capture: target URI, capture date and digest of the payload.
    pub fn of_capture(url: &str, fetched_at: &str, payload: &Digest) -> Self {
        Self::truncate(ContentHasher::new("capture").add_text(url).add_text(fetched_at).add_digest(payload).finish())
    }

    /// The id of trouble at a place in an archive, where no capture could be read.
    pub fn of_place(file: &str, offset: u64) -> Self {
        Self::truncate(ContentHasher::new("place").add_text(file).add_u64(offset).finish())
    }

    /// The id of the `index`-th child of this item.
    pub fn child(&self, index: usize) -> Self {
        Self::truncate(ContentHasher::new("child").add_bytes(&self.0).add_u64(index as u64).finish())
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// An id from raw bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    fn truncate(digest: Digest) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Self(bytes)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemId({self})")
    }
}

impl FromStr for ItemId {
    type Err = ParseHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex(text).map(Self)
    }
}

impl Serialize for ItemId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ItemId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An item without its body: what barriers and books work with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Identity.
    pub id: ItemId,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What was measured on it.
    pub attributes: Attributes,
}

/// What flows: identity, origin, measurements and one body.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<B = Body> {
    /// Identity, origin and measurements.
    pub head: Head,
    /// The content, of one of the body kinds.
    pub body: B,
}

impl<B> Item<B> {
    /// The same item with another body.
    pub fn with_body<C>(self, body: C) -> Item<C> {
        Item { head: self.head, body }
    }
}

impl Item<Body> {
    /// The digest of everything the item holds; what the next phase's key is made of.
    pub fn digest(&self) -> Digest {
        let mut hasher = ContentHasher::new("item");
        hasher.add_bytes(self.head.id.as_bytes());
        let provenance = &self.head.provenance;
        hasher
            .add_text(&provenance.url)
            .add_text(&provenance.domain)
            .add_text(&provenance.crawl)
            .add_text(&provenance.warc_filename)
            .add_u64(provenance.warc_record_offset)
            .add_u64(provenance.warc_record_length)
            .add_text(&provenance.fetched_at);
        for (name, value) in self.head.attributes.iter() {
            hasher.add_text(name);
            crate::body::hash_value(&mut hasher, value);
        }
        self.body.hash_into(&mut hasher);
        hasher.finish()
    }

    /// Bytes that the item takes in memory, near enough for a budget.
    pub fn size_bytes(&self) -> usize {
        const ENVELOPE_BYTES: usize = 1024;
        ENVELOPE_BYTES + self.body.size_bytes()
    }

    /// The item with its body's type known; `None` when it is of another kind.
    pub fn into_typed<B: TypedBody>(self) -> Option<Item<B>> {
        Some(Item { head: self.head, body: B::from_body(self.body)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Page;

    #[test]
    fn ids_are_stable_and_distinct() {
        let payload = Digest::of(b"<p>");
        let id = ItemId::of_capture("https://example.com/", "2024-12-01T00:00:00Z", &payload);
        assert_eq!(id, ItemId::of_capture("https://example.com/", "2024-12-01T00:00:00Z", &payload));
        assert_ne!(id.child(0), id.child(1));
        assert_eq!(id.to_string().parse::<ItemId>().expect("own text"), id);
    }

    #[test]
    fn the_digest_sees_body_and_attributes() {
        let item = |html: &str, attributes: Attributes| Item {
            head: Head { id: ItemId::of_place("f", 0), provenance: Provenance::default(), attributes },
            body: Body::Page(Page { html: html.to_owned() }),
        };
        let plain = item("<p>", Attributes::new()).digest();
        assert_eq!(plain, item("<p>", Attributes::new()).digest());
        assert_ne!(plain, item("<b>", Attributes::new()).digest());
        assert_ne!(plain, item("<p>", Attributes::new().with("lang", "en")).digest());
    }
}
