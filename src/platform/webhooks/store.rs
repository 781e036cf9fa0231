//! Webhooks in Postgres.

use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Timestamptz, Uuid};
use diesel::{OptionalExtension, QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::ProgramId;
use crate::kernel::scope::ProgramScope;
use crate::platform::webhooks::hook::Hook;
use crate::platform::webhooks::secret::HookSecret;
use crate::statement;

/// A webhook's columns, in the order of [`HookRow`].
macro_rules! hook_columns {
    () => {
        "program_id, webhook_id, url, events, enabled, secret, old_secret, old_secret_until, created_at, created_by"
    };
}

type HookSql =
    (Uuid, Uuid, Text, Array<Text>, Bool, Binary, Nullable<Binary>, Nullable<Timestamptz>, Timestamptz, Text);

statement! {
    /// The webhooks of a programme, oldest first.
    ListHooks { program: Id => Uuid } -> HookSql,
    concat!("SELECT ", hook_columns!(), " FROM webhooks WHERE program_id = ? ORDER BY webhook_id")
}

statement! {
    /// The webhooks of all programmes.
    ListAllHooks {} -> HookSql,
    concat!("SELECT ", hook_columns!(), " FROM webhooks ORDER BY program_id, webhook_id")
}

statement! {
    /// One webhook, which nobody else changes until the transaction ends.
    LockHook { program: Id => Uuid, id: Id => Uuid } -> HookSql,
    concat!("SELECT ", hook_columns!(), " FROM webhooks WHERE program_id = ? AND webhook_id = ? FOR UPDATE")
}

statement! {
    /// Adds a webhook.
    InsertHook {
        program: Id => Uuid,
        id: Id => Uuid,
        url: String => Text,
        events: Vec<String> => Array<Text>,
        secret: Vec<u8> => Binary,
        created_by: String => Text,
    } -> HookSql,
    concat!(
        "INSERT INTO webhooks (program_id, webhook_id, url, events, enabled, secret, created_at, created_by) \
         VALUES (?, ?, ?, ?, true, ?, now(), ?) RETURNING ",
        hook_columns!()
    )
}

statement! {
    /// Keeps a webhook as it is now.
    SaveHook {
        url: String => Text,
        events: Vec<String> => Array<Text>,
        enabled: bool => Bool,
        secret: Vec<u8> => Binary,
        old_secret: Option<Vec<u8>> => Nullable<Binary>,
        old_secret_until: Option<Instant> => Nullable<Timestamptz>,
        program: Id => Uuid,
        id: Id => Uuid,
    } -> HookSql,
    concat!(
        "UPDATE webhooks SET url = ?, events = ?, enabled = ?, secret = ?, old_secret = ?, old_secret_until = ? \
         WHERE program_id = ? AND webhook_id = ? RETURNING ",
        hook_columns!()
    )
}

statement! {
    /// Forgets a webhook, and what it was told.
    DeleteHook { program: Id => Uuid, id: Id => Uuid } -> Bool,
    "WITH gone AS (DELETE FROM webhooks WHERE program_id = ? AND webhook_id = ? RETURNING webhook_id) \
     DELETE FROM webhook_deliveries USING gone WHERE webhook_deliveries.webhook_id = gone.webhook_id"
}

statement! {
    /// The webhooks for which something is due.
    ListDueHooks {} -> HookSql,
    concat!(
        "SELECT ",
        hook_columns!(),
        " FROM webhooks AS h WHERE enabled AND EXISTS (SELECT FROM webhook_deliveries AS d \
         WHERE d.webhook_id = h.webhook_id AND d.status = 0 AND d.next_at <= clock_timestamp())"
    )
}

#[derive(Queryable)]
struct HookRow {
    program_id: Id,
    webhook_id: Id,
    url: String,
    events: Vec<String>,
    enabled: bool,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
    old_secret_until: Option<Instant>,
    created_at: Instant,
    created_by: String,
}

impl HookRow {
    fn read(self) -> QueryResult<Hook> {
        let wrong = || diesel::result::Error::DeserializationError("not a secret".into());
        let read = |bytes: Vec<u8>| HookSecret::stored(&bytes).ok_or_else(wrong);
        Ok(Hook {
            id: self.webhook_id,
            program: ProgramId(self.program_id),
            url: self.url,
            events: self.events,
            enabled: self.enabled,
            secret: read(self.secret)?,
            old_secret: self.old_secret.map(read).transpose()?.zip(self.old_secret_until),
            created_at: self.created_at,
            created_by: self.created_by,
        })
    }
}

fn read_all(rows: Vec<HookRow>) -> QueryResult<Vec<Hook>> {
    rows.into_iter().map(HookRow::read).collect()
}

statement! {
    /// The time.
    Clock {} -> Timestamptz,
    "SELECT now()"
}

/// The time by Postgres's clock.
pub(in crate::platform::webhooks) async fn clock(conn: &AsyncPgConnection) -> QueryResult<Instant> {
    Clock {}.get_result(&mut &*conn).await
}

/// The webhooks of a programme, oldest first.
pub(in crate::platform::webhooks) async fn list_hooks(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
) -> QueryResult<Vec<Hook>> {
    read_all(ListHooks { program: scope.program().0 }.load(&mut &*conn).await?)
}

/// The webhooks of all programmes: for who notes what is to be told.
///
/// # Errors
/// When the database fails.
pub async fn list_all_hooks(conn: &AsyncPgConnection) -> QueryResult<Vec<Hook>> {
    read_all(ListAllHooks {}.load(&mut &*conn).await?)
}

/// The webhooks for which something is due.
pub(in crate::platform::webhooks) async fn list_due_hooks(conn: &AsyncPgConnection) -> QueryResult<Vec<Hook>> {
    read_all(ListDueHooks {}.load(&mut &*conn).await?)
}

/// A webhook of the programme, locked.
pub(in crate::platform::webhooks) async fn lock_hook(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    id: Id,
) -> QueryResult<Option<Hook>> {
    let lock = LockHook { program: scope.program().0, id };
    lock.get_result::<HookRow>(&mut &*conn).await.optional()?.map(HookRow::read).transpose()
}

/// Adds a webhook to the programme.
pub(in crate::platform::webhooks) async fn insert_hook(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    id: Id,
    (url, events): (String, Vec<String>),
    secret: &HookSecret,
) -> QueryResult<Hook> {
    let (program, created_by) = (scope.program().0, scope.principal().to_string());
    let insert = InsertHook { program, id, url, events, secret: secret.bytes().to_vec(), created_by };
    insert.get_result::<HookRow>(&mut &*conn).await?.read()
}

/// Keeps a webhook as it is now.
pub(in crate::platform::webhooks) async fn save_hook(conn: &AsyncPgConnection, hook: &Hook) -> QueryResult<Hook> {
    let (old_secret, old_secret_until) =
        hook.old_secret.clone().map(|(secret, until)| (secret.bytes().to_vec(), until)).unzip();
    let save = SaveHook {
        url: hook.url.clone(),
        events: hook.events.clone(),
        enabled: hook.enabled,
        secret: hook.secret.bytes().to_vec(),
        old_secret,
        old_secret_until,
        program: hook.program.0,
        id: hook.id,
    };
    save.get_result::<HookRow>(&mut &*conn).await?.read()
}

/// Forgets a webhook of the programme, and what it was told.
pub(in crate::platform::webhooks) async fn delete_hook(
    conn: &AsyncPgConnection,
    scope: &ProgramScope,
    id: Id,
) -> QueryResult<()> {
    DeleteHook { program: scope.program().0, id }.execute(&mut &*conn).await.map(drop)
}
