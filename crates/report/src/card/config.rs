//! What only the user can say of a dataset.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[card]`: what stands on the dataset card beside what the run knows. Nothing here changes the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CardConfig {
    /// Title; by default the name of the run.
    pub title: String,
    /// One paragraph: what the dataset is for.
    pub summary: String,
    /// Licence of the dataset, as the Hub writes it: `odc-by`, `cc-by-4.0`, `other`. The pages keep their own.
    pub license: String,
    /// How somebody reaches you who wants a page removed: an address or a URL.
    pub contact: String,
    /// BibTeX entry; by default one is made from the title.
    pub citation: String,
    /// Further tags.
    pub tags: Vec<String>,
}

impl Default for CardConfig {
    fn default() -> Self {
        Self {
            title: String::new(),
            summary: String::new(),
            license: "other".to_owned(),
            contact: String::new(),
            citation: String::new(),
            tags: Vec::new(),
        }
    }
}

impl CardConfig {
    pub(super) fn title_or<'a>(&'a self, name: &'a str) -> &'a str {
        if self.title.is_empty() { name } else { &self.title }
    }
}
