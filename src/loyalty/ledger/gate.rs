//! How many may wait for a writer: a burst waits, a load that is more than the writer can do finds a shorter queue, so that
//! who is let in is answered as soon as ever.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant as Started;

/// A wait that is no burst any more, in milliseconds: when the first of each group has waited longer than this for as
/// long again, the queue is cut to half, and so on with each group that still has.
const STANDING_MS: u64 = 50;
/// By how many the queue grows again with each group that waited for less than half as long.
const GROWTH: usize = 16;

/// What lets commands in to one writer.
#[derive(Debug)]
pub struct Gate {
    limit: AtomicUsize,
    least: usize,
    most: usize,
}

impl Gate {
    /// One that always lets as many wait as one group takes, and never more than `most`.
    pub fn new(group: usize, most: usize) -> Self {
        Self { limit: AtomicUsize::new(most), least: group.min(most), most }
    }

    /// Whether one more may wait where so many do.
    pub fn lets_in(&self, waiting: usize) -> bool {
        waiting < AtomicUsize::load(&self.limit, Ordering::Relaxed)
    }
}

/// How a writer watches those who wait for it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Since when the first of each group has waited for long.
    standing: Option<Started>,
}

impl Watch {
    /// Looks at since when the first of a group has waited, and sets how many may.
    pub fn look(&mut self, gate: &Gate, first_since: Started) {
        let (waited, standing) = (first_since.elapsed(), Duration::from_millis(STANDING_MS));
        let long = waited > standing;
        self.standing = long.then(|| self.standing.unwrap_or_else(Started::now));
        let limit = AtomicUsize::load(&gate.limit, Ordering::Relaxed);
        let stands = self.standing.is_some_and(|since| since.elapsed() > standing) || (long && limit < gate.most);
        let limit = if stands {
            limit.div_euclid(2).max(gate.least)
        } else if waited < standing.div_f32(2.0) {
            limit.saturating_add(GROWTH)
        } else {
            limit
        };
        AtomicUsize::store(&gate.limit, limit.min(gate.most), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LEAST: usize = 64;
    const MOST: usize = 512;

    async fn wait(ms: u64) {
        advance(Duration::from_millis(ms)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_waits_and_a_load_that_stands_is_cut_short_until_it_ends() {
        let (gate, mut watch) = (Gate::new(LEAST, MOST), Watch::default());
        let since = Started::now();
        wait(STANDING_MS + 1).await;
        watch.look(&gate, since);
        assert!(gate.lets_in(MOST - 1) && !gate.lets_in(MOST), "a burst");
        wait(STANDING_MS + 1).await;
        watch.look(&gate, since);
        assert!(gate.lets_in(MOST / 2 - 1) && !gate.lets_in(MOST / 2), "it stands");
        for _ in 0..9 {
            watch.look(&gate, since);
        }
        assert!(gate.lets_in(LEAST - 1) && !gate.lets_in(LEAST));

        watch.look(&gate, Started::now());
        assert!(gate.lets_in(LEAST + GROWTH - 1) && !gate.lets_in(LEAST + GROWTH), "nobody waits for long");
        watch.look(&gate, since);
        assert!(!gate.lets_in(LEAST), "at once, since it is no burst that comes on top");
        for _ in 0..MOST / GROWTH {
            watch.look(&gate, Started::now());
        }
        assert!(gate.lets_in(MOST - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_in_between_is_a_burst_again() {
        let (gate, mut watch) = (Gate::new(LEAST, MOST), Watch::default());
        for _ in 0..3 {
            let since = Started::now();
            wait(STANDING_MS + 1).await;
            watch.look(&gate, since);
            watch.look(&gate, Started::now());
        }
        assert!(gate.lets_in(MOST - 1));
    }
}
