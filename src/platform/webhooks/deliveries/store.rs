//! Deliveries in Postgres. Its clock decides what is due.

use diesel::sql_types::{Array, BigInt, Bool, Int4, Nullable, SmallInt, Text, Timestamptz, Uuid};
use diesel::{QueryResult, Queryable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid as Id;

use crate::kernel::clock::Instant;
use crate::kernel::id::{Lane, MemberId, Seq};
use crate::kernel::scope::ProgramScope;
use crate::platform::webhooks::deliveries::{Delivery, DeliveryName, DeliveryStatus};
use crate::platform::webhooks::hook::{Event, Hook};
use crate::statement;

/// A delivery's columns, in the order of [`DeliveryRow`].
macro_rules! delivery_columns {
    () => {
        "lane, member_id, seq, event, type, payload, created_at, status, tries, next_at, answered, trouble"
    };
}

type DeliverySql = (
    SmallInt,
    Uuid,
    BigInt,
    SmallInt,
    Text,
    Text,
    Timestamptz,
    SmallInt,
    Int4,
    Timestamptz,
    Nullable<SmallInt>,
    Nullable<Text>,
);

statement! {
    /// What is to be told; what is there already stays as it is.
    InsertDeliveries {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
        events: Vec<i16> => Array<SmallInt>,
        hooks: Vec<Id> => Array<Uuid>,
        programs: Vec<Id> => Array<Uuid>,
        types: Vec<String> => Array<Text>,
        payloads: Vec<String> => Array<Text>,
    } -> Bool,
    "INSERT INTO webhook_deliveries (lane, member_id, seq, event, webhook_id, program_id, type, payload, created_at, status, \
     tries, next_at) SELECT *, clock_timestamp(), 0, 0, clock_timestamp() FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT ON CONSTRAINT webhook_deliveries_pkey DO NOTHING"
}

statement! {
    /// Takes deliveries that are due: whoever took them has so long, in seconds, to say what became of them.
    TakeDeliveries { takes_s: i32 => Int4, hook: Id => Uuid, limit: i64 => BigInt, again: Id => Uuid } -> DeliverySql,
    concat!(
        "WITH due AS (UPDATE webhook_deliveries AS d SET tries = d.tries + 1, \
         next_at = clock_timestamp() + make_interval(secs => ?) FROM (SELECT lane, member_id, seq, event \
         FROM webhook_deliveries WHERE webhook_id = ? AND status = 0 AND next_at <= clock_timestamp() \
         ORDER BY next_at LIMIT ? FOR UPDATE SKIP LOCKED) AS t \
         WHERE d.lane = t.lane AND d.member_id = t.member_id AND d.seq = t.seq AND d.event = t.event \
         AND d.webhook_id = ? RETURNING d.*) SELECT ",
        delivery_columns!(),
        " FROM due ORDER BY created_at, member_id, seq, event"
    )
}

statement! {
    /// What became of deliveries that were taken; each is tried again so many seconds from now.
    SaveDeliveries {
        lanes: Vec<i16> => Array<SmallInt>,
        members: Vec<Id> => Array<Uuid>,
        seqs: Vec<i64> => Array<BigInt>,
        events: Vec<i16> => Array<SmallInt>,
        statuses: Vec<i16> => Array<SmallInt>,
        waits_s: Vec<i32> => Array<Int4>,
        answered: Vec<Option<i16>> => Array<Nullable<SmallInt>>,
        troubles: Vec<Option<String>> => Array<Nullable<Text>>,
        hook: Id => Uuid,
    } -> Bool,
    "UPDATE webhook_deliveries AS d SET status = u.status, next_at = clock_timestamp() + make_interval(secs => u.wait_s), \
     answered = u.answered, trouble = u.trouble FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) \
     AS u (lane, member_id, seq, event, status, wait_s, answered, trouble) WHERE d.lane = u.lane \
     AND d.member_id = u.member_id AND d.seq = u.seq AND d.event = u.event AND d.webhook_id = ?"
}

statement! {
    /// Deliveries of a webhook, newest first, before a place; of a status, or of all.
    ListDeliveries {
        hook: Id => Uuid,
        program: Id => Uuid,
        any: bool => Bool,
        status: i16 => SmallInt,
        created_at: Instant => Timestamptz,
        member: Id => Uuid,
        seq: i64 => BigInt,
        event: i16 => SmallInt,
        limit: i64 => BigInt,
    } -> DeliverySql,
    concat!(
        "SELECT ",
        delivery_columns!(),
        " FROM webhook_deliveries WHERE webhook_id = ? AND program_id = ? AND (? OR status = ?) \
         AND (created_at, member_id, seq, event) < (?, ?, ?, ?) \
         ORDER BY created_at DESC, member_id DESC, seq DESC, event DESC LIMIT ?"
    )
}

statement! {
    /// Has what was to be told in a time told again.
    ReplayDeliveries { hook: Id => Uuid, program: Id => Uuid, from: Instant => Timestamptz, until: Instant => Timestamptz } -> Bool,
    "UPDATE webhook_deliveries SET status = 0, tries = 0, next_at = clock_timestamp() \
     WHERE webhook_id = ? AND program_id = ? AND created_at >= ? AND created_at < ? AND status <> 0"
}

statement! {
    /// Forgets what is over for so many days, and what waits for nobody.
    ForgetDeliveries { kept_d: i32 => Int4 } -> Bool,
    "DELETE FROM webhook_deliveries WHERE created_at < clock_timestamp() - make_interval(days => ?)"
}

statement! {
    /// Forgets all that was told of a member, and what was to be.
    ForgetMember { lane: i16 => SmallInt, member: Id => Uuid } -> Bool,
    "DELETE FROM webhook_deliveries WHERE lane = ? AND member_id = ? AND type <> 'member.erased'"
}

#[derive(Queryable)]
struct DeliveryRow {
    lane: i16,
    member_id: Id,
    seq: i64,
    event: i16,
    name: String,
    payload: String,
    created_at: Instant,
    status: i16,
    tries: i32,
    next_at: Instant,
    answered: Option<i16>,
    trouble: Option<String>,
}

impl From<DeliveryRow> for Delivery {
    fn from(row: DeliveryRow) -> Self {
        let (lane, member, seq) = (Lane(row.lane), MemberId(row.member_id), Seq(row.seq));
        Self {
            name: DeliveryName { lane, member, seq, number: row.event },
            event: row.name,
            payload: row.payload,
            created_at: row.created_at,
            // A CHECK knows no other.
            status: DeliveryStatus::of(row.status).unwrap_or(DeliveryStatus::GivenUp),
            tries: row.tries,
            next_at: row.next_at,
            answered: row.answered,
            trouble: row.trouble,
        }
    }
}

/// Notes events for those who want to be told; an event that was noted before is not noted again.
///
/// # Errors
/// When the database fails.
pub async fn insert_deliveries(conn: &AsyncPgConnection, told: &[(&Hook, &Event)]) -> QueryResult<()> {
    let insert = InsertDeliveries {
        lanes: told.iter().map(|(_, event)| event.lane.0).collect(),
        members: told.iter().map(|(_, event)| event.member.0).collect(),
        seqs: told.iter().map(|(_, event)| event.seq.0).collect(),
        events: told.iter().map(|(_, event)| event.number).collect(),
        hooks: told.iter().map(|(hook, _)| hook.id).collect(),
        programs: told.iter().map(|(_, event)| event.program.0).collect(),
        types: told.iter().map(|(_, event)| event.name.to_owned()).collect(),
        payloads: told.iter().map(|(_, event)| event.payload.clone()).collect(),
    };
    insert.execute(&mut &*conn).await.map(drop)
}

/// Takes deliveries of a webhook that are due, for so many seconds.
pub(in crate::platform::webhooks) async fn take_deliveries(
    conn: &AsyncPgConnection,
    hook: Id,
    takes_s: i32,
    limit: i64,
) -> QueryResult<Vec<Delivery>> {
    let rows: Vec<DeliveryRow> = TakeDeliveries { takes_s, hook, limit, again: hook }.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// What became of a delivery.
#[derive(Clone, Debug)]
pub(in crate::platform::webhooks) struct Became {
    pub(in crate::platform::webhooks) name: DeliveryName,
    pub(in crate::platform::webhooks) status: DeliveryStatus,
    pub(in crate::platform::webhooks) wait_s: i32,
    pub(in crate::platform::webhooks) answered: Option<i16>,
    pub(in crate::platform::webhooks) trouble: Option<String>,
}

/// Notes what became of deliveries of a webhook.
pub(in crate::platform::webhooks) async fn save_deliveries(
    conn: &AsyncPgConnection,
    hook: Id,
    became: &[Became],
) -> QueryResult<()> {
    let save = SaveDeliveries {
        lanes: became.iter().map(|b| b.name.lane.0).collect(),
        members: became.iter().map(|b| b.name.member.0).collect(),
        seqs: became.iter().map(|b| b.name.seq.0).collect(),
        events: became.iter().map(|b| b.name.number).collect(),
        statuses: became.iter().map(|b| b.status.number()).collect(),
        waits_s: became.iter().map(|b| b.wait_s).collect(),
        answered: became.iter().map(|b| b.answered).collect(),
        troubles: became.iter().map(|b| b.trouble.clone()).collect(),
        hook,
    };
    save.execute(&mut &*conn).await.map(drop)
}

/// A place in a list of deliveries.
pub(in crate::platform::webhooks) type Place = (Instant, Id, i64, i16);

/// Deliveries of a webhook of the programme, newest first, before a place.
pub(in crate::platform::webhooks) async fn list_deliveries(
    conn: &AsyncPgConnection,
    (scope, hook): (&ProgramScope, Id),
    status: Option<DeliveryStatus>,
    before: Option<Place>,
    limit: i64,
) -> QueryResult<Vec<Delivery>> {
    let (created_at, member, seq, event) = before.unwrap_or((Instant::MAX_UTC, Id::max(), i64::MAX, i16::MAX));
    let (any, status) = (status.is_none(), status.map_or(0, DeliveryStatus::number));
    let program = scope.program().0;
    let list = ListDeliveries { hook, program, any, status, created_at, member, seq, event, limit };
    let rows: Vec<DeliveryRow> = list.load(&mut &*conn).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Has what was told, or was to be, in a time told again; how much that is.
pub(in crate::platform::webhooks) async fn replay_deliveries(
    conn: &AsyncPgConnection,
    (scope, hook): (&ProgramScope, Id),
    (from, until): (Instant, Instant),
) -> QueryResult<usize> {
    ReplayDeliveries { hook, program: scope.program().0, from, until }.execute(&mut &*conn).await
}

/// Forgets deliveries that are older than so many days.
pub(in crate::platform::webhooks) async fn forget_deliveries(conn: &AsyncPgConnection, kept_d: i32) -> QueryResult<()> {
    ForgetDeliveries { kept_d }.execute(&mut &*conn).await.map(drop)
}

/// Forgets all that was told of a member, and what was to be; but not that it is to be forgotten.
///
/// # Errors
/// When the database fails.
pub async fn forget_member(conn: &AsyncPgConnection, lane: Lane, member: MemberId) -> QueryResult<()> {
    ForgetMember { lane: lane.0, member: member.0 }.execute(&mut &*conn).await.map(drop)
}
