//! `render`: a page to a snapshot, in the Chrome farm.

mod config;

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ::render::{
    Farm, FarmConfig, FarmEvent, ImageFormat, RenderOutcome, RenderPolicy, Rendered, find_chrome, font_set_digest,
};
use engine::{BatchSize, Context, Demand, Resource, RunEvent, Settings, Stage, StageError};
use item::{Attributes, Failure, FailureClass, Item, Kept, Page, Snapshot, Verdict, Viewport, name};

pub use self::config::{Format, RenderConfig, Scheme, ViewConfig};
use crate::profiles::{self, Profiles};
use crate::prove::ProveConfig;
use crate::ranges::place_in_code;

/// Name of the first view, where there are others.
pub(crate) const MAIN_VIEW: &str = "main";
/// Share of the available memory that the farm may fill; the rest is for pictures and pages in our own process.
const FARM_MEMORY_SHARE: f64 = 0.75;
/// Memory that is assumed where the system does not tell.
const MEMORY_BYTES_ASSUMED: u64 = 8 << 30;
/// Largest page as captured that is shown, its assets inlined.
const ORIGINAL_BYTES_MAX: usize = 64 << 20;

/// One way to look at a page.
#[derive(Debug, Clone)]
struct View {
    name: Option<String>,
    policy: RenderPolicy,
}

/// The stage. The farm starts when the first page comes, so that a run that has nothing to render starts no browser.
#[derive(Clone)]
pub struct RenderStage {
    config: FarmConfig,
    /// The first one decides over the page.
    views: Vec<View>,
    behaviour: Settings,
    proof: ProveConfig,
    /// Chrome's build, as the binary says without being started.
    build: String,
    fonts: String,
    farm: Arc<Mutex<State>>,
    /// What the farm told since somebody last asked.
    news: Arc<Mutex<Vec<FarmEvent>>>,
    /// When the farm was last reported or started, and its pages until then.
    reported: Arc<Mutex<(Instant, u64)>>,
}

enum State {
    Idle,
    Running(Arc<Farm>, Profiles),
    Stopped,
}

impl std::fmt::Debug for RenderStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenderStage").field("config", &self.config).field("views", &self.views).finish_non_exhaustive()
    }
}

impl RenderStage {
    /// Finds Chrome and the fonts. `path` is the `PATH` to look in.
    pub fn new(config: &RenderConfig, path: &OsStr, is_root: bool) -> Result<Self, StageError> {
        let explicit = config.chrome.as_ref().map(std::path::Path::new);
        let chrome = find_chrome(explicit, path).map_err(|error| StageError::new("find Chrome", error))?;
        let build =
            ::render::chrome_build(&chrome).map_err(|error| StageError::new("ask Chrome for its version", error))?;
        let fonts = font_set_digest(path).map_err(|error| StageError::new("list the fonts", error))?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let mut farm = FarmConfig::for_machine(chrome, cores, (memory_bytes() as f64 * FARM_MEMORY_SHARE) as u64);
        // As root Chrome can't have its sandbox; everybody else keeps it.
        farm.sandbox = !is_root;
        if config.tabs > 0 {
            farm.browsers = config.tabs;
        }
        Ok(Self {
            config: farm,
            views: config.views(),
            behaviour: config.behaviour(),
            proof: config.proof(),
            build,
            fonts: fonts.short(),
            farm: Arc::new(Mutex::new(State::Idle)),
            news: Arc::default(),
            reported: Arc::new(Mutex::new((Instant::now(), 0))),
        })
    }

    /// Pages that render at the same time.
    pub fn tabs(&self) -> usize {
        self.config.browsers
    }

