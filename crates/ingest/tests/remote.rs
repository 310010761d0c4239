//! Archives on a web server that throttles, cuts connections, lies about lengths: the bytes have to be the same.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ingest::remote::{Client, ClientPolicy, RemoteFile, RemoteReader, S3Access, S3Credentials, Watch, crawl_archives};
use ingest::{ArchiveReader, Entry, Limits};
use testkit::server::{FileServer, Mischief};
use testkit::warc::WarcBuilder;

#[derive(Default)]
struct Notes {
    notes: Mutex<Vec<String>>,
    stopped: std::sync::atomic::AtomicBool,
}

impl Watch for Notes {
    fn stopped(&self) -> bool {
        self.stopped.load(std::sync::atomic::Ordering::SeqCst)
    }
    fn waiting(&self, message: &str) {
        self.notes.lock().expect("no panic").push(message.to_owned());
    }
}

fn client() -> Client {
    let quick = Duration::from_millis(1);
    let policy = ClientPolicy {
        requests_per_second: 1000.0,
        attempts_max: 4,
        wait_min: quick,
        wait_max: quick,
        silence_max: Duration::from_secs(5),
        ..ClientPolicy::default()
    };
    Client::new(policy)
}

fn bytes() -> Vec<u8> {
    (0..300_000_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
}

fn server() -> FileServer {
    FileServer::start([("/file".to_owned(), bytes())]).expect("loopback is there")
}

fn reader(server: &FileServer, watch: &Arc<Notes>) -> RemoteReader {
    let client = client();
    let file = client.describe(&server.url("/file"), watch.as_ref()).expect("it is there");
    RemoteReader::new(client, file, Arc::<Notes>::clone(watch))
}

#[test]
fn whatever_goes_wrong_the_bytes_are_the_same() {
    let check = |mischief: &[Mischief], gets: usize| {
        let server = server();
        server.misbehave(mischief.iter().copied());
        let mut got = Vec::new();
        reader(&server, &Arc::default())
            .read_to_end(&mut got)
            .unwrap_or_else(|error| panic!("{mischief:?}: {error:?}"));
        assert!(got == bytes(), "{mischief:?}: {} bytes", got.len());
        let asked = server.asked().iter().filter(|asked| asked.method == "GET").count();
        assert_eq!(asked, gets, "{mischief:?}");
    };
    check(&[], 1);
    check(&[Mischief::Status(503), Mischief::Status(429), Mischief::Status(403)], 4);
    check(&[Mischief::Status(500), Mischief::HangUp], 3);
    check(&[Mischief::CutAfter(100_000), Mischief::CutAfter(0), Mischief::CutAfter(1)], 4);
    check(&[Mischief::CutAfter(100_000), Mischief::IgnoreRange], 2);
    check(&[Mischief::PromiseMore(1000)], 2);
    // More breaks than a transfer has patience for, but each time some bytes came.
    check(&[Mischief::CutAfter(1000); 20], 21);
}

#[test]
fn patience_ends_with_a_reason() {
    let check = |mischief: &[Mischief], expected: &str| {
        let server = server();
        server.misbehave(mischief.iter().copied());
        let watch = Arc::<Notes>::default();
        let error = reader(&server, &watch).read_to_end(&mut Vec::new()).expect_err("it has to give up");
        let chain = format!("{error:?}");
        assert!(chain.contains(expected), "{chain}");
    };
    check(&[Mischief::Status(403); 4], "Throttled { status: 403, attempts: 4 }");
    check(&[Mischief::HangUp; 4], "Broken { attempts: 4");
    check(&[Mischief::Status(410)], "Status(410)");
}

#[test]
fn without_a_network_it_is_over_soon() {
    let gone = server().url("/file");
    let watch = Notes::default();
    let error = client().describe(&gone, &watch).expect_err("nobody listens there any more");
    assert!(format!("{error:?}").contains("Broken { attempts: 3"), "{error:?}");
    assert_eq!(watch.notes.lock().expect("no panic").len(), 2);
}

#[test]
fn another_file_in_its_place_is_noticed() {
    let server = server();
    server.misbehave([Mischief::CutAfter(5000)]);
    let mut reader = reader(&server, &Arc::default());
    reader.read_exact(&mut [0; 5000]).expect("the first bytes come");
    server.put("/file", b"something else".repeat(1000));
    let error = reader.read(&mut [0; 100]).expect_err("it is another file");
    assert!(format!("{error:?}").contains("Changed"), "{error:?}");
}

#[test]
fn a_stopped_run_waits_for_nobody() {
    let server = server();
    server.misbehave([Mischief::Status(503); 4]);
    let watch = Arc::<Notes>::default();
    let mut reader = reader(&server, &watch);
    watch.stopped.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = reader.read(&mut [0; 100]).expect_err("it was stopped");
    assert!(format!("{error:?}").contains("Stopped"), "{error:?}");
}

#[test]
fn requests_keep_their_pace_and_say_who_asks() {
    let server = server();
    let policy = ClientPolicy { requests_per_second: 20.0, ..ClientPolicy::default() };
    let client = Client::new(policy);
    let one = || client.describe(&server.url("/file"), &Notes::default()).map(drop);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
        for one in all {
            one.join().expect("no panic").expect("it is there");
        }
    });
    let mut at: Vec<_> = server.asked().iter().map(|asked| asked.at).collect();
    at.sort();
    // Never early; a busy machine may be late, and then the next one follows sooner.
    assert!(at[5] - at[0] > Duration::from_millis(200), "{at:?}");
    assert!(server.asked()[0].user_agent.starts_with("databuild/"), "{:?}", server.asked()[0]);
}

