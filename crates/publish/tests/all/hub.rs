//! Publishing to a Hub that stumbles: nothing is committed twice, `main` never shows half a set, and what is there is not sent again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::stub::{Closed, Fault, PATIENCE, StubHub, card, dataset, hub, sha256};
use crate::way::{self, CARRIES, DEADLY};
use publish::{Event, HubError, HubOptions, Observer, Outcome, Place, Publication, PublishError, Token, Transfer, Way};

const PAGES: u32 = 40;

/// Hears everything.
#[derive(Default)]
struct Ear(Mutex<Vec<Event>>);

impl Observer for Ear {
    fn event(&self, event: &Event) {
        self.0.lock().expect("the ear").push(event.clone());
    }
}

fn publish(stub: &StubHub, publication: &Publication, options: HubOptions) -> Outcome {
    hub(stub, options).publish(publication, &card, &()).expect("published")
}

/// Names and digests of everything but what the Hub itself or others wrote.
fn ours(tree: &BTreeMap<String, impl std::ops::Deref<Target = [u8]>>) -> BTreeMap<String, String> {
    let is_ours = |name: &str| name != ".gitattributes" && name != "NOTES.md";
    tree.iter().filter(|(name, _)| is_ours(name)).map(|(name, content)| (name.clone(), sha256(content))).collect()
}

struct Content(std::sync::Arc<Vec<u8>>);

impl std::ops::Deref for Content {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

fn at(stub: &StubHub, revision: &str) -> BTreeMap<String, String> {
    ours(&stub.tree(revision).into_iter().map(|(name, entry)| (name, Content(entry.content))).collect())
}

fn wanted(publication: &Publication) -> BTreeMap<String, String> {
    let files = publication.data.iter().chain(&publication.documents);
    let mut wanted: BTreeMap<String, String> = files.map(|file| (file.name.clone(), file.sha256.clone())).collect();
    wanted.insert("README.md".to_owned(), sha256(card(None).as_bytes()));
    wanted
}

/// Everything that `main` ever showed is nothing, or a whole set.
fn main_was_never_half(stub: &StubHub, sets: &[&BTreeMap<String, String>]) {
    for tree in stub.history() {
        let shown = ours(&tree.into_iter().map(|(name, entry)| (name, Content(entry.content))).collect());
        assert!(shown.is_empty() || sets.contains(&&shown), "{:?}", shown.keys());
    }
}

/// Small commits, so that there are several.
fn small_commits() -> HubOptions {
    HubOptions { commit_files: 3, ..HubOptions::default() }
}

#[test]
fn a_small_set_is_one_commit_and_the_second_run_sends_nothing() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    let planned = hub(&stub, HubOptions::default()).plan(&publication, &card, &()).expect("a plan");
    assert_eq!((planned.sent, planned.files, stub.commits()), (publication.data.len() + 3, planned.sent, 0));

    let first = publish(&stub, &publication, HubOptions { private: true, ..HubOptions::default() });
    assert_eq!((first.sent, first.commits.len()), (publication.data.len(), 1));
    assert_eq!(at(&stub, "main"), wanted(&publication));
    assert!(stub.is_private());

    let puts = stub.puts();
    let second = publish(&stub, &publication, HubOptions::default());
    assert_eq!(second, Outcome { files: first.files, ..Outcome::default() });
    assert_eq!((stub.commits(), stub.puts()), (1, puts));
    hub(&stub, HubOptions::default()).verify(&publication, &card, &()).expect("as published");
    main_was_never_half(&stub, &[&wanted(&publication)]);
    assert!(stub.complaints().is_empty(), "{:?}", stub.complaints());
}

#[test]
fn a_large_set_becomes_visible_at_once() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    let journal = folder.path().join("journal.jsonl");
    let outcome = publish(&stub, &publication, HubOptions { journal: Some(journal.clone()), ..small_commits() });
    assert!(outcome.commits.len() > 2, "{outcome:?}");
    assert_eq!((stub.history().len(), stub.open_requests()), (2, 0));
    assert_eq!(at(&stub, "main"), wanted(&publication));
    let lines = std::fs::read_to_string(journal).expect("a journal");
    assert_eq!(lines.lines().filter(|line| line.contains("\"commit\"")).count(), outcome.commits.len());
    main_was_never_half(&stub, &[&wanted(&publication)]);
}

