//! The house has floors, and each heavy dependency one room: read from `cargo metadata`.

use std::collections::BTreeMap;
use std::process::Command;

/// Every crate's floor. A crate may use lower floors only.
const FLOORS: &[(&str, u32)] = &[
    ("item", 0),
    ("store", 1),
    ("ingest", 1),
    ("clean", 1),
    ("render", 1),
    ("dedup", 1),
    ("score", 1),
    ("synth", 1),
    ("dataset", 2),
    ("engine", 2),
    ("stages", 3),
    ("report", 3),
    ("publish", 3),
    ("pipeline", 4),
    ("databuild", 5),
];

/// Tools for tests and fixtures: nobody depends on them outside of tests.
const DEV: &[&str] = &["testkit"];

/// Heavy dependencies and outside worlds, and the only crates that may know them.
const KEEPS: &[(&str, &[&str])] = &[
    ("arrow-array", &["dataset"]),
    ("parquet", &["dataset"]),
    ("headless_chrome", &["render"]),
    ("html5ever", &["clean"]),
    ("lol_html", &["clean"]),
    ("scraper", &["clean"]),
    ("image_hasher", &["dedup"]),
    ("ort", &["score"]),
    ("warc", &["ingest", "testkit"]),
    ("ureq", &["ingest", "publish", "store", "synth"]),
    ("rusty-s3", &["ingest", "publish", "store"]),
    ("hf-xet", &["publish"]),
    ("rustls", &["publish"]),
    ("robotxt", &["ingest"]),
    ("tokio", &["engine", "databuild"]),
    ("clap", &["databuild"]),
    ("indicatif", &["databuild"]),
    ("toml_edit", &["pipeline"]),
];

struct Package {
    name: String,
    dependencies: Vec<String>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo is there");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo speaks JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let package = |package: &serde_json::Value| Package {
        name: text(&package["name"]),
        dependencies: package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect(),
    };
    metadata["packages"].as_array().expect("packages").iter().map(package).collect()
}

#[test]
fn a_crate_uses_lower_floors_only() {
    let floors: BTreeMap<&str, u32> = FLOORS.iter().copied().collect();
    let packages = packages();
    assert!(packages.len() > 10, "cargo metadata gives the workspace");
    for package in packages {
        if DEV.contains(&package.name.as_str()) {
            continue;
        }
        let own = floors.get(package.name.as_str()).unwrap_or_else(|| panic!("`{}` has no floor yet", package.name));
        for dependency in &package.dependencies {
            assert!(!DEV.contains(&dependency.as_str()), "`{}` uses `{dependency}` outside of tests", package.name);
            let Some(floor) = floors.get(dependency.as_str()) else { continue };
            assert!(floor < own, "`{}` (floor {own}) uses `{dependency}` (floor {floor})", package.name);
        }
    }
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    for package in packages() {
        for (dependency, rooms) in KEEPS {
            let uses = package.dependencies.iter().any(|used| used == dependency);
            assert!(!uses || rooms.contains(&package.name.as_str()), "`{}` uses `{dependency}`", package.name);
        }
    }
}
