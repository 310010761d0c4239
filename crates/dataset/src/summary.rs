//! What a Parquet file is made of, for people.

use std::fmt;
use std::path::Path;

use crate::error::DatasetError;
use crate::files::{LAYOUT_KEY, OpenFile};

/// Shape of a Parquet file, from its footer alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// Rows in the file.
    pub rows: u64,
    /// What wrote it.
    pub created_by: String,
    /// Our name and version of the layout, if it is one of ours.
    pub layout: Option<String>,
    /// `datasets` finds its column types.
    pub huggingface: bool,
    /// Pages end where the content says so.
    pub content_defined_chunking: bool,
    /// Every column has an offset index.
    pub page_index: bool,
    /// Row groups in their order.
    pub row_groups: Vec<RowGroupSummary>,
    /// Leaf columns in their order.
    pub columns: Vec<ColumnSummary>,
}

/// One row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowGroupSummary {
    /// Rows in it.
    pub rows: u64,
    /// Bytes in the file.
    pub bytes: u64,
    /// Bytes uncompressed.
    pub uncompressed_bytes: u64,
}

/// One leaf column over all row groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSummary {
    /// Dotted path.
    pub path: String,
    /// Physical type.
    pub physical_type: String,
    /// Compression, such as `ZSTD` or `UNCOMPRESSED`.
    pub compression: String,
    /// Some row group has a dictionary for it.
    pub dictionary: bool,
    /// The chunks have minimum and maximum.
    pub statistics: bool,
    /// Bytes in the file.
    pub bytes: u64,
    /// Bytes uncompressed.
    pub uncompressed_bytes: u64,
}

impl FileSummary {
    /// Reads the footer of a file.
    pub fn read(path: &Path) -> Result<Self, DatasetError> {
        let file = OpenFile::open(path)?;
        let metadata = file.metadata();
        let size = |bytes: i64| bytes.max(0) as u64;
        let row_groups: Vec<RowGroupSummary> = metadata
            .row_groups()
            .iter()
            .map(|group| RowGroupSummary {
                rows: size(group.num_rows()),
                bytes: size(group.compressed_size()),
                uncompressed_bytes: size(group.total_byte_size()),
            })
            .collect();
        let leaves = metadata.file_metadata().schema_descr().columns();
        let columns = leaves.iter().enumerate().map(|(index, leaf)| {
            let chunks: Vec<_> = metadata.row_groups().iter().map(|group| group.column(index)).collect();
            let compression = chunks.first().map(|chunk| chunk.compression().to_string()).unwrap_or_default();
            ColumnSummary {
                path: leaf.path().string(),
                physical_type: leaf.physical_type().to_string(),
                compression: compression.split('(').next().unwrap_or_default().to_owned(),
                dictionary: chunks.iter().any(|chunk| chunk.dictionary_page_offset().is_some()),
                statistics: chunks.iter().any(|chunk| chunk.statistics().is_some()),
                bytes: chunks.iter().map(|chunk| size(chunk.compressed_size())).sum(),
                uncompressed_bytes: chunks.iter().map(|chunk| size(chunk.uncompressed_size())).sum(),
            }
        });
        let has_index = |group: &parquet::file::metadata::RowGroupMetaData| {
            group.columns().iter().all(|chunk| chunk.offset_index_offset().is_some())
        };
        Ok(Self {
            rows: file.rows(),
            created_by: metadata.file_metadata().created_by().unwrap_or("unknown").to_owned(),
            layout: file.key(LAYOUT_KEY).map(str::to_owned),
            huggingface: file.key("huggingface").is_some(),
            content_defined_chunking: file.key("content_defined_chunking").is_some(),
            page_index: metadata.row_groups().iter().all(has_index),
            columns: columns.collect(),
            row_groups,
        })
    }
}

impl fmt::Display for FileSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let bytes: u64 = self.row_groups.iter().map(|group| group.bytes).sum();
        writeln!(f, "rows         {}", self.rows)?;
        writeln!(f, "bytes        {}", megabytes(bytes))?;
        writeln!(f, "layout       {}", self.layout.as_deref().unwrap_or("not one of ours"))?;
        writeln!(f, "created by   {}", self.created_by)?;
        writeln!(
            f,
            "page index   {}, content-defined chunking {}, huggingface features {}",
            yes(self.page_index),
            yes(self.content_defined_chunking),
            yes(self.huggingface)
        )?;
        writeln!(f, "\nrow group       rows        bytes  uncompressed")?;
        for (index, group) in self.row_groups.iter().enumerate() {
            let (bytes, uncompressed) = (megabytes(group.bytes), megabytes(group.uncompressed_bytes));
            writeln!(f, "{index:>9} {:>10} {bytes:>12} {uncompressed:>13}", group.rows)?;
        }
        writeln!(f, "\n{:<36} {:<11} {:<13} {:>12} {:>13}", "column", "type", "compression", "bytes", "uncompressed")?;
        for column in &self.columns {
            let (bytes, uncompressed) = (megabytes(column.bytes), megabytes(column.uncompressed_bytes));
            let dictionary = if column.dictionary { ", dictionary" } else { "" };
            writeln!(
                f,
                "{:<36} {:<11} {:<13} {bytes:>12} {uncompressed:>13}{dictionary}",
                column.path, column.physical_type, column.compression
            )?;
        }
        Ok(())
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.3} MB", bytes as f64 / 1e6)
}
