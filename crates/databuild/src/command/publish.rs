//! `databuild publish FILE --to TARGET`: the last run's dataset to the Hub, to S3, or to a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::RunRecord;
use indicatif::{ProgressBar, ProgressStyle};
use pipeline::Loaded;
use publish::{
    BucketShelf, Event, FolderShelf, HUB, Hub, HubOptions, Observer, Outcome as Published, Patience, Place,
    Publication, PublishError, PublishedFile, S3Access, Target, Transfer, publish_to_shelf,
};
use report::{Card, CardInput};
use store::s3::S3Address;
use store::{BlobName, StoreError};
use tempfile::TempDir;

use super::finished::{Finished, beside_record};
use super::{Outcome, load};
use crate::cli::PublishArgs;
use crate::environment;
use crate::error::CommandError;
use crate::exit::ExitStatus;
use crate::printer::Printer;

/// Publishes.
pub(crate) fn publish(args: &PublishArgs, printer: Printer) -> Outcome {
    let target: Target = args.to.parse().map_err(|error| CommandError::new(ExitStatus::Usage, error))?;
    let loaded = load(&args.file)?;
    let finished = Finished::open(&args.file)?;
    // A dataset that lies elsewhere is fetched whole: what is there already is found out by digests, but cards have pictures.
    let folder = finished.folder()?;
    let card = card(&loaded, &finished, &folder)?;
    let mut publication = Publication::new(&finished.manifest, &folder).map_err(failed)?;
    publication = publication.with(PublishedFile::document("croissant.json", card.croissant.clone().into_bytes()));
    publication = publication.with(PublishedFile::document("run.json", record_text(&finished.record).into_bytes()));
    for (name, picture) in &card.pictures {
        publication = publication.with(PublishedFile::document(name, picture.clone()));
    }
    let make_card = |old: Option<&str>| card.text(old).replace(PLACEHOLDER, &args.to);
    let observer = Teller::new(printer);
    let outcome = match &target {
        Target::Hub(id) => to_hub(args, id, &publication, &make_card, &observer, &finished),
        Target::Folder(path) => {
            publish_to_shelf(&FolderShelf(path.clone()), &publication, &make_card, args.dry_run, &observer)
                .map_err(failed)
        }
        Target::Bucket(address) => {
            let access = bucket_access()?;
            let shelf = BucketShelf::open(address, &access, Patience::default(), &observer).map_err(failed)?;
            publish_to_shelf(&shelf, &publication, &make_card, args.dry_run, &observer).map_err(failed)
        }
    }?;
    observer.end();
    tell(&outcome, &target, args.dry_run, printer);
    Ok(())
}

/// What snippets on the card say in place of the dataset's name.
const PLACEHOLDER: &str = "ORGANISATION/NAME";

fn failed(error: PublishError) -> CommandError {
    let hint = error.hint();
    let status = match error {
        PublishError::Changed { .. } | PublishError::Differs { .. } => ExitStatus::CheckFailed,
        _ if matches!(error.status(), Some(401 | 403 | 404)) => ExitStatus::Usage,
        _ => ExitStatus::Environment,
    };
    let error = CommandError::new(status, error);
    match (hint, status) {
        (Some(hint), _) => error.hint(hint),
        (None, ExitStatus::Environment) => error.hint("run the same command again: what arrived is not sent twice"),
        (None, _) => error,
    }
}

/// The card of a finished run.
pub(super) fn card(loaded: &Loaded, finished: &Finished, folder: &Path) -> Result<Card, CommandError> {
    let rules = stages::rules().into_iter().flat_map(|(_, rules)| rules);
    let rules: BTreeMap<String, String> = rules.map(|rule| (rule.name.to_owned(), rule.meaning.to_owned())).collect();
    let snapshots = &loaded.file.snapshots;
    let input = CardInput {
        record: &finished.record,
        dataset: folder,
        rules: &rules,
        config: &loaded.file.card,
        compared_with: &snapshots.hashlists,
    };
    Card::make(&input).map_err(CommandError::environment)
}

