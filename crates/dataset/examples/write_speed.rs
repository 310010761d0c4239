//! Measures the shard writer: `tests/python/write_speed.py` runs this and pyarrow in turns, and says how they compare.
//!
//! `write_speed FOLDER ROWS IMAGE_BYTES HTML_BYTES NODES` writes shards below the folder, then encodes their rows again from memory,
//! and prints what both took as a line of JSON.
#![expect(clippy::print_stdout, reason = "an example that people run")]

use std::path::Path;
use std::time::{Duration, Instant};

use dataset::{ShardPolicy, ShardSetWriter, Subset, measure::ShardRows};
use item::{Attributes, Head, Item, ItemId, Node, Provenance, Snapshot, Viewport, name};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| arguments.get(index).map_or(Ok(default), |text| text.parse());
    let folder = arguments.first().map_or(Path::new("shards"), Path::new);
    let (rows, image_bytes, html_bytes) = (number(1, 1000)?, number(2, 300_000)?, number(3, 40_000)?);
    let nodes = u32::try_from(number(4, 200)?)?;

    let mut writer = ShardSetWriter::new(folder, ShardPolicy::default())?;
    let mut adding = Clock::default();
    for row in 0..rows {
        let page = page(row, image_bytes, html_bytes, nodes);
        adding.time(|| writer.add_page(&page))?;
    }
    let mut finishing = Clock::default();
    let subsets = finishing.time(|| writer.finish())?;
    let peak_mb = status("VmHWM:").unwrap_or(0) / 1000;

    let mut encoding = Clock::default();
    let out = folder.join("again.parquet");
    for subset in [Subset::Pages, Subset::Meta] {
        for shard in subsets[subset.name()].splits.values().flatten() {
            let rows = ShardRows::read(subset, &folder.join(&shard.path))?;
            encoding.time(|| rows.encode(&out))?;
            std::fs::remove_file(&out)?;
        }
    }
    let bytes: u64 = subsets.values().map(|subset| subset.bytes).sum();
    let shard_bytes_max =
        subsets.values().flat_map(|subset| subset.splits.values().flatten()).map(|shard| shard.bytes).max();
    println!(
        "{{\"rows\": {}, \"bytes\": {bytes}, \"shard_bytes_max\": {}, \"peak_mb\": {peak_mb}, \"add\": {adding}, \"finish\": {finishing}, \"encode\": {encoding}}}",
        subsets["pages"].rows + subsets["meta"].rows,
        shard_bytes_max.unwrap_or(0),
    );
    Ok(())
}

/// Time on the wall, and of all cores together.
#[derive(Default)]
struct Clock {
    wall: Duration,
    processor: Duration,
}

impl Clock {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (began, before) = (Instant::now(), processor());
        let done = work();
        self.wall += began.elapsed();
        self.processor += processor().saturating_sub(before);
        done
    }
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{{\"wall\": {:.3}, \"processor\": {:.3}}}", self.wall.as_secs_f64(), self.processor.as_secs_f64())
    }
}

/// What all threads of this process have computed so far; nothing where there is no `/proc`.
fn processor() -> Duration {
    const TICKS_A_SECOND: u64 = 100; // everywhere, for what `/proc` says
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    let user_and_system = behind_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = user_and_system.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_A_SECOND)
}

/// A number of `/proc/self/status`.
fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find(|line| line.starts_with(key))?.split_whitespace().nth(1)?.parse().ok()
}

/// A page of that size: noise for the picture, repetitive markup for the code, and nodes.
fn page(row: u64, image_bytes: u64, html_bytes: u64, nodes: u32) -> Item<Snapshot> {
    let mut state = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let screenshot: Vec<u8> = (0..image_bytes / 8).flat_map(|_| random().to_le_bytes()).collect();
    let mut html = String::new();
    while (html.len() as u64) < html_bytes {
        let (class, word) = (random() % 50, random() % 5000);
        html.push_str("<div class=\"c");
        html.push_str(&class.to_string());
        html.push_str("\"><p>word");
        html.push_str(&word.to_string());
        html.push_str(" and more</p></div>\n");
    }
    let nodes = (0..nodes)
        .map(|index| Node {
            tag: if index == 1 { "body" } else { "div" }.to_owned(),
            parent: index.checked_sub(1).map(|_| u32::from(index > 1)),
            range: Some((index * 40, index * 40 + 40)),
            text: format!("word{}", random() % 5000),
            visible: true,
            font_size: 16.0,
            color: "rgb(0, 0, 0)".to_owned(),
            background: "rgba(0, 0, 0, 0)".to_owned(),
            ..Node::default()
        })
        .collect();
    let provenance = Provenance { url: format!("https://example.com/{row}"), ..Provenance::default() };
    let digest = format!("{row:064x}"); // the stages before say it; here it is only as long
    let attributes = Attributes::new()
        .with(name::SCORE, 0.5)
        .with(name::TITLE, format!("Page {row}"))
        .with(name::HTML_SHA256, digest.clone())
        .with(name::SCREENSHOT_SHA256, digest);
    let viewport = Viewport { width: 1280, height: 720, device_scale_factor: 1.0 };
    Item {
        head: Head { id: ItemId::of_place("page", row), provenance, attributes },
        body: Snapshot { html, viewport, screenshot: screenshot.into(), width: 1280, height: 2000, nodes },
    }
}
