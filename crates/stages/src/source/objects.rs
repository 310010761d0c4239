//! Objects of S3, found by pattern.

use engine::StageError;
use glob::{MatchOptions, Pattern};
use ingest::remote::{Client, RemoteFile, Watch, bucket_and_key, is_s3, list_objects};

const WILDCARDS: [char; 3] = ['*', '?', '['];

/// As in paths: `*` does not reach into the folder below.
const LIKE_PATHS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// Whether an address stands for several objects. In web addresses `?` has another meaning, and nobody lists them.
pub(super) fn is_pattern(url: &str) -> bool {
    is_s3(url) && url.contains(WILDCARDS)
}

/// The objects that a pattern means, by address. One that means none is an error, as with files.
pub(super) fn find_objects(pattern: &str, client: &Client, watch: &dyn Watch) -> Result<Vec<RemoteFile>, StageError> {
    let doing = || format!("find objects by `{pattern}`");
    let question = Question::of(pattern).ok_or_else(|| {
        StageError::plain(format!("{}: it needs the name of a bucket, as in `s3://bucket/*.warc.gz`", doing()))
    })?;
    let keys = Pattern::new(question.keys).map_err(|error| StageError::new(doing(), error))?;
    let listed = list_objects(client, question.prefix, question.is_folder, watch)
        .map_err(|error| StageError::new(doing(), error))?;
    let is_meant = |file: &RemoteFile| {
        // Consoles make empty objects that stand for folders.
        bucket_and_key(&file.url).is_some_and(|(_, key)| !key.ends_with('/') && keys.matches_with(key, LIKE_PATHS))
    };
    let mut found: Vec<RemoteFile> = listed.into_iter().filter(is_meant).collect();
    if found.is_empty() {
        return Err(StageError::plain(format!("{}: nothing below `{}` matches", doing(), question.prefix)));
    }
    found.sort();
    Ok(found)
}

/// What the server is asked.
#[derive(Debug, PartialEq)]
struct Question<'a> {
    /// The address up to the first wildcard: servers know no patterns, but beginnings of keys.
    prefix: &'a str,
    /// The pattern of the keys.
    keys: &'a str,
    /// What lies in folders further down does not matter, however much it is.
    is_folder: bool,
}

impl<'a> Question<'a> {
    fn of(pattern: &'a str) -> Option<Self> {
        let (_, keys) = bucket_and_key(pattern).filter(|(bucket, _)| !bucket.contains(WILDCARDS))?;
        let (prefix, rest) = pattern.split_at(pattern.find(WILDCARDS)?);
        Some(Self { prefix, keys, is_folder: !rest.contains('/') && !rest.contains("**") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_is_asked() {
        let check = |pattern, expected: Option<(&str, &str, bool)>| {
            let expected = expected.map(|(prefix, keys, is_folder)| Question { prefix, keys, is_folder });
            assert_eq!(Question::of(pattern), expected, "{pattern}");
        };
        check("s3://b/x/a-*.gz", Some(("s3://b/x/a-", "x/a-*.gz", true)));
        check("s3://b/*", Some(("s3://b/", "*", true)));
        check("s3://b/x/*/a.gz", Some(("s3://b/x/", "x/*/a.gz", false)));
        check("s3://b/x/**", Some(("s3://b/x/", "x/**", false)));
        check("s3://*/a", None);
        check("s3://b/a", None);
        assert!(is_pattern("s3://b/[ab]") && !is_pattern("s3://b/a") && !is_pattern("https://a.example/?q=*"));
    }
}
