//! Who may wait for a writer: a burst waits, a load that is more than the writer can do is sent away before it waits long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant as Started;

/// A wait that is no burst any more, in milliseconds: when the first of each group has waited longer than this for as
/// long again, the writer is crowded, until a group comes that nobody was sent away from.
const STANDING_MS: u64 = 50;
/// How many may wait for a crowded writer: about as many as it takes at a time when it is merely busy, so that who is let
/// in is answered as soon as then.
const CROWD_MAX: usize = 64;

/// What lets commands in to one writer.
#[derive(Debug, Default)]
pub struct Gate {
    crowded: AtomicBool,
    sent_away: AtomicBool,
}

impl Gate {
    /// Whether one more may wait where so many do.
    pub fn lets_in(&self, waiting: usize) -> bool {
        let full = waiting >= CROWD_MAX && AtomicBool::load(&self.crowded, Ordering::Relaxed);
        if full {
            AtomicBool::store(&self.sent_away, true, Ordering::Relaxed);
        }
        !full
    }
}

/// How a writer watches those who wait for it.
#[derive(Debug, Default)]
pub struct Watch {
    /// Since when the first of each group has waited for long.
    standing: Option<Started>,
}

impl Watch {
    /// Looks at how long the first of a group has waited, and opens or closes the gate.
    pub fn look(&mut self, gate: &Gate, first_since: Started) {
        let standing = Duration::from_millis(STANDING_MS);
        let waited = first_since.elapsed() > standing;
        self.standing = waited.then(|| self.standing.unwrap_or_else(Started::now));
        let anybody = gate.sent_away.swap(false, Ordering::Relaxed);
        if self.standing.is_some_and(|since| since.elapsed() > standing) {
            AtomicBool::store(&gate.crowded, true, Ordering::Relaxed);
        } else if !anybody {
            AtomicBool::store(&gate.crowded, false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    async fn wait(ms: u64) {
        advance(Duration::from_millis(ms)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_waits_and_a_load_that_stands_is_cut_short_until_it_ends() {
        let (gate, mut watch) = (Gate::default(), Watch::default());
        let since = Started::now();
        wait(STANDING_MS + 1).await;
        watch.look(&gate, since);
        assert!(gate.lets_in(1_000), "a burst");
        wait(STANDING_MS + 1).await;
        watch.look(&gate, since);
        assert!(gate.lets_in(CROWD_MAX - 1));
        assert!(!gate.lets_in(CROWD_MAX), "it stands");

        watch.look(&gate, Started::now());
        assert!(!gate.lets_in(CROWD_MAX), "nobody waits for long, for others were sent away");
        watch.look(&gate, Started::now());
        watch.look(&gate, Started::now());
        assert!(gate.lets_in(CROWD_MAX), "and now nobody had to be");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_in_between_is_a_burst_again() {
        let (gate, mut watch) = (Gate::default(), Watch::default());
        for _ in 0..3 {
            let since = Started::now();
            wait(STANDING_MS + 1).await;
            watch.look(&gate, since);
            watch.look(&gate, Started::now());
        }
        assert!(gate.lets_in(CROWD_MAX));
    }
}
