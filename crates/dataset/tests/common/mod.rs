//! Rows for tests.

use item::{Attributes, Head, Item, ItemId, Loss, LossKind, Node, Provenance, Rect, Snapshot, Viewport, name};

/// A PNG of that size, its pixels a pattern of `seed`.
pub(crate) fn png(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let noise = (x ^ y).wrapping_mul(0x9E37_79B9).wrapping_add(seed.wrapping_mul(0x85EB_CA6B));
        image::Rgb([(noise >> 8) as u8, (noise >> 16) as u8, (noise >> 24) as u8])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture in memory");
    bytes.into_inner()
}

/// The `number`-th page, with every attribute that has a column.
pub(crate) fn page(number: u32, split: &str, width: u32, height: u32) -> Item<Snapshot> {
    let html = format!("<!doctype html><html><body><h1>Page {number} – é 日本</h1>{}</body></html>", "<p>x".repeat(50));
    let node = |tag: &str, parent: Option<u32>, text: &str| Node {
        tag: tag.to_owned(),
        parent,
        rect: Rect { x: 0.0, y: 1.5, width: width as f32, height: 20.25 },
        range: parent.map(|_| (15, html.len() as u32)),
        role: (tag == "h1").then(|| "heading".to_owned()),
        text: text.to_owned(),
        style: None,
        visible: true,
        font_size: 16.0,
        color: "rgb(0, 0, 0)".to_owned(),
        background: "rgba(0, 0, 0, 0)".to_owned(),
        font_weight: 400,
        font_family: "serif".to_owned(),
        ..Node::default()
    };
    let nodes = vec![node("html", None, ""), node("body", Some(0), ""), node("h1", Some(1), "Page – é 日本")];
    let attributes = Attributes::new()
        .with(name::TITLE, format!("Page {number}"))
        .with(name::LANG, "en")
        .with(name::CSS_TOKENS, 12u32)
        .with(name::HTML_TOKENS, 340u32)
        .with(name::SCORE, 0.71)
        .with(name::SCORER, "baseline 1")
        .with(name::PAGE_HEIGHT, height)
        .with(name::PAGE_WIDTH, width)
        .with(name::CLUSTER, "c")
        .with(name::CLUSTER_SIZE, 2u32)
        .with(name::SPLIT, split);
    let provenance = Provenance {
        url: format!("https://example.com/{number}"),
        domain: "example.com".to_owned(),
        crawl: "CC-MAIN-2024-51".to_owned(),
        warc_filename: "a.warc.gz".to_owned(),
        warc_record_offset: u64::from(number) * 1000,
        warc_record_length: 900,
        fetched_at: "2024-12-01T00:00:00Z".to_owned(),
    };
    let viewport = Viewport { width, height: 720, device_scale_factor: 1.0 };
    let screenshot = png(width, height, number).into();
    Item {
        head: Head { id: ItemId::of_place("page", u64::from(number)), provenance, attributes },
        body: Snapshot { html, viewport, screenshot, width, height, nodes },
    }
}

pub(crate) fn loss(number: u32) -> Loss {
    Loss {
        id: ItemId::of_place("loss", u64::from(number)),
        provenance: Provenance { url: format!("https://example.com/{number}"), ..Provenance::default() },
        stage: "clean".to_owned(),
        kind: if number.is_multiple_of(2) { LossKind::Rejected } else { LossKind::Failed },
        rule: "too-short".to_owned(),
        detail: format!("{number} characters, the least is 200"),
    }
}
