//! The barrier `snapshots` over made-up pages: nothing leaks between splits, and more data moves no row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dedup::list::{Cluster, Header, INDEX_FORMAT, Published};
use dedup::{Hasher, PageSketch, Sight, Split};
use engine::{Barrier, Decision, Note};
use image::{Rgb, RgbImage};
use item::{Digest, ItemId, Loss, LossKind, Provenance, name};
use proptest::prelude::*;
use stages::{Known, SnapshotsBarrier, SnapshotsConfig};

/// A page: its domain, what it says and looks like, and which of its near copies it is.
type Row = (u8, u8, u8);

fn letters(seed: &[u8]) -> String {
    Digest::of(seed).to_string().chars().filter(char::is_ascii_alphabetic).take(6).collect()
}

fn text(theme: u8, copy: u8) -> String {
    let word = |n: u8| if n == 10 + copy * 20 { letters(&[theme, n, copy]) } else { letters(&[theme, n]) };
    (0..120).map(word).collect::<Vec<_>>().join(" ")
}

fn note(number: u64, (domain, theme, copy): Row) -> Note {
    let shade = |x: u32, y: u32| Digest::of(&[theme, (x / 16) as u8, (y / 16) as u8]).as_bytes()[0];
    let picture = RgbImage::from_fn(64, 64, |x, y| Rgb([shade(x, y); 3]));
    let sight = Hasher::default().hash_picture(&picture.into(), 48).expect("a picture of sane size");
    let sketch = PageSketch::of(&format!("<main><p>{}", text(theme, copy)));
    let mut attributes = sight.attributes();
    attributes.merge(sketch.attributes());
    let attributes = attributes.with(name::SCORE, f64::from(copy) / 8.0);
    Note { id: ItemId::of_place("rows", number), domain: format!("d{domain}.org"), attributes }
}

fn notes(rows: &[Row]) -> Vec<Note> {
    let mut notes: Vec<Note> = rows.iter().zip(0..).map(|(row, number)| note(number, *row)).collect();
    notes.sort_by_key(|note| note.id);
    notes
}

fn decide(notes: &[Note], known: Known) -> Vec<Decision> {
    let config = SnapshotsConfig { validation_share: 0.3, test_share: 0.3, ..SnapshotsConfig::default() };
    let barrier = SnapshotsBarrier::new(config, Arc::new(known)).expect("sound settings");
    barrier.decide(notes).expect("whole notes").decisions
}

fn splits(notes: &[Note], decisions: &[Decision]) -> BTreeMap<ItemId, Split> {
    let kept = notes.iter().zip(decisions).filter_map(|(note, decision)| match decision {
        Decision::Keep(attributes) => Some((note.id, Split::from_name(attributes.text(name::SPLIT)?)?)),
        Decision::Reject(_) => None,
    });
    kept.collect()
}

fn representative(decision: &Decision) -> Option<ItemId> {
    let Decision::Reject(rejection) = decision else { return None };
    let loss = Loss {
        id: ItemId::of_place("lost", 0),
        provenance: Provenance::default(),
        stage: String::new(),
        kind: LossKind::Rejected,
        rule: rejection.rule.name.to_owned(),
        detail: rejection.detail.clone(),
    };
    loss.representative()
}

/// An index of what was kept, by its file.
fn published(notes: &[Note], splits: &BTreeMap<ItemId, Split>) -> Known {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |note: &Note| {
        let published = Published {
            id: note.id,
            domain: note.domain.clone(),
            split: splits[&note.id],
            edition: 1,
            cluster: Cluster { of: note.id, size: 1 },
            html_sha256: note.id.to_string(),
            sketch: PageSketch::from_attributes(&note.attributes).expect("its sketch"),
            sight: Sight::from_attributes(&note.attributes).expect("its sight"),
        };
        serde_json::to_string(&published.entry()).expect("plain data")
    };
    let header = serde_json::to_string(&Header::new(INDEX_FORMAT, "rows")).expect("plain data");
    let kept = notes.iter().filter(|note| splits.contains_key(&note.id)).map(line);
    let lines: Vec<String> = std::iter::once(header).chain(kept).collect();
    std::fs::write(folder.path().join("index"), lines.join("\n")).expect("room");
    Known::read("index", &[], folder.path()).expect("own index")
}

fn assert_nothing_leaks(notes: &[Note], decisions: &[Decision], splits: &BTreeMap<ItemId, Split>) {
    let mut of_domain: HashMap<&str, Split> = HashMap::new();
    for note in notes.iter().filter(|note| splits.contains_key(&note.id)) {
        let split = splits[&note.id];
        assert_eq!(*of_domain.entry(&note.domain).or_insert(split), split, "{} is in two splits", note.domain);
    }
    // A page that was refused ties its domain to the one that stands for it.
    for (note, decision) in notes.iter().zip(decisions) {
        let stands = representative(decision).and_then(|id| splits.get(&id));
        if let (Some(stands), Some(own)) = (stands, of_domain.get(note.domain.as_str())) {
            assert_eq!(stands, own, "{} is near another split", note.domain);
        }
    }
}

#[test]
fn views_of_a_page_are_no_copies_of_each_other() {
    let views = ["main", "dark"].map(|view| notes(&[(1, 1, 0), (2, 1, 0)]).into_iter().map(move |note| (view, note)));
    let mut notes: Vec<Note> = views
        .into_iter()
        .flatten()
        .map(|(view, note)| {
            let id = ItemId::of_place(view, u64::from(note.id.as_bytes()[0]));
            Note { id, attributes: note.attributes.with(name::VIEW, view), ..note }
        })
        .collect();
    notes.sort_by_key(|note| note.id);
    let decisions = decide(&notes, Known::default());
    let kept = notes.iter().zip(&decisions).filter(|(_, decision)| matches!(decision, Decision::Keep(_)));
    let mut views: Vec<Option<&str>> = kept.map(|(note, _)| note.attributes.text(name::VIEW)).collect();
    views.sort_unstable();
    assert_eq!(views, [Some("dark"), Some("main")], "one of two copies in each view");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_domain_and_no_cluster_is_in_two_splits(rows in proptest::collection::vec((0u8..40, 0u8..40, 0u8..4), 1..60)) {
        let notes = notes(&rows);
        let decisions = decide(&notes, Known::default());
        let splits = splits(&notes, &decisions);
        assert_nothing_leaks(&notes, &decisions, &splits);
        // One row for each text: its copies are one cluster.
        let texts: std::collections::BTreeSet<u8> = rows.iter().map(|row| row.1).collect();
        prop_assert_eq!(splits.len(), texts.len());
    }

    #[test]
    fn a_tenth_more_moves_no_row(rows in proptest::collection::vec((0u8..60, 0u8..60, 0u8..4), 10..60)) {
        let all = notes(&rows);
        let new: Vec<ItemId> = (0..rows.len() as u64).filter(|n| n % 10 == 9).map(|n| ItemId::of_place("rows", n)).collect();
        let old: Vec<Note> = all.iter().filter(|note| !new.contains(&note.id)).cloned().collect();
        let before = splits(&old, &decide(&old, Known::default()));
        let decisions = decide(&all, published(&old, &before));
        let after = splits(&all, &decisions);
        for (id, split) in &before {
            prop_assert_eq!(after.get(id), Some(split));
        }
        let mut of_domain: HashMap<&str, Split> = HashMap::new();
        for note in all.iter().filter(|note| after.contains_key(&note.id)) {
            let split = after[&note.id];
            prop_assert_eq!(*of_domain.entry(&note.domain).or_insert(split), split);
        }
    }
}
