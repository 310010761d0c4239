//! The calls that we make, as short functions over the generated protocol types, and the one answer that needs types of
//! its own: the generated `DOMSnapshot.captureSnapshot` has unsigned indexes and cannot read the -1 of real answers.

use headless_chrome::protocol::cdp::types::Method;
use headless_chrome::protocol::cdp::{Browser, Emulation, Fetch, HeadlessExperimental, Network, Page, Runtime, Target};
use item::Viewport;
use serde::{Deserialize, Serialize};

use crate::format::ImageFormat;

pub(crate) fn create_target(frames_on_request: bool) -> Target::CreateTarget {
    Target::CreateTarget {
        url: BLANK.to_owned(),
        left: None,
        top: None,
        width: None,
        height: None,
        window_state: None,
        browser_context_id: None,
        enable_begin_frame_control: frames_on_request.then_some(true),
        new_window: None,
        background: None,
        for_tab: None,
        hidden: None,
    }
}

/// The page that a tab shows between pages.
pub(crate) const BLANK: &str = "about:blank";

pub(crate) fn navigate_to_blank() -> Page::Navigate {
    Page::Navigate {
        url: BLANK.to_owned(),
        referrer: None,
        transition_Type: None,
        frame_id: None,
        referrer_policy: None,
    }
}

pub(crate) fn device_metrics(viewport: Viewport) -> Emulation::SetDeviceMetricsOverride {
    Emulation::SetDeviceMetricsOverride {
        width: viewport.width,
        height: viewport.height,
        device_scale_factor: viewport.device_scale_factor,
        mobile: false,
        scale: None,
        screen_width: None,
        screen_height: None,
        position_x: None,
        position_y: None,
        dont_set_visible_size: None,
        screen_orientation: None,
        viewport: None,
        display_feature: None,
        device_posture: None,
    }
}

pub(crate) fn media(features: &[(&str, &str)]) -> Emulation::SetEmulatedMedia {
    let feature =
        |(name, value): &(&str, &str)| Emulation::MediaFeature { name: (*name).to_owned(), value: (*value).to_owned() };
    Emulation::SetEmulatedMedia { media: None, features: Some(features.iter().map(feature).collect()) }
}

pub(crate) fn offline() -> Network::EmulateNetworkConditions {
    Network::EmulateNetworkConditions {
        offline: true,
        latency: 0.0,
        download_throughput: 0.0,
        upload_throughput: 0.0,
        connection_Type: None,
        packet_loss: None,
        packet_queue_length: None,
        packet_reordering: None,
    }
}

/// Stops every request of those patterns until it is answered; the transport refuses them all.
pub(crate) fn pause_requests(patterns: &[&str]) -> Fetch::Enable {
    let pattern = |url: &&str| Fetch::RequestPattern {
        url_pattern: Some((*url).to_owned()),
        resource_Type: None,
        request_stage: None,
    };
    Fetch::Enable { patterns: Some(patterns.iter().map(pattern).collect()), handle_auth_requests: None }
}

/// A part of the page that is painted: all of its width, from `top` on. CSS px.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clip {
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Some of it lies outside the viewport. Chrome lays the tab's surface out anew for that, twice.
    pub(crate) beyond: bool,
}

impl Clip {
    pub(crate) fn new(viewport: Viewport, top: u32, height: u32) -> Self {
        Self { top, width: viewport.width, height, beyond: top + height > viewport.height }
    }
}

/// A screenshot.
pub(crate) fn screenshot(clip: Clip, format: ImageFormat) -> Page::CaptureScreenshot {
    let (format, quality, fast) = encoding(format);
    let Clip { top, width, height, beyond } = clip;
    let area =
        Page::Viewport { x: 0.0, y: f64::from(top), width: f64::from(width), height: f64::from(height), scale: 1.0 };
    Page::CaptureScreenshot {
        format: Some(format),
        quality,
        clip: Some(area),
        from_surface: None,
        capture_beyond_viewport: Some(beyond),
        optimize_for_speed: Some(fast),
    }
}

/// Chrome's format, its quality, and whether it is to be quick rather than small.
fn encoding(format: ImageFormat) -> (Page::CaptureScreenshotFormatOption, Option<u32>, bool) {
    use Page::CaptureScreenshotFormatOption::{Jpeg, Png, Webp};
    match format {
        ImageFormat::PngSmall => (Png, None, false),
        // What becomes lossless WebP is a PNG first, decoded and thrown away.
        ImageFormat::Png | ImageFormat::WebpLossless => (Png, None, true),
        ImageFormat::Jpeg(quality) => (Jpeg, Some(quality.into()), false),
        ImageFormat::Webp(quality) => (Webp, Some(quality.into()), false),
    }
}

