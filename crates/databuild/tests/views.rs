//! Views, components and formats of the sample data, with the real binary and a real Chrome.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{databuild, is_equipped, text};
use dataset::{Columns, PageRow, ShardReader};
use image::{DynamicImage, Rgb};
use testkit::warc::WarcBuilder;

/// Runs a part of the sample with those settings, verifies all rows and gives them.
fn rows(store: &Path, sets: &[&str]) -> Vec<PageRow> {
    let place = store.to_str().expect("a plain path");
    let mut run = vec!["run", "pipelines/demo.toml", "--quiet", "--store", place];
    let sets = sets.iter().chain(&["source.sample_share=0.2"]);
    run.extend(sets.flat_map(|set| ["--set", set]));
    let output = databuild().args(run).output().expect("the binary");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = store.join("dataset/demo");
    let verified = databuild().args(["verify", folder.to_str().expect("a plain path")]).output().expect("the binary");
    assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    rows_in(&folder)
}

/// The rows of a dataset.
fn rows_in(folder: &Path) -> Vec<PageRow> {
    let shards = folder.join("data/pages").read_dir().expect("a folder");
    let mut shards: Vec<PathBuf> = shards.map(|entry| entry.expect("an entry").path()).collect();
    shards.sort();
    let read = |shard: &PathBuf| {
        let reader = ShardReader::open(shard).expect("own shard");
        reader.pages(Columns::ALL).expect("own shard").collect::<Result<Vec<_>, _>>().expect("own rows")
    };
    shards.iter().flat_map(read).collect()
}

fn count<'a>(rows: &'a [PageRow], of: impl Fn(&'a PageRow) -> &'a Option<String>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(of(row).as_deref().unwrap_or_default()).or_default() += 1;
    }
    counts
}

fn picture(row: &PageRow) -> DynamicImage {
    image::load_from_memory(row.image.as_ref().expect("asked for")).expect("a picture")
}

#[test]
fn each_view_is_a_row_and_components_are_parts_of_the_first() {
    if !is_equipped() {
        return;
    }
    let store = tempfile::tempdir().expect("a folder");
    let views = "render.views=[{name=\"dark\", color_scheme=\"dark\"}, {name=\"phone\", viewport_width=390, \
                 viewport_height=844, device_scale_factor=2.0}, {name=\"moving\", reduced_motion=false}]";
    let rows = rows(store.path(), &[views, "components.per_page=2"]);
    let by_view = count(&rows, |row| &row.view);
    let main = by_view["main"];
    assert!(main >= 5, "{by_view:?}");
    assert_eq!((by_view["dark"], by_view["moving"]), (main, main), "{by_view:?}");
    // Pages that are wider than a phone have no such row, and not every page has a part that stands alone.
    assert!(by_view["phone"] * 2 >= main && by_view["component"] > 0, "{by_view:?}");

    let pages: BTreeMap<&str, &PageRow> = rows.iter().map(|row| (row.screenshot_sha256.as_str(), row)).collect();
    for part in rows.iter().filter(|row| row.view.as_deref() == Some("component")) {
        let (page, [left, top, width, height]) = part.part_of.as_ref().expect("cut from a page");
        assert_eq!(part.scale, (*width, *height));
        // The page may have been dropped as a copy of another one.
        let Some(page) = pages.get(page.as_str()) else { continue };
        let expected = picture(page).crop_imm(*left, *top, *width, *height).into_rgb8();
        let found = picture(part).into_rgb8();
        let is_unlike = |(a, b): &(&Rgb<u8>, &Rgb<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 16);
        let unlike = found.pixels().zip(expected.pixels()).filter(is_unlike).count();
        assert!(unlike * 1000 <= expected.pixels().len(), "{} is not what {} shows", part.id, page.id);
    }
}

#[test]
fn every_format_is_kept_and_verified() {
    if !is_equipped() {
        return;
    }
    let check = |format: &str, written: &str, extension: &str| {
        let store = tempfile::tempdir().expect("a folder");
        let rows =
            rows(store.path(), &[&format!("render.format={format}"), "render.quality=70", "render.height_max=720"]);
        assert_eq!(count(&rows, |row| &row.image_format), BTreeMap::from([(written, rows.len())]));
        for row in rows {
            assert_eq!(item::picture_extension(&row.image.expect("asked for")), extension, "{format}");
        }
    };
    check("jpeg", "jpeg-70", "jpg");
    check("webp", "webp-70", "webp");
    check("webp-lossless", "webp-lossless", "webp");
}

#[test]
fn cleaned_pages_look_as_they_were_captured() {
    if !is_equipped() {
        return;
    }
    let store = tempfile::tempdir().expect("a folder");
    let rows_of = |sets: &[&str]| rows(store.path(), sets);
    let proven = rows_of(&["render.prove=all"]);
    let by_proof = count(&proven, |row| &row.proof);
    assert_eq!(by_proof.keys().copied().collect::<Vec<_>>(), ["equal"], "{by_proof:?}");
    assert_eq!(count(&proven, |row| &row.level), BTreeMap::from([("default", proven.len())]));
    let unproven = rows_of(&["render.prove=none"]);
    assert_eq!(count(&unproven, |row| &row.proof).keys().copied().collect::<Vec<_>>(), [""]);
    let ids = |rows: &[PageRow]| rows.iter().map(|row| (row.id, row.screenshot_sha256.clone())).collect::<Vec<_>>();
    assert_eq!(ids(&proven), ids(&unproven));
}

