//! The digest of a tree's shape: which tags stand inside which, whatever the text.
//!
//! SimHash: every element votes on each of 64 bits with the hash of its path (itself and its nearest ancestors), so
//! that pages of one template differ in few bits.

use crate::dom::{Dom, NodeId};

/// Ancestors in a feature. Three levels tell a list in a menu from a list in an article and still repeat across pages.
const PATH_LENGTH: usize = 4;

pub(super) fn simhash(dom: &Dom) -> u64 {
    let mut votes = [0_i32; 64];
    for node in dom.descendants(Dom::DOCUMENT).filter(|&node| dom.element(node).is_some()) {
        let hash = path_hash(dom, node);
        for (bit, vote) in votes.iter_mut().enumerate() {
            *vote += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    }
    votes.iter().enumerate().filter(|(_, vote)| **vote > 0).fold(0, |hash, (bit, _)| hash | 1 << bit)
}

/// FNV-1a over the tag names from the element upwards, mixed so that all bits take part.
fn path_hash(dom: &Dom, node: NodeId) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let path = std::iter::once(node).chain(dom.ancestors(node)).filter_map(|node| dom.element(node)).take(PATH_LENGTH);
    let hash = path.fold(BASIS, |hash, element| {
        let name = element.name.local.bytes().chain(*b">");
        name.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
    });
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
