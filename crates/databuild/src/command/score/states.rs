//! `databuild score states DATASET`: pages, damaged copies of them and non-pages, to train and test a scorer on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use dataset::{Columns, Manifest, PageRow, ShardReader, StateRow, StateWriter};
use item::{ContentHasher, Digest, ItemId, Snapshot};
use rayon::prelude::*;
use render::{Farm, RenderOutcome, RenderPolicy};
use synth::metric::{LAYOUT_FEATURES, LAYOUT_SET, Picture, layout_features};
use synth::states::{State, States, StatesPolicy};
use synth::verify::{Renderer, Shot};

use crate::cli::ScoreStatesArgs;
use crate::command::Outcome;
use crate::command::verify::{local_dataset, open, policy, read_manifest, start_farm};
use crate::error::CommandError;
use crate::printer::Printer;

/// Pages that are worked on at once: a dozen screenshots each.
const PAGES_AT_ONCE: usize = 8;

/// The file in the output folder.
const FILE: &str = "states-00000.parquet";

pub(super) fn states(args: &ScoreStatesArgs, printer: Printer) -> Outcome {
    let folder = local_dataset(&args.dataset)?;
    let manifest = read_manifest(&folder)?;
    let choice = Choice { pages: args.pages, per_site: args.per_site, skip: args.skip, css_min: args.css_min };
    let chosen = choice.make(&folder, &manifest)?;
    let farm = start_farm(args.chrome.as_deref(), args.tabs)?;
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("create the folder `{}`", args.out.display()))
        .map_err(CommandError::environment)?;
    let path = args.out.join(FILE);
    let mut writer = StateWriter::create(&path, LAYOUT_SET, &LAYOUT_FEATURES).map_err(CommandError::environment)?;
    let maker = Maker {
        farm: &farm,
        height_max: args.height_max,
        policy: StatesPolicy { damages: args.damages, non_pages: args.non_pages, ..StatesPolicy::default() },
    };
    let (mut books, mut done) = (Books::default(), 0);
    let total: usize = chosen.iter().map(|(_, ids)| ids.len()).sum();
    for (shard, ids) in &chosen {
        let reader = open(&folder.join(shard))?;
        for ids in ids.chunks(PAGES_AT_ONCE) {
            let rows = reader.pages_by_id(ids, Columns { text: true, image: true, nodes: false });
            let rows: Vec<PageRow> = rows
                .and_then(Iterator::collect)
                .map_err(|error| CommandError::environment(anyhow::Error::from(error)))?;
            // In the order of the rows, whoever is done first.
            let made: Vec<_> = rows.par_iter().map(|row| maker.of_row(row)).collect();
            for (row, made) in rows.iter().zip(made) {
                for state in books.add(made) {
                    writer.push(&state_row(row, state)).map_err(CommandError::environment)?;
                }
            }
            done += rows.len();
            printer.note(&format!("{done} of {total} pages"));
        }
    }
    farm.shutdown();
    let summary = writer.finish().map_err(CommandError::environment)?;
    books.say(printer);
    printer.data(&format!("{}: {} states", path.display(), summary.rows));
    Ok(())
}

/// Which pages are taken: by hash of the id, so that a larger number contains the smaller; not more than some of one site. A page that
/// has lost its style looks no better than its damaged copy, and would teach just that: such pages are no originals.
struct Choice {
    pages: Option<usize>,
    per_site: usize,
    skip: usize,
    css_min: i64,
}

impl Choice {
    fn make(&self, folder: &Path, manifest: &Manifest) -> Result<Vec<(String, Vec<ItemId>)>, CommandError> {
        let mut all: Vec<(Digest, usize, ItemId, String)> = Vec::new();
        let shards: Vec<String> =
            manifest.shards().filter(|shard| shard.subset == "pages").map(|shard| shard.path.clone()).collect();
        for (number, shard) in shards.iter().enumerate() {
            for row in read(&open(&folder.join(shard))?)? {
                let is_page = row.part_of.is_none() && row.view.as_deref().is_none_or(|view| view == "main");
                if is_page && row.css_bytes.unwrap_or(0) >= self.css_min {
                    let lot = ContentHasher::new("states").add_bytes(row.id.as_bytes()).finish();
                    all.push((lot, number, row.id, row.domain));
                }
            }
        }
        all.sort_unstable();
        let mut of_site: BTreeMap<String, usize> = BTreeMap::new();
        all.retain(|(_, _, _, site)| {
            let taken = of_site.entry(site.clone()).or_default();
            *taken += 1;
            *taken <= self.per_site
        });
        let mut chosen: Vec<(String, Vec<ItemId>)> = shards.into_iter().map(|shard| (shard, Vec::new())).collect();
        for (_, number, id, _) in all.into_iter().skip(self.skip).take(self.pages.unwrap_or(usize::MAX)) {
            chosen[number].1.push(id);
        }
        chosen.retain(|(_, ids)| !ids.is_empty());
        Ok(chosen)
    }
}

fn read(reader: &ShardReader) -> Result<Vec<PageRow>, CommandError> {
    let rows = reader.pages(Columns::LIGHT).and_then(Iterator::collect);
    rows.map_err(|error| CommandError::environment(anyhow::Error::from(error)))
}

