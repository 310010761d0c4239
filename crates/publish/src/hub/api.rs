//! The Hub's endpoints for one dataset, as its own client speaks them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::client::{Ask, Client, JSON, parse, quoted};
use crate::error::HubError;
use crate::patience::{Miss, patiently};
use crate::publication::PublishedFile;

/// Files that are asked about at once, as the Hub's own client does.
const PREUPLOAD_FILES: usize = 256;
/// Bytes of a file that the Hub looks at to tell text from data.
const SAMPLE_BYTES: u64 = 512;

/// How the Hub wants a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum UploadMode {
    /// As a large file, outside of the commit.
    Lfs,
    /// Inside the commit.
    Regular,
}

/// What the Hub says of a file that is to come.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preupload {
    pub(super) path: String,
    pub(super) upload_mode: UploadMode,
    /// SHA-256 (large files) or git's id (others) of what stands there now.
    #[serde(default)]
    pub(super) oid: Option<String>,
}

/// A file as the Hub lists it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TreeEntry {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) oid: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) lfs: Option<LfsEntry>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct LfsEntry {
    pub(super) oid: String,
}

/// A pull request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Discussion {
    pub(super) num: u64,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) is_pull_request: bool,
}

impl Discussion {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "open" | "draft")
    }

    pub(super) fn revision(&self) -> String {
        format!("refs/pr/{}", self.num)
    }
}

/// One dataset.
pub(super) struct Api<'a> {
    pub(super) client: Client<'a>,
    /// `organisation/name`.
    pub(super) id: String,
}

