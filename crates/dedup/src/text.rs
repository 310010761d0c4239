//! What a page says, in 256 bytes.
//!
//! MinHash over runs of three words: two texts share about as many of their 128 minima as they share runs. Numbers count as
//! one word whatever they are, for dates and prices change while a page stays the same. Pairs that may be alike are
//! found by bands: runs of four minima that are equal.

use crate::scan::{Piece, pieces};

/// Minima. The share they estimate is off by 0.04 (one standard deviation), a quarter of the gap between
/// near-duplicates and look-alikes.
const MINIMA: usize = 128;
/// Minima of a band. Texts that share 0.65 of their runs have a band in common in 998 of 1,000 cases.
const BAND: usize = 4;
/// Words of a run.
const RUN: usize = 3;
/// A text of fewer words says nothing about the page.
pub const WORDS_MIN: u32 = 24;

/// A text's sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextSketch {
    words: u32,
    minima: [u16; MINIMA],
}

impl TextSketch {
    /// Bytes of the written form.
    pub(crate) const BYTES: usize = 4 + MINIMA * 2;

    /// The sketch of a page's visible text.
    pub fn of_page(html: &str) -> Self {
        let texts = pieces(html).filter_map(|piece| match piece {
            Piece::Text(text) | Piece::Raw { name: "textarea", content: text } => Some(text),
            _ => None,
        });
        Self::of_texts(texts)
    }

    /// The sketch of several texts, one after the other.
    pub fn of_texts<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut lowest = [u32::MAX; MINIMA];
        let mut last = [0u64; RUN];
        let mut count = 0u32;
        let mut add = |run: &[u64]| {
            let run = run.iter().fold(FNV_BASIS, |all, word| mix(all ^ word));
            let run = (run ^ (run >> 32)) as u32;
            for (slot, index) in lowest.iter_mut().zip(0u32..) {
                *slot = (*slot).min(scramble(run ^ index.wrapping_mul(0x9e37_79b9)));
            }
        };
        for text in texts {
            for_each_word(text, &mut |word| {
                last.rotate_left(1);
                last[RUN - 1] = word;
                count = count.saturating_add(1);
                if count as usize >= RUN {
                    add(&last);
                }
            });
        }
        if (1..RUN).contains(&(count as usize)) {
            add(&last);
        }
        // Minima of many runs are all small numbers; mixed once more, their low bits tell them apart.
        Self { words: count, minima: lowest.map(|lowest| scramble(lowest) as u16) }
    }

    /// Words of the text.
    pub fn words(&self) -> u32 {
        self.words
    }

    /// Whether the text is long enough to say what the page is.
    pub fn is_telling(&self) -> bool {
        self.words >= WORDS_MIN
    }

    /// About the share of runs of words that the two have in common, of all they have.
    pub fn similarity(&self, other: &Self) -> f64 {
        let equal = self.minima.iter().zip(&other.minima).filter(|(a, b)| a == b).count();
        equal as f64 / MINIMA as f64
    }

    /// Keys, at least one of which similar texts share; keys of different bands never meet.
    pub fn bands(&self) -> impl Iterator<Item = u64> + '_ {
        self.minima.chunks(BAND).zip(1u64..).map(|(band, number)| {
            band.iter().fold(FNV_BASIS ^ (number << 32), |all, &minimum| mix(all ^ u64::from(minimum)))
        })
    }

    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.words.to_le_bytes());
        bytes.extend(self.minima.iter().flat_map(|minimum| minimum.to_le_bytes()));
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (words, minima) = bytes.split_first_chunk::<4>()?;
        let (minima, rest) = minima.as_chunks::<2>();
        let minima: [[u8; 2]; MINIMA] = minima.try_into().ok()?;
        rest.is_empty().then(|| Self { words: u32::from_le_bytes(*words), minima: minima.map(u16::from_le_bytes) })
    }
}

pub(crate) const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a, one byte on.
pub(crate) fn add_byte(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
}

