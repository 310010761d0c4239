//! Triples of one page, made by program and proven by rendering.
//!
//! Operators are tried in an order that chance gives, seeded by the page's own bytes, until enough triples are proven or
//! the tries are used up. The page itself is rendered first: where that does not give the stored pixels, nothing is proven. What
//! was tried and refused is in the answer too, with its reason.

use item::{Digest, Rejection, Snapshot, Task, Wording};

use crate::edit::{Page, Patch, capitalised, leaks_code, search_replace, unified_diff, write_blocks};
use crate::metric::Picture;
use crate::operator::{Mutation, OPERATORS, Operator};
use crate::rng::Rng;
use crate::rule;
use crate::tries::{Made, Tries};
use crate::verify::{EditClaim, Gates, Measures, Renderer, check_edit, check_polish};

/// How many triples are wanted of a page, and when one is good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Edits wanted.
    pub edits: usize,
    /// Polish triples wanted.
    pub polishes: usize,
    /// Renders spent on each wanted triple at most.
    pub tries: usize,
    /// When a triple is good.
    pub gates: Gates,
}

impl Default for Policy {
    fn default() -> Self {
        Self { edits: 2, polishes: 2, tries: 4, gates: Gates::default() }
    }
}

/// Bumped when the same page would give other triples.
pub const OPERATORS_VERSION: u32 = 1;
/// Who makes triples here.
const ORIGIN: &str = "program";
/// Damages of a draft at most.
const DAMAGES_MAX: usize = 3;

/// Makes triples of a page. The renderer must show documents as the snapshot was rendered.
pub fn make(snapshot: &Snapshot, policy: &Policy, renderer: &dyn Renderer) -> Made {
    let page = Page::new(snapshot);
    let seed = Digest::of(snapshot.html.as_bytes());
    let mut maker = Maker { page: &page, policy, seed, tries: Tries::new(snapshot, renderer, ORIGIN) };
    if policy.edits + policy.polishes > 0
        && let Some(original) = maker.tries.proven_original()
    {
        maker.edits(&original);
        maker.polishes(&original);
    }
    maker.tries.made
}

struct Maker<'a> {
    page: &'a Page<'a>,
    policy: &'a Policy,
    seed: Digest,
    tries: Tries<'a>,
}

impl Maker<'_> {
    fn rng(&self, purpose: &str) -> Rng {
        Rng::new(&Digest::of(format!("{} {purpose}", self.seed).as_bytes()))
    }

    fn edits(&mut self, original: &Picture) {
        let mut rng = self.rng("edit");
        let mut operators: Vec<&Operator> =
            OPERATORS.iter().copied().filter(|operator| operator.breaks.is_none()).collect();
        rng.shuffle(&mut operators);
        let (mut proven, mut tries) = (0, self.policy.edits * self.policy.tries);
        for operator in operators {
            if proven == self.policy.edits || tries == 0 {
                return;
            }
            if let Some(is_good) = self.edit(operator, original, &mut rng) {
                tries -= 1;
                proven += usize::from(is_good);
            }
        }
    }

    /// One edit by one operator; `None` where it has nothing to do on the page.
    fn edit(&mut self, operator: &Operator, original: &Picture, rng: &mut Rng) -> Option<bool> {
        let severity = 0.25 + 0.75 * rng.unit();
        let prepared = Prepared::new(self.page, operator, severity, rng)?;
        Some(prepared.check(&mut self.tries, self.page, original, &self.policy.gates, rng))
    }

    fn polishes(&mut self, original: &Picture) {
        let mut rng = self.rng("polish");
        let mut operators: Vec<&Operator> =
            OPERATORS.iter().copied().filter(|operator| operator.breaks.is_some()).collect();
        rng.shuffle(&mut operators);
        let mut turn = operators.into_iter().cycle();
        let (mut proven, mut tries) = (0, self.policy.polishes * self.policy.tries);
        // A draft that is too near is followed by a stronger one, and the other way round.
        let mut severity = 0.5;
        while proven < self.policy.polishes && tries > 0 {
            tries -= 1;
            let count = 1 + rng.below(DAMAGES_MAX);
            let chosen: Vec<&Operator> = turn.by_ref().take(count).collect();
            match self.polish(&chosen, severity, original, &mut rng) {
                Some(true) => proven += 1,
                Some(false) if self.is_last(&rule::DRAFT_TOO_FAR) => severity = (severity - 0.2_f64).max(0.1),
                _ => severity = (severity + 0.2_f64).min(1.0),
            }
        }
    }

    fn is_last(&self, rule: &item::Rule) -> bool {
        let last = self.tries.made.triples.last().and_then(|triple| triple.refused.as_ref());
        last.is_some_and(|why| why.rule == rule.name)
    }

    /// One draft by some operators; `None` where they do nothing here.
    fn polish(&mut self, operators: &[&Operator], severity: f64, original: &Picture, rng: &mut Rng) -> Option<bool> {
        let mut changes = Vec::new();
        let (mut names, mut repairs) = (Vec::new(), Vec::new());
        for operator in operators {
            let Some(Prepared { mutation, .. }) = Prepared::new(self.page, operator, severity, rng) else { continue };
            let together: Vec<_> = changes.iter().cloned().chain(mutation.changes).collect();
            // Two damages of one place have no order: the second one is left out.
            if Patch::new(self.page.html(), together.clone()).is_ok() {
                changes = together;
                names.push(operator.name.to_owned());
                repairs.push(mutation.say.exact);
            }
        }
        if names.is_empty() {
            return None;
        }
        let patch = Patch::new(self.page.html(), changes).ok()?;
        let html = patch.apply(self.page.html());
        let mut triple = self.tries.triple(Task::Polish, self.tries.shown(), self.tries.shown());
        triple.before.html.clone_from(&html);
        triple.instructions = polish_wordings(&repairs, rng);
        triple.operators = names;
        "polish".clone_into(&mut triple.kind);
        triple.diff = unified_diff(&html, self.page.html());
        triple.blocks = write_blocks(&search_replace(&html, &patch.inverse(self.page.html())));
        triple.severity = severity;
        if let Some(why) = refuse_inverse(self.page, &patch, &html) {
            return Some(self.tries.add(triple, Measures::new(), Some(why)));
        }
        let (shot, picture) = match self.tries.picture(&html) {
            Ok(draft) => draft,
            Err(why) => return Some(self.tries.add(triple, Measures::new(), Some(why))),
        };
        let (measures, refusal) = check_polish(original, &picture, original, &self.policy.gates);
        triple.before = shot.shown(html);
        Some(self.tries.add(triple, measures, refusal))
    }
}