#[test]
fn a_shell_is_what_its_scripts_make_of_it() {
    if !is_equipped() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let shell = "<!doctype html><html lang=en><head><title>Shop</title></head><body><div id=app></div>\
                 <script src=app.js></script></body></html>";
    let script = "const words = 'Three kettles of copper, polished by hand, with a lid that whistles when it boils. ';\
                  app.innerHTML = '<h1>Kettles</h1>' + `<p>${words}</p>`.repeat(4);";
    let page = "<!doctype html><title>Still</title><h1>Still</h1>".to_owned() + &"<p>Nothing here moves.</p>".repeat(9);
    let pages = WarcBuilder::new().page("https://shell.example/shop/", shell).page("https://still.example/", &page);
    let assets = WarcBuilder::new().page("https://shell.example/shop/app.js", script);
    std::fs::write(folder.path().join("pages.warc.gz"), pages.build_gz()).expect("a file");
    std::fs::write(folder.path().join("assets.warc.gz"), assets.build_gz()).expect("a file");
    let run = |scripts: &str| {
        let file = format!(
            "[source]\nwarcs = [\"pages.warc.gz\"]\n[clean]\nassets = [\"assets.warc.gz\"]\nscripts = \"{scripts}\"\n\
             scripts_ms = 300\n[snapshots]\nscore_min = 0.0\n"
        );
        let path = folder.path().join("shop.toml");
        std::fs::write(&path, file).expect("a file");
        let output = databuild().args(["run", "--quiet"]).arg(&path).output().expect("the binary");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let mut rows = rows_in(&folder.path().join(".databuild/dataset/shop"));
        rows.sort_by(|a, b| a.url.cmp(&b.url));
        rows
    };
    assert_eq!(run("reject").iter().map(|row| row.url.as_str()).collect::<Vec<_>>(), ["https://still.example/"]);
    let rows = run("run");
    assert_eq!(rows.len(), 2);
    let html = rows[0].text.as_deref().expect("asked for");
    assert!(html.contains("<h1>Kettles</h1>") && !html.contains("<script") && !html.contains("<base"), "{html}");
}

#[test]
fn what_cleaning_takes_is_told_with_the_reason() {
    let inspect = |more: &[&str]| {
        let page = ["inspect", "pipelines/sample/sample.warc.gz", "--page", "https://www.vanvista.example/gadgets/ten"];
        let output = databuild().args(page).args(more).output().expect("the binary");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let told = inspect(&["--diff"]);
    assert!(told.contains("shows nothing when scripts do not run:"), "{told}");
    let lines = inspect(&["--diff", "--json"]);
    let removed: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    assert!(removed.iter().any(|removed| removed["what"] == "<noscript>"), "{lines}");
    let html = inspect(&[]);
    assert!(html.starts_with("<!DOCTYPE html>") && !html.contains("<script"), "{html}");
    let missing = ["inspect", "pipelines/sample/sample.warc.gz", "--page", "https://nowhere.example/"];
    let output = databuild().args(missing).output().expect("the binary");
    assert!(!output.status.success() && text(&output.stderr).contains("hint: `databuild inspect FILE` lists"));
}

#[test]
fn a_page_that_looks_other_is_simplified_less() {
    if !is_equipped() {
        return;
    }
    // Edges between pixels, drawn so large that the digits which are cut off tell in their shade.
    let stripe = |at: u32| format!("M0.{at:02}34567 0V1H0.{at:02}98765V0Z");
    let stripes: String = (0..100).map(stripe).collect();
    let drawing = format!(
        "<!doctype html><title>Stripes</title><style>body {{ margin: 0 }}</style><p>{}</p>\
         <svg viewBox='0 0 1 1' width=1280 height=1280><path d='{stripes}'/></svg>",
        "A drawing with edges that stand between pixels. ".repeat(5)
    );
    let folder = tempfile::tempdir().expect("a folder");
    let pages = WarcBuilder::new().page("https://stripes.example/", &drawing);
    std::fs::write(folder.path().join("pages.warc.gz"), pages.build_gz()).expect("a file");
    let path = folder.path().join("stripes.toml");
    let file = "[source]\nwarcs = [\"pages.warc.gz\"]\n[clean]\nlevel = \"compact\"\n[render]\nprove = \"all\"\n\
                [snapshots]\nscore_min = 0.0\n";
    std::fs::write(&path, file).expect("a file");
    let output = databuild().args(["run", "--quiet"]).arg(&path).output().expect("the binary");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows = rows_in(&folder.path().join(".databuild/dataset/stripes"));
    assert_eq!(count(&rows, |row| &row.level), BTreeMap::from([("gentle", 1)]));
    assert_eq!(count(&rows, |row| &row.proof), BTreeMap::from([("equal", 1)]));
}
