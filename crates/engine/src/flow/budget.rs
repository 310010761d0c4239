//! The one place where memory is bounded.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::CANCEL_POLL;

/// What is in flight, in parcels and bytes.
#[derive(Debug)]
pub(super) struct Budget {
    parcels_max: usize,
    bytes_max: usize,
    used: Mutex<Used>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Used {
    parcels: usize,
    pub(super) bytes: usize,
}

impl Budget {
    pub(super) fn new(parcels_max: usize, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { parcels_max, bytes_max, used: Mutex::default(), freed: Condvar::new() })
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A parcel fits, or is alone: one that is larger than the whole budget must pass some time.
    fn fits(&self, used: &Used, bytes: usize) -> bool {
        used.parcels == 0 || (used.parcels < self.parcels_max && used.bytes + bytes <= self.bytes_max)
    }

    pub(super) fn would_wait(&self, bytes: usize) -> bool {
        !self.fits(&self.used(), bytes)
    }

    /// Waits until a parcel fits; `None` when the flow stops first.
    pub(super) fn enter(self: &Arc<Self>, bytes: usize, stopped: impl Fn() -> bool) -> Option<Charge> {
        let mut used = self.used();
        while !self.fits(&used, bytes) {
            if stopped() {
                return None;
            }
            used = self.freed.wait_timeout(used, CANCEL_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        used.parcels += 1;
        used.bytes += bytes;
        Some(Charge { budget: Arc::clone(self), bytes })
    }
}

/// A parcel's share of the budget, given back when dropped.
#[derive(Debug)]
pub(super) struct Charge {
    budget: Arc<Budget>,
    pub(super) bytes: usize,
}

impl Charge {
    /// The parcel has become larger (a page got its screenshot) or smaller. Never waits: only the feed does.
    pub(super) fn resize(&mut self, bytes: usize) {
        let mut used = self.budget.used();
        used.bytes = used.bytes - self.bytes + bytes;
        self.bytes = bytes;
        drop(used);
        self.budget.freed.notify_all();
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut used = self.budget.used();
        used.parcels -= 1;
        used.bytes -= self.bytes;
        drop(used);
        self.budget.freed.notify_all();
    }
}
