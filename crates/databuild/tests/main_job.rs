//! The main job on the sample data, with the real binary, a real Chrome and a real ONNX Runtime.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use common::{databuild, is_equipped, text};

const INTERRUPTED: i32 = 5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[expect(clippy::print_stdout, reason = "whoever runs the tests wants to know what was not tested")]
fn skip(why: &str) {
    println!("skipped: {why}");
}

/// Runs are made one after the other: a farm takes all cores, and what a run gives beside seven others is not what is asked here.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    // A test that failed says so itself.
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run_command(store: &Path) -> Command {
    let mut command = databuild();
    command.args(["run", "pipelines/demo.toml", "--quiet", "--store"]).arg(store);
    command
}

fn run(store: &Path) -> Output {
    run_command(store).output().expect("the binary")
}

/// A store in which the main job ran undisturbed; made once for all tests.
fn quiet_store() -> &'static Path {
    static STORE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let store = STORE.get_or_init(|| {
        let store = tempfile::tempdir().expect("a folder");
        let output = run(store.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        store
    });
    store.path()
}

fn dataset(store: &Path) -> PathBuf {
    store.join("dataset/demo")
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn assert_same_dataset(store: &Path) {
    let (quiet, other) = (files(&dataset(quiet_store())), files(&dataset(store)));
    assert_eq!(quiet.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let different: Vec<_> =
        quiet.iter().filter(|(name, bytes)| other[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(different.is_empty(), "{different:?} differ");
}

/// Browsers that descend from a process of ours: their profile folder is below `folder`.
fn browsers_of(folder: &Path) -> usize {
    let marker = folder.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let command_line = |entry: std::fs::DirEntry| std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
    processes.map(command_line).filter(|line| text(line).contains(&marker)).count()
}

/// Waits until no browser of that temporary folder is left; they need a moment to notice that their pipe is closed.
fn assert_no_browser_left(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while browsers_of(folder) > 0 {
        assert!(Instant::now() < deadline, "{} browser processes are left", browsers_of(folder));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_funnel_is_the_one_that_the_sample_was_made_for() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let record = std::fs::read(quiet_store().join("runs/demo/run.json")).expect("the run record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    let rejected = |stage: &serde_json::Value| stage["rejected"].as_object().cloned().unwrap_or_default();
    let mut rules: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = |books: &serde_json::Value| {
        for (rule, number) in rejected(books) {
            *rules.entry(rule).or_default() += number.as_u64().expect("a count");
        }
    };
    for phase in record["phases"].as_array().expect("phases") {
        phase["books"]["stages"].as_array().expect("stages").iter().for_each(&mut count);
    }
    record["barriers"].as_array().expect("barriers").iter().for_each(|barrier| count(&barrier["books"]));
    for rule in [
        "error-status",
        "not-html",
        "empty-payload",
        "blank",
        "exact-duplicate",
        "near-duplicate-page",
        "near-duplicate",
    ] {
        assert!(rules.contains_key(rule), "no page was rejected as {rule}: {rules:?}");
    }
    let damaged = &record["phases"][0]["books"]["stages"][0]["failed"]["damaged"];
    assert_eq!(damaged, 1, "the damaged record costs one record");
    let rows = record["dataset"]["rows"].as_u64().expect("rows");
    assert!(rows >= 50, "{rows} rows");
}

#[test]
fn a_second_run_does_nothing_and_says_so() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let plan = databuild().args(["plan", "pipelines/demo.toml", "--store"]).arg(quiet_store()).output().expect("plan");
    assert!(text(&plan.stdout).contains("nothing to do"), "{}", text(&plan.stdout));
    let again = databuild().args(["run", "pipelines/demo.toml", "--store"]).arg(quiet_store()).output().expect("run");
    assert!(again.status.success() && text(&again.stderr).contains("nothing to do"), "{}", text(&again.stderr));
}

#[test]
fn a_changed_threshold_renders_nothing() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let set = ["--set", "snapshots.score_min=0.9"];
    let plan =
        databuild().args(["plan", "pipelines/demo.toml", "--json", "--store"]).arg(quiet_store()).args(set).output();
    let plan = plan.expect("plan");
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).expect("JSON");
    let to_run: Vec<usize> = plan["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|phase| phase["run"].as_array().map_or(9, Vec::len))
        .collect();
    assert_eq!(to_run, [0, 0], "{plan}");
    let set = ["--set", "render.viewport_width=800"];
    let plan = databuild().args(["plan", "pipelines/demo.toml", "--store"]).arg(quiet_store()).args(set).output();
    let plan = text(&plan.expect("plan").stdout);
    assert!(plan.contains("viewport_width 1280 -> 800"), "{plan}");
}

#[test]
fn every_row_renders_as_stored() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let verify = databuild().arg("verify").arg(dataset(quiet_store())).output().expect("verify");
    let said = text(&verify.stdout);
    assert!(verify.status.success(), "{said}{}", text(&verify.stderr));
    let (equal, rest) = said.trim().split_once(" of ").expect("a count");
    assert!(rest.starts_with(equal), "{said}");
}

#[test]
fn a_dataset_that_was_touched_does_not_verify() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let copy = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files(&dataset(quiet_store())) {
        let path = copy.path().join(&name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let is_shard = name.to_string_lossy().contains("pages/train");
        let bytes = if is_shard { [&bytes[..100], &[bytes[100] ^ 1], &bytes[101..]].concat() } else { bytes };
        std::fs::write(path, bytes).expect("write");
    }
    let verify = databuild().arg("verify").arg(copy.path()).args(["--sample", "1"]).output().expect("verify");
    assert_eq!(verify.status.code(), Some(7), "{}", text(&verify.stderr));
    assert!(text(&verify.stderr).contains("SHA-256"), "{}", text(&verify.stderr));
}

#[test]
fn python_reads_the_dataset() {
    let python = root().join(".tools/python/bin/python");
    if !is_equipped() || !python.exists() {
        skip(&format!("there is no {}", python.display()));
        return;
    }
    let _alone = alone();
    let cache = tempfile::tempdir().expect("a folder");
    let data = dataset(quiet_store()).join("data");
    let script = root().join("tests/python/read_dataset.py");
    let read = Command::new(python).arg(script).arg(data).env("HF_HOME", cache.path()).output().expect("python");
    assert!(read.status.success(), "{}\n{}", text(&read.stdout), text(&read.stderr));
}

fn start(store: &Path, temp: &Path) -> Child {
    let mut command = run_command(store);
    command.env("TMPDIR", temp).stderr(Stdio::piped()).stdout(Stdio::null());
    command.spawn().expect("the binary")
}

/// Waits until the run has committed something of a kind, or has ended.
fn wait_for(child: &mut Child, store: &Path, what: &str) {
    wait_for_any(child, &store.join("ledger").join(what));
}

/// Waits until the run has put something into a folder, or has ended.
fn wait_for_any(child: &mut Child, folder: &Path) {
    while child.try_wait().expect("a child").is_none() {
        if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs to the end; the dataset is the undisturbed one, and nothing of the runs before is left in the temporary folder.
fn finish(store: &Path, temp: &Path) {
    let last = run_command(store).env("TMPDIR", temp).output().expect("the binary");
    assert!(last.status.success(), "{}", text(&last.stderr));
    assert_same_dataset(store);
    let entries = temp.read_dir().expect("a folder").flatten().map(|entry| entry.file_name());
    let profiles: Vec<_> = entries.filter(|name| name.to_string_lossy().starts_with("databuild-")).collect();
    assert!(profiles.is_empty(), "profiles are left: {profiles:?}");
}

#[test]
fn a_killed_run_goes_on_to_the_same_bytes() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let (store, temp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Killed before anything is committed, after the first phase, in the middle of rendering, around the sink.
    let moments: [&dyn Fn(&mut Child); 4] = [
        &|_| std::thread::sleep(Duration::from_millis(150)),
        &|child| wait_for(child, store.path(), "clean"),
        &|child| wait_for(child, store.path(), "render"),
        &|child| wait_for(child, store.path(), "snapshots"),
    ];
    for moment in moments {
        let mut child = start(store.path(), temp.path());
        moment(&mut child);
        // A child that was faster than its killer is no failure.
        let _already_done = child.kill();
        child.wait().expect("it ends");
        assert_no_browser_left(temp.path());
    }
    finish(store.path(), temp.path());
}

#[test]
fn a_store_that_is_worked_in_is_not_pruned_and_says_who_works() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let (store, temp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let prune = || {
        let mut command = databuild();
        command.args(["store", "prune", "pipelines/demo.toml", "--store"]).arg(store.path());
        command.output().expect("prune")
    };
    let mut child = start(store.path(), temp.path());
    wait_for_any(&mut child, &store.path().join("leases/render"));
    // It renders now, which takes seconds.
    let refused = prune();
    let status = |json: &[&str]| {
        let mut command = databuild();
        command.args(["status", "pipelines/demo.toml", "--store"]).arg(store.path()).args(json);
        text(&command.output().expect("status").stdout)
    };
    let live: serde_json::Value = serde_json::from_str(&status(&["--json"])).expect("JSON");
    let is_running = child.try_wait().expect("a child").is_none();
    child.wait().expect("it ends");
    if is_running {
        assert_eq!(refused.status.code(), Some(3), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("works in it"), "{}", text(&refused.stderr));
    }
    if is_running {
        assert_eq!((&live["up_to_date"], &live["phases"][0]["left"]), (&false.into(), &0.into()), "{live}");
        assert_eq!(live["working"][0]["lease"]["owner"]["pid"], child.id(), "{live}");
    }
    let after = status(&[]);
    assert!(after.starts_with("demo: up to date\n") && after.contains("last run, begun "), "{after}");
    assert!(prune().status.success());
    assert_same_dataset(store.path());
}

#[test]
fn an_interrupted_run_stops_soon_and_goes_on() {
    if !is_equipped() {
        return;
    }
    let _alone = alone();
    let (store, temp) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let mut child = start(store.path(), temp.path());
    wait_for(&mut child, store.path(), "pages");
    std::thread::sleep(Duration::from_secs(1));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    let status = child.wait().expect("it ends");
    // A machine that was faster than the signal has done it all.
    assert!(matches!(status.code(), Some(INTERRUPTED | 0)), "{status}");
    assert_no_browser_left(temp.path());
    finish(store.path(), temp.path());
}
