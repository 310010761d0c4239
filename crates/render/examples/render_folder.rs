//! Renders every `*.html` of a folder and says what it cost: pages per second and CPU seconds per page.
//!
//! `cargo run --release -p render --example render_folder -- FOLDER [BROWSERS] [TABS] [HEIGHT_MAX] [ROUNDS]`
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use render::{Farm, FarmConfig, RenderOutcome, RenderPolicy, find_chrome};

/// Ticks of `/proc` in a second, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (browsers, tabs, height_max, rounds) = (number(2)?, number(2)?, number(4_096)?, number(1)?);

    let mut paths: Vec<_> = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "html"));
    paths.sort();
    let pages = paths.iter().map(fs::read_to_string).collect::<Result<Vec<_>, _>>()?;

    let path_var = std::env::var_os("PATH").unwrap_or_default();
    let mut config = FarmConfig::new(find_chrome(None, &path_var)?, browsers);
    (config.browsers, config.tabs_per_browser) = (browsers, tabs);
    config.sandbox = false;
    let farm = Farm::start(config)?;
    let policy = RenderPolicy { height_max: height_max as u32, ..RenderPolicy::default() };

    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, usize>::new()));
    let bytes = AtomicUsize::new(0);
    let (start, own_start) = (Instant::now(), own_cpu_seconds());
    thread::scope(|scope| {
        for _ in 0..browsers * tabs {
            scope.spawn(|| {
                while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|i| *i < pages.len() * rounds)
                {
                    let outcome = match farm.render(&pages[index % pages.len()], &policy) {
                        RenderOutcome::Rendered(page) => {
                            bytes.fetch_add(page.screenshot.len(), Ordering::Relaxed);
                            "rendered".to_owned()
                        }
                        RenderOutcome::Refused(rejection) => format!("refused: {}", rejection.rule.name),
                        RenderOutcome::Failed(failure) => format!("failed: {}", failure.message),
                    };
                    *outcomes.lock().expect("whole").entry(outcome).or_default() += 1;
                }
            });
        }
    });
    let (seconds, count) = (start.elapsed().as_secs_f64(), (pages.len() * rounds) as f64);
    let (own, chrome) = (own_cpu_seconds() - own_start, chrome_cpu_seconds());
    println!(
        "{browsers} browsers x {tabs} tabs, {count} pages: {:.2} pages/s, {:.3} CPU s/page Chrome, {:.4} ours, {:.0} kB/page",
        count / seconds,
        chrome / count,
        own / count,
        bytes.into_inner() as f64 / 1e3 / count,
    );
    println!("{:?}\n{:?}", outcomes.into_inner()?, farm.stats());
    Ok(())
}

/// User and system time of a process, then the same of its children that have ended.
fn times(stat: &str) -> Option<(i32, i32, f64, f64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    let own = (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND;
    let children = (ticks(13)? + ticks(14)?) / TICKS_PER_SECOND;
    Some((fields.get(1)?.parse().ok()?, fields.get(2)?.parse().ok()?, own, children))
}

fn own_cpu_seconds() -> f64 {
    fs::read_to_string("/proc/self/stat").ok().and_then(|stat| times(&stat)).map_or(0.0, |(_, _, own, _)| own)
}

/// Time of the running browsers: the process groups that our children lead.
fn chrome_cpu_seconds() -> f64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats: Vec<_> =
        entries.filter_map(|entry| times(&fs::read_to_string(entry.path().join("stat")).ok()?)).collect();
    let me = std::process::id() as i32;
    let groups: Vec<i32> = stats.iter().filter(|(parent, ..)| *parent == me).map(|(_, group, ..)| *group).collect();
    stats.iter().filter(|(_, group, ..)| groups.contains(group)).map(|(_, _, own, children)| own + children).sum()
}
