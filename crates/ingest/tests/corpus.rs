//! Real archives, against what two other readers and the makers of the damage say.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;
use common::{corpus, entries, json, json_lines, sha256};
use ingest::archive::{RecordType, WarcHeader};
use ingest::http::HttpResponse;
use ingest::{
    ArchiveReader, CaptureOutcome, CapturePolicy, CaptureReader, DamageReason, Entry, Limits, SignalPolicy, WarcRecord,
};
use serde_json::Value;

type Counts = BTreeMap<String, u64>;

fn counts(entries: &[Entry]) -> Counts {
    let mut counts = Counts::new();
    for entry in entries {
        if let Entry::Record(record) = entry {
            *counts.entry(record.record_type.to_string()).or_default() += 1;
        }
    }
    counts
}

/// Record counts of the truth; types are compared in lower case, as the standard says.
fn expected_counts(value: &Value) -> Option<Counts> {
    let mut counts = Counts::new();
    for (name, count) in value.as_object()? {
        *counts.entry(name.trim().to_lowercase()).or_default() += count.as_u64()?;
    }
    Some(counts)
}

/// One page of the corpus asks not to be used (`noai`); the truth counts it.
fn everything() -> CapturePolicy {
    let signals =
        SignalPolicy { reject_noindex: false, reject_noai: false, reject_noimageai: false, reject_tdm_reserved: false };
    CapturePolicy { signals, ..CapturePolicy::default() }
}

fn pages(path: &Path) -> u64 {
    let archive = ArchiveReader::open(path, Limits::default()).expect("a file of the corpus");
    let outcomes = CaptureReader::new(archive, everything());
    outcomes.filter(|outcome| matches!(outcome.as_ref().expect("readable"), CaptureOutcome::Capture(_))).count() as u64
}

/// The bytes that the truth has a digest of.
fn body(record: &WarcRecord) -> Bytes {
    let is_http = record.record_type == RecordType::Response
        && record.header(&WarcHeader::ContentType).is_some_and(|t| t.starts_with("application/http"));
    if is_http {
        HttpResponse::parse(&record.block, &Limits::default()).map_or_else(|_| Bytes::new(), |http| http.payload)
    } else {
        record.block.clone()
    }
}

/// Archives in which we see other pages than the truth's readers, how many, and why that is right.
const PAGES_DIFFER: &[(&str, u64, &str)] = &[
    ("transfer_compression_brotli", 1, "the truth's reader had no Brotli; the page is that of its gzip twin"),
    ("content-resource-types", 1, "a PNG that is sent as text/html is no page"),
    ("link-extraction-test", 8, "an `img` of an XHTML page is not closed: browsers show an error in place of the page"),
];

#[test]
fn archives_of_other_crawlers_are_read_as_others_read_them() {
    let Some(corpus) = corpus() else { return };
    let truth = json(&corpus.join("truth.json"));
    let (mut checked, mut wrong) = (0, Vec::new());
    for (name, file) in truth["files"].as_object().expect("files") {
        let is_archive = name.contains(".warc") || name.contains(".arc");
        let Some(expected) = expected_counts(&file["records"]).filter(|_| is_archive && !name.starts_with("odd/"))
        else {
            continue;
        };
        let path = corpus.join(name);
        let entries = entries(&path);
        assert_eq!(counts(&entries), expected, "{name}");
        assert!(entries.iter().all(|e| matches!(e, Entry::Record(_))), "{name}: damage in a sound file");
        let differs = PAGES_DIFFER.iter().find(|(part, ..)| name.contains(part)).map(|(_, pages, _)| *pages);
        let (pages, expected) = (pages(&path), differs.or(file["pages"].as_u64()));
        if Some(pages) != expected {
            wrong.push(format!("{name}: {pages} pages, not {expected:?}"));
        }
        checked += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 60, "{checked} files");
}

