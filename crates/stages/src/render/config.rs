//! The table `[render]`.

use ::render::{ColorScheme, ImageFormat, RenderPolicy};
use engine::Settings;
use item::Viewport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::prove::{Prove, ProveConfig};

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
    /// What media queries hear: `light` or `dark`.
    pub color_scheme: Scheme,
    /// Media queries hear that the user prefers reduced motion. Animations stand still either way.
    pub reduced_motion: bool,
    /// What screenshots are encoded as.
    pub format: Format,
    /// Quality of `jpeg` and `webp`, 0 to 100.
    pub quality: u8,
    /// Longer pages are cut off here, in CSS px.
    pub height_max: u32,
    /// Longer pages are rejected before they are painted, in CSS px.
    pub page_height_max: u32,
    /// Pages that are more times as tall as the viewport is wide are rejected.
    pub page_aspect_max: f64,
    /// Pages that are more times as wide as the viewport are rejected: their layout overflows.
    pub page_width_ratio_max: f64,
    /// Pages whose visible elements end above this are rejected, in CSS px.
    pub page_height_min: u32,
    /// Pages with fewer visible elements are rejected.
    pub visible_elements_min: usize,
    /// Pages with more visible elements are rejected.
    pub visible_elements_max: usize,
    /// Pages are rejected when a greater share of the screenshot's height shows neither text nor picture nor control.
    pub blank_share_max: f64,
    /// Pages are rejected when text covers a smaller share of the screenshot; 0 rejects none.
    pub text_coverage_min: f64,
    /// Pages are rejected when text covers a greater share of the screenshot; 1 rejects none.
    pub text_coverage_max: f64,
    /// The longest that a page may take, in ms.
    pub page_timeout_ms: u64,
    /// Run the pages' scripts and give them this long, in ms; by default none run.
    pub scripts_ms: Option<u64>,
    /// Whether pages as captured are rendered too, and held against the cleaned ones: `none`, `sample` or `all`. A page that
    /// looks other is simplified less.
    pub prove: Prove,
    /// Share of the pages that `sample` proves, 0 to 1.
    pub prove_share: f64,
    /// Largest share of its pixels in which a cleaned page may differ from its original, 0 to 1.
    pub prove_tolerance: f64,
    /// Render each page a second time and say in the column `stable` whether it came out the same.
    pub twice: bool,
    /// Further views of each page, each a row of its own beside the first one.
    pub views: Vec<ViewConfig>,
    /// Pages that render at the same time; 0 takes what the machine can feed.
    pub tabs: usize,
    /// The Chrome to use; by default the one that `databuild doctor` finds.
    pub chrome: Option<String>,
}

/// What media queries hear of the user's taste.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark, where the page has such a style.
    Dark,
}

/// What screenshots are encoded as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// PNG, written fast.
    #[default]
    Png,
    /// PNG, 28 % fewer bytes for up to a quarter more time.
    PngSmall,
    /// Lossless WebP: a quarter smaller than PNG, several times the cost; at most 16,383 px tall.
    WebpLossless,
    /// WebP that loses detail; at most 16,383 px tall.
    Webp,
    /// JPEG.
    Jpeg,
}

/// A further view of each page: what it does not say is as in the first one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewConfig {
    /// Name, in the column `view`.
    pub name: String,
    /// Width of the viewport in CSS px.
    pub viewport_width: Option<u32>,
    /// Height of the viewport in CSS px.
    pub viewport_height: Option<u32>,
    /// Device pixels per CSS px.
    pub device_scale_factor: Option<f64>,
    /// `light` or `dark`.
    pub color_scheme: Option<Scheme>,
    /// Media queries hear that the user prefers reduced motion.
    pub reduced_motion: Option<bool>,
    /// Longer pages are cut off here, in CSS px: the viewport's height gives the first screen alone.
    pub height_max: Option<u32>,
}

impl Default for RenderConfig {
    fn default() -> Self {
        let policy = RenderPolicy::default();
        Self {
            viewport_width: policy.viewport.width,
            viewport_height: policy.viewport.height,
            device_scale_factor: policy.viewport.device_scale_factor,
            color_scheme: Scheme::Light,
            reduced_motion: policy.reduced_motion,
            format: Format::Png,
            quality: ImageFormat::QUALITY,
            height_max: policy.height_max,
            page_height_max: policy.page_height_max,
            page_aspect_max: policy.page_aspect_max,
            page_width_ratio_max: policy.page_width_ratio_max,
            page_height_min: policy.page_height_min,
            visible_elements_min: policy.visible_elements_min,
            visible_elements_max: policy.visible_elements_max,
            blank_share_max: policy.blank_share_max,
            text_coverage_min: policy.text_coverage_min,
            text_coverage_max: policy.text_coverage_max,
            page_timeout_ms: policy.page_timeout_ms,
            scripts_ms: None,
            prove: Prove::None,
            prove_share: 0.02,
            prove_tolerance: 0.001,
            twice: false,
            views: Vec::new(),
            tabs: 0,
            chrome: None,
        }
    }
}

