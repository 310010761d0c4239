//! The one place where memory is bounded.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::CANCEL_POLL;

/// What is in flight, in parcels and bytes.
#[derive(Debug)]
pub(super) struct Budget {
    parcels_max: usize,
    bytes_max: usize,
    /// Room that a feed waits for once the parcels are used up: were it woken for each parcel that is written, it would go
    /// on item by item, and its batches with it.
    parcels_room: usize,
    used: Mutex<Used>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct Used {
    parcels: usize,
    bytes: usize,
    /// Bytes of the parcel that the feed waits with, where it waits.
    waiting: Option<usize>,
}

impl Budget {
    /// A budget whose feed gives batches of `batch` parcels.
    pub(super) fn new(parcels_max: usize, bytes_max: usize, batch: usize) -> Arc<Self> {
        let parcels_room = batch.min(parcels_max / 4).max(1);
        Arc::new(Self { parcels_max, bytes_max, parcels_room, used: Mutex::default(), freed: Condvar::new() })
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A parcel fits with room for so many, or is alone: one that is larger than the whole budget must pass some time.
    fn fits(&self, used: &Used, bytes: usize, room: usize) -> bool {
        used.parcels == 0 || (used.parcels + room <= self.parcels_max && used.bytes + bytes <= self.bytes_max)
    }

    pub(super) fn would_wait(&self, bytes: usize) -> bool {
        !self.fits(&self.used(), bytes, 1)
    }

    /// Waits until a parcel fits; `None` when the flow stops first.
    pub(super) fn enter(self: &Arc<Self>, bytes: usize, stopped: impl Fn() -> bool) -> Option<Charge> {
        let mut used = self.used();
        let mut room = 1;
        while !self.fits(&used, bytes, room) {
            if stopped() {
                return None;
            }
            room = self.parcels_room;
            used.waiting = Some(bytes);
            used = self.freed.wait_timeout(used, CANCEL_POLL).unwrap_or_else(PoisonError::into_inner).0;
        }
        used.waiting = None;
        used.parcels += 1;
        used.bytes += bytes;
        Some(Charge { budget: Arc::clone(self), bytes })
    }

    /// Changes what is used, and wakes the feed where that makes room for it: a call of the system, which most changes can
    /// do without.
    fn change(&self, change: impl FnOnce(&mut Used)) {
        let mut used = self.used();
        change(&mut used);
        let has_room = used.waiting.is_some_and(|bytes| self.fits(&used, bytes, self.parcels_room));
        drop(used);
        if has_room {
            self.freed.notify_one();
        }
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
        if bytes != self.bytes {
            self.budget.change(|used| used.bytes = used.bytes - self.bytes + bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.change(|used| {
            used.parcels -= 1;
            used.bytes -= self.bytes;
        });
    }
}
