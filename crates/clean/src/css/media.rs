//! Media queries: which can hold where a page is rendered.
//!
//! Only what is sure is decided: a page on a screen is never printed or read aloud, and prefixed features of other
//! browsers are unknown to the one that renders. All else may hold.

use super::scan;

/// Media types that are no screen, and those that CSS has dropped: no browser matches them.
const OTHER_TYPES: &[&str] =
    &["print", "speech", "aural", "braille", "embossed", "handheld", "projection", "tty", "tv"];

/// Beginnings of features that the rendering browser does not know; a query with one never holds.
const FOREIGN_FEATURES: &[&str] = &["-moz-", "-ms-", "-o-", "min--moz-", "max--moz-"];

/// CSS px of an `em` in media queries: the initial font size.
const EM_PX: f64 = 16.0;

/// When a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Always,
    Sometimes,
    Never,
}

/// When a list of queries holds; `widths` are the viewports that count, in CSS px, all if there are none.
pub(super) fn holds(list: &str, widths: &[u32]) -> Holds {
    let list = list.trim();
    if list.is_empty() {
        return Holds::Always;
    }
    let mut answer = Holds::Never;
    for query in scan::split_commas(list) {
        match query_holds(&query.to_ascii_lowercase(), widths) {
            Holds::Always => return Holds::Always,
            Holds::Sometimes => answer = Holds::Sometimes,
            Holds::Never => {}
        }
    }
    answer
}

fn query_holds(query: &str, widths: &[u32]) -> Holds {
    if query.contains('\\') {
        return Holds::Never; // a hack for old browsers, invalid to others
    }
    let mut words = query.split_ascii_whitespace();
    let (is_negated, kind) = match words.next() {
        Some("not") => (true, words.next()),
        Some("only") => (false, words.next()),
        first => (false, first),
    };
    let kind = kind.unwrap_or_default();
    let by_type = match kind {
        "all" | "screen" => Holds::Always,
        _ if kind.starts_with('(') || kind.contains('(') => Holds::Always,
        _ if OTHER_TYPES.contains(&kind) => Holds::Never,
        _ => Holds::Sometimes,
    };
    let features: Vec<&str> = query.split('(').skip(1).map(|part| part.split(')').next().unwrap_or(part)).collect();
    if features.iter().any(|feature| FOREIGN_FEATURES.iter().any(|name| feature.trim().starts_with(name))) {
        return Holds::Never;
    }
    if is_negated {
        return match by_type {
            Holds::Never => Holds::Always,
            Holds::Always if features.is_empty() => Holds::Never,
            _ => Holds::Sometimes,
        };
    }
    if by_type != Holds::Always || features.is_empty() {
        return by_type;
    }
    let is_plain = !query.contains(" or ") && !query.contains("not ") && query.matches('(').count() == features.len();
    let within = |width: u32| features.iter().all(|feature| width_matches(feature, f64::from(width)) != Some(false));
    if is_plain && !widths.is_empty() && !widths.iter().any(|&width| within(width)) {
        return Holds::Never;
    }
    Holds::Sometimes
}

/// Whether a viewport of that width has the feature; `None` for what is not about the width.
fn width_matches(feature: &str, width: f64) -> Option<bool> {
    let (name, value) = feature.split_once(':')?;
    let value = value.trim();
    let pixels = match value.strip_suffix("px") {
        Some(number) => number.trim().parse::<f64>().ok()?,
        None => value.strip_suffix("rem").or_else(|| value.strip_suffix("em"))?.trim().parse::<f64>().ok()? * EM_PX,
    };
    match name.trim() {
        "min-width" => Some(width >= pixels),
        "max-width" => Some(width <= pixels),
        "width" => Some(width == pixels),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Holds, holds};

    #[test]
    fn only_what_is_sure_is_decided() {
        let check = |list: &str, widths: &[u32], expected: Holds| assert_eq!(holds(list, widths), expected, "{list}");
        check("", &[], Holds::Always);
        check("screen", &[], Holds::Always);
        check("print", &[], Holds::Never);
        check("print, screen", &[], Holds::Always);
        check("not print", &[], Holds::Always);
        check("not screen", &[], Holds::Never);
        check("only screen and (max-width: 600px)", &[], Holds::Sometimes);
        check("screen and (max-width: 600px)", &[1280], Holds::Never);
        check("(min-width: 37.5em)", &[1280], Holds::Sometimes);
        check("(max-width: 600px) or (hover)", &[1280], Holds::Sometimes);
        check("(-ms-high-contrast: none)", &[], Holds::Never);
        check("screen and (min-width:0\\0)", &[], Holds::Never);
        check("(prefers-color-scheme: dark)", &[], Holds::Sometimes);
    }
}
