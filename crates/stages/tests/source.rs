//! Archives on this machine, on a web server and of a crawl: the same captures, wherever they lie.

use std::path::Path;
use std::sync::Arc;

use engine::{Cancel, Observer, RunEvent, Source, SourceContext, Sourced};
use ingest::remote::{Client, ClientPolicy, Watch};
use item::ItemId;
use stages::{IndexConfig, OfCrawl, SourceConfig, WarcSource};
use store::LocalStore;
use testkit::server::{FileServer, Mischief};
use testkit::warc::WarcBuilder;

struct Deaf;

impl Observer for Deaf {
    fn event(&self, _: &RunEvent) {}
}

struct Nobody;

impl Watch for Nobody {
    fn stopped(&self) -> bool {
        false
    }
    fn waiting(&self, _: &str) {}
}

fn context() -> SourceContext {
    SourceContext { cancel: Cancel::new(), observer: Arc::new(Deaf) }
}

fn archive(site: &str) -> Vec<u8> {
    let pages = (0..40).map(|n| (format!("https://{site}.example/{n}"), format!("<p>page {n} of {site}</p>")));
    pages.fold(WarcBuilder::new(), |archive, (url, html)| archive.page(&url, &html)).build_gz()
}

const CRAWL: &str = "CC-MAIN-2024-51";

/// Three archives of a crawl.
fn crawl() -> FileServer {
    let path = |site: &str| format!("crawl-data/{CRAWL}/segments/1/warc/{site}.warc.gz");
    let list: String = ["a", "b", "c"].map(|site| path(site) + "\n").concat();
    let mut files = vec![(format!("/crawl-data/{CRAWL}/warc.paths.gz"), testkit::gzip(list.as_bytes()))];
    files.extend(["a", "b", "c"].map(|site| (format!("/{}", path(site)), archive(site))));
    FileServer::start(files).expect("loopback is there")
}

fn source(config: &SourceConfig, folder: &Path) -> WarcSource {
    let store = LocalStore::open(folder.join("store")).expect("a store");
    WarcSource::new(config, folder, Arc::new(store)).expect("a configuration")
}

/// Ids of all captures, by archive.
fn captures(source: &WarcSource) -> Vec<(String, Vec<ItemId>)> {
    let partitions = source.partitions(&context()).expect("they are there");
    let read = |partition: &engine::Partition| {
        let mut ids = Vec::new();
        let mut take = |sourced: Sourced| {
            if let Sourced::Item(item) = sourced {
                ids.push(item.head.id);
            }
            true
        };
        source.read(partition, &context(), &mut take).expect("it is readable");
        (partition.name.clone(), ids)
    };
    partitions.iter().map(read).collect()
}

fn ids(captures: Vec<(String, Vec<ItemId>)>) -> Vec<ItemId> {
    captures.into_iter().flat_map(|(_, ids)| ids).collect()
}

fn of_crawl(server: &FileServer) -> SourceConfig {
    SourceConfig {
        crawl: CRAWL.to_owned(),
        mirror: server.url("/"),
        requests_per_second: 1000.0,
        ..SourceConfig::default()
    }
}

#[test]
fn a_crawl_gives_what_its_archives_give() {
    let folder = tempfile::tempdir().expect("a folder");
    for site in ["a", "b", "c"] {
        std::fs::write(folder.path().join(format!("{site}.warc.gz")), archive(site)).expect("written");
    }
    let local = SourceConfig { warcs: vec!["*.warc.gz".to_owned()], ..SourceConfig::default() };
    let local = captures(&source(&local, folder.path()));
    let sizes: Vec<_> = local.iter().map(|(name, ids)| (name.as_str(), ids.len())).collect();
    assert_eq!(sizes, [("a.warc.gz", 40), ("b.warc.gz", 40), ("c.warc.gz", 40)]);

    let server = crawl();
    server.misbehave([Mischief::PromiseMore(3), Mischief::IgnoreRange, Mischief::CutAfter(500)]);
    let remote = captures(&source(&of_crawl(&server), folder.path()));
    assert_eq!(remote[0].0, format!("crawl-data/{CRAWL}/segments/1/warc/a.warc.gz"));
    assert_eq!(ids(remote), ids(local.clone()));

    let by_url = |site| server.url(&format!("/crawl-data/{CRAWL}/segments/1/warc/{site}.warc.gz"));
    let by_url = SourceConfig { warcs: ["a", "b", "c"].map(by_url).to_vec(), ..of_crawl(&server) };
    assert_eq!(captures(&source(&by_url, folder.path())), local);
}

