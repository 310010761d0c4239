//! `databuild score PATH…`: scores, and a contact sheet of what was scored, best first.

use std::cell::OnceCell;

use item::{Failure, ModelScore, Snapshot};
use rayon::prelude::*;
use report::{SheetPicture, write_sheet};
use score::Score;
use stages::PageScorer;

use super::looks::{Shown, each_look};
use crate::cli::ScorePathsArgs;
use crate::command::Outcome;
use crate::command::verify::start_farm;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Pictures that are scored at once.
const AT_ONCE: usize = 64;

/// Pictures that one core scores after the other.
const PART: usize = 4;

/// Pictures of a contact sheet at most: more than that no browser shows and nobody looks at.
const SHEET_MAX: usize = 2_000;

/// A picture with its numbers.
struct Scored {
    name: String,
    value: f64,
    numbers: Vec<ModelScore>,
    /// For the sheet; of the first [`SHEET_MAX`] pictures.
    picture: Option<SheetPicture>,
}

pub(super) fn paths(args: &ScorePathsArgs, printer: Printer) -> Outcome {
    let scorer = super::scorer(&args.model, printer)?;
    let farm = OnceCell::new();
    let start = || {
        if let Some(farm) = farm.get() {
            return Ok(farm);
        }
        let started = start_farm(args.chrome.as_deref(), None)?;
        Ok(farm.get_or_init(|| started))
    };
    let (mut waiting, mut scored, mut unscored) = (Vec::new(), Vec::new(), 0);
    let mut flush = |waiting: &mut Vec<Shown>, unscored: &mut usize| {
        for (shown, answer) in score_all(&scorer, std::mem::take(waiting)) {
            match answer {
                Ok(score) => scored.push(Scored::new(&scorer, shown, &score, scored.len() < SHEET_MAX)),
                Err(failure) => {
                    printer.note(&format!("{}: {}", shown.name, failure.message));
                    *unscored += 1;
                }
            }
        }
    };
    for path in &args.paths {
        each_look(path, args.limit, &start, &mut |look| match look {
            Ok(shown) => {
                waiting.push(shown);
                if waiting.len() == AT_ONCE {
                    flush(&mut waiting, &mut unscored);
                }
            }
            Err((name, why)) => {
                printer.note(&format!("{name}: {why}"));
                unscored += 1;
            }
        })?;
    }
    flush(&mut waiting, &mut unscored);
    if let Some(farm) = farm.into_inner() {
        farm.shutdown();
    }
    scored.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.name.cmp(&b.name)));
    for one in &scored {
        printer.data(&if args.json { json(one) } else { line(one) });
    }
    sheet(args, &scorer, &scored)?;
    printer.note(&format!("{} scored, {unscored} not; {}", scored.len(), args.sheet.display()));
    if scored.is_empty() && unscored > 0 {
        return Err(CommandError::new(
            ExitStatus::CheckFailed,
            anyhow::anyhow!("score: none of {unscored} could be scored"),
        ));
    }
    Ok(())
}

fn score_all(scorer: &PageScorer, shown: Vec<Shown>) -> Vec<(Shown, Result<Score, Failure>)> {
    let snapshots: Vec<&Snapshot> = shown.iter().map(|shown| &shown.snapshot).collect();
    let answers: Vec<_> = snapshots.par_chunks(PART).flat_map_iter(|part| scorer.score(part)).collect();
    shown.into_iter().zip(answers).collect()
}

impl Scored {
    fn new(scorer: &PageScorer, shown: Shown, score: &Score, in_sheet: bool) -> Self {
        let Shown { name, snapshot } = shown;
        let numbers = scorer.named(score);
        let caption = [name.clone(), parts(&numbers)].join(" ").trim_end().to_owned();
        let picture = || SheetPicture::new(&snapshot.screenshot, format!("{:.3}", score.value), caption);
        Self { name, value: score.value, numbers, picture: in_sheet.then(picture) }
    }
}

fn json(scored: &Scored) -> String {
    let numbers: serde_json::Map<String, serde_json::Value> =
        scored.numbers.iter().map(|number| (number.name.clone(), number.score.into())).collect();
    serde_json::json!({ "name": scored.name, "scores": numbers }).to_string()
}

fn parts(numbers: &[ModelScore]) -> String {
    let parts = numbers.iter().filter(|number| number.name != ModelScore::SCORE);
    parts.map(|part| format!("{} {:.2}", part.name, part.score)).collect::<Vec<_>>().join(", ")
}

fn line(scored: &Scored) -> String {
    let Scored { name, value, .. } = scored;
    match parts(&scored.numbers) {
        parts if parts.is_empty() => format!("{value:.4}  {name}"),
        parts => format!("{value:.4}  {name}  ({parts})"),
    }
}

fn sheet(args: &ScorePathsArgs, scorer: &PageScorer, scored: &[Scored]) -> Outcome {
    let pictures: Vec<&SheetPicture> = scored.iter().filter_map(|one| one.picture.as_ref()).collect();
    let title = match pictures.len() {
        count if count == scored.len() => format!("{count} pictures by {}", scorer.label()),
        count => format!("{count} of {} pictures by {}", scored.len(), scorer.label()),
    };
    write_sheet(&args.sheet, &title, &pictures).map_err(CommandError::environment)
}
