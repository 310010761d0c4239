//! The files of shards: encoded row groups in, hashed, written and flushed files out.
//!
//! On a thread of its own, which writes one row group while the next is encoded. It takes a row group when it is done with the one
//! before, so there are never more than those two.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use item::ItemId;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::column::Layout;
use crate::error::{self, DatasetError};
use crate::files::{self, HashingWriter, Purpose};
use crate::shards::{FIRST_EDITION, ShardFile};

/// Where shards of a subset and split go, and what they look like.
pub(crate) struct Place<'a> {
    /// The dataset's folder.
    pub(crate) folder: &'a Path,
    pub(crate) split: &'a str,
    pub(crate) edition: u32,
    pub(crate) layout: &'a Layout,
    pub(crate) metadata: Vec<(String, String)>,
}

impl Place<'_> {
    /// How names of its shards begin.
    fn stem(&self) -> String {
        match self.edition {
            FIRST_EDITION => self.split.to_owned(),
            edition => format!("{}-e{edition}", self.split),
        }
    }
}

/// What the footer of a shard does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShardRows {
    /// Number of the shard in its split.
    pub(crate) number: usize,
    pub(crate) rows: u64,
    pub(crate) min_id: ItemId,
    pub(crate) max_id: ItemId,
}

enum Step {
    Group(Vec<ArrowColumnChunk>),
    Finish(ShardRows),
    Discard,
}

/// The way to the thread.
pub(crate) struct ShardFiles<'scope> {
    /// `None` when the thread has ended early.
    thread: Option<(SyncSender<Step>, ScopedJoinHandle<'scope, Written>)>,
}

type Written = Result<Vec<ShardFile>, DatasetError>;

impl<'scope> ShardFiles<'scope> {
    pub(crate) fn start<'place: 'scope>(scope: &'scope Scope<'scope, '_>, place: &'place Place<'place>) -> Self {
        let (steps, receiver) = sync_channel(0);
        Self { thread: Some((steps, scope.spawn(move || place.write(&receiver)))) }
    }

    /// Appends a row group to the shard; to a new one if none is open.
    pub(crate) fn append(&mut self, group: Vec<ArrowColumnChunk>) -> Result<(), DatasetError> {
        self.send(Step::Group(group))
    }

    /// Ends the shard.
    pub(crate) fn finish(&mut self, rows: ShardRows) -> Result<(), DatasetError> {
        self.send(Step::Finish(rows))
    }

    /// Removes the shard.
    pub(crate) fn discard(&mut self) -> Result<(), DatasetError> {
        self.send(Step::Discard)
    }

    /// The shards that were finished.
    pub(crate) fn join(mut self) -> Written {
        self.end()
    }

    /// A thread that takes no more steps has met trouble, and says which.
    fn send(&mut self, step: Step) -> Result<(), DatasetError> {
        match &self.thread {
            Some((steps, _)) if steps.send(step).is_ok() => Ok(()),
            _ => self.end().map(drop),
        }
    }

    fn end(&mut self) -> Written {
        let Some((steps, thread)) = self.thread.take() else { return Ok(Vec::new()) };
        drop(steps);
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Place<'_> {
    fn write(&self, steps: &Receiver<Step>) -> Result<Vec<ShardFile>, DatasetError> {
        let mut open: Option<OpenFile> = None;
        let mut shards = Vec::new();
        for step in steps {
            match (step, open.take()) {
                (Step::Group(group), file) => {
                    let mut file = file.map_or_else(|| OpenFile::create(self), Ok)?;
                    file.append(group)?;
                    open = Some(file);
                }
                (Step::Finish(rows), Some(file)) => shards.push(file.finish(self, rows)?),
                (Step::Discard, Some(file)) => file.discard()?,
                (Step::Finish(_) | Step::Discard, None) => {}
            }
        }
        Ok(shards)
    }
}

struct OpenFile {
    path: PathBuf,
    writer: SerializedFileWriter<HashingWriter<File>>,
}

impl OpenFile {
    fn create(place: &Place<'_>) -> Result<Self, DatasetError> {
        let folder = place.folder.join(place.layout.name);
        fs::create_dir_all(&folder).map_err(error::io("create", &folder))?;
        let path = folder.join(format!(".{}.partial", place.stem()));
        let file = File::create(&path).map_err(error::io("create", &path))?;
        let writer = files::writer(HashingWriter::new(file), place.layout, Purpose::Shard, place.metadata.clone())
            .and_then(parquet::arrow::ArrowWriter::into_serialized_writer);
        let (writer, _) = writer.map_err(error::parquet("create", &path))?;
        Ok(Self { path, writer })
    }

    fn append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<(), DatasetError> {
        self.try_append(chunks).map_err(error::parquet("write", &self.path))?;
        // Flushed as it grows, while the next row group is encoded: then there is little to wait for at the end.
        self.writer.inner().get_ref().sync_data().map_err(error::io("flush", &self.path))
    }

    fn try_append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut group))?;
        group.close().map(drop)
    }

    fn finish(self, place: &Place<'_>, rows: ShardRows) -> Result<ShardFile, DatasetError> {
        let sink = self.writer.into_inner().map_err(error::parquet("finish", &self.path))?;
        let (file, sha256) = sink.finish();
        // What a manifest names must survive a power cut.
        let metadata = file.sync_all().and_then(|()| file.metadata()).map_err(error::io("flush", &self.path))?;
        let name = format!("{}-{:05}-{}.parquet", place.stem(), rows.number, &sha256[..16]);
        let final_path = place.folder.join(place.layout.name).join(&name);
        fs::rename(&self.path, &final_path).map_err(error::io("rename", &self.path))?;
        Ok(ShardFile {
            path: format!("{}/{name}", place.layout.name),
            subset: place.layout.name.to_owned(),
            split: place.split.to_owned(),
            edition: place.edition,
            rows: rows.rows,
            bytes: metadata.len(),
            sha256,
            min_id: rows.min_id,
            max_id: rows.max_id,
        })
    }

    fn discard(self) -> Result<(), DatasetError> {
        drop(self.writer);
        fs::remove_file(&self.path).map_err(error::io("remove", &self.path))
    }
}
