//! The store in S3 does what every store has to do, whatever the line does.

#[path = "../../../crates/store/tests/suite/mod.rs"]
mod suite;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use store::s3::{CacheConfig, Chain, Keys, S3Address, S3Error, S3Patience, S3Server as Reached, Surroundings};
use store::{BlobName, S3Store, Store, StoreError};
use tempfile::TempDir;

use crate::line::{Fault, Line};
use crate::server::S3Server;

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "a/secret+with=signs";

/// A server with an empty bucket, the line to it, and room for copies.
pub struct Place {
    pub line: Line,
    pub folder: TempDir,
    _server: S3Server,
}

impl Place {
    pub fn new() -> Self {
        Self::with(Some((KEY, SECRET)))
    }

    fn with(pair: Option<(&str, &str)>) -> Self {
        // Flushing to a real disk is much of the time of these tests, where there is a way around it.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder");
        std::fs::create_dir_all(folder.path().join("server/state")).expect("a bucket");
        let server = S3Server::start(&folder.path().join("server"), pair);
        Self { line: Line::start(server.address), folder, _server: server }
    }

    pub fn store(&self, prefix: &str) -> Arc<dyn Store> {
        Arc::new(self.open(&format!("s3://state/{prefix}"), Some(SECRET)).expect("a store"))
    }

    /// A store for large files: the line hands an answer on when it has all of it, and that takes its time.
    fn slow_store(&self, prefix: &str) -> S3Store {
        let patience = S3Patience { silence_max: Duration::from_mins(1), ..quick() };
        self.open_with(&format!("s3://state/{prefix}"), Some(SECRET), patience).expect("a store")
    }

    fn open(&self, address: &str, secret: Option<&str>) -> Result<S3Store, StoreError> {
        self.open_with(address, secret, quick())
    }

    fn open_with(&self, address: &str, secret: Option<&str>, patience: S3Patience) -> Result<S3Store, StoreError> {
        let address: S3Address = address.parse().expect("an address");
        let endpoint = Some(format!("http://{}", self.line.address));
        let keys = secret.map(|secret| Keys { id: KEY.into(), secret: secret.into(), token: None });
        let chain = Chain::new(&Surroundings { keys, ..Surroundings::default() });
        let cache = CacheConfig { folder: self.folder.path().join("cache"), bytes_max: 1 << 30 };
        S3Store::open(&address, &Reached { endpoint, patience, ..Reached::default() }, chain, &cache)
    }
}

/// As patient as need be, and in no time.
fn quick() -> S3Patience {
    let wait = Duration::from_millis(1);
    S3Patience { attempts_max: 6, wait_min: wait, wait_max: wait, silence_max: Duration::from_secs(1) }
}

fn name(text: &str) -> BlobName {
    BlobName::new(text).expect("a good name")
}

fn trouble(result: Result<impl std::fmt::Debug, StoreError>) -> S3Error {
    match result {
        Err(StoreError::Remote { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_does_what_a_map_does() {
    let place = Place::new();
    for seed in 0..4 {
        suite::does_what_a_map_does(place.store(&format!("map/{seed}")).as_ref(), seed, 150);
    }
    // At the top of a bucket there is no prefix.
    let place = Place::new();
    suite::does_what_a_map_does(&place.open("s3://state", Some(SECRET)).expect("a store"), 9, 100);
}

#[test]
fn one_of_many_writers_wins() {
    let place = Place::new();
    suite::one_of_many_writers_wins(place.store("race").as_ref(), 12);
}

#[test]
fn large_files_come_back_in_parts() {
    let place = Place::new();
    let store = place.slow_store("large");
    // Three parts of an upload, and four pieces when they are fetched: the copy that writing left behind is somebody else's.
    suite::large_files_come_back(&store, (40 << 20) + 7);
    std::fs::remove_dir_all(place.folder.path().join("cache/blobs")).expect("removed");
    let fetched = store.local_path(&name("large/file")).expect("fetched");
    assert_eq!(fetched.metadata().expect("a file").len(), (40 << 20) + 7);
    let asked = place.line.asked();
    let count = |part: &str| asked.iter().filter(|line| line.contains(part)).count();
    assert!(count("partNumber=") == 3 && count("uploads=") == 1, "{asked:?}");
}

#[test]
fn whatever_the_line_does_it_does_what_a_map_does() {
    let kinds: [(&str, Fault); 6] = [
        ("500", Fault::Status(500)),
        ("slow", Fault::SlowDown),
        ("hang-up", Fault::HangUp),
        ("lost", Fault::Lose),
        ("cut", Fault::CutAfter(40)),
        ("mixed", Fault::Lose),
    ];
    let place = Place::new();
    for (seed, (kind, fault)) in kinds.into_iter().enumerate() {
        let store = place.store(&format!("line/{kind}"));
        let is_mixed = kind == "mixed";
        place.line.rule(move |number, _| match number % 7 {
            3 => Some(fault),
            5 if is_mixed => Some(Fault::Status(503)),
            6 if is_mixed => Some(Fault::HangUp),
            _ => None,
        });
        suite::does_what_a_map_does(store.as_ref(), 20 + seed as u64, 120);
        place.line.mend();
    }
}

#[test]
fn lost_answers_leave_one_winner() {
    let place = Place::new();
    let store = place.store("lost");
    // Every other answer to a creation is lost after the server has done it.
    let counted = std::sync::atomic::AtomicUsize::new(0);
    place.line.rule(move |_, line| {
        let is_put = line.starts_with("PUT ");
        (is_put && counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst).is_multiple_of(2)).then_some(Fault::Lose)
    });
    suite::one_of_many_writers_wins(store.as_ref(), 12);
    // The whole of it, by hand: done, lost, asked again, and still the winner.
    place.line.rule(|number, _| (number == 1).then_some(Fault::Lose));
    place.line.asked();
    assert!(store.put_if_absent(&name("ledger/mine"), b"same").expect("tried"), "our own write is no other's");
    let asked: Vec<String> = place.line.asked().iter().map(|line| line[..4].to_owned()).collect();
    assert_eq!(asked, ["PUT ", "PUT ", "HEAD"]);
    // The first attempt never arrived, and meanwhile somebody else was there, with the same bytes.
    let other = place.store("lost");
    place.line.rule(|number, _| (number == 1).then_some(Fault::Silence(Duration::from_millis(1500))));
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| store.put_if_absent(&name("ledger/theirs"), b"same").expect("tried"));
        std::thread::sleep(Duration::from_millis(300));
        assert!(other.put_if_absent(&name("ledger/theirs"), b"same").expect("tried"));
        assert!(!slow.join().expect("no panic"), "the bytes are the same, the writer is another");
    });
}

