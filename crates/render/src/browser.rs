//! One browser: its flags, its start, its tabs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::{Browser as BrowserDomain, Target};

use crate::farm::{FarmConfig, FarmError};
use crate::frames::Frames;
use crate::monitor::MemoryLimits;
use crate::process::{Process, Tallies};
use crate::protocol;
use crate::tab::Tab;
use crate::transport::{CallError, Session, Transport, excerpt};

/// Time for a browser to start and answer; a loaded machine takes a few seconds.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for the browser itself, not a page, to answer. It answered in milliseconds beside the worst of pages.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(10);

/// Flags of every browser. They decide pixels or keep Chrome from the world, and are part of the fingerprint.
const FLAGS: &[&str] = &[
    "--remote-debugging-pipe",
    "--headless",
    // Same pixels on every machine and at every time.
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-lcd-text",
    // A tile that is painted again only where it changed has other edges of curves than one that is painted whole, by a shade
    // or two, and what changed between two frames is a matter of timing.
    "--disable-partial-raster",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    "--disable-checker-imaging",
    "--disable-image-animation-resync",
    // Animated pictures stand still on their first frame (2 is ImageAnimationPolicy::kNoAnimation). A page is painted as far
    // as the tab's surface goes, not only in its viewport.
    "--blink-settings=imageAnimationPolicy=2,mainFrameClipsContent=false",
    "--disable-new-content-rendering-timeout",
    "--disable-threaded-animation",
    "--disable-threaded-scrolling",
    "--run-all-compositor-stages-before-draw",
    // A page draws when it is told to, and at no other time: what is painted depends on no clock. See `frames`.
    "--enable-begin-frame-control",
    // Closed to the world: no name resolves, and whatever needs none, an address or loopback, meets a proxy that is not there.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://0.0.0.0:1",
    "--proxy-bypass-list=<-loopback>",
    "--dns-prefetch-disable",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    // Nothing of its own accord.
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    // A tab goes from page to page: it keeps its frame (RenderDocument makes a new one each time), and no old page is kept
    // for going back. The two save a sixth of a page's cost.
    "--disable-back-forward-cache",
    "--disable-features=BackForwardCache,MediaRouter,OptimizationHints,RenderDocument,Translate",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--block-new-web-contents",
    "--password-store=basic",
    "--use-mock-keychain",
    // Tabs in the background work as those in front.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-hang-monitor",
    "--disable-renderer-backgrounding",
];
const NO_SANDBOX: &str = "--no-sandbox";

/// The flags of a farm's browsers, profile folder apart.
pub(crate) fn flags(config: &FarmConfig) -> Vec<String> {
    let sandbox = if config.sandbox { None } else { Some(NO_SANDBOX) };
    FLAGS.iter().copied().chain(sandbox).map(str::to_owned).collect()
}

/// A running browser. Dropping it ends all its processes and removes its folder.
#[derive(Debug)]
pub(crate) struct Browser {
    process: Process,
    transport: Arc<Transport>,
    control: Mutex<Session>,
    version: String,
    started: Instant,
    /// Memory when last looked at, for the monitor.
    pub(crate) memory_bytes: AtomicU64,
    /// Processes that the monitor killed for their memory.
    pub(crate) memory_kills: AtomicU64,
}

impl Browser {
    /// Starts a browser and waits until it answers.
    pub(crate) fn start(config: &FarmConfig, tallies: &Arc<Tallies>) -> Result<Self, FarmError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("databuild-chrome-");
        let profile = match &config.profile_root {
            Some(root) => builder.tempdir_in(root),
            None => builder.tempdir(),
        };
        let profile = profile.map_err(FarmError::Profile)?;
        let spawn_error = |source| FarmError::Spawn { chrome: config.chrome.clone(), source };
        let (process, from_chrome, to_chrome) =
            Process::spawn(&config.chrome, &flags(config), profile, Arc::clone(tallies)).map_err(spawn_error)?;
        let transport = Transport::new(from_chrome, to_chrome, Arc::clone(tallies)).map_err(spawn_error)?;
        let control = transport.session(String::new());
        let deadline = Instant::now() + START_TIMEOUT;
        let asked = control.call(&BrowserDomain::GetVersion(None), deadline);
        let asked = asked.and_then(|answer| control.call(&protocol::deny_downloads(), deadline).map(|_| answer));
        let answer = asked.map_err(|error| {
            process.kill();
            FarmError::Silent { reason: error.to_string(), said: excerpt(&process.said()) }
        })?;
        Ok(Self {
            process,
            transport,
            control: Mutex::new(control),
            version: format!("{} {}", answer.product, answer.revision),
            started: Instant::now(),
            memory_bytes: AtomicU64::new(0),
            memory_kills: AtomicU64::new(0),
        })
    }

    /// Product and build: `HeadlessChrome/156.0.8078.79 @a21ce95c…`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.transport.is_open()
    }

    pub(crate) fn open_tab(&self) -> Result<Tab, CallError> {
        let deadline = Instant::now() + CONTROL_TIMEOUT;
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        // Only headless shells know frames on request, and only they call themselves that.
        let frames = if self.version.starts_with("HeadlessChrome/") { Frames::OnRequest } else { Frames::AtAnyTime };
        let target = protocol::create_target(frames == Frames::OnRequest);
        let target_id = control.call(&target, deadline)?.target_id;
        let attach = Target::AttachToTarget { target_id: target_id.clone(), flatten: Some(true) };
        let session_id = control.call(&attach, deadline)?.session_id;
        drop(control);
        Tab::prepare(self.transport.session(session_id), target_id, frames, deadline)
    }

    /// Ends a tab whatever its page is doing. An error says that the browser itself does not answer.
    pub(crate) fn close_tab(&self, tab: Tab) -> Result<(), CallError> {
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let close = Target::CloseTarget { target_id: tab.target_id };
        match control.call(&close, Instant::now() + CONTROL_TIMEOUT) {
            Err(error @ (CallError::Timeout | CallError::Gone)) => Err(error),
            _ => Ok(()), // Closed, or it was gone already.
        }
    }

    /// Ends it now; whoever waits for an answer hears that it is gone.
    pub(crate) fn kill(&self) {
        self.process.kill();
    }

    /// Processor time of its processes.
    pub(crate) fn cpu(&self) -> Duration {
        self.process.cpu()
    }

    /// Kills each process that uses too much, and the greediest one when the browser as a whole does; answers with what each
    /// had used.
    pub(crate) fn watch_memory(&self, limits: MemoryLimits) -> Vec<u64> {
        let members = self.process.members();
        let total = members.iter().map(|member| member.memory_bytes).sum();
        self.memory_bytes.store(total, Ordering::Relaxed);
        let mut greedy: Vec<_> = members.iter().filter(|member| member.memory_bytes > limits.process_bytes).collect();
        if greedy.is_empty() && total > limits.browser_bytes {
            let helpers = members.iter().filter(|member| member.pid != self.process.leader());
            greedy.extend(helpers.max_by_key(|member| member.memory_bytes));
        }
        greedy
            .into_iter()
            .map(|member| {
                self.memory_kills.fetch_add(1, Ordering::Relaxed);
                member.kill();
                member.memory_bytes
            })
            .collect()
    }
}
