//! Takes out what a check has refused.

use engine::{BatchSize, Context, Settings, Stage, StageError};
use item::{Attributes, Item, Sample, Triple, Verdict};

/// Attribute: what is asked for, values aside; only on edits.
pub(super) const ASKED: &str = "asked";

/// The stage: refused triples are rejected by their rule, all else goes on.
#[derive(Debug, Clone, Copy, Default)]
pub struct GateStage;

impl Stage for GateStage {
    type In = Sample;
    type Out = Sample;
    const NAME: &'static str = "gate";
    const VERSION: u32 = 1;

    fn batch(&self) -> BatchSize {
        BatchSize { items: 64, bytes: 16 << 20 }
    }

    fn settings(&self) -> Settings {
        serde_json::json!({})
    }

    fn process(&self, batch: &[Item<Sample>], _: Context<'_>) -> Result<Vec<Verdict<Sample>>, StageError> {
        batch.iter().map(|item| judge(&item.body)).collect()
    }
}

fn judge(sample: &Sample) -> Result<Verdict<Sample>, StageError> {
    let Sample::Triple(triple) = sample else { return Ok(Verdict::Annotate(Attributes::new())) };
    let Some(refused) = &triple.refused else { return Ok(Verdict::Annotate(asked(triple))) };
    let rule = ::synth::RULES.iter().find(|rule| rule.name == refused.rule);
    let rule = rule.ok_or_else(|| StageError::plain(format!("find the rule `{}`", refused.rule)))?;
    let names = if triple.operators.is_empty() { triple.origin.clone() } else { triple.operators.join(", ") };
    Ok(Verdict::reject(*rule, format!("{} by {names}: {}", triple.task.name(), refused.detail)))
}

/// The short wording, or the only one, without numbers: the same edit of the same thing with other values is the same to learn from.
fn asked(triple: &Triple) -> Attributes {
    let short = triple.instructions.iter().find(|wording| wording.style == "short");
    let short = short.or(triple.instructions.first());
    match short.filter(|_| triple.task == item::Task::Edit) {
        Some(wording) => {
            let letters =
                wording.text.to_lowercase().chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
            Attributes::new().with(ASKED, letters)
        }
        None => Attributes::new(),
    }
}
