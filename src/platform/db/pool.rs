//! Connections: a pool for short statements, dedicated ones for those who keep theirs.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use diesel::result::{ConnectionError, DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::Integer;
use diesel::{QueryableByName, sql_query};
use diesel_async::pooled_connection::deadpool::{Hook, HookError, Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};

use super::error::{DbError, chain_of};
use super::url::DatabaseUrl;

/// How long a caller waits for a connection of the pool, in seconds.
pub const POOL_WAIT_S: u64 = 5;
/// The oldest major version of Postgres that will do.
const SERVER_MIN: i32 = 15;
/// How long a connection may sit in an open transaction without a statement, in seconds.
const IDLE_TRANSACTION_MAX_S: u64 = 60;

/// How long a host may take to let us in, in seconds: one that accepts and then says nothing is as good as gone.
const HANDSHAKE_MAX_S: u64 = 10;
/// After how long without an answer the next host of the URL is tried as well, in milliseconds: during a failover the
/// first one may be silent, and who waits for a connection waits for `POOL_WAIT_S` at most.
const NEXT_HOST_AFTER_MS: u64 = 300;

/// A pooled connection, given back when dropped.
pub type Conn = Object<AsyncPgConnection>;

/// The most connections that a pool opens; at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSize(pub usize);

/// On whose behalf a connection works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// `perennial_app`, who may not rewrite history.
    App,
    /// Whoever the URL names: migrations, and nobody else.
    Owner,
}

/// A handle on one database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    door: Arc<Door>,
    epoch: Arc<Epoch>,
}

/// Since when connections are to be trusted.
struct Epoch {
    opened: Instant,
    /// In microseconds from `opened`.
    moved_on: AtomicU64,
}

impl Epoch {
    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Who was lent out when everybody moved on is closed when next asked for.
    fn trusts(&self, created: Instant) -> bool {
        let moved_on = Duration::from_micros(AtomicU64::load(&self.moved_on, Ordering::Acquire));
        created.saturating_duration_since(self.opened) >= moved_on
    }
}

/// What it takes to open a connection.
struct Door {
    url: DatabaseUrl,
    role: Role,
    role_refused: OnceLock<()>,
}

impl Db {
    /// Opens a pool, and one connection of it, so that mistakes show at once.
    ///
    /// # Errors
    /// `Connect` when nobody answers, `TooOld` before Postgres 15.
    pub async fn open(url: &DatabaseUrl, size: PoolSize, role: Role) -> Result<Self, DbError> {
        let door = Arc::new(Door { url: url.clone(), role, role_refused: OnceLock::new() });
        // Opened outside the pool first: the pool would keep only the text of the cause.
        let mut first = door.open().await?;
        check_server(&mut first).await?;
        let opener = Arc::clone(&door);
        // Whoever asks first drives the connection otherwise, and takes it along when it ends: a thread of the server.
        let runtime = Handle::current();
        let mut config = ManagerConfig::default();
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |_| {
            let door = Arc::clone(&opener);
            let opened = runtime.spawn(async move { door.open().await.map_err(in_words) });
            async move { opened.await.unwrap_or_else(|e| Err(ConnectionError::BadConnection(e.to_string()))) }.boxed()
        });
        let epoch = Arc::new(Epoch { opened: Instant::now(), moved_on: AtomicU64::new(0) });
        let trusted = Arc::clone(&epoch);
        let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config("", config))
            .max_size(size.0.max(1))
            .pre_recycle(Hook::sync_fn(move |_, metrics| {
                let fresh = trusted.trusts(metrics.created);
                fresh.then_some(()).ok_or_else(|| HookError::message("it was opened before everybody moved on"))
            }))
            .build()
            .map_err(|e| DbError::Connect(Box::new(e)))?;
        Ok(Self { pool, door, epoch })
    }

    /// A connection of the pool.
    ///
    /// # Errors
    /// `Busy` when none came free in time, `Connect` when the server is gone.
    pub async fn conn(&self) -> Result<Conn, DbError> {
        let wait = Duration::from_secs(POOL_WAIT_S);
        Ok(timeout(wait, self.pool.get()).await.map_err(|_| DbError::Busy)??)
    }

    /// A connection of one's own, outside the pool, under the same role.
    ///
    /// # Errors
    /// `Connect` when the server is gone.
    pub async fn dedicated(&self) -> Result<AsyncPgConnection, DbError> {
        self.door.open().await
    }

    /// Whether connections work under the application's role: false where the provider forbade it, and for `Owner`.
    pub fn role_enforced(&self) -> bool {
        self.door.role == Role::App && self.door.role_refused.get().is_none()
    }

    /// Closes the connections that nobody uses, and begins a new epoch: they lead to a server that has become a standby,
    /// or read-only, and new ones may lead elsewhere.
    pub fn move_on(&self) {
        self.epoch.moved_on.fetch_max(self.epoch.now(), Ordering::AcqRel);
        drop(self.pool.retain(|_, _| false));
    }

    /// Closes who was lent out when everybody moved on and has been given back since; call it now and then. Nobody is served by
    /// such a connection, and it would be left until it is next asked for.
    pub fn sweep(&self) {
        drop(self.pool.retain(|_, metrics| self.epoch.trusts(metrics.created)));
    }

    /// Grows when connections of one's own that were opened before should be closed as well.
    pub fn epoch(&self) -> u64 {
        AtomicU64::load(&self.epoch.moved_on, Ordering::Acquire)
    }

    /// Closes the pool: who waits for a connection is told so, and connections end when given back.
    pub fn close(&self) {
        self.pool.close();
    }
}