#[test]
fn an_upload_in_parts_survives_the_line() {
    let place = Place::new();
    let store = place.slow_store("parts");
    let bytes = vec![7_u8; (33 << 20) + 5];
    for (kind, fault) in [Fault::Lose, Fault::Status(500), Fault::HangUp].into_iter().enumerate() {
        // Begun, three parts, completed.
        for number in 1..=5 {
            let scratch = store.scratch().expect("a folder");
            let file = scratch.path().join("file");
            std::fs::write(&file, &bytes).expect("written");
            place.line.rule(move |count, _| (count == number).then_some(fault));
            let blob = name(&format!("large/{kind}-{number}"));
            store.put_file(&blob, &file).expect("published");
            place.line.mend();
            assert_eq!(store.size(&blob).expect("looked at"), Some(bytes.len() as u64));
            assert!(store.get_range(&blob, (33 << 20)..(34 << 20)).expect("read") == bytes[33 << 20..]);
        }
    }
}

#[test]
fn changed_bytes_are_noticed_on_both_ways() {
    let place = Place::new();
    let store = place.store("flip");
    place.line.rule(|number, _| (number == 1).then_some(Fault::Flip));
    store.put(&name("a/x"), b"as it was written").expect("written again");
    place.line.rule(|number, _| (number == 1).then_some(Fault::Flip));
    assert_eq!(store.get(&name("a/x")).expect("read again"), b"as it was written");
    place.line.rule(|_, line| line.starts_with("GET ").then_some(Fault::Flip));
    let given_up = trouble(store.get(&name("a/x")));
    assert!(matches!(&given_up, S3Error::GivenUp { reason, .. } if reason.contains("SHA-256")), "{given_up}");
    assert!(store.local_path(&name("a/x")).is_err(), "nor does it become a copy");
}

#[test]
fn what_is_wrong_is_said() {
    let place = Place::new();
    let denied = trouble(place.open("s3://state/x", Some("another secret")));
    assert!(matches!(denied, S3Error::Denied { .. }), "{denied}");
    assert!(denied.hint().is_some_and(|hint| hint.contains("AWS_SECRET_ACCESS_KEY")), "{:?}", denied.hint());
    let nobody = trouble(place.open("s3://state/x", None));
    assert!(matches!(nobody, S3Error::Denied { .. }), "{nobody}");
    let missing = trouble(place.open("s3://gone/x", Some(SECRET)));
    assert!(matches!(missing, S3Error::NoBucket { .. }), "{missing}");
    place.line.rule(|_, _| Some(Fault::SlowDown));
    let slow = trouble(place.open("s3://state/x", Some(SECRET)));
    assert!(matches!(slow, S3Error::GivenUp { attempts: 6, .. }), "{slow}");
    place.line.rule(|_, _| Some(Fault::Silence(Duration::from_millis(200))));
    let hasty = S3Patience { attempts_max: 2, silence_max: Duration::from_millis(50), ..quick() };
    let silent = trouble(place.open_with("s3://state/x", Some(SECRET), hasty));
    assert!(matches!(silent, S3Error::GivenUp { attempts: 2, .. }), "{silent}");
    place.line.mend();
    let store = place.store("format");
    store.put(&name("store.json"), b"{\"format\":99}\n").expect("written");
    let foreign = place.open("s3://state/format", Some(SECRET)).expect_err("a foreign format");
    assert!(matches!(&foreign, StoreError::Format { .. }), "{foreign}");
}

#[test]
fn a_server_that_ignores_conditions_is_refused() {
    // Without signatures, since those cover the condition.
    let place = Place::with(None);
    place.line.rule(|_, _| Some(Fault::Unconditional));
    for time in ["a new one", "one that is there"] {
        let refused = trouble(place.open("s3://state/x", None));
        assert!(matches!(refused, S3Error::Unconditional { .. }), "{time}: {refused}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("conditional")), "{time}");
    }
    place.line.mend();
    place.open("s3://state/x", None).expect("it obeys");
    let not_known = |_: usize, line: &str| line.starts_with("PUT ").then_some(Fault::Status(501));
    place.line.rule(not_known);
    let refused = trouble(place.open("s3://state/x", None));
    assert!(matches!(refused, S3Error::Unconditional { .. }), "{refused}");
}

#[test]
fn who_may_only_read_reads() {
    let place = Place::new();
    place.store("read").put(&name("a/x"), b"bytes").expect("written");
    place.line.rule(|_, line| line.starts_with("PUT ").then_some(Fault::Status(403)));
    let store = place.store("read");
    assert_eq!(store.get(&name("a/x")).expect("read"), b"bytes");
    assert!(matches!(trouble(store.put(&name("a/x"), b"other")), S3Error::Denied { .. }));
}
