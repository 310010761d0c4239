//! Keeping a store small, whole, and free of old failures.

mod common;

use std::sync::atomic::Ordering;

use common::World;
use engine::{Outcome, housekeeping};

const TWO: &[(&str, u64)] = &[("a", 300), ("b", 120)];

fn prune(world: &World) -> usize {
    let unneeded = housekeeping::unneeded(world.store.as_ref()).expect("a list");
    for blob in &unneeded {
        world.store.delete(&blob.name).expect("removed");
    }
    unneeded.len()
}

#[test]
fn what_is_pruned_is_not_missed() {
    let world = World::new();
    world.run(&world.gated(TWO, 1, 8)).expect("a strict run");
    assert_eq!(prune(&world), 0, "the last run needs everything");
    world.run(&world.gated(TWO, 2, 0)).expect("another run");
    assert!(prune(&world) > 0, "results of the first run are of no use any more");
    let before = world.dataset();
    let summary = world.run(&world.gated(TWO, 2, 0)).expect("the same run");
    assert_eq!(summary.record.outcome, Outcome::Unchanged);
    assert_eq!(world.dataset(), before);
    let reads = world.reads.load(Ordering::SeqCst);
    world.run(&world.gated(TWO, 1, 8)).expect("the first run again");
    assert!(world.reads.load(Ordering::SeqCst) > reads, "its results are gone");
}

#[test]
fn damage_is_found_and_named() {
    let world = World::new();
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    assert_eq!(housekeeping::verify(world.store.as_ref()).expect("a look"), []);
    let cut = |folder: &str, ending: &str| {
        let blobs = world.store.list(folder).expect("listed");
        let blob = blobs.iter().find(|blob| blob.name.as_str().ends_with(ending)).expect("one of them");
        let bytes = world.store.get(&blob.name).expect("there");
        world.store.put(&blob.name, &bytes[..bytes.len() - 1]).expect("cut");
        blob.name.to_string()
    };
    let items = cut("parts/first", "items.jsonl");
    let segment = cut("memo", ".segment");
    let flaws = housekeeping::verify(world.store.as_ref()).expect("a look");
    assert_eq!(flaws.len(), 2, "{flaws:?}");
    assert!(flaws[0].what.contains(&items), "{flaws:?}");
    assert_eq!(flaws[1].name, segment);
    world.run(&world.pipeline(TWO, 1)).expect("it heals");
    let flaws = housekeeping::verify(world.store.as_ref()).expect("a look");
    assert!(flaws.iter().all(|flaw| flaw.name == segment), "{flaws:?}");
}

#[test]
fn failures_are_tried_again_when_asked() {
    let world = World::new();
    world.tired.store(true, Ordering::SeqCst);
    let tired = world.run(&world.pipeline(TWO, 1)).expect("one in eleven may fail").record;
    let failed = tired.phases[1].books.stages[0].failed["timeout"];
    world.tired.store(false, Ordering::SeqCst);
    world.asked.store(0, Ordering::SeqCst);
    assert_eq!(world.run(&world.pipeline(TWO, 1)).expect("a run").record.outcome, Outcome::Unchanged);

    let forget = |stage: &str, class: &str| {
        let wanted = |s: &str, c: &str| s == stage && c == class;
        housekeeping::forget_failed(world.store.as_ref(), &tired, wanted).expect("forgotten")
    };
    assert_eq!(forget("second", "crash"), 0);
    assert_eq!(forget("second", "timeout"), failed);
    let rested = world.run(&world.pipeline(TWO, 1)).expect("a run").record;
    assert_eq!(rested.phases[1].books.failed(), 0);
    let asked = world.asked.load(Ordering::SeqCst) as u64;
    assert!(asked > 0 && asked <= failed, "{asked} of {failed}");

    let never_tired = World::new();
    never_tired.run(&never_tired.pipeline(TWO, 1)).expect("a run");
    assert_eq!(world.dataset(), never_tired.dataset());
}
