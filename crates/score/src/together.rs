//! One run for many callers: who asks while a run goes on is served by the next one, all waiting callers at once.
//!
//! A card is filled by dozens of pictures, and callers bring a few each. Nobody waits for company: a caller that finds nothing
//! running runs at once with what is there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is asked, and the place for its answer.
type Asked<Q, A> = (Q, Arc<OnceLock<A>>);

/// Callers that share runs.
#[derive(Debug)]
pub(crate) struct Together<Q, A> {
    /// Questions of one run at most.
    most: usize,
    waiting: Mutex<VecDeque<Asked<Q, A>>>,
    running: Mutex<()>,
}

impl<Q, A: Clone> Together<Q, A> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), waiting: Mutex::default(), running: Mutex::new(()) }
    }

    /// Answers in the order of the questions. `run` gives an answer for each question that it gets, of this caller and of others.
    pub(crate) fn ask(&self, questions: Vec<Q>, run: impl Fn(&[Q]) -> Vec<A>) -> Vec<A> {
        let places: Vec<_> = questions.iter().map(|_| Arc::new(OnceLock::new())).collect();
        let asked = questions.into_iter().zip(places.iter().cloned());
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(asked);
        while places.iter().any(|place| place.get().is_none()) {
            let _running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let next = self.next();
            let (questions, places): (Vec<Q>, Vec<_>) = next.into_iter().unzip();
            for (place, answer) in places.iter().zip(run(&questions)) {
                let _ = place.set(answer); // nobody else sets it
            }
        }
        places.iter().filter_map(|place| place.get().cloned()).collect()
    }

    fn next(&self) -> Vec<Asked<Q, A>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(self.most);
        waiting.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn everyone_gets_their_own_answers_in_order() {
        let together = Together::new(16);
        let (runs, largest) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let square = |questions: &[u64]| {
            runs.fetch_add(usize::from(!questions.is_empty()), Ordering::Relaxed);
            largest.fetch_max(questions.len(), Ordering::Relaxed);
            thread::sleep(Duration::from_millis(2));
            questions.iter().map(|number| number * number).collect()
        };
        thread::scope(|scope| {
            for caller in 0..8_u64 {
                let (together, square) = (&together, &square);
                scope.spawn(move || {
                    for call in 0..10 {
                        let questions: Vec<u64> = (0..3).map(|number| caller * 1000 + call * 10 + number).collect();
                        let expected: Vec<u64> = questions.iter().map(|number| number * number).collect();
                        assert_eq!(together.ask(questions, square), expected);
                    }
                });
            }
        });
        assert!(runs.load(Ordering::Relaxed) < 80, "80 calls shared {runs:?} runs");
        assert!(largest.load(Ordering::Relaxed) <= 16);
    }

    #[test]
    fn more_than_one_run_holds_takes_several() {
        let together = Together::new(4);
        let runs = AtomicUsize::new(0);
        let answers = together.ask((0..10).collect(), |questions: &[u32]| {
            runs.fetch_add(1, Ordering::Relaxed);
            questions.to_vec()
        });
        assert_eq!((answers, runs.into_inner()), ((0..10).collect(), 3));
        assert!(together.ask(Vec::new(), |questions: &[u32]| questions.to_vec()).is_empty());
    }
}
