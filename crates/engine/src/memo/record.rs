//! An answer as bytes: MessagePack with the names of fields, in a zstd frame. Names, so that an answer that an earlier version gave
//! is either understood or refused, never misread.

use std::io::{BufReader, BufWriter, Read as _};

use item::{Attributes, Body, Kept, Rule, Verdict};
use serde::{Deserialize, Serialize};

/// Screenshots do not get smaller; node lists do, at any level.
const ZSTD_LEVEL: i32 = 1;
/// An answer larger than this is none of ours.
const ANSWER_BYTES_MAX: u64 = 1 << 30;
/// What a frame and the names of fields take beside the bodies, as a rule.
const FRAME_BYTES: usize = 4 << 10;
/// What goes to the compressor at once.
const WRITE_BYTES: usize = 64 << 10;

/// A verdict without the one that is not remembered.
#[derive(Serialize, Deserialize)]
enum Answer {
    Keep(KeptBody),
    Annotate(Attributes),
    Fan(Vec<KeptBody>),
    Beside(KeptBody, Vec<KeptBody>),
    Reject { rule: String, detail: String },
}

impl Answer {
    /// Bytes of its bodies.
    fn bytes(&self) -> usize {
        let bytes = |kept: &KeptBody| kept.body.size_bytes();
        match self {
            Self::Keep(kept) => bytes(kept),
            Self::Fan(all) => all.iter().map(bytes).sum(),
            Self::Beside(kept, others) => bytes(kept) + others.iter().map(bytes).sum::<usize>(),
            Self::Annotate(_) | Self::Reject { .. } => 0,
        }
    }
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
    // Straight into the frame: pictures are large, and each copy of one is new memory that the system clears first.
    let frame = zstd::Encoder::new(Vec::with_capacity(answer.bytes() + FRAME_BYTES), ZSTD_LEVEL).ok()?;
    let mut writer = BufWriter::with_capacity(WRITE_BYTES, frame);
    rmp_serde::encode::write_named(&mut writer, &answer).ok()?;
    writer.into_inner().ok()?.finish().ok()
}

/// The verdict again; `None` when it is not understood. `rules` are those that the stage applies.
pub(super) fn decode(bytes: &[u8], rules: &[Rule]) -> Option<Verdict<Body>> {
    let plain = zstd::Decoder::with_buffer(bytes).ok()?.take(ANSWER_BYTES_MAX);
    Some(match rmp_serde::from_read(BufReader::with_capacity(WRITE_BYTES, plain)).ok()? {
        Answer::Keep(kept) => Verdict::Keep(kept.into()),
        Answer::Annotate(attributes) => Verdict::Annotate(attributes),
        Answer::Fan(children) => Verdict::Fan(children.into_iter().map(Kept::from).collect()),
        Answer::Beside(kept, others) => Verdict::Beside(kept.into(), others.into_iter().map(Kept::from).collect()),
        Answer::Reject { rule, detail } => Verdict::reject(*rules.iter().find(|known| known.name == rule)?, detail),
    })
}
