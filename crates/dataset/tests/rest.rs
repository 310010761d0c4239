//! Items that rest come back as they were.

use std::path::Path;

use dataset::DatasetError;
use dataset::rest::{ItemWriter, LossWriter, read_heads, read_items, read_losses};
use item::{
    Attributes, Body, BodyKind, Capture, CharsetSource, Head, Item, ItemId, Loss, LossKind, Node, Page, Provenance,
    Rect, Refusal, Sample, Shown, Snapshot, Task, Triple, Value, Viewport, Visibility, Wording, Worse,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        vec(-1e300..1e300, 0..4).prop_map(Value::Floats),
    ]
}

fn head() -> impl Strategy<Value = Head> {
    let attributes = btree_map(any::<String>(), value(), 0..6);
    let texts = any::<[String; 5]>();
    let offset = 0..u64::MAX / 2;
    (any::<[u8; 16]>(), texts, offset, 0..u64::MAX / 2, attributes).prop_map(|(id, texts, offset, length, values)| {
        let [url, domain, crawl, warc_filename, fetched_at] = texts;
        let provenance = Provenance {
            url,
            domain,
            crawl,
            warc_filename,
            warc_record_offset: offset,
            warc_record_length: length,
            fetched_at,
        };
        let attributes = values.into_iter().fold(Attributes::new(), |all, (name, value)| match value {
            Value::Bool(v) => all.with(&name, v),
            Value::Int(v) => all.with(&name, v),
            Value::Float(v) => all.with(&name, v),
            Value::Text(v) => all.with(&name, v),
            Value::Floats(v) => all.with(&name, v),
        });
        Head { id: ItemId::from_bytes(id), provenance, attributes }
    })
}

fn node() -> impl Strategy<Value = Node> {
    let range = option::of(any::<(u32, u32)>());
    let texts = (any::<[String; 6]>(), option::of(any::<String>()), option::of(any::<String>()));
    let numbers = proptest::array::uniform5(-1e30f32..1e30);
    let kinds = (0..Visibility::ALL.len(), any::<u16>(), any::<u32>());
    (texts, numbers, range, option::of(any::<u32>()), any::<bool>(), kinds).prop_map(
        |((texts, role, style), numbers, range, parent, visible, (kind, font_weight, paint_order))| {
            let [tag, text, color, background, name, font_family] = texts;
            let [x, y, width, height, font_size] = numbers;
            Node {
                tag,
                parent,
                rect: Rect { x, y, width, height },
                range,
                role,
                text,
                style,
                visible,
                font_size,
                color,
                background,
                name,
                visibility: Visibility::ALL[kind],
                font_family,
                font_weight,
                paint_order,
            }
        },
    )
}

fn body(kind: BodyKind) -> BoxedStrategy<Body> {
    let html = any::<String>();
    match kind {
        BodyKind::Page => html.prop_map(|html| Body::Page(Page { html })).boxed(),
        BodyKind::Capture => (any::<u16>(), vec(any::<(String, String)>(), 0..4), html, any::<bool>())
            .prop_map(|(status, headers, html, truncated)| {
                let (mime, charset) = ("text/html".to_owned(), "utf-8".to_owned());
                let charset_source = CharsetSource::Detected;
                Body::Capture(Capture { status, headers, mime, charset, charset_source, html, truncated })
            })
            .boxed(),
        BodyKind::Snapshot => snapshot().prop_map(Body::Snapshot).boxed(),
        BodyKind::Sample => {
            let page = snapshot().prop_map(|page| Body::Sample(Sample::Page(page)));
            prop_oneof![page, triple().prop_map(|triple| Body::Sample(Sample::Triple(Box::new(triple))))].boxed()
        }
    }
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    (any::<String>(), vec(any::<u8>(), 0..64), any::<[u32; 4]>(), 0.1..8.0, vec(node(), 0..5)).prop_map(
        |(html, screenshot, [w, h, width, height], device_scale_factor, nodes)| {
            let viewport = Viewport { width: w, height: h, device_scale_factor };
            Snapshot { html, viewport, screenshot: screenshot.into(), width, height, nodes }
        },
    )
}

fn triple() -> impl Strategy<Value = Triple> {
    let words = any::<[String; 6]>();
    (snapshot(), snapshot(), words, any::<[f32; 4]>(), 0.0..1.0, any::<(u8, bool, u32)>()).prop_map(
        |(before, after, [style, text, name, diff, blocks, origin], edges, severity, (task, is_refused, round))| {
            let shown = |page: Snapshot| {
                let Snapshot { html, screenshot, width, height, .. } = page;
                Shown { html, screenshot, width, height }
            };
            let refusal = || Refusal { rule: name.clone(), detail: text.clone() };
            let finite = edges.iter().all(|edge| edge.is_finite());
            let [x, y, width, height] = edges;
            Triple {
                task: Task::ALL[usize::from(task) % 3],
                viewport: before.viewport,
                target: (task > 100).then(|| shown(after.clone())),
                worse: (task > 200).then(|| Worse { shown: shown(before.clone()), why: refusal() }),
                before: shown(before),
                after: shown(after),
                instructions: vec![Wording { style, text: text.clone() }],
                operators: vec![name.clone()],
                kind: name.clone(),
                severity,
                region: finite.then_some(Rect { x, y, width, height }),
                diff,
                blocks,
                origin,
                round,
                trajectory: (task > 50).then(|| text.clone()),
                reasoning: (task > 150).then(|| text.clone()),
                measures: [(name.clone(), severity)].into(),
                refused: is_refused.then(refusal),
            }
        },
    )
}

