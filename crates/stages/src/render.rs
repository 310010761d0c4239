//! `render`: a page to a snapshot, in the Chrome farm.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, PoisonError};

use ::render::{Farm, FarmConfig, FarmEvent, RenderOutcome, RenderPolicy, Rendered, find_chrome, font_set_digest};
use engine::{BatchSize, Context, Demand, Resource, RunEvent, Settings, Stage, StageError};
use item::{Attributes, Item, Node, Page, Snapshot, Verdict, Viewport, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profiles::{self, Profiles};

/// `[render]`: how a page is rendered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenderConfig {
    /// Width of the viewport in CSS px.
    pub viewport_width: u32,
    /// Height of the viewport in CSS px.
    pub viewport_height: u32,
    /// Device pixels per CSS px.
    pub device_scale_factor: f64,
    /// Longer pages are cut off here, in CSS px.
    pub height_max: u32,
    /// Longer pages are rejected before they are painted, in CSS px.
    pub page_height_max: u32,
    /// The longest that a page may take, in ms.
    pub page_timeout_ms: u64,
    /// Pages that render at the same time; 0 takes what the machine can feed.
    pub tabs: usize,
    /// The Chrome to use; by default the one that `databuild doctor` finds.
    pub chrome: Option<String>,
}

impl Default for RenderConfig {
    fn default() -> Self {
        let policy = RenderPolicy::default();
        Self {
            viewport_width: policy.viewport.width,
            viewport_height: policy.viewport.height,
            device_scale_factor: policy.viewport.device_scale_factor,
            height_max: policy.height_max,
            page_height_max: policy.page_height_max,
            page_timeout_ms: policy.page_timeout_ms,
            tabs: 0,
            chrome: None,
        }
    }
}

impl RenderConfig {
    fn policy(&self) -> RenderPolicy {
        RenderPolicy {
            viewport: Viewport {
                width: self.viewport_width,
                height: self.viewport_height,
                device_scale_factor: self.device_scale_factor,
            },
            height_max: self.height_max,
            page_height_max: self.page_height_max,
            page_timeout_ms: self.page_timeout_ms,
            ..RenderPolicy::default()
        }
    }
}

/// The stage. The farm starts when the first page comes, so that a run that has nothing to render starts no browser.
pub struct RenderStage {
    config: FarmConfig,
    policy: RenderPolicy,
    /// Chrome's build, as the binary says without being started.
    build: String,
    fonts: String,
    farm: Mutex<State>,
    /// What the farm told since somebody last asked.
    news: Arc<Mutex<Vec<FarmEvent>>>,
}

enum State {
    Idle,
    Running(Arc<Farm>, Profiles),
    Stopped,
}

