//! What goes into a graph: the screenshot at one size, tiles of it at one scale, numbers of its layout.

use serde::Deserialize;

use super::refuse;
use crate::ScoreError;

/// Longest side of a model's input in px. Larger ones are typing errors; one such picture would already take 200 MB.
const SIDE_MAX: i64 = 4096;
/// Tiles of a page at most; more are typing errors.
const TILES_MAX: u32 = 256;

/// The inputs of the graph.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The picture, at one size.
    #[serde(alias = "overview")]
    pub pixels: Pixels,
    /// The same picture at one scale, cut into tiles.
    pub tiles: Option<Tiles>,
    /// Numbers of the page's layout.
    pub features: Option<Features>,
}

/// How a screenshot becomes a tensor.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pixels {
    /// Name of the graph's input.
    pub name: String,
    /// `[-1, 3, height, width]`.
    pub shape: [i64; 4],
    /// Order of the tensor.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the channels.
    #[serde(default)]
    pub colour: Colour,
    /// Filter of the resize.
    pub resize: Resize,
    /// Which part of the screenshot is seen.
    pub fit: Fit,
    /// With `centre-crop`: the picture is scaled until its shorter side has this many px, and the input is cut out of
    /// the middle of that, as `transformers` and torchvision do; without it as much is seen as fits.
    pub short_side: Option<u32>,
    /// Level 0 to 255 of what is filled up below.
    #[serde(default = "white")]
    pub pad: u8,
    /// What a level is multiplied with before `mean` and `std`; 1/255 when not given.
    pub scale: Option<f32>,
    /// Subtracted, per channel.
    pub mean: [f32; 3],
    /// Divided by, per channel.
    pub std: [f32; 3],
}

const fn white() -> u8 {
    255
}

impl Pixels {
    /// Height of the input in px.
    pub const fn height(&self) -> u32 {
        self.shape[2] as u32
    }

    /// Width of the input in px.
    pub const fn width(&self) -> u32 {
        self.shape[3] as u32
    }
}

/// Order of a tensor's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Picture, channel, row, column.
    #[default]
    Nchw,
}

/// Order of the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first, as OpenCV reads pictures.
    Bgr,
}

/// Filter of the resize. All are the antialiased convolutions that Pillow's `Image.resize` uses under these names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Every pixel is the mean of the source pixels it covers (`Resampling.BOX`).
    #[serde(alias = "area")]
    Box,
    /// `Resampling.BILINEAR`.
    Bilinear,
    /// `Resampling.BICUBIC`.
    Bicubic,
    /// `Resampling.LANCZOS`.
    Lanczos,
}

/// Which part of the screenshot is seen, and where it lands in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// All of it, squeezed to the input's shape.
    Stretch,
    /// Scaled to the input's width, cut at its height, filled up below with `pad` where the page ends early.
    TopPad,
    /// The largest part of the input's proportions, from the top, centred sideways.
    TopCrop,
    /// The largest part of the input's proportions, from the middle.
    CentreCrop,
}

/// The screenshot at one scale, cut from the top into tiles: what is on a page stays as large as it is, however long the page.
///
/// It is scaled to the width of a tile, its height in proportion, rounded to the nearest, halves up. The last tile is filled up below.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiles {
    /// Name of the graph's input.
    pub name: String,
    /// Name of the input that says how many tiles each page has, `[N]`, 64-bit integers.
    pub count: String,
    /// `[-1, -1, 3, height, width]`: pages, tiles, channels, height, width.
    pub shape: [i64; 5],
    /// Order of a tile's dimensions.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the channels.
    #[serde(default)]
    pub colour: Colour,
    /// Filter of the resize.
    pub resize: Resize,
    /// Tiles of a page at most; what is below is not seen here.
    pub tiles_max: u32,
    /// A last tile with fewer rows of the page is left out, unless it is the only one.
    #[serde(default = "one")]
    pub strip_min: u32,
    /// Level 0 to 255 of what is filled up below.
    #[serde(default = "white")]
    pub pad: u8,
    /// What a level is multiplied with before `mean` and `std`; 1/255 when not given.
    pub scale: Option<f32>,
    /// Subtracted, per channel.
    pub mean: [f32; 3],
    /// Divided by, per channel.
    pub std: [f32; 3],
}

