//! Triples that a vision-language model makes of a page: edits that it proposes and carries out, drafts that it writes from the
//! screenshot and brings nearer over several rounds. Words for edits that a program made, and a judge of edits.
//!
//! A model is believed nothing. What it writes is parsed, rendered and measured like a program's work, and then some: code that
//! is unsafe, that parses worse, that rewrites what was not asked for. Each answer that fails is a refused triple with its rule.

mod code;
mod draft;
mod edit;
mod judge;
mod menu;
mod picture;
mod plan;
mod prompt;
mod said;
mod shorten;
mod words;

use item::{Digest, Rejection, Shown, Snapshot, Task, Triple, Worse};

use crate::edit::{Page, Patch, search_replace, unified_diff, write_blocks};
use crate::rule;
use crate::tries::{Made, Tries};
use crate::verify::{Gates, Measures, Renderer};
use crate::vlm::{Ask, Model, Part, Usage, VlmError};

pub use code::{Audit, Parser};
pub use judge::judge_edit;
pub use prompt::version;
pub use words::describe_edit;

/// What is wanted of a model for a page, and when it is good.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorPolicy {
    /// Edits that it may propose of a page; 0 asks for none.
    pub proposals: usize,
    /// It chooses among edits that operators offer, in the place of writing its own.
    pub menu: bool,
    /// It answers with the whole page in the place of search/replace blocks.
    pub whole_page: bool,
    /// Drafts that it writes from the screenshot.
    pub drafts: usize,
    /// Rounds in which a draft may come nearer.
    pub rounds: u32,
    /// Answers to one question at most: the first that passes is taken.
    pub samples: u32,
    /// It judges edits.
    pub judge: bool,
    /// 0 takes the likeliest words.
    pub temperature: f64,
    /// Tokens of an answer with code at most.
    pub answer_tokens: u32,
    /// Pixels of a picture at most; larger ones are scaled down.
    pub picture_pixels: u32,
    /// Least share of the code (tags and texts, as a multiset) that an edit leaves as it is.
    pub kept_min: f64,
    /// When a triple is good.
    pub gates: Gates,
}

impl AuthorPolicy {
    /// A screenshot as it is sent.
    fn picture(&self, screenshot: &[u8]) -> Part {
        Part::Picture(picture::encode(screenshot, self.picture_pixels))
    }
}

/// Renders and parses: what an answer is checked with.
pub trait Bench: Renderer + Parser {}

impl<T: Renderer + Parser> Bench for T {}

/// Has a model make triples of a page. The bench must show documents as the snapshot was rendered. `Err` is no matter of this page: the
/// servers can't be reached.
pub fn author(
    snapshot: &Snapshot,
    policy: &AuthorPolicy,
    bench: &dyn Bench,
    model: &Model,
    name: &str,
) -> Result<Made, VlmError> {
    let renderer: &dyn Renderer = bench;
    let mut author = Author {
        page: &Page::new(snapshot),
        policy,
        bench,
        model,
        seed: Digest::of(snapshot.html.as_bytes()),
        tries: Tries::new(snapshot, renderer, name),
    };
    if policy.proposals + policy.drafts > 0
        && let Some(original) = author.tries.proven_original()
    {
        author.edits(&original)?;
        author.drafts(&original)?;
    }
    Ok(author.tries.made)
}

pub(crate) struct Author<'a> {
    page: &'a Page<'a>,
    policy: &'a AuthorPolicy,
    bench: &'a dyn Bench,
    model: &'a Model,
    seed: Digest,
    tries: Tries<'a>,
}

/// Code that an answer gave, and what the model thought before.
struct Written {
    html: String,
    reasoning: Option<String>,
}

impl Author<'_> {
    /// A request of this page; `purpose` makes its seed.
    fn ask(&self, system: &'static str, parts: Vec<Part>, purpose: &str) -> Ask {
        let seed = seed(&self.seed, purpose);
        let AuthorPolicy { temperature, answer_tokens: tokens_max, .. } = *self.policy;
        Ask { system: system.to_owned(), parts, schema: None, seed, temperature, tokens_max }
    }

    /// Whether an answer may be shown at all; `given` is the code that it was made of.
    fn refuse_code(&self, given: Option<&str>, html: &str) -> Option<Rejection> {
        code::refuse(self.bench, given, html)
    }

    /// What makes one document of another, in both forms.
    fn write_patch(triple: &mut Triple) {
        let (before, after) = (&triple.before.html, &triple.after.html);
        let patch = Patch::between(before, after);
        triple.diff = unified_diff(before, after);
        triple.blocks = write_blocks(&search_replace(before, &patch));
    }

    /// What a model writes may show something else each time; nobody could verify it again then.
    fn refuse_moody(&mut self, shown: &Shown) -> Option<Rejection> {
        let detail = || "a second render of the answer gives other pixels".to_owned();
        (!self.tries.repeats(shown)).then(|| Rejection { rule: rule::UNSTABLE_PAGE, detail: detail() })
    }

    /// Puts an answer that passed beside one that did not; a picture that does not come out the same again is left out.
    fn add_preference(&mut self, chosen: &Triple, mut worse: Shown, why: Rejection) {
        if !worse.screenshot.is_empty() && !self.tries.repeats(&worse) {
            worse = code_only(worse.html);
        }
        let mut pair = chosen.clone();
        pair.task = Task::Preference;
        pair.measures = Measures::new();
        pair.worse = Some(Worse { shown: worse, why: why.into() });
        self.tries.add(pair, Measures::new(), None);
    }
}

/// A seed for one question about one page, the same in every run.
fn seed(page: &Digest, purpose: &str) -> u32 {
    let digest = Digest::of(format!("{page} {purpose}").as_bytes());
    let bytes = digest.as_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) >> 1
}

/// Tokens among the measures of a try.
fn count_tokens(measures: &mut Measures, usage: Usage) {
    *measures.entry("prompt_tokens".to_owned()).or_default() += usage.prompt_tokens as f64;
    *measures.entry("completion_tokens".to_owned()).or_default() += usage.completion_tokens as f64;
}

/// The page's code with nothing shown.
fn code_only(html: String) -> Shown {
    Shown { html, ..Shown::nothing() }
}
