//! Who we are: the usual chain, from the environment to the machine's own role.
//!
//! Nothing here reads the environment: whoever does tells what it found ([`Surroundings`]). The first source that
//! exists is the one that counts; if it fails, the next one is not tried, since a user who named a profile does not want
//! to be somebody else.

mod fetch;
mod profile;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use profile::{ProfileSettings, Profiles};

/// Keys are fetched anew so long before they run out: a request may wait for its turn.
const RENEWED_BEFORE: Duration = Duration::from_mins(5);

/// A key pair. Its secret parts are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Access key id.
    pub id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token, where the pair is a temporary one.
    pub token: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the environment says about who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `AWS_ACCESS_KEY_ID` and its companions.
    pub keys: Option<Keys>,
    /// The files of profiles.
    pub profiles: Profiles,
    /// A token of the cluster that stands for a role.
    pub web_identity: Option<WebIdentity>,
    /// Where the container is told its keys.
    pub container: Option<Container>,
    /// Where the machine is told its keys: `http://169.254.169.254`. `None` where it must not be asked.
    pub instance: Option<String>,
}

/// A token that is exchanged for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebIdentity {
    /// The file with the token.
    pub token_file: PathBuf,
    /// The role that it stands for.
    pub role: String,
    /// What the session is called.
    pub session: String,
    /// The server that exchanges it.
    pub endpoint: String,
}

/// A server beside the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its address.
    pub url: String,
    /// A file with what it wants to see in `Authorization`.
    pub token_file: Option<PathBuf>,
}

/// Trouble to find out who we are.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file can not be read.
    #[error("read `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A profile is not there, or says nothing that we understand.
    #[error("use the profile `{profile}`: {why}")]
    Profile {
        /// Its name.
        profile: String,
        /// What is wrong.
        why: String,
    },
    /// A server that should know did not say.
    #[error("ask `{url}` for credentials: {why}")]
    Server {
        /// Its address.
        url: String,
        /// What went wrong.
        why: String,
        /// It may be otherwise the next time.
        is_passing: bool,
    },
}

impl CredentialError {
    /// Whether it may be otherwise in a moment.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Server { is_passing: true, .. })
    }

    /// What a user may try.
    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Profile { profile, .. } => Some(format!(
                "profiles with keys or with a `credential_process` are understood; for others: `credential_process = aws configure export-credentials --profile {profile} --format process` in a profile of its own"
            )),
            _ => None,
        }
    }
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Environment(Keys),
    Profile(Profiles),
    WebIdentity(WebIdentity),
    Container(Container),
    Instance(String),
    Nobody,
}

/// Keys, and until when they are good.
#[derive(Debug, Clone)]
struct Lent {
    keys: Option<Keys>,
    until: Option<Timestamp>,
}

impl Lent {
    fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Timestamp::now() + RENEWED_BEFORE < until)
    }
}

/// Knows who we are. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Chain {
    source: Source,
    known: Arc<Mutex<Option<Lent>>>,
}

impl Chain {
    /// Takes the first source that the surroundings have.
    pub fn new(surroundings: &Surroundings) -> Self {
        let Surroundings { keys, profiles, web_identity, container, instance } = surroundings.clone();
        let source = if let Some(keys) = keys {
            Source::Environment(keys)
        } else if profiles.has_keys() {
            Source::Profile(profiles)
        } else if let Some(identity) = web_identity {
            Source::WebIdentity(identity)
        } else if let Some(container) = container {
            Source::Container(container)
        } else if let Some(endpoint) = instance {
            Source::Instance(endpoint)
        } else {
            Source::Nobody
        };
        Self { source, known: Arc::default() }
    }

    /// Where the keys come from, for people.
    pub fn says(&self) -> String {
        match &self.source {
            Source::Environment(keys) => format!("the key `{}` from the environment", keys.id),
            Source::Profile(profiles) => format!("the profile `{}`", profiles.name),
            Source::WebIdentity(identity) => format!("the role `{}`", identity.role),
            Source::Container(_) => "the role of the container".into(),
            Source::Instance(_) => "the role of the machine, if it has one".into(),
            Source::Nobody => "nobody: there are no credentials".into(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Lent>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys to sign with; `None` where there are none, and requests are anonymous.
    pub(super) fn keys(&self) -> Result<Option<Keys>, CredentialError> {
        // Held while they are fetched: everybody waits for the same ones.
        let mut known = self.known();
        if let Some(lent) = known.as_ref().filter(|lent| lent.is_fresh()) {
            return Ok(lent.keys.clone());
        }
        let lent = self.source.fetch()?;
        Ok(known.insert(lent).keys.clone())
    }

    /// They are not good any more, whatever they said.
    pub(super) fn forget(&self) {
        *self.known() = None;
    }
}

impl Source {
    fn fetch(&self) -> Result<Lent, CredentialError> {
        match self {
            Self::Environment(keys) => Ok(Lent { keys: Some(keys.clone()), until: None }),
            Self::Profile(profiles) => profiles.fetch(),
            Self::WebIdentity(identity) => fetch::web_identity(identity),
            Self::Container(container) => fetch::container(container),
            Self::Instance(endpoint) => fetch::instance(endpoint),
            Self::Nobody => Ok(Lent { keys: None, until: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_counts() {
        let keys = Keys { id: "id".into(), secret: "hidden".into(), token: None };
        let mut surroundings = Surroundings {
            keys: Some(keys.clone()),
            container: Some(Container { url: "http://127.0.0.1:1/".into(), token_file: None }),
            instance: Some("http://127.0.0.1:1".into()),
            ..Surroundings::default()
        };
        assert!(!format!("{surroundings:?}").contains("hidden"));
        let chain = Chain::new(&surroundings);
        assert_eq!(chain.keys().expect("they are known"), Some(keys));
        assert!(chain.says().contains("`id` from the environment"), "{}", chain.says());
        surroundings.keys = None;
        assert!(Chain::new(&surroundings).says().contains("container"));
        surroundings.container = None;
        assert!(Chain::new(&surroundings).says().contains("machine"));
        surroundings.instance = None;
        assert_eq!(Chain::new(&surroundings).keys().expect("nobody is somebody"), None);
    }
}
