//! A thread that looks at the memory of every browser and kills processes that take too much.
//!
//! A process has a limit, and so has a browser as a whole: above it, its greediest process but the leading one is killed.
//!
//! Chrome reserves terabytes of address space, so limits on that are of no use; what is really in use is looked at twice a
//! second. Killing the one greedy process costs its page and spares the pages beside it.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::browser::Browser;
use crate::event::FarmEvent;

/// Time between looks: a page takes seconds to fill gigabytes, and a look takes about a millisecond.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Looks between two reports of what was seen: five seconds.
const LOOKS_PER_REPORT: u32 = 10;

/// The browsers that are watched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    browsers: Arc<Mutex<Vec<Weak<Browser>>>>,
    /// The most that one browser was seen to use.
    pub(crate) peak_bytes: Arc<AtomicU64>,
}

/// How much memory is too much; shared pages are not counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryLimits {
    pub(crate) process_bytes: u64,
    pub(crate) browser_bytes: u64,
}

impl Watched {
    pub(crate) fn add(&self, browser: &Arc<Browser>) {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(browser));
    }

    /// Those that still exist.
    pub(crate) fn browsers(&self) -> Vec<Arc<Browser>> {
        let mut all = self.browsers.lock().unwrap_or_else(PoisonError::into_inner);
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
    /// Watches; `tell` hears of killed processes, and now and then of every browser's memory.
    pub(crate) fn start(
        watched: Watched,
        limits: MemoryLimits,
        tell: impl Fn(FarmEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let mut looks = 0;
            while stopped.recv_timeout(LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                let browsers = watched.browsers();
                for browser in &browsers {
                    for memory_bytes in browser.watch_memory(limits) {
                        tell(FarmEvent::ProcessKilled { memory_bytes });
                    }
                    watched.peak_bytes.fetch_max(browser.memory_bytes.load(Relaxed), Relaxed);
                }
                looks += 1;
                if looks % LOOKS_PER_REPORT == 0 {
                    let memory = browsers.iter().map(|browser| browser.memory_bytes.load(Relaxed)).collect();
                    tell(FarmEvent::MemorySeen { browsers: memory });
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