#[test]
fn a_new_set_replaces_the_old_one_and_what_the_user_wrote_stays() {
    let (stub, old, new) = (way::start(), tempfile::tempdir().expect("f"), tempfile::tempdir().expect("f"));
    let first = dataset(old.path(), PAGES);
    publish(&stub, &first, HubOptions::default());
    stub.write("main", "README.md", b"My own words.\n<!-- made -->\n# old\n");
    stub.write("main", "extra/table.csv", b"a,b\n");
    let second = dataset(new.path(), PAGES * 2);
    let outcome = publish(&stub, &second, small_commits());
    assert!(outcome.removed > 0, "{outcome:?}");
    let tree = stub.tree("main");
    let readme = String::from_utf8(tree["README.md"].content.to_vec()).expect("text");
    assert_eq!(readme, "My own words.\n<!-- made -->\n# A dataset\n");
    assert!(tree.contains_key("extra/table.csv"));
    for file in &second.data {
        assert_eq!(sha256(&tree[&file.name].content), file.sha256);
    }
    let shards = tree.keys().filter(|name| name.starts_with("data/")).count();
    assert_eq!(shards, second.data.len());
}

/// Whatever goes wrong on the way, the end is the same as if nothing had, without one commit too many.
#[test]
fn faults_leave_no_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), PAGES);
    let undisturbed = [HubOptions::default(), small_commits()].map(|options| {
        let clean = way::start();
        let outcome = publish(&clean, &publication, options);
        (clean, outcome)
    });
    let check = |what: &'static str, fault: Fault, options: HubOptions| {
        let (clean, undisturbed) = &undisturbed[usize::from(options == small_commits())];
        let stub = way::start();
        stub.stumble(what, fault);
        let outcome = publish(&stub, &publication, options.clone());
        assert_eq!(stub.faults_left(), 0, "{what} {fault:?} never happened");
        assert_eq!(at(&stub, "main"), at(clean, "main"), "{what} {fault:?}");
        assert_eq!(stub.commits(), clean.commits(), "{what} {fault:?}");
        assert_eq!(outcome.commits.len(), undisturbed.commits.len(), "{what} {fault:?}");
        let again = publish(&stub, &publication, options);
        assert_eq!((again.sent, again.commits.len()), (0, 0), "{what} {fault:?}");
        main_was_never_half(&stub, &[&wanted(&publication)]);
        assert!(stub.complaints().is_empty(), "{:?}", stub.complaints());
    };
    let refused = |status| Fault::Refuse(status, None);
    for &what in ["/create", "/revision/", "/tree/", "/preupload/", "/commit/"].iter().chain(CARRIES) {
        check(what, refused(500), HubOptions::default());
        check(what, Fault::Lost, HubOptions::default());
    }
    for &what in ["/tree/", "/preupload/", "/commit/"].iter().chain(CARRIES) {
        check(what, refused(429), HubOptions::default());
        check(what, Fault::Cut, HubOptions::default());
        check(what, Fault::Slow(60), HubOptions::default());
    }
    for what in ["POST /api/datasets/org/set/discussions", "/merge", "/status"] {
        check(what, refused(503), small_commits());
        check(what, Fault::DoneButLost, small_commits());
        check(what, Fault::DoneBut500, small_commits());
    }
    for options in [HubOptions::default(), small_commits()] {
        check("/commit/", Fault::DoneButLost, options.clone());
        check("/commit/", Fault::DoneBut500, options.clone());
        check("/commit/", refused(504), options);
    }
    // The server goes on with what its client has given up.
    check("/commit/", Fault::Slow(1800), HubOptions::default());
}

