//! Drafts that a model writes from a screenshot, and brings nearer to it round by round.

use item::{Digest, Rejection, Shown, Task, Triple};

use super::prompt::{DRAFT, POLISH};
use super::said::{document, whole};
use super::shorten::Shortened;
use super::{Author, Written, code_only, count_tokens};
use crate::make::polish_wordings;
use crate::metric::{Picture, content_coverage};
use crate::rng::Rng;
use crate::rule;
use crate::verify::{Measures, check_draft, check_nearer};
use crate::vlm::{Part, VlmError};

/// A draft of a page shows at least this share of what the page shows.
const COVERAGE_MIN: f64 = 0.2;
/// A draft is at most so many times as tall as the page, or as low.
const HEIGHTS_MAX: f64 = 2.5;

/// Where most of a page is white, SSIM calls a blank one a likeness.
fn refuse_other_page(target: &Picture, draft: &Picture) -> Option<Rejection> {
    let (wanted, shown) = (content_coverage(target), content_coverage(draft));
    let ratio = f64::from(draft.height()) / f64::from(target.height().max(1));
    let detail = if shown < wanted * COVERAGE_MIN {
        format!("content covers {shown:.3} of the draft, {wanted:.3} of the page")
    } else if !(1.0 / HEIGHTS_MAX..=HEIGHTS_MAX).contains(&ratio) {
        format!("the draft is {ratio:.2} times as tall as the page")
    } else {
        return None;
    };
    Some(Rejection { rule: rule::DRAFT_TOO_FAR, detail })
}

/// A draft that renders.
struct Draft {
    shown: Shown,
    picture: Picture,
}

/// Code that was written, or why there is none.
type Attempt = Result<Written, (Shown, Rejection)>;

