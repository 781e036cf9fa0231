//! The disk is full: nobody is answered yes whose command is not durable, and with room again everything goes on.

use std::fs::{self, File};
use std::io::{ErrorKind, Write, copy, repeat, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::{Db, PoolSize, Role};
use rustix::process::geteuid;
use tokio::time::sleep as wait;

use crate::crash::stand::{Stand, seed};
use crate::harness::{Home, OwnPostgres};

/// The size of the disk.
const DISK_MB: usize = 224;
/// A Postgres that fits on it.
const SETTINGS: [(&str, &str); 3] = [("shared_buffers", "32MB"), ("min_wal_size", "32MB"), ("max_wal_size", "64MB")];
/// Commands that are done before it fills up, and again after there is room.
const DONE: usize = 60;
/// Callers who hear that they have to wait before there is room: as many as half of those who call.
const PUT_OFF: usize = 8;
/// How long either may take, in seconds.
const PATIENCE_S: u64 = 60;
/// Between two looks, in milliseconds.
const LOOK_EVERY_MS: u64 = 20;

/// A small disk of the test's own.
struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one; says why not where that is not allowed.
    fn mount(home: &Path) -> Result<Self, String> {
        if !geteuid().is_root() {
            return Err("mounting a small disk takes root".to_owned());
        }
        let path = home.join("disk");
        fs::create_dir(&path).unwrap();
        let options = format!("size={DISK_MB}m,mode=0755");
        let mut mount = Command::new("mount");
        match mount.args(["-t", "tmpfs", "-o", &options, "perennial-test"]).arg(&path).output() {
            Ok(output) if output.status.success() => Ok(Self { path }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        let filled = copy(&mut repeat(0), &mut ballast).unwrap_err();
        assert_eq!(filled.kind(), ErrorKind::StorageFull);
    }

    /// Makes room again.
    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: after a test that failed the server may still be on its way out.
        let _ = Command::new("umount").arg("-l").arg(&self.path).output();
    }
}

/// Waits until something holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(PATIENCE_S), "{what}");
        wait(Duration::from_millis(LOOK_EVERY_MS)).await;
    }
}

/// Uses up the room that Postgres has set aside for its log: it panics over the next record, cannot even recover, and ends.
async fn use_up_log(text: &str) {
    let begun = Instant::now();
    while let Ok(server) = Db::open(&text.parse().unwrap(), PoolSize(1), Role::Owner).await {
        let record = "SELECT pg_logical_emit_message(false, 'filler', repeat('x', 1000000))";
        if let Ok(mut conn) = server.conn().await {
            while conn.batch_execute(record).await.is_ok() {}
        }
        assert!(begun.elapsed() < Duration::from_secs(PATIENCE_S), "Postgres lives without a log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_with_room_again_everything_goes_on() {
    let home = Home::new();
    let disk = match Disk::mount(home.path()) {
        Ok(disk) => disk,
        Err(why) => {
            stderr().write_all(format!("the test of a full disk was skipped: {why}\n").as_bytes()).unwrap();
            return;
        }
    };
    let mut postgres = OwnPostgres::start(&disk.path, &SETTINGS).await;
    let mut stand = Stand::open(&postgres, "full_disk", seed()).await;
    for log_too in [false, true] {
        let first = stand.storefront.record.len();
        stand.storefront.open();
        let record = stand.storefront.record.clone();
        until("it works", || record.accepted_since(first) > DONE).await;
        disk.fill();
        if log_too {
            use_up_log(&postgres.text("full_disk", "filler")).await;
        }
        until("callers are put off", || record.lost_since(first).all >= PUT_OFF).await;
        assert!(stand.has_said("No space left on device"), "it is the disk that is full");
        disk.make_room();
        stand.await_ready(&mut postgres).await;
        let done = record.accepted_since(first);
        until("it works again", || record.accepted_since(first) > done + DONE).await;
        stand.storefront.close().await;
        let there = stand.reckon(first).await;
        assert!(there > 2 * DONE, "{there}");
    }
    stand.close().await;
    postgres.stop().await;
}