/// The finaliser of SplitMix64: every bit takes part in every other.
pub(crate) fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The finaliser of Murmur3 in 32 bits: a permutation of all numbers.
fn scramble(number: u32) -> u32 {
    let number = (number ^ (number >> 16)).wrapping_mul(0x85eb_ca6b);
    let number = (number ^ (number >> 13)).wrapping_mul(0xc2b2_ae35);
    number ^ (number >> 16)
}

/// Calls `visit` with the hash of each word: letters in lower case, a number as one word whatever it is, and characters
/// of scripts that put no spaces between words one by one.
fn for_each_word(text: &str, visit: &mut dyn FnMut(u64)) {
    let mut word = None;
    for c in text.chars() {
        let is_dense = matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3ffff}');
        if is_dense || !c.is_alphanumeric() {
            if let Some(word) = word.take() {
                visit(word);
            }
            if is_dense {
                visit(mix(u64::from(u32::from(c))));
            }
            continue;
        }
        let hash = word.unwrap_or(FNV_BASIS);
        if c.is_numeric() {
            // The mark of a number, once however many digits.
            word = Some(if hash & 0xff == 0x30 { hash } else { add_byte(hash, 0) & !0xff | 0x30 });
            continue;
        }
        word = Some(c.to_lowercase().fold(hash, |hash, c| {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().fold(hash, add_byte)
        }));
    }
    if let Some(word) = word {
        visit(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(text: &str) -> TextSketch {
        TextSketch::of_texts(std::iter::once(text))
    }

    /// A text of `count` words, of which every `step`-th is another one than in the text of step 0.
    fn words(count: usize, step: usize) -> String {
        let word =
            |n: usize| if step > 0 && n.is_multiple_of(step) { format!("other{}x", letters(n)) } else { letters(n) };
        (0..count).map(word).collect::<Vec<_>>().join(" ")
    }

    fn letters(n: usize) -> String {
        (0..4).map(|place| char::from(b'a' + (n / 26usize.pow(place) % 26) as u8)).collect()
    }

    #[test]
    fn similarity_estimates_the_shared_runs() {
        let base = sketch(&words(600, 0));
        assert_eq!(base.similarity(&base), 1.0);
        // One word in 30 changes three runs in 30: (27/30) / (33/30) = 0.82 are shared.
        let near = base.similarity(&sketch(&words(600, 30)));
        assert!((near - 0.82).abs() < 0.12, "{near}");
        // One in 6: 3/6 of the runs, 0.33 of all.
        let far = base.similarity(&sketch(&words(600, 6)));
        assert!((far - 0.33).abs() < 0.12, "{far}");
    }

    #[test]
    fn case_numbers_and_punctuation_do_not_count() {
        assert_eq!(sketch("On 3 May 2024, 17 people").minima, sketch("on 12 may 1999 -- 5 PEOPLE").minima);
        assert_ne!(sketch("on the third of May").minima, sketch("on the fourth of May").minima);
        assert_eq!(sketch("日本語").words(), 3);
        assert_eq!(sketch("").words(), 0);
    }

    #[test]
    fn only_visible_text_counts() {
        let page = "<title>t</title><style>a{}</style><p>one two <b>three</b></p><script>x y</script>";
        assert_eq!(TextSketch::of_page(page), TextSketch::of_texts(["one two ", "three"].into_iter()));
    }

    #[test]
    fn similar_texts_share_a_band() {
        let (a, b) = (sketch(&words(500, 0)), sketch(&words(500, 25)));
        assert!(a.bands().zip(b.bands()).any(|(a, b)| a == b));
        let other = sketch(&words(500, 1));
        assert!(a.bands().zip(other.bands()).all(|(a, b)| a != b));
    }

    #[test]
    fn a_sketch_survives_its_bytes() {
        let mut bytes = Vec::new();
        sketch("a b c d").write(&mut bytes);
        assert_eq!(bytes.len(), TextSketch::BYTES);
        assert_eq!(TextSketch::read(&bytes), Some(sketch("a b c d")));
        assert_eq!(TextSketch::read(&bytes[1..]), None);
    }
}
