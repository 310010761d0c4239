//! Servers, and which of them to ask next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::client::VlmError;

/// Failures in a row after which a server is left alone for a while.
const FAILURES_MAX: u32 = 3;
/// Between two looks whether anybody still wants to wait.
const CHECK_EVERY: Duration = Duration::from_millis(200);

/// Servers that answer the same, with a bound on what is asked of each at the same time, and in a minute.
#[derive(Debug)]
pub(super) struct Endpoints {
    state: Mutex<Vec<State>>,
    freed: Condvar,
    concurrency: usize,
    /// Between the beginnings of two requests to one server.
    pause: Duration,
    rest: Duration,
}

#[derive(Debug)]
struct State {
    url: String,
    busy: usize,
    failures: u32,
    /// Not asked before, because it keeps failing.
    resting_until: Option<Instant>,
    /// Not asked before, because of the rate, or because it has too much to do.
    free_at: Instant,
}

/// A permit to ask one server; ends with this value.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    endpoints: &'a Endpoints,
    index: usize,
    pub(super) url: String,
}

impl Endpoints {
    /// `a_minute` of 0 sets no rate.
    pub(super) fn new(urls: &[String], concurrency: usize, a_minute: u32, rest: Duration) -> Self {
        let now = Instant::now();
        let state = |url: &String| State {
            url: url.trim_end_matches('/').to_owned(),
            busy: 0,
            failures: 0,
            resting_until: None,
            free_at: now,
        };
        let state = Mutex::new(urls.iter().map(state).collect());
        let pause = if a_minute == 0 { Duration::ZERO } else { Duration::from_mins(1) / a_minute };
        Self { state, freed: Condvar::new(), concurrency: concurrency.max(1), pause, rest }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the least busy server that is well. Where all rest, the one whose rest ends first is asked: an answer that comes late
    /// is better than none. `check` is asked while waiting; what it says ends that.
    pub(super) fn take(&self, check: impl Fn() -> Result<(), VlmError>) -> Result<Permit<'_>, VlmError> {
        let mut state = self.lock();
        if state.is_empty() {
            return Err(VlmError::NoServer);
        }
        loop {
            check()?;
            let now = Instant::now();
            let is_well = |server: &State| server.resting_until.is_none_or(|until| until <= now);
            let anyone_is_well = state.iter().any(is_well);
            let waits = state.iter().enumerate().filter(|(_, server)| !anyone_is_well || is_well(server));
            let free = waits.filter(|(_, server)| server.busy < self.concurrency);
            let chosen = free.min_by_key(|(index, server)| {
                (server.free_at.max(now), server.resting_until.filter(|_| !anyone_is_well), server.busy, *index)
            });
            let mut pause = CHECK_EVERY;
            if let Some((index, _)) = chosen {
                let server = &mut state[index];
                if server.free_at <= now {
                    server.busy += 1;
                    server.free_at = now + self.pause;
                    return Ok(Permit { endpoints: self, index, url: server.url.clone() });
                }
                pause = pause.min(server.free_at - now);
            }
            state = self.freed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Permit<'_> {
    /// The server has too much to do: nobody asks it for so long.
    pub(super) fn spare(&self, time: Duration) {
        let mut state = self.endpoints.lock();
        let server = &mut state[self.index];
        server.free_at = server.free_at.max(Instant::now() + time);
    }

    /// Says how it went: a server that fails several times in a row is left alone for a while.
    pub(super) fn report(&self, is_well: bool) {
        let mut state = self.endpoints.lock();
        let server = &mut state[self.index];
        server.failures = if is_well { 0 } else { server.failures + 1 };
        server.resting_until = (server.failures >= FAILURES_MAX).then(|| Instant::now() + self.endpoints.rest);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.endpoints.lock()[self.index].busy -= 1;
        self.endpoints.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(a_minute: u32) -> Endpoints {
        Endpoints::new(&["http://a/".to_owned(), "http://b".to_owned()], 2, a_minute, Duration::from_hours(1))
    }

    #[expect(clippy::unnecessary_wraps, reason = "in the place of a check that may say no")]
    fn go_on() -> Result<(), VlmError> {
        Ok(())
    }

    #[test]
    fn who_waits_is_asked_whether_to_go_on() {
        let endpoints = endpoints(0);
        let taken: Vec<_> = (0..4).map(|_| endpoints.take(go_on).expect("free")).collect();
        assert_eq!(endpoints.take(|| Err(VlmError::Stopped)).err(), Some(VlmError::Stopped));
        taken[2].spare(Duration::from_hours(1));
        drop(taken);
        let asked: Vec<String> = (0..2).map(|_| endpoints.take(go_on).expect("free").url.clone()).collect();
        assert_eq!(asked, ["http://b", "http://b"], "the other one is spared");
    }

    #[test]
    fn the_least_busy_is_asked() {
        let endpoints = endpoints(0);
        let first = endpoints.take(go_on).expect("free");
        let second = endpoints.take(go_on).expect("free");
        assert_eq!((first.url.as_str(), second.url.as_str()), ("http://a", "http://b"));
        drop(first);
        assert_eq!(endpoints.take(go_on).expect("free").url, "http://a");
    }

    #[test]
    fn the_sick_one_rests_while_another_is_well() {
        let endpoints = endpoints(0);
        for _ in 0..FAILURES_MAX {
            let permit = endpoints.take(go_on).expect("free");
            assert_eq!(permit.url, "http://a");
            permit.report(false);
        }
        let well = endpoints.take(go_on).expect("free");
        assert_eq!(well.url, "http://b");
        for _ in 0..FAILURES_MAX {
            well.report(false);
        }
        drop(well);
        // Both are sick: the one that has rested longest is asked.
        assert_eq!(endpoints.take(go_on).expect("free").url, "http://a");
        assert_eq!(Endpoints::new(&[], 1, 0, Duration::ZERO).take(go_on).err(), Some(VlmError::NoServer));
    }

    #[test]
    fn a_rate_is_kept() {
        // 1,200 a minute are one every 50 ms, for each server.
        let endpoints = endpoints(1200);
        let started = Instant::now();
        let asked: Vec<String> = (0..6).map(|_| endpoints.take(go_on).expect("free").url.clone()).collect();
        assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
        assert_eq!(asked.iter().filter(|url| *url == "http://a").count(), 3);
    }
}
