//! What Chrome itself costs: a bare loop that sends the calls of a render to warm tabs and throws the answers away.
//!
//! It keeps no books, has no deadlines to speak of, checks nothing, and reads no picture and no node. Measured beside the
//! farm, on the same pages, it says what the farm adds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::Page;
use thiserror::Error;

use crate::browser::Browser;
use crate::farm::{FarmConfig, FarmError};
use crate::frames::Shot;
use crate::policy::RenderPolicy;
use crate::process::Tallies;
use crate::protocol::{Clip, Evaluate};
use crate::sequence::SETTLE;
use crate::snapshot;
use crate::tab::Tab;
use crate::transport::CallError;

/// Time for one page; the pages were rendered before, so this only ends a run that went wrong.
const PAGE_TIMEOUT: Duration = Duration::from_mins(1);

/// The floor could not be measured.
#[derive(Debug, Error)]
pub enum FloorError {
    /// No browser.
    #[error("no browser could be started")]
    Start(#[from] FarmError),
    /// A call failed.
    #[error("a bare call failed: {0}")]
    Call(String),
}

impl From<CallError> for FloorError {
    fn from(error: CallError) -> Self {
        Self::Call(error.to_string())
    }
}

/// A page as the farm rendered it before.
#[derive(Debug, Clone, Copy)]
pub struct FloorPage<'a> {
    /// The document.
    pub html: &'a str,
    /// Height that was painted, CSS px; 0 if a rule refused the page before.
    pub height: u32,
}

/// Browsers with a warm tab each, as many as the farm has.
#[derive(Debug)]
pub struct Floor {
    // Tabs end before their browsers.
    tabs: Vec<Tab>,
    browsers: Vec<Browser>,
}

impl Floor {
    /// Starts the browsers and opens the tabs.
    pub fn start(config: &FarmConfig) -> Result<Self, FloorError> {
        let tallies = Arc::<Tallies>::default();
        let (mut browsers, mut tabs) = (Vec::new(), Vec::new());
        for _ in 0..config.browsers {
            let browser = Browser::start(config, &tallies)?;
            tabs.push(browser.open_tab()?);
            browsers.push(browser);
        }
        Ok(Self { tabs, browsers })
    }

    /// Replays the pages, all tabs at once.
    pub fn run(&mut self, pages: &[FloorPage<'_>], policy: &RenderPolicy) -> Result<(), FloorError> {
        let next = AtomicUsize::new(0);
        let work = |tab: &mut Tab| -> Result<(), CallError> {
            while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                replay(tab, *page, policy)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = self.tabs.iter_mut().map(|tab| scope.spawn(|| work(tab))).collect();
            let mut ended = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ended.try_for_each(|end| end.unwrap_or(Err(CallError::Gone)))
        })?;
        Ok(())
    }

    /// Processor time of the browsers since they started.
    pub fn chrome_cpu(&self) -> Duration {
        self.browsers.iter().map(Browser::cpu).sum()
    }
}

fn replay(tab: &mut Tab, page: FloorPage<'_>, policy: &RenderPolicy) -> Result<(), CallError> {
    let deadline = Instant::now() + PAGE_TIMEOUT;
    tab.ready(deadline)?;
    tab.set_view(policy, deadline)?;
    tab.session.forget_loads();
    let content = Page::SetDocumentContent { frame_id: tab.target_id.clone(), html: page.html.to_owned() };
    tab.session.call_unread(&content, deadline)?;
    tab.session.wait_load(deadline)?;
    let settle = Evaluate { expression: SETTLE, await_promise: true, return_by_value: true };
    tab.frames.call(&tab.session, &settle, deadline)?;
    tab.session.call_unread(&snapshot::CAPTURE, deadline)?;
    if page.height > 0 {
        let (viewport, format) = (policy.viewport, policy.format);
        let clip = Clip::new(viewport, 0, page.height);
        tab.frames.shoot(&tab.session, Shot { viewport, clip, format }, deadline)?;
    }
    tab.clear()
}
