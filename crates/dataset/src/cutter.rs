//! Where row groups and shards end.
//!
//! It depends on the rows and the policy alone. Rows that are left out (a takedown) are cut as if they were there: a shard that holds
//! some is written a second time without them, with the row groups that it had. So the shards around it keep their bytes and
//! their names (docs/decisions/0028-takedown.md).

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;
use std::thread::Scope;

use arrow_array::ArrayRef;
use item::ItemId;
use parquet::errors::ParquetError;

use crate::column::Layout;
use crate::encoder::GroupEncoder;
use crate::error::{self, DatasetError};
use crate::runs::{Run, Runs};
use crate::shard_files::{Place, ShardFiles, ShardRows};
use crate::shards::{ShardFile, ShardPolicy};
use crate::spool::Spool;

/// A row group that is half full ends in front of an id with these bits clear, one id in 16. Ids are hashes, so that groups
/// are cut by what they hold: rows that come or go move the ends of their own group, and those behind it stay what they were.
const GROUP_END_MASK: u8 = 0x0F;
/// The byte of the id that is looked at. The first ones sort the rows and the last ones pick samples.
const GROUP_END_BYTE: usize = 8;

/// What is cut, and from what.
pub(crate) struct Cut<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) policy: ShardPolicy,
    /// Rows that are cut, and not written.
    pub(crate) left_out: &'a BTreeSet<ItemId>,
    pub(crate) spool: &'a Spool,
    pub(crate) spooled: &'a Layout,
    /// Which of the spooled columns are written.
    pub(crate) takes: Vec<usize>,
}

/// Cuts sorted rows of one split into files.
pub(crate) struct Cutter<'scope> {
    cut: &'scope Cut<'scope>,
    encoder: GroupEncoder,
    files: ShardFiles<'scope>,
    group: Group,
    shard: Shard,
    /// Rows of the groups that are closed, all shards together.
    rows: usize,
    /// Shards that were cut: the number of the next one, whether all of them have rows or not.
    shards: usize,
}

/// The row group that is being filled.
#[derive(Default)]
struct Group {
    rows: u64,
    bytes: u64,
    ids: Option<(ItemId, ItemId)>,
    /// It holds rows that are left out.
    is_draft: bool,
}

/// The shard that is being filled, as far as its row groups are closed.
#[derive(Default)]
struct Shard {
    /// Number of its first row among all.
    first: usize,
    /// Rows of its row groups.
    groups: Vec<u64>,
    bytes: u64,
    ids: Option<(ItemId, ItemId)>,
    is_draft: bool,
}

impl<'scope> Cutter<'scope> {
    pub(crate) fn new(scope: &'scope Scope<'scope, '_>, cut: &'scope Cut<'scope>) -> Result<Self, DatasetError> {
        let encoder = GroupEncoder::new(cut.place.layout, cut.place.metadata.clone());
        Ok(Self {
            cut,
            encoder: encoder.map_err(error::parquet("create", &cut.folder()))?,
            files: ShardFiles::start(scope, &cut.place),
            group: Group::default(),
            shard: Shard::default(),
            rows: 0,
            shards: 0,
        })
    }

    /// Takes the next rows.
    pub(crate) fn take(&mut self, run: &Run) -> Result<(), DatasetError> {
        let columns = self.cut.columns(run);
        let mut start = 0;
        for (row, &id) in run.ids.iter().enumerate() {
            let bytes = run.bytes(row, &self.cut.takes);
            if self.group_ends(id, bytes) {
                self.encode(&columns, start..row)?;
                self.close_group()?;
                start = row;
            }
            self.group.add(id, bytes, self.cut.left_out.contains(&id));
        }
        self.encode(&columns, start..run.ids.len())
    }

    /// Ends the last row group and shard, and gives all shards.
    pub(crate) fn finish(mut self) -> Result<Vec<ShardFile>, DatasetError> {
        if self.group.rows > 0 {
            self.close_group()?;
        }
        self.close_shard()?;
        self.files.join()
    }

