//! The chunked transfer coding.

/// Undoes chunks. `None` when `body` does not start with a chunk: crawlers store bodies with the chunks undone and the
/// header left as it was. The flag says that it ends before the last chunk, or that a chunk is broken.
pub(super) fn undo(body: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut payload = Vec::with_capacity(body.len());
    let (mut size, mut at) = chunk_start(body, 0)?;
    loop {
        if size == 0 {
            return Some((payload, false));
        }
        let end = at.saturating_add(size).min(body.len());
        payload.extend_from_slice(&body[at..end]);
        let is_whole = end - at == size;
        let behind = match &body[end..] {
            [b'\r', b'\n', ..] => end + 2,
            [b'\n', ..] => end + 1,
            _ => return Some((payload, true)),
        };
        match chunk_start(body, behind) {
            Some(next) if is_whole => (size, at) = next,
            _ => return Some((payload, true)),
        }
    }
}

/// Size of the chunk whose size line is at `at`, and where its data starts. Extensions are ignored.
fn chunk_start(body: &[u8], at: usize) -> Option<(usize, usize)> {
    const SIZE_LINE_BYTES_MAX: usize = 1024;
    let rest = &body[at..];
    let line_end = rest.iter().take(SIZE_LINE_BYTES_MAX).position(|b| *b == b'\n')?;
    let line = rest[..line_end].trim_ascii();
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let is_size = digits > 0 && matches!(line[digits..].trim_ascii_start(), [] | [b';', ..]);
    if !is_size {
        return None;
    }
    let size = usize::from_str_radix(std::str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
    Some((size, at + line_end + 1))
}

#[cfg(test)]
mod tests {
    use super::undo;

    #[test]
    fn chunks_are_undone_or_left() {
        let check = |body: &str, expected: Option<(&str, bool)>| {
            let expected = expected.map(|(text, cut)| (text.as_bytes().to_vec(), cut));
            assert_eq!(undo(body.as_bytes()), expected, "{body:?}");
        };
        check("3\r\nabc\r\n0\r\n\r\n", Some(("abc", false)));
        check("003;x=y\r\nabc\r\n1 \r\nd\r\n0\r\nTrailer: x\r\n\r\n", Some(("abcd", false)));
        check("3\nabc\n0\n\n", Some(("abc", false)));
        check("3\r\nabc\r\n", Some(("abc", true)));
        check("5\r\nabc", Some(("abc", true)));
        check("3\r\nabc\r\nzz\r\n", Some(("abc", true)));
        check("ffffffffffffffff\r\nabc", Some(("abc", true)));
        check("<html>", None);
        check("", None);
        check("face the facts\r\n", None);
    }
}
