//! Cleans the pages of archives and says how fast, and how much is left of them.
//!
//! `cargo run --release -p clean --example clean_warc -- [OPTION...] PAGES.warc.gz... [-- ASSETS.warc.gz...]`
//!
//! - `--level gentle|default|compact`
//! - `--images placeholder|inline`, `--fonts installed|inline`
//! - `--bare`: only parses and writes with html5ever and its own tree, to compare with
//! - `--signals`: a JSON line for each page with what decides whether it is wanted: kind, languages, words
//! - `--bad-words FILE`: a list of bad words, one a line, for `--signals`
//! - `--out DIR`: writes each page as captured, with its assets in it, and as cleaned
use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use clean::{Asset, Assets, CleanPolicy, FontPolicy, ImagePolicy, Level, WordList, clean, original};
use ingest::{ArchiveReader, AssetIndex, CaptureOutcome, CapturePolicy, CaptureReader, Limits};
use item::{Capture, Verdict, name};

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is told of each page.
const SIGNALS: &[&str] = &[
    name::TITLE,
    name::TEXT_CHARS,
    name::PAGE_KIND,
    name::LANG,
    name::TEXT_LANG,
    name::TEXT_LANG_CONFIDENCE,
    name::EXPLICIT_WORDS,
    name::BAD_WORD_SHARE,
    name::HTML_TOKENS,
    name::CSS_TOKENS,
];

struct Indexed(AssetIndex);

impl Assets for Indexed {
    fn get(&self, url: &str) -> Option<Asset> {
        let asset = self.0.get(url).ok().flatten()?;
        Some(Asset { mime: asset.mime, bytes: asset.bytes })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut policy =
        CleanPolicy { unwanted: Vec::new(), text_chars_min: 0, html_bytes_min: 0, ..CleanPolicy::default() };
    let (mut pages, mut assets, mut out) = (Vec::new(), Vec::new(), None);
    let (mut are_assets, mut is_bare, mut lists_signals) = (false, false, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            "--level" => {
                let name = value()?;
                let known = Level::ALL.into_iter().find(|level| level.name() == name);
                policy.level = known.ok_or("levels are gentle, default and compact")?;
            }
            "--images" if value()? == "inline" => {
                (policy.images, policy.inline_image_bytes_max) = (ImagePolicy::Inline, 4 << 20);
                policy.html_bytes_max = usize::MAX;
            }
            "--fonts" if value()? == "inline" => policy.fonts = FontPolicy::Inline,
            "--images" | "--fonts" => {}
            "--bad-words" => {
                let words = std::fs::read_to_string(value()?)?;
                policy.bad_words = std::sync::Arc::new(WordList::from_lines(&words));
            }
            "--bare" => is_bare = true,
            "--signals" => lists_signals = true,
            "--out" => out = Some(PathBuf::from(value()?)),
            "--" => are_assets = true,
            file if are_assets => assets.push(PathBuf::from(file)),
            file => pages.push(PathBuf::from(file)),
        }
    }
    let assets = Indexed(AssetIndex::build(&assets, Limits::default())?);
    let mut captures = Vec::new();
    for path in pages {
        let archive = ArchiveReader::open(path, Limits::default())?;
        for outcome in CaptureReader::new(archive, CapturePolicy::default()) {
            if let CaptureOutcome::Capture(item) = outcome? {
                captures.push((item.head.provenance.url, item.body));
            }
        }
    }
    let bytes_in: usize = captures.iter().map(|(_, capture)| capture.html.len()).sum();
    let start = cpu_seconds();
    let wall = Instant::now();
    let cleaned: Vec<Option<String>> = captures
        .iter()
        .map(|(url, capture)| {
            if is_bare {
                return Some(bare(capture));
            }
            match clean(capture, url, &policy, &assets) {
                Verdict::Keep(kept) => Some(kept.body.html),
                _ => None,
            }
        })
        .collect();
    let (cpu, wall) = (cpu_seconds() - start, wall.elapsed().as_secs_f64());
    for (url, capture) in captures.iter().filter(|_| lists_signals) {
        match clean(capture, url, &policy, &assets) {
            Verdict::Keep(kept) => {
                let signals = kept.attributes.project(SIGNALS);
                writeln!(std::io::stdout(), "{}", serde_json::json!({ "url": url, "signals": signals }))?;
            }
            Verdict::Reject(rejection) => {
                writeln!(std::io::stdout(), "{}", serde_json::json!({ "url": url, "rejected": rejection.rule.name }))?;
            }
            _ => {}
        }
    }
    if let Some(folder) = out {
        write_all(&folder, &captures, &cleaned, &policy, &assets)?;
    }
    writeln!(
        std::io::stdout(),
        "{} pages, {} kept, {bytes_in} bytes in, {} out, {cpu:.2} CPU s, {wall:.2} s, {:.1} MB/s",
        captures.len(),
        cleaned.iter().flatten().count(),
        cleaned.iter().flatten().map(String::len).sum::<usize>(),
        bytes_in as f64 / 1e6 / cpu,
    )?;
    Ok(())
}

/// Originals and cleaned pages, and a table of their bytes.
fn write_all(
    folder: &std::path::Path,
    captures: &[(String, Capture)],
    cleaned: &[Option<String>],
    policy: &CleanPolicy,
    assets: &Indexed,
) -> Result<(), Box<dyn Error>> {
    let mut table = Vec::new();
    for (index, ((url, capture), cleaned)) in captures.iter().zip(cleaned).enumerate() {
        let Some(cleaned) = cleaned else { continue };
        let before = original(capture, url, policy, assets);
        std::fs::write(folder.join(format!("{index:05}.original.html")), &before.html)?;
        std::fs::write(folder.join(format!("{index:05}.{}.html", policy.level.name())), cleaned)?;
        writeln!(table, "{index:05}\t{}\t{}\t{url}", before.source_bytes, cleaned.len())?;
    }
    std::fs::write(folder.join(format!("{}.tsv", policy.level.name())), table)?;
    Ok(())
}

/// What parsing and writing costs without us: lol_html's sibling html5ever with nothing in between but its events.
fn bare(capture: &Capture) -> String {
    use html5ever::tendril::TendrilSink as _;
    let dom = html5ever::parse_document(markup5ever_rcdom::RcDom::default(), html5ever::ParseOpts::default())
        .one(capture.html.as_str());
    let document: markup5ever_rcdom::SerializableHandle = dom.document.into();
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = html5ever::serialize(&mut out, &document, html5ever::serialize::SerializeOpts::default());
    String::from_utf8(out).unwrap_or_default()
}

/// CPU time of this process so far, on Linux; other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}