    /// The farm, started if nobody has needed it yet.
    pub(crate) fn farm(&self) -> Result<Arc<Farm>, StageError> {
        let mut state = self.farm.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Running(farm, _) => Ok(Arc::clone(farm)),
            State::Stopped => Err(StageError::plain("render: the farm was stopped")),
            State::Idle => {
                let news = Arc::clone(&self.news);
                let listen = move |event| {
                    // Steps come by the dozen a second, and nobody follows them in a run.
                    if !matches!(event, FarmEvent::StepEnded { .. }) {
                        news.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                    }
                };
                let profiles =
                    Profiles::create().map_err(|error| StageError::new("make a folder for browser profiles", error))?;
                let config = FarmConfig { profile_root: Some(profiles.path().to_owned()), ..self.config.clone() };
                let farm = Farm::start_observed(config, Some(Arc::new(listen)))
                    .map_err(|error| StageError::new("start the Chrome farm", error))?;
                let farm = Arc::new(farm);
                *self.reported.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), 0);
                *state = State::Running(Arc::clone(&farm), profiles);
                Ok(farm)
            }
        }
    }

    fn as_run_event(&self, event: FarmEvent) -> Option<RunEvent> {
        Some(match event {
            FarmEvent::BrowserReplaced { reason, .. } => RunEvent::BrowserReplaced { reason: reason.name().to_owned() },
            FarmEvent::TabReplaced { message, .. } => RunEvent::TabReplaced { message },
            FarmEvent::PageRetried { message } => RunEvent::PageRetried { message },
            FarmEvent::ProcessKilled { memory_bytes } => RunEvent::ProcessKilled { memory_bytes },
            FarmEvent::MemorySeen { browsers } => return self.report(browsers),
            FarmEvent::StepEnded { .. } => return None,
        })
    }

    /// How the farm does, if it still runs.
    fn report(&self, memory_bytes: Vec<u64>) -> Option<RunEvent> {
        let stats = match &*self.farm.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Running(farm, _) => farm.stats(),
            State::Idle | State::Stopped => return None,
        };
        let now = Instant::now();
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, before) = std::mem::replace(&mut *reported, (now, stats.pages));
        Some(RunEvent::FarmSeen {
            pages: stats.pages,
            pages_per_s: stats.pages.saturating_sub(before) as f64 / now.duration_since(then).as_secs_f64(),
            tabs_busy: stats.tabs_busy,
            tabs: self.tabs(),
            restarts: stats.restarts.iter().sum(),
            memory_bytes,
        })
    }

    /// One page in every view. The first view decides; of the others, those that come out are further rows.
    fn render(&self, farm: &Farm, page: &Page) -> Verdict<Snapshot> {
        let mut kept: Vec<Kept<Snapshot>> = Vec::new();
        let mut missing: Vec<String> = Vec::new();
        for view in &self.views {
            match (farm.render(&page.html, &view.policy), &view.name) {
                (RenderOutcome::Rendered(rendered), _) => {
                    kept.push(self.snapshot(&page.html, rendered, view, farm.version()));
                }
                (RenderOutcome::Refused(rejection), _) if kept.is_empty() => return Verdict::Reject(rejection),
                (RenderOutcome::Failed(failure), _) if kept.is_empty() => return Verdict::Fail(failure),
                (RenderOutcome::Refused(rejection), view) => missing.push(lost(view.as_deref(), rejection.rule.name)),
                (RenderOutcome::Failed(failure), view) => missing.push(lost(view.as_deref(), failure.class.name())),
            }
        }
        if self.views.len() == 1 {
            return kept.pop().map_or_else(|| Verdict::Fan(Vec::new()), Verdict::Keep);
        }
        if let Some(main) = kept.first_mut().filter(|_| !missing.is_empty()) {
            main.attributes.set(name::VIEWS_MISSING, missing.join(", "));
        }
        Verdict::Fan(kept)
    }

    /// Shows other documents exactly as a snapshot was rendered. Of several views in one viewport it is the one that gives the
    /// snapshot's pixels.
    pub(crate) fn same_view(&self, snapshot: &Snapshot) -> Result<SameView, StageError> {
        let farm = self.farm()?;
        let views: Vec<&View> = self.views.iter().filter(|view| view.policy.viewport == snapshot.viewport).collect();
        let mut policies = views.iter().map(|view| again(&view.policy));
        let same = |policy: &RenderPolicy| matches!(farm.render(&snapshot.html, policy), RenderOutcome::Rendered(r) if r.screenshot == snapshot.screenshot);
        let policy = if views.len() > 1 { policies.find(same) } else { policies.next() };
        let policy = policy.or_else(|| self.views.first().map(|view| again(&view.policy)));
        let policy = policy.unwrap_or_else(RenderPolicy::accept_all);
        Ok(SameView { farm, policy })
    }

    /// Shows documents as pages are seen first, without a loss and whatever their geometry: pages as captured have their scripts
    /// and their pictures in them, so more bytes are taken.
    pub(crate) fn first_view(&self) -> Result<SameView, StageError> {
        let policy = self.views.first().map_or_else(RenderPolicy::accept_all, |view| again(&view.policy));
        let policy = RenderPolicy { format: ImageFormat::Png, html_bytes_max: ORIGINAL_BYTES_MAX, ..policy };
        Ok(SameView { farm: self.farm()?, policy })
    }

    /// What a document becomes when its scripts run for so long, in the first view.
    pub(crate) fn materialise(&self, html: &str, scripts_ms: u64) -> Result<Result<String, Failure>, StageError> {
        let policy = self.views.first().map_or_else(RenderPolicy::accept_all, |view| again(&view.policy));
        let policy = RenderPolicy { scripts_ms: Some(scripts_ms), html_bytes_max: ORIGINAL_BYTES_MAX, ..policy };
        Ok(self.farm()?.materialise(html, &policy))
    }

    /// What a picture in the first view depends on.
    pub(crate) fn first_view_settings(&self) -> Settings {
        let policy = self.views.first().map(|view| again(&view.policy));
        serde_json::json!({
            "chrome": self.build,
            "farm": ::render::farm_fingerprint(&self.build, &self.config),
            "fonts": self.fonts,
            "policy": policy,
        })
    }

    /// How pages are proven.
    pub(crate) const fn proof(&self) -> ProveConfig {
        self.proof
    }

    /// Shows a document in a viewport of its own, otherwise as pages are seen first. `None` where it does not fit into it.
    pub(crate) fn render_alone(
        &self,
        farm: &Farm,
        html: &str,
        viewport: Viewport,
    ) -> Result<Option<Kept<Snapshot>>, Failure> {
        let Some(first) = self.views.first() else { return Ok(None) };
        let twice = first.policy.twice;
        let view = View { name: None, policy: RenderPolicy { viewport, twice, ..again(&first.policy) } };
        match farm.render(html, &view.policy) {
            RenderOutcome::Rendered(rendered) if rendered.page_height <= viewport.height => {
                Ok(Some(self.snapshot(html, rendered, &view, farm.version())))
            }
            RenderOutcome::Rendered(_) | RenderOutcome::Refused(_) => Ok(None),
            RenderOutcome::Failed(failure) => Err(failure),
        }
    }

    /// Tells of what happened to browsers, tabs and pages, and now and then of how the farm does.
    pub(crate) fn tell(&self, context: Context<'_>) {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        for event in news.into_iter().filter_map(|event| self.as_run_event(event)) {
            context.observer.event(&event);
        }
    }

    fn snapshot(&self, html: &str, rendered: Rendered, view: &View, chrome: &str) -> Kept<Snapshot> {
        let mut attributes = Attributes::new()
            .with(name::PAGE_WIDTH, rendered.page_width)
            .with(name::PAGE_HEIGHT, rendered.page_height)
            .with(name::BLANK_SHARE, rendered.blank_share)
            .with(name::TEXT_COVERAGE, rendered.text_coverage)
            .with(name::COLOR_SCHEME, view.policy.color_scheme.name())
            .with(name::REDUCED_MOTION, view.policy.reduced_motion)
            .with(name::IMAGE_FORMAT, view.policy.format.to_string())
            .with(name::SCREENSHOT_SHA256, crate::dataset::sha256_hex(&rendered.screenshot))
            .with(name::CHROME, chrome)
            .with(name::FONTS, self.fonts.as_str());
        if let Some(view) = &view.name {
            attributes.set(name::VIEW, view.as_str());
        }
        if let Some(stable) = rendered.stable {
            attributes.set(name::STABLE, stable);
        }
        let mut nodes = rendered.nodes;
        place_in_code(&mut nodes, html);
        let snapshot = Snapshot {
            html: html.to_owned(),
            viewport: view.policy.viewport,
            screenshot: rendered.screenshot,
            width: rendered.width,
            height: rendered.height,
            nodes,
        };
        Kept { body: snapshot, attributes }
    }
}