impl std::fmt::Debug for RenderStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenderStage")
            .field("config", &self.config)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
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
        let mut farm = FarmConfig::new(chrome, cores);
        // As root Chrome can't have its sandbox; everybody else keeps it.
        farm.sandbox = !is_root;
        if config.tabs > 0 {
            farm.browsers = farm.browsers.min(config.tabs);
            farm.tabs_per_browser = config.tabs.div_ceil(farm.browsers);
        }
        let policy = config.policy();
        Ok(Self {
            config: farm,
            policy,
            build,
            fonts: fonts.short(),
            farm: Mutex::new(State::Idle),
            news: Arc::default(),
        })
    }

    /// Pages that render at the same time.
    pub fn tabs(&self) -> usize {
        self.config.browsers * self.config.tabs_per_browser
    }

    fn farm(&self) -> Result<Arc<Farm>, StageError> {
        let mut state = self.farm.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Running(farm, _) => Ok(Arc::clone(farm)),
            State::Stopped => Err(StageError::plain("render: the farm was stopped")),
            State::Idle => {
                let news = Arc::clone(&self.news);
                let listen = move |event| news.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                let profiles =
                    Profiles::create().map_err(|error| StageError::new("make a folder for browser profiles", error))?;
                let config = FarmConfig { profile_root: Some(profiles.path().to_owned()), ..self.config.clone() };
                let farm = Farm::start_observed(config, Some(Arc::new(listen)))
                    .map_err(|error| StageError::new("start the Chrome farm", error))?;
                let farm = Arc::new(farm);
                *state = State::Running(Arc::clone(&farm), profiles);
                Ok(farm)
            }
        }
    }

    fn snapshot(&self, page: &Page, rendered: Rendered, chrome: &str) -> Verdict<Snapshot> {
        let attributes = Attributes::new()
            .with(name::PAGE_WIDTH, rendered.page_width)
            .with(name::PAGE_HEIGHT, rendered.page_height)
            .with(name::SCREENSHOT_SHA256, crate::dataset::sha256_hex(&rendered.screenshot))
            .with(name::CHROME, chrome)
            .with(name::FONTS, self.fonts.as_str());
        let mut nodes = rendered.nodes;
        place_in_code(&mut nodes, &page.html);
        let snapshot = Snapshot {
            html: page.html.clone(),
            viewport: self.policy.viewport,
            screenshot: rendered.screenshot,
            width: rendered.width,
            height: rendered.height,
            nodes,
        };
        Verdict::keep(snapshot, attributes)
    }
}

/// Gives each element its byte range in the code: both lists are in document order, so they go in step as long as the
/// tags agree. Where the parser has moved or made elements, the steps part, and what follows gets no range rather than
/// a wrong one.
fn place_in_code(nodes: &mut [Node], html: &str) {
    for (node, element) in nodes.iter_mut().zip(clean::element_ranges(html)) {
        if !node.tag.eq_ignore_ascii_case(&element.tag) {
            break;
        }
        node.range = Some(element.range);
    }
}

impl Stage for RenderStage {
    type In = Page;
    type Out = Snapshot;
    const NAME: &'static str = "render";
    const VERSION: u32 = 1;
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
        let policy = &self.policy;
        serde_json::json!({
            "chrome": self.build,
            "farm": ::render::farm_fingerprint(&self.build, &self.config),
            "fonts": self.fonts,
            "viewport": policy.viewport,
            "height_max": policy.height_max,
            "page_height_max": policy.page_height_max,
            "page_timeout_ms": policy.page_timeout_ms,
        })
    }

    fn process(&self, batch: &[Item<Page>], context: Context<'_>) -> Result<Vec<Verdict<Snapshot>>, StageError> {
        let farm = self.farm()?;
        let render = |item: &Item<Page>| match farm.render(&item.body.html, &self.policy) {
            RenderOutcome::Rendered(rendered) => self.snapshot(&item.body, rendered, farm.version()),
            RenderOutcome::Refused(rejection) => Verdict::Reject(rejection),
            RenderOutcome::Failed(failure) => Verdict::Fail(failure),
        };
        let verdicts = batch.iter().map(render).collect();
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        for event in news {
            if let FarmEvent::BrowserReplaced { reason, .. } = event {
                context.observer.event(&RunEvent::BrowserReplaced { reason: reason.name().to_owned() });
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tags: &[&str], html: &str, expected: &[Option<&str>]) {
        let node = |tag: &&str| Node { tag: (*tag).to_owned(), ..Node::default() };
        let mut nodes: Vec<Node> = tags.iter().map(node).collect();
        place_in_code(&mut nodes, html);
        let slice = |node: &Node| node.range.map(|(start, end)| &html[start as usize..end as usize]);
        assert_eq!(nodes.iter().map(slice).collect::<Vec<_>>(), expected, "{html}");
    }

    #[test]
    fn boxes_find_their_code() {
        check(&["p", "b"], "<p>é <b>x</b></p>", &[Some("<p>é <b>x</b></p>"), Some("<b>x</b>")]);
        check(&["p", "i"], "<p><b>x</b></p>", &[Some("<p><b>x</b></p>"), None]);
    }
}