#[test]
fn the_next_crawl_leaves_the_one_before_as_it_was() {
    const NEXT: &str = "CC-MAIN-2025-05";
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let path = format!("crawl-data/{NEXT}/segments/1/warc/d.warc.gz");
    server.put(&format!("/crawl-data/{NEXT}/warc.paths.gz"), testkit::gzip(path.as_bytes()));
    server.put(&format!("/{path}"), archive("d"));
    for archives_max in [0, 2] {
        let one = SourceConfig { archives_max, ..of_crawl(&server) };
        let both = SourceConfig { crawls: vec![NEXT.to_owned()], ..one.clone() };
        let (one, both) = (source(&one, folder.path()), source(&both, folder.path()));
        assert_eq!(one.fingerprint(), both.fingerprint(), "what was read is not read again");
        let (old, mut all) = (one.partitions(&context()).expect("read"), both.partitions(&context()).expect("read"));
        let next = all.pop().expect("the next crawl's");
        assert_eq!((old, next.name.as_str()), (all.clone(), path.as_str()));
        for (partition, crawl) in [(&all[0], CRAWL), (&next, NEXT)] {
            let mut take = |sourced: Sourced| {
                let Sourced::Item(item) = sourced else { return true };
                assert_eq!(item.head.provenance.crawl, crawl);
                true
            };
            both.read(partition, &context(), &mut take).expect("it is readable");
        }
    }
}

/// A bucket `crawl` with three archives in `a/`, which lists them with or without what there is to say of each.
fn bucket(described: bool) -> FileServer {
    let server = FileServer::start(["a", "b", "c"].map(|site| (format!("/crawl/a/{site}.warc.gz"), archive(site))))
        .expect("loopback is there");
    let client = Client::new(ClientPolicy { requests_per_second: 1000.0, ..ClientPolicy::default() });
    let object = |site: &str| {
        let file = client.describe(&server.url(&format!("/crawl/a/{site}.warc.gz")), &Nobody).expect("it is there");
        let (bytes, version) = (file.bytes.expect("a length"), file.version.expect("a version"));
        let more = format!("<ETag>{}</ETag><Size>{bytes}</Size>", version.replace('"', "&quot;"));
        format!("<Contents><Key>a/{site}.warc.gz</Key>{}</Contents>", if described { &more } else { "" })
    };
    // In two answers, with an object that is no archive and one that stands for the folder.
    let first =
        format!("<NextContinuationToken>1</NextContinuationToken><Contents><Key>a/</Key></Contents>{}", object("a"));
    let second = format!("{}{}<Contents><Key>a/readme.txt</Key></Contents>", object("b"), object("c"));
    for (query, list) in [("", first), ("continuation-token=1&", second)] {
        let list = format!("<ListBucketResult>{list}</ListBucketResult>");
        let path = format!("/crawl/?{query}delimiter=%2F&list-type=2&prefix=a%2F");
        server.answer(&path, 200, &[], list.as_bytes());
    }
    server
}

#[test]
fn a_pattern_of_objects_gives_what_their_names_give() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |server: &FileServer, warcs: &[&str]| {
        let warcs = warcs.iter().map(|warc| (*warc).to_owned()).collect();
        source(&SourceConfig { warcs, s3_endpoint: server.url(""), ..of_crawl(server) }, folder.path())
    };
    for described in [true, false] {
        let server = bucket(described);
        let named = ["s3://crawl/a/c.warc.gz", "s3://crawl/a/a.warc.gz", "s3://crawl/a/b.warc.gz"];
        let by_name = with(&server, &named);
        let partitions = by_name.partitions(&context()).expect("they are there");
        let before = server.asked().len();
        let by_pattern = with(&server, &["s3://crawl/a/*.warc.gz"]);
        assert_eq!(by_pattern.partitions(&context()).expect("they are listed"), partitions);
        let asked = server.asked().split_off(before);
        assert_eq!(asked.len(), if described { 2 } else { 5 }, "{asked:?}");
        assert_eq!(captures(&by_pattern), captures(&by_name));
        let check = |pattern: &str, expected: &str| {
            let error = with(&server, &[pattern]).partitions(&context()).expect_err("there is none");
            assert!(error.to_string().contains(expected), "{error}");
        };
        check("s3://crawl/a/*.arc", "nothing below `s3://crawl/a/` matches");
        check("s3://*/a.warc.gz", "needs the name of a bucket");
    }
}

