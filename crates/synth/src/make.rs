//! Triples of one page, made by program and proven by rendering.
//!
//! Operators are tried in an order that chance gives, seeded by the page's own bytes, until enough triples are proven or
//! the tries are used up. The page itself is rendered first: where that does not give the stored pixels, nothing is proven. What
//! was tried and refused is in the answer too, with its reason.

use item::{Digest, Refusal, Rejection, Shown, Snapshot, Task, Triple, Wording};

use crate::edit::{Page, Patch, capitalised, leaks_code, search_replace, unified_diff, write_blocks};
use crate::metric::Picture;
use crate::operator::{Mutation, OPERATORS, Operator, Region};
use crate::rng::Rng;
use crate::rule;
use crate::verify::{EditClaim, Gates, Measures, Renderer, Shot, check_edit, check_polish};

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

/// What came of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// Proven and refused triples, in the order they were tried.
    pub triples: Vec<Triple>,
    /// Renders that it took.
    pub renders: usize,
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
    let mut maker = Maker {
        page: &page,
        snapshot,
        policy,
        renderer,
        seed: Digest::of(snapshot.html.as_bytes()),
        made: Made { triples: Vec::new(), renders: 0 },
    };
    if policy.edits + policy.polishes > 0 {
        maker.run();
    }
    maker.made
}

struct Maker<'a> {
    page: &'a Page<'a>,
    snapshot: &'a Snapshot,
    policy: &'a Policy,
    renderer: &'a dyn Renderer,
    seed: Digest,
    made: Made,
}

