//! How alike two texts are, to the digit as Python's `difflib` has it: published numbers are made with that.
//!
//! Ratcliff and Metzener, "Pattern Matching: The Gestalt Approach", 1988, after Ratcliff and Obershelp: the longest common
//! run, then the same left and right of it.

use std::collections::HashMap;

/// From this length on, letters of the second text that occur too often begin no run (`difflib`'s `autojunk`).
const COMMON_FROM: usize = 200;

/// Twice the characters in common, by longest common runs, over all characters; 0 to 1, and 1 for two empty texts. What
/// Python's `difflib.SequenceMatcher(None, a, b).ratio()` gives, its heuristic for long texts included. Not symmetric.
pub fn ratio(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let places = places(&b);
    let mut texts = Texts {
        hits: a.iter().map(|letter| places.get(letter).map_or(&[][..], Vec::as_slice)).collect(),
        runs: vec![0; b.len() + 1],
        next: vec![0; b.len() + 1],
        a: &a,
        b: &b,
    };
    let mut common = 0;
    let mut open = vec![Part { a: (0, a.len()), b: (0, b.len()) }];
    while let Some(part) = open.pop() {
        let (at_a, at_b, length) = texts.longest_run(&part);
        if length > 0 {
            common += length;
            open.push(Part { a: (part.a.0, at_a), b: (part.b.0, at_b) });
            open.push(Part { a: (at_a + length, part.a.1), b: (at_b + length, part.b.1) });
        }
    }
    2.0 * common as f64 / (a.len() + b.len()) as f64
}

/// Where each letter of a text stands, without the letters that make up more than a hundredth of a long one.
fn places(text: &[char]) -> HashMap<char, Vec<usize>> {
    let mut places: HashMap<char, Vec<usize>> = HashMap::new();
    for (index, letter) in text.iter().enumerate() {
        places.entry(*letter).or_default().push(index);
    }
    if text.len() >= COMMON_FROM {
        let most = text.len() / 100 + 1;
        places.retain(|_, places| places.len() <= most);
    }
    places
}

/// What lies between two runs: from and to, in both texts.
struct Part {
    a: (usize, usize),
    b: (usize, usize),
}

/// Two texts, and room for one row of the table of runs that end at a letter of each.
struct Texts<'t> {
    a: &'t [char],
    b: &'t [char],
    /// Where each letter of `a` stands in `b`.
    hits: Vec<&'t [usize]>,
    /// Length of the run that ends before a place of `b`, at the last letter of `a`; all 0 between two calls.
    runs: Vec<usize>,
    next: Vec<usize>,
}

impl Texts<'_> {
    /// The longest common run of a part, the earliest of equals: where it begins in both texts, and its length.
    fn longest_run(&mut self, part: &Part) -> (usize, usize, usize) {
        let ((a_from, a_to), (b_from, b_to)) = (part.a, part.b);
        let mut best = (a_from, b_from, 0);
        let mut before: &[usize] = &[];
        for i in a_from..a_to {
            let hits = self.hits[i];
            let hits = &hits[hits.partition_point(|&j| j < b_from)..hits.partition_point(|&j| j < b_to)];
            for &j in hits {
                let run = self.runs[j] + 1;
                self.next[j + 1] = run;
                if run > best.2 {
                    best = (i + 1 - run, j + 1 - run, run);
                }
            }
            clear(&mut self.runs, before);
            std::mem::swap(&mut self.runs, &mut self.next);
            before = hits;
        }
        clear(&mut self.runs, before);
        self.grown(best, part)
    }

    /// A run with equal letters at both its ends, which the search passed over when they are common.
    fn grown(&self, (mut at_a, mut at_b, mut length): (usize, usize, usize), part: &Part) -> (usize, usize, usize) {
        while at_a > part.a.0 && at_b > part.b.0 && self.a[at_a - 1] == self.b[at_b - 1] {
            (at_a, at_b, length) = (at_a - 1, at_b - 1, length + 1);
        }
        let behind = |length| at_a + length < part.a.1 && at_b + length < part.b.1;
        while behind(length) && self.a[at_a + length] == self.b[at_b + length] {
            length += 1;
        }
        (at_a, at_b, length)
    }
}

/// Only the places that a row has used: most letters stand at few.
fn clear(runs: &mut [usize], hits: &[usize]) {
    for &j in hits {
        runs[j + 1] = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::ratio;

    fn check(a: &str, b: &str, expected: f64) {
        assert!((ratio(a, b) - expected).abs() < 1e-12, "{a:?} {b:?}: {}, expected is {expected}", ratio(a, b));
    }

    #[test]
    fn by_hand() {
        check("", "", 1.0);
        check("", "abc", 0.0);
        check("abcd", "bcde", 0.75);
        check("Contact us", "Contact", 14.0 / 17.0);
        check("abc", "xyz", 0.0);
        // Common letters begin no run in a long text, other than at the begin of a part.
        check(&format!("b{}", "a".repeat(199)), &format!("c{}", "a".repeat(198)), 2.0 * 198.0 / 399.0);
        check(&format!("b{}", "a".repeat(199)), &format!("c{}", "a".repeat(199)), 0.0);
        // What is the same has everything in common, whatever its letters.
        check(&"a".repeat(500), &"a".repeat(500), 1.0);
        check(&format!("{}b", "a".repeat(500)), &format!("{}c", "a".repeat(500)), 1000.0 / 1002.0);
    }

    /// Against what `tests/python/text_ratio.py` wrote with Python's `difflib`.
    #[test]
    fn agrees_with_difflib() {
        let pairs: Vec<(String, String, f64)> =
            serde_json::from_str(include_str!("data/ratios.json")).expect("pairs with their ratio");
        assert!(pairs.len() >= 30);
        for (a, b, expected) in pairs {
            check(&a, &b, expected);
        }
    }
}
