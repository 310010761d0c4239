//! The steps of one render: load, settle, lay out, decide, paint.
//!
//! Each step is one or two calls with a deadline, and says its name when it fails. A further view of a page (another
//! viewport, a dark scheme) is a further render: only a fresh document answers as the stored code will when it is loaded.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use headless_chrome::protocol::cdp::Page;
use item::{Failure, FailureClass};
use thiserror::Error;

use crate::event::Step;
use crate::format::ImageFormat;
use crate::frames::Shot;
use crate::geometry::{self, Cover};
use crate::policy::{RenderOutcome, RenderPolicy, Rendered};
use crate::protocol::{Clip, Evaluate};
use crate::screenshot::{self, ScreenshotError};
use crate::snapshot::{self, Layout};
use crate::tab::Tab;
use crate::transport::{CallError, excerpt};

/// Part of the fingerprint: raise it when the same page would give other pixels or nodes.
pub(crate) const SEQUENCE_VERSION: u64 = 6;
/// Largest side of a texture in device px; Chrome paints nothing beyond.
const TEXTURE_SIDE_MAX: f64 = 16_384.0;
/// Largest side of a WebP picture.
const WEBP_SIDE_MAX: f64 = 16_383.0;
/// Height of a tile in device px, where a page needs several: half a texture, so that memory stays bounded.
const TILE_HEIGHT: f64 = 8_192.0;

/// Brings a page to rest: fonts are there, what moves for a while is at its end, what moves forever at its start. What
/// Chrome paints by the clock alone (waiting progress bars, carets) is pinned by a style sheet that is not part of the
/// document. Page scripts are off, but a page can hide members of `document` behind the names of its elements, hence the
/// prototypes.
///
/// It waits for two frames: with the first, focus is given, transitions begin and pictures are decoded, and what has not
/// begun cannot be ended; by the second, what observes sizes, such as the controls of media, has seen them. With scripts
/// off no callback runs, but promises of the browser's own do: an animation of nothing is ready when a frame has passed.
pub(crate) const SETTLE: &str = "(() => {
  const member = (name) => Object.getOwnPropertyDescriptor(Document.prototype, name);
  const read = (name) => member(name).get.call(document);
  const frame = () => {
    const nothing = new Animation(new KeyframeEffect(null, [], 1));
    nothing.play();
    return nothing.ready;
  };
  const loaded = () => {
    const pins = new CSSStyleSheet();
    pins.replaceSync(':indeterminate { appearance: none !important } * { caret-color: transparent !important; content-visibility: visible !important; scroll-margin-top: mod(100em, 1px) !important }');
    member('adoptedStyleSheets').set.call(document, [pins]);
    const decoded = (image) => HTMLImageElement.prototype.decode.call(image).catch(() => {});
    return Promise.all([read('fonts').ready, ...Array.from(read('images'), decoded)]);
  };
  const stop = () => {
    for (let round = 0; round < 3; round++) {
      const moving = Document.prototype.getAnimations.call(document);
      for (const animation of moving) {
        try {
          if (animation.effect.getComputedTiming().endTime === Infinity) animation.cancel(); else animation.finish();
        } catch { animation.cancel(); }
      }
      if (moving.length === 0) break;
    }
    for (const svg of Document.prototype.querySelectorAll.call(document, 'svg')) {
      if (svg instanceof SVGSVGElement) { svg.pauseAnimations(); svg.setCurrentTime(0); }
    }
    const focused = read('activeElement');
    if (focused instanceof HTMLElement) HTMLElement.prototype.blur.call(focused);
    window.scrollTo(0, 0);
  };
  return frame().then(loaded).then(stop).then(frame).then(() => {});
})()";

/// The document as HTML, its doctype before it. Pages hide members behind names of elements, hence the prototypes.
const DOCUMENT: &str = "(() => {
  const read = (of, name, from) => Object.getOwnPropertyDescriptor(of.prototype, name).get.call(from);
  const root = read(Document, 'documentElement', document);
  if (!root) return '';
  const type = read(Document, 'doctype', document);
  const before = type ? XMLSerializer.prototype.serializeToString.call(new XMLSerializer(), type) : '';
  return before + read(Element, 'outerHTML', root);
})()";

