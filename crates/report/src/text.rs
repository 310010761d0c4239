//! Numbers and hostile words as text for people.
//!
//! Markup is escaped by the HTML writer. Here is what escaping does not cover: characters that make a reader see
//! another text than stands there, and texts without end.

/// Most characters of a title, URL or detail that are shown: two lines of a wide window. Nobody reads further.
pub(crate) const SHOWN_CHARS_MAX: usize = 300;

/// The text on one line, without control characters, and cut at [`SHOWN_CHARS_MAX`].
///
/// Bidirectional embeddings, overrides and isolates turn a text around far beyond where they stand (`gpj.exe` reads
/// `exe.jpg`), so each is shown as the sign for something unreadable.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for (count, char) in text.trim().chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            shown.push('…');
            break;
        }
        shown.push(match char {
            '\t' | '\n' | '\r' => ' ',
            char if char.is_control() || turns_text_around(char) || is_noncharacter(char) => {
                char::REPLACEMENT_CHARACTER
            }
            char => char,
        });
    }
    shown
}

const fn turns_text_around(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Parse errors in HTML, even where they are harmless.
const fn is_noncharacter(char: char) -> bool {
    matches!(char, '\u{fdd0}'..='\u{fdef}') || char as u32 & 0xfffe == 0xfffe
}

/// A count with a thin space between thousands: `12 345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len() - index;
        if index > 0 && left.is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `count` and its noun: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A measured number, as short as it can be said: `0.42`, `3.5k`, `12M`.
pub(crate) fn short(number: f64) -> String {
    const STEPS: [(f64, &str); 3] = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let digits = |value: f64| {
        let places = if value.abs() >= 100.0 { 0 } else { usize::from(value.abs() >= 1.0) };
        let places = if value.abs() < 1.0 { 2 } else { places };
        let text = format!("{value:.places$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    let step = STEPS.iter().find(|(size, _)| number.abs() >= *size);
    step.map_or_else(|| digits(number), |(size, suffix)| format!("{}{suffix}", digits(number / size)))
}

/// A size in decimal units: `1.5 MB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let value = number as f64;
    let unit = UNITS.iter().find(|(size, _)| value >= *size);
    unit.map_or_else(|| format!("{number} B"), |(size, unit)| format!("{:.1} {unit}", value / size))
}

/// A duration: `850 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..=59 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// `part` of `whole` in per cent: `12.3 %`, `< 0.1 %`.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    let tiny = part > 0 && percent < 0.05;
    if tiny { "< 0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_the_web_are_made_harmless() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected);
        check(" two\n lines\t", "two  lines");
        check("photo\u{202e}gpj.exe", "photo\u{fffd}gpj.exe");
        check("a\u{2067}b\u{0}c\u{7f}", "a\u{fffd}b\u{fffd}c\u{fffd}");
        check("שלום", "שלום");
        assert_eq!(plain(&"é".repeat(5000)).chars().count(), SHOWN_CHARS_MAX + 1);
    }

    #[test]
    fn numbers_are_short_and_grouped() {
        let check = |text: String, expected: &str| assert_eq!(text, expected);
        check(count(0), "0");
        check(count(123), "123");
        check(count(1_234_567), "1\u{202f}234\u{202f}567");
        check(short(0.4249), "0.42");
        check(short(0.0), "0");
        check(short(5.0), "5");
        check(short(150.0), "150");
        check(short(1500.0), "1.5k");
        check(short(20_000.0), "20k");
        check(bytes(999), "999 B");
        check(bytes(1_550_000), "1.6 MB");
        check(duration(850), "850 ms");
        check(duration(12_340), "12.3 s");
        check(duration(245_000), "4 min 05 s");
        check(duration(7_620_000), "2 h 07 min");
        check(share(1, 8), "12.5 %");
        check(share(1, 100_000), "< 0.1 %");
        check(share(0, 0), "–");
    }
}
