//! One value of one row.
//!
//! Getters make cells, spools hold them as bytes, builders turn either into Arrow columns and readers turn columns back
//! into cells. So a schema is one table of getters, and everything else works on cells.

use std::borrow::Cow;
use std::io::{self, Write};

/// A value of any column type, borrowed from its row where it can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    /// The elements of a list, or the fields of a struct in their order.
    Many(Vec<Cell<'a>>),
}

impl<'a> Cell<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    pub(crate) fn bytes(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }

    /// Offsets and sizes; those beyond 2^63 do not exist.
    pub(crate) fn count(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(crate) fn opt<T>(value: Option<T>, to_cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Null, to_cell)
    }

    /// Bytes that the value takes in memory and, near enough, in an uncompressed column.
    pub(crate) fn size_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int(_) | Self::Float(_) => 8,
            Self::Text(text) => text.len() + 4,
            Self::Bytes(bytes) => bytes.len() + 4,
            Self::Many(cells) => 4 + cells.iter().map(Cell::size_bytes).sum::<usize>(),
        }
    }

    /// Writes the value to `out`: a tag byte, then fixed-width numbers or length-prefixed bytes, little endian.
    pub(crate) fn encode(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Null => out.write_all(&[0]),
            Self::Bool(false) => out.write_all(&[1]),
            Self::Bool(true) => out.write_all(&[2]),
            Self::Int(number) => out.write_all(&tagged(3, number.to_le_bytes())),
            Self::Float(number) => out.write_all(&tagged(4, number.to_bits().to_le_bytes())),
            Self::Text(text) => {
                out.write_all(&tagged(5, (text.len() as u64).to_le_bytes()))?;
                out.write_all(text.as_bytes())
            }
            Self::Bytes(bytes) => {
                out.write_all(&tagged(6, (bytes.len() as u64).to_le_bytes()))?;
                out.write_all(bytes)
            }
            Self::Many(cells) => {
                out.write_all(&tagged(7, (cells.len() as u64).to_le_bytes()))?;
                cells.iter().try_for_each(|cell| cell.encode(out))
            }
        }
    }

    /// The value, and after a list or struct what is in it.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut open = vec![std::slice::from_ref(self).iter()];
        std::iter::from_fn(move || {
            loop {
                match open.last_mut()?.next() {
                    None => drop(open.pop()),
                    Some(Self::Many(cells)) => {
                        open.push(cells.iter());
                        return Some(Part::Many(cells.len()));
                    }
                    Some(Self::Null) => return Some(Part::Null),
                    Some(Self::Bool(flag)) => return Some(Part::Bool(*flag)),
                    Some(Self::Int(number)) => return Some(Part::Int(*number)),
                    Some(Self::Float(number)) => return Some(Part::Float(*number)),
                    Some(Self::Text(text)) => return Some(Part::Text(text)),
                    Some(Self::Bytes(bytes)) => return Some(Part::Bytes(bytes)),
                }
            }
        })
    }
}

/// A cell taken apart: what stands between getters or spools and the builders of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A list or struct of so many cells, which follow.
    Many(usize),
}

/// Cells as [`Cell::encode`] wrote them, part for part. Ends early where the bytes are something else.
#[derive(Debug)]
pub(crate) struct Encoded<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Encoded<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let input = &mut self.0;
        Some(match take(input, 1)?[0] {
            0 => Part::Null,
            1 => Part::Bool(false),
            2 => Part::Bool(true),
            3 => Part::Int(i64::from_le_bytes(take(input, 8)?.try_into().ok()?)),
            4 => Part::Float(f64::from_bits(take_u64(input)?)),
            5 => {
                let length = take_u64(input)? as usize;
                Part::Text(std::str::from_utf8(take(input, length)?).ok()?)
            }
            6 => {
                let length = take_u64(input)? as usize;
                Part::Bytes(take(input, length)?)
            }
            7 => Part::Many(take_u64(input)? as usize),
            _ => return None,
        })
    }
}

fn tagged(tag: u8, bytes: [u8; 8]) -> [u8; 9] {
    let mut all = [tag; 9];
    all[1..].copy_from_slice(&bytes);
    all
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(head)
}

fn take_u64(input: &mut &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(take(input, 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_survives_the_spool() {
        let cells = [
            Cell::Null,
            Cell::Bool(true),
            Cell::Bool(false),
            Cell::Int(-7),
            Cell::Float(-0.0),
            Cell::text("日本"),
            Cell::bytes(&[0, 255]),
            Cell::Many(vec![Cell::Many(vec![]), Cell::text("")]),
        ];
        let mut bytes = Vec::new();
        for cell in &cells {
            cell.encode(&mut bytes).expect("memory takes everything");
        }
        let parts: Vec<Part<'_>> = cells.iter().flat_map(Cell::parts).collect();
        let mut encoded = Encoded(&bytes);
        assert_eq!(encoded.by_ref().collect::<Vec<_>>(), parts);
        assert!(encoded.0.is_empty());
        for end in 0..bytes.len() {
            assert!(Encoded(&bytes[..end]).count() <= parts.len()); // cut bytes end, they never panic
        }
    }
}