const fn one() -> u32 {
    1
}

impl Tiles {
    /// Height of a tile in px.
    pub const fn height(&self) -> u32 {
        self.shape[3] as u32
    }

    /// Width of a tile in px.
    pub const fn width(&self) -> u32 {
        self.shape[4] as u32
    }
}

/// Numbers of the page's layout, `[N, columns]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Name of the graph's input.
    pub name: String,
    /// What the numbers are called together, such as `layout-v1`: the same names measured otherwise would be another set.
    pub set: String,
    /// Names of the numbers, in their order. Who runs the model must know them.
    pub columns: Vec<String>,
    /// What stands for a number that is not known, as of a picture without a page.
    pub missing: Missing,
}

/// What stands for a number that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Not a number; the graph knows what to do.
    Nan,
}

impl Inputs {
    /// Refuses what cannot be.
    pub(super) fn check(&self) -> Result<(), ScoreError> {
        self.pixels.check()?;
        if let Some(tiles) = &self.tiles {
            tiles.check()?;
        }
        if self.features.as_ref().is_some_and(|features| features.columns.is_empty()) {
            return refuse("input.features.columns", "must name at least one");
        }
        Ok(())
    }
}

impl Pixels {
    fn check(&self) -> Result<(), ScoreError> {
        let [batch, channels, height, width] = self.shape;
        if (batch, channels) != (-1, 3) {
            return refuse("input.pixels.shape", "must begin with -1, 3: any number of pictures of three channels");
        }
        if !(1..=SIDE_MAX).contains(&height) || !(1..=SIDE_MAX).contains(&width) {
            return refuse("input.pixels.shape", "must end with a height and width of 1 to 4096 px");
        }
        check_numbers(self.scale, &self.mean, &self.std, "input.pixels.mean", "input.pixels.std")?;
        if let Some(short_side) = self.short_side {
            if self.fit != Fit::CentreCrop {
                return refuse("input.pixels.short_side", "goes with the fit `centre-crop` only");
            }
            if !(width.max(height)..=SIDE_MAX).contains(&short_side.into()) {
                return refuse("input.pixels.short_side", "must be at least the input's sides, and at most 4096 px");
            }
        }
        Ok(())
    }
}

impl Tiles {
    fn check(&self) -> Result<(), ScoreError> {
        let [batch, tiles, channels, height, width] = self.shape;
        if (batch, tiles, channels) != (-1, -1, 3) {
            return refuse(
                "input.tiles.shape",
                "must begin with -1, -1, 3: any number of pages and tiles of three channels",
            );
        }
        if !(1..=SIDE_MAX).contains(&height) || !(1..=SIDE_MAX).contains(&width) {
            return refuse("input.tiles.shape", "must end with a height and width of 1 to 4096 px");
        }
        if !(1..=TILES_MAX).contains(&self.tiles_max) {
            return refuse("input.tiles.tiles_max", "must be 1 to 256");
        }
        if !(1..=self.height()).contains(&self.strip_min) {
            return refuse("input.tiles.strip_min", "must be 1 to the height of a tile");
        }
        check_numbers(self.scale, &self.mean, &self.std, "input.tiles.mean", "input.tiles.std")
    }
}

fn check_numbers(
    scale: Option<f32>,
    mean: &[f32; 3],
    std: &[f32; 3],
    mean_key: &'static str,
    std_key: &'static str,
) -> Result<(), ScoreError> {
    if !mean.iter().chain(&scale).all(|number| number.is_finite()) {
        return refuse(mean_key, "must be numbers, and so must scale");
    }
    if !std.iter().all(|number| number.is_normal()) {
        return refuse(std_key, "must be numbers other than 0");
    }
    Ok(())
}
