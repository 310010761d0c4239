//! One tab: prepared once, used for page after page.

use std::time::Instant;

use headless_chrome::protocol::cdp::{Animation, Emulation, Inspector, Page};
use item::Viewport;

use crate::protocol;
use crate::transport::{CallError, Session};

/// Requests that are refused before anything is resolved or opened. `data:` needs no world and stays allowed.
const REFUSED_URLS: &[&str] = &["http*", "file*", "ftp*", "ws*", "blob*", "chrome*"];
/// What media queries see.
const MEDIA: &[(&str, &str)] = &[("prefers-color-scheme", "light"), ("prefers-reduced-motion", "reduce")];
const TIMEZONE: &str = "UTC";

/// A tab, used by one thread at a time.
#[derive(Debug)]
pub(crate) struct Tab {
    pub(crate) session: Session,
    pub(crate) target_id: String,
    viewport: Option<Viewport>,
    /// It was told to go to the blank page and has not been seen to arrive.
    clearing: bool,
}

impl Tab {
    /// Sets up what holds for every page.
    pub(crate) fn prepare(session: Session, target_id: String, deadline: Instant) -> Result<Self, CallError> {
        session.call(&Inspector::Enable(None), deadline)?;
        session.call(&Page::Enable { enable_file_chooser_opened_event: None }, deadline)?;
        session.call(&Emulation::SetScriptExecutionDisabled { value: true }, deadline)?;
        session.call(&Emulation::SetTimezoneOverride { timezone_id: TIMEZONE.to_owned() }, deadline)?;
        session.call(&protocol::media(MEDIA), deadline)?;
        // Time stands still for animations, also those inside Chrome's own elements that no script can reach.
        session.call(&Animation::Enable(None), deadline)?;
        session.call(&Animation::SetPlaybackRate { playback_rate: 0.0 }, deadline)?;
        session.call(&protocol::offline(), deadline)?;
        session.call(&protocol::pause_requests(REFUSED_URLS), deadline)?;
        // The first navigation also makes the renderer, which a page should not pay for.
        let mut tab = Self { session, target_id, viewport: None, clearing: false };
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

    pub(crate) fn set_viewport(&mut self, viewport: Viewport, deadline: Instant) -> Result<(), CallError> {
        if self.viewport != Some(viewport) {
            self.viewport = None;
            self.session.call(&protocol::device_metrics(viewport), deadline)?;
            self.viewport = Some(viewport);
        }
        Ok(())
    }
}
