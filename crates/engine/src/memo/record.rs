//! An answer as bytes: MessagePack with the names of fields, in a zstd frame. Names, so that an answer that an earlier version gave
//! is either understood or refused, never misread.

use item::{Attributes, Body, Kept, Rule, Verdict};
use serde::{Deserialize, Serialize};

/// Screenshots do not get smaller; node lists do, at any level.
const ZSTD_LEVEL: i32 = 1;
/// An answer larger than this is none of ours.
const ANSWER_BYTES_MAX: usize = 1 << 30;

/// A verdict without the one that is not remembered.
#[derive(Serialize, Deserialize)]
enum Answer {
    Keep(KeptBody),
    Annotate(Attributes),
    Fan(Vec<KeptBody>),
    Beside(KeptBody, Vec<KeptBody>),
    Reject { rule: String, detail: String },
}

#[derive(Serialize, Deserialize)]
struct KeptBody {
    body: Body,
    attributes: Attributes,
}

impl From<&Kept<Body>> for KeptBody {
    fn from(kept: &Kept<Body>) -> Self {
        Self { body: kept.body.clone(), attributes: kept.attributes.clone() }
    }
}

impl From<KeptBody> for Kept<Body> {
    fn from(kept: KeptBody) -> Self {
        Self { body: kept.body, attributes: kept.attributes }
    }
}

/// The bytes of a verdict; `None` for a failure, which is tried again, and for nothing said, which costs nothing.
pub(super) fn encode(verdict: &Verdict<Body>) -> Option<Vec<u8>> {
    let answer = match verdict {
        Verdict::Annotate(attributes) if attributes.is_empty() => return None,
        Verdict::Keep(kept) => Answer::Keep(kept.into()),
        Verdict::Annotate(attributes) => Answer::Annotate(attributes.clone()),
        Verdict::Fan(children) => Answer::Fan(children.iter().map(KeptBody::from).collect()),
        Verdict::Beside(kept, others) => Answer::Beside(kept.into(), others.iter().map(KeptBody::from).collect()),
        Verdict::Reject(rejection) => {
            Answer::Reject { rule: rejection.rule.name.to_owned(), detail: rejection.detail.clone() }
        }
        Verdict::Fail(_) => return None,
    };
    let plain = rmp_serde::to_vec_named(&answer).ok()?;
    zstd::bulk::compress(&plain, ZSTD_LEVEL).ok()
}

/// The verdict again; `None` when it is not understood. `rules` are those that the stage applies.
pub(super) fn decode(bytes: &[u8], rules: &[Rule]) -> Option<Verdict<Body>> {
    let size = zstd::bulk::Decompressor::upper_bound(bytes).filter(|&size| size <= ANSWER_BYTES_MAX)?;
    let plain = zstd::bulk::decompress(bytes, size).ok()?;
    Some(match rmp_serde::from_slice(&plain).ok()? {
        Answer::Keep(kept) => Verdict::Keep(kept.into()),
        Answer::Annotate(attributes) => Verdict::Annotate(attributes),
        Answer::Fan(children) => Verdict::Fan(children.into_iter().map(Kept::from).collect()),
        Answer::Beside(kept, others) => Verdict::Beside(kept.into(), others.into_iter().map(Kept::from).collect()),
        Answer::Reject { rule, detail } => Verdict::reject(*rules.iter().find(|known| known.name == rule)?, detail),
    })
}