struct Maker<'a> {
    farm: &'a Farm,
    height_max: u32,
    policy: StatesPolicy,
}

impl Maker<'_> {
    /// The states of a row, or why there are none. Damages are a matter of what is seen, so the page is cut before they are made.
    fn of_row(&self, row: &PageRow) -> Result<States, String> {
        let (Some(html), Some(image)) = (&row.text, &row.image) else {
            return Err("code or screenshot is missing in the row".into());
        };
        let view = policy(row.viewport, row.color_scheme.as_deref(), row.reduced_motion, row.image_format.as_deref())?;
        let page = InView { farm: self.farm, policy: RenderPolicy { height_max: self.height_of(row), ..view } };
        let mut nodes = page.render(html)?.nodes;
        stages::place_in_code(&mut nodes, html);
        let stored = Picture::from_encoded(image).map_err(|error| error.to_string())?;
        let top = Picture::from_fn(stored.width(), stored.height().min(self.height_max), |x, y| stored.pixel(x, y));
        let snapshot = Snapshot {
            html: html.clone(),
            viewport: row.viewport,
            width: top.width(),
            height: top.height(),
            screenshot: top.to_png().into(),
            nodes,
        };
        Ok(synth::states::states(&snapshot, &self.policy, &page))
    }

    /// A page that was cut is cut at the same place; a damaged copy of one that was not may be taller than the page.
    fn height_of(&self, row: &PageRow) -> u32 {
        let scale = row.viewport.device_scale_factor;
        let stored = (f64::from(row.scale.1) / scale).round() as u32;
        let is_cut = row.page_height.is_some_and(|height| height > i64::from(stored));
        if is_cut { stored.min(self.height_max) } else { self.height_max }
    }
}

/// Renders as one row was rendered.
struct InView<'a> {
    farm: &'a Farm,
    policy: RenderPolicy,
}

impl Renderer for InView<'_> {
    fn render(&self, html: &str) -> Result<Shot, String> {
        match self.farm.render(html, &self.policy) {
            RenderOutcome::Rendered(rendered) => {
                let render::Rendered { screenshot, width, height, nodes, .. } = rendered;
                Ok(Shot { screenshot, width, height, nodes })
            }
            RenderOutcome::Refused(rejection) => Err(rejection.detail),
            RenderOutcome::Failed(failure) => Err(failure.message),
        }
    }
}

/// How many states there are of each kind, and how many were left out.
#[derive(Default)]
struct Books {
    made: BTreeMap<(&'static str, &'static str, u8), usize>,
    left_out: BTreeMap<String, usize>,
}

impl Books {
    fn add(&mut self, made: Result<States, String>) -> Vec<State> {
        let States { states, left_out } = match made {
            Ok(made) => made,
            Err(why) => {
                *self.left_out.entry(format!("page not shown: {why}")).or_default() += 1;
                return Vec::new();
            }
        };
        for (why, count) in left_out {
            *self.left_out.entry(why.to_owned()).or_default() += count;
        }
        for State { kind, .. } in &states {
            *self.made.entry((kind.family(), kind.name(), kind.severity())).or_default() += 1;
        }
        states
    }

    fn say(&self, printer: Printer) {
        for ((family, kind, severity), count) in &self.made {
            printer.data(&format!("{family:<9} {kind:<20} {severity} {count:>7}"));
        }
        for (why, count) in &self.left_out {
            printer.data(&format!("left out, {why}: {count}"));
        }
    }
}

fn state_row(row: &PageRow, state: State) -> StateRow {
    let State { kind, changed, shot } = state;
    let scale = row.viewport.device_scale_factor as f32;
    let features = layout_features(&shot.nodes, shot.width as f32 / scale, shot.height as f32 / scale);
    StateRow {
        page: row.id,
        site: row.domain.clone(),
        split: split_of(&row.domain).to_owned(),
        kind: kind.name().to_owned(),
        family: kind.family().to_owned(),
        principle: kind.principle().map(str::to_owned),
        severity: kind.severity(),
        changed,
        width: shot.width,
        height: shot.height,
        picture: shot.screenshot,
        features: features.to_vec(),
    }
}

/// By hash of the site: seven tenths to train on, one to set thresholds with, two to test on.
fn split_of(site: &str) -> &'static str {
    match ContentHasher::new("states-split").add_text(site).finish().as_bytes()[0] % 10 {
        0..=6 => "train",
        7 => "validation",
        _ => "test",
    }
}

#[cfg(test)]
mod tests {
    use super::split_of;

    #[test]
    fn a_site_is_in_one_split() {
        let sites: Vec<String> = (0..1000).map(|number| format!("site-{number}.example")).collect();
        let count = |split| sites.iter().filter(|site| split_of(site) == split).count();
        let counts = [count("train"), count("validation"), count("test")];
        assert_eq!(counts.iter().sum::<usize>(), 1000);
        assert!(counts[0] > 600 && counts[1] > 50 && counts[2] > 130, "{counts:?}");
    }
}