impl Maker<'_> {
    fn run(&mut self) {
        let original = match self.proven_original() {
            Ok(picture) => picture,
            Err(detail) => {
                let nothing = self.triple(Task::Edit, self.shown(), self.shown());
                self.add(nothing, Measures::new(), Some(Rejection { rule: rule::UNSTABLE_PAGE, detail }));
                return;
            }
        };
        self.edits(&original);
        self.polishes(&original);
    }

    fn render(&mut self, html: &str) -> Result<Shot, String> {
        self.made.renders += 1;
        self.renderer.render(html)
    }

    fn shown(&self) -> Shown {
        let Snapshot { html, screenshot, width, height, .. } = self.snapshot;
        Shown { html: html.clone(), screenshot: screenshot.clone(), width: *width, height: *height }
    }

    /// The page's picture, if another render gives the same.
    fn proven_original(&mut self) -> Result<Picture, String> {
        let stored = Picture::from_encoded(&self.snapshot.screenshot).map_err(|error| error.to_string())?;
        let again = self.render(&self.snapshot.html)?;
        if again.screenshot == self.snapshot.screenshot {
            return Ok(stored);
        }
        let again = Picture::from_encoded(&again.screenshot).map_err(|error| error.to_string())?;
        if again == stored { Ok(stored) } else { Err("a second render gives other pixels".to_owned()) }
    }

    fn rng(&self, purpose: &str) -> Rng {
        Rng::new(&Digest::of(format!("{} {purpose}", self.seed).as_bytes()))
    }

    /// Adds a triple, proven or refused.
    fn add(&mut self, mut triple: Triple, measures: Measures, refusal: Option<Rejection>) -> bool {
        triple.measures = measures;
        triple.refused = refusal.map(|why| Refusal { rule: why.rule.name.to_owned(), detail: why.detail });
        let is_good = triple.refused.is_none();
        if !is_good {
            // Nobody looks at it again; only its rule goes into the books.
            for shown in [&mut triple.before, &mut triple.after] {
                *shown = Shown { html: String::new(), screenshot: bytes::Bytes::new(), width: 0, height: 0 };
            }
            triple.diff.clear();
            triple.blocks.clear();
        }
        self.made.triples.push(triple);
        is_good
    }

    fn triple(&self, task: Task, before: Shown, after: Shown) -> Triple {
        Triple {
            task,
            before,
            after,
            viewport: self.snapshot.viewport,
            instructions: Vec::new(),
            operators: Vec::new(),
            kind: String::new(),
            severity: 0.0,
            region: None,
            diff: String::new(),
            blocks: String::new(),
            origin: ORIGIN.to_owned(),
            round: 1,
            measures: Measures::new(),
            refused: None,
        }
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
        let (mutation, patch) = self.mutate(operator, severity, rng)?;
        let html = patch.apply(self.page.html());
        let mut triple = self.triple(Task::Edit, self.shown(), self.shown());
        triple.after.html.clone_from(&html);
        triple.instructions = mutation.say.wordings(rng);
        triple.operators = vec![operator.name.to_owned()];
        operator.kind.name().clone_into(&mut triple.kind);
        triple.severity = severity;
        triple.region = mutation.region_box(self.page);
        triple.diff = unified_diff(self.page.html(), &html);
        triple.blocks = write_blocks(&search_replace(self.page.html(), &patch));
        if let Some(why) = self.refuse_words(&triple.instructions).or_else(|| self.refuse_inverse(&patch, &html)) {
            return Some(self.add(triple, Measures::new(), Some(why)));
        }
        let shot = match self.render(&html) {
            Ok(shot) => shot,
            Err(detail) => {
                let why = Rejection { rule: rule::DOES_NOT_RENDER, detail };
                return Some(self.add(triple, Measures::new(), Some(why)));
            }
        };
        let region = triple.region.map(|rect| match mutation.region {
            // What is pushed down may make the page longer.
            Region::Below(_) => item::Rect { height: f32::MAX / 4.0, ..rect },
            _ => rect,
        });
        let claim = EditClaim {
            page: self.page,
            before: original,
            scale: self.snapshot.viewport.device_scale_factor,
            region,
            touched: &mutation.touched,
        };
        let (measures, refusal) = check_edit(&claim, &html, &shot, &self.policy.gates);
        triple.after = shot.shown(html);
        Some(self.add(triple, measures, refusal))
    }

    fn mutate(&self, operator: &Operator, severity: f64, rng: &mut Rng) -> Option<(Mutation, Patch)> {
        let mut sites = (operator.sites)(self.page);
        rng.shuffle(&mut sites);
        sites.iter().find_map(|site| {
            let mutation = (operator.apply)(self.page, site, severity, rng)?;
            let patch = mutation.patch(self.page)?;
            Some((mutation, patch))
        })
    }

    fn refuse_words(&self, instructions: &[Wording]) -> Option<Rejection> {
        let leak = instructions.iter().find_map(|wording| leaks_code(self.page, &wording.text))?;
        Some(Rejection { rule: rule::CODE_IN_INSTRUCTION, detail: format!("it says `{leak}`") })
    }

    /// Undone, the edit must give the very bytes back, whose render has been compared with the stored pixels.
    fn refuse_inverse(&self, patch: &Patch, html: &str) -> Option<Rejection> {
        let back = patch.inverse(self.page.html()).apply(html);
        let detail = || "the inverse patch gives another document".to_owned();
        (back != self.page.html()).then(|| Rejection { rule: rule::INVERSE_DIFFERS, detail: detail() })
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
        let last = self.made.triples.last().and_then(|triple| triple.refused.as_ref());
        last.is_some_and(|why| why.rule == rule.name)
    }

    /// One draft by some operators; `None` where they do nothing here.
    fn polish(&mut self, operators: &[&Operator], severity: f64, original: &Picture, rng: &mut Rng) -> Option<bool> {
        let mut changes = Vec::new();
        let (mut names, mut repairs) = (Vec::new(), Vec::new());
        for operator in operators {
            let Some((mutation, _)) = self.mutate(operator, severity, rng) else { continue };
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
        let mut triple = self.triple(Task::Polish, self.shown(), self.shown());
        triple.before.html.clone_from(&html);
        triple.instructions = polish_wordings(&repairs, rng);
        triple.operators = names;
        "polish".clone_into(&mut triple.kind);
        triple.diff = unified_diff(&html, self.page.html());
        triple.blocks = write_blocks(&search_replace(&html, &patch.inverse(self.page.html())));
        triple.severity = severity;
        if let Some(why) = self.refuse_inverse(&patch, &html) {
            return Some(self.add(triple, Measures::new(), Some(why)));
        }
        let draft = self.render(&html).and_then(|shot| {
            let picture = Picture::from_encoded(&shot.screenshot).map_err(|error| error.to_string())?;
            Ok((shot, picture))
        });
        let (shot, picture) = match draft {
            Ok(draft) => draft,
            Err(detail) => {
                let why = Rejection { rule: rule::DOES_NOT_RENDER, detail };
                return Some(self.add(triple, Measures::new(), Some(why)));
            }
        };
        let (measures, refusal) = check_polish(original, &picture, original, &self.policy.gates);
        triple.before = shot.shown(html);
        Some(self.add(triple, measures, refusal))
    }
}

/// What is asked for when a draft is polished; `detailed` says what is wrong with it.
fn polish_wordings(repairs: &[String], rng: &mut Rng) -> Vec<Wording> {
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
