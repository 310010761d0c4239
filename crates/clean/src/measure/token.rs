//! A cheap count of tokens.
//!
//! GPT-2's tokenizer first cuts text into words (a run of letters, of digits, of other marks, each with one leading
//! space) and then each word into pieces. We cut the same way and take a piece per started five letters, three digits
//! or two marks, a letter beyond ASCII as half a token; a run of white space longer than one character is one token.
//! No tables, no model; good for ranges and sums, not for budgets to the token.

const LETTERS_PER_TOKEN: usize = 5;
const DIGITS_PER_TOKEN: usize = 3;
const MARKS_PER_TOKEN: usize = 2;
const OTHERS_PER_TOKEN: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Mark,
    Space,
    Other,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' | 'A'..='Z' => Kind::Letter,
        '0'..='9' => Kind::Digit,
        ' ' | '\t' | '\n' | '\r' => Kind::Space,
        c if c.is_ascii() => Kind::Mark,
        _ => Kind::Other,
    }
}

fn tokens_of_run(kind: Kind, chars: usize) -> usize {
    match kind {
        Kind::Letter => chars.div_ceil(LETTERS_PER_TOKEN),
        Kind::Digit => chars.div_ceil(DIGITS_PER_TOKEN),
        Kind::Mark => chars.div_ceil(MARKS_PER_TOKEN),
        Kind::Other => chars.div_ceil(OTHERS_PER_TOKEN),
        // One space belongs to the word after it.
        Kind::Space => usize::from(chars > 1),
    }
}

/// About how many GPT-2 tokens the text has.
pub(super) fn count(text: &str) -> usize {
    let mut total = 0;
    let mut run: Option<(Kind, usize)> = None;
    for kind in text.chars().map(kind) {
        run = match run {
            Some((current, chars)) if current == kind => Some((current, chars + 1)),
            Some((current, chars)) => {
                total += tokens_of_run(current, chars);
                Some((kind, 1))
            }
            None => Some((kind, 1)),
        };
    }
    total + run.map_or(0, |(kind, chars)| tokens_of_run(kind, chars))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn words_marks_and_spaces() {
        let check = |text: &str, expected: usize| assert_eq!(count(text), expected, "{text:?}");
        check("", 0);
        check("a b", 2);
        check("hello, world", 3);
        check("\n    x", 2);
        check("2024px", 3);
    }
}
