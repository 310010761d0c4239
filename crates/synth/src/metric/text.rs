//! How alike two short texts are.

use std::collections::HashMap;

/// Ratcliff and Obershelp's ratio: twice the characters in common, by longest common runs, over all characters; 0 to 1. What
/// Python's `difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()` gives.
pub fn ratio(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut places: HashMap<char, Vec<usize>> = HashMap::new();
    for (index, letter) in b.iter().enumerate() {
        places.entry(*letter).or_default().push(index);
    }
    let mut common = 0;
    let mut open = vec![(0, a.len(), 0, b.len())];
    while let Some((a_from, a_to, b_from, b_to)) = open.pop() {
        let (at_a, at_b, length) = longest_run(&a[..a_to], a_from, &places, b_from, b_to);
        if length > 0 {
            common += length;
            open.push((a_from, at_a, b_from, at_b));
            open.push((at_a + length, a_to, at_b + length, b_to));
        }
    }
    2.0 * common as f64 / (a.len() + b.len()) as f64
}

/// The longest common run, the earliest of equals.
fn longest_run(
    a: &[char],
    a_from: usize,
    places: &HashMap<char, Vec<usize>>,
    b_from: usize,
    b_to: usize,
) -> (usize, usize, usize) {
    let mut best = (a_from, b_from, 0);
    let mut runs: HashMap<usize, usize> = HashMap::new();
    for (i, letter) in a.iter().enumerate().skip(a_from) {
        let mut next = HashMap::new();
        for &j in places.get(letter).into_iter().flatten().filter(|&&j| j >= b_from && j < b_to) {
            let before = j.checked_sub(1).and_then(|j| runs.get(&j)).copied().unwrap_or(0);
            let run = before + 1;
            next.insert(j, run);
            if run > best.2 {
                best = (i + 1 - run, j + 1 - run, run);
            }
        }
        runs = next;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::ratio;

    /// Values of Python's `difflib`.
    #[test]
    fn agrees_with_difflib() {
        for (a, b, expected) in [
            ("", "", 1.0),
            ("abc", "abc", 1.0),
            ("abcd", "bcde", 0.75),
            ("private Thread currentThread;", "private volatile Thread currentThread;", 0.865_671_641_791_044_8),
            ("Contact us", "Contact", 14.0 / 17.0),
            ("abc", "xyz", 0.0),
            ("Größe", "Grösse", 0.727_272_727_272_727_3),
        ] {
            assert!((ratio(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}: {}", ratio(a, b));
        }
    }
}
