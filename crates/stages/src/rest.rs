//! Rest files in Parquet: the engine's port, answered by `dataset`.

use std::ops::Range;
use std::path::Path;

use ::dataset::rest;
use engine::{HeadReader, ItemReader, ItemWriter, LossReader, RestError, RestFormat};
use item::{BodyKind, Item, Loss};

/// Parquet files that a user can open with any tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParquetRest;

fn writing(path: &Path) -> impl FnOnce(::dataset::DatasetError) -> RestError {
    let doing = format!("write `{}`", path.display());
    |error| RestError::new(doing, error)
}

fn reading(path: &Path) -> impl Fn(::dataset::DatasetError) -> RestError + Send + 'static {
    let doing = format!("read `{}`", path.display());
    move |error| RestError::new(doing.clone(), error)
}

struct Writer(rest::ItemWriter, std::path::PathBuf);

impl ItemWriter for Writer {
    fn write(&mut self, items: &[Item]) -> Result<(), RestError> {
        self.0.write(items).map_err(writing(&self.1))
    }

    fn finish(self: Box<Self>) -> Result<(), RestError> {
        self.0.finish().map(drop).map_err(writing(&self.1))
    }
}

impl RestFormat for ParquetRest {
    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn create_items(&self, path: &Path, kind: BodyKind) -> Result<Box<dyn ItemWriter>, RestError> {
        let writer = rest::ItemWriter::create(path, kind).map_err(writing(path))?;
        Ok(Box::new(Writer(writer, path.to_owned())))
    }

    fn read_items(&self, path: &Path, rows: Range<u64>) -> Result<ItemReader, RestError> {
        let trouble = reading(path);
        let batches = rest::read_item_rows(path, rows).map_err(&trouble)?;
        Ok(Box::new(batches.map(move |batch| batch.map_err(&trouble))))
    }

    fn read_heads(&self, path: &Path) -> Result<HeadReader, RestError> {
        let trouble = reading(path);
        let batches = rest::read_heads(path).map_err(&trouble)?;
        Ok(Box::new(batches.map(move |batch| batch.map_err(&trouble))))
    }

    fn write_losses(&self, path: &Path, losses: &[Loss]) -> Result<(), RestError> {
        let mut writer = rest::LossWriter::create(path).map_err(writing(path))?;
        writer.write(losses).map_err(writing(path))?;
        writer.finish().map(drop).map_err(writing(path))
    }

    fn read_losses(&self, path: &Path) -> Result<LossReader, RestError> {
        let trouble = reading(path);
        let batches = rest::read_losses(path).map_err(&trouble)?;
        Ok(Box::new(batches.map(move |batch| batch.map_err(&trouble))))
    }
}
