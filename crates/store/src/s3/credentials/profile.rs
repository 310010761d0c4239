//! Profiles: sections of two files that every tool of S3 reads.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CredentialError, Keys, Lent, fetch};

/// The files, and which of their profiles is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiles {
    /// `~/.aws/credentials`, with sections `[name]`.
    pub credentials: Option<PathBuf>,
    /// `~/.aws/config`, with sections `[profile name]` and `[default]`.
    pub config: Option<PathBuf>,
    /// The profile.
    pub name: String,
    /// Somebody asked for it, so that it has to be there.
    pub is_named: bool,
}

/// What a profile says beside keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileSettings {
    /// Region of buckets.
    pub region: Option<String>,
    /// The server.
    pub endpoint: Option<String>,
}

type Section = Vec<(String, String)>;

impl Profiles {
    /// What the profile says beside keys. A file that can't be read says nothing here: it is missed when it is needed.
    pub fn settings(&self) -> ProfileSettings {
        let section = self.section().unwrap_or_default();
        ProfileSettings { region: value(&section, "region"), endpoint: value(&section, "endpoint_url") }
    }

    /// Whether keys are to come from here: the profile was asked for, or has some.
    pub(super) fn has_keys(&self) -> bool {
        let has = |section: Section| {
            ["aws_access_key_id", "credential_process"].iter().any(|name| value(&section, name).is_some())
        };
        self.is_named || self.section().is_ok_and(has)
    }

    pub(super) fn fetch(&self) -> Result<Lent, CredentialError> {
        let section = self.section()?;
        let wrong = |why: &str| CredentialError::Profile { profile: self.name.clone(), why: why.to_owned() };
        if let Some(command) = value(&section, "credential_process") {
            return self.ask(&command);
        }
        let id = value(&section, "aws_access_key_id");
        let id = id.ok_or_else(|| wrong(if section.is_empty() { "there is none" } else { "it has no keys" }))?;
        let secret = value(&section, "aws_secret_access_key").ok_or_else(|| wrong("it has half of a key pair"))?;
        let keys = Keys { id, secret, token: value(&section, "aws_session_token") };
        Ok(Lent { keys: Some(keys), until: None })
    }

    /// Has a program of the user say the keys.
    fn ask(&self, command: &str) -> Result<Lent, CredentialError> {
        let wrong = |why: String| CredentialError::Profile { profile: self.name.clone(), why };
        let output = Command::new("sh").arg("-c").arg(command).output();
        let output = output.map_err(|error| wrong(format!("its `credential_process` does not start: {error}")))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(wrong(format!("its `credential_process` fails: {}", words.trim())));
        }
        fetch::lent(&output.stdout).ok_or_else(|| wrong("its `credential_process` says no keys".to_owned()))
    }

    /// What both files say of the profile; keys of the first file count more.
    fn section(&self) -> Result<Section, CredentialError> {
        let mut section = Section::new();
        for (path, is_config) in [(&self.credentials, false), (&self.config, true)] {
            let Some(path) = path else { continue };
            let header =
                if is_config && self.name != "default" { format!("profile {}", self.name) } else { self.name.clone() };
            section.extend(read(path)?.map(|text| lines_of(&text, &header)).unwrap_or_default());
        }
        Ok(section)
    }
}

fn read(path: &Path) -> Result<Option<String>, CredentialError> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CredentialError::File { path: path.to_owned(), source }),
        Ok(text) => Ok(Some(text)),
    }
}

fn value(section: &Section, name: &str) -> Option<String> {
    section.iter().find(|(found, value)| found == name && !value.is_empty()).map(|(_, value)| value.clone())
}

/// The settings of one section.
fn lines_of(text: &str, header: &str) -> Section {
    let (mut section, mut is_inside) = (Section::new(), false);
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            is_inside = name.split_whitespace().collect::<Vec<_>>().join(" ") == header;
            continue;
        }
        // What is indented belongs to a setting with parts, none of ours.
        let is_plain = !line.starts_with([' ', '\t', '#', ';']);
        if let (true, Some((name, value))) = (is_inside && is_plain, trimmed.split_once('=')) {
            section.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "# keys\n[default]\naws_access_key_id = A\naws_secret_access_key=sa\n\n\
        [work]\naws_access_key_id=W\naws_secret_access_key = s w\naws_session_token = t=\n";
    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n  endpoint_url = http://no\n\n[profile  work]\n\
        endpoint_url = http://there\n[profile process]\ncredential_process = printf '%s' \
        '{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"sp\",\"Expiration\":\"2100-01-01T00:00:00Z\"}'\n\
        [profile sso]\nsso_session = x\n";

    fn profiles(name: &str) -> (tempfile::TempDir, Profiles) {
        let folder = tempfile::tempdir().expect("a folder");
        let [credentials, config] = [("credentials", CREDENTIALS), ("config", CONFIG)].map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            Some(path)
        });
        (folder, Profiles { credentials, config, name: name.into(), is_named: name != "default" })
    }

    fn keys(name: &str) -> Result<Lent, CredentialError> {
        let (_folder, profiles) = profiles(name);
        assert!(profiles.has_keys());
        profiles.fetch()
    }

    #[test]
    fn keys_are_those_of_the_profile() {
        let found = |name| keys(name).expect("keys").keys.expect("somebody");
        assert_eq!(found("default"), Keys { id: "A".into(), secret: "sa".into(), token: None });
        assert_eq!(found("work"), Keys { id: "W".into(), secret: "s w".into(), token: Some("t=".into()) });
        let lent = keys("process").expect("keys");
        assert_eq!(lent.keys.map(|keys| keys.id).as_deref(), Some("P"));
        assert!(lent.until.is_some());
    }

    #[test]
    fn settings_are_those_of_the_profile() {
        let (_folder, default) = profiles("default");
        assert_eq!(default.settings(), ProfileSettings { region: Some("eu-west-1".into()), endpoint: None });
        let (_folder, work) = profiles("work");
        assert_eq!(work.settings(), ProfileSettings { region: None, endpoint: Some("http://there".into()) });
        let (_folder, nobody) = profiles("nobody");
        assert_eq!(nobody.settings(), ProfileSettings::default());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (name, why) in [("nobody", "there is none"), ("sso", "it has no keys")] {
            let error = keys(name).expect_err("no keys");
            assert!(error.to_string().contains(why), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("credential_process")), "{error}");
        }
    }

    #[test]
    fn nobody_needs_the_files() {
        let nowhere = Some(PathBuf::from("/nowhere/at/all"));
        let none = Profiles { credentials: nowhere.clone(), config: nowhere, name: "default".into(), is_named: false };
        assert!(!none.has_keys());
    }
}
