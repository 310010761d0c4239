//! A dataset of the Hugging Face Hub.
//!
//! The Hub is asked what it has; large files that it lacks go to its storage; then commits name them. What fits one commit is
//! committed to the branch itself. What does not goes to a pull request, commit by commit, data first and card last,
//! and becomes visible at once when that is merged. So `main` never shows half a set, and a publication that was cut off at
//! any point is taken up by asking the Hub again. Each commit names its parent: where an answer is lost, the commit cannot
//! be made twice.

mod api;
mod client;
mod commit;
mod journal;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::{Api, Discussion, TreeEntry, UploadMode};
use client::Client;
pub use client::Token;
pub(crate) use client::judge;
use commit::Commit;
use journal::Journal;
use upload::Sent;

use crate::Outcome;
use crate::digest::git_blob;
use crate::error::{HubError, PublishError};
use crate::event::{Event, Observer};
use crate::patience::{Attempts, Miss, Patience};
use crate::publication::{CARD, Publication, PublishedFile, is_our_name};
use crate::transfer::Transfer;

/// The Hub.
pub const HUB: &str = "https://huggingface.co";

const MAIN: &str = "main";

/// How often a publication begins anew because somebody else writes to the same revision.
const MOVES_MAX: usize = 5;
/// Attempts after which a commit is halved, where halves do no harm.
const ATTEMPTS_BEFORE_HALVING: usize = 3;
/// Hex digits of the manifest's digest in the title of a pull request, by which it is found again.
const TITLE_DIGITS: usize = 12;

/// Where in the dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// Its main branch.
    #[default]
    Main,
    /// Another branch, made if it does not exist.
    Branch(String),
    /// A pull request that is left open.
    PullRequest,
}

/// How it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// Where in the dataset.
    pub place: Place,
    /// A dataset that has to be created is private.
    pub private: bool,
    /// Files of a commit. The Hub advises 50 to 100.
    pub commit_files: usize,
    /// Bytes of the files of a commit.
    pub commit_bytes: u64,
    /// Files that are sent at the same time.
    pub uploads_at_once: usize,
    /// By which way large files go.
    pub transfer: Transfer,
    /// A folder of Xet's own, in which it notes the chunks that arrived; it stays within some hundred megabytes. Where there is none, a
    /// publication that broke off has to ask the Hub for them.
    pub chunk_folder: Option<PathBuf>,
    /// A file that every step is noted in.
    pub journal: Option<PathBuf>,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            place: Place::Main,
            private: false,
            commit_files: 64,
            commit_bytes: 20_000_000_000,
            uploads_at_once: 4,
            transfer: Transfer::Auto,
            chunk_folder: None,
            journal: None,
        }
    }
}

/// A dataset of the Hub, there or yet to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Address of the Hub, [`HUB`] or one that speaks like it.
    pub endpoint: String,
    /// `organisation/name`.
    pub id: String,
    /// Who writes.
    pub token: Option<Token>,
    /// How long it is waited for.
    pub patience: Patience,
    /// How it is published.
    pub options: HubOptions,
}

/// Makes the card, given the one that stands at the target.
pub type MakeCard<'a> = dyn Fn(Option<&str>) -> String + 'a;

/// What stands at a revision, compared with what shall.
struct Survey {
    /// The commit that was looked at; none where there is no such dataset yet.
    head: Option<String>,
    /// Files of the publication.
    files: usize,
    /// Those that the revision lacks: data, then documents, the card last.
    missing: Vec<PublishedFile>,
    /// Files of an earlier publication that have no place in this one.
    stale: Vec<String>,
}

impl Survey {
    fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty()
    }
}

/// How a commit went.
enum Committed {
    As(String),
    /// Somebody else was there in between.
    Moved,
}

