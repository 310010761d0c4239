//! `databuild export DATASET OUT`: rows as conversations or as tar files, in the forms that trainers read.

mod chat;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use dataset::{Columns, Manifest, PageRow, ShardFile, ShardReader, Subset, TripleRow, each_triple};
use item::Task;

use super::Outcome;
use super::verify::read_manifest;
use crate::cli::{ChatFormat, ExportArgs};
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;
use chat::{Part, Turn};

/// Folder of the pictures, beside the lists.
const PICTURES: &str = "images";

/// The Hub counts in powers of ten.
const MB: u64 = 1_000_000;

/// Writes one list a subset and split, and the pictures that they name; or tar files.
pub(crate) fn export(args: &ExportArgs, printer: Printer) -> Outcome {
    let manifest = read_manifest(&args.dataset)?;
    let Some(format) = args.format.chat() else { return webdataset(args, &manifest, printer) };
    fs::create_dir_all(args.out.join(PICTURES)).map_err(CommandError::environment)?;
    let mut rows = 0;
    for (subset, splits) in subsets(args, &manifest) {
        for (split, shards) in splits {
            let path = args.out.join(format!("{subset}-{split}.jsonl"));
            let file = File::create(&path).map_err(CommandError::environment)?;
            let mut list = List { args, format, file: BufWriter::new(file), rows: 0 };
            for shard in shards {
                list.add_shard(&subset, &args.dataset.join(&shard.path))?;
            }
            list.file.flush().map_err(CommandError::environment)?;
            printer.data(&format!("{} {}", list.rows, path.display()));
            rows += list.rows;
        }
    }
    if rows == 0 {
        printer.note("the dataset has no rows of that kind; `[synth]` of the pipeline file makes edits and drafts");
    }
    Ok(())
}

/// Writes `pages` as tar files.
fn webdataset(args: &ExportArgs, manifest: &Manifest, printer: Printer) -> Outcome {
    if args.out.exists() {
        return Err(CommandError::usage(format!("export to `{}`: it is there already", args.out.display()))
            .hint("name a folder that does not exist, so that old and new files cannot mix"));
    }
    // Written beside its place, so that a folder of that name is a whole export.
    let mut partial = args.out.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(CommandError::environment)?;
    }
    let shard_bytes = args.shard_mb.max(1) * MB;
    let summary = dataset::export_webdataset(manifest, &args.dataset, &partial, shard_bytes).map_err(unreadable)?;
    fs::rename(&partial, &args.out).map_err(CommandError::environment)?;
    printer.note(&format!("{} rows in {} files, {:.1} MB", summary.rows, summary.files, summary.bytes as f64 / 1e6));
    printer.data(&args.out.display().to_string());
    Ok(())
}

type Splits<'a> = Vec<(&'a String, &'a Vec<ShardFile>)>;

/// The chosen subsets with their splits.
fn subsets<'a>(args: &ExportArgs, manifest: &'a Manifest) -> Vec<(String, Splits<'a>)> {
    let is_wanted = |name: &str| match &args.subset {
        Some(subset) => subset == name,
        None => name == Subset::Pages.name() || Task::named(name).is_some(),
    };
    let chosen = manifest.subsets.iter().filter(|(name, _)| is_wanted(name));
    chosen.map(|(name, subset)| (name.clone(), subset.splits.iter().collect())).collect()
}

struct List<'a> {
    args: &'a ExportArgs,
    format: ChatFormat,
    file: BufWriter<File>,
    rows: u64,
}

fn unreadable(error: impl Into<anyhow::Error>) -> CommandError {
    CommandError::new(ExitStatus::CheckFailed, error)
}

impl List<'_> {
    fn add_shard(&mut self, subset: &str, shard: &Path) -> Outcome {
        let task = Task::named(subset);
        if let Some(task) = task {
            let mut outcome: Outcome = Ok(());
            each_triple(shard, task, &|_| true, &mut |row| {
                if outcome.is_ok() {
                    outcome = self.add_triple(&row);
                }
                Ok(())
            })
            .map_err(unreadable)?;
            return outcome;
        }
        let columns = Columns { text: true, image: true, nodes: false };
        for row in ShardReader::open(shard).and_then(|reader| reader.pages(columns)).map_err(unreadable)? {
            self.add_page(&row.map_err(unreadable)?)?;
        }
        Ok(())
    }

    /// A page is a screenshot and the code that renders it.
    fn add_page(&mut self, row: &PageRow) -> Outcome {
        let (Some(text), Some(image)) = (&row.text, &row.image) else { return Ok(()) };
        let picture = self.picture(&format!("{}.{}", row.id, item::picture_extension(image)), image)?;
        let ask = "Write the HTML page, with its style sheet, that looks like this screenshot.".to_owned();
        let ask = vec![Part::Picture(picture), Part::Text(ask)];
        self.add(&row.id.to_string(), &Turn { ask, answer: chat::fenced(text), worse: None })
    }

    fn add_triple(&mut self, row: &TripleRow) -> Outcome {
        let wanted = self.args.style.as_deref();
        let style = wanted.and_then(|style| row.instructions.iter().find(|wording| wording.style == style));
        let Some(instruction) = style.or(row.instructions.first()) else { return Ok(()) };
        // Of the answer that is not wanted there is the whole code alone.
        let as_blocks = self.args.blocks && row.worse.is_none();
        let answer = if as_blocks { row.blocks.clone() } else { chat::fenced(&row.after) };
        let worse = row.worse.as_ref().map(|worse| chat::fenced(&worse.html));
        let code = Part::Text(format!("{}\n\n{}", chat::fenced(&row.before), instruction.text));
        let before = Part::Picture(self.picture(
            &format!("{}-before.{}", row.id, item::picture_extension(&row.before_image)),
            &row.before_image,
        )?);
        let parts = match &row.target_image {
            None => vec![before, code],
            Some(image) => {
                let name = format!("{}-target.{}", row.id, item::picture_extension(image));
                let target = Part::Picture(self.picture(&name, image)?);
                vec![
                    Part::Text("The target:".to_owned()),
                    target,
                    Part::Text("The page as it is:".to_owned()),
                    before,
                    code,
                ]
            }
        };
        self.add(&row.id.to_string(), &Turn { ask: parts, answer, worse })
    }

    fn picture(&self, name: &str, png: &[u8]) -> Result<String, CommandError> {
        let path: PathBuf = self.args.out.join(PICTURES).join(name);
        fs::write(path, png).map_err(CommandError::environment)?;
        Ok(format!("{PICTURES}/{name}"))
    }

    fn add(&mut self, id: &str, turn: &Turn) -> Outcome {
        let line = chat::line(self.format, id, turn);
        writeln!(self.file, "{line}").map_err(CommandError::environment)?;
        self.rows += 1;
        Ok(())
    }
}
