//! How far an import is: a bar for people, a line now and then for everything else.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant as Clock};

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::terminal::note;

/// How often a line is written where there is no terminal, in seconds.
const LINE_EACH_S: u64 = 5;

/// Progress over a known number of rows.
pub struct Progress {
    total: u64,
    done: u64,
    started: Clock,
    said: Clock,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts at nothing.
    pub fn start(total: u64) -> Self {
        let started = Clock::now();
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let style = "{wide_bar} {human_pos}/{human_len} rows  {per_sec}  {eta} left";
            bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { total, done: 0, started, said: started, bar }
    }

    /// One more row is done.
    pub fn step(&mut self) {
        self.done += 1;
        self.total = self.total.max(self.done);
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if self.said.elapsed() >= Duration::from_secs(LINE_EACH_S) => {
                self.said = Clock::now();
                note(&self.line());
            }
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Since when.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn line(&self) -> String {
        let millis = self.elapsed().as_millis().max(1);
        let rate = u128::from(self.done) * 1_000 / millis;
        let left = u128::from(self.total.saturating_sub(self.done)) * millis / 1_000 / u128::from(self.done.max(1));
        format!("{} of {} rows, {rate} rows/s, about {left} s left", self.done, self.total)
    }
}
