//! A commit as the Hub takes it: lines of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::api::UploadMode;
use crate::error::HubError;
use crate::publication::PublishedFile;

/// Largest file that stands inside a commit. The Hub takes 10 MB; what we put there is text of some kilobytes.
const INLINE_BYTES_MAX: u64 = 5_000_000;

/// What one commit does.
#[derive(Debug, Clone, Default)]
pub(super) struct Commit {
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) files: Vec<(PublishedFile, UploadMode)>,
    pub(super) removed: Vec<String>,
}

impl Commit {
    /// The request's body, on top of the commit `parent`.
    pub(super) fn lines(&self, parent: &str) -> Result<Vec<u8>, HubError> {
        let header = json!({ "summary": self.summary, "description": self.description, "parentCommit": parent });
        let mut lines = Vec::new();
        add("header", &header, &mut lines);
        for (file, mode) in &self.files {
            match mode {
                UploadMode::Lfs => {
                    let value = json!({ "path": file.name, "algo": "sha256", "oid": file.sha256, "size": file.bytes });
                    add("lfsFile", &value, &mut lines);
                }
                UploadMode::Regular => {
                    let content = STANDARD.encode(inline(file)?);
                    add("file", &json!({ "path": file.name, "encoding": "base64", "content": content }), &mut lines);
                }
            }
        }
        for name in &self.removed {
            add("deletedFile", &json!({ "path": name }), &mut lines);
        }
        Ok(lines)
    }

    /// The commit in two, for a server that takes too long over it: the first half of the files, then the rest with
    /// all that has to come last.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let rest = self.files.split_off(self.files.len() / 2);
        let removed = std::mem::take(&mut self.removed);
        let second = Self { files: rest, removed, ..self.clone() };
        (self, second)
    }
}

fn add(key: &str, value: &Value, lines: &mut Vec<u8>) {
    lines.extend_from_slice(json!({ "key": key, "value": value }).to_string().as_bytes());
    lines.push(b'\n');
}

fn inline(file: &PublishedFile) -> Result<Vec<u8>, HubError> {
    if file.bytes > INLINE_BYTES_MAX {
        return Err(HubError::Inline { name: file.name.clone(), bytes: file.bytes });
    }
    let mut content = Vec::new();
    let read = file.read(0, file.bytes).and_then(|mut reader| reader.read_to_end(&mut content));
    read.map_err(|source| HubError::Read { path: file.path().to_owned(), source })?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> (PublishedFile, UploadMode) {
        (PublishedFile::document(name, name.as_bytes().to_vec()), UploadMode::Lfs)
    }

    #[test]
    fn lines_are_those_of_the_protocol() {
        let readme = (PublishedFile::document("README.md", b"# x".to_vec()), UploadMode::Regular);
        let commit = Commit {
            summary: "s".into(),
            description: "d".into(),
            files: vec![file("a"), readme],
            removed: vec!["b".into()],
        };
        let lines = String::from_utf8(commit.lines("p").expect("memory")).expect("text");
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let keys: Vec<&str> = lines.iter().filter_map(|line| line["key"].as_str()).collect();
        assert_eq!(keys, ["header", "lfsFile", "file", "deletedFile"]);
        assert_eq!(lines[0]["value"]["parentCommit"], "p");
        assert_eq!(lines[1]["value"]["size"], 1);
        assert_eq!(lines[2]["value"]["content"], "IyB4");
    }

    #[test]
    fn what_comes_last_stays_last() {
        let files = vec![file("a"), file("b"), file("README.md")];
        let (first, second) = Commit { files, removed: vec!["old".into()], ..Commit::default() }.halves();
        assert_eq!((first.files.len(), first.removed.len()), (1, 0));
        assert_eq!(second.files.last().map(|(file, _)| file.name.as_str()), Some("README.md"));
        assert_eq!(second.removed, ["old"]);
    }
}
