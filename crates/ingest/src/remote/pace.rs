//! One pace for all requests.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Watch;

/// How often a waiting transfer looks whether the run was stopped.
const STOP_POLL: Duration = Duration::from_millis(50);

/// A token bucket with room for one token: requests start at least `gap` apart, and none before a pause is over.
#[derive(Debug)]
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Instant>,
}

/// The run was stopped while a transfer waited.
#[derive(Debug)]
pub(crate) struct Stopped;

impl Pace {
    pub(super) fn new(requests_per_second: f64) -> Self {
        let gap = Duration::try_from_secs_f64(1.0 / requests_per_second).unwrap_or_default();
        Self { gap, next: Mutex::new(Instant::now()) }
    }

    /// Waits for the turn of one request.
    pub(super) fn wait_turn(&self, watch: &dyn Watch) -> Result<(), Stopped> {
        loop {
            let turn = {
                let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                if *next <= now {
                    *next = now + self.gap;
                    return Ok(());
                }
                *next
            };
            sleep_until(turn, watch)?;
        }
    }

    /// Nobody asks again before `pause` is over.
    pub(super) fn pause(&self, pause: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + pause);
    }
}

/// Sleeps, but not past a stop.
pub(crate) fn sleep_until(end: Instant, watch: &dyn Watch) -> Result<(), Stopped> {
    loop {
        if watch.stopped() {
            return Err(Stopped);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(STOP_POLL));
    }
}
