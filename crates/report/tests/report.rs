//! A report of a small dataset: what stands in the file, whoever wrote the pages.

mod fixture;

use std::fs;
use std::path::Path;
use std::process::Command;

use fixture::Fixture;
use report::{
    CLUSTER_PICTURES_MAX, CLUSTERS_MAX, Card, CardConfig, CardInput, KEPT_PICTURES_MAX, LOST_PICTURES_MAX_PER_RULE,
};

#[test]
fn the_report_names_numbers_rules_and_pages() {
    let fixture = Fixture::new(30);
    let out = fixture.out("report.html");
    let summary = fixture.write(&out).expect("write report");
    let page = fs::read_to_string(&out).expect("read report");
    assert_eq!((summary.rows, summary.losses), (30, 60));
    assert_eq!(summary.bytes, page.len() as u64);
    assert_eq!(page.matches("<li class=\"card\"").count(), summary.cards);
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), summary.pictures);
    let words = [
        "<b>90</b> seen = <b class=\"kept\">30</b> kept + <b class=\"rejected\">51</b> rejected + <b class=\"failed\">9</b> failed",
        "2026-01-31 12:34:56 UTC",
        "4 min 05 s",
        "too-short",
        "The page has too few characters of visible text.",
        "The deadline passed.",
        "HeadlessChrome/141.0.7390.65",
        "baseline 1",
        "3 warcinfo",
        "مرحبا بكم في مكتبة المدينة",
    ];
    for word in words {
        assert!(page.contains(word), "no {word:?}");
    }
}

#[test]
fn the_largest_clusters_are_contact_sheets() {
    let fixture = Fixture::new(30);
    let out = fixture.out("report.html");
    fixture.write(&out).expect("write report");
    let page = fs::read_to_string(&out).expect("read report");
    // Of 60 losses 16 are near-duplicates of the first three pages: 6, 6 and 4, and the page itself.
    assert_eq!(page.matches("7 pages as one").count(), 2);
    assert_eq!(page.matches("5 pages as one").count(), 1);
    let start = page.find("<section id=\"clusters\"").expect("a section");
    let section = &page[start..][..page[start..].find("</section>").expect("its end")];
    assert_eq!(section.matches("<li class=\"card\"").count(), 19);
    assert_eq!(section.matches("<img ").count(), 19);
}

#[test]
fn what_just_missed_a_limit_is_shown_first() {
    let fixture = Fixture::new(60);
    let out = fixture.out("report.html");
    fixture.write(&out).expect("write report");
    let page = fs::read_to_string(&out).expect("read report");
    let check = |anchor: &str, note: &str, nearest: &[&str]| {
        let start = page.find(&format!("id=\"{anchor}\"")).expect("a gallery");
        let gallery = &page[start..][..page[start..].find("</ul>").expect("its end")];
        assert!(gallery.contains(note), "{gallery}");
        let places: Vec<Option<usize>> = nearest.iter().map(|detail| gallery.find(detail)).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{anchor}: {places:?}");
        let others = gallery.rfind(", the least is").expect("details");
        assert!(others > places.last().copied().flatten().expect("a place"), "others stand behind them");
    };
    let nearest = "12 of 34 pages, the 6 nearest to the limit, others by id";
    check("lost-clean-rejected-too-short", nearest, &["198 char", "197 char", "191 char", "190 char", "184 char"]);
    check("lost-snapshots-rejected-low-score", "the 6 nearest", &["score 0.243", "score 0.236", "score 0.229"]);
}

#[test]
fn words_from_the_web_stay_words() {
    let fixture = Fixture::new(30);
    let out = fixture.out("report.html");
    fixture.write(&out).expect("write report");
    let page = fs::read_to_string(&out).expect("read report");
    let check = |part: &str, times: usize| assert_eq!(page.matches(part).count(), times, "{part}");
    check("<script", 1);
    check("<style", 1);
    check("<!--", 0);
    check("<img src=x", 0);
    check("\u{202e}", 0);
    check("\u{0}", 0);
    check("\u{1b}", 0);
    assert!(!page.contains(&"x".repeat(1000)), "long words are cut");
    // Nothing is fetched: every reference is a place in the page or a picture inside it.
    let references = page.split(" src=\"").skip(1).chain(page.split(" href=\"").skip(1));
    for reference in references {
        assert!(reference.starts_with('#') || reference.starts_with("data:image/jpeg;base64,"), "{reference:.80}");
    }
    check(" style=\"", 0);
    check("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'", 1);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (first, second) = (Fixture::new(12), Fixture::new(12));
    let (out, again) = (first.out("a.html"), second.out("b.html"));
    first.write(&out).expect("write report");
    second.write(&again).expect("write report");
    assert!(fs::read(out).expect("read") == fs::read(again).expect("read"));
}

