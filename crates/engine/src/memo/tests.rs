use item::{
    Attributes, Failure, FailureClass, Head, ItemId, Kept, Node, Page, Provenance, Rect, Rule, Snapshot, Viewport,
};
use store::LocalStore;

use super::segment::{Location, SegmentBuilder};
use super::*;

const TOO_TALL: Rule = Rule { name: "too-tall", meaning: "It is too tall." };

fn attributes() -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set("flag", true);
    attributes.set("count", 7_i64);
    attributes.set("share", 1.0_f64);
    attributes.set("name", "x");
    attributes
}

fn snapshot() -> Body {
    let node = Node {
        tag: "p".into(),
        parent: Some(0),
        rect: Rect { x: 0.5, y: 1.0, width: 2.0, height: 3.25 },
        range: Some((3, 9)),
        ..Node::default()
    };
    Body::Snapshot(Snapshot {
        html: "<p>é</p>".into(),
        viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
        screenshot: vec![0, 255, 1, 128].into(),
        width: 1280,
        height: 720,
        nodes: vec![node.clone(), node],
    })
}

fn page(html: &str) -> Item<Body> {
    let head = Head { id: ItemId::of_place(html, 0), provenance: Provenance::default(), attributes: attributes() };
    Item { head, body: Body::Page(Page { html: html.to_owned() }) }
}

#[test]
fn verdicts_come_back_as_they_were() {
    let check = |verdict: Verdict<Body>| {
        let bytes = record::encode(&verdict).expect("it is remembered");
        assert_eq!(record::decode(&bytes, &[TOO_TALL]), Some(verdict));
    };
    check(Verdict::keep(snapshot(), attributes()));
    check(Verdict::Annotate(attributes()));
    check(Verdict::Fan(vec![
        Kept { body: snapshot(), attributes: attributes() },
        Kept { body: Body::Page(Page { html: String::new() }), attributes: Attributes::default() },
    ]));
    let kept = Kept { body: snapshot(), attributes: attributes() };
    check(Verdict::Beside(kept.clone(), vec![kept]));
    check(Verdict::reject(TOO_TALL, "9 m"));
}

#[test]
fn failures_and_silence_and_unknown_rules_are_not_remembered() {
    let failure = Verdict::Fail(Failure { class: FailureClass::Timeout, message: "slow".into() });
    assert_eq!(record::encode(&failure), None);
    assert_eq!(record::encode(&Verdict::Annotate(Attributes::default())), None);
    let bytes = record::encode(&Verdict::reject(TOO_TALL, "9 m")).expect("it is remembered");
    assert_eq!(record::decode(&bytes, &[]), None);
    assert_eq!(record::decode(b"no answer", &[]), None);
}

fn segment(answers: &[(Key, &[u8])]) -> SegmentBuilder {
    let mut builder = SegmentBuilder::default();
    for (key, bytes) in answers {
        builder.push(*key, bytes);
    }
    builder
}

#[test]
fn a_damaged_segment_is_never_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = LocalStore::open(folder.path()).expect("a store");
    let (bytes, entries) = segment(&[([1; 16], b"one"), ([2; 16], b"second")]).finish();
    let name = BlobName::join(&["memo", "x.segment"]);
    let index_of = |bytes: &[u8]| {
        store.put(&name, bytes).expect("written");
        let blob = store::BlobInfo { name: name.clone(), bytes: bytes.len() as u64 };
        segment::read_index(&store, &blob).expect("readable")
    };
    assert_eq!(index_of(&bytes), Some(entries.clone()));
    assert_eq!(segment::read(&store, &name, entries[1].1).as_deref(), Some(b"second".as_slice()));
    for cut in 0..bytes.len() {
        assert_eq!(index_of(&bytes[..cut]), None, "cut to {cut} bytes");
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        // Damage in the index is seen when it is opened; damage in an answer when it is read.
        if let Some(entries) = index_of(&damaged) {
            let answers: Vec<_> = entries.iter().map(|(_, at)| segment::read(&store, &name, *at)).collect();
            let whole = answers.iter().flatten().count();
            assert!(whole == 1 || place < 8, "byte {place}: {answers:?}");
        }
    }
}

#[test]
fn small_segments_are_put_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let shared: Arc<dyn Store> = Arc::new(LocalStore::open(folder.path()).expect("a store"));
    let store = shared.as_ref();
    let answers = || -> std::collections::BTreeMap<Key, Vec<u8>> {
        let blobs = store.list("memo/s/f").expect("listed");
        let all = |blob: &store::BlobInfo| {
            let entries = segment::read_index(store, blob).expect("readable").expect("whole");
            let read = |(key, at): (Key, Location)| (key, segment::read(store, &blob.name, at).expect("whole"));
            entries.into_iter().map(read).collect::<Vec<_>>()
        };
        blobs.iter().flat_map(all).collect()
    };
    for number in 0..=SMALL_SEGMENTS_MAX as u8 {
        publish(store, "memo/s/f", segment(&[([number; 16], &[number])])).expect("published");
    }
    let before = answers();
    assert_eq!(before.len(), SMALL_SEGMENTS_MAX + 1);
    let damaged = BlobName::join(&["memo", "s", "f", "damaged.segment"]);
    store.put(&damaged, b"no segment at all, of no answers whatsoever").expect("written");
    compact(store, "memo/s/f").expect("tidied up");
    // What is damaged is left to be told of.
    let left: Vec<BlobName> = store.list("memo/s/f").expect("listed").into_iter().map(|blob| blob.name).collect();
    assert!(left.len() == 2 && left.contains(&damaged), "{left:?}");
    assert_eq!(Segments::open(&shared, "memo/s/f").expect("opened").1, [damaged]);
    assert_eq!(answers(), before);
}

#[test]
fn bodies_tell_answers_apart_and_heads_only_where_a_stage_says_so() {
    let stage = Digest::of(b"stage");
    let key_of = |item: &Item<Body>| key(&stage, &item.body.digest(), &[]);
    let (one, two) = (page("one"), page("two"));
    assert_ne!(key_of(&one), key_of(&two));
    let mut elsewhere = page("one");
    elsewhere.head.id = ItemId::of_place("elsewhere", 1);
    elsewhere.head.attributes = Attributes::default();
    assert_eq!(key_of(&one), key_of(&elsewhere));
    let body = one.body.digest();
    assert_ne!(key(&stage, &body, &[]), key(&Digest::of(b"another"), &body, &[]));
    let beside = |texts: &[&str]| key(&stage, &body, &texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    assert_ne!(beside(&["a", "b"]), beside(&["ab"]));
    assert_ne!(beside(&[]), beside(&[""]));
}
