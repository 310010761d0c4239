//! Shards of the published subsets.
//!
//! Rows may come in any order. They are spooled, sorted by id, and cut into row groups and files by their sizes, so the
//! bytes of the files depend on the set of rows and the policy alone.
//!
//! Rows that are left out (a takedown) are cut as if they were there: a shard that holds some is written a second time without
//! them, with the row groups that it had. So the shards around it keep their bytes and their names
//! (docs/decisions/0028-takedown.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use item::{Item, ItemId, Loss, Snapshot, Triple};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::batch::BatchBuilder;
use crate::cell::Cell;
use crate::column::{Layout, Table};
use crate::error::{self, DatasetError};
use crate::features;
use crate::files::{self, FileWriter, HashingWriter, PAGE_ROWS, Purpose};
use crate::loss::REJECTS;
use crate::manifest::SubsetManifest;
use crate::pages::{self, PAGES};
use crate::schema::{Subset, Written};
use crate::spool::{Spool, SpooledRow};
use crate::triples;

/// Sizes of shards and of what they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShardPolicy {
    /// A shard is closed before it would grow beyond this; what `datasets` itself writes.
    pub shard_bytes: u64,
    /// Most bytes of a row group, uncompressed: what one worker of a data loader has to hold.
    pub row_group_bytes: u64,
    /// Most rows of a row group: what the Hub's viewer reads for one page of rows.
    pub row_group_rows: u64,
}

impl Default for ShardPolicy {
    fn default() -> Self {
        Self { shard_bytes: 500_000_000, row_group_bytes: 100_000_000, row_group_rows: 1000 }
    }
}

/// Bytes of footer and page index for a column of a row group, a little more than they were ever seen to take.
const FOOTER_BYTES: u64 = 300;

/// A row group that is half full ends in front of an id with these bits clear, one id in 16. Ids are hashes, so that groups
/// are cut by what they hold: rows that come or go move the ends of their own group, and those behind it stay what they were.
const GROUP_END_MASK: u8 = 0x0F;
/// The byte of the id that is looked at. The first ones sort the rows and the last ones pick samples.
const GROUP_END_BYTE: usize = 8;

/// The edition of what was never published before.
pub const FIRST_EDITION: u32 = 1;

const fn first_edition() -> u32 {
    FIRST_EDITION
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_first_edition(edition: &u32) -> bool {
    *edition == FIRST_EDITION
}

/// One finished shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardFile {
    /// Path below the dataset's folder: `pages/train-00000-0123456789abcdef.parquet`.
    pub path: String,
    /// Subset that the rows belong to.
    pub subset: String,
    /// Split that the rows belong to.
    pub split: String,
    /// Edition that the rows belong to: 1, or more where shards were published before these rows came.
    #[serde(default = "first_edition", skip_serializing_if = "is_first_edition")]
    pub edition: u32,
    /// Number of rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: item::Sha256Hex,
    /// The first row's id; ids ascend.
    #[schemars(with = "String")]
    pub min_id: ItemId,
    /// The last row's id.
    #[schemars(with = "String")]
    pub max_id: ItemId,
}

/// Takes the rows of all subsets and makes their shards.
#[derive(Debug)]
pub struct ShardSetWriter {
    folder: PathBuf,
    policy: ShardPolicy,
    edition: u32,
    /// Spools; removed when the writer is dropped, finished or not.
    spool_folder: TempDir,
    spools: BTreeMap<(Subset, String), Spool>,
    left_out: BTreeSet<ItemId>,
}

impl ShardSetWriter {
    /// Shards will stand below `folder`, which is created. Spools lie there too, so that only one disk needs room: twice the
    /// size of the rows.
    pub fn new(folder: &Path, policy: ShardPolicy) -> Result<Self, DatasetError> {
        fs::create_dir_all(folder).map_err(error::io("create", folder))?;
        let spool_folder =
            tempfile::Builder::new().prefix(".spool-").tempdir_in(folder).map_err(error::io("create", folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            policy,
            edition: FIRST_EDITION,
            spool_folder,
            spools: BTreeMap::new(),
            left_out: BTreeSet::new(),
        })
    }

