//! The farm: what callers hold.
//!
//! One call of [`Farm::render`] is: wait for a tab, run the render sequence on it, give the tab back or throw it away.
//! Blame is by proof. When a renderer or a browser dies under a page, nobody can tell which of the pages aboard did it,
//! so each of them is rendered once more in a fresh browser that it has to itself; only a page that breaks that one too
//! has crashed. A page that runs out of time in a browser that still answers is slow by itself, and fails at once.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use item::{ContentHasher, Digest, Failure, FailureClass};
use thiserror::Error;

use crate::browser::{Browser, flags};
use crate::event::{FarmEvent, FarmStats, Observer, RestartReason, Step};
use crate::monitor::{MemoryLimits, Monitor, Watched};
use crate::policy::{RenderOutcome, RenderPolicy};
use crate::pool::{Host, Pool, TakeError};
use crate::process::Tallies;
use crate::sequence::{self, SEQUENCE_VERSION, StepError};
use crate::tab::Tab;

/// Time for a tab to reach its blank page; a tab that does not is thrown away before any page is lost to it.
const BLANK_TIMEOUT: Duration = Duration::from_secs(10);
/// Memory that a browser is counted with when a farm is sized: ordinary pages take a third of it.
const BROWSER_BYTES: u64 = 1 << 30;
/// Start tags that a document may have for each element that is allowed, before it is refused unseen: comments and
/// attributes hold some that make no element.
const START_TAGS_PER_ELEMENT: usize = 2;
/// Tabs in a row that may be stuck before a page gives up.
const STUCK_TABS_MAX: usize = 3;

/// How many browsers, how they live and what they may use.
#[derive(Debug, Clone, PartialEq)]
pub struct FarmConfig {
    /// The browser binary; see [`find_chrome`](crate::find_chrome).
    pub chrome: PathBuf,
    /// Browsers, each with one tab: the pages that are worked on at once.
    pub browsers: usize,
    /// Chrome's own sandbox. It needs a user other than root, so the caller decides.
    pub sandbox: bool,
    /// Pages after which a browser is replaced: costs creep up by half over 2,000 pages in a tab, and a start costs
    /// about as much as a page.
    pub pages_per_browser_max: u64,
    /// Age after which a browser is replaced.
    pub browser_age_max: Duration,
    /// Memory of all processes of a browser, shared pages not counted, after which it is replaced as soon as it is idle.
    pub browser_memory_max_bytes: u64,
    /// Memory of all processes of a browser at which its greediest process is killed at once. Control groups would need
    /// rights that users do not have, and limits on address space mean nothing to Chrome, which reserves terabytes; so a
    /// thread looks twice a second.
    pub browser_memory_ceiling_bytes: u64,
    /// Memory of one process of a browser, shared pages not counted, above which it is killed. Real pages reached
    /// 1.5 GB at the very worst.
    pub process_memory_max_bytes: u64,
    /// Folder for the browsers' profiles; the system's temporary folder if none.
    pub profile_root: Option<PathBuf>,
}

impl FarmConfig {
    /// A farm for this machine: a browser for each core and one more, so that cores always have a page while another waits.
    pub fn new(chrome: PathBuf, cores: usize) -> Self {
        Self {
            chrome,
            browsers: cores + 1,
            sandbox: true,
            pages_per_browser_max: 1_000,
            browser_age_max: Duration::from_hours(1),
            browser_memory_max_bytes: 3 << 30,
            browser_memory_ceiling_bytes: 4 << 30,
            process_memory_max_bytes: 2 << 30,
            profile_root: None,
        }
    }

    /// A farm for a machine with that much memory to spare: as [`new`](Self::new), but with fewer browsers where they would
    /// not fit, and with limits that keep all of them together within the memory.
    pub fn for_machine(chrome: PathBuf, cores: usize, memory_bytes: u64) -> Self {
        let fitting = usize::try_from(memory_bytes / BROWSER_BYTES).unwrap_or(usize::MAX);
        let mut config = Self::new(chrome, cores);
        config.browsers = config.browsers.min(fitting).max(1);
        let share = memory_bytes / config.browsers as u64;
        config.browser_memory_ceiling_bytes = config.browser_memory_ceiling_bytes.min(share).max(BROWSER_BYTES / 2);
        let ceiling = config.browser_memory_ceiling_bytes;
        config.browser_memory_max_bytes = config.browser_memory_max_bytes.min(ceiling / 4 * 3);
        config.process_memory_max_bytes = config.process_memory_max_bytes.min(ceiling / 4 * 3);
        config
    }
}