#[test]
fn every_record_is_where_it_should_be_and_holds_what_it_should() {
    let Some(corpus) = corpus() else { return };
    let mut checked = 0;
    for file in std::fs::read_dir(corpus.join("truth/records")).expect("a folder") {
        let file = file.expect("a file").path();
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let rows = json_lines(&file);
        let records = entries(&corpus.join("warc").join(&name));
        assert_eq!(records.len(), rows.len(), "{name}");
        let mut end = 0;
        for (entry, row) in records.iter().zip(&rows) {
            let Entry::Record(record) = entry else { panic!("{name}: {entry:?}") };
            let place = format!("{name} at {}", record.offset);
            assert_eq!(Some(record.offset), row["offset"].as_u64(), "{place}");
            assert!(record.offset >= end, "{place} starts before the last one ends");
            end = record.offset + record.length;
            // The truth's reader gives no URIs of ARC records, and types of its own.
            if record.version != "ARC" {
                let kind = row["type"].as_str().map(str::to_lowercase);
                assert_eq!(Some(record.record_type.to_string()), kind, "{place}");
                let uri = row["uri"].as_str().map(|uri| uri.trim_matches(['<', '>']));
                assert_eq!(record.uri(), uri, "{place}");
            }
            // Of an ARC's description the truth's reader takes a part as the header.
            let is_compared = !matches!(record.record_type, RecordType::Request | RecordType::Revisit)
                && row["type"] != "arc_header"
                && row["body_error"].is_null();
            if let Some(expected) = row["body_sha256"].as_str().filter(|_| is_compared) {
                assert_eq!(sha256(&body(record)), expected, "{place}: {} {:?}", record.record_type, record.uri());
                checked += 1;
            }
        }
        let size = std::fs::metadata(corpus.join("warc").join(&name)).expect("a file").len();
        // Line ends behind the last plain record belong to nobody.
        assert!(end == size || (end < size && !name.contains(".gz")), "{name}: ends at {end} of {size}");
    }
    assert!(checked > 1000, "{checked} bodies");
}

#[test]
fn page_captures_are_where_the_corpus_says() {
    let Some(corpus) = corpus() else { return };
    let rows = json_lines(&corpus.join("pages/pages.jsonl"));
    let mut by_place: BTreeMap<(String, u64), &Value> = BTreeMap::new();
    for row in &rows {
        let file = row["file"].as_str().expect("a file").to_owned();
        by_place.insert((file, row["offset"].as_u64().expect("an offset")), row);
    }
    let files: Vec<String> = by_place.keys().map(|(file, _)| file.clone()).collect();
    let (mut right, mut wrong) = (0, String::new());
    for file in files.iter().collect::<std::collections::BTreeSet<_>>() {
        let archive = ArchiveReader::open(corpus.join(file), Limits::default()).expect("a file of the corpus");
        for outcome in CaptureReader::new(archive, CapturePolicy { crawl: "CC-TEST".to_owned(), ..everything() }) {
            let CaptureOutcome::Capture(item) = outcome.expect("readable") else { continue };
            let provenance = &item.head.provenance;
            let row = by_place.remove(&(file.clone(), provenance.warc_record_offset)).expect("a page of the truth");
            assert_eq!(Some(provenance.warc_record_length), row["length"].as_u64(), "{}", provenance.url);
            assert_eq!(Some(provenance.url.as_str()), row["url"].as_str());
            let said = row["encoding"].as_str().expect("an encoding");
            let is_right = match said {
                "ascii" => encoding_rs::Encoding::for_label(item.body.charset.as_bytes())
                    .is_some_and(encoding_rs::Encoding::is_ascii_compatible),
                label => {
                    encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label").name() == item.body.charset
                }
            };
            if is_right {
                right += 1;
            } else {
                let source = item.body.charset_source.name();
                writeln!(wrong, "{}: {said} read as {} by {source}", provenance.url, item.body.charset)
                    .expect("memory");
            }
        }
    }
    assert!(by_place.is_empty(), "not captured: {by_place:?}");
    println!("{right} of {} in the right charset\n{wrong}", rows.len());
    assert_eq!(right, rows.len(), "{wrong}");
}

/// Cut where a record ends: nothing is lost of what is there.
const WHOLE: &str = "ukwa-IAH-20080430204825-00000-blackbook-truncated.arc";

