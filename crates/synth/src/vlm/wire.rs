//! What goes over the wire, in both directions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use item::{ContentHasher, Digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A part of what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture: PNG or JPEG, which every server takes.
    Picture(Bytes),
}

/// The first bytes of a JPEG.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];

/// One request, whole: everything that the answer depends on, the server aside.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// What the model is told about its work; the same for many requests, so that servers can keep it.
    pub system: String,
    /// What is asked, pictures labelled by the text before them.
    pub parts: Vec<Part>,
    /// A JSON Schema that the answer must fit, with its name.
    pub schema: Option<(&'static str, Value)>,
    /// Repeats the answer where the server can: below 2^31.
    pub seed: u32,
    /// 0 takes the likeliest words.
    pub temperature: f64,
    /// Tokens of the answer at most.
    pub tokens_max: u32,
}

/// Tokens that were used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of what was asked.
    #[serde(default)]
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    #[serde(default)]
    pub completion_tokens: u64,
}

impl Usage {
    /// Adds another request's.
    pub fn add(&mut self, other: Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What it says, thinking and special tokens taken out.
    pub text: String,
    /// What the model thought before, where it says so.
    pub reasoning: Option<String>,
    /// Tokens.
    pub usage: Usage,
}

impl Ask {
    /// What the answer depends on, the model aside.
    pub fn digest(&self) -> Digest {
        let mut hasher = ContentHasher::new("ask");
        hasher.add_text(&self.system).add_u64(self.parts.len() as u64);
        for part in &self.parts {
            match part {
                Part::Text(words) => hasher.add_u64(0).add_text(words),
                Part::Picture(picture) => hasher.add_u64(1).add_bytes(picture),
            };
        }
        let schema = self.schema.as_ref().map(|(name, schema)| format!("{name} {schema}")).unwrap_or_default();
        hasher.add_text(&schema).add_u64(self.temperature.to_bits());
        hasher.add_u64(u64::from(self.seed)).add_u64(u64::from(self.tokens_max));
        hasher.finish()
    }

    /// The body of the request; a server that knows no schemas gets none.
    pub(super) fn body(&self, model: &str, with_schema: bool) -> Value {
        let part = |part: &Part| match part {
            Part::Text(text) => json!({ "type": "text", "text": text }),
            Part::Picture(picture) => {
                let kind = if picture.starts_with(JPEG) { "jpeg" } else { "png" };
                let url = format!("data:image/{kind};base64,{}", STANDARD.encode(picture));
                json!({ "type": "image_url", "image_url": { "url": url } })
            }
        };
        let content: Vec<Value> = self.parts.iter().map(part).collect();
        let mut body = json!({
            "model": model,
            "messages": [
                { "role": "system", "content": self.system },
                { "role": "user", "content": content },
            ],
            "max_tokens": self.tokens_max,
            "temperature": self.temperature,
            "seed": self.seed,
            "stream": false,
        });
        if let Some((name, schema)) = self.schema.as_ref().filter(|_| with_schema) {
            let schema = json!({ "name": name, "strict": true, "schema": schema });
            body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
        }
        body
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A whole answer.
    Answer(Answer),
    /// It ends at the limit of tokens; what there is of it.
    CutOff(Answer),
    /// No words, or thoughts without an answer.
    Nothing(Usage),
    /// The model will not do it, in its words.
    Refusal(String),
    /// The engine could not finish the answer: constrained decoding that found no way out.
    Broken(String),
    /// A server calls this one request wrong, in its words; others went well.
    Declined(String),
    /// More than the model can hold: by estimate, and nothing was asked; or as the server says, which counts as 0 tokens.
    TooLong {
        /// Tokens, estimated.
        tokens: u64,
        /// What fits.
        most: u64,
    },
}

impl Said {
    /// Whether a model said it, which is paid for and remembered. What a server would not take, or what its limits are, may be
    /// another matter next time.
    pub fn is_of_the_model(&self) -> bool {
        !matches!(self, Self::Declined(_) | Self::TooLong { .. })
    }

    /// Tokens that it took.
    pub fn usage(&self) -> Usage {
        match self {
            Self::Answer(answer) | Self::CutOff(answer) => answer.usage,
            Self::Nothing(usage) => *usage,
            Self::Refusal(_) | Self::Broken(_) | Self::Declined(_) | Self::TooLong { .. } => Usage::default(),
        }
    }
}

/// A completion as servers send it; what is not read is not named.
#[derive(Debug, Deserialize)]
pub(super) struct Completion {
    pub(super) choices: Vec<Choice>,
    #[serde(default)]
    pub(super) usage: Usage,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    pub(super) message: Message,
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) content: Option<String>,
    /// vLLM, llama.cpp, SGLang.
    pub(super) reasoning_content: Option<String>,
    /// Newer vLLM, OpenRouter.
    pub(super) reasoning: Option<String>,
    /// OpenAI.
    pub(super) refusal: Option<String>,
}
