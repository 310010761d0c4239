//! States of a page that a scorer learns from: the page as it is, the same page damaged more and more, and what a crawl brings that
//! is no page at all.
//!
//! Nobody labels anything: a page is better than its damaged copy, and a copy better than one with more of the same damage (ranking
//! by degradation, Wu et al. 2024, UIClip). The damages are those of the drafts that are polished.

mod nonpage;
mod words;

use std::collections::BTreeMap;

use item::{Digest, Snapshot};

use crate::edit::{Page, Patch};
use crate::metric::{Picture, change};
use crate::operator::{OPERATORS, Operator, Principle};
use crate::rng::Rng;
use crate::verify::{Renderer, Shot};

pub use nonpage::NonPage;

/// Bumped when the same page would give other states.
pub const STATES_VERSION: u32 = 1;

/// Strength of a damage, 0 to 1, by severity 1 to 3.
const STRENGTHS: [f64; 3] = [0.2, 0.6, 1.0];

/// What is made of each page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StatesPolicy {
    /// Kinds of damage, each in three severities.
    pub damages: usize,
    /// Kinds of non-page.
    pub non_pages: usize,
    /// Least share of one screen's pixels that a damage changes visibly.
    pub change_min: f64,
}

impl Default for StatesPolicy {
    fn default() -> Self {
        Self { damages: 4, non_pages: 2, change_min: 0.005 }
    }
}

/// What a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateKind {
    /// The page as it is.
    Original,
    /// Damaged by an operator.
    Damaged {
        /// The operator's name.
        operator: &'static str,
        /// What it breaks.
        breaks: Principle,
        /// 1 to 3.
        severity: u8,
    },
    /// What a crawl brings that nobody should learn from.
    NonPage(NonPage),
}

impl StateKind {
    /// The name, as in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Damaged { operator, .. } => operator,
            Self::NonPage(kind) => kind.name(),
        }
    }

    /// `original`, `degraded` or `negative`.
    pub const fn family(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Damaged { .. } => "degraded",
            Self::NonPage(_) => "negative",
        }
    }

    /// The principle of design that it breaks.
    pub const fn principle(self) -> Option<&'static str> {
        match self {
            Self::Original => None,
            Self::Damaged { breaks, .. } => Some(breaks.name()),
            Self::NonPage(kind) => Some(kind.principle().name()),
        }
    }

    /// 0 for the original, 1 to 3 for damages, 3 for what is no page.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Original => 0,
            Self::Damaged { severity, .. } => severity,
            Self::NonPage(_) => 3,
        }
    }
}

/// A state of a page, and how it looks.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What it is.
    pub kind: StateKind,
    /// Share of pixels that differ visibly from the original, 0 to 1.
    pub changed: f64,
    /// How it looks.
    pub shot: Shot,
}

/// What came of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct States {
    /// The states, the original first; empty where the page does not render as it is stored.
    pub states: Vec<State>,
    /// How many states were left out, by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// The page does not give its stored pixels again.
pub const UNSTABLE: &str = "unstable page";
/// Nothing changed that can be seen.
pub const INVISIBLE: &str = "nothing to see";
/// A document that Chrome does not show.
pub const NOT_SHOWN: &str = "does not render";

/// Makes the states of a page. The renderer must show documents as the snapshot was rendered.
pub fn states(snapshot: &Snapshot, policy: &StatesPolicy, renderer: &dyn Renderer) -> States {
    let mut made = States::default();
    let Some((shot, picture)) = original(snapshot, renderer) else {
        made.leave_out(UNSTABLE);
        return made;
    };
    let maker = Maker { page: &Page::new(snapshot), seed: Digest::of(snapshot.html.as_bytes()), renderer, picture };
    made.states.push(State { kind: StateKind::Original, changed: 0.0, shot });
    let screens = f64::from(snapshot.height) / f64::from(snapshot.viewport.height.max(1));
    let least = policy.change_min / screens.max(1.0);
    maker.damages(policy.damages, least, &mut made);
    maker.non_pages(policy.non_pages, least, &mut made);
    made
}

/// The page again, where that gives the stored pixels.
fn original(snapshot: &Snapshot, renderer: &dyn Renderer) -> Option<(Shot, Picture)> {
    let stored = Picture::from_encoded(&snapshot.screenshot).ok()?;
    let shot = renderer.render(&snapshot.html).ok()?;
    let is_same = shot.screenshot == snapshot.screenshot
        || Picture::from_encoded(&shot.screenshot).is_ok_and(|again| again == stored);
    is_same.then_some((shot, stored))
}

impl States {
    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }
}

struct Maker<'a> {
    page: &'a Page<'a>,
    seed: Digest,
    renderer: &'a dyn Renderer,
    picture: Picture,
}

