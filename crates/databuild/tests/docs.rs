//! The documentation knows every rule.

use std::path::Path;

#[test]
fn every_rule_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules.md");
    let page = std::fs::read_to_string(path).expect("docs/rules.md");
    let mut names = std::collections::BTreeSet::new();
    for (_, rules) in stages::rules() {
        for rule in rules {
            assert!(names.insert(rule.name), "two rules are called `{}`", rule.name);
            let row = format!("| `{}` |", rule.name);
            assert!(page.contains(&row), "docs/rules.md has no row for `{}`: {}", rule.name, rule.meaning);
            assert!(
                page.contains(rule.meaning),
                "docs/rules.md says something else of `{}` than: {}",
                rule.name,
                rule.meaning
            );
        }
    }
    assert!(names.len() > 10);
}

#[test]
fn the_example_shows_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/crawl-2024.toml");
    let text = std::fs::read_to_string(path).expect("pipelines/crawl-2024.toml");
    let defaults = serde_json::to_value(pipeline::PipelineFile::default()).expect("plain data");
    let mut seen = 0;
    for (table, keys) in defaults.as_object().expect("tables") {
        assert!(text.contains(&format!("[{table}]")), "no table `{table}`");
        // Keys without a default say where a part of this machine is; they are none of a pipeline's.
        for (key, _) in keys.as_object().expect("keys").iter().filter(|(_, value)| !value.is_null()) {
            let shown = [format!("\n{key} = "), format!("\n[{table}.{key}]"), format!("\n# [[{table}.{key}]]")];
            assert!(shown.iter().any(|shown| text.contains(shown)), "`{table}.{key}` is not shown");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} keys");
}
