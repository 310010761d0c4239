//! Archives on a web server that throttles, cuts connections, lies about lengths: the bytes have to be the same.

use std::fmt::Write as _;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ingest::index::{IndexRow, IndexSelection, look_up};
use ingest::remote::{
    Client, ClientPolicy, DiskCache, RemoteFile, RemoteReader, S3Access, S3Credentials, Watch, crawl_archives,
};
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
    check(&[Mischief::PromiseLess(1000), Mischief::PromiseLess(10)], 3);
    check(&[Mischief::PromiseLess(1000), Mischief::IgnoreRange], 2);
    // More breaks than a transfer has patience for, but each time some bytes came.
    check(&[Mischief::CutAfter(1000); 20], 21);
}

#[test]
fn a_file_that_is_shorter_than_its_description_ends() {
    let server = server();
    for mischief in [&[][..], &[Mischief::IgnoreRange]] {
        let client = client();
        let mut file = client.describe(&server.url("/file"), &Notes::default()).expect("it is there");
        file.bytes = file.bytes.map(|bytes| bytes + 10);
        let mut reader = RemoteReader::new(client, file, Arc::<Notes>::default());
        let mut start = vec![0; 1000];
        reader.read_exact(&mut start).expect("it comes");
        server.misbehave(mischief.iter().copied());
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap_or_else(|error| panic!("{mischief:?}: {error:?}"));
        assert!([start, rest].concat() == bytes(), "{mischief:?}");
        let before = server.asked().len();
        assert_eq!(reader.read(&mut [0; 10]).expect("it ended"), 0);
        assert_eq!(server.asked().len(), before, "the end is the end");
    }
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
    check(&[Mischief::PromiseLess(1000)]);
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

fn cached(cache: &Arc<DiskCache>, server: &FileServer, path: &str) -> Vec<u8> {
    let watch: Arc<dyn Watch> = Arc::<Notes>::default();
    let file = client().describe(&server.url(path), watch.as_ref()).expect("it is there");
    let mut bytes = Vec::new();
    let mut reader = cache.read(&file, RemoteReader::new(client(), file.clone(), watch));
    reader.read_to_end(&mut bytes).expect("it comes");
    bytes
}

fn gets(server: &FileServer) -> usize {
    server.asked().iter().filter(|asked| asked.method == "GET").count()
}

#[test]
fn archives_in_the_cache_are_not_fetched_again() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), server());
    let cache = Arc::new(DiskCache::open(folder.path().join("cache"), 10_000_000).expect("a folder"));
    server.misbehave([Mischief::CutAfter(1000), Mischief::Status(503), Mischief::PromiseMore(10)]);
    for _ in 0..2 {
        assert!(cached(&cache, &server, "/file") == bytes());
    }
    assert_eq!(gets(&server), 4);
    let again = Arc::new(DiskCache::open(folder.path().join("cache"), 10_000_000).expect("a folder"));
    assert!(cached(&again, &server, "/file") == bytes());
    assert_eq!(gets(&server), 4);
    // Another version is another file.
    server.put("/file", b"changed".to_vec());
    assert!(cached(&again, &server, "/file") == b"changed");
    // Who stops in the middle keeps nothing.
    server.put("/other", bytes());
    let file = RemoteFile::at(server.url("/other"));
    let watch: Arc<dyn Watch> = Arc::<Notes>::default();
    let mut half = cache.read(&file, RemoteReader::new(client(), file.clone(), Arc::clone(&watch)));
    half.read_exact(&mut [0; 5000]).expect("it comes");
    drop(half);
    let before = gets(&server);
    let mut whole = Vec::new();
    cache.read(&file, RemoteReader::new(client(), file.clone(), watch)).read_to_end(&mut whole).expect("it comes");
    assert!(whole == bytes() && gets(&server) == before + 1);
}