impl Api<'_> {
    fn address(&self, rest: &str) -> String {
        format!("/api/datasets/{}/{rest}", self.id)
    }

    /// Creates the dataset; it may be there already.
    pub(super) fn create(&self, private: bool) -> Result<(), HubError> {
        let (owner, name) = self.id.split_once('/').unwrap_or(("", &self.id));
        let body = json!({ "type": "dataset", "organization": owner, "name": name, "private": private }).to_string();
        match self.client.ask(&Ask::post("/api/repos/create", JSON, body.as_bytes())) {
            Ok(_) | Err(HubError::Status { status: 409, .. }) => Ok(()),
            // Who may write to a dataset may not always create one.
            Err(refused @ HubError::Status { status: 403, .. }) => self.head("main").map(drop).map_err(|_| refused),
            Err(error) => Err(error),
        }
    }

    /// The commit that a revision points to.
    pub(super) fn head(&self, revision: &str) -> Result<String, HubError> {
        #[derive(Deserialize)]
        struct Info {
            sha: String,
        }
        let address = self.address(&format!("revision/{}", quoted(revision)));
        self.client.ask_json::<Info>(&Ask::get(&address)).map(|info| info.sha)
    }

    /// Creates a branch on top of `main`; it may be there already.
    pub(super) fn create_branch(&self, branch: &str) -> Result<(), HubError> {
        let address = self.address(&format!("branch/{}", quoted(branch)));
        match self.client.ask(&Ask::post(&address, JSON, b"{}")) {
            Ok(_) | Err(HubError::Status { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What stands at a revision, by path.
    pub(super) fn tree(&self, revision: &str) -> Result<BTreeMap<String, TreeEntry>, HubError> {
        let mut found = BTreeMap::new();
        let mut next = Some(self.address(&format!("tree/{}?recursive=true", quoted(revision))));
        while let Some(address) = next {
            let (answer, following) = self.client.page(&address)?;
            let entries: Vec<TreeEntry> = parse(&answer)?;
            let files = entries.into_iter().filter(|entry| entry.kind == "file");
            found.extend(files.map(|entry| (entry.path.clone(), entry)));
            next = following;
        }
        Ok(found)
    }

    /// The content of a small file, if it is there.
    pub(super) fn read(&self, revision: &str, name: &str) -> Result<Option<Vec<u8>>, HubError> {
        let address = format!("/datasets/{}/resolve/{}/{name}", self.id, quoted(revision));
        match self.client.ask(&Ask::get(&address)) {
            Ok(content) => Ok(Some(content)),
            Err(HubError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How the Hub wants the files, and what it has in their place.
    pub(super) fn preupload(
        &self,
        revision: &str,
        files: &[PublishedFile],
    ) -> Result<BTreeMap<String, Preupload>, HubError> {
        #[derive(Deserialize)]
        struct Answer {
            files: Vec<Preupload>,
        }
        let address = self.address(&format!("preupload/{}", quoted(revision)));
        let mut found = BTreeMap::new();
        for batch in files.chunks(PREUPLOAD_FILES) {
            let files = batch.iter().map(described).collect::<Result<Vec<_>, _>>()?;
            let body = json!({ "files": files }).to_string();
            let answer: Answer = self.client.ask_json(&Ask::post(&address, JSON, body.as_bytes()))?;
            found.extend(answer.files.into_iter().map(|file| (file.path.clone(), file)));
        }
        match files.iter().find(|file| !found.contains_key(&file.name)) {
            Some(missing) => Err(HubError::Answer(format!("nothing is said of `{}`", missing.name))),
            None => Ok(found),
        }
    }

    /// One attempt at a commit; gives its id.
    pub(super) fn commit(&self, revision: &str, lines: &[u8]) -> Result<String, Miss> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            commit_oid: String,
        }
        let address = self.address(&format!("commit/{}", quoted(revision)));
        let answer = self.client.once(&Ask::post(&address, "application/x-ndjson", lines))?;
        // An answer that cannot be read is no answer: the commit may have been made.
        let unread = |error: HubError| Miss::Later { reason: error.to_string(), asked: None };
        parse::<Answer>(&answer).map(|answer| answer.commit_oid).map_err(unread)
    }

    /// The open pull request of that title, made if there is none.
    pub(super) fn pull_request(&self, title: &str, description: &str) -> Result<Discussion, HubError> {
        let address = self.address("discussions");
        let body = json!({ "title": title, "description": description, "pullRequest": true }).to_string();
        // Looked for before each attempt: the answer to the one before may have been lost.
        patiently(self.client.patience, self.client.observer, || {
            if let Some(open) = self.find_pull_request(title).map_err(Miss::Fatal)? {
                return Ok(open);
            }
            let answer = self.client.once(&Ask::post(&address, JSON, body.as_bytes()))?;
            parse(&answer).map_err(Miss::Fatal)
        })
    }

    /// The open pull request of that title.
    pub(super) fn find_pull_request(&self, title: &str) -> Result<Option<Discussion>, HubError> {
        #[derive(Deserialize)]
        struct Answer {
            discussions: Vec<Discussion>,
        }
        let address = self.address("discussions?type=pull_request&status=open");
        let answer: Answer = self.client.ask_json(&Ask::get(&address))?;
        let is_ours = |found: &Discussion| found.is_pull_request && found.is_open() && found.title == title;
        Ok(answer.discussions.into_iter().find(is_ours))
    }

    /// Makes a pull request's commits those of `main`.
    pub(super) fn merge(&self, request: &Discussion) -> Result<(), HubError> {
        let own = self.address(&format!("discussions/{}", request.num));
        patiently(self.client.patience, self.client.observer, || {
            let now: Discussion = self.client.ask_json(&Ask::get(&own)).map_err(Miss::Fatal)?;
            match now.status.as_str() {
                "merged" => return Ok(()), // by an attempt whose answer was lost
                "draft" => {
                    let open = json!({ "status": "open" }).to_string();
                    self.client.once(&Ask::post(&format!("{own}/status"), JSON, open.as_bytes()))?;
                }
                _ => {}
            }
            self.client.once(&Ask::post(&format!("{own}/merge"), JSON, b"{}")).map(drop)
        })
    }
}

fn described(file: &PublishedFile) -> Result<serde_json::Value, HubError> {
    let mut sample = Vec::new();
    let read = file.read(0, SAMPLE_BYTES.min(file.bytes));
    let read = read.and_then(|mut reader| reader.read_to_end(&mut sample));
    read.map_err(|source| HubError::Read { path: file.path().to_owned(), source })?;
    Ok(json!({ "path": file.name, "size": file.bytes, "sample": STANDARD.encode(sample) }))
}
