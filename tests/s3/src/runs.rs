//! Whole runs of the engine on a store in S3, with a line that fails at every single request.

#[path = "../../../crates/engine/tests/common/mod.rs"]
#[allow(dead_code)] // The world is larger than what is asked of it here.
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engine::housekeeping;
use store::Store;

use crate::line::Fault;
use crate::state::Place;
use common::World;

const SMALL: &[(&str, u64)] = &[("a", 22), ("b", 15)];

type Files = Vec<(String, Vec<u8>)>;

/// What a run on this machine's disk gives.
fn expected() -> Files {
    let world = World::new();
    world.run(&world.pipeline(SMALL, 1)).expect("a run");
    world.dataset()
}

fn on(store: Arc<dyn Store>) -> World {
    let mut world = World::new();
    world.store = store;
    world
}

#[test]
fn a_run_on_s3_is_the_run_on_disk() {
    let (place, expected) = (Place::new(), expected());
    let world = on(place.store("quiet"));
    world.run(&world.pipeline(SMALL, 1)).expect("a run");
    assert_eq!(world.dataset(), expected);
    let (asked, calls) = (place.line.asked().len(), world.calls.load(Ordering::SeqCst));
    println!("{asked} requests");
    world.run(&world.pipeline(SMALL, 1)).expect("a run that does nothing");
    assert_eq!(world.calls.load(Ordering::SeqCst), calls, "nothing is done twice");
    println!("{} requests when there is nothing to do", place.line.asked().len());
    let store = world.store.as_ref();
    assert_eq!(housekeeping::verify(store).expect("looked at"), []);
    assert_eq!(housekeeping::unneeded(store).expect("looked at"), []);
    assert_eq!(housekeeping::held(store).expect("looked at"), []);
    assert!(housekeeping::usage(store).expect("looked at").iter().any(|usage| usage.bytes > 0));
}

/// A run with that fault; and where it did not come to its end, the next one, with a line that is whole.
fn check(
    place: &Place,
    what: &str,
    expected: &Files,
    rule: impl Fn(usize, &str) -> Option<Fault> + Send + Sync + 'static,
) -> bool {
    let world = on(place.store(what));
    place.line.rule(rule);
    let first = world.run(&world.pipeline(SMALL, 1));
    place.line.mend();
    if let Err(error) = &first {
        let again = on(Arc::clone(&world.store));
        again.run(&again.pipeline(SMALL, 1)).unwrap_or_else(|again| panic!("{what}: {error:?}, then {again:?}"));
    }
    assert!(world.dataset() == *expected, "{what}: {:?}", first.err());
    first.is_ok()
}

/// Requests of an undisturbed run; none is made after so many.
fn requests(place: &Place) -> usize {
    place.line.asked();
    let world = on(place.store("count"));
    world.run(&world.pipeline(SMALL, 1)).expect("a run");
    place.line.asked().len()
}

/// Does something for every n, on some threads with a server each.
fn each(count: usize, work: impl Fn(&Place, usize) + Sync) {
    const THREADS: usize = 3;
    let next = AtomicUsize::new(1);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let place = Place::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number > count {
                        return;
                    }
                    work(&place, number);
                }
            });
        }
    });
}

#[test]
fn whichever_request_fails_the_run_goes_on() {
    let (expected, count) = (expected(), requests(&Place::new()));
    each(count, |place, number| {
        // Each request meets one of them, and its neighbours the others; an answer that is lost meets all.
        let passing = match number % 4 {
            0 => Fault::Status(500),
            1 => Fault::SlowDown,
            2 => Fault::HangUp,
            _ => Fault::Silence(Duration::from_millis(1200)),
        };
        for (kind, fault) in [("passing", passing), ("lost", Fault::Lose)] {
            let what = format!("{kind}/{number}");
            let survived = check(place, &what, &expected, move |at, _| (at == number).then_some(fault));
            assert!(survived, "one fault is no trouble: {what}");
        }
    });
    println!("{count} requests, two faults each");
}

#[test]
fn a_server_that_goes_away_at_any_request_costs_a_rerun() {
    let (expected, count) = (expected(), requests(&Place::new()));
    let survivors = AtomicUsize::new(0);
    each(count, |place, number| {
        // The last thing that it did is done, and nobody was told.
        let gone = move |at: usize, _: &str| match at.cmp(&number) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(Fault::Lose),
            std::cmp::Ordering::Greater => Some(Fault::HangUp),
        };
        survivors.fetch_add(usize::from(check(place, &format!("gone/{number}"), &expected, gone)), Ordering::SeqCst);
    });
    let survivors = survivors.load(Ordering::SeqCst);
    assert!(survivors * 4 < count, "{survivors} of {count} runs never noticed");
}

#[test]
fn listings_that_are_behind_cost_nothing_but_time() {
    let (place, expected) = (Place::new(), expected());
    let behind = |_: usize, line: &str| line.contains("list-type=2").then_some(Fault::Behind);
    assert!(check(&place, "behind", &expected, behind));
    // And where runs share the store.
    place.line.rule(behind);
    let store = place.store("shared");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let world = on(Arc::clone(&store));
                world.run(&world.pipeline(SMALL, 1)).expect("a run");
            });
        }
    });
    place.line.mend();
    assert!(on(store).dataset() == expected);
}
