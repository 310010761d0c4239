//! `[synth.vlm]`: which model is asked, how, and for what.

use std::path::Path;

use engine::StageError;
use item::ContentHasher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The form in which a model gives an edited page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Search/replace blocks: short, and what is not named stays.
    #[default]
    Blocks,
    /// The whole page.
    Page,
}

/// Where a model's edits come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Propose {
    /// It proposes edits of its own, and carries them out.
    #[default]
    Free,
    /// It chooses among edits of operators: small models do that, too.
    Menu,
}

/// `[synth.vlm]`: a local vision-language model. By default none is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VlmConfig {
    /// Name of the model, as its servers know it; empty asks none.
    pub model: String,
    /// What tells this model from another of the same name: a commit, a date. Answers are remembered for each by itself.
    pub revision: String,
    /// Files of weights, relative to the pipeline file: their digest counts like the revision.
    pub weights: Vec<String>,
    /// Base URLs of servers that speak OpenAI's chat completions, such as `http://127.0.0.1:8000/v1`. All serve the same model.
    pub urls: Vec<String>,
    /// A command that serves the model on loopback, started with the first question and ended with the run; `{port}` in it is a free port.
    pub start: String,
    /// Seconds that such a server may take until it answers.
    pub ready_s: u64,
    /// Requests to each server at the same time.
    pub concurrency: usize,
    /// Requests to each server in a minute; 0 for no bound.
    pub requests_a_minute: u32,
    /// Seconds that one request may take.
    pub timeout_s: u64,
    /// Times that a request is sent while servers are busy or broken.
    pub tries: u32,
    /// Tokens that the model holds, question and answer together.
    pub context_tokens: u64,
    /// Tokens of an answer at most.
    pub answer_tokens: u32,
    /// 0 takes the likeliest words.
    pub temperature: f64,
    /// Pixels of a picture that is sent; larger ones are scaled down.
    pub picture_pixels: u32,
    /// Where its edits come from.
    pub propose: Propose,
    /// Edits that the model may propose, and carries out, of each page.
    pub proposals: usize,
    /// The form of an edited page.
    pub answer: Answer,
    /// Drafts that the model writes of each page from its screenshot.
    pub drafts: usize,
    /// Rounds in which each draft may come nearer to the page.
    pub rounds: u32,
    /// Answers to one question until one passes every check. Those that did not stand beside it in `preference`.
    pub samples: u32,
    /// The model puts edits that a program made into words.
    pub describe: bool,
    /// The model judges every edit, and every polished draft, in both orders; what it doubts is refused.
    pub judge: bool,
    /// Least share of the code that an edit of a part of the page leaves as it is, 0 to 1.
    pub kept_min: f64,
}

impl Default for VlmConfig {
    fn default() -> Self {
        Self {
            model: String::new(),
            revision: String::new(),
            weights: Vec::new(),
            urls: Vec::new(),
            start: String::new(),
            ready_s: 600,
            concurrency: 4,
            requests_a_minute: 0,
            timeout_s: 600,
            tries: 6,
            context_tokens: 32_768,
            answer_tokens: 8192,
            temperature: 0.7,
            picture_pixels: 2_000_000,
            propose: Propose::default(),
            proposals: 4,
            answer: Answer::default(),
            drafts: 1,
            rounds: 2,
            samples: 2,
            describe: false,
            judge: false,
            kept_min: 0.5,
        }
    }
}

impl VlmConfig {
    /// Whether a model is asked.
    pub fn is_on(&self) -> bool {
        !self.model.is_empty()
    }

    /// Items that may wait for the model at the same time.
    pub(super) fn slots(&self) -> usize {
        let servers = self.urls.len() + usize::from(!self.start.is_empty());
        (servers * self.concurrency).max(1)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.is_on() && self.urls.is_empty() && self.start.is_empty() {
            return Err(
                "`synth.vlm.model` is set, but nobody serves it: name `urls`, or a command in `start`".to_owned()
            );
        }
        let wrong = |url: &&String| !(url.starts_with("http://") || url.starts_with("https://"));
        self.urls.iter().find(wrong).map_or(Ok(()), |url| Err(format!("`synth.vlm.urls`: `{url}` is no http(s) URL")))
    }

    /// What answers and verdicts depend on: not where and how often servers are asked.
    pub(super) fn shaping(&self) -> serde_json::Value {
        let unshaping = Self::default();
        let shaping = Self {
            urls: Vec::new(),
            start: String::new(),
            weights: Vec::new(),
            ready_s: unshaping.ready_s,
            concurrency: unshaping.concurrency,
            requests_a_minute: unshaping.requests_a_minute,
            timeout_s: unshaping.timeout_s,
            tries: unshaping.tries,
            ..self.clone()
        };
        serde_json::to_value(shaping).unwrap_or_default()
    }

    /// One digest of all files of weights; empty without any.
    pub(super) fn weights_digest(&self, base: &Path) -> Result<String, StageError> {
        if self.weights.is_empty() {
            return Ok(String::new());
        }
        let mut hasher = ContentHasher::new("weights");
        for file in &self.weights {
            let path = base.join(file);
            let mut content = blake3::Hasher::new();
            let read = std::fs::File::open(&path).and_then(|file| content.update_reader(file).map(drop));
            read.map_err(|error| StageError::new(format!("read `{}`", path.display()), error))?;
            hasher.add_bytes(content.finalize().as_bytes());
        }
        Ok(hasher.finish().short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_needs_a_server() {
        let on = VlmConfig { model: "m".into(), ..VlmConfig::default() };
        assert!(on.check().is_err());
        assert!(VlmConfig { urls: vec!["http://a/v1".into()], ..on.clone() }.check().is_ok());
        assert!(VlmConfig { start: "serve".into(), ..on.clone() }.check().is_ok());
        assert!(VlmConfig { urls: vec!["a:80".into()], ..on }.check().is_err());
        assert!(VlmConfig::default().check().is_ok());
    }

    #[test]
    fn where_a_model_is_served_shapes_nothing() {
        let here = VlmConfig { model: "m".into(), urls: vec!["http://a".into()], timeout_s: 1, ..VlmConfig::default() };
        let there = VlmConfig { urls: vec!["http://b".into()], timeout_s: 2, concurrency: 9, ..here.clone() };
        assert_eq!(here.shaping(), there.shaping());
        assert_ne!(here.shaping(), VlmConfig { samples: 3, ..here.clone() }.shaping());
    }
}