fn record_text(record: &RunRecord) -> String {
    let mut text = serde_json::to_string_pretty(record).unwrap_or_default();
    text.push('\n');
    text
}

fn to_hub(
    args: &PublishArgs,
    id: &str,
    publication: &Publication,
    make_card: &publish::MakeCard<'_>,
    observer: &dyn Observer,
    finished: &Finished,
) -> Result<Published, CommandError> {
    if args.transfer == Transfer::Xet && !Transfer::HAS_XET {
        return Err(CommandError::usage("publish by Xet: this program was built without it")
            .hint("`cargo build --release --features xet` builds it in; `--transfer auto` takes what there is"));
    }
    let access = environment::hub();
    let place = match (&args.branch, args.pr) {
        (Some(branch), _) if branch != "main" => Place::Branch(branch.clone()),
        (_, true) => Place::PullRequest,
        _ => Place::Main,
    };
    let journal = if args.dry_run { None } else { Some(Notes::open(finished, id)?) };
    let hub = Hub {
        endpoint: access.endpoint.unwrap_or_else(|| HUB.to_owned()),
        id: id.to_owned(),
        token: access.token.as_deref().map(publish::Token::new),
        patience: Patience::default(),
        options: HubOptions {
            place,
            private: args.private,
            transfer: args.transfer,
            chunk_folder: chunk_folder(finished),
            journal: journal.as_ref().map(|journal| journal.path.clone()),
            ..HubOptions::default()
        },
    };
    let outcome = if args.dry_run {
        hub.plan(publication, make_card, observer)
    } else {
        hub.publish(publication, make_card, observer)
    };
    journal.map_or(Ok(()), |journal| journal.close(finished))?;
    let outcome = outcome.map_err(failed)?;
    if args.verify && !args.dry_run {
        hub.verify(publication, make_card, observer).map_err(failed)?;
    }
    Ok(outcome)
}

/// Where Xet notes which chunks arrived, so that a publication that broke off is taken up: with a store on this machine's other
/// unfinished things. Elsewhere the Hub is asked.
fn chunk_folder(finished: &Finished) -> Option<PathBuf> {
    let location = finished.store.location();
    (Transfer::HAS_XET && !S3Address::is_meant(&location)).then(|| Path::new(&location).join("tmp").join("xet"))
}

/// The notes of publications to one place, kept beside the run's record. A store on this machine has them there from the first
/// line on; another one gets them when the publication has ended, however it did.
struct Notes {
    path: PathBuf,
    blob: BlobName,
    elsewhere: Option<TempDir>,
}

impl Notes {
    fn open(finished: &Finished, id: &str) -> Result<Self, CommandError> {
        let blob = beside_record(&finished.record.name, &format!("publish-{}.jsonl", id.replace('/', "--")));
        let location = finished.store.location();
        if !S3Address::is_meant(&location) {
            return Ok(Self { path: Path::new(&location).join(blob.as_str()), blob, elsewhere: None });
        }
        let scratch = finished.store.scratch()?;
        let path = scratch.path().join("notes.jsonl");
        match finished.store.get(&blob) {
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(notes) => std::fs::write(&path, notes).map_err(CommandError::environment)?,
        }
        Ok(Self { path, blob, elsewhere: Some(scratch) })
    }

    fn close(self, finished: &Finished) -> Result<(), CommandError> {
        if self.elsewhere.is_none() || !self.path.exists() {
            return Ok(());
        }
        Ok(finished.store.put_file(&self.blob, &self.path)?)
    }
}

fn bucket_access() -> Result<S3Access, CommandError> {
    let access = environment::bucket().ok_or_else(|| {
        CommandError::usage("publish to S3: there are no credentials")
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_REGION if it is not us-east-1")
    })?;
    let (credentials, region, endpoint) = access;
    let pipeline::S3Credentials { key, secret, token } = credentials;
    Ok(S3Access { region, endpoint, key, secret, token })
}

