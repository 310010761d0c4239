//! Trouble with a real disk: full, read-only, taken away, damaged. Each is named, and mended by the next run.

mod common;

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::World;
use engine::{DiskTrouble, EngineError, Outcome, Silent, housekeeping};

const TWO: &[(&str, u64)] = &[("a", 300), ("b", 120)];

/// What is read and written at once: the least that a disk of files can be smaller or larger by.
const PAGE_BYTES: u64 = 4096;

fn quiet(setting: u32) -> World {
    let world = World::new();
    world.run(&world.pipeline(TWO, setting)).expect("a run");
    world
}

fn folder(world: &World) -> PathBuf {
    PathBuf::from(world.store.location())
}

/// The error as people read it.
fn chain(error: &EngineError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A file system of our own; taken off when dropped.
struct Mounted {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn mount(arguments: &[&str], path: &Path) -> Result<(), String> {
    let output = Command::new("mount").args(arguments).arg(path).output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

impl Mounted {
    /// Mounts as `mount` is told; the reason where this user or this machine may not.
    fn new(arguments: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().canonicalize().map_err(|error| error.to_string())?.join("disk");
        fs::create_dir(&path).map_err(|error| error.to_string())?;
        mount(arguments, &path)?;
        Ok(Self { _folder: folder, path })
    }

    /// A disk in memory.
    fn small(bytes: u64) -> Result<Self, String> {
        Self::new(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
    }

    fn grow(&self, bytes: u64) {
        mount(&["-o", &format!("remount,size={bytes}")], &self.path).expect("as it was mounted");
    }

    /// Another view of a folder, for reading only.
    fn reading(folder: &Path) -> Result<Self, String> {
        let mounted = Self::new(&["--bind", &folder.display().to_string()])?;
        mount(&["-o", "remount,bind,ro"], &mounted.path)?;
        Ok(mounted)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _taken_off = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}

/// Runs on a disk of that size, then with room; whether the small disk was enough.
fn survives(disk: &Mounted, expected: &[(String, Vec<u8>)]) -> bool {
    let world = World::at(&disk.path);
    let outcome = world.run(&world.pipeline(TWO, 1));
    if let Err(error) = &outcome {
        let text = chain(error);
        assert_eq!(error.disk(), Some(DiskTrouble::Full), "{text}");
        assert!(text.contains("No space left on device") && text.contains(&disk.path.display().to_string()), "{text}");
        assert_eq!(housekeeping::verify(world.store.as_ref()).expect("a look"), [], "what is committed is whole");
        assert_eq!(housekeeping::held(world.store.as_ref()).expect("leases"), [], "leases were given back");
        let dataset = world.dataset();
        assert!(dataset.iter().all(|(name, _)| !name.ends_with("test/manifest.json")), "no dataset was announced");
    }
    disk.grow(64 << 20);
    world.run(&world.pipeline(TWO, 1)).expect("there is room");
    assert!(world.dataset() == expected, "the dataset is another one");
    outcome.is_ok()
}

#[test]
fn a_full_disk_is_named_and_room_is_all_that_is_needed() {
    const SIZES: u64 = 16;
    let quiet = quiet(1);
    let pages = quiet.store.list("").expect("listed").iter().map(|blob| blob.bytes.div_ceil(PAGE_BYTES)).sum::<u64>();
    let mut full = 0;
    for size in 0..=SIZES {
        let disk = match Mounted::small((4 + size * pages / SIZES) * PAGE_BYTES) {
            Ok(disk) => disk,
            Err(reason) => return eprintln!("skipped: a small disk can not be mounted: {reason}"),
        };
        full += u32::from(!survives(&disk, &quiet.dataset()));
    }
    assert!(full > 8, "the disk was full in {full} runs only");
}

#[test]
fn a_read_only_store_is_read_and_named_when_it_has_to_be_written() {
    let world = quiet(1);
    let disk = match Mounted::reading(&folder(&world)) {
        Ok(disk) => disk,
        Err(reason) => return eprintln!("skipped: a read-only view can not be mounted: {reason}"),
    };
    let reading = World::at(&disk.path);
    let same = reading.run(&reading.pipeline(TWO, 1)).expect("nothing to write");
    assert_eq!(same.record.outcome, Outcome::Unchanged);
    let before = reading.dataset();
    let error = reading.run(&reading.gated(TWO, 1, 8)).expect_err("a new dataset");
    let text = chain(&error);
    assert_eq!(error.disk(), Some(DiskTrouble::ReadOnly), "{text}");
    assert!(text.contains("Read-only file system") && text.contains(&disk.path.display().to_string()), "{text}");
    assert_eq!(reading.dataset(), before);

    world.run(&world.gated(TWO, 1, 8)).expect("where it may be written");
    let undisturbed = World::new();
    undisturbed.run(&undisturbed.gated(TWO, 1, 8)).expect("a run");
    assert_eq!(world.dataset(), undisturbed.dataset());
}

/// Removes the store under a run as soon as so many pages were asked in its two phases.
fn taken_away(calls: usize, asked: usize, expected: &[(String, Vec<u8>)]) {
    let world = World::new();
    let (gone, counters) = (folder(&world), [Arc::clone(&world.calls), Arc::clone(&world.asked)]);
    let remover = std::thread::spawn(move || {
        while counters[0].load(Ordering::SeqCst) < calls || counters[1].load(Ordering::SeqCst) < asked {
            std::thread::yield_now();
        }
        // Files that appear while it works keep a folder from being removed.
        while gone.exists() {
            let _some_are_left = fs::remove_dir_all(&gone);
        }
    });
    let outcome = world.run(&world.pipeline(TWO, 1));
    remover.join().expect("no panic");
    let error = outcome.expect_err("its results are gone");
    assert_eq!(error.disk(), Some(DiskTrouble::Missing), "{}", chain(&error));
    assert!(chain(&error).contains(&folder(&world).display().to_string()), "{}", chain(&error));

    let again = World::at(&folder(&world));
    again.run(&again.pipeline(TWO, 1)).expect("a run from nothing");
    assert!(again.dataset() == expected, "the dataset is another one");
    assert_eq!(again.reads.load(Ordering::SeqCst), TWO.len(), "everything was made again");
}

#[test]
fn a_store_that_is_taken_away_is_missed() {
    let expected = quiet(1).dataset();
    for (calls, asked) in [(1, 0), (20, 0), (0, 1), (0, 40)] {
        taken_away(calls, asked, &expected);
    }
}

fn cut(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).expect("a blob");
    let bytes = file.metadata().expect("a size").len();
    file.set_len(bytes / 2).expect("cut");
}

#[test]
fn whatever_is_cut_off_the_next_run_mends_it() {
    let world = quiet(1);
    let expected = world.dataset();
    let blobs = world.store.list("").expect("listed");
    let is_result = |name: &str| ["ledger", "parts", "memo", "dataset"].iter().any(|folder| name.starts_with(folder));
    let wanted: Vec<_> = blobs.iter().filter(|blob| is_result(blob.name.as_str())).collect();
    assert!(wanted.len() > 20, "{wanted:?}");
    for blob in &wanted {
        let path = folder(&world).join(blob.name.as_str());
        if path.exists() {
            cut(&path);
        }
        if blob.name.as_str().starts_with("memo") {
            // Answers are read where a unit has to run again.
            for record in world.store.list("ledger/second").expect("listed") {
                world.store.delete(&record.name).expect("removed");
            }
        }
        world.run(&world.pipeline(TWO, 1)).unwrap_or_else(|error| panic!("{}: {}", blob.name, chain(&error)));
        assert!(world.dataset() == expected, "{}", blob.name);
        assert_eq!(housekeeping::verify(world.store.as_ref()).expect("a look"), [], "{}", blob.name);
    }
    for blob in &wanted {
        let path = folder(&world).join(blob.name.as_str());
        if path.exists() {
            cut(&path);
        }
    }
    world.run(&world.pipeline(TWO, 1)).expect("all of them at once");
    assert!(world.dataset() == expected);
}

#[test]
fn a_record_that_is_cut_off_is_named() {
    let world = quiet(1);
    cut(&folder(&world).join("runs/test/run.json"));
    let plan = engine::plan(&world.pipeline(TWO, 2), &world.store, Arc::new(Silent));
    let text = chain(&plan.expect_err("it can not be read"));
    assert!(text.contains("runs/test/run.json") && text.contains("EOF"), "{text}");
    world.run(&world.pipeline(TWO, 2)).expect("a run does without it");
}
