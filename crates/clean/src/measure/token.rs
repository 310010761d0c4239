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
    /// A further byte of a character beyond ASCII.
    Continuation,
}

/// The kind of each byte: the text is long, and a look is cheaper than a decision.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Kind::Letter,
            b'0'..=b'9' => Kind::Digit,
            b' ' | b'\t' | b'\n' | b'\r' => Kind::Space,
            0x80..=0xBF => Kind::Continuation,
            0xC0..=0xFF => Kind::Other,
            _ => Kind::Mark,
        };
        byte += 1;
    }
    kinds
};

fn tokens_of_run(kind: Kind, chars: usize) -> usize {
    match kind {
        Kind::Letter => chars.div_ceil(LETTERS_PER_TOKEN),
        Kind::Digit => chars.div_ceil(DIGITS_PER_TOKEN),
        Kind::Mark => chars.div_ceil(MARKS_PER_TOKEN),
        Kind::Other => chars.div_ceil(OTHERS_PER_TOKEN),
        // One space belongs to the word after it.
        Kind::Space => usize::from(chars > 1),
        Kind::Continuation => 0,
    }
}

/// About how many GPT-2 tokens the text has.
pub(super) fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut total, mut at) = (0, 0);
    while at < bytes.len() {
        let kind = KINDS[usize::from(bytes[at])];
        let (mut end, mut chars) = (at + 1, 1);
        while end < bytes.len() {
            match KINDS[usize::from(bytes[end])] {
                Kind::Continuation => {}
                next if next == kind => chars += 1,
                _ => break,
            }
            end += 1;
        }
        total += tokens_of_run(kind, chars);
        at = end;
    }
    total
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
