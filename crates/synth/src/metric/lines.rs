//! How many lines of code two texts share.

use std::collections::HashMap;

/// Jaccard index of the multisets of lines, 0 to 1; white space at the ends of a line is ignored, empty lines are left out.
/// Two texts without lines are the same.
pub fn line_jaccard(a: &str, b: &str) -> f64 {
    let count = |text: &'_ str| {
        let mut lines: HashMap<String, usize> = HashMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
        lines
    };
    let (of_a, of_b) = (count(a), count(b));
    let shared: usize = of_a.iter().map(|(line, count)| of_b.get(line).map_or(0, |other| *count.min(other))).sum();
    let total: usize = of_a.values().sum::<usize>() + of_b.values().sum::<usize>() - shared;
    if total == 0 { 1.0 } else { shared as f64 / total as f64 }
}

#[cfg(test)]
mod tests {
    use super::line_jaccard;

    #[test]
    fn shares_of_lines() {
        for (a, b, expected) in [
            ("", "", 1.0),
            ("a\nb", "a\nb\n", 1.0),
            ("a\nb", "  b\n\na", 1.0),
            ("a\nb\nc", "a\nx\nc", 0.5),
            ("a\na", "a", 0.5),
            ("a", "b", 0.0),
        ] {
            assert_eq!(line_jaccard(a, b), expected, "{a:?} {b:?}");
        }
    }
}
