//! The polite fetcher against servers on loopback: what it asks for, what it refuses, what it remembers.

mod common;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{corpus, json_lines};
use ingest::fetch::{AGENT, FetchPolicy, Fetcher, Names, Reach, Rules};
use ingest::remote::Watch;
use testkit::server::FileServer;
use url::Url;

struct Nobody;

impl Watch for Nobody {
    fn stopped(&self) -> bool {
        false
    }
    fn waiting(&self, _: &str) {}
}

/// Loopback stands for the open net here, but for one address of it.
fn is_not_last(address: IpAddr) -> bool {
    address.is_loopback() && address != IpAddr::from([127, 0, 0, 9])
}

/// Every name is loopback; what is prepared comes first.
#[derive(Default)]
struct Loopback {
    prepared: Mutex<VecDeque<Vec<SocketAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Names for Loopback {
    fn addresses(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
        self.asked.lock().expect("no panic").push(host_and_port.to_owned());
        if let Some(prepared) = self.prepared.lock().expect("no panic").pop_front() {
            return Ok(prepared);
        }
        let (host, port) = host_and_port.rsplit_once(':').expect("a port");
        let is_address = host.parse::<IpAddr>().is_ok();
        let name = if is_address { host_and_port.to_owned() } else { format!("127.0.0.1:{port}") };
        Ok(name.to_socket_addrs()?.collect())
    }
}

fn policy() -> FetchPolicy {
    FetchPolicy { gap: Duration::from_millis(1), request_time_max: Duration::from_secs(20), ..FetchPolicy::default() }
}

fn fetcher(folder: &Path, names: &Arc<Loopback>) -> Fetcher {
    let names: Arc<dyn Names> = Arc::<Loopback>::clone(names);
    Fetcher::open_with(folder, policy(), Reach { names, allows: is_not_last }).expect("a folder")
}

fn get(fetcher: &Fetcher, url: &str) -> Option<String> {
    let asset = fetcher.get(url, Instant::now() + Duration::from_mins(1), &Nobody).expect("a disk");
    asset.map(|asset| String::from_utf8_lossy(&asset.bytes).into_owned())
}

fn site() -> FileServer {
    let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
    FileServer::start([
        file("/robots.txt", "User-agent: *\nDisallow: /private/\n"),
        file("/a.css", "a {}"),
        file("/private/b.css", "b {}"),
        file("/large.css", &"x".repeat(3 << 20)),
    ])
    .expect("loopback is there")
}

fn paths(server: &FileServer) -> Vec<String> {
    server.asked().into_iter().map(|asked| asked.path).collect()
}

#[test]
fn what_was_fetched_once_is_never_fetched_again() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    server.answer("/moved.css", 302, &["Location: /a.css#x"], b"");
    server.answer("/round.css", 301, &["Location: /round.css"], b"");
    server.answer("/packed.css", 200, &["Content-Encoding: gzip", "Content-Type: text/css"], &common::gzip(b"p {}"));
    let names = Arc::<Loopback>::default();
    let wanted = [
        ("/a.css", Some("a {}")),
        ("/a.css#part", Some("a {}")),
        ("/moved.css", Some("a {}")),
        ("/packed.css", Some("p {}")),
        ("/round.css", None),
        ("/private/b.css", None),
        ("/gone.css", None),
        ("/large.css", None),
    ];
    let check = |fetcher: &Fetcher| {
        for (path, expected) in wanted {
            assert_eq!(get(fetcher, &server.url(path)).as_deref(), expected, "{path}");
        }
    };
    let first = fetcher(folder.path(), &names);
    assert!(first.known(&server.url("/a.css")).expect("a disk").is_none());
    check(&first);
    let asked = paths(&server);
    let expected = ["/robots.txt", "/a.css", "/moved.css", "/packed.css", "/round.css", "/gone.css", "/large.css"];
    assert_eq!(asked, expected);
    assert!(server.asked().iter().all(|asked| asked.user_agent.starts_with(AGENT)));

    // The folder alone is enough, also when everything has changed on the web.
    drop(first);
    server.put("/a.css", b"changed".to_vec());
    let again = fetcher(folder.path(), &names);
    check(&again);
    assert_eq!(again.known(&server.url("/moved.css")).expect("a disk").map(|asset| asset.bytes.len()), Some(4));
    assert_eq!(paths(&server), asked, "a rerun fetches nothing");
}

