//! Measures the shard writer: `cargo run --release -p dataset --example write_speed -- FOLDER ROWS IMAGE_BYTES HTML_BYTES NODES`.
//! `tests/python/write_speed.py FOLDER` then writes the same rows with pyarrow.
#![expect(clippy::print_stdout, reason = "an example that people run")]

use std::path::Path;
use std::time::Instant;

use dataset::{ShardPolicy, ShardSetWriter};
use item::{Attributes, Head, Item, ItemId, Node, Provenance, Snapshot, Viewport, name};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| arguments.get(index).map_or(Ok(default), |text| text.parse());
    let folder = arguments.first().map_or(Path::new("shards"), Path::new);
    let (rows, image_bytes, html_bytes) = (number(1, 1000)?, number(2, 300_000)?, number(3, 40_000)?);
    let nodes = u32::try_from(number(4, 200)?)?;

    let mut writer = ShardSetWriter::new(folder, ShardPolicy::default())?;
    let start = Instant::now();
    let mut making = std::time::Duration::ZERO;
    for row in 0..rows {
        let began = Instant::now();
        let page = page(row, image_bytes, html_bytes, nodes);
        making += began.elapsed();
        writer.add_page(&page)?;
    }
    let added = start.elapsed().saturating_sub(making);
    let finishing = Instant::now();
    let subsets = writer.finish()?;
    let (finished, seconds) = (finishing.elapsed(), (added + finishing.elapsed()).as_secs_f64());
    let raw = (rows * (image_bytes + html_bytes)) as f64 / 1e6;
    println!("added in {added:.2?}, finished in {finished:.2?}");
    println!("{:.0} rows/s, {:.0} MB/s of image and HTML", rows as f64 / seconds, raw / seconds);
    let bytes: u64 = subsets.values().map(|subset| subset.bytes).sum();
    println!("{} shards of `pages`, {:.1} MB in all", subsets["pages"].splits["train"].len(), bytes as f64 / 1e6);
    Ok(())
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
    let attributes = Attributes::new().with(name::SCORE, 0.5).with(name::TITLE, format!("Page {row}"));
    let viewport = Viewport { width: 1280, height: 720, device_scale_factor: 1.0 };
    Item {
        head: Head { id: ItemId::of_place("page", row), provenance, attributes },
        body: Snapshot { html, viewport, screenshot: screenshot.into(), width: 1280, height: 2000, nodes },
    }
}
