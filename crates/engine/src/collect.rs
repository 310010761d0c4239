//! Writing what a unit of work gave: items, their index, losses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use item::{Body, BodyKind, ContentHasher, Digest, Item, Loss};

use crate::flow::Collect;
use crate::ledger::IndexRow;
use crate::{EngineError, ItemWriter, RestError, RestFormat};

/// What the collector has written.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) items: u64,
    pub(crate) output: Digest,
    pub(crate) items_path: PathBuf,
    pub(crate) index_path: PathBuf,
    pub(crate) losses_path: PathBuf,
}

/// Writes rest files in a folder of its own.
pub(crate) struct RestCollector {
    format: Arc<dyn RestFormat>,
    writer: Box<dyn ItemWriter>,
    hasher: ContentHasher,
    index: Vec<u8>,
    losses: Vec<Loss>,
    collected: Collected,
}

impl RestCollector {
    pub(crate) fn create(format: &Arc<dyn RestFormat>, folder: &Path, kind: BodyKind) -> Result<Self, EngineError> {
        let extension = format.extension();
        let collected = Collected {
            items: 0,
            output: Digest::of(b""),
            items_path: folder.join(format!("items.{extension}")),
            index_path: folder.join("index.bin"),
            losses_path: folder.join(format!("losses.{extension}")),
        };
        let writer = format.create_items(&collected.items_path, kind)?;
        let hasher = ContentHasher::new("rest");
        Ok(Self { format: Arc::clone(format), writer, hasher, index: Vec::new(), losses: Vec::new(), collected })
    }
}

impl Collect for RestCollector {
    fn take(&mut self, items: Vec<Item<Body>>, losses: Vec<Loss>) -> Result<(), EngineError> {
        for item in &items {
            let (digest, body) = (item.digest(), item.body.digest());
            let row = IndexRow { id: item.head.id, digest, body, bytes: item.size_bytes() as u64 };
            row.write(&mut self.index);
            self.hasher.add_digest(&row.digest);
        }
        self.collected.items += items.len() as u64;
        self.writer.write(&items)?;
        self.losses.extend(losses);
        Ok(())
    }

    fn finish(self) -> Result<Collected, EngineError> {
        let Self { format, writer, mut hasher, index, losses, mut collected } = self;
        writer.finish()?;
        let path = collected.index_path.clone();
        std::fs::write(&path, index).map_err(|error| RestError::new(format!("write `{}`", path.display()), error))?;
        format.write_losses(&collected.losses_path, &losses)?;
        // Losses are part of the result: the sink publishes them.
        for loss in &losses {
            hasher.add_bytes(loss.id.as_bytes()).add_text(&loss.stage).add_text(&loss.rule).add_text(&loss.detail);
        }
        collected.output = hasher.finish();
        Ok(collected)
    }
}
