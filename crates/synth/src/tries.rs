//! What is tried on one page: renders of it, triples that were proven and triples that were refused.

use item::{Refusal, Rejection, Shown, Snapshot, Task, Triple};

use crate::metric::Picture;
use crate::rule;
use crate::verify::{Measures, Renderer, Shot};

/// What came of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Made {
    /// Proven and refused triples, in the order they were tried.
    pub triples: Vec<Triple>,
    /// Renders that it took.
    pub renders: usize,
}

/// Tries on one page by one author.
pub(crate) struct Tries<'a> {
    pub(crate) snapshot: &'a Snapshot,
    renderer: &'a dyn Renderer,
    origin: &'a str,
    pub(crate) made: Made,
}

impl<'a> Tries<'a> {
    /// `origin` says who makes the triples.
    pub(crate) fn new(snapshot: &'a Snapshot, renderer: &'a dyn Renderer, origin: &'a str) -> Self {
        Self { snapshot, renderer, origin, made: Made::default() }
    }

    pub(crate) fn render(&mut self, html: &str) -> Result<Shot, Rejection> {
        self.made.renders += 1;
        self.renderer.render(html).map_err(|detail| Rejection { rule: rule::DOES_NOT_RENDER, detail })
    }

    /// A render and its pixels.
    pub(crate) fn picture(&mut self, html: &str) -> Result<(Shot, Picture), Rejection> {
        let shot = self.render(html)?;
        let picture = Picture::from_encoded(&shot.screenshot);
        let picture = picture.map_err(|error| Rejection { rule: rule::DOES_NOT_RENDER, detail: error.to_string() })?;
        Ok((shot, picture))
    }

    /// Whether another render of a document gives the same pixels.
    pub(crate) fn repeats(&mut self, shown: &Shown) -> bool {
        let Ok(again) = self.render(&shown.html) else { return false };
        let pixels = |encoded: &[u8]| Picture::from_encoded(encoded).ok();
        again.screenshot == shown.screenshot || pixels(&again.screenshot) == pixels(&shown.screenshot)
    }

    /// The page as it is stored.
    pub(crate) fn shown(&self) -> Shown {
        let Snapshot { html, screenshot, width, height, .. } = self.snapshot;
        Shown { html: html.clone(), screenshot: screenshot.clone(), width: *width, height: *height }
    }

    /// The page's picture, if another render gives the same; otherwise that nothing can be proven on it is what comes of it.
    pub(crate) fn proven_original(&mut self) -> Option<Picture> {
        match self.original_again() {
            Ok(picture) => Some(picture),
            Err(detail) => {
                let nothing = self.triple(Task::Edit, self.shown(), self.shown());
                self.add(nothing, Measures::new(), Some(Rejection { rule: rule::UNSTABLE_PAGE, detail }));
                None
            }
        }
    }

    fn original_again(&mut self) -> Result<Picture, String> {
        let stored = Picture::from_encoded(&self.snapshot.screenshot).map_err(|error| error.to_string())?;
        let again = self.render(&self.snapshot.html).map_err(|why| why.detail)?;
        if again.screenshot == self.snapshot.screenshot {
            return Ok(stored);
        }
        let again = Picture::from_encoded(&again.screenshot).map_err(|error| error.to_string())?;
        if again == stored { Ok(stored) } else { Err("a second render gives other pixels".to_owned()) }
    }

    /// Adds a triple, proven or refused, and says which.
    pub(crate) fn add(&mut self, mut triple: Triple, measures: Measures, refusal: Option<Rejection>) -> bool {
        triple.measures.extend(measures);
        triple.refused = refusal.map(Refusal::from);
        let is_good = triple.refused.is_none();
        if !is_good {
            // Nobody looks at it again; only its rule goes into the books.
            triple.before = Shown::nothing();
            triple.after = Shown::nothing();
            triple.target = None;
            triple.diff.clear();
            triple.blocks.clear();
            triple.reasoning = None;
        }
        self.made.triples.push(triple);
        is_good
    }

    /// A triple of which nothing is known yet but its pages.
    pub(crate) fn triple(&self, task: Task, before: Shown, after: Shown) -> Triple {
        Triple {
            task,
            before,
            after,
            target: None,
            worse: None,
            viewport: self.snapshot.viewport,
            instructions: Vec::new(),
            operators: Vec::new(),
            kind: String::new(),
            severity: 0.0,
            region: None,
            diff: String::new(),
            blocks: String::new(),
            origin: self.origin.to_owned(),
            round: 1,
            trajectory: None,
            reasoning: None,
            measures: Measures::new(),
            refused: None,
        }
    }
}