#[test]
fn the_list_of_a_crawl_is_fetched_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    for _ in 0..2 {
        assert_eq!(source(&of_crawl(&server), folder.path()).partitions(&context()).expect("listed").len(), 3);
    }
    assert_eq!(server.asked().len(), 1, "{:?}", server.asked());
}

#[test]
fn samples_are_nested() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let with = |archives_max, sample_share| {
        let config = SourceConfig { archives_max, sample_share, ..of_crawl(&server) };
        captures(&source(&config, folder.path()))
    };
    let (one, two, all) = (with(1, 1.0), with(2, 1.0), with(0, 1.0));
    assert_eq!((one.len(), two.len(), all.len()), (1, 2, 3));
    assert!(one.iter().all(|archive| two.contains(archive)));
    let (some, more) = (ids(with(0, 0.2)), ids(with(0, 0.6)));
    assert!(!some.is_empty() && some.len() < more.len() && more.len() < 120, "{} {}", some.len(), more.len());
    assert!(some.iter().all(|id| more.contains(id)));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let check = |config: SourceConfig, expected: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let store = LocalStore::open(folder.path().join("store")).expect("a store");
        let error = WarcSource::new(&config, folder.path(), Arc::new(store)).expect_err("it has to be refused");
        assert!(error.to_string().contains(expected), "{error}");
    };
    let valid = || SourceConfig { crawl: CRAWL.to_owned(), ..SourceConfig::default() };
    check(SourceConfig::default(), "names no file");
    check(SourceConfig { crawls: vec!["51".to_owned()], ..valid() }, "(\"51\") is no crawl");
    let both = SourceConfig { crawls: vec![CRAWL.to_owned()], warcs: vec!["a.warc".to_owned()], ..valid() };
    check(both, "`crawls` are read whole");
    check(SourceConfig { sample_share: 0.0, ..valid() }, "`sample_share` is 0");
    check(SourceConfig { requests_per_second: 0.0, ..valid() }, "`requests_per_second` is 0");
}

#[test]
fn captures_by_the_rows_of_an_index() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let whole = source(&of_crawl(&server), folder.path());
    let (mut rows, mut all) = (Vec::new(), Vec::new());
    for partition in whole.partitions(&context()).expect("they are there") {
        let mut take = |sourced: Sourced| {
            if let Sourced::Item(item) = sourced {
                let place = &item.head.provenance;
                rows.push(format!(
                    "key 2024 {{\"url\":\"{}\",\"mime\":\"text/html\",\"status\":\"200\",\"filename\":\"{}\",\
                     \"offset\":\"{}\",\"length\":\"{}\"}}\n",
                    place.url, place.warc_filename, place.warc_record_offset, place.warc_record_length
                ));
                all.push((place.url.clone(), item.head.id));
            }
            true
        };
        whole.read(&partition, &context(), &mut take).expect("it is readable");
    }
    rows.sort();
    std::fs::write(folder.path().join("index.cdxj"), rows.concat()).expect("a file");
    // The same rows on the server: as a file, and as the crawl's own index.
    let packed = testkit::gzip(rows.concat().as_bytes());
    let list = format!("example,a)/ 2024\tcdx-00000.gz\t0\t{}\t1\n", packed.len());
    server.put("/some/index.cdxj.gz", packed.clone());
    server.put(&format!("/cc-index/collections/{CRAWL}/indexes/cdx-00000.gz"), packed);
    server.put(&format!("/cc-index/collections/{CRAWL}/indexes/cluster.idx"), list.into_bytes());
    let index = IndexConfig {
        files: vec!["*.cdxj".to_owned()],
        urls: vec!["*/1*".to_owned()],
        domains: vec!["a.example".to_owned(), "c.example".to_owned()],
        statuses: vec![200],
        ..IndexConfig::default()
    };
    let before = server.asked().len();
    let found = captures(&source(&SourceConfig { index: index.clone(), ..of_crawl(&server) }, folder.path()));
    let wanted = |url: &String| (url.contains("//a.") || url.contains("//c.")) && url.contains("/1");
    let mut expected: Vec<ItemId> = all.iter().filter(|(url, _)| wanted(url)).map(|(_, id)| *id).collect();
    let mut got = ids(found.clone());
    expected.sort();
    got.sort();
    assert_eq!((found.len(), got), (2, expected));
    let ranges = server.asked().split_off(before).iter().filter(|asked| asked.range.is_some()).count();
    assert_eq!(ranges, 2, "near records come with one request");

    let elsewhere = IndexConfig { files: vec![server.url("/some/index.cdxj.gz")], ..index.clone() };
    assert_eq!(captures(&source(&SourceConfig { index: elsewhere, ..of_crawl(&server) }, folder.path())), found);
    let own = IndexConfig { files: Vec::new(), of_crawl: OfCrawl::Cdxj, ..index };
    assert_eq!(captures(&source(&SourceConfig { index: own, ..of_crawl(&server) }, folder.path())), found);
}