    /// The rows are those of that edition: they share no shard with rows of another one.
    #[must_use]
    pub const fn of_edition(mut self, edition: u32) -> Self {
        self.edition = edition;
        self
    }

    /// Rows of these ids are not written, in whatever subset they stand; `rejects`, which has no content, keeps them. The shards
    /// are cut as if they were.
    pub fn leave_out(&mut self, ids: impl IntoIterator<Item = ItemId>) {
        self.left_out.extend(ids);
    }

    /// Adds a row of `pages`; its split is the attribute of that name, or `train`.
    pub fn add_page(&mut self, page: &Item<Snapshot>) -> Result<(), DatasetError> {
        self.add(Subset::Pages, &PAGES, pages::split_of(page), page.head.id, page)
    }

    /// Adds a row of `edit`, `polish` or `preference`; its split is that of its page.
    pub fn add_triple(&mut self, triple: &Item<Triple>) -> Result<(), DatasetError> {
        let (subset, table) = triples::table(triple.body.task);
        self.add(subset, table, triples::split_of(triple), triple.head.id, triple)
    }

    /// Adds a row of `rejects`, which has one split.
    pub fn add_loss(&mut self, loss: &Loss) -> Result<(), DatasetError> {
        self.add(Subset::Rejects, &REJECTS, pages::DEFAULT_SPLIT, loss.id, loss)
    }

    fn add<R>(
        &mut self,
        subset: Subset,
        table: &Table<R>,
        split: &str,
        id: ItemId,
        row: &R,
    ) -> Result<(), DatasetError> {
        let number = self.spools.len();
        let key = (subset, split.to_owned());
        let spool = match self.spools.entry(key) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Spool::create(self.spool_folder.path().join(format!("{number}.rows")))?)
            }
        };
        spool.push(id, table.cells(row))
    }

    /// Writes the shards. Every subset is in the answer, also one without rows: it has no files then.
    pub fn finish(self) -> Result<BTreeMap<String, SubsetManifest>, DatasetError> {
        let mut subsets: BTreeMap<String, SubsetManifest> = Subset::ALL
            .into_iter()
            .map(|subset| (subset.name().to_owned(), SubsetManifest::empty(subset.schema_sha256())))
            .collect();
        let none = BTreeSet::new();
        for ((subset, split), mut spool) in self.spools {
            spool.sort()?;
            let left_out = if subset == Subset::Rejects { &none } else { &self.left_out };
            for Written { subset, takes } in subset.written() {
                let layout = subset.layout();
                let mut cutter = Cutter {
                    folder: &self.folder,
                    policy: self.policy,
                    edition: self.edition,
                    split: &split,
                    spool: &spool,
                    left_out,
                    takes,
                    features: features::huggingface(&layout),
                    batch: BatchBuilder::new(&layout),
                    layout,
                    cut: 0,
                    shards: Vec::new(),
                };
                cutter.cut()?;
                if let Some(manifest) = subsets.get_mut(subset.name())
                    && !cutter.shards.is_empty()
                {
                    manifest.add_split(&split, cutter.shards);
                }
            }
        }
        Ok(subsets)
    }
}

/// Cuts sorted rows of one split into files.
struct Cutter<'a> {
    folder: &'a Path,
    policy: ShardPolicy,
    edition: u32,
    split: &'a str,
    spool: &'a Spool,
    /// Rows that are cut, and not written.
    left_out: &'a BTreeSet<ItemId>,
    /// Which cells of a row are written.
    takes: Vec<usize>,
    features: String,
    layout: Layout,
    batch: BatchBuilder,
    /// Shards that were cut: the number of the next one, whether all of them have rows or not.
    cut: usize,
    shards: Vec<ShardFile>,
}