/// An operator's work at one place, not yet looked at.
pub(crate) struct Prepared<'a> {
    operator: &'a Operator,
    severity: f64,
    pub(crate) mutation: Mutation,
    patch: Patch,
}

impl<'a> Prepared<'a> {
    /// At a place that chance gives; `None` where the operator has nothing to do on the page.
    pub(crate) fn new(page: &Page<'_>, operator: &'a Operator, severity: f64, rng: &mut Rng) -> Option<Self> {
        let mut sites = (operator.sites)(page);
        rng.shuffle(&mut sites);
        sites.iter().find_map(|site| {
            let mutation = (operator.apply)(page, site, severity, rng)?;
            let patch = mutation.patch(page)?;
            Some(Self { operator, severity, mutation, patch })
        })
    }

    /// Renders it and checks it, and says whether it is good.
    pub(crate) fn check(
        self,
        tries: &mut Tries<'_>,
        page: &Page<'_>,
        original: &Picture,
        gates: &Gates,
        rng: &mut Rng,
    ) -> bool {
        let Self { operator, severity, mutation, patch } = self;
        let html = patch.apply(page.html());
        let mut triple = tries.triple(Task::Edit, tries.shown(), tries.shown());
        triple.after.html.clone_from(&html);
        triple.instructions = mutation.say.wordings(rng);
        triple.operators = vec![operator.name.to_owned()];
        operator.kind.name().clone_into(&mut triple.kind);
        triple.severity = severity;
        triple.region = mutation.region.shown_box(page);
        triple.diff = unified_diff(page.html(), &html);
        triple.blocks = write_blocks(&search_replace(page.html(), &patch));
        let refusal = refuse_words(page, &triple.instructions).or_else(|| refuse_inverse(page, &patch, &html));
        if let Some(why) = refusal {
            return tries.add(triple, Measures::new(), Some(why));
        }
        let shot = match tries.render(&html) {
            Ok(shot) => shot,
            Err(why) => return tries.add(triple, Measures::new(), Some(why)),
        };
        let claim = EditClaim {
            page,
            before: original,
            viewport: tries.snapshot.viewport,
            region: mutation.region.allowed_box(page),
            touched: &mutation.touched,
        };
        let (measures, refusal) = check_edit(&claim, &html, &shot, gates);
        triple.after = shot.shown(html);
        tries.add(triple, measures, refusal)
    }
}

pub(crate) fn refuse_words(page: &Page<'_>, instructions: &[Wording]) -> Option<Rejection> {
    let leak = instructions.iter().find_map(|wording| leaks_code(page, &wording.text))?;
    Some(Rejection { rule: rule::CODE_IN_INSTRUCTION, detail: format!("it says `{leak}`") })
}