/// A step did not come to its end.
#[derive(Debug, Error)]
#[error("the page could not be {}", .step.done())]
pub(crate) struct StepError {
    step: Step,
    #[source]
    pub(crate) trouble: Trouble,
}

#[derive(Debug, Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Screenshot(#[from] ScreenshotError),
    #[error("the settling script failed: {0}")]
    Script(String),
    #[error("the snapshot's columns do not fit together")]
    Snapshot,
}

impl StepError {
    /// The page ran out of time; whether it alone hangs or its browser too is still to be seen.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self.trouble, Trouble::Call(CallError::Timeout))
    }

    /// As a failure of the item, with the whole chain.
    pub(crate) fn to_failure(&self, class: FailureClass) -> Failure {
        Failure::from_error(class, self as &(dyn Error + 'static))
    }
}

/// Renders a page on a blank tab; `ended` hears of each step. The tab is spoilt when this fails. `None` says that the page
/// needs a tab that has drawn nothing yet.
pub(crate) fn render(
    tab: &mut Tab,
    html: &str,
    policy: &RenderPolicy,
    ended: &dyn Fn(Step, Duration),
) -> Result<Option<RenderOutcome>, StepError> {
    let page_deadline = Instant::now() + Duration::from_millis(policy.page_timeout_ms);
    let step = |step: Step| Run { step, page_deadline, policy, ended };
    step(Step::Load).run(|deadline| load(tab, html, policy, deadline))?;
    step(Step::Settle).run(|deadline| settle(tab, deadline))?;
    let layout = step(Step::Layout).run(|deadline| lay_out(tab, deadline))?;

    if layout.nodes.len() > policy.elements_max {
        let message = format!("{} elements, the most is {}", layout.nodes.len(), policy.elements_max);
        return Ok(Some(RenderOutcome::Failed(Failure { class: FailureClass::Limit, message })));
    }
    let scale = policy.viewport.device_scale_factor;
    if !tab.font_sizes.admit(layout.font_sizes.iter().map(|size| size * scale)) {
        return Ok(None);
    }
    let frame = Frame::of(&layout, policy);
    let cover = Cover::of(&layout, policy.viewport.width, frame.css_height);
    if let Some(rejection) = geometry::refuse(&layout, cover, policy) {
        return Ok(Some(RenderOutcome::Refused(rejection)));
    }
    let screenshot = step(Step::Paint).run(|deadline| paint(tab, &frame, policy, deadline))?;
    Ok(Some(RenderOutcome::Rendered(Rendered {
        screenshot,
        width: frame.width,
        height: frame.height,
        page_width: layout.page_width,
        page_height: layout.page_height,
        truncated_height: frame.css_height < layout.page_height,
        nodes: layout.nodes,
        blank_share: cover.blank_share,
        text_coverage: cover.text_coverage,
        stable: None,
    })))
}

/// Loads a page whose scripts run for a while, and gives the document as they left it.
pub(crate) fn materialise(
    tab: &mut Tab,
    html: &str,
    policy: &RenderPolicy,
    ended: &dyn Fn(Step, Duration),
) -> Result<String, StepError> {
    let page_deadline = Instant::now() + Duration::from_millis(policy.page_timeout_ms);
    let step = |step: Step| Run { step, page_deadline, policy, ended };
    step(Step::Load).run(|deadline| load(tab, html, policy, deadline))?;
    step(Step::Layout).run(|deadline| document(tab, deadline))
}

struct Run<'a> {
    step: Step,
    page_deadline: Instant,
    policy: &'a RenderPolicy,
    ended: &'a dyn Fn(Step, Duration),
}

impl Run<'_> {
    fn run<T>(self, work: impl FnOnce(Instant) -> Result<T, Trouble>) -> Result<T, StepError> {
        let start = Instant::now();
        let deadline = self.page_deadline.min(start + Duration::from_millis(self.policy.step_timeout_ms));
        let done = work(deadline).map_err(|trouble| StepError { step: self.step, trouble });
        (self.ended)(self.step, start.elapsed());
        done
    }
}

