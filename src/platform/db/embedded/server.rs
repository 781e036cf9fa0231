//! The server process: made, started, watched and stopped.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

use super::binaries::Binaries;
use super::error::ClusterError;
use super::layout::Layout;

/// Longest wait for a start, in seconds: a crash recovery may take minutes.
pub const START_TIMEOUT_S: u64 = 300;
/// Longest wait for an orderly stop, in seconds.
pub const STOP_TIMEOUT_S: u64 = 60;
/// Between two looks, in milliseconds.
pub const POLL_MS: u64 = 5;
/// A log longer than this is set aside at the next start.
const LOG_BYTES_MAX: u64 = 10_000_000;
/// How much of a failed program's words is repeated.
const SAID_LINES_MAX: usize = 12;

/// The superuser of the private cluster; nobody else can reach its socket.
pub const SUPERUSER: &str = "perennial";

/// Runs the server and reads a pipe that never says anything: its end means that no user is left, so the server stops.
/// That holds however the users ended, on every Unix, and needs no signal tied to one thread of one process. It is told
/// again until it has stopped: a server that is only just starting does not listen yet.
const WATCH: &str = r#"trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ read -r nothing <&3; while kill -INT "$server"; do sleep 1; done; } 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
code=$?
kill -KILL "$watcher" 2>/dev/null
exit "$code""#;

/// What a private cluster wants otherwise than `initdb` does; operators may edit `postgresql.conf`.
const SETTINGS: &str = "
# Perennial: a cluster for one application on one machine. Durability is as Postgres ships it: all of it.
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
";

/// The major version that made the data, when there is data.
pub fn made_by(layout: &Layout) -> Option<u32> {
    major_of(&layout.data)
}

