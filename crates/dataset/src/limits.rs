//! Whether a dataset keeps the limits of the Hub and of its viewer, and of those who read Parquet.
//!
//! For any folder of Parquet files, ours or not. The numbers are what the Hub documents or its viewer enforces; what they
//! cost when they are not kept is a viewer without rows, a loader without memory, or rows that are lost without a word.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use parquet::file::metadata::ParquetMetaData;

use crate::error::{self, DatasetError};
use crate::files::OpenFile;

/// Bytes of a row group, uncompressed: the viewer reads no page of rows for which it has to scan more.
const SCAN_BYTES_MAX: u64 = 300_000_000;
/// Bytes of a row group, uncompressed, that `datasets` itself writes where there are pictures.
const GROUP_BYTES_MAX: u64 = 100_000_000;
/// Rows of a row group: beyond that, a loader that shuffles holds too many pictures.
const GROUP_ROWS_MAX: u64 = 1000;
/// Bytes of a row above which the viewer cuts cells.
const ROW_BYTES_MAX: u64 = 2_000_000;
/// Bytes of a file: what the Hub advises; it refuses at ten times as much.
const FILE_BYTES_MAX: u64 = 50_000_000_000;
/// Files of a folder, and of a repository.
const FOLDER_FILES_MAX: usize = 10_000;
const FILES_MAX: usize = 100_000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It works, but not as well as it could.
    Advice,
    /// Somebody will not be able to read it, or not all of it.
    Broken,
}

/// A limit that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// File or folder, below the one that was looked at.
    pub place: String,
    /// What is wrong, and what it costs.
    pub problem: String,
}

/// What was looked at, and found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitsReport {
    /// Parquet files.
    pub files: usize,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Largest row group, uncompressed.
    pub group_bytes_max: u64,
    /// Most rows of a row group.
    pub group_rows_max: u64,
    /// Everything that is not as it should be, by place.
    pub findings: Vec<Finding>,
}

impl LimitsReport {
    /// Whether everybody can read everything.
    pub fn is_readable(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight < Weight::Broken)
    }

    fn find(&mut self, weight: Weight, place: &str, problem: impl Into<String>) {
        self.findings.push(Finding { weight, place: place.to_owned(), problem: problem.into() });
    }
}

/// Looks at all Parquet files below `folder`. Reads footers, page indexes and the column `id`.
pub fn check_limits(folder: &Path) -> Result<LimitsReport, DatasetError> {
    let mut report = LimitsReport::default();
    let mut subsets: BTreeMap<String, Vec<Looked>> = BTreeMap::new();
    for (place, path) in parquet_files(folder, &mut report)? {
        let looked = look(&place, &path, &mut report)?;
        // Files of one folder are one subset, as the Hub's own rules have it.
        let parent = place.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        subsets.entry(parent).or_default().push(looked);
    }
    for (place, files) in &subsets {
        same_columns(place, files, &mut report);
        numbering(place, files, &mut report);
    }
    ids(&subsets, &mut report)?;
    report.findings.sort_by(|a, b| (&a.place, &a.problem).cmp(&(&b.place, &b.problem)));
    Ok(report)
}

/// What is kept of a file.
struct Looked {
    name: String,
    path: PathBuf,
    columns: String,
    features: Option<String>,
    has_id: bool,
}

/// Every Parquet file by its place, in order.
fn parquet_files(folder: &Path, report: &mut LimitsReport) -> Result<BTreeMap<String, PathBuf>, DatasetError> {
    let (mut found, mut all, mut folders) = (BTreeMap::new(), 0, vec![(String::new(), folder.to_owned())]);
    while let Some((place, path)) = folders.pop() {
        let mut here = 0;
        for entry in fs::read_dir(&path).map_err(error::io("read", &path))? {
            let entry = entry.map_err(error::io("read", &path))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let below = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            let is_hidden = name.starts_with('.');
            match entry.path() {
                path if path.is_dir() && !is_hidden => folders.push((below, path)),
                path if path.is_file() => {
                    here += 1;
                    if !is_hidden && path.extension().is_some_and(|extension| extension == "parquet") {
                        found.insert(below, path);
                    }
                }
                _ => {}
            }
        }
        all += here;
        if here > FOLDER_FILES_MAX {
            let problem = format!("{here} files in one folder; the Hub takes {FOLDER_FILES_MAX}");
            report.find(Weight::Broken, &place, problem);
        }
    }
    if all > FILES_MAX {
        report.find(Weight::Broken, "", format!("{all} files; the Hub advises {FILES_MAX} at most"));
    }
    Ok(found)
}

fn look(place: &str, path: &Path, report: &mut LimitsReport) -> Result<Looked, DatasetError> {
    let bytes = fs::metadata(path).map_err(error::io("read", path))?.len();
    let file = OpenFile::open(path)?;
    report.files += 1;
    report.rows += file.rows();
    report.bytes += bytes;
    if bytes > FILE_BYTES_MAX {
        report.find(Weight::Advice, place, format!("{bytes} bytes; the Hub advises {FILE_BYTES_MAX} at most"));
    }
    if file.rows() == 0 {
        report.find(Weight::Advice, place, "no rows");
    }
    groups(place, file.metadata(), report);
    let features = file.key("huggingface").map(str::to_owned);
    let arrow = file.schema();
    if features.is_none() && arrow.fields().iter().any(|field| field.name() == "image") {
        report.find(Weight::Broken, place, "no `huggingface` entry in the footer: pictures are shown as bytes");
    }
    // With their types and their order: what a reader compares before it reads files as one table.
    let columns: Vec<String> =
        arrow.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    Ok(Looked {
        name: place.rsplit('/').next().unwrap_or(place).to_owned(),
        path: path.to_owned(),
        has_id: arrow
            .column_with_name("id")
            .is_some_and(|(_, field)| *field.data_type() == arrow_schema::DataType::Utf8),
        columns: columns.join(", "),
        features,
    })
}

