//! Browsers and their tabs, and who has which.
//!
//! A seat is a place for one browser, which has one tab: the frames of two would wait for each other. Callers take the tab
//! of a seat that is not busy; starting a browser and opening a tab happen on the caller's thread with the lock released. A
//! browser is only replaced when its tab is not lent out, so a tab that is always belongs to the browser in its seat.
//! Waiting is on one condvar, with a deadline.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use thiserror::Error;

use crate::browser::Browser;
use crate::event::RestartReason;
use crate::farm::{FarmConfig, FarmError};
use crate::tab::Tab;
use crate::transport::CallError;

/// Tabs that may fail to open in a row for one caller before it gives up; one broken browser costs one.
const OPEN_ATTEMPTS_MAX: usize = 4;

/// No tab can be had.
#[derive(Debug, Error)]
pub(crate) enum TakeError {
    #[error("no tab became free in time")]
    Timeout,
    #[error("no browser could be started")]
    Start(#[from] FarmError),
    #[error("no tab could be opened")]
    Open(#[source] CallError),
    #[error("the farm was stopped")]
    Closed,
}

/// What the pool asks of the farm: a fresh browser, and to hear of replaced ones.
pub(crate) trait Host {
    fn start_browser(&self) -> Result<Arc<Browser>, FarmError>;
    fn replaced(&self, seat: usize, reason: RestartReason);
}

#[derive(Debug)]
pub(crate) struct Pool {
    state: Mutex<State>,
    changed: Condvar,
    pages_max: u64,
    age_max: std::time::Duration,
    memory_max_bytes: u64,
}

#[derive(Debug)]
struct State {
    seats: Vec<Seat>,
    /// A page is being rendered in a browser of its own; one at a time, they are rare and cost a browser.
    alone: bool,
    /// Nobody gets a tab any more.
    closed: bool,
}

#[derive(Debug, Default)]
struct Seat {
    browser: Option<Arc<Browser>>,
    idle: Option<Tab>,
    busy: bool,
    pages: u64,
    starting: bool,
    /// Set when somebody found it hung and killed it.
    hung: bool,
}

/// A tab that is lent out. Dropping it without giving it back closes the tab.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    pub(crate) seat: usize,
    browser: Arc<Browser>,
    tab: Option<Tab>,
}

enum Choice {
    Lend(usize),
    Open(usize),
    Start(usize, Option<RestartReason>),
    Wait,
}

impl Pool {
    /// Empty seats, but for the first, which has `first`. Seats start with different page counts, so that not all of
    /// their browsers are replaced at once.
    pub(crate) fn new(config: &FarmConfig, first: Arc<Browser>) -> Self {
        let stagger = config.pages_per_browser_max / (2 * config.browsers as u64);
        let seat = |index: usize| Seat { pages: index as u64 * stagger, ..Seat::default() };
        let mut seats: Vec<Seat> = (0..config.browsers).map(seat).collect();
        seats[0].browser = Some(first);
        Self {
            state: Mutex::new(State { seats, alone: false, closed: false }),
            changed: Condvar::new(),
            pages_max: config.pages_per_browser_max,
            age_max: config.browser_age_max,
            memory_max_bytes: config.browser_memory_max_bytes,
        }
    }