#[test]
fn many_rows_do_not_make_many_cards() {
    let fixture = Fixture::new(70);
    let summary = fixture.write(&fixture.out("report.html")).expect("write report");
    let rules = 5;
    let clusters = CLUSTERS_MAX * CLUSTER_PICTURES_MAX;
    assert!(summary.cards <= KEPT_PICTURES_MAX + clusters + rules * LOST_PICTURES_MAX_PER_RULE, "{summary:?}");
    assert!(summary.cards >= KEPT_PICTURES_MAX, "{summary:?}");
}

#[test]
fn a_run_that_kept_nothing_has_a_report() {
    let fixture = Fixture::new(0);
    let summary = fixture.write(&fixture.out("report.html")).expect("write report");
    assert_eq!((summary.rows, summary.cards), (0, 0));
}

#[test]
fn a_folder_without_manifest_is_an_error_that_names_it() {
    let fixture = Fixture::new(0);
    fs::remove_file(fixture.out("x").ancestors().nth(2).expect("folder").join("manifest.json")).expect("remove");
    let error = fixture.write(&fixture.out("report.html")).expect_err("no manifest");
    assert!(error.to_string().ends_with("manifest.json"), "{error}");
}

fn card(fixture: &Fixture, config: &CardConfig, compared_with: &[String]) -> Card {
    let (record, dataset, rules) = (&fixture.record, fixture.folder.path(), &fixture.rules);
    Card::make(&CardInput { record, dataset, rules, config, compared_with }).expect("a card")
}

#[test]
fn the_card_says_what_the_run_knows_and_what_the_user_says() {
    let fixture = Fixture::new(30);
    let config = CardConfig {
        title: "Pages: \"all\" of them".to_owned(),
        license: "odc-by".to_owned(),
        contact: "takedown@example.org".to_owned(),
        ..CardConfig::default()
    };
    let made = card(&fixture, &config, &["lists/bench.jsonl".to_owned()]);
    let text = made.text(None);
    let words = [
        "pretty_name: \"Pages: \\\"all\\\" of them\"\n",
        "license: \"odc-by\"\n",
        "size_categories:\n- \"n<1K\"\n",
        "- config_name: pages\n  default: true\n  data_files:\n  - split: test\n    path: data/pages/test-*\n  - split: train\n",
        "  - name: image\n    dtype: image\n",
        "  - name: scale\n    sequence: int64\n",
        "# Pages: \"all\" of them\n",
        "| `meta` | 30 |",
        "| too-short |",
        "The page has too few characters of visible text.",
        "takedown@example.org",
        "`lists/bench.jsonl`",
        "None was found.",
    ];
    for word in words {
        assert!(text.contains(word), "no {word:?} in\n{text}");
    }
    assert_eq!(made.pictures.len(), 6);
    assert!(made.pictures.iter().all(|(name, jpeg)| text.contains(name.as_str()) && jpeg.starts_with(&[0xFF, 0xD8])));
    assert_eq!(card(&fixture, &config, &[]).text(None).matches("**not** compared").count(), 1);
    let croissant: serde_json::Value = serde_json::from_str(&made.croissant).expect("JSON");
    assert_eq!(croissant["recordSet"].as_array().map(Vec::len), Some(3));
    assert_eq!(croissant["recordSet"][0]["key"]["@id"], "pages/id");
}

#[test]
fn words_from_the_web_are_no_markup_on_the_card() {
    let text = card(&Fixture::new(30), &CardConfig::default(), &[]).text(None);
    assert!(!text.contains("<script") && !text.contains("onerror"), "{text}");
}

#[test]
fn the_same_run_has_the_same_card() {
    let text = || card(&Fixture::new(12), &CardConfig::default(), &[]).text(None);
    let (first, second) = (text(), text());
    assert_eq!(first, second);
    assert_eq!(card(&Fixture::new(12), &CardConfig::default(), &[]).text(Some(&first)), first);
}

#[test]
fn a_run_that_kept_nothing_has_a_card() {
    let text = card(&Fixture::new(0), &CardConfig::default(), &[]).text(None);
    assert!(text.contains("No screenshots."), "{text}");
}

/// `datasets` takes subsets, splits and types from the card's header.
#[test]
fn datasets_reads_by_the_card() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".tools/python/bin/python");
    if !python.exists() {
        println!("skipped: there is no {}; make it from tests/python/requirements.txt", python.display());
        return;
    }
    let fixture = Fixture::new(30);
    let published = tempfile::tempdir().expect("a folder");
    for subset in ["pages", "meta", "rejects"] {
        let to = published.path().join("data").join(subset);
        fs::create_dir_all(&to).expect("create");
        for entry in fs::read_dir(fixture.folder.path().join(subset)).expect("a subset").flatten() {
            fs::copy(entry.path(), to.join(entry.file_name())).expect("copy");
        }
    }
    let text = card(&fixture, &CardConfig::default(), &[]).text(None);
    fs::write(published.path().join("README.md"), text).expect("write");
    let output = Command::new(python)
        .arg(root.join("tests/python/read_card.py"))
        .arg(published.path())
        .env("HF_HOME", published.path().join("caches"))
        .output()
        .expect("python");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    println!("{out}");
}
