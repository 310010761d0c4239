//! `databuild score eval STATES`: how well a model ranks pages above their damaged copies and tells pages from what is none, beside
//! numbers that need no model.

mod baselines;
mod figures;
mod table;

use std::path::{Path, PathBuf};

use dataset::{StateReader, StateRow};
use rayon::prelude::*;
use score::Look;
use stages::PageScorer;

use self::baselines::BASELINES;
use self::figures::{Figures, Judged};
use crate::cli::ScoreEvalArgs;
use crate::command::Outcome;
use crate::error::CommandError;
use crate::printer::Printer;

/// States that are judged at once: a screenshot each.
const AT_ONCE: usize = 64;

/// States of a split, with what the model and each baseline say of them.
#[derive(Default)]
struct Told {
    states: Vec<Judged>,
    /// What the model says: raw and calibrated.
    model: Vec<(f64, f64)>,
    /// By baseline, in the order of [`BASELINES`].
    baselines: Vec<Vec<f64>>,
    failed: usize,
}

pub(super) fn eval(args: &ScoreEvalArgs, printer: Printer) -> Outcome {
    let scorer = super::scorer(&args.model, printer)?;
    let mut told = Told { baselines: vec![Vec::new(); BASELINES.len()], ..Told::default() };
    for file in files(&args.states)? {
        judge(&file, args, &scorer, &mut told)?;
        printer.note(&format!("{} states", told.states.len()));
    }
    if told.states.is_empty() {
        return Err(CommandError::usage(format!(
            "evaluate a scorer: `{}` has no states of the split `{}`",
            args.states.display(),
            args.split
        ))
        .hint("`databuild score states` makes them; `--split` names another part"));
    }
    let raw: Vec<f64> = told.model.iter().map(|(raw, _)| *raw).collect();
    let calibrated: Vec<f64> = told.model.iter().map(|(_, value)| *value).collect();
    let figures = Figures::new(&told.states, &raw, Some(&calibrated));
    let baselines: Vec<(&str, Figures)> = BASELINES
        .iter()
        .zip(&told.baselines)
        .map(|(baseline, values)| (baseline.name, figures::either_way(&told.states, values)))
        .collect();
    printer.data(&table::text(scorer.label(), &figures, &baselines));
    if told.failed > 0 {
        printer.note(&format!("{} states could not be scored", told.failed));
    }
    if let Some(path) = &args.json {
        let json = table::json(scorer.label(), &figures, &baselines);
        std::fs::write(path, format!("{json:#}\n")).map_err(CommandError::environment)?;
    }
    Ok(())
}

/// The files of states in a folder, or the file that is named.
fn files(path: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| {
        CommandError::usage(format!("read `{}`: {error}", path.display()))
            .hint("give the folder that `databuild score states` wrote")
    })?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    Ok(files)
}

fn judge(file: &Path, args: &ScoreEvalArgs, scorer: &PageScorer, told: &mut Told) -> Result<(), CommandError> {
    let reader = StateReader::open(file).map_err(CommandError::environment)?;
    let columns = Columns::new(scorer, reader.features(), args.pictures_only);
    let mut waiting = Vec::new();
    reader
        .each(&mut |row| {
            if args.split == "all" || row.split == args.split {
                waiting.push(row);
            }
            if waiting.len() == AT_ONCE {
                told.add(scorer, &columns, std::mem::take(&mut waiting));
            }
            Ok(())
        })
        .map_err(CommandError::environment)?;
    told.add(scorer, &columns, waiting);
    Ok(())
}

/// Where the model's numbers stand in the file's.
struct Columns(Option<Vec<usize>>);

impl Columns {
    fn new(scorer: &PageScorer, names: &[String], pictures_only: bool) -> Self {
        let wanted = scorer.scorer().feature_columns();
        let places = wanted.iter().map(|column| names.iter().position(|name| name == column));
        Self(if pictures_only || wanted.is_empty() { None } else { places.collect() })
    }

    fn of(&self, row: &StateRow) -> Vec<f32> {
        let Some(places) = &self.0 else { return Vec::new() };
        places.iter().map(|&place| row.features.get(place).copied().unwrap_or(f32::NAN)).collect()
    }
}

impl Told {
    fn add(&mut self, scorer: &PageScorer, columns: &Columns, rows: Vec<StateRow>) {
        let answers: Vec<_> = rows
            .into_par_iter()
            .map(|row| {
                let look = Look { screenshot: &row.picture, features: &columns.of(&row) };
                let score = scorer.scorer().score_looks(&[look]).remove(0).ok()?;
                let baselines = baselines::of(&row.picture)?;
                Some((Judged::new(&row), (score.raw, score.value), baselines))
            })
            .collect();
        for answer in answers {
            let Some((state, score, numbers)) = answer else {
                self.failed += 1;
                continue;
            };
            self.states.push(state);
            self.model.push(score);
            for (values, number) in self.baselines.iter_mut().zip(numbers) {
                values.push(number);
            }
        }
    }
}
