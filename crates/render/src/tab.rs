//! One tab: prepared once, used for page after page.

use std::time::Instant;

use headless_chrome::protocol::cdp::{Animation, Emulation, Inspector, Page};
use item::Viewport;

use crate::frames::Frames;
use crate::policy::{ColorScheme, RenderPolicy};
use crate::protocol;
use crate::sizes::FontSizes;
use crate::transport::{CallError, Session};

/// Requests that are refused before anything is resolved or opened. `data:` needs no world and stays allowed.
const REFUSED_URLS: &[&str] = &["http*", "file*", "ftp*", "ws*", "blob*", "chrome*"];
const TIMEZONE: &str = "UTC";
/// Pins clock and chance for pages whose scripts run: the same noon of 2024, the same numbers, at each load.
const PINS: &str = "(() => {
  let seed = 1, now = 1717243200000;
  Math.random = () => {
    seed = (seed + 0x6D2B79F5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const Real = Date;
  Date = new Proxy(Real, {
    construct: (target, given) => given.length ? Reflect.construct(target, given) : new target(now),
    apply: () => new Real(now).toString(),
    get: (target, name) => name === 'now' ? () => now : Reflect.get(target, name),
  });
  Performance.prototype.now = () => 0;
})()";

/// A tab, used by one thread at a time.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) session: Session,
    pub(crate) target_id: String,
    pub(crate) frames: Frames,
    pub(crate) font_sizes: FontSizes,
    viewport: Option<Viewport>,
    media: Option<(ColorScheme, bool)>,
    scripts: Scripts,
    /// It was told to go to the blank page and has not been seen to arrive.
    clearing: bool,
}

/// Whether page scripts run, and whether clock and chance are pinned for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scripts {
    NeverRun,
    Off,
    On,
}

impl Tab {
    /// Sets up what holds for every page.
    pub(crate) fn prepare(
        session: Session,
        target_id: String,
        frames: Frames,
        deadline: Instant,
    ) -> Result<Self, CallError> {
        session.call(&Inspector::Enable(None), deadline)?;
        session.call(&Page::Enable { enable_file_chooser_opened_event: None }, deadline)?;
        session.call(&Emulation::SetScriptExecutionDisabled { value: true }, deadline)?;
        session.call(&Emulation::SetTimezoneOverride { timezone_id: TIMEZONE.to_owned() }, deadline)?;
        // Time stands still for animations, also those inside Chrome's own elements that no script can reach.
        session.call(&Animation::Enable(None), deadline)?;
        session.call(&Animation::SetPlaybackRate { playback_rate: 0.0 }, deadline)?;
        session.call(&protocol::offline(), deadline)?;
        session.call(&protocol::pause_requests(REFUSED_URLS), deadline)?;
        // The first navigation also makes the renderer, which a page should not pay for.
        let (viewport, media, scripts, clearing) = (None, None, Scripts::NeverRun, false);
        let font_sizes = FontSizes::default();
        let mut tab = Self { session, target_id, frames, font_sizes, viewport, media, scripts, clearing };
        tab.clear()?;
        Ok(tab)
    }

    /// Sends the tab to a blank page, away from what it shows; [`ready`](Self::ready) waits for it to arrive.
    pub(crate) fn clear(&mut self) -> Result<(), CallError> {
        self.session.forget_loads();
        self.session.send(&protocol::navigate_to_blank())?;
        self.clearing = true;
        Ok(())
    }

    /// Waits until the tab is blank.
    pub(crate) fn ready(&mut self, deadline: Instant) -> Result<(), CallError> {
        if self.clearing {
            self.session.wait_load(deadline)?;
            self.clearing = false;
        }
        Ok(())
    }

    /// Sets up what the policy wants to be seen in; a no-op when it is so already.
    pub(crate) fn set_view(&mut self, policy: &RenderPolicy, deadline: Instant) -> Result<(), CallError> {
        if self.viewport != Some(policy.viewport) {
            self.viewport = None;
            self.session.call(&protocol::device_metrics(policy.viewport), deadline)?;
            // A document that was made for another view keeps something of it: paint orders were others.
            self.clear()?;
            self.ready(deadline)?;
            self.viewport = Some(policy.viewport);
        }
        let media = (policy.color_scheme, policy.reduced_motion);
        if self.media != Some(media) {
            self.media = None;
            let motion = if policy.reduced_motion { "reduce" } else { "no-preference" };
            let features = [("prefers-color-scheme", policy.color_scheme.name()), ("prefers-reduced-motion", motion)];
            self.session.call(&protocol::media(&features), deadline)?;
            self.media = Some(media);
        }
        Ok(())
    }

    /// Lets the scripts of the next page run, on a blank page whose clock and chance are pinned.
    pub(crate) fn allow_scripts(&mut self, deadline: Instant) -> Result<(), CallError> {
        if self.scripts == Scripts::NeverRun {
            self.session.call(&protocol::before_scripts(PINS), deadline)?;
        }
        self.scripts = Scripts::On;
        self.session.call(&Emulation::SetScriptExecutionDisabled { value: false }, deadline)?;
        // The pins are set when a document is made, so a blank one is made now.
        self.clear()?;
        self.ready(deadline)
    }

    /// Stops the page's scripts: what they have started does not go on while the page is read and painted.
    pub(crate) fn forbid_scripts(&mut self, deadline: Instant) -> Result<(), CallError> {
        self.session.call(&Emulation::SetScriptExecutionDisabled { value: true }, deadline)?;
        self.scripts = Scripts::Off;
        Ok(())
    }
}
