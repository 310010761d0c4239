//! The engine's promises, on a made-up world.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::World;
use engine::{EngineError, Outcome, RunEvent, Why};

const TWO: &[(&str, u64)] = &[("a", 300), ("b", 120)];

#[test]
fn every_item_is_accounted_for() {
    let world = World::new();
    let summary = world.run(&world.pipeline(TWO, 1)).expect("a run");
    let books = &summary.record.phases[0].books;
    let [source, sieve] = books.stages.as_slice() else { panic!("two stages: {books:?}") };
    assert_eq!((source.seen, source.kept), (424, 420));
    assert_eq!((source.rejected["seventh"], source.failed["damaged"]), (2, 2));
    assert_eq!(books.aside["warcinfo"] + books.aside["request"], 4);
    // 49, 99, … panic in both partitions; the other members of their batches are unharmed.
    assert_eq!(sieve.failed["panic"], 6 + 2);
    let expected = |count: u64, rest: u64| (0..count).filter(|n| n % 50 != 49 && n % 7 == rest).count() as u64;
    assert_eq!(sieve.rejected["seventh"], expected(300, 0) + expected(120, 0));
    assert_eq!(sieve.failed["timeout"], expected(300, 1) + expected(120, 1));
    assert_eq!(sieve.made - sieve.kept, expected(300, 2) + expected(120, 2));
    let rows = summary.record.dataset.rows;
    let barriers: u64 = summary.record.barriers.iter().map(|barrier| barrier.books.rejected_total()).sum();
    let second = &summary.record.phases[1].books.stages[0];
    assert!(second.rejected["seventh"] > 0);
    assert_eq!(sieve.made, rows + barriers + second.rejected["seventh"]);
}

#[test]
fn the_dataset_does_not_depend_on_how_it_was_made() {
    let quiet = World::new();
    quiet.run(&quiet.pipeline(TWO, 1)).expect("a run");
    let mut busy = World::new();
    busy.options.limits.cpu_slots = 7;
    busy.options.limits.chrome_slots = 9;
    busy.options.limits.partitions_in_flight = 1;
    busy.options.limits.partition_bytes = 1;
    busy.run(&busy.pipeline(TWO, 1)).expect("a run");
    assert_eq!(quiet.dataset(), busy.dataset());
}

#[test]
fn a_second_run_does_nothing() {
    let world = World::new();
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    let (reads, calls) = (world.reads.load(Ordering::SeqCst), world.calls.load(Ordering::SeqCst));
    let before = world.dataset();
    assert!(engine::plan(&world.pipeline(TWO, 1), &world.store, Arc::new(engine::Silent)).expect("a plan").is_done());
    let summary = world.run(&world.pipeline(TWO, 1)).expect("a second run");
    assert_eq!(summary.record.outcome, Outcome::Unchanged);
    assert_eq!((reads, calls), (world.reads.load(Ordering::SeqCst), world.calls.load(Ordering::SeqCst)));
    assert_eq!(before, world.dataset());
}

#[test]
fn only_what_changed_runs_and_the_plan_says_why() {
    let world = World::new();
    let planned = |setting| engine::plan(&world.pipeline(TWO, setting), &world.store, Arc::new(engine::Silent));
    assert_eq!(planned(1).expect("a plan").phases[0].estimate_s, None, "nothing is known of the pace yet");
    world.run(&world.pipeline(&[("a", 300)], 1)).expect("a run");
    let plan = planned(1).expect("a plan");
    assert!(plan.phases.iter().all(|phase| phase.estimate_s.is_some_and(|seconds| seconds < 60.0)), "{plan:?}");
    let to_run = plan.phases[0].run.as_ref().expect("the first phase is always known");
    assert_eq!((plan.phases[0].reused, to_run.len(), &to_run[0].why), (1, 1, &Why::NewInput));
    world.run(&world.pipeline(TWO, 1)).expect("a run");
    assert_eq!(world.reads.load(Ordering::SeqCst), 2, "each partition was read once");

    let plan = planned(2).expect("a plan");
    let to_run = plan.phases[0].run.as_ref().expect("known");
    let expected = Why::StageChanged { stage: "sieve".into(), changes: vec!["setting 1 -> 2".into()] };
    assert_eq!((to_run.len(), &to_run[0].why), (2, &expected));

    // The new setting gives the same items, so what stands behind them is reused.
    world.run(&world.pipeline(TWO, 2)).expect("a run");
    let started = world.log.0.lock().expect("log").iter().rev().find_map(|event| match event {
        RunEvent::PhaseStarted { phase, units, reused, .. } if phase == "second" => Some((*units, *reused)),
        _ => None,
    });
    let (units, reused) = started.expect("the second phase ran");
    assert_eq!(units, reused);
}

#[test]
fn the_same_capture_in_two_places_counts_once() {
    let world = World::new();
    let summary = world.run(&world.pipeline(&[("a", 100), ("a", 120)], 1)).expect("a run");
    let twice = summary.record.barriers[0].books.rejected["same-capture"];
    let first_time: u64 = summary.record.phases[0].books.stages[1].made;
    assert!(twice > 0 && twice * 2 <= first_time, "{twice} of {first_time}");
    let single = World::new();
    let other = single.run(&single.pipeline(&[("a", 120)], 1)).expect("a run");
    assert_eq!(other.record.dataset.rows, summary.record.dataset.rows);
}

#[test]
fn an_interrupted_run_keeps_what_it_has_and_finishes_later() {
    let quiet = World::new();
    quiet.run(&quiet.pipeline(TWO, 1)).expect("a run");
    let mut world = World::new();
    let cancel = world.cancel.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        cancel.cancel();
    });
    let outcome = world.run(&world.pipeline(TWO, 1));
    stopper.join().expect("no panic");
    if let Err(error) = outcome {
        assert!(matches!(error, EngineError::Interrupted), "{error}");
        world.cancel = engine::Cancel::new();
        world.run(&world.pipeline(TWO, 1)).expect("the rest");
    }
    assert_eq!(quiet.dataset(), world.dataset());
}

#[test]
fn too_many_failures_end_the_run() {
    let mut world = World::new();
    world.options.limits.failed_share_max = 0.01;
    let error = world.run(&world.pipeline(TWO, 1)).expect_err("a tenth fails");
    assert!(matches!(error, EngineError::OverBudget { .. }), "{error}");
    assert!(world.dataset().is_empty());
}
