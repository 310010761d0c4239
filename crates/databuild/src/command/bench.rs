//! `databuild bench render`: what the Chrome farm costs on given pages, and what Chrome alone costs.
//!
//! The farm is the one that runs use, with nothing around it. Processor time is what counts: seconds on the clock say as
//! much about the machine's other work.

mod closed;
mod load;
mod same;
mod steps;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use item::Viewport;
use render::{Farm, FarmConfig, Floor, FloorPage, RenderOutcome, RenderPolicy, find_chrome};

use self::load::{Usage, own_memory_bytes};
use super::Outcome;
use super::pages_of::{NamedPage, captured, cleaned};
use crate::cli::BenchRenderArgs;
use crate::environment;
use crate::error::CommandError;
use crate::printer::Printer;

/// Pages that farm and floor render in turn: enough to keep all tabs busy, few enough that both see the same machine.
const TURN_PAGES: usize = 24;
/// Pages that warm browsers and caches up before anything is counted.
const WARM_UP_PAGES: usize = 6;

/// Measures the farm.
pub(crate) fn render(args: &BenchRenderArgs, printer: Printer) -> Outcome {
    let (config, policy) = (farm_config(args)?, policy(args));
    if args.closed {
        return closed::closed(&html(captured(&args.path, args.limit)?), &config, &policy, printer);
    }
    let pages = html(cleaned(&args.path, args.limit)?);
    printer.note(&format!("{} pages of {}", pages.len(), args.path.display()));
    if let Some(times) = args.same {
        return same::same(&pages, times, &config, &policy, args.save.as_deref(), printer);
    }
    if args.steps {
        return steps::steps(&pages, config, &policy, printer);
    }
    measure(&pages, config, &policy, args, printer)
}

fn html(pages: Vec<NamedPage>) -> Vec<String> {
    pages.into_iter().map(|page| page.html).collect()
}

fn farm_config(args: &BenchRenderArgs) -> Result<FarmConfig, CommandError> {
    let environment = environment::read();
    let chrome = find_chrome(args.chrome.as_deref(), &environment.path).map_err(|error| {
        CommandError::environment(error).hint("`databuild doctor` says which Chrome is missing and how to get it")
    })?;
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let mut config = FarmConfig::new(chrome, cores);
    config.sandbox = !environment.is_root;
    config.browsers = args.browsers.unwrap_or(config.browsers);
    config.pages_per_browser_max = args.pages_per_browser.unwrap_or(config.pages_per_browser_max);
    Ok(config)
}

fn policy(args: &BenchRenderArgs) -> RenderPolicy {
    // Nothing is refused, so that every page is paid for in full, by us and by whoever is compared.
    let policy = RenderPolicy::accept_all();
    let viewport = Viewport { height: args.viewport_height, ..policy.viewport };
    RenderPolicy { viewport, height_max: args.height_max, format: args.format, ..policy }
}

fn start(config: &FarmConfig) -> Result<Farm, CommandError> {
    Farm::start(config.clone()).map_err(CommandError::environment)
}

/// What a few threads rendered.
#[derive(Default)]
struct Tally {
    outcomes: Mutex<BTreeMap<String, usize>>,
    bytes: AtomicU64,
    /// Height painted in CSS px, by page.
    heights: Mutex<BTreeMap<usize, u32>>,
    /// Time with a page waiting, summed over turns.
    waiting: Mutex<Usage>,
}

/// Renders the pages of a range of indexes on as many threads as the farm has tabs.
fn render_all(farm: &Farm, pages: &[String], range: std::ops::Range<usize>, threads: usize, run: &Run<'_>) {
    let next = AtomicUsize::new(range.start);
    let before = Usage::now(farm);
    // Cores can be kept busy as long as somebody still takes a page; what comes after is the tail of the last ones.
    let last_taken = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= range.end {
                        let mut taken = last_taken.lock().expect("no thread panics with it");
                        taken.get_or_insert_with(|| Usage::now(farm));
                        break;
                    }
                    run.one(farm, &pages[index % pages.len()], index % pages.len());
                }
            });
        }
    });
    if let Some(taken) = last_taken.into_inner().expect("no thread panics with it") {
        run.tally.waiting.lock().expect("no thread panics with it").add(taken.since(before));
    }
}

struct Run<'a> {
    policy: &'a RenderPolicy,
    tally: &'a Tally,
}

impl Run<'_> {
    fn one(&self, farm: &Farm, html: &str, index: usize) {
        let outcome = farm.render(html, self.policy);
        if let RenderOutcome::Rendered(page) = &outcome {
            self.tally.bytes.fetch_add(page.screenshot.len() as u64, Ordering::Relaxed);
            let height = page.page_height.min(self.policy.height_max);
            self.tally.heights.lock().expect("no thread panics with it").insert(index, height);
        }
        *self.tally.outcomes.lock().expect("no thread panics with it").entry(name_of(&outcome)).or_default() += 1;
    }
}

/// What became of a page, in the words of a table.
fn name_of(outcome: &RenderOutcome) -> String {
    match outcome {
        RenderOutcome::Rendered(_) => "rendered".to_owned(),
        RenderOutcome::Refused(rejection) => format!("refused: {}", rejection.rule.name),
        RenderOutcome::Failed(failure) => format!("failed: {}", failure.class.name()),
    }
}

