//! How many connections one host has to bear.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Watch;
use super::pace::Stopped;

/// How often a waiting transfer looks whether the run was stopped.
const STOP_POLL: Duration = Duration::from_millis(50);

/// Counts connections by host.
#[derive(Debug)]
pub(super) struct Hosts {
    most: usize,
    open: Mutex<BTreeMap<String, usize>>,
    closed: Condvar,
}

/// One connection; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    hosts: Arc<Hosts>,
    host: String,
}

impl Hosts {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), open: Mutex::default(), closed: Condvar::new() }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the host of `url` has room for one more.
    pub(super) fn connect(self: &Arc<Self>, url: &str, watch: &dyn Watch) -> Result<Connection, Stopped> {
        let host = url.split('/').nth(2).unwrap_or(url).to_owned();
        let mut open = self.open();
        while open.get(&host).is_some_and(|count| *count >= self.most) {
            if watch.stopped() {
                return Err(Stopped);
            }
            open = self.closed.wait_timeout(open, STOP_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        *open.entry(host.clone()).or_default() += 1;
        drop(open);
        Ok(Connection { hosts: Arc::clone(self), host })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.hosts.open();
        if let Some(count) = open.get_mut(&self.host) {
            *count = count.saturating_sub(1);
        }
        drop(open);
        self.hosts.closed.notify_all();
    }
}