fn tell(outcome: &Published, target: &Target, is_plan: bool, printer: Printer) {
    let megabytes = outcome.sent_bytes as f64 / 1e6;
    if is_plan {
        let Published { files, sent, removed, .. } = outcome;
        printer.note(&format!("{sent} of {files} files would be sent ({megabytes:.1} MB), {removed} removed"));
    } else if outcome.sent == 0 && outcome.commits.is_empty() && outcome.removed == 0 {
        printer.note(&format!("`{target}` is up to date: nothing was sent"));
    } else {
        let commits = match outcome.commits.len() {
            0 => String::new(),
            commits => format!(", {commits} commits"),
        };
        let Published { sent, removed, sent_bytes, wire_bytes, .. } = *outcome;
        let new = if (1..sent_bytes).contains(&wire_bytes) {
            format!(", {:.1} MB of it new", wire_bytes as f64 / 1e6)
        } else {
            String::new()
        };
        printer.note(&format!("{sent} files sent ({megabytes:.1} MB{new}), {removed} removed{commits}"));
    }
    match (target, outcome.pull_request) {
        (Target::Hub(id), Some(number)) => printer.data(&format!("{HUB}/datasets/{id}/discussions/{number}")),
        (Target::Hub(id), None) => printer.data(&format!("{HUB}/datasets/{id}")),
        _ => printer.data(&target.to_string()),
    }
}

/// Tells what happens: a bar with bytes and the time that is left on a terminal, lines elsewhere.
struct Teller {
    printer: Printer,
    bar: Option<ProgressBar>,
    line: Mutex<Line>,
    /// The bar has its length.
    planned: AtomicBool,
}

/// Where lines are written instead of a bar.
struct Line {
    sent: i64,
    whole: u64,
    began: Instant,
    told: Instant,
}

/// Time between two lines.
const LINES_EVERY: Duration = Duration::from_secs(10);

impl Teller {
    fn new(printer: Printer) -> Self {
        let bar = printer.draws_progress().then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        let now = Instant::now();
        let line = Mutex::new(Line { sent: 0, whole: 0, began: now, told: now });
        Self { printer, bar, line, planned: AtomicBool::new(false) }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.printer.note(text),
        }
    }

    fn sent(&self, bytes: i64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bar.position().saturating_add_signed(bytes));
            return;
        }
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        line.sent += bytes;
        if line.told.elapsed() < LINES_EVERY {
            return;
        }
        line.told = Instant::now();
        let sent = line.sent.max(0) as f64;
        let rate = sent / line.began.elapsed().as_secs_f64().max(0.001);
        let left = (line.whole as f64 - sent).max(0.0) / rate.max(1.0);
        let (sent, whole, rate) = (sent / 1e6, line.whole as f64 / 1e6, rate / 1e6);
        self.printer.note(&format!("{sent:.0} of {whole:.0} MB, {rate:.1} MB/s, {left:.0} s left"));
    }
}

impl Observer for Teller {
    fn event(&self, event: &Event) {
        match event {
            Event::Planned { files, bytes, present, removed } => {
                if let Some(bar) = &self.bar {
                    bar.set_length(*bytes);
                }
                let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                line.whole = *bytes;
                drop(line);
                if !self.planned.swap(true, Ordering::Relaxed) {
                    let megabytes = *bytes as f64 / 1e6;
                    self.say(&format!(
                        "{files} files to send ({megabytes:.1} MB), {present} there already, {removed} to remove"
                    ));
                }
            }
            Event::Carried { way, why } => self.say(&format!("large files go by {way}: {why}")),
            Event::Sent(bytes) => self.sent(*bytes),
            Event::Committed { commit, files } => self.say(&format!("commit {commit}: {files} files")),
            Event::Waiting { reason, wait } => {
                self.say(&format!("waiting {:.1} s: {reason}", wait.as_secs_f64()));
            }
            Event::Arrived { .. } => {}
        }
    }
}