/// Undone, the edit must give the very bytes back, whose render has been compared with the stored pixels.
fn refuse_inverse(page: &Page<'_>, patch: &Patch, html: &str) -> Option<Rejection> {
    let back = patch.inverse(page.html()).apply(html);
    let detail = || "the inverse patch gives another document".to_owned();
    (back != page.html()).then(|| Rejection { rule: rule::INVERSE_DIFFERS, detail: detail() })
}

/// What is asked for when a draft is polished; `detailed` says what is wrong with it.
pub(crate) fn polish_wordings(repairs: &[String], rng: &mut Rng) -> Vec<Wording> {
    let pick = |rng: &mut Rng, from: &[&str]| capitalised(rng.pick(from).copied().unwrap_or_default());
    let detailed = format!("Make the page look like the target screenshot. {}", repairs.join(" "));
    let short = pick(rng, &["Make the page look like the target.", "Match the target screenshot."]);
    let human = pick(
        rng,
        &[
            "My page is not quite there yet, please bring it closer to the target screenshot.",
            "Here is the design and here is my page. Please fix the differences.",
        ],
    );
    let talk = pick(
        rng,
        &[
            "Could you compare my page with the design and correct whatever is off? Thanks!",
            "We are nearly there. Have a look at the target and polish the page until it looks the same.",
        ],
    );
    [("detailed", detailed), ("short", short), ("human", human), ("conversational", talk)]
        .into_iter()
        .map(|(style, text)| Wording { style: style.to_owned(), text })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Cursor;

    use item::Viewport;

    use super::*;
    use crate::fixture::Fixture;
    use crate::verify::Shot;

    /// Draws a document by its bytes: every document has a picture of its own, and nothing else is shown.
    struct Painter {
        fixture: Fixture,
        asked: RefCell<usize>,
        moody: bool,
    }

    fn draw(html: &str, noise: usize) -> bytes::Bytes {
        let original = Fixture::sample().html().to_owned();
        let width = 1280;
        let picture = image::RgbImage::from_fn(width, 1000, |x, y| {
            let place = (y * width + x) as usize / 40;
            let is_other = html.as_bytes().get(place) != original.as_bytes().get(place);
            let value = if is_other { 10 } else { (place * 37 % 200) as u8 + (noise as u8) };
            image::Rgb([value, value, 200])
        });
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, image::ImageFormat::Png).expect("writes to memory");
        png.into_inner().into()
    }

    impl Renderer for Painter {
        fn render(&self, html: &str) -> Result<Shot, String> {
            *self.asked.borrow_mut() += 1;
            let noise = if self.moody { *self.asked.borrow() } else { 0 };
            Ok(Shot { screenshot: draw(html, noise), width: 1280, height: 1000, nodes: self.fixture.nodes().to_vec() })
        }
    }

    fn sample() -> (Snapshot, Painter) {
        let fixture = Fixture::sample();
        let snapshot = Snapshot {
            html: fixture.html().to_owned(),
            viewport: Viewport { width: 1280, height: 720, device_scale_factor: 1.0 },
            screenshot: draw(fixture.html(), 0),
            width: 1280,
            height: 1000,
            nodes: fixture.nodes().to_vec(),
        };
        (snapshot, Painter { fixture, asked: RefCell::new(0), moody: false })
    }

    #[test]
    fn the_same_page_gives_the_same_triples() {
        let (snapshot, painter) = sample();
        let made = make(&snapshot, &Policy::default(), &painter);
        assert_eq!(made, make(&snapshot, &Policy::default(), &painter));
        assert_eq!(*painter.asked.borrow(), 2 * made.renders);
        assert!(made.triples.iter().any(|triple| triple.task == Task::Edit));
        assert!(made.triples.iter().any(|triple| triple.task == Task::Polish));
        for triple in &made.triples {
            assert!(triple.instructions.len() == 4 && !triple.operators.is_empty(), "{:?}", triple.operators);
            if triple.refused.is_some() {
                continue;
            }
            let (given, wanted) = (&triple.before.html, &triple.after.html);
            let original = if triple.task == Task::Edit { given } else { wanted };
            assert_eq!(original, &snapshot.html);
            assert_ne!(given, wanted);
        }
    }

    #[test]
    fn nothing_is_made_of_a_page_that_changes_by_itself() {
        let (snapshot, mut painter) = sample();
        painter.moody = true;
        let made = make(&snapshot, &Policy::default(), &painter);
        let rules: Vec<&str> = made.triples.iter().filter_map(|t| Some(t.refused.as_ref()?.rule.as_str())).collect();
        assert_eq!((rules, made.renders), (vec!["unstable-page"], 1));
    }

    #[test]
    fn nothing_wanted_costs_nothing() {
        let (snapshot, painter) = sample();
        let policy = Policy { edits: 0, polishes: 0, ..Policy::default() };
        assert_eq!(make(&snapshot, &policy, &painter), Made { triples: Vec::new(), renders: 0 });
    }
}
