//! The encoding of shards alone, for those who measure it: no spool, no hash, no flush.

use std::path::Path;

use arrow_array::RecordBatch;
use parquet::errors::ParquetError;

use crate::column::Layout;
use crate::encoder::GroupEncoder;
use crate::error::{self, DatasetError};
use crate::features;
use crate::files::{self, OpenFile, Purpose};
use crate::schema::Subset;

/// The rows of a shard, in memory.
pub struct ShardRows {
    layout: Layout,
    groups: Vec<Vec<RecordBatch>>,
}

impl ShardRows {
    /// Reads a shard of that subset.
    pub fn read(subset: Subset, shard: &Path) -> Result<Self, DatasetError> {
        Ok(Self { layout: subset.layout(), groups: row_groups(shard)? })
    }

    /// Writes the rows to another file, with the same row groups.
    pub fn encode(&self, out: &Path) -> Result<(), DatasetError> {
        let file = std::fs::File::create(out).map_err(error::io("create", out))?;
        self.write(file).map_err(error::parquet("write", out))
    }

    fn write(&self, file: std::fs::File) -> Result<(), ParquetError> {
        let metadata = vec![("huggingface".to_owned(), features::huggingface(&self.layout))];
        let mut encoder = GroupEncoder::new(&self.layout, metadata.clone())?;
        let (mut writer, _) = files::writer(file, &self.layout, Purpose::Shard, metadata)?.into_serialized_writer()?;
        for group in &self.groups {
            group.iter().try_for_each(|run| encoder.write(run.columns()))?;
            let mut into = writer.next_row_group()?;
            encoder.finish()?.chunks.into_iter().try_for_each(|chunk| chunk.append_to_row_group(&mut into))?;
            into.close()?;
        }
        writer.close().map(drop)
    }
}

impl std::fmt::Debug for ShardRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardRows").field("groups", &self.groups.len()).finish_non_exhaustive()
    }
}

/// The rows of each row group, in runs.
fn row_groups(shard: &Path) -> Result<Vec<Vec<RecordBatch>>, DatasetError> {
    let file = OpenFile::open(shard)?;
    let rows: Vec<usize> = file.metadata().row_groups().iter().map(|group| group.num_rows() as usize).collect();
    let names: Vec<String> = file.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut batches = file.batches(&names, None)?;
    let mut groups = Vec::new();
    let mut rest: Option<RecordBatch> = None;
    for mut left in rows {
        let mut group = Vec::new();
        while left > 0 {
            let Some(batch) = rest.take().map(Ok).or_else(|| batches.next()) else { break };
            let batch = batch.map_err(|source| error::parquet("read", shard)(source.into()))?;
            let taken = left.min(batch.num_rows());
            rest = (taken < batch.num_rows()).then(|| batch.slice(taken, batch.num_rows() - taken));
            group.push(batch.slice(0, taken));
            left -= taken;
        }
        groups.push(group);
    }
    Ok(groups)
}