type ShardSink = HashingWriter<std::io::BufWriter<fs::File>>;

/// The file that is being written.
struct OpenShard {
    path: PathBuf,
    file: FileWriter<ShardSink>,
    /// Number of its first row among all.
    first: usize,
    rows: u64,
    min_id: ItemId,
    max_id: ItemId,
    group: Group,
    /// Rows of the row groups that are closed.
    groups: Vec<u64>,
    /// It holds rows that are left out.
    is_draft: bool,
    /// Bytes in the file of its largest row group so far: what the next may take.
    group_bytes_max: u64,
}

/// The row group that is being filled.
#[derive(Default)]
struct Group {
    rows: u64,
    bytes: u64,
}

impl Cutter<'_> {
    fn cut(&mut self) -> Result<(), DatasetError> {
        let mut rows = self.spool.rows(0)?;
        let mut open: Option<OpenShard> = None;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            let (cells, bytes) = self.taken(&row)?;
            if let Some(shard) = open.take_if(|shard| self.group_ends(&shard.group, row.id, bytes)) {
                open = self.close_group(shard)?;
            }
            let mut shard = match open.take() {
                Some(shard) => shard,
                None => self.create(row.id, number)?,
            };
            shard.is_draft |= self.left_out.contains(&row.id);
            shard.group.bytes += bytes;
            self.push(&mut shard, row.id, cells)?;
            open = Some(shard);
            number += 1;
        }
        open.map_or(Ok(()), |shard| self.end(shard))
    }

    /// The cells that are written of a row, and their bytes.
    fn taken<'row>(&self, row: &SpooledRow<'row>) -> Result<(Vec<Cell<'row>>, u64), DatasetError> {
        let mut cells: Vec<Option<(Cell<'row>, u64)>> = row.cells()?.into_iter().map(Some).collect();
        let taken = self.takes.iter().filter_map(|&index| cells.get_mut(index)?.take());
        let (cells, bytes): (Vec<Cell<'row>>, Vec<u64>) = taken.unzip();
        Ok((cells, bytes.iter().sum()))
    }

    fn push(&mut self, shard: &mut OpenShard, id: ItemId, cells: Vec<Cell<'_>>) -> Result<(), DatasetError> {
        self.batch.push(cells).map_err(error::batch(&shard.path))?;
        shard.max_id = id;
        shard.rows += 1;
        shard.group.rows += 1;
        if self.batch.rows() == PAGE_ROWS { self.hand_over(shard) } else { Ok(()) }
    }

    /// The group is full, or half full and the next row is one that begins a group.
    fn group_ends(&self, group: &Group, next: ItemId, next_bytes: u64) -> bool {
        let ShardPolicy { row_group_rows, row_group_bytes, .. } = self.policy;
        let is_full = group.rows >= row_group_rows || group.bytes + next_bytes > row_group_bytes;
        let is_half_full = group.rows * 2 >= row_group_rows || group.bytes * 2 >= row_group_bytes;
        is_full || (is_half_full && next.as_bytes()[GROUP_END_BYTE] & GROUP_END_MASK == 0)
    }

    /// What tells the shard's name from that of other shards, but for its digest.
    fn stem(&self) -> String {
        let (split, number) = (self.split, self.cut);
        match self.edition {
            FIRST_EDITION => format!("{split}-{number:05}"),
            edition => format!("{split}-e{edition}-{number:05}"),
        }
    }

    /// A shard that begins with that row, the `first`-th of all.
    fn create(&self, id: ItemId, first: usize) -> Result<OpenShard, DatasetError> {
        let folder = self.folder.join(self.layout.name);
        fs::create_dir_all(&folder).map_err(error::io("create", &folder))?;
        let path = folder.join(format!(".{}.partial", self.stem()));
        let metadata = vec![("huggingface".to_owned(), self.features.clone())];
        let sink = HashingWriter::new(files::create(&path)?);
        let file = FileWriter::new(&path, sink, &self.layout, Purpose::Shard, metadata)?;
        let group = Group::default();
        let (groups, is_draft) = (Vec::new(), false);
        Ok(OpenShard {
            path,
            file,
            first,
            rows: 0,
            min_id: id,
            max_id: id,
            group,
            groups,
            is_draft,
            group_bytes_max: 0,
        })
    }

    fn hand_over(&mut self, shard: &mut OpenShard) -> Result<(), DatasetError> {
        if self.batch.rows() == 0 {
            return Ok(());
        }
        let batch = self.batch.finish().map_err(error::batch(&shard.path))?;
        shard.file.write(&batch)
    }

    /// Ends the row group, and the shard too if another group may not fit; gives the shard back if it goes on.
    fn close_group(&mut self, mut shard: OpenShard) -> Result<Option<OpenShard>, DatasetError> {
        self.hand_over(&mut shard)?;
        let before = shard.file.bytes_written();
        shard.file.close_group()?;
        let written = shard.file.bytes_written();
        shard.groups.push(std::mem::take(&mut shard.group).rows);
        shard.group_bytes_max = shard.group_bytes_max.max(written - before);
        // Footer and page index are written last, for the groups so far and for the one to come.
        let last = (shard.groups.len() as u64 + 1) * self.layout.leaves().len() as u64 * FOOTER_BYTES;
        if written + shard.group_bytes_max + last <= self.policy.shard_bytes {
            return Ok(Some(shard));
        }
        self.end(shard)?;
        Ok(None)
    }

    /// Ends a shard; one that holds rows that are left out is written again.
    fn end(&mut self, mut shard: OpenShard) -> Result<(), DatasetError> {
        self.hand_over(&mut shard)?;
        if shard.is_draft {
            let OpenShard { path, file, first, mut groups, group, .. } = shard;
            drop(file);
            groups.extend((group.rows > 0).then_some(group.rows));
            fs::remove_file(&path).map_err(error::io("remove", &path))?;
            self.write_rest(first, &groups)?;
        } else {
            self.close(shard)?;
        }
        self.cut += 1;
        Ok(())
    }

    /// Writes a shard, which begins with the row `first` and has row groups of so many rows, without the rows that are left out;
    /// nothing if no row is left.
    fn write_rest(&mut self, first: usize, groups: &[u64]) -> Result<(), DatasetError> {
        let mut rows = self.spool.rows(first)?;
        let mut open: Option<OpenShard> = None;
        for &group_rows in groups {
            for _ in 0..group_rows {
                let Some(row) = rows.next()? else { break };
                if self.left_out.contains(&row.id) {
                    continue;
                }
                let mut shard = match open.take() {
                    None => self.create(row.id, first)?,
                    Some(shard) => shard,
                };
                self.push(&mut shard, row.id, self.taken(&row)?.0)?;
                open = Some(shard);
            }
            if let Some(shard) = &mut open {
                self.hand_over(shard)?;
                shard.file.close_group()?;
            }
        }
        open.map_or(Ok(()), |shard| self.close(shard))
    }

    fn close(&mut self, mut shard: OpenShard) -> Result<(), DatasetError> {
        self.hand_over(&mut shard)?;
        let (sink, sha256) = shard.file.finish()?.finish();
        let bytes = files::sync(sink, &shard.path)?;
        let name = format!("{}-{}.parquet", self.stem(), &sha256[..16]);
        let final_path = self.folder.join(self.layout.name).join(&name);
        fs::rename(&shard.path, &final_path).map_err(error::io("rename", &shard.path))?;
        self.shards.push(ShardFile {
            path: format!("{}/{name}", self.layout.name),
            subset: self.layout.name.to_owned(),
            split: self.split.to_owned(),
            edition: self.edition,
            rows: shard.rows,
            bytes,
            sha256,
            min_id: shard.min_id,
            max_id: shard.max_id,
        });
        Ok(())
    }
}