#[test]
fn a_server_that_says_when_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), 4);
    for fault in [Fault::Refuse(429, Some(1)), Fault::RateLimit(1), Fault::Refuse(503, Some(1))] {
        let (stub, ear) = (way::start(), Ear::default());
        stub.stumble("/commit/", fault);
        hub(&stub, HubOptions::default()).publish(&publication, &card, &ear).expect("published");
        let events = ear.0.into_inner().expect("the ear");
        let waited = events.iter().find_map(|event| match event {
            Event::Waiting { wait, .. } => Some(wait.as_millis()),
            _ => None,
        });
        assert!(waited.is_some_and(|wait| (1000..1200).contains(&wait)), "{fault:?}: {waited:?}");
        assert_eq!(stub.commits(), 1);
        let sent: i64 = events.iter().map(|event| if let Event::Sent(bytes) = event { *bytes } else { 0 }).sum();
        assert_eq!(sent as u64, publication.data.iter().map(|file| file.bytes).sum::<u64>());
    }
}

#[test]
fn a_server_that_says_no_is_believed() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), 4);
    let check = |status: u16, what: &'static str| {
        let stub = way::start();
        stub.stumble(what, Fault::Refuse(status, None));
        let error = hub(&stub, HubOptions::default()).publish(&publication, &card, &()).expect_err("refused");
        assert_eq!(error.status(), Some(status), "{error:?}");
        assert!(error.hint().is_some());
        assert_eq!((stub.asked(what), stub.commits()), (1, 0), "{what} was asked again");
    };
    check(401, "/create");
    check(403, "/commit/");
    check(403, "/preupload/");
    let stub = way::start();
    let mut stranger = hub(&stub, HubOptions::default());
    stranger.token = Some(Token::new("hf_somebody_else"));
    let error = stranger.publish(&publication, &card, &()).expect_err("a stranger");
    assert_eq!(error.status(), Some(401));
}

#[test]
fn a_server_that_never_recovers_is_given_up() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), 4);
    for _ in 0..PATIENCE.attempts_max {
        stub.stumble("/commit/", Fault::Refuse(500, None));
    }
    let error = hub(&stub, HubOptions::default()).publish(&publication, &card, &()).expect_err("given up");
    assert!(matches!(&error, PublishError::Hub { source: HubError::GivenUp { attempts: 6, .. }, .. }), "{error:?}");
    assert!(at(&stub, "main").is_empty());
    // What arrived before is not sent again.
    let puts = stub.puts();
    publish(&stub, &publication, HubOptions::default());
    assert_eq!((at(&stub, "main"), stub.puts()), (wanted(&publication), puts));
}

#[test]
fn somebody_else_may_write_in_between() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    stub.stumble("/commit/", Fault::Overtaken);
    let outcome = publish(&stub, &publication, HubOptions::default());
    assert_eq!((outcome.commits.len(), stub.commits()), (1, 1));
    assert_eq!(at(&stub, "main"), wanted(&publication));
    assert!(stub.tree("main").contains_key("NOTES.md"));
}

#[test]
fn a_server_that_takes_too_long_over_a_commit_gets_halves() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    let options = HubOptions { commit_files: publication.data.len(), ..HubOptions::default() };
    for _ in 0..3 {
        stub.stumble("/commit/", Fault::Refuse(504, None));
    }
    let outcome = publish(&stub, &publication, options);
    assert_eq!(outcome.commits.len(), 3, "{outcome:?}");
    assert_eq!(at(&stub, "main"), wanted(&publication));
    main_was_never_half(&stub, &[&wanted(&publication)]);
}

/// The run dies after each of its requests in turn; the next one ends it.
#[test]
fn a_run_that_dies_is_taken_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), PAGES);
    let clean = way::start();
    publish(&clean, &publication, small_commits());
    for &what in ["/preupload/", "/discussions", "/commit/", "/merge"].iter().chain(DEADLY) {
        for nth in 0..3 {
            let stub = way::start();
            // A refusal ends a run at that very request, as a signal would.
            for _ in 0..nth {
                stub.stumble(what, Fault::Slow(0));
            }
            stub.stumble(what, Fault::Refuse(418, None));
            let died = hub(&stub, small_commits()).publish(&publication, &card, &()).is_err();
            publish(&stub, &publication, small_commits());
            assert!(died || stub.faults_left() > 0, "{what} {nth}");
            assert_eq!(at(&stub, "main"), wanted(&publication), "{what} {nth}");
            assert_eq!((stub.commits(), stub.open_requests()), (clean.commits(), 0), "{what} {nth}");
            main_was_never_half(&stub, &[&wanted(&publication)]);
        }
    }
}

