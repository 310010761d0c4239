//! A page whose style sheets no archive has: fetched once, found by the clean stage, and never fetched again.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::{Cancel, Context, Observer, RunEvent, Stage};
use ingest::fetch::{FetchPolicy, Fetcher, Names, Reach};
use ingest::{ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Capture, Item, Verdict};
use stages::{CleanConfig, CleanStage, FetchConfig, FetchStage};
use testkit::server::FileServer;
use testkit::warc::WarcBuilder;

struct Deaf;

impl Observer for Deaf {
    fn event(&self, _: &RunEvent) {}
}

/// Every name is the server.
struct OneServer(SocketAddr);

impl Names for OneServer {
    fn addresses(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![self.0])
    }
}

fn fetcher(folder: &Path, server: &FileServer) -> Arc<Fetcher> {
    let policy = FetchPolicy { gap: Duration::from_millis(1), ..FetchPolicy::default() };
    let reach = Reach { names: Arc::new(OneServer(server.address())), allows: |address| address.is_loopback() };
    Arc::new(Fetcher::open_with(folder, policy, reach).expect("a folder"))
}

fn capture(url: &str, html: &str) -> Item<Capture> {
    let archive = WarcBuilder::new().page(url, html).build_gz();
    let archive = ArchiveReader::new(io::Cursor::new(archive), "a", Limits::default());
    let mut outcomes = CaptureReader::new(archive, CapturePolicy::default());
    match outcomes.next() {
        Some(Ok(CaptureOutcome::Capture(item))) => *item,
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_sheets_come_from_the_web_and_then_from_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = FileServer::start([]).expect("loopback is there");
    server.answer("/a.css", 200, &["Content-Type: text/css"], b"@import 'deep/b.css'; p { color: rgb(1, 2, 3) }");
    server.answer("/deep/b.css", 200, &["Content-Type: text/css"], b"h1 { color: rgb(4, 5, 6) }");
    server.answer("/secret.css", 200, &["Content-Type: text/css"], b"p { margin: 77px }");
    server.answer("/robots.txt", 200, &[], b"User-agent: *\nDisallow: /secret.css");
    let html = format!(
        "<html><head><link rel=stylesheet href=/a.css><link rel=stylesheet href=/secret.css></head>\
         <body><h1>Title</h1><p>{}</p><img src=/picture.png></body></html>",
        "some words of a page ".repeat(30)
    );
    let item = capture("http://a.example:8080/page", &html);
    let run = || {
        let fetcher = fetcher(folder.path(), &server);
        let clean = CleanStage::new(&CleanConfig::default(), folder.path()).expect("no files are named");
        let fetch = FetchStage::new(&FetchConfig::default(), &clean, Arc::clone(&fetcher));
        let clean = clean.with_fetched(fetcher);
        let (cancel, observer) = (Cancel::new(), Deaf);
        let context = || Context { cancel: &cancel, observer: &observer };
        let batch = std::slice::from_ref(&item);
        let fetched = fetch.process(batch, context()).expect("a disk");
        assert!(matches!(&fetched[..], [Verdict::Annotate(_)]), "{fetched:?}");
        let mut cleaned = clean.process(batch, context()).expect("no trouble");
        match cleaned.pop() {
            Some(Verdict::Keep(kept)) => kept.body.html,
            other => panic!("{other:?}"),
        }
    };
    let first = run();
    assert!(first.contains("rgb(1,2,3)") || first.contains("rgb(1, 2, 3)"), "{first}");
    assert!(first.contains("rgb(4,5,6)") || first.contains("rgb(4, 5, 6)"), "{first}");
    assert!(!first.contains("77px"), "{first}");
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(asked, ["/robots.txt", "/a.css", "/deep/b.css"], "no picture, nothing that is forbidden");
    assert_eq!(run(), first);
    assert_eq!(server.asked().len(), asked.len(), "a rerun fetches nothing");
}

#[test]
fn nobody_is_asked_without_a_contact() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = FetchConfig::default().open(" ", folder.path()).expect_err("it has to be refused");
    assert!(error.to_string().contains("`source.contact` is empty"), "{error}");
    let config = FetchConfig { host_gap_seconds: -1.0, ..FetchConfig::default() };
    let error = config.open("me@a.example", folder.path()).expect_err("it has to be refused");
    assert!(error.to_string().contains("`host_gap_seconds` is -1"), "{error}");
}