impl Hub {
    /// Publishes.
    pub fn publish(
        &self,
        publication: &Publication,
        card: &MakeCard<'_>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PublishError> {
        let api = self.api(observer);
        let at = |action: &str| {
            let action = format!("{action} `{}`", self.id);
            move |source| PublishError::Hub { action, source }
        };
        api.create(self.options.private).map_err(at("create the dataset"))?;
        if let Place::Branch(branch) = &self.options.place {
            api.create_branch(branch).map_err(at("create a branch of"))?;
        }
        let run = Run { api: &api, options: &self.options, publication, card, journal: self.journal()? };
        let mut outcome = Outcome::default();
        for _ in 0..MOVES_MAX {
            if run.round(&mut outcome).map_err(at("publish to"))? {
                return Ok(outcome);
            }
        }
        Err(at("publish to")(HubError::Moving(MOVES_MAX)))
    }

    /// What [`Hub::publish`] would do. Changes nothing.
    pub fn plan(
        &self,
        publication: &Publication,
        card: &MakeCard<'_>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PublishError> {
        let survey = self.look(publication, card, observer)?;
        Ok(Outcome {
            files: survey.files,
            sent: survey.missing.len(),
            sent_bytes: survey.missing.iter().map(|file| file.bytes).sum(),
            removed: survey.stale.len(),
            ..Outcome::default()
        })
    }

    /// Checks that everything stands where it was published, with its size and its digest.
    pub fn verify(
        &self,
        publication: &Publication,
        card: &MakeCard<'_>,
        observer: &dyn Observer,
    ) -> Result<(), PublishError> {
        let survey = self.look(publication, card, observer)?;
        let differs = |name: &str, problem: &str| {
            let (name, problem) = (name.to_owned(), problem.to_owned());
            Err(PublishError::Differs { name, problem })
        };
        match (survey.missing.first(), survey.stale.first()) {
            (Some(file), _) => differs(&file.name, "it is missing, or has another digest"),
            (None, Some(name)) => differs(name, "it belongs to an earlier publication"),
            (None, None) => Ok(()),
        }
    }

    fn look(
        &self,
        publication: &Publication,
        card: &MakeCard<'_>,
        observer: &dyn Observer,
    ) -> Result<Survey, PublishError> {
        let api = self.api(observer);
        let run = Run { api: &api, options: &self.options, publication, card, journal: Journal::default() };
        let looked = || {
            let request = match self.options.place {
                Place::PullRequest => match api.find_pull_request(&run.title()) {
                    Err(HubError::Status { status: 404, .. }) => None,
                    found => found?,
                },
                _ => None,
            };
            run.survey(&run.revision(request.as_ref()))
        };
        looked().map_err(|source| PublishError::Hub { action: format!("look at `{}`", self.id), source })
    }

    fn api<'a>(&self, observer: &'a dyn Observer) -> Api<'a> {
        let client = Client::new(&self.endpoint, self.token.clone(), self.patience, observer);
        Api { client, id: self.id.clone() }
    }

    fn journal(&self) -> Result<Journal, PublishError> {
        self.options.journal.as_deref().map_or_else(|| Ok(Journal::default()), Journal::open)
    }
}

/// One call of [`Hub::publish`].
struct Run<'a> {
    api: &'a Api<'a>,
    options: &'a HubOptions,
    publication: &'a Publication,
    card: &'a MakeCard<'a>,
    journal: Journal,
}

