//! The steps of one render: load, settle, lay out, decide, paint.
//!
//! Each step is one or two calls with a deadline, and says its name when it fails. The steps are functions of a tab, so that
//! further views of a page (another viewport, a dark scheme, a crop) are further calls after the same load.

use std::error::Error;
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::Page;
use item::{Failure, FailureClass};
use thiserror::Error;

use crate::geometry;
use crate::policy::{RenderOutcome, RenderPolicy, Rendered};
use crate::protocol::{self, Evaluate};
use crate::screenshot::{self, ScreenshotError};
use crate::snapshot::{self, Layout};
use crate::tab::Tab;
use crate::transport::{CallError, excerpt};

/// Part of the fingerprint: raise it when the same page would give other pixels or nodes.
pub(crate) const SEQUENCE_VERSION: u64 = 2;
/// Largest side of a texture in device px; Chrome paints nothing beyond.
const TEXTURE_SIDE_MAX: f64 = 16_384.0;

/// Brings a page to rest: fonts are there, what moves for a while is at its end, what moves forever at its start. What
/// Chrome paints by the clock alone (waiting progress bars, carets) is pinned by a style sheet that is not part of the
/// document. Page scripts are off, but a page can hide members of `document` behind the names of its elements, hence the
/// prototypes.
const SETTLE: &str = "(() => {
  const member = (name) => Object.getOwnPropertyDescriptor(Document.prototype, name);
  const read = (name) => member(name).get.call(document);
  const pins = new CSSStyleSheet();
  pins.replaceSync(':indeterminate { appearance: none !important } * { caret-color: transparent !important; content-visibility: visible !important }');
  member('adoptedStyleSheets').set.call(document, [pins]);
  const pictures = Array.from(read('images'), (image) => HTMLImageElement.prototype.decode.call(image).catch(() => {}));
  return Promise.all([read('fonts').ready, ...pictures]).then(() => {
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
  });
})()";

/// A step did not come to its end.
#[derive(Debug, Error)]
#[error("the page could not be {step}")]
pub(crate) struct StepError {
    step: &'static str,
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

/// Renders a page on a blank tab. The tab is spoilt when this fails.
pub(crate) fn render(tab: &mut Tab, html: &str, policy: &RenderPolicy) -> Result<RenderOutcome, StepError> {
    let page_deadline = Instant::now() + Duration::from_millis(policy.page_timeout_ms);
    let step = |name: &'static str| Step {
        name,
        deadline: page_deadline.min(Instant::now() + Duration::from_millis(policy.step_timeout_ms)),
    };
    step("loaded").run(|deadline| load(tab, html, policy, deadline))?;
    step("settled").run(|deadline| settle(tab, deadline))?;
    let layout = step("laid out").run(|deadline| lay_out(tab, deadline))?;

    if layout.nodes.len() > policy.elements_max {
        let message = format!("{} elements, the most is {}", layout.nodes.len(), policy.elements_max);
        return Ok(RenderOutcome::Failed(Failure { class: FailureClass::Limit, message }));
    }
    let refused = geometry::refuse(layout.page_width, layout.page_height, &layout.nodes, policy);
    if let Some(rejection) = refused {
        return Ok(RenderOutcome::Refused(rejection));
    }
    step("painted").run(|deadline| paint(tab, layout, policy, deadline)).map(RenderOutcome::Rendered)
}

struct Step {
    name: &'static str,
    deadline: Instant,
}

impl Step {
    fn run<T>(self, work: impl FnOnce(Instant) -> Result<T, Trouble>) -> Result<T, StepError> {
        work(self.deadline).map_err(|trouble| StepError { step: self.name, trouble })
    }
}

fn load(tab: &mut Tab, html: &str, policy: &RenderPolicy, deadline: Instant) -> Result<(), Trouble> {
    tab.set_viewport(policy.viewport, deadline)?;
    tab.session.forget_loads();
    // The id of a tab is the id of its main frame.
    let content = Page::SetDocumentContent { frame_id: tab.target_id.clone(), html: html.to_owned() };
    tab.session.call(&content, deadline)?;
    tab.session.wait_load(deadline)?;
    Ok(())
}

fn settle(tab: &Tab, deadline: Instant) -> Result<(), Trouble> {
    // One frame before anything is pinned: focus is given, transitions begin and pictures are decoded with the first frame
    // after the load, and what has not begun cannot be ended.
    tab.session.call(&protocol::screenshot(1, 1), deadline)?;
    let script = Evaluate { expression: SETTLE, await_promise: true, return_by_value: true };
    match tab.session.call(&script, deadline)?.exception {
        Some(exception) => Err(Trouble::Script(excerpt(&exception.to_string()))),
        None => Ok(()),
    }
}

fn lay_out(tab: &Tab, deadline: Instant) -> Result<Layout, Trouble> {
    let answer = tab.session.call(&snapshot::CAPTURE, deadline)?;
    snapshot::read(&answer).ok_or(Trouble::Snapshot)
}

fn paint(tab: &Tab, layout: Layout, policy: &RenderPolicy, deadline: Instant) -> Result<Rendered, Trouble> {
    let scale = policy.viewport.device_scale_factor;
    let tallest = policy.height_max.min((TEXTURE_SIDE_MAX / scale) as u32);
    let css_height = layout.page_height.min(tallest);
    let device = |css: u32| (f64::from(css) * scale).round() as u32;
    let (width, height) = (device(policy.viewport.width), device(css_height));
    let answer = tab.session.call(&protocol::screenshot(policy.viewport.width, css_height), deadline)?;
    Ok(Rendered {
        screenshot: screenshot::compact(&answer.data, width, height)?,
        width,
        height,
        page_width: layout.page_width,
        page_height: layout.page_height,
        nodes: layout.nodes,
        truncated_height: css_height < layout.page_height,
    })
}
