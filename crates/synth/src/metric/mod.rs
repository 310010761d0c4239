//! How alike two pages are: pixels, colours, blocks of text, boxes, trees, lines of code.
//!
//! Every metric is a pure function; each file names its source. Similarities lie between 0 (nothing in common) and 1 (the
//! same), so that they can be compared and averaged.

mod assign;
mod block;
mod boxes;
mod color;
mod layout;
mod lines;
mod merge;
mod palette;
mod picture;
mod pixel;
mod ssim;
mod text;
mod tree;

pub use block::{Block, BlockScore, block_match, blocks};
pub use boxes::{box_iou, layout_iou};
pub use color::{Lab, ciede2000, contrast, css_color};
pub use layout::{LAYOUT_FEATURES, LAYOUT_SET, layout_features};
pub use lines::line_jaccard;
pub use palette::{Swatch, palette, palette_similarity};
pub use picture::{Picture, PictureError};
pub use pixel::{Change, change, change_outside};
pub use ssim::{content_coverage, gated_ssim, ms_ssim, ssim, ssim_gray, ssim_half};
pub use text::ratio;
pub use tree::{TreeScore, tree_score};
