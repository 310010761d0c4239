//! Tokens of a page as models count them.
//!
//! The tables of OpenAI's tokenizers, by the crate `bpe-openai`, which takes linear time. `o200k` is the one of GPT-4o, `cl100k`
//! the one of GPT-4; those of Llama 3 and Qwen are built as `cl100k` is and count much the same on code.

use item::{Attributes, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A tokenizer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tokenizer {
    /// `cl100k_base`.
    Cl100k,
    /// `o200k_base`.
    O200k,
}

impl Tokenizer {
    fn count(self, text: &str) -> usize {
        match self {
            Self::Cl100k => bpe_openai::cl100k_base().count(text),
            Self::O200k => bpe_openai::o200k_base().count(text),
        }
    }

    const fn attribute(self) -> &'static str {
        match self {
            Self::Cl100k => name::TOKENS_CL100K,
            Self::O200k => name::TOKENS_O200K,
        }
    }
}

/// Counts the style sheet and the HTML without it.
pub(super) fn count(tokenizers: &[Tokenizer], html: &str, attributes: &mut Attributes) {
    for tokenizer in tokenizers {
        let (css, rest) = clean::sheet_apart(html);
        let rest: usize = rest.iter().map(|part| tokenizer.count(part)).sum();
        attributes.set(tokenizer.attribute(), vec![tokenizer.count(css) as f64, rest as f64]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheet_and_html_are_counted_apart() {
        let mut attributes = Attributes::new();
        count(&[Tokenizer::Cl100k, Tokenizer::O200k], "<style>p { color: red }</style><p>Hello world", &mut attributes);
        let expected = item::Value::Floats(vec![6.0, 8.0]);
        assert_eq!(attributes.get(name::TOKENS_O200K), Some(&expected));
        assert!(attributes.get(name::TOKENS_CL100K).is_some());
    }
}
