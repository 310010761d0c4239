//! Byte-level byte-pair encoding: single bytes, and pairs of tokens that were often neighbours in a text.
//!
//! Any text is a sequence of its tokens, because each byte is one. Words are kept apart as Qwen2's tokenizer does,
//! otherwise an engine would never get to use the pairs that span two of them.

use std::collections::BTreeMap;

/// An index into [`Bpe::tokens`]. The first 256 are the bytes.
type Token = usize;

/// A vocabulary.
#[derive(Debug, Clone)]
pub(super) struct Bpe {
    /// The bytes of each token.
    tokens: Vec<Vec<u8>>,
    /// What becomes one token, in this order.
    merges: Vec<Merge>,
}

#[derive(Debug, Clone, Copy)]
struct Merge {
    left: Token,
    right: Token,
    joined: Token,
}

impl Bpe {
    /// Learns the `merge_count` most frequent pairs of a text, each over the text as the ones before have left it.
    ///
    /// # Panics
    /// Where the text has too few pairs that occur twice.
    pub(super) fn train(text: &str, merge_count: usize) -> Self {
        let mut bpe = Self { tokens: (0..=u8::MAX).map(|byte| vec![byte]).collect(), merges: Vec::new() };
        let mut words: Vec<Vec<Token>> = words(text).map(tokens_of_bytes).collect();
        while bpe.merges.len() < merge_count {
            let (left, right) = most_frequent_pair(&words).expect("the text repeats itself often enough");
            let merge = Merge { left, right, joined: bpe.join(left, right) };
            for word in &mut words {
                merge.apply(word);
            }
            bpe.merges.push(merge);
        }
        bpe
    }

    /// The token of two tokens. Another pair may have made it before: "ab" + "c" is "a" + "bc".
    fn join(&mut self, left: Token, right: Token) -> Token {
        let bytes = [self.tokens[left].as_slice(), &self.tokens[right]].concat();
        self.tokens.iter().position(|token| *token == bytes).unwrap_or_else(|| {
            self.tokens.push(bytes);
            self.tokens.len() - 1
        })
    }

    /// The tokens as vocabulary files write them: each byte is a visible character.
    pub(super) fn token_texts(&self) -> Vec<String> {
        self.tokens.iter().map(|bytes| visible(bytes)).collect()
    }

    /// The merges as vocabulary files write them.
    pub(super) fn merge_texts(&self) -> Vec<String> {
        let text = |token: Token| visible(&self.tokens[token]);
        self.merges.iter().map(|merge| format!("{} {}", text(merge.left), text(merge.right))).collect()
    }
}

impl Merge {
    /// Replaces the pair wherever it occurs in a word.
    fn apply(self, word: &mut Vec<Token>) {
        let mut at = 0;
        while at + 1 < word.len() {
            if word[at..at + 2] == [self.left, self.right] {
                word.splice(at..at + 2, [self.joined]);
            }
            at += 1;
        }
    }
}

fn tokens_of_bytes(word: &str) -> Vec<Token> {
    word.bytes().map(Token::from).collect()
}

/// The pair that occurs most often, at least twice; of equal ones the first by number.
fn most_frequent_pair(words: &[Vec<Token>]) -> Option<(Token, Token)> {
    let mut counts = BTreeMap::<_, u32>::new();
    for pair in words.iter().flat_map(|word| word.windows(2)) {
        *counts.entry((pair[0], pair[1])).or_default() += 1;
    }
    let pairs = counts.into_iter().rev().filter(|(_, count)| *count > 1);
    pairs.max_by_key(|(_, count)| *count).map(|(pair, _)| pair)
}

/// Splits a text: letters with what stands before them, single digits, signs with the space before them, white space.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, after) = rest.split_at(word_bytes(rest));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// Length of the first word of a text; 0 where the text is empty.
fn word_bytes(text: &str) -> usize {
    let run = |from: usize, is_part: fn(char) -> bool| {
        let part = &text[from..];
        from + part.find(|c| !is_part(c)).unwrap_or(part.len())
    };
    let is_sign = |c: char| !c.is_whitespace() && !c.is_alphanumeric();
    let Some(first) = text.chars().next() else { return 0 };
    if first.is_numeric() {
        return first.len_utf8();
    }
    let lead = if first.is_alphabetic() || is_line_end(first) { 0 } else { first.len_utf8() };
    let letters_end = run(lead, char::is_alphabetic);
    if letters_end > lead {
        return letters_end;
    }
    let signs_start = usize::from(first == ' ');
    let signs_end = run(signs_start, is_sign);
    if signs_end > signs_start {
        return run(signs_end, is_line_end);
    }
    let end = run(0, char::is_whitespace);
    if let Some(line_end) = text[..end].rfind(is_line_end) {
        return line_end + 1;
    }
    // The last space of an indent belongs to what it stands before.
    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    if end == text.len() || last == 0 { end } else { last }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

fn visible(bytes: &[u8]) -> String {
    bytes.iter().copied().map(visible_byte).collect()
}

/// The character that stands for a byte: itself in Latin-1 if it can be seen there, else one from U+0100 on.
fn visible_byte(byte: u8) -> char {
    let is_visible = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..);
    if is_visible(byte) {
        return char::from(byte);
    }
    let hidden_before = (0..byte).filter(|&other| !is_visible(other)).count() as u32;
    char::from_u32(0x100 + hidden_before).expect("there are 68 such bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn encode(bpe: &Bpe, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        for word in words(text) {
            let mut word = tokens_of_bytes(word);
            for merge in &bpe.merges {
                merge.apply(&mut word);
            }
            tokens.extend(word);
        }
        tokens
    }

    fn decode(bpe: &Bpe, tokens: &[Token]) -> String {
        String::from_utf8(tokens.iter().flat_map(|token| bpe.tokens[*token].clone()).collect()).unwrap()
    }

    #[test]
    fn texts_come_back_and_familiar_ones_are_short() {
        let bpe = Bpe::train("<div>one</div>\n<div>two</div>\n<div>three</div>\n", 4);
        for text in ["", "<div>four</div>", "  \n\n x1 22  ", "Grüße, 世界 🙂\r\n", "a\u{a0}b\0"] {
            assert_eq!(decode(&bpe, &encode(&bpe, text)), text);
        }
        assert!(encode(&bpe, "<div></div>").len() <= 6);
        assert_eq!(encode(&bpe, "世").len(), 3);
    }

    #[test]
    fn frequent_pairs_come_first() {
        let bpe = Bpe::train("ab ab ab abc abc", 2);
        assert_eq!(bpe.merge_texts(), ["a b", "Ġ ab"]);
        assert_eq!(bpe.token_texts()[256..], ["ab", "Ġab"]);
    }

    #[test]
    fn words_are_split_as_engines_split_them() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(
            split("<a href=\"x\">go 16px</a>\n"),
            ["<a", " href", "=\"", "x", "\">", "go", " ", "1", "6", "px", "</", "a", ">\n"]
        );
        assert_eq!(split("{\n\n    <p  \n"), ["{\n\n", "   ", " <", "p", "  \n"]);
        assert_eq!(split("  \n  x  "), ["  \n", " ", " x", "  "]);
    }

    #[test]
    fn every_byte_is_written_differently_and_none_as_space() {
        let texts: BTreeSet<char> = (0..=u8::MAX).map(visible_byte).collect();
        assert_eq!(texts.len(), 256);
        assert!(!texts.iter().any(|c| c.is_whitespace() || c.is_control()));
        assert_eq!(visible(b" a\n"), "ĠaĊ");
    }
}