fn items() -> impl Strategy<Value = (BodyKind, Vec<Item>)> {
    let kinds = vec![BodyKind::Capture, BodyKind::Page, BodyKind::Snapshot, BodyKind::Sample];
    let kinds = proptest::sample::select(kinds);
    kinds.prop_flat_map(|kind| {
        let item = (head(), body(kind)).prop_map(|(head, body)| Item { head, body });
        (Just(kind), vec(item, 0..6))
    })
}

fn write(path: &Path, kind: BodyKind, items: &[Item]) -> dataset::rest::RestSummary {
    let mut writer = ItemWriter::create(path, kind).expect("create");
    writer.write(items).expect("write");
    writer.finish().expect("finish")
}

fn all<T>(batches: impl Iterator<Item = Result<Vec<T>, DatasetError>>) -> Vec<T> {
    batches.flat_map(|batch| batch.expect("own file")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn items_come_back_as_they_were((kind, items) in items()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items.parquet");
        let summary = write(&path, kind, &items);
        prop_assert_eq!(summary.rows, items.len() as u64);
        prop_assert_eq!(summary.bytes, std::fs::metadata(&path).expect("the file").len());
        prop_assert_eq!(&all(read_items(&path).expect("open")), &items);
        let heads: Vec<Head> = items.into_iter().map(|item| item.head).collect();
        prop_assert_eq!(all(read_heads(&path).expect("open")), heads);
    }

    #[test]
    fn losses_come_back_as_they_were(heads in vec(head(), 0..6), texts in any::<[String; 3]>(), failed in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("losses.parquet");
        let [stage, rule, detail] = texts;
        let kind = if failed { LossKind::Failed } else { LossKind::Rejected };
        let losses: Vec<Loss> = heads
            .into_iter()
            .map(|Head { id, provenance, .. }| {
                Loss { id, provenance, stage: stage.clone(), kind, rule: rule.clone(), detail: detail.clone() }
            })
            .collect();
        let mut writer = LossWriter::create(&path).expect("create");
        writer.write(&losses).expect("write");
        writer.finish().expect("finish");
        prop_assert_eq!(all(read_losses(&path).expect("open")), losses);
    }
}

#[test]
fn large_files_are_read_in_small_batches() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.parquet");
    let item = |number: u64| {
        let provenance = Provenance::default();
        let head = Head { id: ItemId::of_place("f", number), provenance, attributes: Attributes::new() };
        let html: String =
            (0..60_000u64).map(|i| char::from(b'a' + (((i * i) ^ (number * 31 + i)) % 26) as u8)).collect();
        Item { head, body: Body::Page(Page { html }) }
    };
    let items: Vec<Item> = (0..700).map(item).collect();
    write(&path, BodyKind::Page, &items);
    let groups = dataset::FileSummary::read(&path).expect("footer").row_groups;
    assert!(groups.len() >= 2 && groups.iter().all(|group| group.uncompressed_bytes < 20 << 20), "{groups:?}");
    let batches: Vec<Vec<Item>> = read_items(&path).expect("open").map(|batch| batch.expect("own file")).collect();
    assert!(batches.iter().all(|batch| batch.iter().map(Item::size_bytes).sum::<usize>() < 6 << 20));
    assert_eq!(batches.concat(), items);

    for rows in [0..1, 5..9, 399..402, 690..10_000, 800..900] {
        let part = dataset::rest::read_item_rows(&path, rows.clone()).expect("open");
        let part: Vec<Item> = part.flat_map(|batch| batch.expect("own file")).collect();
        let bounds = (rows.start as usize).min(700)..(rows.end as usize).min(700);
        assert_eq!(part, items[bounds], "{rows:?}");
    }
}

#[test]
fn wrong_bodies_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.parquet");
    let head = Head { id: ItemId::of_place("f", 0), provenance: Provenance::default(), attributes: Attributes::new() };
    let page = Item { head, body: Body::Page(Page { html: String::new() }) };
    let mut writer = ItemWriter::create(&path, BodyKind::Snapshot).expect("create");
    assert!(matches!(writer.write(&[page]), Err(DatasetError::BodyKind { .. })));

    std::fs::write(&path, b"no parquet").expect("write");
    assert!(matches!(read_items(&path), Err(DatasetError::Parquet { .. })));

    LossWriter::create(&path).expect("create").finish().expect("finish");
    let error = read_items(&path).expect_err("losses are no items").to_string();
    assert!(error.contains("rejects/1"), "{error}");
}
