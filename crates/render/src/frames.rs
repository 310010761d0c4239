//! When a page draws, and how its picture is taken.
//!
//! Headless shells draw a frame when they are told to, and at no other time. That makes pictures a matter of the page alone:
//! nothing is painted ahead of time in idle moments, and a frame ends when all of it is there. Other Chromes draw by
//! the clock; with them, a picture may now and then miss a part that was still being painted.

use std::thread;
use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::types::Method;
use item::Viewport;
use serde::Serialize;

use crate::format::ImageFormat;
use crate::protocol::{self, Clip};
use crate::transport::{CallError, Session};

/// Frames that may pass before one comes with a picture: the first after a change of the surface's size may be skipped.
const SHOT_FRAMES_MAX: usize = 8;
/// Time between the frames for a call that waits for some.
const CALL_PAUSE: Duration = Duration::from_millis(2);
/// Time between frames while scripts run, as on a screen.
const FRAME_INTERVAL: Duration = Duration::from_millis(16);

/// What a picture is to show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot {
    pub(crate) viewport: Viewport,
    /// The part of the page.
    pub(crate) clip: Clip,
    pub(crate) format: ImageFormat,
}

/// Who decides when a tab draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frames {
    /// We do, frame by frame.
    OnRequest,
    /// The browser does.
    AtAnyTime,
}

impl Frames {
    /// Calls a method that waits for frames.
    pub(crate) fn call<M>(self, session: &Session, method: &M, deadline: Instant) -> Result<M::ReturnObject, CallError>
    where
        M: Method + Serialize,
    {
        match self {
            Self::OnRequest => session.call_helped(method, &protocol::bare_frame(), CALL_PAUSE, deadline),
            Self::AtAnyTime => session.call(method, deadline),
        }
    }

    /// Lets a page that has scripts run for a while.
    pub(crate) fn run(self, session: &Session, time: Duration, deadline: Instant) -> Result<(), CallError> {
        let left = deadline.saturating_duration_since(Instant::now()).min(time);
        if self == Self::AtAnyTime {
            thread::sleep(left);
            return Ok(());
        }
        let end = Instant::now() + left;
        while Instant::now() < end {
            session.call(&protocol::bare_frame(), deadline)?;
            thread::sleep(FRAME_INTERVAL.min(end.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// Takes a picture: base64 of an encoded image.
    pub(crate) fn shoot(self, session: &Session, shot: Shot, deadline: Instant) -> Result<String, CallError> {
        if self == Self::OnRequest && shot.clip.top == 0 && shot.viewport.device_scale_factor == 1.0 {
            return shoot_surface(session, shot, deadline);
        }
        let screenshot = protocol::screenshot(shot.clip, shot.format);
        let answer = match self {
            Self::OnRequest => session.call_helped(&screenshot, &protocol::drawn_frame(), CALL_PAUSE, deadline)?,
            Self::AtAnyTime => session.call(&screenshot, deadline)?,
        };
        Ok(answer.data)
    }
}

/// Makes the surface as tall as the picture and has one frame drawn. `Page.captureScreenshot` does the same, and draws some
/// eight frames to that end.
fn shoot_surface(session: &Session, shot: Shot, deadline: Instant) -> Result<String, CallError> {
    let Shot { viewport, clip, format } = shot;
    let resized = clip.height != viewport.height;
    if resized {
        session.send(&protocol::surface(clip.width, clip.height))?;
    }
    let frame = protocol::shot_frame(format);
    for _ in 0..SHOT_FRAMES_MAX {
        if let Some(data) = session.call(&frame, deadline)?.screenshot_data {
            if resized {
                session.send(&protocol::surface(viewport.width, viewport.height))?;
            }
            return Ok(data);
        }
    }
    Err(CallError::NoPicture)
}