impl Author<'_> {
    pub(super) fn drafts(&mut self, original: &Picture) -> Result<(), VlmError> {
        for number in 0..self.policy.drafts {
            let purpose = format!("draft {number}");
            let trajectory = Digest::of(format!("{} {purpose}", self.seed).as_bytes()).short();
            let Some(mut draft) = self.first_draft(&purpose, &trajectory, original)? else { continue };
            for round in 1..=self.policy.rounds {
                match self.nearer_draft(&purpose, &trajectory, round, &draft, original)? {
                    Some(nearer) => draft = nearer,
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn triple_of(&self, before: Shown, after: Shown, trajectory: &str, round: u32) -> Triple {
        let mut triple = self.tries.triple(Task::Polish, before, after);
        let mut rng = Rng::new(&Digest::of(format!("{} {trajectory} {round}", self.seed).as_bytes()));
        triple.instructions = polish_wordings(&[], &mut rng);
        "polish".clone_into(&mut triple.kind);
        triple.trajectory = Some(trajectory.to_owned());
        triple.round = round;
        triple
    }

    /// A page from its screenshot. The draft and the page itself are a triple, if the draft is neither too near nor too far.
    fn first_draft(&mut self, purpose: &str, trajectory: &str, original: &Picture) -> Result<Option<Draft>, VlmError> {
        let mut measures = Measures::new();
        let (width, height) = self.page.size();
        let parts = vec![
            Part::Text(format!("THE SCREENSHOT, of a window {width:.0} px wide; the page is {height:.0} px tall")),
            self.policy.picture(&self.tries.snapshot.screenshot),
        ];
        let attempt = self.write(DRAFT, parts, purpose, None, &mut measures)?;
        let mut triple = self.triple_of(Shown::nothing(), self.tries.shown(), trajectory, 1);
        let (draft, reasoning) = match attempt.and_then(|written| self.show(written)) {
            Ok(shown) => shown,
            Err((_, why)) => {
                self.tries.add(triple, measures, Some(why));
                return Ok(None);
            }
        };
        let (found, refusal) = check_draft(original, &draft.picture, &self.policy.gates);
        let refusal = refusal.or_else(|| refuse_other_page(original, &draft.picture));
        let refusal = refusal.or_else(|| self.refuse_moody(&draft.shown));
        measures.extend(found);
        triple.before = draft.shown.clone();
        triple.reasoning = reasoning;
        if refusal.is_none() {
            Self::write_patch(&mut triple);
        }
        triple.severity = measures.get("difference").copied().unwrap_or_default();
        Ok(self.tries.add(triple, measures, refusal).then_some(draft))
    }

    /// Another round. An answer that is nearer is a triple, and the next draft; one that is not stands beside the page itself as what is
    /// not wanted.
    fn nearer_draft(
        &mut self,
        purpose: &str,
        trajectory: &str,
        round: u32,
        draft: &Draft,
        original: &Picture,
    ) -> Result<Option<Draft>, VlmError> {
        for sample in 0..self.policy.samples.max(1) {
            let mut measures = Measures::new();
            let shortened = Shortened::new(&draft.shown.html);
            let parts = vec![
                Part::Text("THE TARGET".to_owned()),
                self.policy.picture(&self.tries.snapshot.screenshot),
                Part::Text("THE DRAFT".to_owned()),
                self.policy.picture(&draft.shown.screenshot),
                Part::Text(format!("THE DRAFT'S CODE\n```html\n{}\n```", shortened.text)),
            ];
            let purpose = format!("{purpose} round {round} {sample}");
            let attempt = self.write(POLISH, parts, &purpose, Some(&draft.shown.html), &mut measures)?;
            let mut triple = self.triple_of(draft.shown.clone(), Shown::nothing(), trajectory, round);
            triple.target = Some(self.tries.shown());
            let (answer, reasoning) = match attempt.and_then(|written| self.show(written)) {
                Ok(shown) => shown,
                Err((shown, why)) => {
                    self.refuse_round(triple, shown, measures, why);
                    continue;
                }
            };
            let (found, mut refusal) = check_nearer(original, &draft.picture, &answer.picture, &self.policy.gates);
            measures.extend(found);
            if refusal.is_none() {
                refusal = self.refuse_moody(&answer.shown);
            }
            if refusal.is_none() && self.policy.judge {
                let (verdict, usage) = self.judge_polish(&draft.shown, &answer.shown)?;
                count_tokens(&mut measures, usage);
                refusal = verdict;
            }
            if let Some(why) = refusal {
                self.refuse_round(triple, answer.shown, measures, why);
                continue;
            }
            triple.after = answer.shown.clone();
            triple.reasoning = reasoning;
            triple.severity = measures.get("difference").copied().unwrap_or_default();
            Self::write_patch(&mut triple);
            self.tries.add(triple, measures, None);
            return Ok(Some(answer));
        }
        Ok(None)
    }

    /// Books the failure; where there is code, the page itself is what is preferred to it.
    fn refuse_round(&mut self, triple: Triple, answer: Shown, measures: Measures, why: Rejection) {
        let mut chosen = triple.clone();
        self.tries.add(triple, measures, Some(why.clone()));
        if !answer.html.is_empty() {
            chosen.after = self.tries.shown();
            Self::write_patch(&mut chosen);
            self.add_preference(&chosen, answer, why);
        }
    }

    /// Code that may be shown.
    fn write(
        &mut self,
        system: &'static str,
        parts: Vec<Part>,
        purpose: &str,
        given: Option<&str>,
        measures: &mut Measures,
    ) -> Result<Attempt, VlmError> {
        let said = self.model.ask(&self.ask(system, parts, purpose))?;
        count_tokens(measures, said.usage());
        let written = whole(said).and_then(|answer| {
            let html = document(&answer.text)?;
            let html = match given {
                Some(given) => Shortened::new(given).restore(&html),
                None => html,
            };
            Ok(Written { html, reasoning: answer.reasoning })
        });
        Ok(match written {
            Ok(written) => match self.refuse_code(given, &written.html) {
                Some(why) => Err((code_only(written.html), why)),
                None => Ok(written),
            },
            Err(why) => Err((Shown::nothing(), why)),
        })
    }

    fn show(&mut self, written: Written) -> Result<(Draft, Option<String>), (Shown, Rejection)> {
        let Written { html, reasoning } = written;
        match self.tries.picture(&html) {
            Ok((shot, picture)) => Ok((Draft { shown: shot.shown(html), picture }, reasoning)),
            Err(why) => Err((code_only(html), why)),
        }
    }
}