/// The major version that made the cluster in a directory, when there is one.
pub fn major_of(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Makes an empty cluster; one that is interrupted leaves nothing that looks like a cluster.
pub fn create(layout: &Layout, binaries: &Binaries) -> Result<(), ClusterError> {
    let fresh = layout.data.with_extension("new");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(ClusterError::io("cannot remove", &fresh))?;
    }
    let mut command = layout.account.command(&binaries.directory.join("initdb"));
    command.arg("-D").arg(&fresh).args(["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    command.arg("--no-instructions").current_dir("/");
    succeed("initdb", &mut command)?;
    let conf = fresh.join("postgresql.conf");
    let mut file = OpenOptions::new().append(true).open(&conf).map_err(ClusterError::io("cannot open", &conf))?;
    file.write_all(SETTINGS.as_bytes()).map_err(ClusterError::io("cannot write", &conf))?;
    file.sync_all().map_err(ClusterError::io("cannot write", &conf))?;
    fs::rename(&fresh, &layout.data).map_err(ClusterError::io("cannot rename", &fresh))
}

/// Starts the server under its watcher, and answers the watcher and our end of the pipe once it takes connections.
pub fn launch(
    layout: &Layout,
    binaries: &Binaries,
    settings: &[(String, String)],
) -> Result<(Child, File), ClusterError> {
    remove_remains(layout)?;
    let (reader, writer) = pipe(&layout.alive)?;
    let log = open_log(&layout.log)?;
    let said = log.try_clone().map_err(ClusterError::io("cannot open", &layout.log))?;
    let mut command = layout.account.command(Path::new("/bin/sh"));
    command.args(["-c", WATCH, "perennial-postgres"]).arg(binaries.directory.join("postgres"));
    command.arg("-D").arg(&layout.data).args(["-c", "listen_addresses=", "-c", "port=5432"]);
    command.arg("-c").arg(assign("unix_socket_directories", &layout.run));
    command.args(["-c", "unix_socket_permissions=0700"]);
    for (name, value) in settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // A group of its own, or an interrupt from the terminal would stop the server before the last answer.
    command.process_group(0).current_dir(&layout.data);
    command.stdin(Stdio::from(reader)).stdout(Stdio::from(log)).stderr(Stdio::from(said));
    let mut child = command.spawn().map_err(ClusterError::io("cannot run", Path::new("/bin/sh")))?;
    wait_ready(layout, &mut child)?;
    Ok((child, writer))
}

/// Stops a server that nobody uses: one whose watcher was killed, or that is about to stop anyway.
pub fn evict(layout: &Layout, binaries: &Binaries) -> Result<(), ClusterError> {
    let Some(postmaster) = Postmaster::read(layout) else { return Ok(()) };
    if postmaster.runs(layout) {
        let mut command = layout.account.command(&binaries.directory.join("pg_ctl"));
        command.arg("-D").arg(&layout.data).args(["-m", "fast", "-w", "-t"]).arg(STOP_TIMEOUT_S.to_string());
        command.arg("stop").current_dir("/");
        let stopped = succeed("pg_ctl", &mut command);
        // One that was stopping anyway has no file any more when pg_ctl looks for it, and ends only after that.
        if stopped.is_err() && Postmaster::read(layout).is_some_and(|postmaster| postmaster.runs(layout)) {
            return stopped;
        }
        wait("stopping the server", STOP_TIMEOUT_S, || Ok(!postmaster.runs(layout)))?;
    }
    Ok(())
}

/// Waits until the server is gone.
pub fn wait_gone(layout: &Layout) -> Result<(), ClusterError> {
    wait("stopping the server", STOP_TIMEOUT_S, || {
        Ok(Postmaster::read(layout).is_none_or(|postmaster| !postmaster.runs(layout)))
    })
}

/// Looks again and again until `done`.
pub fn wait(
    what: &'static str,
    limit_s: u64,
    mut done: impl FnMut() -> Result<bool, ClusterError>,
) -> Result<(), ClusterError> {
    let begun = Instant::now();
    while !done()? {
        if begun.elapsed() > Duration::from_secs(limit_s) {
            return Err(ClusterError::Slow { what, limit_s });
        }
        sleep(Duration::from_millis(POLL_MS));
    }
    Ok(())
}

/// What a running server says of itself in `postmaster.pid`.
pub struct Postmaster {
    pid: Pid,
    /// The directory of its socket.
    pub run: PathBuf,
    ready: bool,
}

impl Postmaster {
    /// Reads the file, if there is a whole one.
    pub fn read(layout: &Layout) -> Option<Self> {
        let text = fs::read_to_string(layout.data.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        let pid = Pid::from_raw(lines.first()?.trim().parse().ok()?)?;
        let run = PathBuf::from(lines.get(4).copied().unwrap_or_default());
        let ready = lines.get(7).is_some_and(|status| status.trim() == "ready");
        Some(Self { pid, run, ready })
    }

    /// Whether that process lives and is this cluster's server, not a later process of the same number.
    pub fn runs(&self, layout: &Layout) -> bool {
        if test_kill_process(self.pid).is_err() {
            return false;
        }
        let number = self.pid.as_raw_nonzero().to_string();
        let line = match fs::read(Path::new("/proc").join(&number).join("cmdline")) {
            Ok(line) => line,
            // macOS has no /proc.
            Err(_) => Command::new("ps").args(["-p", &number, "-o", "command="]).output().map_or(vec![], |o| o.stdout),
        };
        String::from_utf8_lossy(&line).contains(&*layout.data.to_string_lossy())
    }
}

fn wait_ready(layout: &Layout, child: &mut Child) -> Result<(), ClusterError> {
    wait("starting the server", START_TIMEOUT_S, || {
        if child.try_wait().map_err(ClusterError::io("cannot watch", &layout.data))?.is_some() {
            let said = fs::read_to_string(&layout.log).unwrap_or_default();
            return Err(ClusterError::Program { program: "postgres", said: tail(&said) });
        }
        Ok(Postmaster::read(layout).is_some_and(|postmaster| postmaster.ready))
    })
}

/// What a killed server leaves: nobody runs it, or `evict` would have said so.
fn remove_remains(layout: &Layout) -> Result<(), ClusterError> {
    let remains = [
        layout.data.join("postmaster.pid"),
        layout.run.join(".s.PGSQL.5432"),
        layout.run.join(".s.PGSQL.5432.lock"),
        layout.alive.clone(),
    ];
    for path in remains.iter().filter(|path| path.symlink_metadata().is_ok()) {
        fs::remove_file(path).map_err(ClusterError::io("cannot remove", path))?;
    }
    Ok(())
}

/// A named pipe, both ends open: the server's watcher gets the first, its users each open the second.
fn pipe(path: &Path) -> Result<(File, File), ClusterError> {
    succeed("mkfifo", Command::new("mkfifo").args(["-m", "600"]).arg(path))?;
    let open = |read: bool, write: bool| {
        OpenOptions::new().read(read).write(write).open(path).map_err(ClusterError::io("cannot open", path))
    };
    // Opening one end waits for the other, so the first handle is both.
    let _both = open(true, true)?;
    Ok((open(true, false)?, open(false, true)?))
}

fn open_log(path: &Path) -> Result<File, ClusterError> {
    if fs::metadata(path).is_ok_and(|meta| meta.len() > LOG_BYTES_MAX) {
        fs::rename(path, path.with_extension("old")).map_err(ClusterError::io("cannot rename", path))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(ClusterError::io("cannot open", path))
}

fn assign(name: &str, value: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push("=");
    text.push(value);
    text
}

fn succeed(program: &'static str, command: &mut Command) -> Result<(), ClusterError> {
    let ran = command.stdin(Stdio::null()).output();
    let Output { status, stdout, stderr } = ran.map_err(ClusterError::io("cannot run", Path::new(program)))?;
    if status.success() {
        return Ok(());
    }
    let said = [stdout, stderr].concat();
    Err(ClusterError::Program { program, said: tail(&String::from_utf8_lossy(&said)) })
}

/// The last lines of what a program said.
pub fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let start = lines.len().saturating_sub(SAID_LINES_MAX);
    lines.get(start..).unwrap_or_default().join("\n")
}
