//! What the engine needs of whatever stores its groups: Postgres, and in `tests/model` a store in memory that fails
//! on command. Group forming, retries, replay and taking apart stand above it, so they are the same code in both.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Deref;

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::kernel::id::{LaneCount, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::accounts::Owner;
use crate::loyalty::ledger::decide::Decided;
use crate::loyalty::ledger::load::{LoadError, Loaded, Lock, Plan, find_receipts, load};
use crate::loyalty::ledger::posting::RequestHash;
use crate::loyalty::ledger::save::save;
use crate::loyalty::ledger::writes::Rollback;
use crate::loyalty::program::model::Timeline;
use crate::loyalty::program::timelines::{TimelineError, read};
use crate::platform::db::{Conn, Db, DbError};

/// Plans made while tables were empty must stay good when they are full; what is answered is durable, whatever is usual.
const SESSION: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; \
    SET enable_mergejoin = off; SET enable_memoize = off; SET jit = off; SET plan_cache_mode = force_generic_plan; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Receipts with the hash of what was asked, by the posting that answered.
pub type Receipts = HashMap<(MemberId, Seq), (RequestHash, String)>;

/// Where sessions come from.
pub trait Storage: Clone + Send + Sync + 'static {
    /// What it opens.
    type Session: Session;
    /// What it lends to who only looks.
    type Lent: Deref<Target = Self::Session> + Send + 'static;

    /// A session of a writer's own, which waits so long for a lane.
    fn connect(&self, lock_timeout_ms: u32) -> impl Future<Output = Result<Self::Session, DbError>> + Send;
    /// A session for a short while.
    fn lend(&self) -> impl Future<Output = Result<Self::Lent, DbError>> + Send;
    /// Lets go of what leads to a server that takes no writes.
    fn move_on(&self);
}

/// One transaction at a time: `load` opens it; `save` or `rollback` ends it, and so does dropping the session.
pub trait Session: Send + Sync + 'static {
    /// Locks what is to be locked, and reads what the plan asks for.
    fn load(&self, plan: &Plan, lock: Lock) -> impl Future<Output = Result<Loaded, LoadError>> + Send;
    /// What these postings answered.
    fn receipts(&self, owners: &[Owner], lanes: LaneCount) -> impl Future<Output = QueryResult<Receipts>> + Send;
    /// The versions of a programme, of which some may be known.
    fn timeline(
        &self,
        program: ProgramId,
        known: Option<&Timeline>,
    ) -> impl Future<Output = Result<Timeline, TimelineError>> + Send;
    /// Writes what was decided, and commits: durable when it answers. When it fails nothing of it is there, or, when the
    /// connection was lost in COMMIT, all of it.
    fn save(&self, decided: &Decided, lanes: LaneCount) -> impl Future<Output = QueryResult<()>> + Send;
    /// Drops what the transaction did.
    fn rollback(&self) -> impl Future<Output = QueryResult<()>> + Send;
}

impl Storage for Db {
    type Session = AsyncPgConnection;
    type Lent = Conn;

    async fn connect(&self, lock_timeout_ms: u32) -> Result<AsyncPgConnection, DbError> {
        let mut conn = self.dedicated().await?;
        conn.batch_execute(SESSION).await?;
        conn.batch_execute(&format!("SET lock_timeout = {lock_timeout_ms}")).await?;
        Ok(conn)
    }

    async fn lend(&self) -> Result<Conn, DbError> {
        self.conn().await
    }

    fn move_on(&self) {
        Self::move_on(self);
    }
}

impl Session for AsyncPgConnection {
    async fn load(&self, plan: &Plan, lock: Lock) -> Result<Loaded, LoadError> {
        load(self, plan, lock).await
    }

    async fn receipts(&self, owners: &[Owner], lanes: LaneCount) -> QueryResult<Receipts> {
        find_receipts(self, owners, lanes).await
    }

    async fn timeline(&self, program: ProgramId, known: Option<&Timeline>) -> Result<Timeline, TimelineError> {
        read(self, program, known).await
    }

    async fn save(&self, decided: &Decided, lanes: LaneCount) -> QueryResult<()> {
        save(self, &decided.group, &decided.heads, decided.clock, lanes, &decided.programs).await
    }

    async fn rollback(&self) -> QueryResult<()> {
        Rollback {}.execute(&mut &*self).await?;
        Ok(())
    }
}
