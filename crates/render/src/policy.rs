//! What a render is asked for, and what comes of it.

use bytes::Bytes;
use item::{Failure, Node, Rejection, Viewport};
use serde::Serialize;

use crate::format::ImageFormat;

/// How a page is rendered and which pages are refused. Every field takes part in the answer, so all of them belong in a
/// caller's cache key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RenderPolicy {
    /// What the page is shown in.
    pub viewport: Viewport,
    /// What media queries hear of the user's taste.
    pub color_scheme: ColorScheme,
    /// Media queries hear that the user prefers reduced motion. Animations stand still either way.
    pub reduced_motion: bool,
    /// What the screenshot is encoded as.
    pub format: ImageFormat,
    /// Tallest screenshot in CSS px; a taller page is cut off here. Painting costs grow with height: a cap of 4,096
    /// halves the cost of long pages. Beyond 16,384 device px, where Chrome's textures end, PNG and JPEG are put together
    /// from tiles, and WebP, which ends there itself, is cut off.
    pub height_max: u32,
    /// Time for the whole render, once a tab is free. Ordinary pages take less than a second.
    pub page_timeout_ms: u64,
    /// Time for a single step (load, layout, paint): names the step that hangs, and ends a hung page early.
    pub step_timeout_ms: u64,
    /// Time to wait for a free tab. Long, because a caller with more threads than tabs waits as a matter of course; finite,
    /// so that a mistake shows as a failure and not as a hang.
    pub tab_wait_ms: u64,
    /// Run the page's scripts, and give them this long after the load; then they are stopped. `None` runs none. Their clock
    /// and their random numbers are pinned; how far they get in that time is not.
    pub scripts_ms: Option<u64>,
    /// Render a second time on a fresh document and say whether pixels and nodes are the same.
    pub twice: bool,
    /// Most bytes of HTML that are given to Chrome; documents of 30 MB hang a tab. Inlined pictures count.
    pub html_bytes_max: usize,
    /// Most elements that the layout may have; a million of them hang a tab, and node lists must stay small. Documents with
    /// more than twice as many start tags are not even given to Chrome.
    pub elements_max: usize,
    /// Pages taller than this, in CSS px, are refused: 40 screens and more are feeds and broken layouts.
    pub page_height_max: u32,
    /// Pages that are more than this many times as tall as the viewport is wide are refused. The tallest of 1,785 real
    /// pages had 23.4.
    pub page_aspect_max: f64,
    /// Pages wider than the viewport by more than this factor are refused: their layout overflows.
    pub page_width_ratio_max: f64,
    /// Pages whose visible elements end above this height, in CSS px, are refused: less than three lines of text.
    pub page_height_min: u32,
    /// Pages with fewer visible elements inside `body` than this are refused.
    pub visible_elements_min: usize,
    /// Pages with more visible elements inside `body` than this are refused; 99 % of real pages have fewer than 1,900.
    pub visible_elements_max: usize,
    /// Pages are refused when a greater share of the screenshot's height shows nothing: neither text nor picture nor
    /// control. One page in a hundred has more than 0.67, the emptiest of 1,785 had 0.83.
    pub blank_share_max: f64,
    /// Pages are refused when text covers a smaller share of the screenshot; 0 refuses none. A page without any text may
    /// well be one of forms or pictures.
    pub text_coverage_min: f64,
    /// Pages are refused when text covers a greater share of the screenshot; 1 refuses none.
    pub text_coverage_max: f64,
}

impl Default for RenderPolicy {
    fn default() -> Self {
        Self {
            viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
            color_scheme: ColorScheme::Light,
            reduced_motion: true,
            format: ImageFormat::Png,
            height_max: 4_096,
            page_timeout_ms: 20_000,
            step_timeout_ms: 10_000,
            tab_wait_ms: 600_000,
            scripts_ms: None,
            twice: false,
            html_bytes_max: 16 << 20,
            elements_max: 20_000,
            page_height_max: 30_000,
            page_aspect_max: 100.0,
            page_width_ratio_max: 1.5,
            page_height_min: 64,
            visible_elements_min: 3,
            visible_elements_max: 10_000,
            blank_share_max: 0.95,
            text_coverage_min: 0.0,
            text_coverage_max: 1.0,
        }
    }
}

impl RenderPolicy {
    /// A policy that refuses no geometry: for pages that were accepted before and are rendered again.
    pub fn accept_all() -> Self {
        Self {
            page_height_max: u32::MAX,
            page_aspect_max: f64::INFINITY,
            page_width_ratio_max: f64::INFINITY,
            page_height_min: 0,
            visible_elements_min: 0,
            visible_elements_max: usize::MAX,
            blank_share_max: 1.0,
            text_coverage_min: 0.0,
            text_coverage_max: 1.0,
            ..Self::default()
        }
    }
}

/// What `prefers-color-scheme` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum ColorScheme {
    /// Dark on light, what pages are made for.
    #[default]
    Light,
    /// Light on dark, where the page has such a style.
    Dark,
}

impl ColorScheme {
    /// As CSS writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A render that went well.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The screenshot, in the format of the policy.
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
    /// Share of the screenshot's height that shows neither text nor picture nor control, 0 to 1.
    pub blank_share: f64,
    /// Share of the screenshot's area that text covers, 0 to 1.
    pub text_coverage: f64,
    /// With [`RenderPolicy::twice`]: whether a second render gave the same pixels and nodes.
    pub stable: Option<bool>,
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
