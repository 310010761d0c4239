//! Cells of one row, taken in order and by type.

use bytes::Bytes;

use crate::cell::Cell;

/// Takes the cells of a row, or of a struct, one after the other. Each method gives `None` when the next cell is missing
/// or of another type, so that a reader is a chain of `?`.
pub(crate) struct Record<'a>(std::vec::IntoIter<Cell<'a>>);

#[expect(clippy::option_option, reason = "no cell is trouble, a null is a value")]
impl<'a> Record<'a> {
    pub(crate) fn new(cells: Vec<Cell<'a>>) -> Self {
        Self(cells.into_iter())
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        match self.0.next()? {
            Cell::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    /// The next cell may be null; `None` is still trouble.
    pub(crate) fn maybe_text(&mut self) -> Option<Option<String>> {
        match self.0.next()? {
            Cell::Text(text) => Some(Some(text.into_owned())),
            Cell::Null => Some(None),
            _ => None,
        }
    }

    pub(crate) fn int(&mut self) -> Option<i64> {
        match self.0.next()? {
            Cell::Int(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn maybe_int(&mut self) -> Option<Option<i64>> {
        match self.0.next()? {
            Cell::Int(number) => Some(Some(number)),
            Cell::Null => Some(None),
            _ => None,
        }
    }

    pub(crate) fn count(&mut self) -> Option<u64> {
        self.int()?.try_into().ok()
    }

    pub(crate) fn count_u32(&mut self) -> Option<u32> {
        self.int()?.try_into().ok()
    }

    pub(crate) fn float(&mut self) -> Option<f64> {
        match self.0.next()? {
            Cell::Float(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn maybe_float(&mut self) -> Option<Option<f64>> {
        match self.0.next()? {
            Cell::Float(number) => Some(Some(number)),
            Cell::Null => Some(None),
            _ => None,
        }
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.0.next()? {
            Cell::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    pub(crate) fn maybe_flag(&mut self) -> Option<Option<bool>> {
        match self.0.next()? {
            Cell::Bool(flag) => Some(Some(flag)),
            Cell::Null => Some(None),
            _ => None,
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        match self.0.next()? {
            Cell::Bytes(bytes) => Some(Bytes::from(bytes.into_owned())),
            _ => None,
        }
    }

    pub(crate) fn maybe_bytes(&mut self) -> Option<Option<Bytes>> {
        match self.0.next()? {
            Cell::Bytes(bytes) => Some(Some(Bytes::from(bytes.into_owned()))),
            Cell::Null => Some(None),
            _ => None,
        }
    }

    pub(crate) fn many(&mut self) -> Option<Vec<Cell<'a>>> {
        match self.0.next()? {
            Cell::Many(cells) => Some(cells),
            _ => None,
        }
    }

    pub(crate) fn maybe_many(&mut self) -> Option<Option<Vec<Cell<'a>>>> {
        match self.0.next()? {
            Cell::Many(cells) => Some(Some(cells)),
            Cell::Null => Some(None),
            _ => None,
        }
    }
}