/// The part of the page that is painted.
struct Frame {
    css_height: u32,
    /// Device px.
    width: u32,
    height: u32,
}

impl Frame {
    fn of(layout: &Layout, policy: &RenderPolicy) -> Self {
        let scale = policy.viewport.device_scale_factor;
        let css_max = match policy.format {
            ImageFormat::Webp(_) | ImageFormat::WebpLossless => (WEBP_SIDE_MAX / scale) as u32,
            ImageFormat::PngSmall | ImageFormat::Png | ImageFormat::Jpeg(_) => u32::MAX,
        };
        let css_height = layout.page_height.min(policy.height_max).min(css_max);
        Self { css_height, width: device(policy.viewport.width, scale), height: device(css_height, scale) }
    }
}

fn device(css: u32, scale: f64) -> u32 {
    (f64::from(css) * scale).round() as u32
}

fn load(tab: &mut Tab, html: &str, policy: &RenderPolicy, deadline: Instant) -> Result<(), Trouble> {
    tab.set_view(policy, deadline)?;
    if policy.scripts_ms.is_some() {
        tab.allow_scripts(deadline)?;
    }
    tab.session.forget_loads();
    // The id of a tab is the id of its main frame.
    let content = Page::SetDocumentContent { frame_id: tab.target_id.clone(), html: html.to_owned() };
    tab.session.call(&content, deadline)?;
    tab.session.wait_load(deadline)?;
    if let Some(scripts_ms) = policy.scripts_ms {
        tab.frames.run(&tab.session, Duration::from_millis(scripts_ms), deadline)?;
        tab.forbid_scripts(deadline)?;
    }
    Ok(())
}

fn settle(tab: &Tab, deadline: Instant) -> Result<(), Trouble> {
    let script = Evaluate { expression: SETTLE, await_promise: true, return_by_value: true };
    match tab.frames.call(&tab.session, &script, deadline)?.exception {
        Some(exception) => Err(Trouble::Script(excerpt(&exception.to_string()))),
        None => Ok(()),
    }
}

/// The document as HTML.
fn document(tab: &Tab, deadline: Instant) -> Result<String, Trouble> {
    let script = Evaluate { expression: DOCUMENT, await_promise: false, return_by_value: true };
    let answer = tab.frames.call(&tab.session, &script, deadline)?;
    match (answer.exception, answer.result.value) {
        (None, Some(serde_json::Value::String(html))) => Ok(html),
        (exception, value) => Err(Trouble::Script(excerpt(&exception.or(value).unwrap_or_default().to_string()))),
    }
}

fn lay_out(tab: &Tab, deadline: Instant) -> Result<Layout, Trouble> {
    let answer = tab.session.call(&snapshot::CAPTURE, deadline)?;
    snapshot::read(&answer).ok_or(Trouble::Snapshot)
}

fn paint(tab: &Tab, frame: &Frame, policy: &RenderPolicy, deadline: Instant) -> Result<Bytes, Trouble> {
    let scale = policy.viewport.device_scale_factor;
    let viewport = policy.viewport;
    let shoot = |clip: Clip, format: ImageFormat| -> Result<Bytes, Trouble> {
        let data = tab.frames.shoot(&tab.session, Shot { viewport, clip, format }, deadline)?;
        Ok(screenshot::keep(&data, frame.width, device(clip.height, scale))?)
    };
    let format = policy.format;
    let one_texture = f64::from(frame.height) <= TEXTURE_SIDE_MAX;
    if one_texture && format != ImageFormat::WebpLossless {
        return shoot(Clip::new(viewport, 0, frame.css_height), format);
    }
    let tile_height = if one_texture { frame.css_height } else { (TILE_HEIGHT / scale) as u32 }.max(1);
    let tiles: Vec<Bytes> = (0..frame.css_height)
        .step_by(tile_height as usize)
        .map(|top| {
            let height = tile_height.min(frame.css_height - top);
            shoot(Clip::new(viewport, top, height), ImageFormat::Png)
        })
        .collect::<Result<_, _>>()?;
    Ok(screenshot::assemble(&tiles, frame.width, frame.height, format)?)
}