#[test]
fn a_remote_archive_has_the_records_of_the_local_one() {
    let mut archive = WarcBuilder::new().with_requests();
    for n in 0..50 {
        archive = archive.page(&format!("https://a.example/{n}"), &"<p>some words</p>".repeat(n * 20));
    }
    let bytes = archive.build_gz();
    let records = |reader: ArchiveReader| -> Vec<Entry> { reader.map(|entry| entry.expect("readable")).collect() };
    let local = records(ArchiveReader::new(std::io::Cursor::new(bytes.clone()), "a", Limits::default()));
    let server = FileServer::start([("/file".to_owned(), bytes)]).expect("loopback is there");
    server.misbehave([Mischief::CutAfter(700), Mischief::Status(503), Mischief::CutAfter(5)]);
    let remote = records(ArchiveReader::new(reader(&server, &Arc::default()), "a", Limits::default()));
    assert_eq!(local.len(), 150);
    assert_eq!(local, remote);
}

#[test]
fn the_archives_of_a_crawl() {
    let list = "crawl-data/CC-MAIN-2024-51/a.warc.gz\ncrawl-data/CC-MAIN-2024-51/b.warc.gz\n";
    let server = FileServer::start([
        ("/crawl-data/CC-MAIN-2024-51/warc.paths.gz".to_owned(), testkit::gzip(list.as_bytes())),
        ("/crawl-data/CC-MAIN-0000-00/warc.paths.gz".to_owned(), b"no list".to_vec()),
    ])
    .expect("loopback is there");
    let watch: Arc<dyn Watch> = Arc::<Notes>::default();
    let archives = |crawl| crawl_archives(&client(), &server.url("/"), crawl, &watch);
    let found = archives("CC-MAIN-2024-51").expect("it is there");
    assert_eq!(found, ["crawl-data/CC-MAIN-2024-51/a.warc.gz", "crawl-data/CC-MAIN-2024-51/b.warc.gz"]);
    let check = |crawl, expected: &str| {
        let error = format!("{:?}", archives(crawl).expect_err("no such crawl"));
        assert!(error.contains(expected), "{error}");
    };
    check("CC-MAIN-2024-99", "Status(404)");
    check("CC-MAIN-0000-00", "NoList");
}

#[test]
fn a_range_is_its_bytes_whatever_goes_wrong() {
    let check = |mischief: &[Mischief]| {
        let server = server();
        server.misbehave(mischief.iter().copied());
        let watch: Arc<dyn Watch> = Arc::<Notes>::default();
        let mut reader = RemoteReader::range(client(), RemoteFile::at(server.url("/file")), 1000..60_000, watch);
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap_or_else(|error| panic!("{mischief:?}: {error:?}"));
        assert!(got == bytes()[1000..60_000], "{mischief:?}: {} bytes", got.len());
    };
    check(&[]);
    check(&[Mischief::Status(503), Mischief::CutAfter(500), Mischief::HangUp]);
    check(&[Mischief::IgnoreRange]);
    check(&[Mischief::PromiseMore(1000)]);
}

#[test]
fn objects_are_fetched_with_a_signature_or_without() {
    let server = FileServer::start([("/crawl/a/b.warc.gz".to_owned(), bytes())]).expect("loopback is there");
    let fetch = |credentials| {
        let s3 = S3Access { endpoint: Some(server.url("")), credentials, ..S3Access::default() };
        let quick = Duration::from_millis(1);
        let policy = ClientPolicy {
            requests_per_second: 1000.0,
            wait_min: quick,
            wait_max: quick,
            s3,
            ..ClientPolicy::default()
        };
        server.misbehave([Mischief::Status(503), Mischief::CutAfter(100_000), Mischief::CutAfter(7)]);
        let watch: Arc<dyn Watch> = Arc::<Notes>::default();
        let mut got = Vec::new();
        let file = RemoteFile::at("s3://crawl/a/b.warc.gz");
        RemoteReader::new(Client::new(policy), file, watch).read_to_end(&mut got).expect("it comes");
        assert!(got == bytes());
    };
    fetch(None);
    assert!(server.asked().iter().all(|asked| !asked.path.contains("X-Amz-Signature")));
    fetch(Some(S3Credentials { key: "id".into(), secret: "secret".into(), token: None }));
    assert!(server.asked().iter().any(|asked| asked.path.contains("X-Amz-Signature=")));
}

#[test]
fn a_host_bears_only_so_many_connections() {
    let server = server();
    let policy = ClientPolicy { requests_per_second: 1000.0, connections_per_host_max: 1, ..ClientPolicy::default() };
    let client = Client::new(policy);
    let watch = || -> Arc<dyn Watch> { Arc::<Notes>::default() };
    let mut first = RemoteReader::new(client.clone(), RemoteFile::at(server.url("/file")), watch());
    first.read_exact(&mut [0; 10]).expect("it comes");
    let (done, wait) = std::sync::mpsc::channel();
    let mut second = RemoteReader::new(client, RemoteFile::at(server.url("/file")), watch());
    let thread = std::thread::spawn(move || {
        second.read_exact(&mut [0; 10]).expect("it comes");
        done.send(()).expect("somebody waits");
    });
    assert!(wait.recv_timeout(Duration::from_millis(300)).is_err(), "the second connection has to wait");
    drop(first);
    wait.recv_timeout(Duration::from_secs(20)).expect("now it comes");
    thread.join().expect("no panic");
}