fn groups(place: &str, metadata: &ParquetMetaData, report: &mut LimitsReport) {
    let (mut unindexed, mut empty_pages) = (false, BTreeSet::new());
    let (mut largest, mut most) = (0, 0);
    let mut row_bytes = 0;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let bytes = group.total_byte_size().max(0) as u64;
        let rows = group.num_rows().max(0) as u64;
        largest = largest.max(bytes);
        most = most.max(rows);
        row_bytes = row_bytes.max(bytes / rows.max(1));
        unindexed |= group.columns().iter().any(|chunk| chunk.offset_index_offset().is_none());
        let pages = metadata.page_index_for_row_group(index);
        for (column, chunk) in group.columns().iter().enumerate() {
            let Some(offsets) = pages.offset_index(column) else { continue };
            let mut starts: Vec<i64> = offsets.page_locations().iter().map(|page| page.first_row_index).collect();
            starts.push(group.num_rows());
            if starts.windows(2).any(|pair| pair[0] >= pair[1]) {
                empty_pages.insert(chunk.column_path().string());
            }
        }
    }
    report.group_bytes_max = report.group_bytes_max.max(largest);
    report.group_rows_max = report.group_rows_max.max(most);
    if largest > SCAN_BYTES_MAX {
        let problem = format!("a row group of {largest} bytes; the viewer reads none above {SCAN_BYTES_MAX}");
        report.find(Weight::Broken, place, problem);
    } else if largest > GROUP_BYTES_MAX {
        let problem = format!("a row group of {largest} bytes; loaders hold a few at once, {GROUP_BYTES_MAX} is usual");
        report.find(Weight::Advice, place, problem);
    }
    if most > GROUP_ROWS_MAX && largest > GROUP_BYTES_MAX {
        report.find(Weight::Advice, place, format!("a row group of {most} rows; {GROUP_ROWS_MAX} is usual"));
    }
    if row_bytes > ROW_BYTES_MAX {
        let problem = format!("rows of some {row_bytes} bytes; the viewer cuts what is above {ROW_BYTES_MAX}");
        report.find(Weight::Advice, place, problem);
    }
    if unindexed {
        report.find(Weight::Advice, place, "no page index: the viewer reads whole row groups to show a few rows");
    }
    for column in empty_pages {
        let problem =
            format!("column `{column}` has a page without rows: readers on Arrow C++ lose the rows behind it");
        report.find(Weight::Broken, place, problem);
    }
}

/// All files of a folder can be read as one table.
fn same_columns(place: &str, files: &[Looked], report: &mut LimitsReport) {
    let Some((first, others)) = files.split_first() else { return };
    for file in others {
        if file.columns != first.columns {
            let problem = format!("{} and {} have different columns or types", first.name, file.name);
            report.find(Weight::Broken, place, problem);
        } else if file.features != first.features {
            let problem = format!("{} and {} say different things of their columns", first.name, file.name);
            report.find(Weight::Broken, place, problem);
        }
    }
}

/// Files that are numbered `-00000-of-00003` are all there.
fn numbering(place: &str, files: &[Looked], report: &mut LimitsReport) {
    let mut splits: BTreeMap<(&str, u64), BTreeSet<u64>> = BTreeMap::new();
    for file in files {
        let words: Vec<&str> = file.name.trim_end_matches(".parquet").rsplitn(4, '-').collect();
        if let [count, "of", index, split] = words.as_slice()
            && let (Ok(count), Ok(index)) = (count.parse(), index.parse())
        {
            splits.entry((split, count)).or_default().insert(index);
        }
    }
    for ((split, count), indexes) in splits {
        if indexes.len() as u64 != count || indexes.last().is_some_and(|last| *last >= count) {
            let problem = format!("`{split}` has {} of its {count} files", indexes.len());
            report.find(Weight::Broken, place, problem);
        }
    }
}

/// Ids ascend within a file, and `meta` has those of `pages`.
fn ids(subsets: &BTreeMap<String, Vec<Looked>>, report: &mut LimitsReport) -> Result<(), DatasetError> {
    let mut digests: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (place, files) in subsets {
        let mut sum = (0u64, 0u64);
        for file in files.iter().filter(|file| file.has_id) {
            let mut last: Option<String> = None;
            let mut sorted = true;
            for batch in OpenFile::open(&file.path)?.batches(&["id"], None)? {
                let batch = batch.map_err(|source| error::parquet("read", &file.path)(source.into()))?;
                let Some(column) = batch.columns().first().and_then(|column| column.as_string_opt::<i32>()) else {
                    continue;
                };
                for id in column.iter().flatten() {
                    sorted &= last.as_deref().is_none_or(|last| last <= id);
                    last = Some(id.to_owned());
                    let digest = item::Digest::of(id.as_bytes());
                    let word = u64::from_le_bytes(digest.as_bytes()[..8].try_into().unwrap_or_default());
                    sum = (sum.0 + 1, sum.1.wrapping_add(word));
                }
            }
            if !sorted {
                let problem = "rows are not in the order of their ids: reruns upload more than changed";
                report.find(Weight::Advice, &format!("{place}/{}", file.name), problem);
            }
        }
        digests.insert(place.rsplit('/').next().unwrap_or(place), sum);
    }
    if let (Some(pages), Some(meta)) = (digests.get("pages"), digests.get("meta"))
        && pages != meta
    {
        let problem = format!("`meta` has {} rows that do not join the {} of `pages`", meta.0, pages.0);
        report.find(Weight::Broken, "", problem);
    }
    Ok(())
}
