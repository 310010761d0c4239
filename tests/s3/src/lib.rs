//! Archives and stores in a real S3 server that checks signatures, behind a line that throttles, cuts and lies.

#![cfg(test)]

mod demo;
mod line;
mod runs;
mod server;
mod state;

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ingest::remote::{
    Client, ClientPolicy, RemoteError, RemoteFile, RemoteReader, S3Access, S3Credentials, Watch, list, list_objects,
};
use ingest::{ArchiveReader, Entry, Limits};
use item::Digest;
use tempfile::TempDir;
use testkit::warc::WarcBuilder;

use line::{Fault, Line};
use server::S3Server;

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "a/secret+with=signs";
/// Characters that URLs, queries and signatures each escape in their own way.
const URL: &str = "s3://crawl/a folder/b+c.warc.gz";

struct Nobody;

impl Watch for Nobody {
    fn stopped(&self) -> bool {
        false
    }
    fn waiting(&self, _: &str) {}
}

fn watch() -> Arc<dyn Watch> {
    Arc::new(Nobody)
}

/// A server, and the line to it.
struct Place {
    line: Line,
    bytes: Vec<u8>,
    folder: TempDir,
    _server: S3Server,
}

fn place(pair: Option<(&str, &str)>) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = archive();
    put(folder.path(), "crawl/a folder/b+c.warc.gz", &bytes);
    put(folder.path(), "crawl/list.txt", format!("{URL}\n").as_bytes());
    let server = S3Server::start(folder.path(), pair);
    Place { line: Line::start(server.address), bytes, folder, _server: server }
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a bucket")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

fn archive() -> Vec<u8> {
    let page =
        |n: usize| (format!("https://a.example/{n}"), format!("<p>page {n} {}</p>", "words ".repeat(n * 7 % 900)));
    (0..300).map(page).fold(WarcBuilder::new(), |archive, (url, html)| archive.page(&url, &html)).build_gz()
}

fn client(place: &Place, secret: Option<&str>, requests_per_second: f64) -> Client {
    let credentials = secret.map(|secret| S3Credentials { key: KEY.into(), secret: secret.into(), token: None });
    let endpoint = Some(format!("http://{}", place.line.address));
    let quick = Duration::from_millis(1);
    Client::new(ClientPolicy {
        requests_per_second,
        attempts_max: 4,
        wait_min: quick,
        wait_max: quick,
        s3: S3Access { endpoint, credentials, ..S3Access::default() },
        ..ClientPolicy::default()
    })
}

fn fetch(client: Client) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    RemoteReader::new(client, RemoteFile::at(URL), watch()).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Places and digests of all records.
fn records(source: impl Read + Send + 'static) -> Vec<(u64, Digest)> {
    let record = |entry| match entry {
        Ok(Entry::Record(record)) => (record.offset, Digest::of(&record.block)),
        other => panic!("{other:?}"),
    };
    ArchiveReader::new(source, "a", Limits::default()).map(record).collect()
}

#[test]
fn signatures_are_those_that_the_server_computes() {
    let place = place(Some((KEY, SECRET)));
    let right = client(&place, Some(SECRET), 1000.0);
    assert!(fetch(right.clone()).expect("it is signed") == place.bytes);
    let file = right.describe(URL, &Nobody).expect("it is signed");
    assert_eq!(file.bytes, Some(place.bytes.len() as u64));
    assert!(file.version.is_some(), "{file:?}");
    assert_eq!(list(&right, "s3://crawl/list.txt", &watch()).expect("it is signed"), [URL]);
    for secret in [None, Some("another")] {
        let wrong = client(&place, secret, 1000.0);
        let error = format!("{:?}", fetch(wrong.clone()).expect_err("it is not for everybody"));
        assert!(error.contains("Status(403)"), "{secret:?}: {error}");
        let error = format!("{:?}", list_objects(&wrong, "s3://crawl/", true, &Nobody).expect_err("nor is the list"));
        assert!(error.contains("Status(403)"), "{secret:?}: {error}");
    }
    let gone = right.describe("s3://crawl/gone", &Nobody).expect_err("there is none");
    assert!(format!("{gone:?}").contains("Status(404)"), "{gone:?}");
}

