//! Rows on disk, waiting for their place.
//!
//! Rows come in the order of arrival and leave in the order of their ids. In between they lie encoded in one temporary
//! file a split; only where each row starts is in memory, 32 bytes a row.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use item::{Digest, ItemId};

use crate::cell::Cell;
use crate::error::{self, DatasetError};

/// Small values are collected up to here; pictures and documents are mostly larger, and go to the file without being copied.
const BUFFER_BYTES: usize = 64 << 10;

/// Where a row lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    id: ItemId,
    offset: u64,
    length: u64,
}

/// Takes rows in any order.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: Counted<BufWriter<File>>,
    places: Vec<Place>,
}

impl Spool {
    pub(crate) fn create(path: PathBuf) -> Result<Self, DatasetError> {
        let file = File::create_new(&path).map_err(error::io("create", &path))?;
        let file = Counted { inner: BufWriter::with_capacity(BUFFER_BYTES, file), bytes: 0 };
        Ok(Self { path, file, places: Vec::new() })
    }

    pub(crate) fn push<'a>(
        &mut self,
        id: ItemId,
        mut cells: impl Iterator<Item = Cell<'a>>,
    ) -> Result<(), DatasetError> {
        let offset = self.file.bytes;
        cells.try_for_each(|cell| cell.encode(&mut self.file)).map_err(error::io("write", &self.path))?;
        self.places.push(Place { id, offset, length: self.file.bytes - offset });
        Ok(())
    }

    /// Ends the writing and sorts the rows: by id, and those with the same id by their content.
    pub(crate) fn sort(&mut self) -> Result<(), DatasetError> {
        self.file.flush().map_err(error::io("write", &self.path))?;
        self.places.sort_unstable_by_key(|place| (place.id, place.offset));
        let mut start = 0;
        while let Some(first) = self.places.get(start) {
            let twins = self.places[start..].iter().take_while(|place| place.id == first.id).count();
            if twins > 1 {
                self.sort_by_content(start..start + twins)?;
            }
            start += twins;
        }
        Ok(())
    }

    /// Where the content is equal too, the order shows nowhere.
    fn sort_by_content(&mut self, range: std::ops::Range<usize>) -> Result<(), DatasetError> {
        let mut rows = self.rows(range.start)?;
        let mut twins = Vec::with_capacity(range.len());
        for place in &self.places[range.clone()] {
            let mut row = Vec::new();
            rows.next(&mut row)?;
            twins.push((*Digest::of(&row).as_bytes(), *place));
        }
        twins.sort_by_key(|(content, _)| *content);
        for (place, (_, twin)) in self.places[range].iter_mut().zip(twins) {
            *place = twin;
        }
        Ok(())
    }

    /// The rows by id from the `first` on, after [`Spool::sort`].
    pub(crate) fn rows(&self, first: usize) -> Result<SortedRows<'_>, DatasetError> {
        let file = File::open(&self.path).map_err(error::io("read", &self.path))?;
        let places = self.places.get(first..).unwrap_or_default().iter();
        Ok(SortedRows { path: &self.path, file, places })
    }
}

/// Gives rows by id.
#[derive(Debug)]
pub(crate) struct SortedRows<'a> {
    path: &'a Path,
    file: File,
    places: std::slice::Iter<'a, Place>,
}

impl SortedRows<'_> {
    /// The next row's id; its bytes replace those in `row`.
    pub(crate) fn next(&mut self, row: &mut Vec<u8>) -> Result<Option<ItemId>, DatasetError> {
        let Some(place) = self.places.next() else { return Ok(None) };
        row.resize(place.length as usize, 0);
        self.file
            .seek(SeekFrom::Start(place.offset))
            .and_then(|_| self.file.read_exact(row))
            .map_err(error::io("read", self.path))?;
        Ok(Some(place.id))
    }
}

/// Knows how many bytes went through.
#[derive(Debug)]
struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
