//! The same for many, some at a time.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does something for every item, on so many threads, and gives the answers in the order of the items. For work that
/// waits: for a server above all. The first trouble ends it.
pub fn at_once<T: Sync, R: Send, E: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(done) };
            match work(item) {
                Ok(answer) => done.push((index, answer)),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let parts: Result<Vec<_>, E> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(items.len())).map(|_| scope.spawn(worker)).collect();
        let first = worker();
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        [first].into_iter().chain(others).collect()
    });
    let mut answers: Vec<(usize, R)> = parts?.into_iter().flatten().collect();
    answers.sort_by_key(|(index, _)| *index);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[cfg(test)]
mod tests {
    use super::at_once;

    #[test]
    fn answers_stand_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        for threads in [0, 1, 3, 64] {
            let doubled = at_once(&items, threads, |item| Ok::<_, ()>(item * 2));
            assert_eq!(doubled, Ok(items.iter().map(|item| item * 2).collect()), "{threads}");
        }
        assert_eq!(at_once(&items[..0], 4, |item| Ok::<_, ()>(*item)), Ok(Vec::new()));
    }

    #[test]
    fn trouble_ends_it() {
        let items: Vec<u32> = (0..1000).collect();
        let met = at_once(&items, 4, |item| if *item == 500 { Err("trouble") } else { Ok(()) });
        assert_eq!(met, Err("trouble"));
    }
}