    /// The group is full, or half full and the next row is one that begins a group.
    fn group_ends(&self, next: ItemId, next_bytes: u64) -> bool {
        let ShardPolicy { row_group_rows, row_group_bytes, .. } = self.cut.policy;
        let Group { rows, bytes, .. } = self.group;
        let is_full = rows >= row_group_rows || bytes + next_bytes > row_group_bytes;
        let is_half_full = rows * 2 >= row_group_rows || bytes * 2 >= row_group_bytes;
        rows > 0 && (is_full || (is_half_full && next.as_bytes()[GROUP_END_BYTE] & GROUP_END_MASK == 0))
    }

    fn encode(&mut self, columns: &[ArrayRef], rows: Range<usize>) -> Result<(), DatasetError> {
        let columns: Vec<ArrayRef> = columns.iter().map(|column| column.slice(rows.start, rows.len())).collect();
        self.encoder.write(&columns).map_err(self.cut.trouble())
    }

    /// Ends the row group. It goes to the shard before it if it fits there, and begins the next one if not.
    fn close_group(&mut self) -> Result<(), DatasetError> {
        let encoded = self.encoder.finish().map_err(self.cut.trouble())?;
        let group = std::mem::take(&mut self.group);
        if self.encoder.empty_file_bytes() + self.shard.bytes + encoded.bytes > self.cut.policy.shard_bytes {
            self.close_shard()?;
        }
        self.rows += group.rows as usize;
        self.shard.add(&group, encoded.bytes);
        self.files.append(encoded.chunks)
    }

    /// Ends the shard, if it has any row group. One that holds rows that are left out is written again.
    fn close_shard(&mut self) -> Result<(), DatasetError> {
        let next = Shard { first: self.rows, ..Shard::default() };
        let shard = std::mem::replace(&mut self.shard, next);
        let Some((min_id, max_id)) = shard.ids else { return Ok(()) };
        if shard.is_draft {
            self.files.discard()?;
            self.write_rest(&shard)?;
        } else {
            let rows = shard.groups.iter().sum();
            self.files.finish(ShardRows { number: self.shards, rows, min_id, max_id })?;
        }
        self.shards += 1;
        Ok(())
    }

    /// Writes a shard with the row groups that it was cut into, without the rows that are left out; nothing if no row is left.
    fn write_rest(&mut self, shard: &Shard) -> Result<(), DatasetError> {
        let cut = self.cut;
        let mut runs = Runs::new(cut.spool, shard.first, cut.spooled, cut.folder())?;
        let mut ids: Option<(ItemId, ItemId)> = None;
        let mut rows = 0;
        for &group_rows in &shard.groups {
            let mut seen = 0;
            while let Some(run) = runs.next(group_rows - seen, cut.left_out)? {
                seen += run.seen;
                self.encode(&cut.columns(&run), 0..run.ids.len())?;
                for &id in &run.ids {
                    ids = Some((ids.map_or(id, |(first, _)| first), id));
                }
            }
            rows += self.encoder.rows() as u64;
            if self.encoder.rows() > 0 {
                let encoded = self.encoder.finish().map_err(self.cut.trouble())?;
                self.files.append(encoded.chunks)?;
            }
        }
        let Some((min_id, max_id)) = ids else { return Ok(()) };
        self.files.finish(ShardRows { number: self.shards, rows, min_id, max_id })
    }
}

impl Cut<'_> {
    fn columns(&self, run: &Run) -> Vec<ArrayRef> {
        self.takes.iter().filter_map(|&index| run.batch.columns().get(index)).map(ArrayRef::clone).collect()
    }

    fn folder(&self) -> PathBuf {
        self.place.folder.join(self.place.layout.name)
    }

    fn trouble(&self) -> impl FnOnce(ParquetError) -> DatasetError + use<> {
        error::parquet("write", &self.folder())
    }
}

impl Group {
    fn add(&mut self, id: ItemId, bytes: u64, is_left_out: bool) {
        self.rows += 1;
        self.bytes += bytes;
        self.ids = Some((self.ids.map_or(id, |(first, _)| first), id));
        self.is_draft |= is_left_out;
    }
}

impl Shard {
    fn add(&mut self, group: &Group, bytes: u64) {
        self.groups.push(group.rows);
        self.bytes += bytes;
        self.is_draft |= group.is_draft;
        self.ids = match (self.ids, group.ids) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (ids, None) | (None, ids) => ids,
        };
    }
}