/// Files of `odd/` that we read otherwise than the truth's readers, what we get, and why that is right.
const DIFFERS: &[(&str, &str, &str)] = &[
    ("ipwb-HTTP204.warc", "response 1", "two lengths fall short of their blocks"),
    ("ipwb-redirect.warc", "warcinfo 1", "the file ends before the block does"),
    ("ipwb-broken.warc", "metadata 1, request 2, response 1, warcinfo 1", "the last block goes on behind its length"),
    ("pywb-missing-status-text.warc", "", "the file ends before the block does"),
    ("resiliparse-clipped.warc.gz", "", "the only record is cut"),
    ("made-length-short.warc.gz", "response 5, warcinfo 1", "a page that lacks its end is wrong data"),
    ("jwat-invalid-warcfile-lonely-continuation.warc", "", "without a length its end is not known"),
    ("jwat-invalid-warcfile-lonely-monkeys.warc", "", "without a length its end is not known"),
    ("jwat-invalid-warcfile-fields-missing.warc", "", "without a length its end is not known"),
    ("jwat-invalid-warcfile-fields-empty.warc", "", "without a length its end is not known"),
    ("jwat-invalid-warcfile-fields-invalidformat.warc", "", "`very lengthy` is no length"),
    ("jwat-invalid-warcfile-lonely-request-response-resource-conversion.warc", "", "four records, none with a length"),
    ("jwat-invalid-warcfile-lonely-revisit.warc", "", "without a length its end is not known"),
    ("jwat-invalid-warcfile-lonely-warcinfo-metadata.warc", "", "two records, none with a length"),
    ("warcio-bad.arc", "arc_header 1, response 1", "without a length their ends are not known"),
    ("jwat-invalid-arcfile-record-then-garbage.arc", "response 1", "the rest is garbage"),
    ("warcio-example-space-in-url.arc", "arc_header 1", "the file ends 12 bytes before the block does"),
    (WHOLE, "arc_header 1, response 8", "the reference stops at the first record; its gzip twin has the same"),
    ("jwat-test-arc-1.0-dashed-fields.arc", "arc_header 1", "the body goes on 80 bytes behind its length"),
    ("jwat-test-arc-1.0-invalid-fields.arc", "arc_header 1", "the body goes on 80 bytes behind its length"),
    (
        "aut-badexample.arc.gz",
        "arc_header 1, response 2",
        "two of five records have no date or a wrong length; warcio refuses all of them",
    ),
];

/// Other kinds of files, and the word that the message must have.
fn other_format(name: &str) -> Option<&'static str> {
    let kinds = [("invalid_example_1.wacz", "zip without"), ("gzip/", "not a WARC")];
    kinds.iter().find(|(part, _)| name.contains(part)).map(|(_, word)| *word)
}

/// Of each type, what the reader of the truth that finds more of them finds.
fn best_of_both(file: &Value) -> Counts {
    let mut best = Counts::new();
    for (kind, count) in ["warcio", "fastwarc"].iter().filter_map(|by| expected_counts(&file[by]["records"])).flatten()
    {
        let known = best.entry(kind).or_default();
        *known = count.max(*known);
    }
    best
}