    /// Takes a tab, starting what needs to be started.
    pub(crate) fn take(&self, host: &impl Host, deadline: Instant) -> Result<Lease<'_>, TakeError> {
        let mut attempts = 0;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(TakeError::Closed);
            }
            match self.choose(&state) {
                Choice::Wait => state = self.wait(state, deadline).ok_or(TakeError::Timeout)?,
                Choice::Lend(seat) => {
                    let tab = state.seats[seat].idle.take();
                    return Ok(self.lend(&mut state, seat, tab));
                }
                Choice::Open(seat) => {
                    let mut lease = self.lend(&mut state, seat, None);
                    drop(state);
                    match lease.browser.open_tab() {
                        Ok(tab) => {
                            lease.tab = Some(tab);
                            return Ok(lease);
                        }
                        Err(error) => {
                            lease.browser_hangs();
                            attempts += 1;
                            if attempts == OPEN_ATTEMPTS_MAX {
                                return Err(TakeError::Open(error));
                            }
                            // Giving the lease up takes the lock: it must be gone before we hold it.
                            drop(lease);
                            state = self.lock();
                        }
                    }
                }
                Choice::Start(seat, reason) => {
                    state.seats[seat].starting = true;
                    let old = std::mem::take(&mut state.seats[seat]);
                    state.seats[seat].starting = true;
                    if old.browser.is_none() {
                        state.seats[seat].pages = old.pages; // The stagger.
                    }
                    drop(state);
                    drop(old);
                    if let Some(reason) = reason {
                        host.replaced(seat, reason);
                    }
                    let started = host.start_browser();
                    state = self.lock();
                    state.seats[seat].starting = false;
                    self.changed.notify_all();
                    state.seats[seat].browser = Some(started?);
                }
            }
        }
    }

    /// Waits for the right to start a browser beside the seats; the guard gives it back.
    pub(crate) fn alone(&self, deadline: Instant) -> Result<Alone<'_>, TakeError> {
        let mut state = self.lock();
        while state.alone && !state.closed {
            state = self.wait(state, deadline).ok_or(TakeError::Timeout)?;
        }
        if state.closed {
            return Err(TakeError::Closed);
        }
        state.alone = true;
        Ok(Alone(self))
    }

    /// Lends nothing any more; whoever waits hears of it.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(crate) fn busy(&self) -> usize {
        let state = self.lock();
        state.seats.iter().filter(|seat| seat.busy).count() + usize::from(state.alone)
    }

    fn choose(&self, state: &State) -> Choice {
        let free = state.seats.iter().enumerate().filter(|(_, seat)| !seat.starting && !seat.busy);
        let choices = free.map(|(index, seat)| match &seat.browser {
            None => Choice::Start(index, None),
            Some(browser) => match self.due(seat, browser) {
                Some(reason) => Choice::Start(index, Some(reason)),
                None if seat.idle.is_some() => Choice::Lend(index),
                None => Choice::Open(index),
            },
        });
        // What costs least.
        let cost = |choice: &Choice| match choice {
            Choice::Lend(_) => 0,
            Choice::Open(_) => 1,
            Choice::Start(..) => 2,
            Choice::Wait => 3,
        };
        choices.min_by_key(cost).unwrap_or(Choice::Wait)
    }

    fn due(&self, seat: &Seat, browser: &Browser) -> Option<RestartReason> {
        use std::sync::atomic::Ordering::Relaxed;
        if seat.hung {
            Some(RestartReason::Hung)
        } else if !browser.is_alive() {
            Some(RestartReason::Died)
        } else if seat.pages >= self.pages_max {
            Some(RestartReason::Pages)
        } else if browser.age() >= self.age_max {
            Some(RestartReason::Age)
        } else if browser.memory_bytes.load(Relaxed) > self.memory_max_bytes {
            Some(RestartReason::Memory)
        } else {
            None
        }
    }

    fn lend<'a>(&'a self, state: &mut State, index: usize, tab: Option<Tab>) -> Lease<'a> {
        let seat = &mut state.seats[index];
        seat.busy = true;
        seat.pages += 1;
        let browser = seat.browser.clone().expect("only seats with a browser are lent from");
        Lease { pool: self, seat: index, browser, tab }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Instant) -> Option<MutexGuard<'a, State>> {
        let left = deadline.checked_duration_since(Instant::now())?;
        Some(self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl Lease<'_> {
    pub(crate) fn tab(&mut self) -> &mut Tab {
        self.tab.as_mut().expect("a lease has its tab until it is given back")
    }

    /// Gives the tab back for the next page.
    pub(crate) fn give_back(mut self) {
        let Some(mut tab) = self.tab.take() else { return };
        if tab.clear().is_ok() {
            self.pool.lock().seats[self.seat].idle = Some(tab);
        }
    }

    /// Puts a fresh tab in the place of the one that was lent, and waits until it is blank.
    pub(crate) fn renew(&mut self, deadline: Instant) -> Result<(), CallError> {
        if let Some(tab) = self.tab.take() {
            self.browser.close_tab(tab)?;
        }
        let tab = self.tab.insert(self.browser.open_tab()?);
        tab.ready(deadline)
    }

    /// Throws the tab away. Says whether the browser still answers; if not, it is killed, and replaced by the next caller.
    pub(crate) fn discard(mut self) -> Result<(), CallError> {
        let Some(tab) = self.tab.take() else { return Ok(()) };
        self.browser.close_tab(tab).inspect_err(|error| {
            if matches!(error, CallError::Timeout) {
                self.browser_hangs();
            }
        })
    }

    fn browser_hangs(&self) {
        if self.browser.is_alive() {
            self.pool.lock().seats[self.seat].hung = true;
            self.browser.kill();
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(tab) = self.tab.take() {
            let _ = self.browser.close_tab(tab);
        }
        self.pool.lock().seats[self.seat].busy = false;
        self.pool.changed.notify_all();
    }
}

/// See [`Pool::alone`].
#[derive(Debug)]
pub(crate) struct Alone<'a>(&'a Pool);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.lock().alone = false;
        self.0.changed.notify_all();
    }
}
