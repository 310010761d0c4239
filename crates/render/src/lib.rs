//! A page to snapshots, and a Chrome farm that stays healthy.
//!
//! A [`Farm`] keeps a few headless browsers with a few tabs each. Any number of threads call [`Farm::render`]; each call
//! borrows one tab, lets Chrome lay the page out, refuses it by geometry before anything is painted, and otherwise
//! answers with a screenshot and the list of its elements. Nothing of a page leaves the machine: every request is refused
//! in the browser. Blocking code, no runtime: callers bring the threads.

mod browser;
mod card;
mod event;
mod farm;
mod finder;
mod floor;
mod fonts;
mod format;
mod frames;
mod geometry;
mod monitor;
mod name;
mod policy;
mod pool;
mod process;
mod protocol;
mod role;
mod screenshot;
mod sequence;
mod sizes;
mod snapshot;
mod tab;
mod transport;
mod visibility;

pub use card::{CardFault, CardReport, render_card};
pub use event::{FarmEvent, FarmStats, Observer, RestartReason, Step};
pub use farm::{Farm, FarmConfig, FarmError, chrome_build, farm_fingerprint};
pub use finder::{ChromeNotFound, find_chrome};
pub use floor::{Floor, FloorError, FloorPage};
pub use fonts::{FontsError, font_set_digest};
pub use format::{ImageFormat, UnknownFormat};
pub use geometry::{
    MOSTLY_BLANK, NO_AREA, NO_VISIBLE_ELEMENTS, PAGE_TOO_NARROW, PAGE_TOO_TALL, PAGE_TOO_WIDE, RULES,
    TOO_LITTLE_TEXT_AREA, TOO_MANY_VISIBLE_ELEMENTS, TOO_MUCH_TEXT_AREA,
};
pub use policy::{ColorScheme, RenderOutcome, RenderPolicy, Rendered};
