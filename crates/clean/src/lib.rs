//! A capture to a self-contained page.
//!
//! [`clean`] parses a capture as a browser with scripting disabled would, walks the tree through a fixed order of
//! passes (one file each under `pass/`), and writes one HTML document that shows the same and asks nobody for
//! anything. [`element_ranges`] says where each element of such a document stands.

mod assets;
mod audit;
mod clean;
mod css;
mod data_url;
mod dom;
mod mask;
mod measure;
mod original;
mod outline;
mod part;
mod pass;
mod policy;
mod ranges;
mod reencode;
mod resource;
mod rule;
mod scripts;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod tests;
mod trace;

pub use assets::{Asset, Assets, NoAssets};
pub use audit::{Audit, audit};
pub use clean::{clean, clean_at, explain};
pub use measure::{PageKind, WordList, sheet_apart};
pub use original::{Original, original};
pub use outline::outline;
pub use part::{PartFrame, PartPath, part};
pub use policy::{CleanPolicy, FontPolicy, ImagePolicy, Level, Mask, TextPolicy, TokenRanges};
pub use ranges::{ElementRange, element_ranges};
pub use rule::{
    ADULT, APP_SHELL, BAD_WORDS, BLANK, CONSENT_WALL, DIRECTORY_LISTING, ERROR_PAGE, FRAMESET, LANGUAGE, LOGIN_WALL,
    PARKED_DOMAIN, ROBOT_CHECK, RULES, TOO_DEEP, TOO_FEW_TOKENS, TOO_LARGE, TOO_MANY_ELEMENTS, TOO_MANY_TOKENS,
    TOO_MUCH_INPUT, TOO_SHORT, TOO_SMALL, UNSTABLE_MARKUP,
};
pub use scripts::{is_shell, with_scripts};
pub use trace::Removed;
