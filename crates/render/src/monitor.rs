//! A thread that looks at the memory of every browser and kills processes that take too much.
//!
//! Chrome reserves terabytes of address space, so limits on that are of no use; what is really in use is looked at twice a
//! second. Killing the one greedy process costs its page and spares the pages beside it.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::browser::Browser;

/// Time between looks: a page takes seconds to fill gigabytes, and a look takes about a millisecond.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The browsers that are watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched(Arc<Mutex<Vec<Weak<Browser>>>>);

impl Watched {
    pub(crate) fn add(&self, browser: &Arc<Browser>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(browser));
    }

    /// Those that still exist.
    pub(crate) fn browsers(&self) -> Vec<Arc<Browser>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|browser| browser.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}

/// The thread; dropping this ends it.
#[derive(Debug)]
pub(crate) struct Monitor {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Watches; `killed` hears how much a killed process had used.
    pub(crate) fn start(
        watched: Watched,
        process_max_bytes: u64,
        killed: impl Fn(u64) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            while stopped.recv_timeout(LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                for browser in watched.browsers() {
                    browser.watch_memory(process_max_bytes).into_iter().for_each(&killed);
                }
            }
        };
        let thread = thread::Builder::new().name("chrome-monitor".to_owned()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic there was a bug that has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}
