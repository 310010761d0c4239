//! Where to publish.

use std::path::PathBuf;

/// A place for datasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A dataset of the Hub: `organisation/name`.
    Hub(String),
    /// A prefix in a bucket: `s3://bucket/prefix`.
    Bucket(String),
    /// A folder: a path that begins with `/` or `.`, or `file://…`.
    Folder(PathBuf),
}

/// What was said names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "understand the target `{0}`: it is no `organisation/name`, no `s3://bucket/prefix` and no path that begins with `/` or `./`"
)]
pub struct TargetError(String);

/// Most characters of a name on the Hub.
const NAME_CHARS_MAX: usize = 96;

impl std::str::FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.starts_with("s3://") {
            return Ok(Self::Bucket(text.trim_end_matches('/').to_owned()));
        }
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self::Folder(path.into()));
        }
        if ["/", "./", "../", "."].iter().any(|start| text.starts_with(start)) {
            return Ok(Self::Folder(text.into()));
        }
        let name = text.strip_prefix("https://huggingface.co/datasets/").unwrap_or(text);
        match name.split('/').collect::<Vec<_>>().as_slice() {
            [owner, name] if is_name(owner) && is_name(name) => Ok(Self::Hub(format!("{owner}/{name}"))),
            _ => Err(TargetError(text.to_owned())),
        }
    }
}

/// The Hub's rule: letters, digits, `-`, `_` and `.`; no `--` and `..`; neither `-` nor `.` at the ends.
fn is_name(name: &str) -> bool {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    let bare = |char| matches!(char, '-' | '.');
    !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name.chars().all(is_allowed)
        && !name.contains("--")
        && !name.contains("..")
        && !name.starts_with(bare)
        && !name.ends_with(bare)
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hub(name) | Self::Bucket(name) => f.write_str(name),
            Self::Folder(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        let check = |text: &str, expected: Option<Target>| assert_eq!(text.parse().ok(), expected, "{text}");
        check("org/name", Some(Target::Hub("org/name".into())));
        check("https://huggingface.co/datasets/org/name", Some(Target::Hub("org/name".into())));
        check("s3://bucket/a/b/", Some(Target::Bucket("s3://bucket/a/b".into())));
        check("./out", Some(Target::Folder("./out".into())));
        check("/srv/out", Some(Target::Folder("/srv/out".into())));
        check("file:///srv/out", Some(Target::Folder("/srv/out".into())));
        check("name", None);
        check("a/b/c", None);
        check("org/na--me", None);
        check("org/-name", None);
        check("org/na me", None);
        check("", None);
    }
}
