//! The header of the card: YAML that the Hub and `datasets` read.

use std::fmt::Write as _;

use dataset::Subset;

use super::Facts;

/// Tags of every dataset of this kind.
const TAGS: &[&str] = &["ui-to-code", "web", "screenshots", "html", "databuild"];
/// Most languages that are named; the statistics have them all.
const LANGUAGES_MAX: usize = 50;

/// The subset that a reader gets who asks for none.
const DEFAULT: Subset = Subset::Pages;

/// A text as YAML: JSON's quotes are YAML's, too.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Keys with their values, each with all of its lines.
pub(super) fn keys(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
    let config = facts.input.config;
    let rows = facts.manifest.subsets.get(DEFAULT.name()).map_or(0, |subset| subset.rows);
    let (languages, _) = facts.numbers.languages.top(LANGUAGES_MAX);
    let languages = languages.iter().map(|(word, _)| *word).filter(|word| is_language(word));
    let tags = TAGS.iter().copied().chain(config.tags.iter().map(String::as_str));
    vec![
        ("pretty_name", format!(" {}\n", quoted(config.title_or(&facts.manifest.name)))),
        ("license", format!(" {}\n", quoted(&config.license))),
        ("language", list(languages)),
        ("size_categories", list(std::iter::once(size_category(rows)))),
        ("task_categories", list(["image-to-text", "image-text-to-text"])),
        ("tags", list(tags)),
        ("configs", configs(facts)),
        ("dataset_info", dataset_info(facts)),
    ]
}

fn is_language(word: &str) -> bool {
    matches!(word.len(), 2 | 3) && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut lines = String::new();
    for word in words {
        let _infallible = writeln!(lines, "- {}", quoted(word));
    }
    if lines.is_empty() { " []\n".to_owned() } else { format!("\n{lines}") }
}

/// The Hub's classes.
fn size_category(rows: u64) -> &'static str {
    const CLASSES: [(u64, &str); 9] = [
        (1_000, "n<1K"),
        (10_000, "1K<n<10K"),
        (100_000, "10K<n<100K"),
        (1_000_000, "100K<n<1M"),
        (10_000_000, "1M<n<10M"),
        (100_000_000, "10M<n<100M"),
        (1_000_000_000, "100M<n<1B"),
        (10_000_000_000, "1B<n<10B"),
        (100_000_000_000, "10B<n<100B"),
    ];
    CLASSES.iter().find(|(end, _)| rows < *end).map_or("100B<n<1T", |(_, name)| name)
}

/// Subsets that have rows, with their names and parts.
fn subsets<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = (Subset, &'a dataset::SubsetManifest)> {
    let all = Subset::ALL.into_iter();
    all.filter_map(move |subset| Some((subset, facts.manifest.subsets.get(subset.name())?)))
        .filter(|(_, parts)| parts.rows > 0)
}

fn configs(facts: &Facts<'_>) -> String {
    let mut text = String::from("\n");
    for (subset, parts) in subsets(facts) {
        let _infallible = writeln!(text, "- config_name: {}", subset.name());
        if subset == DEFAULT {
            text.push_str("  default: true\n");
        }
        text.push_str("  data_files:\n");
        for split in parts.splits.keys() {
            let _infallible = writeln!(text, "  - split: {split}\n    path: data/{}/{split}-*", subset.name());
        }
    }
    text
}

fn dataset_info(facts: &Facts<'_>) -> String {
    let mut text = String::from("\n");
    for (subset, parts) in subsets(facts) {
        let raw =
            |split: &str| facts.raw_bytes.get(&(subset.name().to_owned(), split.to_owned())).copied().unwrap_or(0);
        let _infallible = writeln!(text, "- config_name: {}\n  features:", subset.name());
        for line in subset.features_yaml().lines() {
            let _infallible = writeln!(text, "  {line}");
        }
        text.push_str("  splits:\n");
        for (split, shards) in &parts.splits {
            let rows: u64 = shards.iter().map(|shard| shard.rows).sum();
            let bytes = raw(split);
            let _infallible = writeln!(text, "  - name: {split}\n    num_bytes: {bytes}\n    num_examples: {rows}");
        }
        let size: u64 = parts.splits.keys().map(|split| raw(split)).sum();
        let _infallible = writeln!(text, "  download_size: {}\n  dataset_size: {size}", parts.bytes);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_classes_of_the_hub() {
        let check = |rows: u64, expected: &str| assert_eq!(size_category(rows), expected, "{rows}");
        check(0, "n<1K");
        check(999, "n<1K");
        check(1_000, "1K<n<10K");
        check(2_500_000, "1M<n<10M");
        check(u64::MAX, "100B<n<1T");
    }

    #[test]
    fn texts_are_quoted() {
        assert_eq!(quoted("a: \"b\"\n# c"), r#""a: \"b\"\n# c""#);
        assert_eq!(list(std::iter::empty()), " []\n");
    }
}
