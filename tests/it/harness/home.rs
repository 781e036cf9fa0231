//! A directory that lives as long as its test.

use std::env::temp_dir;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use perennial::platform::db::embedded::ClusterPlace;
use rustix::process::geteuid;

/// An empty directory of the test's own, removed when dropped.
pub struct Home(PathBuf);

impl Home {
    /// Makes one.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = scratch().join(format!("home-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A private cluster in it.
    pub fn place(&self) -> ClusterPlace {
        ClusterPlace { home: self.0.clone(), ..ClusterPlace::default() }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The next run of the tests does not need it to be gone.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Below `target/`; as root, where the server's user might not get there, in the directory for temporary files.
pub fn scratch() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    if open_to_others(target) { target.join("it") } else { temp_dir().join("perennial-it") }
}

fn open_to_others(path: &Path) -> bool {
    let root = geteuid().is_root();
    !root || path.ancestors().all(|path| fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o001 != 0))
}