impl Door {
    async fn open(&self) -> Result<AsyncPgConnection, DbError> {
        let mut conn = connect(&self.url).await?;
        conn.batch_execute(&format!("SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_MAX_S}s'")).await?;
        if self.role == Role::App {
            self.assume(&mut conn).await?;
        }
        Ok(conn)
    }

    /// Takes the application's role, or remembers that the provider forbade it.
    async fn assume(&self, conn: &mut AsyncPgConnection) -> Result<(), DbError> {
        match conn.batch_execute("SET ROLE perennial_app").await {
            Ok(()) => Ok(()),
            Err(QueryError::DatabaseError(DatabaseErrorKind::Unknown, info)) => {
                if self.role_refused.set(()).is_ok() {
                    tracing::warn!(reason = info.message(), "the role perennial_app was refused: working as the owner");
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The pool takes only the driver's kind of error, which keeps a text.
fn in_words(error: DbError) -> ConnectionError {
    ConnectionError::BadConnection(match error {
        DbError::Connect(cause) => chain_of(&*cause),
        other => other.chain(),
    })
}

/// Opens a connection as whoever the URL names, on the first host that lets us in and has the role that it asks for.
pub(super) async fn connect(url: &DatabaseUrl) -> Result<AsyncPgConnection, DbError> {
    let (client, driver) = reach(url.attempts()).await.map_err(DbError::Connect)?;
    let conn = AsyncPgConnection::try_from_client_and_connection(client, driver).await;
    let mut conn = conn.map_err(|e| DbError::Connect(Box::new(e)))?;
    // Faults are told apart by message. Only a superuser may choose the language; others keep the server's.
    sql_query("SELECT set_config('lc_messages', 'C', false) FROM pg_roles WHERE rolname = current_user AND rolsuper")
        .execute(&mut conn)
        .await?;
    Ok(conn)
}

/// A connection with what drives it.
type Opened = (Client, Connection<Socket, NoTlsStream>);
/// Why there is none.
type Cause = Box<dyn Error + Send + Sync>;

/// Tries the hosts one after the other, the next one as soon as those before it failed or say nothing.
async fn reach(attempts: Vec<Config>) -> Result<Opened, Cause> {
    let mut waiting = attempts.iter();
    let mut under_way = FuturesUnordered::new();
    let mut failed: Cause = "no host".into();
    loop {
        let next = waiting.next();
        under_way.extend(next.map(attempt));
        let patience = if waiting.len() > 0 { Duration::from_millis(NEXT_HOST_AFTER_MS) } else { Duration::MAX };
        match timeout(patience, under_way.next()).await {
            Ok(Some(Ok(opened))) => return Ok(opened),
            Ok(Some(Err(cause))) => failed = cause,
            Ok(None) => return Err(failed),
            Err(_) => {}
        }
    }
}

async fn attempt(config: &Config) -> Result<Opened, Cause> {
    let limit = Duration::from_secs(HANDSHAKE_MAX_S);
    let opened = timeout(limit, config.connect(NoTls)).await;
    Ok(opened.map_err(|_| format!("the server did not let us in within {HANDSHAKE_MAX_S} s"))??)
}

#[derive(QueryableByName)]
struct ServerRow {
    #[diesel(sql_type = Integer)]
    version: i32,
}

/// Refuses a server that is too old.
pub(super) async fn check_server(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let row: ServerRow =
        sql_query("SELECT current_setting('server_version_num')::int AS version").get_result(conn).await?;
    let found = row.version / 10_000;
    if found < SERVER_MIN { Err(DbError::TooOld { found, needed: SERVER_MIN }) } else { Ok(()) }
}