#[test]
fn branches_and_requests_leave_main_alone() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    let branch = HubOptions { place: Place::Branch("next".into()), ..small_commits() };
    publish(&stub, &publication, branch.clone());
    assert_eq!(at(&stub, "next"), wanted(&publication));
    assert!(at(&stub, "main").is_empty());
    assert_eq!(publish(&stub, &publication, branch).commits.len(), 0);

    let request = HubOptions { place: Place::PullRequest, ..HubOptions::default() };
    let outcome = publish(&stub, &publication, request.clone());
    assert_eq!((outcome.pull_request, stub.open_requests()), (Some(1), 1));
    assert_eq!(at(&stub, "refs/pr/1"), wanted(&publication));
    assert!(at(&stub, "main").is_empty());
    let again = publish(&stub, &publication, request.clone());
    assert_eq!((again.pull_request, again.commits.len(), stub.open_requests()), (Some(1), 0, 1));
    hub(&stub, request).verify(&publication, &card, &()).expect("as published");
}

#[test]
fn what_is_missing_is_found() {
    let (stub, folder) = (way::start(), tempfile::tempdir().expect("a folder"));
    let publication = dataset(folder.path(), PAGES);
    let client = hub(&stub, HubOptions::default());
    assert!(matches!(client.verify(&publication, &card, &()), Err(PublishError::Differs { .. })));
    client.publish(&publication, &card, &()).expect("published");
    stub.write("main", &publication.data[0].name, b"somebody was here");
    let error = client.verify(&publication, &card, &()).expect_err("it differs");
    assert!(error.to_string().contains(&publication.data[0].name), "{error}");
}

#[test]
fn who_asks_for_a_way_gets_it_or_hears_why_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), PAGES);
    let options = |transfer| HubOptions { transfer, ..HubOptions::default() };
    let bytes: u64 = publication.data.iter().map(|file| file.bytes).sum();

    let (offers, ear) = (StubHub::over(Arc::new(Closed), 0), Ear::default());
    let outcome = hub(&offers, options(Transfer::Lfs)).publish(&publication, &card, &ear).expect("published");
    assert_eq!((outcome.wire_bytes, offers.put_bytes()), (bytes, bytes));
    let told = Event::Carried { way: Way::Lfs, why: "as it was asked for" };
    assert_eq!(ear.0.into_inner().expect("the ear").iter().filter(|event| **event == told).count(), 1);

    let plain = StubHub::start();
    let error = hub(&plain, options(Transfer::Xet)).publish(&publication, &card, &()).expect_err("no Xet");
    let source = |error: &PublishError| matches!(error, PublishError::Hub { source: HubError::NoXet(_), .. });
    assert!(source(&error), "{error:?}");
    assert_eq!((plain.commits(), plain.put_bytes()), (0, 0));
    publish(&plain, &publication, options(Transfer::Auto));
    assert_eq!(at(&plain, "main"), wanted(&publication));
}

/// `hf-xet` would also write to a folder of this machine, if a server named one.
#[test]
fn a_store_is_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let publication = dataset(folder.path(), 4);
    for place in ["local:///tmp/of-the-server", "memory://", "store.example"] {
        let stub = StubHub::astray(place);
        let options = HubOptions { transfer: Transfer::Xet, ..HubOptions::default() };
        let error = hub(&stub, options).publish(&publication, &card, &()).expect_err("no server");
        let PublishError::Hub { source, .. } = &error else { panic!("{error:?}") };
        let is_refused = match source {
            HubError::Address(address) => Transfer::HAS_XET && address == place,
            HubError::NoXet(_) => !Transfer::HAS_XET,
            _ => false,
        };
        assert!(is_refused && stub.commits() == 0, "{error:?}");
    }
}