#[test]
fn limits_by_captures_and_bytes_are_nested() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let with = |pages_max, bytes_max| {
        let config = SourceConfig { pages_max, bytes_max, ..of_crawl(&server) };
        captures(&source(&config, folder.path()))
    };
    let all = with(0, 0);
    let (two, ten) = (with(2, 0), with(10, 0));
    assert_eq!((two.len(), ids(two.clone()).len(), ids(ten.clone()).len()), (2, 2, 10));
    assert!(ids(two).iter().all(|id| ids(ten.clone()).contains(id)));
    // Of each archive the first ones.
    for (name, some) in &ten {
        let (_, whole) = all.iter().find(|(whole, _)| whole == name).expect("it is one of them");
        assert_eq!(some[..], whole[..some.len()]);
    }
    assert_eq!(ids(with(1000, 0)).len(), 120);
    let size = archive("a").len() as u64;
    let (one, both) = (with(0, size + size / 4), with(0, 2 * size + size / 4));
    assert_eq!((one.len(), both.len()), (1, 2));
    assert!(both.contains(&one[0]));
    assert_eq!(with(0, 1 << 30), all);
    let config = SourceConfig { bytes_max: 10, ..of_crawl(&server) };
    let error = source(&config, folder.path()).partitions(&context()).expect_err("nothing fits");
    assert!(error.to_string().contains("`bytes_max` is 10"), "{error}");
}

#[test]
fn lists_name_archives() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    std::fs::write(folder.path().join("own.warc.gz"), archive("own")).expect("written");
    let path = |site: &str| format!("crawl-data/{CRAWL}/segments/1/warc/{site}.warc.gz");
    let lines = format!("# some\nown.warc.gz\n\n{}\n{}\n", path("a"), server.url(&format!("/{}", path("b"))));
    std::fs::write(folder.path().join("some.txt"), lines).expect("written");
    server.put("/more.gz", testkit::gzip(path("c").as_bytes()));
    let config = SourceConfig { lists: vec!["some.txt".to_owned(), server.url("/more.gz")], ..of_crawl(&server) };
    let found = captures(&source(&config, folder.path()));
    let names: Vec<String> = found.iter().map(|(name, ids)| format!("{name} {}", ids.len())).collect();
    let expected = ["b.warc.gz 40", &format!("{} 40", path("a")), &format!("{} 40", path("c")), "own.warc.gz 40"];
    assert_eq!(names, expected);
}

#[test]
fn a_cache_spares_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let read = || captures(&source(&SourceConfig { cache: "kept".into(), ..of_crawl(&server) }, folder.path()));
    let first = read();
    let asked = server.asked().len();
    assert_eq!(read(), first);
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn threads_give_the_same_captures() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = crawl();
    let with = |threads| captures(&source(&SourceConfig { threads, ..of_crawl(&server) }, folder.path()));
    assert_eq!(with(1), with(3));
}