#[test]
fn odd_files_cost_what_is_damaged_and_no_more() {
    let Some(corpus) = corpus() else { return };
    let truth = json(&corpus.join("truth.json"));
    let mut lost = Vec::new();
    for (name, file) in truth["files"].as_object().expect("files") {
        let Some(short) = name.strip_prefix("odd/") else { continue };
        let entries = entries(&corpus.join(name));
        if let Some(word) = other_format(short).filter(|_| !short.contains("empty")) {
            let [Entry::Damage(damage)] = &entries[..] else { panic!("{name}: {entries:?}") };
            assert!(damage.to_string().contains(word), "{name}: {damage}");
            assert!(matches!(damage.reason, DamageReason::NotWarc(_)), "{name}: {damage}");
            continue;
        }
        let got = counts(&entries);
        if let Some((_, expected, why)) = DIFFERS.iter().find(|(file, ..)| *file == short) {
            let got: Vec<String> = got.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
            assert_eq!(got.join(", "), *expected, "{name}: {why}");
            let loses = entries.iter().any(|e| matches!(e, Entry::Damage(_)));
            assert!(loses || short == WHOLE, "{name}: the loss is not reported");
        } else if let Some(expect) = file["expect"].as_object() {
            for (kind, count) in expect.iter().filter(|(_, count)| count.is_u64()) {
                let count = count.as_u64().expect("a count");
                let damages = entries.iter().filter(|e| matches!(e, Entry::Damage(_))).count() as u64;
                match kind.as_str() {
                    "broken_at_end" => assert_eq!(damages, count, "{name}"),
                    "response_min" => assert!(got["response"] >= count, "{name}: {got:?}"),
                    "response" if expect.contains_key("response_min") => {}
                    kind => assert_eq!(got.get(kind), Some(&count), "{name}: {kind}"),
                }
            }
        } else if let Some(expected) = expected_counts(&file["records"]) {
            assert_eq!(got, expected, "{name}");
            assert_eq!(Some(pages(&corpus.join(name))), file["pages"].as_u64(), "{name}: pages");
        } else {
            // The two readers disagree, and what either of them finds is there.
            let is_missing = |(kind, count): &(String, u64)| got.get(kind) < Some(count);
            lost.extend(best_of_both(file).into_iter().filter(is_missing).map(|missing| (name, missing)));
        }
    }
    assert_eq!(lost, []);
}

#[test]
fn bodies_made_odd_on_purpose_come_out_whole() {
    let Some(corpus) = corpus() else { return };
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in json_lines(&corpus.join("truth/made.jsonl")) {
        rows.entry(row["file"].as_str().expect("a file").to_owned()).or_default().push(row);
    }
    for (name, rows) in rows.iter().filter(|(name, _)| other_format(name).is_none()) {
        let mut checked = 0;
        let mut rows = rows.iter().filter(|row| row["type"] == "response");
        for entry in entries(&corpus.join(name)) {
            let Entry::Record(record) = entry else { continue };
            if record.record_type != RecordType::Response {
                continue;
            }
            let body = body(&record);
            let matches = |row: &Value| {
                let uri = row["uri"].as_str().map(|uri| uri.trim_matches(['<', '>']));
                let start = sha256(&body[..body.len().min(4096)]);
                uri == record.uri()
                    && row["body_sha256"].as_str().is_none_or(|digest| digest == sha256(&body))
                    && row["body_starts_sha256"].as_str().is_none_or(|digest| digest == start)
            };
            // Records that the truth does not list are those that need not come out; so are rows that we pass over.
            if rows.clone().any(matches) {
                assert!(rows.any(matches));
                checked += 1;
            } else {
                println!("{name}: {:?} is not in the truth", record.uri());
            }
        }
        let left = rows.count();
        println!("{name}: {checked} bodies, {left} rows left");
        assert!(left <= 1, "{name}: {left} rows left");
    }
}

#[test]
fn pages_in_many_charsets_become_the_right_text() {
    let Some(corpus) = corpus() else { return };
    let rows: Vec<Value> = json_lines(&corpus.join("truth/made.jsonl"))
        .into_iter()
        .filter(|row| row["file"] == "odd/made-encodings.warc.gz" && row["type"] == "response")
        .collect();
    let archive = ArchiveReader::open(corpus.join("odd/made-encodings.warc.gz"), Limits::default()).expect("a file");
    let outcomes = CaptureReader::new(archive, CapturePolicy::default());
    let captures: Vec<_> = outcomes
        .filter_map(|outcome| match outcome.expect("readable") {
            CaptureOutcome::Capture(item) => Some(item),
            _ => None,
        })
        .collect();
    assert_eq!(captures.len(), rows.len());
    let mut wrong = Vec::new();
    for (item, row) in captures.iter().zip(&rows) {
        let Some(expected) = row["text_sha256"].as_str() else { continue };
        // The truth was decoded by Python, which reads two Japanese signs otherwise than the Encoding Standard does.
        let as_python = item.body.html.replace('\u{ff5e}', "\u{301c}").replace('\u{ff0d}', "\u{2212}");
        let is_right = [&item.body.html, &as_python].iter().any(|text| sha256(text.as_bytes()) == expected);
        if !is_right {
            wrong.push(format!("{} read as {} by {}", row["note"], item.body.charset, item.body.charset_source.name()));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
