//! Edits that a model carries out.

use item::{Rejection, Shown, Task, Triple, Wording};

use super::plan::Proposal;
use super::prompt::{PATCH, REWRITE};
use super::said::{document, whole};
use super::shorten::Shortened;
use super::{Author, Written, code, code_only, count_tokens, judge_edit};
use crate::edit::{apply_blocks, parse_blocks};
use crate::make::refuse_words;
use crate::metric::Picture;
use crate::operator::Region;
use crate::rule;
use crate::verify::{EditClaim, Measures, check_edit};
use crate::vlm::{Answer, Part, VlmError};

/// Style of an instruction that a model wrote first and carried out then.
const STYLE: &str = "human";

/// What one answer came to: a triple that passed, or what it was and why it did not.
type Tried = Result<Triple, (Shown, Rejection)>;

impl Author<'_> {
    pub(super) fn edits(&mut self, original: &Picture) -> Result<(), VlmError> {
        if self.policy.proposals == 0 {
            return Ok(());
        }
        if self.policy.menu {
            return self.choices(original);
        }
        let proposals = match self.propose()? {
            Ok(proposals) => proposals,
            Err(why) => {
                self.refuse_edit(why);
                return Ok(());
            }
        };
        for (number, proposal) in proposals.into_iter().enumerate() {
            match proposal {
                Ok(proposal) => self.edit(number, &proposal, original)?,
                Err(why) => self.refuse_edit(why),
            }
        }
        Ok(())
    }

    pub(super) fn refuse_edit(&mut self, why: Rejection) {
        let triple = self.tries.triple(Task::Edit, Shown::nothing(), Shown::nothing());
        self.tries.add(triple, Measures::new(), Some(why));
    }

    /// Has one proposal carried out, until an answer passes.
    fn edit(&mut self, number: usize, proposal: &Proposal, original: &Picture) -> Result<(), VlmError> {
        let instructions = vec![Wording { style: STYLE.to_owned(), text: proposal.instruction.clone() }];
        if let Some(why) = refuse_words(self.page, &instructions) {
            self.refuse_edit(why);
            return Ok(());
        }
        let mut worse: Vec<(Shown, Rejection)> = Vec::new();
        for sample in 0..self.policy.samples.max(1) {
            let mut triple = self.tries.triple(Task::Edit, self.tries.shown(), Shown::nothing());
            triple.instructions.clone_from(&instructions);
            proposal.kind.clone_into(&mut triple.kind);
            triple.region = proposal.region().shown_box(self.page);
            match self.answer(triple.clone(), &format!("edit {number} {sample}"), proposal, original)? {
                Ok(good) => {
                    self.tries.add(good.clone(), Measures::new(), None);
                    for (shown, why) in worse {
                        self.add_preference(&good, shown, why);
                    }
                    return Ok(());
                }
                Err((shown, why)) => {
                    self.tries.add(triple, Measures::new(), Some(why.clone()));
                    // Without code there is nothing to prefer something to.
                    if !shown.html.is_empty() {
                        worse.push((shown, why));
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        mut triple: Triple,
        purpose: &str,
        proposal: &Proposal,
        original: &Picture,
    ) -> Result<Tried, VlmError> {
        let mut measures = Measures::new();
        let Written { html, reasoning } = match self.carry_out(proposal, purpose, &mut measures)? {
            Ok(written) => written,
            Err(why) => return Ok(Err((Shown::nothing(), why))),
        };
        if let Some(why) = self.refuse_rewrite(proposal, &html) {
            return Ok(Err((code_only(html), why)));
        }
        let shot = match self.tries.render(&html) {
            Ok(shot) => shot,
            Err(why) => return Ok(Err((code_only(html), why))),
        };
        let touched: Vec<usize> = proposal.target.into_iter().collect();
        let claim = EditClaim {
            page: self.page,
            before: original,
            viewport: self.tries.snapshot.viewport,
            region: proposal.region().allowed_box(self.page),
            touched: &touched,
        };
        let (found, mut refusal) = check_edit(&claim, &html, &shot, &self.policy.gates);
        measures.extend(found);
        triple.after = shot.shown(html);
        if refusal.is_none() {
            refusal = self.refuse_moody(&triple.after);
        }
        if refusal.is_none() && self.policy.judge {
            let (verdict, usage) = judge_edit(self.model, self.policy, &triple)?;
            count_tokens(&mut measures, usage);
            refusal = verdict;
        }
        if let Some(why) = refusal {
            return Ok(Err((triple.after, why)));
        }
        triple.severity = measures.get("changed").copied().unwrap_or_default();
        triple.reasoning = reasoning;
        triple.measures = measures;
        Self::write_patch(&mut triple);
        Ok(Ok(triple))
    }

    /// The code after an edit; an answer that can't be applied is sent back once, with what is wrong.
    fn carry_out(
        &mut self,
        proposal: &Proposal,
        purpose: &str,
        measures: &mut Measures,
    ) -> Result<Result<Written, Rejection>, VlmError> {
        let shortened = Shortened::new(self.page.html());
        let system = if self.policy.whole_page { REWRITE } else { PATCH };
        let mut parts = vec![
            Part::Text(format!("THE CODE\n```html\n{}\n```", shortened.text)),
            Part::Text("THE SCREENSHOT".to_owned()),
            self.policy.picture(&self.tries.snapshot.screenshot),
            Part::Text(format!("THE INSTRUCTION\n{}", proposal.instruction)),
        ];
        let (answer, why) = match self.code(system, parts.clone(), purpose, &shortened, measures)? {
            Ok(written) => return Ok(Ok(written)),
            Err((None, why)) => return Ok(Err(why)),
            Err((Some(answer), why)) => (answer, why),
        };
        parts.push(Part::Text(format!(
            "YOUR ANSWER WAS\n{answer}\n\nIt can't be used: {}. Answer again, in the form that was asked for.",
            why.detail
        )));
        let again = self.code(system, parts, &format!("{purpose} again"), &shortened, measures)?;
        Ok(again.map_err(|(_, why)| why))
    }

    /// The code of one answer. Where there is an answer that can't be used, it comes with the reason.
    fn code(
        &self,
        system: &'static str,
        parts: Vec<Part>,
        purpose: &str,
        shortened: &Shortened,
        measures: &mut Measures,
    ) -> Result<Result<Written, (Option<String>, Rejection)>, VlmError> {
        let said = self.model.ask(&self.ask(system, parts, purpose))?;
        count_tokens(measures, said.usage());
        let Answer { text, reasoning, .. } = match whole(said) {
            Ok(answer) => answer,
            Err(why) => return Ok(Err((None, why))),
        };
        Ok(match self.read_code(shortened, &text) {
            Ok(html) => Ok(Written { html, reasoning }),
            Err(why) => Err((Some(text), why)),
        })
    }

    fn read_code(&self, shortened: &Shortened, answer: &str) -> Result<String, Rejection> {
        let given = self.page.html();
        if self.policy.whole_page {
            let html = document(answer)?;
            let html = if given.ends_with('\n') { html.as_str() } else { html.trim_end() };
            return Ok(shortened.restore(html));
        }
        let blocks = parse_blocks(answer).map_err(|detail| Rejection { rule: rule::NO_PATCH, detail })?;
        let html = apply_blocks(&shortened.text, &blocks)
            .map_err(|detail| Rejection { rule: rule::SEARCH_NOT_FOUND, detail })?;
        Ok(shortened.restore(&html))
    }

    /// Why changed code is not even shown.
    fn refuse_rewrite(&self, proposal: &Proposal, html: &str) -> Option<Rejection> {
        let given = self.page.html();
        if html == given {
            return Some(Rejection { rule: rule::NO_CHANGE, detail: "the code is what it was".to_owned() });
        }
        if let Some(why) = self.refuse_code(Some(given), html) {
            return Some(why);
        }
        let kept = code::kept(given, html);
        let is_local = proposal.target.is_some();
        (is_local && kept < self.policy.kept_min).then(|| {
            let detail = format!("{kept:.2} of the code is kept, at least {:.2}", self.policy.kept_min);
            Rejection { rule: rule::REWRITES_TOO_MUCH, detail }
        })
    }
}

impl Proposal {
    /// What is pushed aside or down by a change stands behind the target's parent's top.
    fn region(&self) -> Region {
        self.target.map_or(Region::Page, Region::Below)
    }
}
