//! Answers that cost much are asked for once.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::World;
use engine::{Cancel, EngineError, RunEvent};
use store::BlobName;

const TWO: &[(&str, u64)] = &[("a", 300), ("b", 120)];

fn asked(world: &World) -> usize {
    world.asked.swap(0, Ordering::SeqCst)
}

/// Items that reach the second phase, and how many of them the plan takes for remembered.
fn planned(world: &World, gate: u8) -> (u64, u64) {
    let plan = engine::plan(&world.gated(TWO, 1, gate), &world.store, Arc::new(engine::Silent)).expect("a plan");
    let units = plan.phases[1].run.as_ref().expect("the second phase is known");
    (units.iter().filter_map(|unit| unit.items).sum(), units.iter().filter_map(|unit| unit.remembered).sum())
}

/// Forgets the results of all units, as a crash before their commit would.
fn forget_units(world: &World) {
    for folder in ["ledger", "parts", "dataset"] {
        for blob in world.store.list(folder).expect("listed") {
            world.store.delete(&blob.name).expect("deleted");
        }
    }
}

fn segments(world: &World) -> Vec<BlobName> {
    world.store.list("memo").expect("listed").into_iter().map(|blob| blob.name).collect()
}

#[test]
fn a_filter_that_changes_upstream_asks_nothing_again() {
    let world = World::new();
    let first = world.run(&world.gated(TWO, 1, 0)).expect("a run");
    // Equal pages of the two partitions are asked once, or twice when both are on their way.
    assert!(asked(&world) > 100);
    world.run(&world.gated(TWO, 1, 8)).expect("a stricter run");
    assert_eq!(asked(&world), 0);
    forget_units(&world);
    let again = world.run(&world.gated(TWO, 1, 0)).expect("the first run again");
    assert_eq!(asked(&world), 0);
    assert_eq!(first.record.phases[1].books, again.record.phases[1].books);
}

#[test]
fn remembered_answers_make_the_same_dataset() {
    let world = World::new();
    world.run(&world.gated(TWO, 1, 0)).expect("a run");
    let before = world.dataset();
    forget_units(&world);
    world.run(&world.gated(TWO, 1, 0)).expect("a run");
    assert_eq!(world.dataset(), before);
}

#[test]
fn the_plan_knows_what_is_remembered() {
    let world = World::new();
    world.run(&world.gated(TWO, 1, 8)).expect("a strict run");
    let asked_first = asked(&world);
    world.tired.store(true, Ordering::SeqCst);
    let error = world.run(&world.gated(TWO, 2, 0)).map(drop);
    world.tired.store(false, Ordering::SeqCst);
    error.expect("one in eleven may fail");
    assert!(asked(&world) > 0 && asked_first > 0);
    // The stricter barrier has decided already; the next one has not, so its phase is not known yet.
    forget_units(&world);
    world.run(&world.gated(TWO, 1, 4)).expect("a run");
    for blob in world.store.list("ledger/second").expect("listed") {
        world.store.delete(&blob.name).expect("deleted");
    }
    let (items, remembered) = planned(&world, 4);
    assert!(items > 100 && items == remembered, "{items} {remembered}");
}

#[test]
fn failures_are_tried_again_and_nothing_else_is() {
    let world = World::new();
    world.tired.store(true, Ordering::SeqCst);
    let tired = world.run(&world.pipeline(TWO, 1)).expect("one in eleven may fail");
    let failed = tired.record.phases[1].books.stages[0].failed["timeout"];
    asked(&world);
    world.tired.store(false, Ordering::SeqCst);
    forget_units(&world);
    let rested = world.run(&world.pipeline(TWO, 1)).expect("a run");
    assert_eq!(rested.record.phases[1].books.failed(), 0);
    let again = asked(&world) as u64;
    assert!(again > 0 && again <= failed, "{again} asked again, {failed} had failed");
}

#[test]
fn a_damaged_segment_costs_its_answers_and_heals() {
    let world = World::new();
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    let (before, all) = (world.dataset(), asked(&world));
    for name in segments(&world) {
        let bytes = world.store.get(&name).expect("there");
        world.store.put(&name, &bytes[..bytes.len() / 2]).expect("cut");
    }
    forget_units(&world);
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    assert_eq!(world.dataset(), before);
    assert!(asked(&world) * 10 > all * 9, "nothing of it was believed");
    let noted = world.log.0.lock().expect("log").iter().any(|event| matches!(event, RunEvent::Noted { .. }));
    assert!(noted, "the user is told");
    forget_units(&world);
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    assert_eq!(asked(&world), 0, "it has healed");
}

#[test]
fn an_interrupted_unit_loses_no_answer() {
    let quiet = World::new();
    quiet.run(&quiet.pipeline(TWO, 1)).expect("a run");
    let all = asked(&quiet);
    let mut world = World::new();
    let cancel = world.cancel.clone();
    let counter = Arc::clone(&world.asked);
    let stopper = std::thread::spawn(move || {
        while counter.load(Ordering::SeqCst) < 40 {
            std::thread::yield_now();
        }
        cancel.cancel();
    });
    let outcome = world.run(&world.pipeline(TWO, 1));
    stopper.join().expect("no panic");
    let first = asked(&world);
    if let Err(error) = outcome {
        assert!(matches!(error, EngineError::Interrupted), "{error}");
    }
    world.cancel = Cancel::new();
    world.run(&world.pipeline(TWO, 1)).expect("the rest");
    assert_eq!(world.dataset(), quiet.dataset());
    // What was being asked at the moment of the stop is asked again, and equal pages may be asked at the same time.
    let (slots, twins) = (world.options.limits.chrome_slots + 1, 40);
    assert!(first + asked(&world) <= all + 2 * slots + twins, "{first} before the stop, {all} in all");
}
