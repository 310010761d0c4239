//! A fair sample of the edits and drafts: given, wanted, and where the two differ.

use std::collections::BTreeSet;

use dataset::{DatasetError, TripleRow, triple_ids};
use image::{ImageFormat, RgbImage};
use item::{ItemId, Task};

use crate::gallery::sample_key;
use crate::reader::DatasetFiles;
use crate::thumbnail::{PictureBudget, Thumbnail};

/// Triples of each subset that are shown.
pub const TRIPLES_SHOWN_MAX: usize = 16;

/// One triple.
#[derive(Debug)]
pub(crate) struct TripleCard {
    pub(crate) id: ItemId,
    pub(crate) url: String,
    pub(crate) instruction: String,
    /// Operators, or who made it.
    pub(crate) made_by: String,
    /// Pictures side by side, with what they show: what is given, its target where that is not what is wanted, what is wanted, what differs, and
    /// an answer that is not wanted.
    pub(crate) sides: Vec<(&'static str, Option<Thumbnail>)>,
    /// The rule that refused that answer.
    pub(crate) rule: Option<String>,
}

/// The triples of one subset.
#[derive(Debug)]
pub(crate) struct Triples {
    pub(crate) task: Task,
    /// Rows of the subset.
    pub(crate) rows: u64,
    pub(crate) cards: Vec<TripleCard>,
}

/// Chooses and reads the triples to show; subsets without rows are left out.
pub(crate) fn collect(files: &DatasetFiles, budget: &mut PictureBudget) -> Result<Vec<Triples>, DatasetError> {
    let mut all = Vec::new();
    for task in Task::ALL {
        let shards = files.triple_shards(task);
        let mut ids = Vec::new();
        for shard in &shards {
            ids.extend(triple_ids(shard)?);
        }
        let rows = ids.len() as u64;
        ids.sort_by_key(sample_key);
        ids.truncate(TRIPLES_SHOWN_MAX);
        let chosen: BTreeSet<ItemId> = ids.into_iter().collect();
        let mut cards = Vec::new();
        for shard in &shards {
            dataset::each_triple(shard, task, &|id| chosen.contains(id), &mut |row| {
                cards.push(card(row, budget));
                Ok(())
            })?;
        }
        if rows > 0 {
            all.push(Triples { task, rows, cards });
        }
    }
    Ok(all)
}

fn card(row: TripleRow, budget: &mut PictureBudget) -> TripleCard {
    let mut admit = |png: &[u8]| Thumbnail::of(png).and_then(|thumbnail| budget.admit(thumbnail));
    // In pale grey what is wanted, in red where it differs from what is given.
    let difference = difference(&row.before_image, &row.after_image);
    let mut sides = vec![("given", admit(&row.before_image))];
    if let Some(target) = row.target_image.as_ref().filter(|target| **target != row.after_image) {
        sides.push(("target", admit(target)));
    }
    sides.push(("wanted", admit(&row.after_image)));
    sides.push(("difference", difference.and_then(|png| admit(&png))));
    if let Some(worse) = &row.worse {
        sides.push(("not wanted", worse.image.as_ref().and_then(|image| admit(image))));
    }
    TripleCard {
        id: row.id,
        url: row.url,
        instruction: row.instructions.into_iter().next().map(|wording| wording.text).unwrap_or_default(),
        made_by: if row.operators.is_empty() { row.origin } else { row.operators.join(", ") },
        sides,
        rule: row.worse.map(|worse| worse.rule),
    }
}

/// A channel that changes by no more looks the same.
const CHANNEL_STEP: u8 = 16;

fn difference(given: &[u8], wanted: &[u8]) -> Option<Vec<u8>> {
    let decode = |picture| image::load_from_memory(picture).ok().map(image::DynamicImage::into_rgb8);
    let (given, wanted) = (decode(given)?, decode(wanted)?);
    let (width, height) = (given.width().max(wanted.width()), given.height().max(wanted.height()));
    let at = |picture: &RgbImage, x, y| picture.get_pixel_checked(x, y).map_or([255; 3], |pixel| pixel.0);
    let shown = RgbImage::from_fn(width, height, |x, y| {
        let (one, two) = (at(&given, x, y), at(&wanted, x, y));
        if one.iter().zip(&two).any(|(one, two)| one.abs_diff(*two) > CHANNEL_STEP) {
            return image::Rgb([220, 20, 60]);
        }
        let grey = two.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
        image::Rgb([(160 + grey * 95 / 255) as u8; 3])
    });
    let mut png = std::io::Cursor::new(Vec::new());
    shown.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, dark: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, _| image::Rgb([if x < dark { 0 } else { 255 }; 3]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::Png).expect("encode");
        bytes.into_inner()
    }

    #[test]
    fn what_differs_is_red() {
        let shown = difference(&png(8, 4, 2), &png(8, 5, 3)).expect("pictures");
        let shown = image::load_from_memory(&shown).expect("a picture").into_rgb8();
        assert_eq!(shown.dimensions(), (8, 5));
        let red = |x, y| shown.get_pixel(x, y).0 == [220, 20, 60];
        assert_eq!([red(0, 0), red(2, 0), red(3, 0), red(0, 4), red(7, 4)], [false, true, false, true, false]);
        assert_eq!(difference(b"no png", b"no png"), None);
    }
}