/// The view alone, without the rules that refuse a page.
fn again(view: &RenderPolicy) -> RenderPolicy {
    RenderPolicy {
        viewport: view.viewport,
        color_scheme: view.color_scheme,
        reduced_motion: view.reduced_motion,
        format: view.format,
        height_max: view.height_max,
        page_timeout_ms: view.page_timeout_ms,
        scripts_ms: view.scripts_ms,
        ..RenderPolicy::accept_all()
    }
}

/// See [`RenderStage::same_view`] and [`RenderStage::first_view`].
pub(crate) struct SameView {
    farm: Arc<Farm>,
    policy: RenderPolicy,
}

/// Why a document was not shown.
#[derive(Debug, PartialEq)]
pub(crate) enum Unshown {
    /// It never will be: it is too large, or broken by itself.
    Never(String),
    /// Another time it may be.
    Now(Failure),
}

impl SameView {
    /// Renders a document; `Err` says why it cannot be shown.
    pub(crate) fn render(&self, html: &str) -> Result<synth::verify::Shot, String> {
        self.show(html).map_err(|unshown| match unshown {
            Unshown::Never(why) => why,
            Unshown::Now(failure) => failure.message,
        })
    }

    /// Renders a document.
    pub(crate) fn show(&self, html: &str) -> Result<synth::verify::Shot, Unshown> {
        match self.farm.render(html, &self.policy) {
            RenderOutcome::Rendered(Rendered { screenshot, width, height, nodes, .. }) => {
                Ok(synth::verify::Shot { screenshot, width, height, nodes })
            }
            RenderOutcome::Refused(rejection) => Err(Unshown::Never(rejection.detail)),
            RenderOutcome::Failed(failure) if failure.class == FailureClass::Limit => {
                Err(Unshown::Never(failure.message))
            }
            RenderOutcome::Failed(failure) => Err(Unshown::Now(failure)),
        }
    }
}

