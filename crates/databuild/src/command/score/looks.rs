//! What can be scored: pictures, pages of archives that are rendered first, rows of datasets.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use dataset::{Columns, PageRow, ShardReader};
use item::{Node, Snapshot, Viewport};
use render::{Farm, RenderOutcome, RenderPolicy, Rendered};

use crate::command::pages_of::{NamedPage, cleaned};
use crate::command::verify::{local_dataset, open, read_manifest};
use crate::error::CommandError;

/// A picture to score, and its layout where there is a page.
pub(super) struct Shown {
    /// File, URL or both.
    pub(super) name: String,
    pub(super) snapshot: Snapshot,
}

/// What a path is.
enum Kind {
    Pictures(Vec<PathBuf>),
    Shards(Vec<PathBuf>),
    Pages,
}

/// Hands everything at the path to `each`; `farm` is asked for a farm when pages have to be rendered.
pub(super) fn each_look<'f>(
    path: &Path,
    limit: Option<usize>,
    farm: &dyn Fn() -> Result<&'f Farm, CommandError>,
    each: &mut dyn FnMut(Result<Shown, (String, String)>),
) -> Result<(), CommandError> {
    match kind_of(path)? {
        Kind::Pictures(pictures) => {
            for picture in spread(pictures, limit) {
                let name = picture.display().to_string();
                each(
                    std::fs::read(&picture)
                        .map(|bytes| of_picture(&name, bytes.into()))
                        .map_err(|error| (name.clone(), error.to_string())),
                );
            }
        }
        Kind::Shards(shards) => {
            let mut left = limit.unwrap_or(usize::MAX);
            for shard in shards {
                left -= rows(&open(&shard)?, left, each)?;
            }
        }
        Kind::Pages => {
            let farm = farm()?;
            for NamedPage { name, html } in cleaned(path, limit)? {
                each(render(farm, &name, &html).map_err(|why| (name, why)));
            }
        }
    }
    Ok(())
}

fn kind_of(path: &Path) -> Result<Kind, CommandError> {
    let has = |path: &Path, endings: &[&str]| {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        endings.contains(&ending.as_str())
    };
    let is_picture = |path: &Path| has(path, &["png", "webp", "jpg", "jpeg"]);
    if !path.is_dir() {
        return Ok(if is_picture(path) {
            Kind::Pictures(vec![path.to_owned()])
        } else if has(path, &["parquet"]) {
            Kind::Shards(vec![path.to_owned()])
        } else {
            Kind::Pages
        });
    }
    if path.join("manifest.json").is_file() {
        let folder = local_dataset(path)?;
        let manifest = read_manifest(&folder)?;
        let shards = manifest.shards().filter(|shard| shard.subset == "pages");
        return Ok(Kind::Shards(shards.map(|shard| folder.join(&shard.path)).collect()));
    }
    let entries = std::fs::read_dir(path).map_err(CommandError::environment)?;
    let mut pictures: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_picture(path)).collect();
    pictures.sort();
    Ok(if pictures.is_empty() { Kind::Pages } else { Kind::Pictures(pictures) })
}

fn spread<T>(all: Vec<T>, limit: Option<usize>) -> impl Iterator<Item = T> {
    let step = limit.map_or(1, |limit| all.len() / limit.max(1)).max(1);
    all.into_iter().step_by(step).take(limit.unwrap_or(usize::MAX))
}

/// A picture alone: nothing is known of its layout.
fn of_picture(name: &str, picture: Bytes) -> Shown {
    let viewport = Viewport { width: 0, height: 0, device_scale_factor: 1.0 };
    let snapshot =
        Snapshot { html: String::new(), viewport, screenshot: picture, width: 0, height: 0, nodes: Vec::new() };
    Shown { name: name.to_owned(), snapshot }
}

fn rows(
    shard: &ShardReader,
    limit: usize,
    each: &mut dyn FnMut(Result<Shown, (String, String)>),
) -> Result<usize, CommandError> {
    let rows = shard.pages(Columns { text: false, image: true, nodes: true }).map_err(CommandError::environment)?;
    let mut count = 0;
    for row in rows.take(limit) {
        let row = row.map_err(CommandError::environment)?;
        let name = format!("{} {}", row.id, row.url);
        each(of_row(name.clone(), row).ok_or_else(|| (name, "the row has no picture".to_owned())));
        count += 1;
    }
    Ok(count)
}

fn of_row(name: String, row: PageRow) -> Option<Shown> {
    let PageRow { image, nodes, viewport, scale: (width, height), .. } = row;
    Some(Shown { name, snapshot: snapshot(image?, (width, height), viewport, nodes.unwrap_or_default()) })
}

fn snapshot(screenshot: Bytes, (width, height): (u32, u32), viewport: Viewport, nodes: Vec<Node>) -> Snapshot {
    Snapshot { html: String::new(), viewport, screenshot, width, height, nodes }
}

fn render(farm: &Farm, name: &str, html: &str) -> Result<Shown, String> {
    let policy = RenderPolicy::accept_all();
    match farm.render(html, &policy) {
        RenderOutcome::Rendered(Rendered { screenshot, nodes, width, height, .. }) => {
            let snapshot = snapshot(screenshot, (width, height), policy.viewport, nodes);
            Ok(Shown { name: name.to_owned(), snapshot })
        }
        RenderOutcome::Refused(rejection) => Err(rejection.detail),
        RenderOutcome::Failed(failure) => Err(failure.message),
    }
}