/// A frame without pixels: style, layout, and what hangs on frames, such as transitions and observers.
pub(crate) fn bare_frame() -> HeadlessExperimental::BeginFrame {
    let [frame_time_ticks, interval] = [None; 2];
    HeadlessExperimental::BeginFrame { frame_time_ticks, interval, no_display_updates: Some(true), screenshot: None }
}

/// A frame with pixels.
pub(crate) fn drawn_frame() -> HeadlessExperimental::BeginFrame {
    HeadlessExperimental::BeginFrame { no_display_updates: None, ..bare_frame() }
}

/// A frame whose pixels come back: the tab's whole surface.
pub(crate) fn shot_frame(format: ImageFormat) -> HeadlessExperimental::BeginFrame {
    use HeadlessExperimental::ScreenshotParamsFormat::{Jpeg, Png, Webp};
    use Page::CaptureScreenshotFormatOption as Option;
    let (format, quality, fast) = encoding(format);
    let format = match format {
        Option::Jpeg => Jpeg,
        Option::Png => Png,
        Option::Webp => Webp,
    };
    let screenshot =
        HeadlessExperimental::ScreenshotParams { format: Some(format), quality, optimize_for_speed: Some(fast) };
    HeadlessExperimental::BeginFrame { screenshot: Some(screenshot), ..drawn_frame() }
}

/// The size of a tab's surface, in device px. The layout keeps the size that [`device_metrics`] says.
pub(crate) fn surface(width: u32, height: u32) -> Emulation::SetVisibleSize {
    Emulation::SetVisibleSize { width, height }
}

/// No file is ever stored, whatever a page offers.
pub(crate) fn deny_downloads() -> Browser::SetDownloadBehavior {
    Browser::SetDownloadBehavior {
        behavior: Browser::SetDownloadBehaviorBehaviorOption::Deny,
        browser_context_id: None,
        download_path: None,
        events_enabled: None,
    }
}

/// Runs before a page's own scripts, in each new document.
pub(crate) fn before_scripts(source: &str) -> Page::AddScriptToEvaluateOnNewDocument {
    Page::AddScriptToEvaluateOnNewDocument {
        source: source.to_owned(),
        world_name: None,
        include_command_line_api: None,
        run_immediately: None,
    }
}

/// `Runtime.evaluate`. Only exception and value are read: the generated answer has closed enums.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluate {
    pub(crate) expression: &'static str,
    #[serde(rename = "awaitPromise")]
    pub(crate) await_promise: bool,
    #[serde(rename = "returnByValue")]
    pub(crate) return_by_value: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Evaluated {
    #[serde(rename = "exceptionDetails")]
    pub(crate) exception: Option<serde_json::Value>,
    #[serde(default)]
    pub(crate) result: EvaluatedResult,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct EvaluatedResult {
    pub(crate) value: Option<serde_json::Value>,
}

impl Method for Evaluate {
    const NAME: &'static str = Runtime::Evaluate::NAME;
    type ReturnObject = Evaluated;
}

/// `DOMSnapshot.captureSnapshot`.
#[derive(Debug, Serialize)]
pub(crate) struct CaptureSnapshot {
    #[serde(rename = "computedStyles")]
    pub(crate) computed_styles: &'static [&'static str],
    #[serde(rename = "includePaintOrder")]
    pub(crate) include_paint_order: bool,
}

impl Method for CaptureSnapshot {
    const NAME: &'static str = "DOMSnapshot.captureSnapshot";
    type ReturnObject = Snapshot;
}

/// Its answer: columns of indexes into one table of strings. -1 stands for none.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) documents: Vec<DocumentSnapshot>,
    pub(crate) strings: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentSnapshot {
    pub(crate) nodes: NodeColumns,
    pub(crate) layout: LayoutColumns,
    pub(crate) content_width: f64,
    pub(crate) content_height: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeColumns {
    pub(crate) parent_index: Vec<i64>,
    pub(crate) node_type: Vec<u32>,
    pub(crate) node_name: Vec<i64>,
    pub(crate) node_value: Vec<i64>,
    pub(crate) attributes: Vec<Vec<i64>>,
    #[serde(default)]
    pub(crate) pseudo_type: RareColumn,
    #[serde(default)]
    pub(crate) shadow_root_type: RareColumn,
}

/// A column that few rows have: the rows.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RareColumn {
    pub(crate) index: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayoutColumns {
    pub(crate) node_index: Vec<usize>,
    pub(crate) styles: Vec<Vec<i64>>,
    pub(crate) bounds: Vec<[f64; 4]>,
    #[serde(default)]
    pub(crate) paint_orders: Vec<i64>,
}
