//! Asking again: how often, and after what time.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::error::HubError;
use crate::event::{Event, Observer};

/// How long a server is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Requests in a row without success after which it is given up.
    pub attempts_max: usize,
    /// Wait before the second one; it doubles, with some chance in it.
    pub wait_min: Duration,
    /// Longest wait that is our own idea.
    pub wait_max: Duration,
    /// Longest wait that a server may ask for. The Hub counts requests over five minutes.
    pub asked_wait_max: Duration,
    /// Longest silence of a server. A commit of many files takes the Hub up to a minute.
    pub silence_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts_max: 10,
            wait_min: Duration::from_secs(1),
            wait_max: Duration::from_mins(1),
            asked_wait_max: Duration::from_mins(15),
            silence_max: Duration::from_mins(2),
        }
    }
}

/// Why one request gave nothing.
#[derive(Debug)]
pub(crate) enum Miss {
    /// Asking again will not help.
    Fatal(HubError),
    /// Asking again may help; the server may have said when.
    Later { reason: String, asked: Option<Duration> },
}

/// The attempts at one thing.
pub(crate) struct Attempts<'a> {
    policy: Patience,
    waits: backon::ExponentialBackoff,
    observer: &'a dyn Observer,
    pub(crate) made: usize,
}

/// Time between two looks at whether to stop.
const LOOK: Duration = Duration::from_millis(100);

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: Patience, observer: &'a dyn Observer) -> Self {
        let waits = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(policy.wait_min)
            .with_max_delay(policy.wait_max)
            .with_max_times(policy.attempts_max.saturating_sub(1));
        Self { policy, waits: waits.build(), observer, made: 0 }
    }

    /// Waits after a miss, or says why there is no sense in it.
    pub(crate) fn wait(&mut self, miss: Miss) -> Result<(), HubError> {
        self.made += 1;
        let (reason, asked) = match miss {
            Miss::Fatal(error) => return Err(error),
            Miss::Later { reason, asked } => (reason, asked),
        };
        let Some(own) = self.waits.next() else {
            return Err(HubError::GivenUp { attempts: self.made, reason });
        };
        // What the server asks for is a least wait; the chance in our own keeps many clients apart.
        let wait = asked.map_or(own, |asked| asked.min(self.policy.asked_wait_max) + own / 4);
        self.observer.event(&Event::Waiting { reason: reason.clone(), wait });
        let end = Instant::now() + wait;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.observer.stopped() {
                return Err(HubError::GivenUp { attempts: self.made, reason: format!("stopped; {reason}") });
            }
            std::thread::sleep(left.min(LOOK));
        }
        Ok(())
    }
}

/// Tries until it works or there is no sense in it.
pub(crate) fn patiently<T>(
    policy: Patience,
    observer: &dyn Observer,
    mut attempt: impl FnMut() -> Result<T, Miss>,
) -> Result<T, HubError> {
    let mut attempts = Attempts::new(policy, observer);
    loop {
        match attempt() {
            Ok(answer) => return Ok(answer),
            Err(miss) => attempts.wait(miss)?,
        }
    }
}