impl Maker<'_> {
    fn rng(&self, purpose: &str) -> Rng {
        Rng::new(&Digest::of(format!("{} states {purpose}", self.seed).as_bytes()))
    }

    /// Operators in the order that chance gives, until enough of them have done something that can be seen.
    fn damages(&self, wanted: usize, least: f64, made: &mut States) {
        let mut operators: Vec<&'static Operator> =
            OPERATORS.iter().copied().filter(|operator| operator.breaks.is_some()).collect();
        self.rng("damages").shuffle(&mut operators);
        let mut missing = wanted;
        for operator in operators.into_iter().filter(|operator| !(operator.sites)(self.page).is_empty()) {
            if missing == 0 {
                return;
            }
            let before = made.states.len();
            self.damage(operator, least, made);
            missing -= usize::from(made.states.len() > before);
        }
    }

    fn non_pages(&self, wanted: usize, least: f64, made: &mut States) {
        let mut kinds = NonPage::ALL.to_vec();
        self.rng("non-pages").shuffle(&mut kinds);
        let mut missing = wanted;
        for kind in kinds {
            if missing == 0 {
                return;
            }
            let before = made.states.len();
            self.non_page(kind, least, made);
            missing -= usize::from(made.states.len() > before);
        }
    }

    /// One damage in every severity. Each level begins with the same chance, so that it has what the one below has, and more.
    fn damage(&self, operator: &'static Operator, least: f64, made: &mut States) {
        let Some(breaks) = operator.breaks else { return };
        let mut below: Option<String> = None;
        for (severity, strength) in (1..).zip(STRENGTHS) {
            let html = damaged(self.page, operator, strength, &mut self.rng(operator.name));
            let Some(html) = html.filter(|html| below.as_ref() != Some(html)) else {
                made.leave_out(INVISIBLE);
                continue;
            };
            self.add(StateKind::Damaged { operator: operator.name, breaks, severity }, &html, least, made);
            below = Some(html);
        }
    }

    fn non_page(&self, kind: NonPage, least: f64, made: &mut States) {
        match kind.make(self.page, &mut self.rng(kind.name())) {
            Some(html) => self.add(StateKind::NonPage(kind), &html, least, made),
            None => made.leave_out(INVISIBLE),
        }
    }

    fn add(&self, kind: StateKind, html: &str, least: f64, made: &mut States) {
        let Ok(shot) = self.renderer.render(html) else { return made.leave_out(NOT_SHOWN) };
        let Ok(picture) = Picture::from_encoded(&shot.screenshot) else { return made.leave_out(NOT_SHOWN) };
        let changed = change(&self.picture, &picture).share;
        if changed < least {
            return made.leave_out(INVISIBLE);
        }
        made.states.push(State { kind, changed, shot });
    }
}

/// The page with the damage at as large a share of the operator's sites as it is strong.
fn damaged(page: &Page<'_>, operator: &Operator, strength: f64, rng: &mut Rng) -> Option<String> {
    let mut sites = (operator.sites)(page);
    rng.shuffle(&mut sites);
    let count = (sites.len() as f64 * strength).ceil() as usize;
    let mut changes = Vec::new();
    for site in sites.iter().take(count) {
        let Some(mutation) = (operator.apply)(page, site, strength, rng) else { continue };
        let together: Vec<_> = changes.iter().cloned().chain(mutation.changes).collect();
        // Two damages of one place have no order: the second one is left out.
        if Patch::new(page.html(), together.clone()).is_ok() {
            changes = together;
        }
    }
    let html = Patch::new(page.html(), changes).ok()?.apply(page.html());
    (html != page.html()).then_some(html)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Cursor;

    use item::Viewport;

    use super::*;
    use crate::fixture::Fixture;

    /// Draws a document by its bytes.
    struct Painter(Fixture);

    fn draw(html: &str) -> bytes::Bytes {
        let picture = image::RgbImage::from_fn(1280, 400, |x, y| {
            let level = html.as_bytes().get((y * 32 + x / 40) as usize).copied().unwrap_or(255);
            image::Rgb([level, level, 200])
        });
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).expect("writes to memory");
        png.into_inner().into()
    }

    impl Renderer for Painter {
        fn render(&self, html: &str) -> Result<Shot, String> {
            Ok(Shot { screenshot: draw(html), width: 1280, height: 400, nodes: self.0.nodes().to_vec() })
        }
    }

    fn sample() -> (Snapshot, Painter) {
        let fixture = Fixture::sample();
        let snapshot = Snapshot {
            html: fixture.html().to_owned(),
            viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
            screenshot: draw(fixture.html()),
            width: 1280,
            height: 400,
            nodes: fixture.nodes().to_vec(),
        };
        (snapshot, Painter(fixture))
    }

    #[test]
    fn a_page_gives_the_same_chains_and_non_pages_again() {
        let (snapshot, painter) = sample();
        let policy = StatesPolicy { damages: 3, ..StatesPolicy::default() };
        let made = states(&snapshot, &policy, &painter);
        assert_eq!(made, states(&snapshot, &policy, &painter));
        assert_eq!(made.states[0].kind, StateKind::Original);
        let of = |family| made.states.iter().filter(|state| state.kind.family() == family).collect::<Vec<_>>();
        let kinds: BTreeSet<_> = of("degraded").iter().map(|state| state.kind.name()).collect();
        assert_eq!(kinds.len(), 3);
        assert!(of("degraded").iter().all(|state| (1..=3).contains(&state.kind.severity())));
        assert!(of("negative").iter().all(|state| state.kind.severity() == 3 && state.kind.principle().is_some()));
        assert_eq!(of("original").len() + of("degraded").len() + of("negative").len(), made.states.len());
        assert_eq!(of("negative").len(), 2);
    }

    #[test]
    fn more_of_a_damage_changes_more() {
        let (snapshot, _) = sample();
        let page = Page::new(&snapshot);
        let rng = || Rng::new(&Digest::of(b"seed"));
        for operator in OPERATORS.iter().filter(|operator| operator.breaks.is_some()) {
            let sizes: Vec<_> = STRENGTHS
                .iter()
                .filter_map(|&strength| damaged(&page, operator, strength, &mut rng()))
                .map(|html| similar::TextDiff::from_chars(page.html(), &html).ops().len())
                .collect();
            assert!(sizes.first() <= sizes.last(), "{}: {sizes:?}", operator.name);
        }
    }

    #[test]
    fn nothing_is_made_of_a_page_that_changes_by_itself() {
        let (mut snapshot, painter) = sample();
        snapshot.screenshot = draw("another");
        let made = states(&snapshot, &StatesPolicy::default(), &painter);
        assert_eq!((made.states.len(), made.left_out), (0, BTreeMap::from([(UNSTABLE, 1)])));
    }
}
