//! A model with a memory: what was said once is not asked again.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use item::{ContentHasher, Digest};

use super::client::{Client, Spent, VlmError};
use super::server::Server;
use super::wire::{Ask, Said};

/// Where answers are kept. What is remembered must be given back by a later run, whatever became of this one.
pub trait Memory: Send + Sync {
    /// The answer to a request of that digest.
    fn recall(&self, ask: &Digest) -> Option<Said>;
    /// Keeps an answer, before anybody acts on it.
    fn remember(&self, ask: &Digest, said: &Said) -> Result<(), String>;
}

/// Remembers nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn recall(&self, _: &Digest) -> Option<Said> {
        None
    }

    fn remember(&self, _: &Digest, _: &Said) -> Result<(), String> {
        Ok(())
    }
}

/// A model: its servers, its identity, its memory.
pub struct Model {
    client: Client,
    identity: Digest,
    memory: Box<dyn Memory>,
    /// Started with the first question; with what came of the start.
    server: Option<(Server, OnceLock<Result<(), VlmError>>)>,
    recalled: AtomicU64,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("client", &self.client).field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Model {
    /// A model with whatever tells its answers from another's: name, revision, digest of its weights.
    pub fn new(client: Client, identity: Digest, memory: Box<dyn Memory>) -> Self {
        Self { client, identity, memory, server: None, recalled: AtomicU64::new(0) }
    }

    /// The model is served by that one, which starts with the first question that is not remembered.
    #[must_use]
    pub fn served_by(self, server: Server) -> Self {
        Self { server: Some((server, OnceLock::new())), ..self }
    }

    /// What is said to that.
    pub fn ask(&self, ask: &Ask) -> Result<Said, VlmError> {
        let key = ContentHasher::new("asked").add_digest(&self.identity).add_digest(&ask.digest()).finish();
        if let Some(said) = self.memory.recall(&key) {
            self.recalled.fetch_add(1, Ordering::Relaxed);
            return Ok(said);
        }
        if let Some((server, started)) = &self.server {
            started.get_or_init(|| self.start(server)).clone()?;
        }
        let said = self.client.ask(ask)?;
        if said.is_of_the_model() {
            self.memory.remember(&key, &said).map_err(VlmError::NotKept)?;
        }
        Ok(said)
    }

    fn start(&self, server: &Server) -> Result<(), VlmError> {
        server.start().map_err(VlmError::NotReady)?;
        self.client.wait_until_ready(server.ready_within(), || server.ended())
    }

    /// What was asked of the servers so far.
    pub fn spent(&self) -> Spent {
        self.client.spent()
    }

    /// Answers that were remembered.
    pub fn recalled(&self) -> u64 {
        self.recalled.load(Ordering::Relaxed)
    }

    /// Asks nothing any more, and ends the server that was started.
    pub fn stop(&self) {
        self.client.stop();
        if let Some((server, _)) = &self.server {
            server.stop();
        }
    }
}
