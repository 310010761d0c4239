//! A page that is too long, shortened so that it still looks like itself.
//!
//! First long runs of like elements lose their ends: a table of three hundred rows shows no more than one of thirty. Then
//! long texts lose theirs. It goes step by step, and as far as it has to.

mod items;
mod refer;
mod text;

use std::collections::HashSet;
use std::ops::AddAssign;

use crate::dom::{Dom, NodeId};
use refer::Referred;

/// What a step leaves: items of a run, and units of a text (see [`text`]).
struct Step {
    items: usize,
    units: Option<usize>,
}

/// From what hardly shows to what leaves the frame of a page. Each step leaves some two thirds of the one before.
const STEPS: &[Step] = &[
    Step { items: 50, units: None },
    Step { items: 30, units: None },
    Step { items: 20, units: None },
    Step { items: 12, units: None },
    Step { items: 8, units: None },
    Step { items: 5, units: None },
    Step { items: 3, units: None },
    Step { items: 3, units: Some(200) },
    Step { items: 3, units: Some(120) },
    Step { items: 3, units: Some(80) },
    Step { items: 3, units: Some(50) },
    Step { items: 3, units: Some(30) },
    Step { items: 3, units: Some(15) },
];

/// What was cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) items: usize,
    pub(crate) texts: usize,
}

impl AddAssign for Cut {
    fn add_assign(&mut self, other: Self) {
        self.items += other.items;
        self.texts += other.texts;
    }
}

/// How far a page has been shortened.
#[derive(Debug, Default)]
pub(crate) struct Truncation {
    step: usize,
}

impl Truncation {
    /// Goes on step by step until the page is no longer too long, or nothing more may be cut.
    pub(crate) fn shorten(&mut self, dom: &mut Dom, is_too_long: impl Fn(&Dom) -> bool) -> Cut {
        let referred = Referred::of(dom);
        let mut items = 0;
        let mut texts: HashSet<NodeId> = HashSet::new();
        for (at, step) in STEPS.iter().enumerate().skip(self.step) {
            self.step = at;
            let items_cut = items::cut(dom, step.items, &referred);
            let texts_cut = step.units.map(|units| text::cut(dom, units, &referred)).unwrap_or_default();
            let has_changed = items_cut > 0 || !texts_cut.is_empty();
            items += items_cut;
            texts.extend(texts_cut);
            if has_changed && !is_too_long(dom) {
                break;
            }
        }
        Cut { items, texts: texts.len() }
    }
}
