//! Where the cluster's files are, and whose.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use rustix::process::{getegid, geteuid};
use sha2::{Digest, Sha256};

use super::error::ClusterError;

/// The longest directory that leaves room for the socket's name in an address (104 bytes on macOS, 108 on Linux).
const SOCKET_DIRECTORY_BYTES_MAX: usize = 85;

/// Who runs the server: somebody else when we are root, as Postgres refuses root.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    uid: u32,
    gid: u32,
    other: bool,
}

/// The files of one cluster.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The user that the server runs as.
    pub account: Account,
    /// Postgres's data directory.
    pub data: PathBuf,
    /// The directory of the Unix socket.
    pub run: PathBuf,
    /// What the server says.
    pub log: PathBuf,
    /// Held while somebody starts, joins or leaves.
    pub gate: PathBuf,
    /// Held (shared) by everybody who uses the cluster.
    pub users: PathBuf,
    /// The pipe that every user keeps open: when the last one is gone, the server stops.
    pub alive: PathBuf,
}

impl Account {
    fn current() -> Result<Self, ClusterError> {
        if !geteuid().is_root() {
            return Ok(Self::caller());
        }
        let uid = id_of_postgres("-u").ok_or(ClusterError::NoUser)?;
        let gid = id_of_postgres("-g").ok_or(ClusterError::NoUser)?;
        Ok(Self { uid, gid, other: true })
    }

    /// Whoever runs this process.
    pub fn caller() -> Self {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        Self { uid, gid, other: false }
    }

    /// A command that runs as this account, deaf to the caller's Postgres variables and language.
    pub fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"PG")) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C");
        if self.other {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes a file or directory the account's own.
    pub fn give(self, path: &Path) -> Result<(), ClusterError> {
        if self.other {
            chown(path, Some(self.uid), Some(self.gid)).map_err(ClusterError::io("cannot give away", path))?;
        }
        Ok(())
    }
}

fn id_of_postgres(what: &str) -> Option<u32> {
    let output = Command::new("id").args([what, "postgres"]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

impl Layout {
    /// Makes the directories that are missing.
    ///
    /// # Errors
    /// `Place` when the server's user could not get there, or others could.
    pub fn prepare(home: &Path) -> Result<Self, ClusterError> {
        let account = Account::current()?;
        fs::create_dir_all(home).map_err(ClusterError::io("cannot make", home))?;
        let home = home.canonicalize().map_err(ClusterError::io("cannot find", home))?;
        if account.other {
            reachable(&home)?;
        }
        let root = home.join("postgres");
        private(&root, account)?;
        let run = socket_directory(&root, account);
        private(&run, account)?;
        Ok(Self {
            account,
            data: root.join("data"),
            run,
            log: root.join("log"),
            gate: root.join("gate.lock"),
            users: root.join("users.lock"),
            alive: root.join("alive"),
        })
    }

    /// Opens one of the lock files, and makes it if need be.
    pub fn lock_file(path: &Path) -> Result<File, ClusterError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.open(path).map_err(ClusterError::io("cannot open", path))
    }
}

/// As root: another user has to be able to walk through every directory above.
fn reachable(home: &Path) -> Result<(), ClusterError> {
    for path in home.ancestors() {
        let meta = fs::metadata(path).map_err(ClusterError::io("cannot see", path))?;
        if meta.mode() & 0o001 == 0 {
            let reason = String::from("the user `postgres` may not enter it; choose another PERENNIAL_HOME");
            return Err(ClusterError::Place { path: path.to_owned(), reason });
        }
    }
    Ok(())
}

/// A directory of the account's own, closed to everybody else.
fn private(path: &Path, account: Account) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.give(path)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(ClusterError::io("cannot make", path)(error)),
    }
    let meta = fs::symlink_metadata(path).map_err(ClusterError::io("cannot see", path))?;
    let reason = if !meta.is_dir() {
        "it is not a directory"
    } else if meta.uid() != account.uid {
        "it belongs to another user"
    } else if meta.mode() & 0o077 != 0 {
        "others may enter it (chmod 700)"
    } else {
        return Ok(());
    };
    Err(ClusterError::Place { path: path.to_owned(), reason: reason.to_owned() })
}

/// Beside the data, or, where that path is too long for a socket, in the directory for temporary files.
fn socket_directory(root: &Path, account: Account) -> PathBuf {
    let beside = root.join("run");
    if beside.as_os_str().len() <= SOCKET_DIRECTORY_BYTES_MAX {
        return beside;
    }
    let digest = hex::encode(Sha256::digest(root.as_os_str().as_bytes()));
    let name = format!("perennial-{}-{}", account.uid, digest.get(..12).unwrap_or_default());
    let temporary = env::temp_dir().join(&name);
    if temporary.as_os_str().len() <= SOCKET_DIRECTORY_BYTES_MAX { temporary } else { Path::new("/tmp").join(name) }
}