/// A farm could not be started.
#[derive(Debug, Error)]
pub enum FarmError {
    /// No browsers.
    #[error("a farm needs at least one browser")]
    Empty,
    /// No folder for a profile.
    #[error("no profile folder could be made")]
    Profile(#[source] io::Error),
    /// The process did not start.
    #[error("{} did not start", .chrome.display())]
    Spawn {
        /// The binary.
        chrome: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The browser started and did not answer as a browser does.
    #[error("the browser did not answer ({reason}); it said: {said}")]
    Silent {
        /// What went wrong in talking to it.
        reason: String,
        /// The end of its standard error.
        said: String,
    },
    /// The thread that watches memory did not start.
    #[error("the memory watch did not start")]
    Monitor(#[source] io::Error),
}

/// What a Chrome binary says of its build, without being started: `Chromium 156.0.8078.79 built on Debian`.
pub fn chrome_build(chrome: &std::path::Path) -> Result<String, FarmError> {
    let spawn_error = |source| FarmError::Spawn { chrome: chrome.to_owned(), source };
    let output = std::process::Command::new(chrome).arg("--version").output().map_err(spawn_error)?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || said.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(FarmError::Silent { reason: "it did not tell its version".to_owned(), said });
    }
    Ok(said)
}

/// Digest of what decides the pixels besides page, policy and fonts: the browser's build (as it says itself, in any
/// form), flags, and our sequence of calls.
pub fn farm_fingerprint(build: &str, config: &FarmConfig) -> Digest {
    let mut hasher = ContentHasher::new("render farm");
    hasher.add_text(build).add_u64(SEQUENCE_VERSION);
    // The sandbox makes no pixels.
    for flag in flags(&FarmConfig { sandbox: true, ..config.clone() }) {
        hasher.add_text(&flag);
    }
    hasher.finish()
}

/// A set of headless browsers that stays healthy. Share it by reference or `Arc`; dropping it ends every browser.
pub struct Farm {
    pool: Pool,
    watched: Watched,
    tallies: Arc<Tallies>,
    // After `pool`: browsers end first, then the watch.
    _monitor: Monitor,
    config: FarmConfig,
    observer: Option<Observer>,
    version: String,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    pages: AtomicU64,
    retries: AtomicU64,
    tabs_replaced: AtomicU64,
    tabs_renewed: AtomicU64,
    restarts: [AtomicU64; RestartReason::ALL.len()],
}

/// What is done with a page on a tab.
type Work<'a, T> = dyn Fn(&mut Tab) -> Result<Option<T>, StepError> + 'a;

impl Farm {
    /// Starts a farm: one browser now, so that a bad setting shows at once, the others when there is work for them.
    pub fn start(config: FarmConfig) -> Result<Self, FarmError> {
        Self::start_observed(config, None)
    }

    /// Starts a farm; `observer` hears of restarts.
    pub fn start_observed(config: FarmConfig, observer: Option<Observer>) -> Result<Self, FarmError> {
        if config.browsers == 0 {
            return Err(FarmError::Empty);
        }
        let tallies = Arc::default();
        let first = Arc::new(Browser::start(&config, &tallies)?);
        let watched = Watched::default();
        watched.add(&first);
        let told = observer.clone();
        let tell = move |event| {
            if let Some(observer) = &told {
                observer(event);
            }
        };
        let limits = MemoryLimits {
            process_bytes: config.process_memory_max_bytes,
            browser_bytes: config.browser_memory_ceiling_bytes,
        };
        let monitor = Monitor::start(watched.clone(), limits, tell);
        let monitor = monitor.map_err(FarmError::Monitor)?;
        let version = first.version().to_owned();
        let pool = Pool::new(&config, first);
        Ok(Self { pool, watched, tallies, _monitor: monitor, config, observer, version, counts: Counts::default() })
    }

    /// Name, version and build of the browser, as it says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Digest of what decides the pixels besides page, policy and fonts; see [`farm_fingerprint`].
    pub fn fingerprint(&self) -> Digest {
        farm_fingerprint(&self.version, &self.config)
    }

    /// Ends all browsers while pages are in flight: those fail, and so does every later one. For stopping a run within
    /// seconds, when others still hold the farm.
    pub fn abort(&self) {
        self.pool.close();
        for browser in self.watched.browsers() {
            browser.kill();
        }
    }

    /// Renders one page. Blocks until there is a verdict; many threads may call it at once.
    pub fn render(&self, html: &str, policy: &RenderPolicy) -> RenderOutcome {
        let start_tags_max = policy.elements_max.saturating_mul(START_TAGS_PER_ELEMENT);
        let outcome = if html.len() > policy.html_bytes_max {
            too_much(format!("{} bytes of HTML, the most is {}", html.len(), policy.html_bytes_max))
        } else if start_tags(html) > start_tags_max {
            too_much(format!("{} start tags, the most is {start_tags_max}", start_tags(html)))
        } else if policy.twice {
            self.render_twice(html, policy)
        } else {
            self.render_shared(html, policy)
        };
        self.counts.pages.fetch_add(1, Ordering::Relaxed);
        outcome
    }

    /// Loads a page, lets its scripts run for the time of the policy, and gives the document that they made, as HTML.
    pub fn materialise(&self, html: &str, policy: &RenderPolicy) -> Result<String, Failure> {
        if html.len() > policy.html_bytes_max {
            let message = format!("{} bytes of HTML, the most is {}", html.len(), policy.html_bytes_max);
            return Err(Failure { class: FailureClass::Limit, message });
        }
        let work = |tab: &mut Tab| {
            let ended = |step, elapsed| self.step_ended(step, elapsed);
            sequence::materialise(tab, html, policy, &ended).map(Some)
        };
        let made = self.on_some_tab(&work, policy);
        self.counts.pages.fetch_add(1, Ordering::Relaxed);
        made
    }

    /// Counts since the start.
    pub fn stats(&self) -> FarmStats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let browsers = self.watched.browsers();
        let running: Duration = browsers.iter().map(|browser| browser.cpu()).sum();
        FarmStats {
            pages: count(&self.counts.pages),
            retries: count(&self.counts.retries),
            requests_refused: count(&self.tallies.requests_refused),
            tabs_busy: self.pool.busy(),
            tabs_replaced: count(&self.counts.tabs_replaced),
            tabs_renewed: count(&self.counts.tabs_renewed),
            restarts: std::array::from_fn(|reason| count(&self.counts.restarts[reason])),
            memory_bytes: browsers.iter().map(|browser| count(&browser.memory_bytes)).sum(),
            browser_memory_peak_bytes: count(&self.watched.peak_bytes),
            chrome_cpu: Duration::from_millis(count(&self.tallies.spent_ms)) + running,
        }
    }

    /// Ends all browsers and removes their profiles. Dropping the farm does the same.
    pub fn shutdown(self) {}

    /// Renders, renders again, and compares. The first picture is the one that is kept.
    fn render_twice(&self, html: &str, policy: &RenderPolicy) -> RenderOutcome {
        let first = self.render_shared(html, policy);
        let RenderOutcome::Rendered(mut rendered) = first else { return first };
        rendered.stable = Some(match self.render_shared(html, policy) {
            RenderOutcome::Rendered(again) => again.screenshot == rendered.screenshot && again.nodes == rendered.nodes,
            RenderOutcome::Refused(_) | RenderOutcome::Failed(_) => false,
        });
        RenderOutcome::Rendered(rendered)
    }

    fn render_shared(&self, html: &str, policy: &RenderPolicy) -> RenderOutcome {
        let work = |tab: &mut Tab| {
            let ended = |step, elapsed| self.step_ended(step, elapsed);
            sequence::render(tab, html, policy, &ended)
        };
        self.on_some_tab(&work, policy).unwrap_or_else(RenderOutcome::Failed)
    }

    /// Does a page's work on a tab of the farm, beside other pages. `Ok(None)` asks for a tab that has drawn nothing yet.
    fn on_some_tab<T>(&self, work: &Work<'_, T>, policy: &RenderPolicy) -> Result<T, Failure> {
        let deadline = Instant::now() + Duration::from_millis(policy.tab_wait_ms);
        for _ in 0..STUCK_TABS_MAX {
            let mut lease = match self.pool.take(self, deadline) {
                Ok(lease) => lease,
                Err(error) => return Err(no_tab(&error)),
            };
            let seat = lease.seat;
            let start = Instant::now();
            let ready = lease.tab().ready(start + BLANK_TIMEOUT);
            self.step_ended(Step::Clear, start.elapsed());
            if let Err(error) = ready {
                // What the last page left behind; this one is not concerned.
                self.tab_replaced(seat, format!("the tab did not become blank: {error}"));
                let _ = lease.discard();
                continue;
            }
            let mut done = work(lease.tab());
            if matches!(done, Ok(None)) {
                self.counts.tabs_renewed.fetch_add(1, Ordering::Relaxed);
                if let Err(error) = lease.renew(Instant::now() + BLANK_TIMEOUT) {
                    self.tab_replaced(seat, format!("no fresh tab could be had: {error}"));
                    let _ = lease.discard();
                    continue;
                }
                done = work(lease.tab());
            }
            let error = match done {
                Ok(Some(outcome)) => {
                    lease.give_back();
                    return Ok(outcome);
                }
                Ok(None) => unreachable!("a fresh tab has drawn nothing"),
                Err(error) => error,
            };
            let failure = error.to_failure(FailureClass::Timeout);
            self.tab_replaced(seat, failure.message.clone());
            let browser_answers = lease.discard().is_ok();
            if error.is_timeout() && browser_answers {
                return Err(failure);
            }
            return self.alone(work, failure.message, deadline);
        }
        let message = format!("{STUCK_TABS_MAX} tabs in a row were stuck");
        Err(Failure { class: FailureClass::Upstream, message })
    }

    /// Does a page's work in a fresh browser with nothing else in it: what breaks now was broken by this page.
    fn alone<T>(&self, work: &Work<'_, T>, message: String, deadline: Instant) -> Result<T, Failure> {
        let _alone = self.pool.alone(deadline).map_err(|error| no_tab(&error))?;
        self.counts.retries.fetch_add(1, Ordering::Relaxed);
        self.tell(FarmEvent::PageRetried { message });
        let browser = self.start_browser().map_err(|error| no_tab(&TakeError::Start(error)))?;
        let mut tab = browser.open_tab().map_err(|error| no_tab(&TakeError::Open(error)))?;
        tab.ready(Instant::now() + BLANK_TIMEOUT).map_err(|error| no_tab(&TakeError::Open(error)))?;
        let error = match work(&mut tab) {
            Ok(outcome) => return Ok(outcome.expect("a fresh tab has drawn nothing")),
            Err(error) => error,
        };
        if browser.memory_kills.load(Ordering::Relaxed) > 0 {
            let message = format!("a process used more than {} bytes", self.config.process_memory_max_bytes);
            return Err(Failure { class: FailureClass::Limit, message });
        }
        let class = if error.is_timeout() { FailureClass::Timeout } else { FailureClass::Crash };
        Err(error.to_failure(class))
    }

    fn tab_replaced(&self, browser: usize, message: String) {
        self.counts.tabs_replaced.fetch_add(1, Ordering::Relaxed);
        self.tell(FarmEvent::TabReplaced { browser, message });
    }

    fn step_ended(&self, step: Step, elapsed: Duration) {
        self.tell(FarmEvent::StepEnded { step, elapsed });
    }

    fn tell(&self, event: FarmEvent) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}

impl Host for Farm {
    fn start_browser(&self) -> Result<Arc<Browser>, FarmError> {
        let browser = Arc::new(Browser::start(&self.config, &self.tallies)?);
        self.watched.add(&browser);
        if self.pool.is_closed() {
            // It came too late for `abort` to see it.
            browser.kill();
        }
        Ok(browser)
    }

    fn replaced(&self, browser: usize, reason: RestartReason) {
        self.counts.restarts[reason as usize].fetch_add(1, Ordering::Relaxed);
        self.tell(FarmEvent::BrowserReplaced { browser, reason });
    }
}

impl fmt::Debug for Farm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Farm").field("version", &self.version).field("config", &self.config).finish_non_exhaustive()
    }
}

fn too_much(message: String) -> RenderOutcome {
    RenderOutcome::Failed(Failure { class: FailureClass::Limit, message })
}

/// Places where a start tag may begin: no fewer than there are elements, but for the few that a parser implies.
fn start_tags(html: &str) -> usize {
    html.as_bytes().windows(2).filter(|pair| pair[0] == b'<' && pair[1].is_ascii_alphabetic()).count()
}

fn no_tab(error: &TakeError) -> Failure {
    let class = if matches!(error, TakeError::Timeout) { FailureClass::Timeout } else { FailureClass::Upstream };
    Failure::from_error(class, error)
}
