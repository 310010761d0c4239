//! The entries of a zip, as far as a WACZ needs them.
//!
//! A WACZ is a zip whose `archive/` folder holds WARC files, mostly stored as they are. Its entries are read in the order of
//! the file, so that it streams like any other archive and a record's offset is its place in the zip.

/// Longest header of an entry: fixed fields, a name and an extra field of 64 KiB each.
pub(super) const HEADER_BYTES_MAX: usize = FIXED_BYTES + 2 * 0xffff;
/// Bytes of a header before the name.
const FIXED_BYTES: usize = 30;

const ENTRY: &[u8] = b"PK\x03\x04";
const DIRECTORY: &[u8] = b"PK\x01\x02";
const EMPTY: &[u8] = b"PK\x05\x06";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// Sizes stand behind the data, not in the header.
const SIZES_BEHIND: u16 = 1 << 3;
/// Number of the extra field with sizes of 64 bits.
const EXTRA_ZIP64: u16 = 1;

/// What stands at a place between the data of two entries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A file.
    Entry(Entry),
    /// Sizes of the entry before.
    Descriptor,
    /// The directory at the end: nothing follows.
    Directory,
}

/// A file in the zip.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Bytes before its data.
    pub(super) header_bytes: usize,
    /// Bytes of its data, where the header says so.
    pub(super) packed_bytes: Option<u64>,
    /// Stored, deflated, or something else.
    pub(super) method: Method,
    /// It is a WARC or ARC file, by its name.
    pub(super) is_archive: bool,
}

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Other,
}

/// Whether a file that starts with `bytes` is a zip.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    [ENTRY, EMPTY].iter().any(|magic| bytes.starts_with(magic))
}

/// What starts `bytes`, which has a whole header.
pub(super) fn part(bytes: &[u8]) -> Option<Part> {
    if bytes.starts_with(DESCRIPTOR) {
        return Some(Part::Descriptor);
    }
    let is_end = [DIRECTORY, EMPTY, b"PK\x06\x06"].iter().any(|magic| bytes.starts_with(magic));
    if is_end { Some(Part::Directory) } else { entry(bytes).map(Part::Entry) }
}

/// Where the next part starts that is no descriptor.
pub(super) fn find_part(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b"PK").find(|at| {
        let rest = &bytes[*at..];
        rest.starts_with(DIRECTORY) || entry(rest).is_some()
    })
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    let number = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    if !bytes.starts_with(ENTRY) {
        return None;
    }
    let (flags, method, packed) = (number(6)?, number(8)?, long(18)?);
    let (name_bytes, extra_bytes) = (usize::from(number(26)?), usize::from(number(28)?));
    let name = bytes.get(FIXED_BYTES..FIXED_BYTES + name_bytes)?;
    let header_bytes = FIXED_BYTES + name_bytes + extra_bytes;
    let extra = bytes.get(FIXED_BYTES + name_bytes..header_bytes)?;
    let packed_bytes = match packed {
        u32::MAX => long_size(extra),
        0 if flags & SIZES_BEHIND != 0 => None,
        packed => Some(u64::from(packed)),
    };
    let method = match method {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => Method::Other,
    };
    Some(Entry { header_bytes, packed_bytes, method, is_archive: is_archive(name) })
}

/// The packed size in the extra field of a large entry: behind the unpacked one.
fn long_size(mut extra: &[u8]) -> Option<u64> {
    loop {
        let (head, rest) = extra.split_first_chunk::<4>()?;
        let bytes = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let content = rest.get(..bytes)?;
        if u16::from_le_bytes([head[0], head[1]]) == EXTRA_ZIP64 {
            return Some(u64::from_le_bytes(*content.get(8..)?.first_chunk()?));
        }
        extra = &rest[bytes..];
    }
}

fn is_archive(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let endings: [&[u8]; 6] = [b".warc", b".warc.gz", b".warc.zst", b".warc.lz4", b".arc", b".arc.gz"];
    endings.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(flags: u16, method: u16, packed: u32, name: &str, extra: &[u8]) -> Vec<u8> {
        let mut bytes = ENTRY.to_vec();
        bytes.extend_from_slice(&[20, 0]);
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(&method.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&packed.to_le_bytes());
        bytes.extend_from_slice(&packed.to_le_bytes());
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(extra);
        bytes
    }

    #[test]
    fn entries_say_what_they_are() {
        let check = |bytes: Vec<u8>, packed_bytes, method, is_archive| {
            let expected = Entry { header_bytes: bytes.len(), packed_bytes, method, is_archive };
            assert_eq!(part(&bytes), Some(Part::Entry(expected)));
        };
        check(header(0, 0, 7, "archive/a.warc.gz", b""), Some(7), Method::Stored, true);
        check(header(0, 8, 7, "pages/pages.jsonl", b"\x55\x54\0\0"), Some(7), Method::Deflated, false);
        check(header(SIZES_BEHIND, 8, 0, "A.WARC", b""), None, Method::Deflated, true);
        let sizes = [&[9, 0, 1, 0, 0][..], &[1, 0, 16, 0], &9_u64.to_le_bytes(), &(1_u64 << 33).to_le_bytes()].concat();
        check(header(0, 0, u32::MAX, "a.arc", &sizes), Some(1 << 33), Method::Stored, true);
    }

    #[test]
    fn what_is_no_part_is_none() {
        let whole = header(0, 0, 7, "a.warc", b"");
        assert_eq!(part(&whole[..whole.len() - 1]), None);
        assert_eq!(part(b"PK is a word"), None);
        assert_eq!(part(b"PK\x01\x02"), Some(Part::Directory));
        assert_eq!(find_part(&[&b"PK data PK\x03\x04 "[..], &whole].concat()), Some(13));
    }
}