fn measure(
    pages: &[String],
    config: FarmConfig,
    policy: &RenderPolicy,
    args: &BenchRenderArgs,
    printer: Printer,
) -> Outcome {
    let threads = config.browsers;
    let total = pages.len() * args.rounds;
    let profiles = tempfile::tempdir().map_err(CommandError::environment)?;
    let config = FarmConfig { profile_root: Some(profiles.path().to_owned()), ..config };
    let farm = start(&config)?;
    let tally = Tally::default();
    let mut floor = if args.floor { Some(Floor::start(&config).map_err(CommandError::environment)?) } else { None };
    warm_up(&farm, floor.as_mut(), pages, policy, threads)?;

    let (mut ours, mut bare) = (Usage::default(), Usage::default());
    let (memory_first, mut memory_most) = (own_memory_bytes(), 0);
    let turn = if floor.is_some() { TURN_PAGES } else { total };
    for from in (0..total).step_by(turn.max(1)) {
        let range = from..(from + turn).min(total);
        let before = Usage::now(&farm);
        render_all(&farm, pages, range.clone(), threads, &Run { policy, tally: &tally });
        ours.add(Usage::now(&farm).since(before));
        memory_most = memory_most.max(own_memory_bytes());
        let Some(floor) = floor.as_mut() else { continue };
        let heights = tally.heights.lock().expect("no thread panics with it").clone();
        let page = |index: usize| {
            let index = index % pages.len();
            FloorPage { html: &pages[index], height: heights.get(&index).copied().unwrap_or(0) }
        };
        let replayed: Vec<FloorPage<'_>> = range.map(page).collect();
        let before = Usage::of_floor(floor);
        floor.run(&replayed, policy).map_err(CommandError::environment)?;
        bare.add(Usage::of_floor(floor).since(before));
    }
    let stats = farm.stats();
    farm.shutdown();
    drop(floor);

    let count = total as f64;
    printer.data(&format!(
        "farm           {} browsers, height cap {} px, {}",
        config.browsers, policy.height_max, args.format,
    ));
    for (outcome, number) in tally.outcomes.into_inner().expect("no thread panics with it") {
        printer.data(&format!("pages          {number} {outcome}"));
    }
    report(printer, "farm", ours, count);
    let busy = tally.waiting.into_inner().expect("no thread panics with it");
    printer.data(&format!(
        "cores          {:.0} % of {} busy while pages waited ({:.0} % with work of others)",
        busy.share_of_cores() * 100.0,
        load::cores(),
        busy.machine_share() * 100.0,
    ));
    printer.data(&format!("screenshots    {:.0} kB a page", tally.bytes.into_inner() as f64 / 1e3 / count));
    printer.data(&format!(
        "memory         {:.0} MB the largest browser, ours {:.0} MB at first, {:.0} MB at most",
        stats.browser_memory_peak_bytes as f64 / 1e6,
        memory_first as f64 / 1e6,
        memory_most as f64 / 1e6,
    ));
    let restarts = render::RestartReason::ALL.map(|why| format!("{} {}", stats.restarts_for(why), why.name()));
    printer.data(&format!(
        "restarts       {}; {} pages retried, {} tabs renewed, {} requests refused",
        restarts.join(", "),
        stats.retries,
        stats.tabs_renewed,
        stats.requests_refused
    ));
    if args.floor {
        report(printer, "floor", bare, count);
        printer.data(&format!(
            "farm / floor   {:.3} CPU, {:.3} time",
            ours.cpu().as_secs_f64() / bare.cpu().as_secs_f64(),
            ours.wall.as_secs_f64() / bare.wall.as_secs_f64(),
        ));
    }
    let (processes, files) = (load::running_children(), entries(profiles.path()));
    printer.data(&format!("left behind    {processes} processes, {files} profile folders"));
    Ok(())
}

fn warm_up(
    farm: &Farm,
    floor: Option<&mut Floor>,
    pages: &[String],
    policy: &RenderPolicy,
    threads: usize,
) -> Result<(), CommandError> {
    let tally = Tally::default();
    let count = WARM_UP_PAGES.max(threads).min(pages.len());
    render_all(farm, pages, 0..count, threads, &Run { policy, tally: &tally });
    if let Some(floor) = floor {
        let warm: Vec<FloorPage<'_>> = pages[..count].iter().map(|html| FloorPage { html, height: 720 }).collect();
        floor.run(&warm, policy).map_err(CommandError::environment)?;
    }
    Ok(())
}

fn report(printer: Printer, what: &str, usage: Usage, pages: f64) {
    let (chrome, own) = (usage.chrome.as_secs_f64(), usage.own.as_secs_f64());
    printer.data(&format!(
        "{what:<15}{:.2} pages/s, {:.4} CPU s/page: Chrome {:.4}, ours {:.4} ({:.1} % of Chrome's)",
        pages / usage.wall.as_secs_f64(),
        (chrome + own) / pages,
        chrome / pages,
        own / pages,
        own / chrome * 100.0,
    ));
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// A duration as milliseconds for tables.
fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
