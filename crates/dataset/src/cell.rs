//! One value of one row.
//!
//! Getters make cells, spools hold them as bytes, builders turn them into Arrow columns and readers turn columns back
//! into cells. So a schema is one table of getters, and everything else works on cells.

use std::borrow::Cow;

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

    /// Appends the value to `out`: a tag byte, then fixed-width numbers or length-prefixed bytes, little endian.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let sized = |out: &mut Vec<u8>, tag: u8, length: usize| {
            out.push(tag);
            out.extend_from_slice(&(length as u64).to_le_bytes());
        };
        match self {
            Self::Null => out.push(0),
            Self::Bool(false) => out.push(1),
            Self::Bool(true) => out.push(2),
            Self::Int(number) => {
                out.push(3);
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Float(number) => {
                out.push(4);
                out.extend_from_slice(&number.to_bits().to_le_bytes());
            }
            Self::Text(text) => {
                sized(out, 5, text.len());
                out.extend_from_slice(text.as_bytes());
            }
            Self::Bytes(bytes) => {
                sized(out, 6, bytes.len());
                out.extend_from_slice(bytes);
            }
            Self::Many(cells) => {
                sized(out, 7, cells.len());
                for cell in cells {
                    cell.encode(out);
                }
            }
        }
    }

    /// Takes one value off the front of `input`; `None` when the bytes are not what [`Cell::encode`] wrote.
    pub(crate) fn decode(input: &mut &'a [u8]) -> Option<Self> {
        Some(match take(input, 1)?[0] {
            0 => Self::Null,
            1 => Self::Bool(false),
            2 => Self::Bool(true),
            3 => Self::Int(i64::from_le_bytes(take(input, 8)?.try_into().ok()?)),
            4 => Self::Float(f64::from_bits(take_u64(input)?)),
            5 => {
                let length = take_u64(input)? as usize;
                Self::text(std::str::from_utf8(take(input, length)?).ok()?)
            }
            6 => {
                let length = take_u64(input)? as usize;
                Self::bytes(take(input, length)?)
            }
            7 => {
                let count = take_u64(input)? as usize;
                let fits = count <= input.len(); // every value takes at least a byte
                fits.then(|| (0..count).map(|_| Self::decode(input)).collect::<Option<Vec<_>>>().map(Self::Many))??
            }
            _ => return None,
        })
    }
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
            cell.encode(&mut bytes);
        }
        let mut input = bytes.as_slice();
        for cell in &cells {
            assert_eq!(Cell::decode(&mut input).as_ref(), Some(cell));
        }
        assert!(input.is_empty());
        for end in 0..bytes.len() {
            let mut cut = &bytes[..end];
            while Cell::decode(&mut cut).is_some() {} // cut bytes end in `None`, never in a panic
        }
    }
}