#[test]
fn the_cache_keeps_to_its_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = (0..5).map(|n| (format!("/{n}"), vec![n; 400_000]));
    let server = FileServer::start(files).expect("loopback is there");
    let cache = Arc::new(DiskCache::open(folder.path(), 1_000_000).expect("a folder"));
    let on_disk = || -> u64 {
        let entries = std::fs::read_dir(folder.path()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").metadata().expect("a file").len()).sum()
    };
    for n in 0..5_u8 {
        assert_eq!(cached(&cache, &server, &format!("/{n}")), vec![n; 400_000]);
        assert!(on_disk() <= 1_000_000, "{}", on_disk());
        // Times of files are the order in which they go.
        std::thread::sleep(Duration::from_millis(20));
    }
    let before = gets(&server);
    cached(&cache, &server, "/4");
    assert_eq!(gets(&server), before, "the last one is there");
    cached(&cache, &server, "/0");
    assert_eq!(gets(&server), before + 1, "the first one had to go");
    let tiny = Arc::new(DiskCache::open(folder.path(), 1000).expect("a folder"));
    assert_eq!(on_disk(), 0, "a smaller cache lets go at once");
    assert_eq!(cached(&tiny, &server, "/1"), vec![1; 400_000]);
    assert_eq!(on_disk(), 0);
}

/// A sorted index of `blocks` members with two rows each, as Common Crawl publishes it.
fn index(blocks: usize) -> FileServer {
    let (mut list, mut members) = (String::new(), Vec::new());
    for block in 0..blocks {
        let (key, site) = (format!("com,site{block:05})/"), format!("site{block:05}.com"));
        let row = |path: &str| {
            format!(
                "com,site{block:05})/{path} 20241204000000 {{\"url\": \"https://www.{site}/{path}\", \"status\": \"200\", \
                 \"mime\": \"text/html\", \"length\": \"10\", \"offset\": \"{block}\", \"filename\": \"x.warc.gz\"}}\n"
            )
        };
        let member = testkit::gzip((row("") + &row("blog/1")).as_bytes());
        let (offset, length) = (members.len(), member.len());
        writeln!(list, "{key} 20241204000000\tcdx-00000.gz\t{offset}\t{length}\t{block}").expect("memory");
        members.extend(member);
    }
    FileServer::start([
        ("/indexes/cluster.idx".to_owned(), list.into_bytes()),
        ("/indexes/cdx-00000.gz".to_owned(), members),
    ])
    .expect("loopback is there")
}

#[test]
fn rows_are_looked_up_without_reading_the_index() {
    let server = index(8000);
    let check = |selection: IndexSelection, expected: &[&str]| {
        let before = server.asked().len();
        let mut found: Vec<String> = Vec::new();
        let watch: Arc<dyn Watch> = Arc::<Notes>::default();
        let mut take = |row: IndexRow| found.push(row.url);
        look_up(&client(), &server.url("/indexes"), &selection, &watch, &mut take).expect("it is there");
        assert_eq!(found, expected, "{selection:?}");
        let asked = server.asked().split_off(before);
        assert!(asked.len() < 12 * expected.len().max(1), "{}: {asked:?}", asked.len());
        assert!(asked.iter().all(|asked| asked.method == "HEAD" || asked.range.is_some()), "{asked:?}");
    };
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let domains = |words: &[&str]| IndexSelection { domains: list(words), ..IndexSelection::default() };
    let urls = |words: &[&str]| IndexSelection { urls: list(words), ..IndexSelection::default() };
    let both = |site: &str| [format!("https://www.{site}.com/"), format!("https://www.{site}.com/blog/1")];
    for site in ["site00000", "site00001", "site04711", "site07998", "site07999"] {
        let domain = format!("{site}.com");
        check(domains(&[&domain]), &both(site).each_ref().map(String::as_str));
    }
    check(domains(&["site0.com"]), &[]);
    check(domains(&["zzz.com"]), &[]);
    check(urls(&["https://www.site04711.com/blog/*"]), &["https://www.site04711.com/blog/1"]);
    let some = [both("site00007"), both("site06000")].concat();
    check(domains(&["site06000.com", "site00007.com"]), &some.iter().map(String::as_str).collect::<Vec<_>>());

    // More domains than are worth halving for: the list is read once.
    let many: Vec<String> = (0..50).map(|n| format!("site{:05}.com", n * 100)).collect();
    let selection = IndexSelection { domains: many, ..IndexSelection::default() };
    let mut rows = 0;
    let watch: Arc<dyn Watch> = Arc::<Notes>::default();
    look_up(&client(), &server.url("/indexes"), &selection, &watch, &mut |_| rows += 1).expect("it is there");
    assert_eq!(rows, 100);

    let refused = look_up(&client(), &server.url("/indexes"), &urls(&["*/blog/*"]), &watch, &mut |_| ());
    assert!(format!("{refused:?}").contains("which host"), "{refused:?}");
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
