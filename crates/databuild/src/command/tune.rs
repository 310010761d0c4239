//! `databuild dedup tune`: the limits of near-duplicates, set by eye.
//!
//! Two contact sheets of pairs: those that just count as the same page, and those that just do not. Where the first shows
//! pages that differ, a limit is too wide; where the second shows the same page twice, too narrow. Above them, the
//! largest clusters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dedup::near::{Likeness, NearNote, NearPolicy};
use item::{Body, ItemId};

use super::dedup::last_record;
use super::finished::beside_record;
use super::hashlist::replace_file;
use super::{Outcome, build};
use crate::cli::TuneArgs;
use crate::error::CommandError;
use crate::printer::Printer;

/// Members of a cluster that are shown: more look like these.
const MEMBERS: usize = 8;
/// Thumbnails: enough to see a headline, some 10 KB each.
const THUMBNAIL_WIDTH: u32 = 280;
/// Long pages are cut off: four fifths of a square say what the page is.
const THUMBNAIL_HEIGHT: u32 = 350;
const JPEG_QUALITY: u8 = 70;

/// Writes the page.
pub(crate) fn tune(args: &TuneArgs, printer: Printer) -> Outcome {
    let (loaded, built, _) = build(&args.file)?;
    let record = last_record(&built)?;
    let policy = loaded.file.snapshots.near_policy();
    let mut notes: BTreeMap<ItemId, (NearNote, String)> = BTreeMap::new();
    engine::visit_heads(&built.pipeline, built.store.as_ref(), &record, &mut |head| {
        if let Some(note) = stages::near_note(head.id, &head.attributes) {
            notes.entry(head.id).or_insert((note, head.provenance.url));
        }
    })?;
    if notes.is_empty() {
        let error = format!("show clusters of `{}`: the last run has no screenshots with hashes", record.name);
        return Err(CommandError::usage(error).hint("run the pipeline again, then this command"));
    }
    let (notes, urls): (Vec<NearNote>, Vec<String>) = notes.into_values().unzip();
    let findings = Findings::of(&notes, &policy, args.count);
    let wanted: BTreeSet<ItemId> = findings.shown().map(|index| notes[index].id).collect();
    let mut pictures = BTreeMap::new();
    engine::visit_items(&built.pipeline, built.store.as_ref(), &record, &wanted, &mut |item| {
        if let Body::Snapshot(snapshot) = item.body {
            pictures.insert(item.head.id, thumbnail(&snapshot.screenshot).unwrap_or_default());
        }
    })?;
    let sheet = Sheet { notes: &notes, urls: &urls, pictures: &pictures };
    let page = sheet.page(&findings, &policy);
    let place = if let Some(path) = &args.out {
        replace_file(path, page.as_bytes()).map_err(CommandError::environment)?;
        path.display().to_string()
    } else {
        let blob = beside_record(&record.name, "tune.html");
        built.store.put(&blob, page.as_bytes())?;
        format!("{}/{blob}", built.store.location())
    };
    printer.note(&format!(
        "{} screenshots, {} clusters of more than one, {} pairs inside the limits and {} outside shown",
        notes.len(),
        findings.clusters_all,
        findings.inside.len(),
        findings.outside.len()
    ));
    printer.data(&place);
    Ok(())
}

/// A pair, and how far it is from the limit: 0 is on it.
struct Close {
    pair: (usize, usize),
    distance: f64,
    likeness: Likeness,
}

struct Findings {
    clusters: Vec<Vec<usize>>,
    clusters_all: usize,
    inside: Vec<Close>,
    outside: Vec<Close>,
    left_out: u64,
}

impl Findings {
    fn of(notes: &[NearNote], policy: &NearPolicy, count: usize) -> Self {
        let (assignments, report) = dedup::near::assign(notes, policy);
        let mut members: BTreeMap<ItemId, Vec<usize>> = BTreeMap::new();
        for (index, assignment) in assignments.iter().enumerate() {
            let cluster = members.entry(assignment.representative).or_default();
            // The representative first.
            if assignment.kept { cluster.insert(0, index) } else { cluster.push(index) }
        }
        let mut clusters: Vec<Vec<usize>> = members.into_values().filter(|cluster| cluster.len() > 1).collect();
        let clusters_all = clusters.len();
        clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.len()));
        clusters.truncate(count);
        let (inside, outside) = close_pairs(notes, policy, count);
        Self { clusters, clusters_all, inside, outside, left_out: report.left_out }
    }

    fn shown(&self) -> impl Iterator<Item = usize> + '_ {
        let pairs = self.inside.iter().chain(&self.outside).flat_map(|close| [close.pair.0, close.pair.1]);
        self.clusters.iter().flat_map(|cluster| cluster.iter().take(MEMBERS)).copied().chain(pairs)
    }
}