#[test]
fn only_addresses_that_were_checked_are_connected_to() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    let port = server.address().port();
    let names = Arc::<Loopback>::default();
    let fetcher = fetcher(folder.path(), &names);
    let at = |last: u8| SocketAddr::from(([127, 0, 0, last], port));
    let prepare = |answers: &[&[SocketAddr]]| {
        names.prepared.lock().expect("no panic").extend(answers.iter().map(|answer| answer.to_vec()));
    };
    // A name that is public when it is checked and private when it is looked up once more: there is no once more.
    prepare(&[&[at(1)], &[at(1)], &[at(9)]]);
    assert_eq!(get(&fetcher, &format!("http://rebound.example:{port}/a.css")).as_deref(), Some("a {}"));
    assert_eq!(names.asked.lock().expect("no panic").len(), 2, "one look-up for each connection");
    names.prepared.lock().expect("no panic").clear();
    // Of several addresses, the private ones are struck out.
    prepare(&[&[at(9), at(1)], &[at(9), at(1)]]);
    assert_eq!(get(&fetcher, &format!("http://mixed.example:{port}/a.css")).as_deref(), Some("a {}"));
    let before = server.asked().len();
    prepare(&[&[at(9)]]);
    assert_eq!(get(&fetcher, &format!("http://private.example:{port}/a.css")), None);
    assert_eq!(get(&fetcher, &format!("http://127.0.0.9:{port}/a.css")), None);
    // The same address, written as a number.
    assert_eq!(get(&fetcher, &format!("http://2130706441:{port}/a.css")), None);
    server.answer("/inside.css", 302, &[&format!("Location: http://127.0.0.9:{port}/a.css")], b"");
    assert_eq!(get(&fetcher, &format!("http://mixed.example:{port}/inside.css")), None);
    let asked = server.asked().split_off(before);
    assert_eq!(asked.iter().map(|asked| asked.path.as_str()).collect::<Vec<_>>(), ["/inside.css"]);
    for odd in
        ["file:///etc/passwd", "ftp://a.example/x", "http://user:word@a.example/", "http://a.example:25/", "data:,x"]
    {
        assert_eq!(get(&fetcher, odd), None, "{odd}");
    }
}

#[test]
fn the_default_reach_is_the_open_net() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    let fetcher = Fetcher::open(folder.path(), policy()).expect("a folder");
    assert_eq!(get(&fetcher, &server.url("/a.css")), None);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn robots_files_that_are_missing_or_silent() {
    let check = |status: u16, headers: &[&str], body: &str, expected: Option<&str>| {
        let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
        server.answer("/robots.txt", status, headers, body.as_bytes());
        server.answer("/rules", 200, &[], b"User-agent: databuild\nDisallow: /a");
        let fetcher = fetcher(folder.path(), &Arc::default());
        assert_eq!(get(&fetcher, &server.url("/a.css")).as_deref(), expected, "{status} {headers:?}");
    };
    check(404, &[], "", Some("a {}"));
    check(403, &[], "", Some("a {}"));
    check(500, &[], "", None);
    check(429, &[], "", None);
    check(302, &["Location: /rules"], "", None);
    check(200, &[], "User-agent: databuild\nAllow: /a.css\nDisallow: /\n\nUser-agent: *\nDisallow: /", Some("a {}"));
}

#[test]
fn hosts_that_are_slow_or_ask_for_it_are_left_alone() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    server.answer("/busy.css", 503, &["Retry-After: 1"], b"");
    let names = Arc::<Loopback>::default();
    let one = fetcher(folder.path(), &names);
    assert_eq!(get(&one, &server.url("/busy.css")), None);
    assert_eq!(get(&one, &server.url("/a.css")), None);
    assert_eq!(paths(&server), ["/robots.txt", "/busy.css"]);
    let late = one.get(&format!("http://late.example:{}/a.css", server.address().port()), Instant::now(), &Nobody);
    assert!(late.expect("a disk").is_none(), "its time is over before it begins");

    // A host that starts requests a while apart, as its rules ask.
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    server.put("/robots.txt", b"User-agent: *\nCrawl-delay: 0.2\n".to_vec());
    let slow = fetcher(folder.path(), &names);
    let started = Instant::now();
    for path in ["/a.css", "/b.css", "/c.css"] {
        get(&slow, &server.url(path));
    }
    // The rules themselves come before the wish is known. Never early; a busy machine may be late.
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn threads_ask_once_for_one_url() {
    let (folder, server) = (tempfile::tempdir().expect("a folder"), site());
    let fetcher = fetcher(folder.path(), &Arc::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(get(&fetcher, &server.url("/a.css")).as_deref(), Some("a {}")));
        }
    });
    let asked = paths(&server).into_iter().filter(|path| path == "/a.css").count();
    assert_eq!(asked, 1);
}

/// Cases of Google's suite in which RFC 9309, which is ours, says otherwise or leaves it open.
const OF_GOOGLE_ALONE: &[(&str, &str)] = &[
    ("ID_Encoding", "the RFC compares octets with their percent-encoding undone"),
    ("GoogleOnly_IndexHTMLisDirectory", "index.html is a name like others"),
    ("GoogleOnly_AcceptUserAgentUpToFirstSpace", "a crawler's name has no space in it"),
];

#[test]
fn rules_are_read_as_the_standard_says() {
    let Some(corpus) = corpus() else { return };
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in json_lines(&corpus.join("suites/robots/robots.jsonl")) {
        let text = |name: &str| case[name].as_str().expect("text").to_owned();
        // An empty name or URL asks what a library does with it.
        let Ok(url) = Url::parse(&text("url")) else { continue };
        let agent = text("agent");
        if agent.is_empty() {
            continue;
        }
        let allowed = Rules::parse(text("robots_txt").as_bytes(), &agent).allow(&url);
        let is_known = OF_GOOGLE_ALONE.iter().any(|(test, _)| *test == text("test"));
        if Some(allowed) != case["allowed"].as_bool() && !is_known {
            wrong.push(case.to_string());
        }
        checked += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 120, "{checked} cases");
}
