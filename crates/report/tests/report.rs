//! A report of a small dataset: what stands in the file, whoever wrote the pages.

mod fixture;

use std::fs;

use fixture::Fixture;
use report::{KEPT_PICTURES_MAX, LOST_PICTURES_MAX_PER_RULE};

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
    assert!(summary.cards <= KEPT_PICTURES_MAX + rules * LOST_PICTURES_MAX_PER_RULE, "{summary:?}");
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