#[test]
fn objects_are_listed_in_as_many_answers_as_it_takes() {
    for secret in [Some(SECRET), None] {
        let place = place(secret.map(|secret| (KEY, secret)));
        // A server names a thousand in an answer.
        let keys: Vec<String> = (0..1100).map(|n| format!("many/{n:04} &+é.warc.gz")).collect();
        for key in &keys {
            put(place.folder.path(), &format!("crawl/{key}"), b"");
        }
        put(place.folder.path(), "crawl/many/below/0000.warc.gz", b"");
        let client = client(&place, secret, 1000.0);
        let found = |prefix: &str, folder| -> Result<Vec<String>, RemoteError> {
            let files = list_objects(&client, prefix, folder, &Nobody)?;
            Ok(files.into_iter().map(|file| file.url.replacen("s3://crawl/", "", 1)).collect())
        };
        for faults in [
            [Fault::SlowDown, Fault::CutAfter(5_000), Fault::LieLess(500)],
            [Fault::LieMore(9), Fault::HangUp, Fault::Status(500)],
        ] {
            place.line.break_by(&faults);
            let in_folder = found("s3://crawl/many/", true).expect("it is listed");
            assert!(in_folder == keys, "{faults:?}: {} objects", in_folder.len());
            assert_eq!(place.line.faults_left(), 0);
        }
        assert_eq!(found("s3://crawl/many/", false).expect("it is listed").len(), 1101);
        let some = found("s3://crawl/many/000", true).expect("it is listed");
        assert!(some == keys[..10], "{some:?}");
        assert_eq!(found("s3://crawl/a folder/b+", true).expect("it is listed"), ["a folder/b+c.warc.gz"]);
        assert!(found("s3://crawl/none", true).expect("it is listed").is_empty());
        let error = format!("{:?}", found("s3://gone/", true).expect_err("no such bucket"));
        assert!(error.contains("Status(404)"), "{error}");
    }
}

#[test]
fn whatever_the_line_does_the_digests_are_the_same() {
    let throttled = [Fault::SlowDown, Fault::Status(429), Fault::Status(500)];
    let cut = [Fault::CutAfter(0), Fault::CutAfter(2_000), Fault::CutAfter(20_000), Fault::HangUp];
    // Who promises too much sends all there is, so that lie comes last.
    let lies = [Fault::LieLess(3_000), Fault::LieLess(1), Fault::LieMore(100_000)];
    let all = [
        Fault::SlowDown,
        Fault::CutAfter(9_000),
        Fault::HangUp,
        Fault::LieLess(8_000),
        Fault::CutAfter(3_000),
        Fault::LieMore(7),
    ];
    for secret in [Some(SECRET), None] {
        let place = place(secret.map(|secret| (KEY, secret)));
        let expected = records(Cursor::new(place.bytes.clone()));
        assert_eq!(expected.len(), 300);
        for faults in [&[][..], &throttled, &cut, &lies, &all] {
            check(&place, secret, faults, &expected);
        }
    }
}

fn check(place: &Place, secret: Option<&str>, faults: &[Fault], expected: &[(u64, Digest)]) {
    const RATE: f64 = 50.0;
    place.line.break_by(faults);
    place.line.asked();
    let started = Instant::now();
    let client = client(place, secret, RATE);
    let file = client.describe(URL, &Nobody).expect("it is there");
    let found = records(RemoteReader::new(client, file, watch()));
    assert!(found == expected, "{faults:?}: {} records", found.len());
    let asked = place.line.asked();
    assert!(place.line.faults_left() == 0 && asked.len() > faults.len(), "{faults:?}: {asked:?}");
    let is_signed = asked.iter().all(|line| line.contains("X-Amz-Signature="));
    assert_eq!(is_signed, secret.is_some(), "{asked:?}");
    // The pace is that of the bucket: never faster; a busy machine may be slower.
    let (time, least) = (started.elapsed(), Duration::from_secs_f64((asked.len() - 1) as f64 / RATE));
    assert!(time >= least, "{} requests in {time:?}", asked.len());
}