/// The pairs nearest to the limits, inside and outside.
fn close_pairs(notes: &[NearNote], policy: &NearPolicy, count: usize) -> (Vec<Close>, Vec<Close>) {
    /// Pairs in memory at a time, for each one shown.
    const SLACK: usize = 1000;
    let all: Vec<usize> = (0..notes.len()).filter(|&index| !notes[index].sight.print.flat).collect();
    let (mut inside, mut outside) = (BTreeMap::new(), BTreeMap::new());
    // Candidates reach further than the limits, so that there is something to see outside.
    let wide = NearPolicy {
        whole_bits_max: policy.whole_bits_max * 2,
        viewport_bits_max: policy.viewport_bits_max * 2,
        ..*policy
    };
    dedup::near::for_each_candidate(notes, &all, &wide, &mut |a, b| {
        let pair = (a.min(b), a.max(b));
        if inside.contains_key(&pair) || outside.contains_key(&pair) {
            return;
        }
        let Some(likeness) = notes[a].likeness(&notes[b]) else { return };
        let side = if policy.is_near(&notes[a], &notes[b]) { &mut inside } else { &mut outside };
        side.insert(pair, Close { pair, distance: distance(&likeness, policy), likeness });
        if side.len() > count.max(1) * SLACK {
            let nearest = nearest(std::mem::take(side), count);
            side.extend(nearest.into_iter().map(|close| (close.pair, close)));
        }
    });
    (nearest(inside, count), nearest(outside, count))
}

fn nearest(pairs: BTreeMap<(usize, usize), Close>, count: usize) -> Vec<Close> {
    let mut pairs: Vec<Close> = pairs.into_values().collect();
    pairs.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.pair.cmp(&b.pair)));
    pairs.truncate(count);
    pairs
}

/// How far a pair is from the limit that decides: the measure that is the furthest outside, or the least inside.
fn distance(likeness: &Likeness, policy: &NearPolicy) -> f64 {
    let look = likeness.look_share - policy.look_share_min;
    let bits = |bits: u32, most: u32| (f64::from(most) - f64::from(bits)) / 256.0;
    let by_text = likeness.text_share.filter(|_| policy.text_share_min > 0.0);
    let margins = by_text.map_or_else(
        || {
            vec![
                bits(likeness.whole_bits, policy.whole_bits_max),
                bits(likeness.viewport_bits, policy.viewport_bits_max),
                look,
            ]
        },
        |text| vec![text - policy.text_share_min, look, bits(likeness.whole_bits, policy.moved_bits_max())],
    );
    margins.into_iter().fold(f64::INFINITY, f64::min).abs()
}

fn thumbnail(png: &[u8]) -> Option<String> {
    let picture = image::load_from_memory(png).ok()?;
    let height_max = picture.width() * THUMBNAIL_HEIGHT / THUMBNAIL_WIDTH;
    let top = picture.crop_imm(0, 0, picture.width(), picture.height().min(height_max.max(1)));
    let small = top.thumbnail(THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT).to_rgb8();
    let mut bytes = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&small).ok()?;
    Some(STANDARD.encode(bytes.into_inner()))
}

struct Sheet<'a> {
    notes: &'a [NearNote],
    urls: &'a [String],
    pictures: &'a BTreeMap<ItemId, String>,
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:1240px;padding:0 1rem;\
color:#222;background:#fff}h2{margin-top:2.5rem}section{border-top:1px solid #ddd;padding:.8rem 0;overflow:hidden}\
figure{float:left;margin:0 12px 8px 0;width:280px}img{width:280px;border:1px solid #ccc;display:block}\
figcaption{font-size:12px;overflow-wrap:anywhere}p.m{margin:.2rem 0 .6rem;font-weight:600}";

impl Sheet<'_> {
    fn page(&self, findings: &Findings, policy: &NearPolicy) -> String {
        let mut html =
            format!("<!doctype html><meta charset=utf-8><title>Near-duplicates</title><style>{STYLE}</style>");
        let _ = write!(
            html,
            "<h1>Near-duplicates</h1><p>The limits: <code>text_share_min = {}</code>, <code>look_share_min = {}</code>, and \
             without text <code>whole_bits_max = {}</code>, <code>viewport_bits_max = {}</code>, all in \
             <code>[snapshots]</code>. {} candidate pairs were not looked at, because too many pages share a piece of \
             text.</p>",
            policy.text_share_min,
            policy.look_share_min,
            policy.whole_bits_max,
            policy.viewport_bits_max,
            findings.left_out
        );
        self.pairs(&mut html, "Just inside: these count as the same page", &findings.inside);
        self.pairs(&mut html, "Just outside: these do not", &findings.outside);
        let _ = write!(html, "<h2>Largest clusters ({} of more than one)</h2>", findings.clusters_all);
        for cluster in &findings.clusters {
            let _ = write!(html, "<section><p class=m>{} members</p>", cluster.len());
            cluster.iter().take(MEMBERS).for_each(|&index| self.figure(&mut html, index));
            html.push_str("</section>");
        }
        html
    }

    fn pairs(&self, html: &mut String, title: &str, pairs: &[Close]) {
        let _ = write!(html, "<h2>{title}</h2>");
        for close in pairs {
            let Likeness { whole_bits, viewport_bits, height_share, text_share, look_share } = close.likeness;
            let text = text_share.map_or("no text".to_owned(), |share| format!("text {share:.2}"));
            let _ = write!(
                html,
                "<section><p class=m>{text} · look {look_share:.2} · whole {whole_bits} bits · viewport {viewport_bits} \
                 bits · heights {:.0} %</p>",
                height_share * 100.0
            );
            self.figure(html, close.pair.0);
            self.figure(html, close.pair.1);
            html.push_str("</section>");
        }
    }

    fn figure(&self, html: &mut String, index: usize) {
        let id = self.notes[index].id;
        let picture = self.pictures.get(&id).map(String::as_str).unwrap_or_default();
        let url = escape(&self.urls[index]);
        let _ = write!(
            html,
            "<figure><img alt='' src='data:image/jpeg;base64,{picture}'><figcaption>{id}<br>{url}</figcaption></figure>"
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;").replace('"', "&quot;")
}
