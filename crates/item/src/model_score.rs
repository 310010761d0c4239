//! What scorers say of a page, number by number.

use serde::{Deserialize, Serialize};

use crate::{Attributes, name};

/// One number of one scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelScore {
    /// Name and version of the scorer.
    pub model: String,
    /// `score`, or the label of a sub-score.
    pub name: String,
    /// The number; of a score 0 to 1, higher is better.
    pub score: f64,
}

impl ModelScore {
    /// Name of the number that is the score itself.
    pub const SCORE: &str = "score";

    /// The attribute's value for some numbers.
    pub fn to_text(scores: &[Self]) -> String {
        serde_json::json!(scores).to_string()
    }

    /// The numbers that a page has; none where nothing scored it.
    pub fn of(attributes: &Attributes) -> Vec<Self> {
        let text = attributes.text(name::SCORES);
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_went() {
        let score = |name: &str, score| ModelScore { model: "m 1".into(), name: name.into(), score };
        let scores = vec![score(ModelScore::SCORE, 0.1), score("layout", 1.0 / 3.0)];
        let attributes = Attributes::new().with(name::SCORES, ModelScore::to_text(&scores));
        assert_eq!(ModelScore::of(&attributes), scores);
        assert_eq!(ModelScore::of(&Attributes::new()), Vec::new());
    }
}
