//! All that a graph sees of one page.

use item::Failure;

use crate::manifest::{CheckInput, Inputs};
use crate::picture::{Decoded, Levels, PictureError};
use crate::tiles::Tiled;

/// A page as the inputs of a manifest want it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) pixels: Levels,
    pub(crate) tiles: Option<Tiled>,
    pub(crate) features: Vec<f32>,
}

impl Seen {
    /// Of a screenshot and the numbers of its layout; none of these where there is no page.
    pub(crate) fn of_encoded(picture: &[u8], features: &[f32], inputs: &Inputs) -> Result<Self, Failure> {
        let decoded = Decoded::of_encoded(picture).map_err(|error| error.failure())?;
        Self::of(&decoded, features, inputs).map_err(|error| error.failure())
    }

    /// Of a decoded screenshot.
    pub(crate) fn of(picture: &Decoded, features: &[f32], inputs: &Inputs) -> Result<Self, PictureError> {
        let tiles = inputs.tiles.as_ref().map(|tiles| Tiled::of(picture, tiles)).transpose()?;
        Ok(Self { pixels: Levels::of(picture, &inputs.pixels)?, tiles, features: fitting(features, inputs) })
    }

    /// Of the fixed input of a manifest's check: no numbers of a layout are known.
    pub(crate) fn of_check(check: CheckInput, inputs: &Inputs) -> Self {
        Self {
            pixels: Levels::of_check(check, &inputs.pixels),
            tiles: inputs.tiles.as_ref().map(|tiles| Tiled::of_check(check, tiles)),
            features: fitting(&[], inputs),
        }
    }
}

/// As many numbers as the model has columns.
fn fitting(features: &[f32], inputs: &Inputs) -> Vec<f32> {
    let columns = inputs.features.as_ref().map_or(0, |features| features.columns.len());
    if features.is_empty() {
        return vec![f32::NAN; columns];
    }
    assert_eq!(features.len(), columns, "a number for each column of the manifest");
    features.to_vec()
}
