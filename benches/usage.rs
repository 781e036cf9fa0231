//! What processes use, by `/proc`; where there is none, nothing is known.

use std::fs::{File, read_dir, read_to_string};
use std::io::{Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Outcome;

/// Linux tells CPU time in these.
const TICKS_PER_SECOND: u64 = 100;
/// Flushes of one look at the disk.
const FLUSHES: usize = 101;

/// CPU time of the three that share the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// The product's server.
    pub server: Duration,
    /// Postgres, all of its processes.
    pub postgres: Duration,
    /// The load's driver: this process.
    pub driver: Duration,
}

impl Cpu {
    /// Used so far; the server's process may be absent.
    pub fn now(server: Option<u32>, postmaster: u32) -> Self {
        Self {
            server: server.and_then(ticks).map_or(Duration::ZERO, |t| time(t.own)),
            postgres: family(postmaster),
            driver: ticks(std::process::id()).map_or(Duration::ZERO, |t| time(t.own)),
        }
    }

    /// Used since.
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server.saturating_sub(before.server),
            postgres: self.postgres.saturating_sub(before.postgres),
            driver: self.driver.saturating_sub(before.driver),
        }
    }

    /// Of all three.
    pub fn total(self) -> Duration {
        self.server + self.postgres + self.driver
    }
}

/// The memory of a process that is resident, in bytes.
pub fn resident(process: u32) -> Option<u64> {
    let status = read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

/// The parent of a process.
pub fn parent_of(process: u32) -> Option<u32> {
    Some(ticks(process)?.parent)
}

/// How long it takes until a page is on the disk below a directory; the middle of many.
///
/// # Errors
/// When the file cannot be written.
pub fn flush(directory: &Path) -> Outcome<Duration> {
    let mut file = File::create(directory.join("flush"))?;
    let mut took = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let begun = Instant::now();
        file.rewind()?;
        file.write_all(&[0; 8192])?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    Ok(took.get(FLUSHES / 2).copied().unwrap_or_default())
}

/// The machine's load over the last minute.
pub fn load() -> String {
    let text = read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().filter(|t| !t.is_empty()).unwrap_or("?").to_owned()
}

struct Ticks {
    parent: u32,
    own: u64,
    ended_children: u64,
}

fn ticks(process: u32) -> Option<Ticks> {
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name may hold anything, blanks and brackets too.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let field = |n: usize| fields.get(n).and_then(|text| text.parse::<u64>().ok());
    Some(Ticks {
        parent: u32::try_from(field(1)?).ok()?,
        own: field(11)? + field(12)?,
        ended_children: field(13)? + field(14)?,
    })
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

fn family(postmaster: u32) -> Duration {
    let Some(mother) = ticks(postmaster) else { return Duration::ZERO };
    let processes = read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let children = ids.filter_map(ticks).filter(|t| t.parent == postmaster);
    time(mother.own + mother.ended_children + children.map(|t| t.own + t.ended_children).sum::<u64>())
}
