//! What a render is asked for, and what comes of it.

use bytes::Bytes;
use item::{Failure, Node, Rejection, Viewport};

/// How a page is rendered and which pages are refused. Every field takes part in the answer, so all of them belong in a
/// caller's cache key.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderPolicy {
    /// What the page is shown in.
    pub viewport: Viewport,
    /// Tallest screenshot in CSS px; a taller page is cut off here. Painting costs grow with height: a cap of 4,096
    /// halves the cost of long pages. Chrome's textures stop at 16,384 device px, and so does this.
    pub height_max: u32,
    /// Time for the whole render, once a tab is free. Ordinary pages take less than a second.
    pub page_timeout_ms: u64,
    /// Time for a single step (load, layout, paint): names the step that hangs, and ends a hung page early.
    pub step_timeout_ms: u64,
    /// Time to wait for a free tab. Long, because a caller with more threads than tabs waits as a matter of course; finite,
    /// so that a mistake shows as a failure and not as a hang.
    pub tab_wait_ms: u64,
    /// Most bytes of HTML that are given to Chrome; documents of 30 MB hang a tab. Inlined pictures count.
    pub html_bytes_max: usize,
    /// Most elements that the layout may have; a million of them hang a tab, and node lists must stay small.
    pub elements_max: usize,
    /// Pages taller than this, in CSS px, are refused: 40 screens and more are feeds and broken layouts.
    pub page_height_max: u32,
    /// Pages wider than the viewport by more than this factor are refused: their layout overflows.
    pub page_width_ratio_max: f64,
    /// Pages whose visible elements end above this height, in CSS px, are refused: less than three lines of text.
    pub page_height_min: u32,
    /// Pages with fewer visible elements inside `body` than this are refused.
    pub visible_elements_min: usize,
}

impl Default for RenderPolicy {
    fn default() -> Self {
        Self {
            viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
            height_max: 4_096,
            page_timeout_ms: 20_000,
            step_timeout_ms: 10_000,
            tab_wait_ms: 600_000,
            html_bytes_max: 16 << 20,
            elements_max: 20_000,
            page_height_max: 30_000,
            page_width_ratio_max: 1.5,
            page_height_min: 64,
            visible_elements_min: 3,
        }
    }
}

impl RenderPolicy {
    /// A policy that refuses no geometry: for pages that were accepted before and are rendered again.
    pub fn accept_all() -> Self {
        Self {
            page_height_max: u32::MAX,
            page_width_ratio_max: f64::INFINITY,
            page_height_min: 0,
            visible_elements_min: 0,
            ..Self::default()
        }
    }
}

/// A render that went well.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The screenshot, PNG.
    pub screenshot: Bytes,
    /// Width of the screenshot in device px.
    pub width: u32,
    /// Height of the screenshot in device px.
    pub height: u32,
    /// Width of the whole document in CSS px.
    pub page_width: u32,
    /// Height of the whole document in CSS px.
    pub page_height: u32,
    /// Every element of the DOM tree in document order, `html` first; also those that the parser implied. Contents of
    /// `template`, pseudo-elements, shadow trees and documents in frames are not in it. Byte ranges are the caller's.
    pub nodes: Vec<Node>,
    /// The page is taller than the screenshot.
    pub truncated_height: bool,
}

/// What comes of a render.
#[derive(Debug, Clone, PartialEq)]
pub enum RenderOutcome {
    /// A screenshot and nodes.
    Rendered(Rendered),
    /// Laid out, but a geometry rule applies; nothing was painted.
    Refused(Rejection),
    /// Could not be rendered: [`Timeout`](item::FailureClass::Timeout), [`Crash`](item::FailureClass::Crash),
    /// [`Limit`](item::FailureClass::Limit), or [`Upstream`](item::FailureClass::Upstream) when no browser can be had.
    Failed(Failure),
}
