//! A wire between the program and Postgres, which breaks when a COMMIT passes.

use std::collections::{BTreeSet, VecDeque};
use std::env::temp_dir;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::{fs, io, process};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// The name of the socket in its directory, as the driver looks for it.
const SOCKET: &str = ".s.PGSQL.5432";

/// How the wire breaks at the next COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The COMMIT never arrives.
    Before,
    /// It is done, and its answer never arrives.
    After,
    /// The same, and no new connection is let through until it is mended.
    AfterForGood,
}

/// The wire.
pub struct Wire {
    directory: PathBuf,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    planned: Mutex<VecDeque<Break>>,
    down: AtomicBool,
}

impl State {
    /// Whether the wire breaks here.
    fn breaks(&self, committed: bool) -> bool {
        let mut planned = self.planned.lock().unwrap();
        let next = planned.pop_front_if(|next| committed == (*next != Break::Before));
        if next == Some(Break::AfterForGood) {
            self.down.store(true, Ordering::SeqCst);
        }
        next.is_some()
    }
}

impl Wire {
    /// Lays one to the server whose socket is in `directory`.
    pub fn to(directory: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // An address has room for some 100 bytes: the directory of the build may be too long.
        let name = format!("wire-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let (own, state) = (temp_dir().join(name), Arc::new(State::default()));
        fs::create_dir(&own).unwrap();
        let listener = UnixListener::bind(own.join(SOCKET)).unwrap();
        let (server, shared) = (directory.join(SOCKET), Arc::clone(&state));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.down.load(Ordering::SeqCst) {
                    continue;
                }
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, Arc::clone(&shared)));
            }
        });
        Self { directory: own, state, listening }
    }

    /// The directory of its own socket.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Has the next COMMITs broken, one after the other.
    pub fn break_at(&self, next: impl IntoIterator<Item = Break>) {
        self.state.planned.lock().unwrap().extend(next);
    }

    /// How many breaks have not come yet.
    pub fn planned(&self) -> usize {
        self.state.planned.lock().unwrap().len()
    }

    /// Lets everything through from now on.
    pub fn mend(&self) {
        self.state.planned.lock().unwrap().clear();
        self.state.down.store(false, Ordering::SeqCst);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.listening.abort();
        // The next run of the tests does not need it to be gone.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Carries one connection until either side closes it, or it breaks; then both are closed.
async fn carry(client: UnixStream, server: UnixStream, state: Arc<State>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // However it ends, the ends are closed when this returns.
    tokio::select! {
        _ = carry_requests(from_client, to_server, &state) => {}
        _ = carry_answers(from_server, to_client, &state) => {}
    }
}

async fn carry_requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) -> io::Result<()> {
    // The first message has no tag.
    to.write_all(&message(&mut from, false).await?).await?;
    let mut commits: BTreeSet<Vec<u8>> = BTreeSet::new();
    loop {
        let message = message(&mut from, true).await?;
        let mut texts = message[5..].split(|byte| *byte == 0);
        let (first, second) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        match message[0] {
            // Parse: the statement's name, and its text.
            b'P' if second == b"COMMIT" => _ = commits.insert(first.to_vec()),
            // Bind: the portal's name, and the statement's.
            b'B' if commits.contains(second) && state.breaks(false) => return Ok(()),
            _ => {}
        }
        to.write_all(&message).await?;
    }
}

async fn carry_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &State) -> io::Result<()> {
    loop {
        let message = message(&mut from, true).await?;
        // CommandComplete. A COMMIT after a failed statement says ROLLBACK.
        if message[0] == b'C' && &message[5..] == b"COMMIT\0" && state.breaks(true) {
            return Ok(());
        }
        to.write_all(&message).await?;
    }
}

/// The next message of the protocol: a tag of one byte, the length of the rest, the rest.
async fn message(from: &mut OwnedReadHalf, tagged: bool) -> io::Result<Vec<u8>> {
    let mut message = vec![0; if tagged { 5 } else { 4 }];
    from.read_exact(&mut message).await?;
    let start = message.len() - 4;
    let length = u32::from_be_bytes(message[start..].try_into().unwrap());
    message.resize(start + usize::try_from(length).unwrap(), 0);
    from.read_exact(&mut message[start + 4..]).await?;
    Ok(message)
}