impl RenderConfig {
    /// Whether a screenshot has the very pixels that Chrome painted.
    pub const fn is_lossless(&self) -> bool {
        self.image_format().is_lossless()
    }

    const fn image_format(&self) -> ImageFormat {
        match self.format {
            Format::Png => ImageFormat::Png,
            Format::PngSmall => ImageFormat::PngSmall,
            Format::WebpLossless => ImageFormat::WebpLossless,
            Format::Webp => ImageFormat::Webp(self.quality),
            Format::Jpeg => ImageFormat::Jpeg(self.quality),
        }
    }

    pub(super) fn policy(&self) -> RenderPolicy {
        RenderPolicy {
            viewport: Viewport {
                width: self.viewport_width,
                height: self.viewport_height,
                device_scale_factor: self.device_scale_factor,
            },
            color_scheme: self.color_scheme.into(),
            reduced_motion: self.reduced_motion,
            format: self.image_format(),
            height_max: self.height_max,
            page_height_max: self.page_height_max,
            page_aspect_max: self.page_aspect_max,
            page_width_ratio_max: self.page_width_ratio_max,
            page_height_min: self.page_height_min,
            visible_elements_min: self.visible_elements_min,
            visible_elements_max: self.visible_elements_max,
            blank_share_max: self.blank_share_max,
            text_coverage_min: self.text_coverage_min,
            text_coverage_max: self.text_coverage_max,
            page_timeout_ms: self.page_timeout_ms,
            scripts_ms: self.scripts_ms,
            twice: self.twice,
            ..RenderPolicy::default()
        }
    }

    /// How pages are proven.
    pub(super) const fn proof(&self) -> ProveConfig {
        ProveConfig { prove: self.prove, share: self.prove_share, tolerance: self.prove_tolerance }
    }

    /// The first view and the others, by name. The first has a name only where there are others.
    pub(super) fn views(&self) -> Vec<super::View> {
        let main = (!self.views.is_empty()).then(|| super::MAIN_VIEW.to_owned());
        let mut views = vec![super::View { name: main, policy: self.policy() }];
        for view in &self.views {
            let mut policy = self.policy();
            policy.viewport.width = view.viewport_width.unwrap_or(policy.viewport.width);
            policy.viewport.height = view.viewport_height.unwrap_or(policy.viewport.height);
            policy.viewport.device_scale_factor =
                view.device_scale_factor.unwrap_or(policy.viewport.device_scale_factor);
            policy.color_scheme = view.color_scheme.map_or(policy.color_scheme, Into::into);
            policy.reduced_motion = view.reduced_motion.unwrap_or(policy.reduced_motion);
            policy.height_max = view.height_max.unwrap_or(policy.height_max);
            views.push(super::View { name: Some(view.name.clone()), policy });
        }
        views
    }

    /// What the answers depend on: everything but who gives them, which is told by build and not by path.
    pub(super) fn behaviour(&self) -> Settings {
        let mut settings = serde_json::json!(self);
        if let Some(settings) = settings.as_object_mut() {
            settings.remove("tabs");
            settings.remove("chrome");
            // These decide over what is rendered, not over how.
            for key in ["prove", "prove_share", "prove_tolerance"] {
                settings.remove(key);
            }
        }
        settings
    }
}

impl From<Scheme> for ColorScheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Light => Self::Light,
            Scheme::Dark => Self::Dark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_differs_from_the_first_one_in_what_it_says() {
        let phone = ViewConfig {
            name: "phone".to_owned(),
            viewport_width: Some(375),
            viewport_height: None,
            device_scale_factor: Some(2.0),
            color_scheme: Some(Scheme::Dark),
            reduced_motion: None,
            height_max: None,
        };
        let views = RenderConfig { views: vec![phone], ..RenderConfig::default() }.views();
        assert_eq!((views[0].name.as_deref(), views[1].name.as_deref()), (Some("main"), Some("phone")));
        let viewport = Viewport { width: 375, height: 720, device_scale_factor: 2.0 };
        let expected = RenderPolicy { viewport, color_scheme: ColorScheme::Dark, ..views[0].policy.clone() };
        assert_eq!(views[1].policy, expected);
        assert_eq!(RenderConfig::default().views()[0].name, None);
    }
}
