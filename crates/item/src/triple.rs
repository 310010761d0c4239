//! What synthesis makes of a rendered page.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{ContentHasher, Rect, Rejection, Snapshot, Viewport};

/// What a model is to learn from a triple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Change a page as an instruction says.
    Edit,
    /// Bring a draft nearer to a target picture.
    Polish,
    /// Prefer one answer to the same question over another.
    Preference,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Edit, Self::Polish, Self::Preference];

    /// The task of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.name() == name)
    }

    /// The name, as in subsets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Polish => "polish",
            Self::Preference => "preference",
        }
    }
}

/// Code and its screenshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The HTML: the very bytes that were rendered.
    pub html: String,
    /// The screenshot, PNG.
    pub screenshot: Bytes,
    /// Width of the screenshot in device px.
    pub width: u32,
    /// Height of the screenshot in device px.
    pub height: u32,
}

/// An instruction in one style of wording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// `detailed`, `short`, `human` or `conversational`; `described` where a model put an edit into words.
    pub style: String,
    /// The words.
    pub text: String,
}

/// Why a triple was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Name of the rule.
    pub rule: String,
    /// What was measured.
    pub detail: String,
}

impl From<Rejection> for Refusal {
    fn from(why: Rejection) -> Self {
        Self { rule: why.rule.name.to_owned(), detail: why.detail }
    }
}

/// An answer that a check refused, beside one that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worse {
    /// The code, and how it looks; without a picture where it could not be shown.
    pub shown: Shown,
    /// Why it was refused.
    pub why: Refusal,
}

/// Given, instruction, wanted. For [`Task::Polish`], *before* is the draft and *after* the answer: the target itself, or a draft that
/// is nearer to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Triple {
    /// What it teaches.
    pub task: Task,
    /// The code that is given, and how it looks.
    pub before: Shown,
    /// The code that is wanted, and how it looks.
    pub after: Shown,
    /// The page that a draft is to become, where the answer is not that page itself, and of every preference among drafts.
    pub target: Option<Shown>,
    /// Of a preference: the answer that is not wanted.
    pub worse: Option<Worse>,
    /// What both were rendered in.
    pub viewport: Viewport,
    /// What is asked for, in several wordings; the first is the canonical one.
    pub instructions: Vec<Wording>,
    /// Names of the operators that made the difference, in their order; empty where a model wrote it.
    pub operators: Vec<String>,
    /// Kind of change: `restyle`, `text`, `add`, `remove`, …
    pub kind: String,
    /// How strong the change is, 0 to 1.
    pub severity: f64,
    /// The box, in CSS px of the page before, that may change; `None` for the whole page.
    pub region: Option<Rect>,
    /// From *before* to *after* as a unified diff.
    pub diff: String,
    /// The same as search/replace blocks.
    pub blocks: String,
    /// Who made it: `program`, or a model.
    pub origin: String,
    /// Round of a polish, from 1.
    pub round: u32,
    /// What the rounds that began with one draft have in common.
    pub trajectory: Option<String>,
    /// What a model thought before it answered, where it says so.
    pub reasoning: Option<String>,
    /// What was measured, by name.
    pub measures: BTreeMap<String, f64>,
    /// Set where a check said no: such a triple goes no further than the gate behind the stage that made it.
    pub refused: Option<Refusal>,
}

/// What goes on from synthesis: the page itself, and what was made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Sample {
    /// The page as it came.
    Page(Snapshot),
    /// A triple made of it.
    Triple(Box<Triple>),
}

impl Shown {
    /// Nothing: what stands in the place of pictures that nobody will look at again.
    pub const fn nothing() -> Self {
        Self { html: String::new(), screenshot: Bytes::new(), width: 0, height: 0 }
    }

    fn hash_into(&self, hasher: &mut ContentHasher) {
        hasher.add_text(&self.html).add_bytes(&self.screenshot);
        hasher.add_u64(u64::from(self.width)).add_u64(u64::from(self.height));
    }

    fn size_bytes(&self) -> usize {
        self.html.len() + self.screenshot.len()
    }
}

impl Triple {
    /// The page that it was made of: the one before an edit, or the target of drafts.
    pub fn page(&self) -> &Shown {
        match (&self.target, self.task) {
            (Some(target), _) => target,
            (None, Task::Polish) => &self.after,
            (None, Task::Edit | Task::Preference) => &self.before,
        }
    }

    /// What a model would be asked for: a preference is one among answers to an edit or to a polish.
    pub const fn asks(&self) -> Task {
        match (self.task, &self.target) {
            (Task::Preference, Some(_)) => Task::Polish,
            (Task::Preference, None) => Task::Edit,
            (task, _) => task,
        }
    }

    /// Bytes of content.
    pub(crate) fn size_bytes(&self) -> usize {
        let others = self.target.iter().chain(self.worse.iter().map(|worse| &worse.shown));
        let shown = [&self.before, &self.after].into_iter().chain(others).map(Shown::size_bytes).sum::<usize>();
        shown + self.diff.len() + self.blocks.len() + self.reasoning.as_ref().map_or(0, String::len)
    }

    pub(crate) fn hash_into(&self, hasher: &mut ContentHasher) {
        let Self { task, before, after, target, worse, viewport, instructions, operators, kind, severity, .. } = self;
        let Self { region, diff, blocks, origin, round, trajectory, reasoning, measures, refused, .. } = self;
        hasher.add_text(task.name());
        before.hash_into(hasher);
        after.hash_into(hasher);
        for shown in [target.as_ref(), worse.as_ref().map(|worse| &worse.shown)] {
            hasher.add_u64(u64::from(shown.is_some()));
            shown.unwrap_or(&Shown::nothing()).hash_into(hasher);
        }
        hasher.add_u64(u64::from(viewport.width)).add_u64(u64::from(viewport.height));
        hasher.add_u64(viewport.device_scale_factor.to_bits()).add_u64(instructions.len() as u64);
        for wording in instructions {
            hasher.add_text(&wording.style).add_text(&wording.text);
        }
        hasher.add_u64(operators.len() as u64);
        for operator in operators {
            hasher.add_text(operator);
        }
        hasher.add_text(kind).add_u64(severity.to_bits()).add_u64(u64::from(region.is_some()));
        let Rect { x, y, width, height } = region.unwrap_or_default();
        for edge in [x, y, width, height] {
            hasher.add_u64(u64::from(edge.to_bits()));
        }
        for text in [diff, blocks, origin] {
            hasher.add_text(text);
        }
        for text in [trajectory, reasoning] {
            hasher.add_u64(u64::from(text.is_some())).add_text(text.as_deref().unwrap_or_default());
        }
        hasher.add_u64(u64::from(*round)).add_u64(measures.len() as u64);
        for (name, value) in measures {
            hasher.add_text(name).add_u64(value.to_bits());
        }
        for why in [refused.as_ref(), worse.as_ref().map(|worse| &worse.why)] {
            hasher.add_text(why.map_or("", |why| &why.rule)).add_text(why.map_or("", |why| &why.detail));
        }
    }
}
