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