fn lost(view: Option<&str>, why: &str) -> String {
    format!("{}: {why}", view.unwrap_or(MAIN_VIEW))
}

/// Memory that is free for us: the system's, or the control group's limit where that is less.
fn memory_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix(" kB"));
    let available = available.and_then(|kb| kb.parse::<u64>().ok()).map_or(MEMORY_BYTES_ASSUMED, |kb| kb * 1024);
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").unwrap_or_default();
    limit.trim().parse::<u64>().map_or(available, |limit| limit.min(available))
}

impl Stage for RenderStage {
    type In = Page;
    type Out = Snapshot;
    const NAME: &'static str = "render";
    const VERSION: u32 = 3;
    const REMEMBERED: bool = true;

    fn demand(&self) -> Demand {
        Demand { resource: Resource::Chrome }
    }

    fn batch(&self) -> BatchSize {
        BatchSize { items: 1, bytes: 1 << 20 }
    }

    fn rules(&self) -> &'static [item::Rule] {
        ::render::RULES
    }

    fn settings(&self) -> Settings {
        serde_json::json!({
            "chrome": self.build,
            "farm": ::render::farm_fingerprint(&self.build, &self.config),
            "fonts": self.fonts,
            "render": self.behaviour,
        })
    }

    fn process(&self, batch: &[Item<Page>], context: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        let farm = self.farm()?;
        let verdicts = batch.iter().map(|item| self.render(&farm, &item.body)).collect();
        self.tell(context);
        Ok(verdicts)
    }

    fn stop(&self) {
        let state = std::mem::replace(&mut *self.farm.lock().unwrap_or_else(PoisonError::into_inner), State::Stopped);
        if let State::Running(farm, _profiles) = state {
            // Ends the browsers even while pages are in flight; those fail, and nobody waits for them any more.
            farm.abort();
        }
        profiles::sweep_stale();
    }
}
