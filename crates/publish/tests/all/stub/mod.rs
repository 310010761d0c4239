//! Servers for tests, and a dataset to publish.

mod bucket;
pub(crate) mod http;
pub(crate) mod hub;

use std::path::Path;
use std::time::Duration;

use dataset::{Manifest, ShardPolicy, ShardSetWriter};
use item::{Attributes, Head, Item, ItemId, Loss, LossKind, Node, Provenance, Snapshot, Viewport, name};
use publish::{Hub, HubOptions, Patience, Publication, PublishedFile, Token};

pub(crate) use bucket::StubBucket;
pub(crate) use hub::{Closed, Fault, StubHub, TOKEN, sha256};

/// Waits of milliseconds: what is tested is that it waits, and what for.
pub(crate) const PATIENCE: Patience = Patience {
    attempts_max: 6,
    wait_min: Duration::from_millis(5),
    wait_max: Duration::from_millis(40),
    asked_wait_max: Duration::from_secs(5),
    silence_max: Duration::from_millis(1500),
};

/// A small card of a fixed text behind whatever the user wrote.
pub(crate) fn card(old: Option<&str>) -> String {
    let mark = "<!-- made -->";
    let own = old.and_then(|old| old.split_once(mark)).map_or("", |(own, _)| own);
    format!("{own}{mark}\n# A dataset\n")
}

/// A dataset of so many pages in shards of some ten kilobytes, below `folder`.
pub(crate) fn dataset(folder: &Path, pages: u32) -> Publication {
    let policy = ShardPolicy { shard_bytes: 40_000, row_group_bytes: 20_000, row_group_rows: 100 };
    dataset_by(folder, pages, policy)
}

pub(crate) fn dataset_by(folder: &Path, pages: u32, policy: ShardPolicy) -> Publication {
    dataset_of(folder, &Pages { count: pages, side: 40, changed_every: None }, policy)
}

/// Pages of a dataset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages {
    pub(crate) count: u32,
    /// Height of the pictures in pixels.
    pub(crate) side: u32,
    /// One in so many has another picture than it had.
    pub(crate) changed_every: Option<u32>,
}

pub(crate) fn dataset_of(folder: &Path, pages: &Pages, policy: ShardPolicy) -> Publication {
    let mut writer = ShardSetWriter::new(folder, policy).expect("a folder");
    for number in 0..pages.count {
        let changed = pages.changed_every.is_some_and(|every| number % every == every / 2);
        let salt = if changed { pages.count + number } else { number };
        writer.add_page(&page(number, salt, pages.side)).expect("a page");
        writer.add_loss(&loss(number)).expect("a loss");
    }
    let manifest = Manifest::new("demo", writer.finish().expect("shards"));
    let publication = Publication::new(&manifest, folder).expect("a publication");
    publication.with(PublishedFile::document("croissant.json", b"{}\n".to_vec()))
}

pub(crate) fn hub(stub: &StubHub, options: HubOptions) -> Hub {
    let token = Some(Token::new(TOKEN));
    Hub { endpoint: stub.endpoint.clone(), id: "org/set".to_owned(), token, patience: PATIENCE, options }
}

fn page(number: u32, salt: u32, side: u32) -> Item<Snapshot> {
    let picture = image::RgbImage::from_fn(64, side, |x, y| {
        // Mixed well, so that no picture is like another one and nothing can be compressed.
        let mut noise = (x | (y << 16)) ^ salt.wrapping_mul(0x9E37_79B9);
        noise = (noise ^ (noise >> 16)).wrapping_mul(0x7FEB_352D);
        noise = (noise ^ (noise >> 15)).wrapping_mul(0x846C_A68B);
        image::Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let mut screenshot = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut screenshot, image::ImageFormat::Png).expect("a picture in memory");
    let html = format!("<!doctype html><html><body><h1>Page {number}</h1></body></html>");
    let node = |tag: &str, parent| Node { tag: tag.to_owned(), parent, visible: true, ..Node::default() };
    let split = if number.is_multiple_of(4) { "test" } else { "train" };
    Item {
        head: Head {
            id: ItemId::of_place("page", u64::from(number)),
            provenance: Provenance { url: format!("https://example.com/{number}"), ..Provenance::default() },
            attributes: Attributes::new().with(name::SPLIT, split).with(name::SCORE, 0.5),
        },
        body: Snapshot {
            html,
            viewport: Viewport { width: 64, height: side, device_scale_factor: 1.0 },
            screenshot: screenshot.into_inner().into(),
            width: 64,
            height: side,
            nodes: vec![node("html", None), node("body", Some(0)), node("h1", Some(1))],
        },
    }
}

fn loss(number: u32) -> Loss {
    Loss {
        id: ItemId::of_place("loss", u64::from(number)),
        provenance: Provenance { url: format!("https://example.org/{number}"), ..Provenance::default() },
        stage: "clean".to_owned(),
        kind: LossKind::Rejected,
        rule: "blank".to_owned(),
        detail: String::new(),
    }
}
