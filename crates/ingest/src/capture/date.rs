//! `WARC-Date` in the forms that are found.

/// Normalises a date to RFC 3339: `2013-02` and `20130202100000` become whole, fractions and offsets stay. `None` when it
/// is no date.
pub fn rfc3339(text: &str) -> Option<String> {
    let text = text.trim();
    let is_compact = text.len() >= 8 && text.bytes().take(8).all(|b| b.is_ascii_digit());
    if is_compact { compact(text) } else { extended(text) }
}

/// `20130202100000`, as ARC files and some writers have it; shorter ones lack the time.
fn compact(text: &str) -> Option<String> {
    if text.len() > 14 || !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| text.get(at..at + 2).unwrap_or("00");
    format_checked(&text[..4], part(4), part(6), [part(8), part(10), part(12)], "", "Z")
}

/// `2013-02-02T10:00:00.123Z` and its shorter forms.
fn extended(text: &str) -> Option<String> {
    let (date, time) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let mut days = date.split('-');
    let (year, month, day) = (days.next()?, days.next().unwrap_or("01"), days.next().unwrap_or("01"));
    if days.next().is_some() {
        return None;
    }
    let zone_at = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut units = clock.split(':').filter(|unit| !unit.is_empty());
    let mut unit = || units.next().unwrap_or("00");
    let clock = [unit(), unit(), unit()];
    let zone = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => "Z".to_owned(),
        [_, _, _, b':', _, _] => zone.to_owned(),
        [_, _, _, _, _] => format!("{}:{}", zone.get(..3)?, zone.get(3..)?),
        _ => return None,
    };
    let zone_digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    if zone != "Z" && zone_digits.len() != 4 {
        return None;
    }
    format_checked(year, month, day, clock, fraction, &zone)
}

fn format_checked(
    year: &str,
    month: &str,
    day: &str,
    [hour, minute, second]: [&str; 3],
    fraction: &str,
    zone: &str,
) -> Option<String> {
    let is_number = |text: &str, digits: usize, range: std::ops::RangeInclusive<u32>| {
        let is_digits = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        is_digits && text.parse().is_ok_and(|number| range.contains(&number))
    };
    let days = match month {
        "02" => 29,
        "04" | "06" | "09" | "11" => 30,
        _ => 31,
    };
    let is_date = is_number(year, 4, 1..=9999) && is_number(month, 2, 1..=12) && is_number(day, 2, 1..=days);
    let is_time = is_number(hour, 2, 0..=23) && is_number(minute, 2, 0..=59) && is_number(second, 2, 0..=60);
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|b| b.is_ascii_digit());
    let dot = if fraction.is_empty() { "" } else { "." };
    (is_date && is_time && is_fraction)
        .then(|| format!("{year}-{month}-{day}T{hour}:{minute}:{second}{dot}{fraction}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn dates_become_whole() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(rfc3339(text).as_deref(), expected, "{text}");
        };
        check("2024-05-18T01:58:10Z", Some("2024-05-18T01:58:10Z"));
        check("2018-11-02T18:55:11.123456Z", Some("2018-11-02T18:55:11.123456Z"));
        check("2008-10-24T05:21:46-0700", Some("2008-10-24T05:21:46-07:00"));
        check("2008-10-294T05:21:46-0700", None);
        check("20080430204825", Some("2008-04-30T20:48:25Z"));
        check("2013", Some("2013-01-01T00:00:00Z"));
        check("2013-02", Some("2013-02-01T00:00:00Z"));
        check("2013-02-02", Some("2013-02-02T00:00:00Z"));
        check("2013-02-02T10:00Z", Some("2013-02-02T10:00:00Z"));
        check("2013-02-30T10:00:00Z", None);
        check("yesterday", None);
        check("", None);
        check("2013-02-02T10:00:00\u{e9}", None);
    }
}