impl Run<'_> {
    /// Title of the pull request of this very dataset.
    fn title(&self) -> String {
        let digits = self.publication.digest.get(..TITLE_DIGITS).unwrap_or(&self.publication.digest);
        format!("Publish {} {digits}", self.publication.title)
    }

    fn revision(&self, request: Option<&Discussion>) -> String {
        match (request, &self.options.place) {
            (Some(request), _) => request.revision(),
            (None, Place::Branch(branch)) => branch.clone(),
            (None, _) => MAIN.to_owned(),
        }
    }

    /// From looking to the last commit. False where somebody else wrote in between, and it has to begin anew.
    fn round(&self, outcome: &mut Outcome) -> Result<bool, HubError> {
        let uses_requests = !matches!(self.options.place, Place::Branch(_));
        let mut request = if uses_requests { self.api.find_pull_request(&self.title())? } else { None };
        let mut revision = self.revision(request.as_ref());
        let mut survey = self.survey(&revision)?;
        outcome.files = survey.files;
        if !survey.is_complete() {
            let files = self.send(&revision, &survey, outcome)?;
            if files.is_empty() && survey.stale.is_empty() {
                return Err(HubError::Answer("the Hub's listing and its answer on what it lacks differ".to_owned()));
            }
            let batches = self.batches(files);
            let needs_request = matches!(self.options.place, Place::PullRequest)
                || (matches!(self.options.place, Place::Main) && batches.len() > 1);
            if needs_request && request.is_none() {
                let made = self.api.pull_request(&self.title(), &self.description())?;
                self.journal.note(&serde_json::json!({ "pull_request": made.num }))?;
                revision = made.revision();
                survey.head = Some(self.api.head(&revision)?);
                request = Some(made);
            }
            if !self.commit_all(&revision, survey, batches, outcome)? {
                return Ok(false);
            }
        }
        match (&self.options.place, request) {
            (Place::Main, Some(request)) => {
                self.api.merge(&request)?;
                self.journal.note(&serde_json::json!({ "merged": request.num }))?;
            }
            (_, request) => outcome.pull_request = request.map(|request| request.num),
        }
        Ok(true)
    }

    fn description(&self) -> String {
        format!("Manifest {}, made by databuild {}.", self.publication.digest, env!("CARGO_PKG_VERSION"))
    }

    /// Compares what stands at the revision with what shall.
    fn survey(&self, revision: &str) -> Result<Survey, HubError> {
        let head = match self.api.head(revision) {
            Ok(head) => Some(head),
            Err(HubError::Status { status: 404, .. }) => None,
            Err(error) => return Err(error),
        };
        let (tree, old_card) = match &head {
            Some(commit) => (self.api.tree(commit)?, self.api.read(commit, CARD)?),
            None => (BTreeMap::new(), None),
        };
        let old_card = old_card.as_ref().and_then(|card| std::str::from_utf8(card).ok());
        let card = PublishedFile::document(CARD, (self.card)(old_card).into_bytes());
        let files = self.publication.files(card);
        let stale = tree.keys().filter(|name| is_our_name(name) && !files.iter().any(|file| file.name == **name));
        let stale: Vec<String> = stale.cloned().collect();
        let count = files.len();
        let mut missing = Vec::new();
        for file in files {
            if !is_there(&file, tree.get(&file.name))? {
                missing.push(file);
            }
        }
        Ok(Survey { head, files: count, missing, stale })
    }

    /// Sends the large ones of the missing files; gives all of them with their mode.
    fn send(
        &self,
        revision: &str,
        survey: &Survey,
        outcome: &mut Outcome,
    ) -> Result<Vec<(PublishedFile, UploadMode)>, HubError> {
        let said = self.api.preupload(revision, &survey.missing)?;
        let mut files = Vec::new();
        for file in &survey.missing {
            let Some(answer) = said.get(&file.name) else { continue };
            let has_it = answer.upload_mode == UploadMode::Lfs && answer.oid.as_ref() == Some(&file.sha256);
            if !has_it {
                files.push((file.clone(), answer.upload_mode));
            }
        }
        let is_large = |(file, mode): &(PublishedFile, UploadMode)| (*mode == UploadMode::Lfs).then(|| file.clone());
        let large: Vec<PublishedFile> = files.iter().filter_map(is_large).collect();
        self.api.client.observer.event(&Event::Planned {
            files: files.len(),
            bytes: files.iter().map(|(file, _)| file.bytes).sum(),
            present: survey.files - files.len(),
            removed: survey.stale.len(),
        });
        let sent = upload::upload(self.api, revision, &large, self.options)?;
        let Sent { files: count, bytes, wire_bytes } = sent;
        self.journal.note(&serde_json::json!({ "sent": count, "bytes": bytes, "wire_bytes": wire_bytes }))?;
        outcome.sent += count;
        outcome.sent_bytes += bytes;
        outcome.wire_bytes += wire_bytes;
        Ok(files)
    }

    /// Cuts the files into commits.
    fn batches(&self, files: Vec<(PublishedFile, UploadMode)>) -> Vec<Vec<(PublishedFile, UploadMode)>> {
        let mut batches = vec![Vec::new()];
        let mut bytes = 0;
        for file in files {
            let is_full = |batch: &Vec<_>| {
                batch.len() >= self.options.commit_files || bytes + file.0.bytes > self.options.commit_bytes
            };
            if batches.last().is_some_and(|batch| !batch.is_empty() && is_full(batch)) {
                batches.push(Vec::new());
                bytes = 0;
            }
            bytes += file.0.bytes;
            if let Some(batch) = batches.last_mut() {
                batch.push(file);
            }
        }
        batches
    }

    /// Makes the commits one after the other; false where somebody else was there in between.
    fn commit_all(
        &self,
        revision: &str,
        survey: Survey,
        batches: Vec<Vec<(PublishedFile, UploadMode)>>,
        outcome: &mut Outcome,
    ) -> Result<bool, HubError> {
        let count = batches.len();
        let mut parent = survey.head.unwrap_or_default();
        let mut removed = survey.stale;
        outcome.removed += removed.len();
        for (index, files) in batches.into_iter().enumerate() {
            let is_last = index + 1 == count;
            let part = if count > 1 { format!(" ({} of {count})", index + 1) } else { String::new() };
            let commit = Commit {
                summary: format!("{}{part}", self.title()),
                description: self.description(),
                files,
                removed: if is_last { std::mem::take(&mut removed) } else { Vec::new() },
            };
            match self.commit(revision, commit, &parent, outcome)? {
                Committed::As(made) => parent = made,
                Committed::Moved => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Makes a commit, whatever happens to the answers.
    fn commit(
        &self,
        revision: &str,
        commit: Commit,
        parent: &str,
        outcome: &mut Outcome,
    ) -> Result<Committed, HubError> {
        let lines = commit.lines(parent)?;
        let mut attempts = Attempts::new(self.api.client.patience, self.api.client.observer);
        loop {
            let miss = match self.api.commit(revision, &lines) {
                Ok(made) => return self.made(made, &commit, outcome),
                // What was sent before may have arrived after all, and moved the revision.
                Err(Miss::Fatal(HubError::Status { status: 412, .. })) => {
                    return self.made_after_all(revision, &commit, outcome);
                }
                Err(miss) => miss,
            };
            attempts.wait(miss)?;
            if self.api.head(revision)? != parent {
                return self.made_after_all(revision, &commit, outcome);
            }
            // On `main` a half would be seen.
            if attempts.made >= ATTEMPTS_BEFORE_HALVING && commit.files.len() > 1 && revision != MAIN {
                let (first, second) = commit.halves();
                return match self.commit(revision, first, parent, outcome)? {
                    Committed::As(made) => self.commit(revision, second, &made, outcome),
                    Committed::Moved => Ok(Committed::Moved),
                };
            }
        }
    }

    fn made(&self, id: String, commit: &Commit, outcome: &mut Outcome) -> Result<Committed, HubError> {
        self.journal.note(&serde_json::json!({ "commit": id, "files": commit.files.len() }))?;
        self.api.client.observer.event(&Event::Committed { commit: id.clone(), files: commit.files.len() });
        outcome.commits.push(id.clone());
        Ok(Committed::As(id))
    }

    /// Whether the revision, which is not where it was, is where the commit would have brought it.
    fn made_after_all(&self, revision: &str, commit: &Commit, outcome: &mut Outcome) -> Result<Committed, HubError> {
        let head = self.api.head(revision)?;
        let tree = self.api.tree(&head)?;
        for (file, _) in &commit.files {
            if !is_there(file, tree.get(&file.name))? {
                return Ok(Committed::Moved);
            }
        }
        if commit.removed.iter().any(|name| tree.contains_key(name)) {
            return Ok(Committed::Moved);
        }
        self.made(head, commit, outcome)
    }
}

/// Whether the Hub has the file, byte for byte.
fn is_there(file: &PublishedFile, entry: Option<&TreeEntry>) -> Result<bool, HubError> {
    let Some(entry) = entry.filter(|entry| entry.size == file.bytes) else { return Ok(false) };
    if let Some(large) = &entry.lfs {
        return Ok(large.oid == file.sha256);
    }
    let read = |source| HubError::Read { path: file.path().to_owned(), source };
    let id = file.read(0, file.bytes).and_then(|content| git_blob(file.bytes, content)).map_err(read)?;
    Ok(id == entry.oid)
}
