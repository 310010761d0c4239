//! Rows on disk, waiting for their place.
//!
//! Rows come in the order of arrival and leave in the order of their ids. In between they lie encoded in one temporary
//! file a split; only where each row starts is in memory, 40 bytes a row.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use item::{Digest, ItemId};

use crate::cell::Cell;
use crate::error::{self, DatasetError};

/// Where a row lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    id: ItemId,
    /// Settles the order of rows with the same id by their content; where that is equal too, the order shows nowhere.
    content: [u8; 8],
    offset: u64,
    length: u64,
}

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
    places: Vec<Place>,
    end: u64,
    row: Vec<u8>,
}

impl Spool {
    pub(crate) fn create(path: PathBuf) -> Result<Self, DatasetError> {
        let file = File::create_new(&path).map(BufWriter::new).map_err(error::io("create", &path))?;
        Ok(Self { path, file, places: Vec::new(), end: 0, row: Vec::new() })
    }

    pub(crate) fn push<'a>(&mut self, id: ItemId, cells: impl Iterator<Item = Cell<'a>>) -> Result<(), DatasetError> {
        self.row.clear();
        cells.for_each(|cell| cell.encode(&mut self.row));
        self.file.write_all(&self.row).map_err(error::io("write", &self.path))?;
        let mut content = [0; 8];
        content.copy_from_slice(&Digest::of(&self.row).as_bytes()[..8]);
        let length = self.row.len() as u64;
        self.places.push(Place { id, content, offset: self.end, length });
        self.end += length;
        Ok(())
    }

    /// Ends the writing and sorts the rows.
    pub(crate) fn sort(&mut self) -> Result<(), DatasetError> {
        self.file.flush().map_err(error::io("write", &self.path))?;
        self.places.sort_unstable();
        Ok(())
    }

    /// The rows by id from the `first` on, after [`Spool::sort`].
    pub(crate) fn rows(&self, first: usize) -> Result<SortedRows<'_>, DatasetError> {
        let file = File::open(&self.path).map_err(error::io("read", &self.path))?;
        let places = self.places.get(first..).unwrap_or_default().iter();
        Ok(SortedRows { path: &self.path, file, places, row: Vec::new() })
    }
}

/// Gives rows by id.
#[derive(Debug)]
pub(crate) struct SortedRows<'a> {
    path: &'a Path,
    file: File,
    places: std::slice::Iter<'a, Place>,
    row: Vec<u8>,
}

impl SortedRows<'_> {
    /// The next row; its cells lie in this reader's buffer.
    pub(crate) fn next(&mut self) -> Result<Option<SpooledRow<'_>>, DatasetError> {
        let Some(place) = self.places.next() else { return Ok(None) };
        self.row.resize(place.length as usize, 0);
        self.file
            .seek(SeekFrom::Start(place.offset))
            .and_then(|_| self.file.read_exact(&mut self.row))
            .map_err(error::io("read", self.path))?;
        Ok(Some(SpooledRow { path: self.path, id: place.id, bytes: &self.row }))
    }
}

/// One row as it lay in the spool.
#[derive(Debug)]
pub(crate) struct SpooledRow<'a> {
    path: &'a Path,
    pub(crate) id: ItemId,
    bytes: &'a [u8],
}

impl<'a> SpooledRow<'a> {
    /// The cells, each with its bytes in the spool: near enough what it takes in an uncompressed column.
    pub(crate) fn cells(&self) -> Result<Vec<(Cell<'a>, u64)>, DatasetError> {
        let mut input = self.bytes;
        let mut cells = Vec::new();
        while !input.is_empty() {
            let before = input.len();
            let damaged = || DatasetError::Spool { path: self.path.to_owned() };
            let cell = Cell::decode(&mut input).ok_or_else(damaged)?;
            cells.push((cell, (before - input.len()) as u64));
        }
        Ok(cells)
    }
}
