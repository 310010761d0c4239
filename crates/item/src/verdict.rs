//! What a stage says of an item.

use serde::{Deserialize, Serialize};

use crate::Attributes;

/// A documented reason for not wanting an item. Rules are constants beside the code that applies them; the name goes
/// into the dataset, the meaning into the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    /// Kebab-case name, unique in the house: `too-short`.
    pub name: &'static str,
    /// One sentence for users: when the rule applies.
    pub meaning: &'static str,
}

/// An item that we do not want: policy, not trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The rule that applied.
    pub rule: Rule,
    /// What was measured: `120 characters, the least is 200`.
    pub detail: String,
}

impl Rejection {
    /// Refuses an item because another one stands for it; `how` says in which way, and the detail ends with the other's id.
    pub fn in_favour_of(rule: Rule, how: &str, representative: crate::ItemId) -> Self {
        Self { rule, detail: format!("{how} {representative}") }
    }
}

/// What kind of trouble made an item fail; operators sort by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The deadline passed.
    Timeout,
    /// A helper process died of this item, twice.
    Crash,
    /// The bytes could not be decoded as what they claim to be.
    Decode,
    /// The archive is damaged here.
    Damaged,
    /// A cap on size or count that protects the machine.
    Limit,
    /// A service that we ask did not answer well.
    Upstream,
    /// A bug of ours: the code panicked on this item.
    Panic,
}

impl FailureClass {
    /// The kebab-case name, as in files and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Crash => "crash",
            Self::Decode => "decode",
            Self::Damaged => "damaged",
            Self::Limit => "limit",
            Self::Upstream => "upstream",
            Self::Panic => "panic",
        }
    }
}

/// An item that we could not process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of trouble.
    pub class: FailureClass,
    /// The error chain as text.
    pub message: String,
}

impl Failure {
    /// A failure whose message is the whole chain of `error`: `a: b: c`.
    pub fn from_error(class: FailureClass, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self { class, message }
    }
}

/// A body that goes on, and the attributes that the stage adds to the item.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<B> {
    /// The new body.
    pub body: B,
    /// Attributes to merge into the item's.
    pub attributes: Attributes,
}

/// One answer per item.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<B> {
    /// Goes on.
    Keep(Kept<B>),
    /// Goes on with its body as it is and more attributes: what a stage that only measures says.
    Annotate(Attributes),
    /// Becomes several items, in this order (one page, three viewports).
    Fan(Vec<Kept<B>>),
    /// Goes on as it is, and others stand beside it from here on (a page, and what was made of it). Unlike in a fan, the item keeps
    /// its identity.
    Beside(Kept<B>, Vec<Kept<B>>),
    /// Not wanted.
    Reject(Rejection),
    /// Not possible.
    Fail(Failure),
}

impl<B> Verdict<B> {
    /// Keeps `body` with `attributes`.
    pub fn keep(body: B, attributes: Attributes) -> Self {
        Self::Keep(Kept { body, attributes })
    }

    /// Rejects by `rule`.
    pub fn reject(rule: Rule, detail: impl Into<String>) -> Self {
        Self::Reject(Rejection { rule, detail: detail.into() })
    }

    /// Fails with `message`.
    pub fn fail(class: FailureClass, message: impl Into<String>) -> Self {
        Self::Fail(Failure { class, message: message.into() })
    }
}

/// Whether a lost item was unwanted or impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// A rule said no.
    Rejected,
    /// It could not be done.
    Failed,
}

impl LossKind {
    /// The kebab-case name, as in files and events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// One item that did not reach the dataset, where it went and why: a row of the `rejects` subset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Identity of the item.
    pub id: crate::ItemId,
    /// Where it came from.
    pub provenance: crate::Provenance,
    /// Stage or barrier that said so.
    pub stage: String,
    /// Unwanted or impossible.
    pub kind: LossKind,
    /// Name of the rule, or of the failure class.
    pub rule: String,
    /// What was measured, or the error chain.
    pub detail: String,
}

impl Loss {
    /// The item that stands for this one, where it was refused by [`Rejection::in_favour_of`].
    pub fn representative(&self) -> Option<crate::ItemId> {
        let last = || self.detail.rsplit(' ').next()?.parse().ok();
        if self.kind == LossKind::Rejected { last() } else { None }
    }
}
