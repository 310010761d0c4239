//! Identity of behaviour.
//!
//! A stage's *fingerprint* is its name, its version and its settings (configuration and digests of the artefacts that
//! it uses), in a canonical form: the order of keys, comments and defaults written out or not make no difference.
//! Keys of results are made of fingerprints and content digests alone, never of paths, times or machines.

use item::{ContentHasher, Digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Configuration and artefact digests of a stage, as plain JSON.
pub type Settings = serde_json::Value;

/// What a stage is, as far as its answers depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// Name of the stage.
    pub name: String,
    /// Its version: bumped when the same input gives another answer.
    pub version: u32,
    /// Its settings.
    pub settings: Settings,
}

impl Fingerprint {
    /// The digest that goes into keys.
    pub fn digest(&self) -> Digest {
        let mut canonical = String::new();
        write_canonical(&self.settings, &mut canonical);
        ContentHasher::new("fingerprint")
            .add_text(&self.name)
            .add_u64(u64::from(self.version))
            .add_text(&canonical)
            .finish()
    }
}

/// Writes JSON with sorted keys and no white space, whatever map type `serde_json` was built with.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for value in values {
                write_canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// The key of a unit of work: what is done, and to what.
pub(crate) fn unit_key(kind: &str, fingerprints: &[Fingerprint], input: &Digest) -> Digest {
    let mut hasher = ContentHasher::new(kind);
    hasher.add_u64(fingerprints.len() as u64);
    for fingerprint in fingerprints {
        hasher.add_digest(&fingerprint.digest());
    }
    hasher.add_digest(input).finish()
}

/// The digest of a sequence of digests.
pub(crate) fn chain<'a>(kind: &str, digests: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut hasher = ContentHasher::new(kind);
    for digest in digests {
        hasher.add_digest(digest);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(settings: &str) -> Digest {
        let settings = serde_json::from_str(settings).expect("json in a test");
        Fingerprint { name: "clean".into(), version: 1, settings }.digest()
    }

    #[test]
    fn only_meaning_moves_a_fingerprint() {
        let base = fingerprint(r#"{"a": 1, "b": {"c": [1, 2], "d": "x"}}"#);
        assert_eq!(base, fingerprint(r#"{"b": {"d": "x", "c": [1,2]}, "a": 1}"#));
        assert_ne!(base, fingerprint(r#"{"a": 2, "b": {"c": [1, 2], "d": "x"}}"#));
        assert_ne!(base, fingerprint(r#"{"a": 1, "b": {"c": [2, 1], "d": "x"}}"#));
    }
}
