//! The farm: what callers hold.
//!
//! One call of [`Farm::render`] is: wait for a tab, run the render sequence on it, give the tab back or throw it away.
//! Blame is by proof. When a renderer or a browser dies under a page, nobody can tell which of the pages aboard did it,
//! so each of them is rendered once more in a fresh browser that it has to itself; only a page that breaks that one too
//! has crashed. A page that runs out of time in a browser that still answers is slow by itself, and fails at once.

use std::path::PathBuf;
use std::time::Duration;
use std::io;

use item::{ContentHasher, Digest, Failure, FailureClass};
use thiserror::Error;

use crate::event::{FarmStats, Observer};
use crate::policy::{RenderOutcome, RenderPolicy};

/// How many browsers, how they live and what they may use.
#[derive(Debug, Clone, PartialEq)]
pub struct FarmConfig {
    /// The browser binary; see [`find_chrome`](crate::find_chrome).
    pub chrome: PathBuf,
    /// Browser processes.
    pub browsers: usize,
    /// Tabs of each browser: the pages that it works on at once.
    pub tabs_per_browser: usize,
    /// Chrome's own sandbox. It needs a user other than root, so the caller decides.
    pub sandbox: bool,
    /// Pages after which a browser is replaced: costs creep up by half over 2,000 pages in a tab, and a start costs
    /// about as much as a page.
    pub pages_per_browser_max: u64,
    /// Age after which a browser is replaced.
    pub browser_age_max: Duration,
    /// Memory of all processes of a browser, shared pages not counted, after which it is replaced as soon as it is idle.
    pub browser_memory_max_bytes: u64,
    /// Memory of one process of a browser, shared pages not counted, above which it is killed. Real pages reached
    /// 1.5 GB at the very worst.
    pub process_memory_max_bytes: u64,
    /// Folder for the browsers' profiles; the system's temporary folder if none.
    pub profile_root: Option<PathBuf>,
}

impl FarmConfig {
    /// A farm for this machine: one browser and two tabs a core, so that a core always has a page while another waits.
    pub fn new(chrome: PathBuf, cores: usize) -> Self {
        Self {
            chrome,
            browsers: cores.max(1),
            tabs_per_browser: 2,
            sandbox: true,
            pages_per_browser_max: 1_000,
            browser_age_max: Duration::from_secs(60 * 60),
            browser_memory_max_bytes: 3 << 30,
            process_memory_max_bytes: 2 << 30,
            profile_root: None,
        }
    }
}

/// A farm could not be started.
#[derive(Debug, Error)]
pub enum FarmError {
    /// No browsers, or no tabs.
    #[error("a farm needs at least one browser and one tab")]
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
}

/// A set of headless browsers that stays healthy. Share it by reference or `Arc`; dropping it ends every browser.
#[derive(Debug)]
pub struct Farm {
    version: String,
}

impl Farm {
    /// Starts the browsers.
    pub fn start(config: FarmConfig) -> Result<Self, FarmError> {
        Self::start_observed(config, None)
    }

    /// Starts the browsers; `observer` hears of restarts.
    pub fn start_observed(config: FarmConfig, _observer: Option<Observer>) -> Result<Self, FarmError> {
        if config.browsers == 0 || config.tabs_per_browser == 0 {
            return Err(FarmError::Empty);
        }
        Ok(Self { version: String::new() })
    }

    /// Name and version of the browser, as it says: `HeadlessChrome/156.0.8078.79`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Digest of what decides the pixels besides page, policy and fonts: browser build, flags, and our sequence of calls.
    pub fn fingerprint(&self) -> Digest {
        ContentHasher::new("render farm").add_text(&self.version).finish()
    }

    /// Renders one page. Blocks until there is a verdict; many threads may call it at once.
    pub fn render(&self, _html: &str, _policy: &RenderPolicy) -> RenderOutcome {
        RenderOutcome::Failed(Failure { class: FailureClass::Upstream, message: "no browser".to_owned() })
    }

    /// Counts since the start.
    pub fn stats(&self) -> FarmStats {
        FarmStats::default()
    }

    /// Ends all browsers and removes their profiles. Pages in flight fail. Dropping the farm does the same.
    pub fn shutdown(self) {}
}
