//! Sessions in Postgres. Its clock decides what is over.

use diesel::dsl::now;
use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId};
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::key::SecretHash;
use crate::schema::sessions;

/// Which session, by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    pub(super) member: MemberId,
    pub(super) session: Uuid,
}

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) program: ProgramId,
    pub(super) secret: SecretHash,
    pub(super) created_at: Instant,
    pub(super) refreshed_at: Instant,
    pub(super) expires_at: Instant,
}

type Row = (Uuid, Vec<u8>, Instant, Instant, Instant);

fn session_of((program, secret, created_at, refreshed_at, expires_at): Row) -> Result<Session, QueryError> {
    let secret = SecretHash::stored(&secret).ok_or_else(|| QueryError::DeserializationError("not a SHA-256".into()))?;
    Ok(Session { program: ProgramId(program), secret, created_at, refreshed_at, expires_at })
}

/// The time by Postgres's clock.
///
/// # Errors
/// When the database fails.
pub async fn clock(conn: &mut AsyncPgConnection) -> Result<Instant, QueryError> {
    diesel::select(now.into_sql::<Timestamptz>()).get_result(conn).await
}

/// Adds a session.
pub(super) async fn insert_session(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    key: SessionKey,
    session: &Session,
) -> Result<(), QueryError> {
    let row = (
        (sessions::lane.eq(key.member.lane(lanes).0), sessions::member_id.eq(key.member.0)),
        (sessions::session_id.eq(key.session), sessions::program_id.eq(session.program.0)),
        (sessions::secret_hash.eq(&session.secret.0[..]), sessions::created_at.eq(session.created_at)),
        (sessions::refreshed_at.eq(session.refreshed_at), sessions::expires_at.eq(session.expires_at)),
    );
    diesel::insert_into(sessions::table).values(row).execute(conn).await?;
    Ok(())
}

/// A session, and the time; nobody else changes it until the transaction ends. Read without a scope: it is what the scope
/// of who presents its token is made from.
pub(super) async fn lock_session(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    key: SessionKey,
) -> Result<Option<Session>, QueryError> {
    let row: Option<Row> = of(lanes, key)
        .select((
            sessions::program_id,
            sessions::secret_hash,
            sessions::created_at,
            sessions::refreshed_at,
            sessions::expires_at,
        ))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    row.map(session_of).transpose()
}

/// The programme of a session that goes on, and the time.
pub(super) async fn find_alive(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    key: SessionKey,
) -> Result<Option<(ProgramId, Instant)>, QueryError> {
    let row: Option<(Uuid, Instant)> = of(lanes, key)
        .filter(sessions::expires_at.gt(now.into_sql::<Timestamptz>()))
        .select((sessions::program_id, now.into_sql::<Timestamptz>()))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(program, at)| (ProgramId(program), at)))
}

/// Gives a session another secret.
pub(super) async fn refresh_session(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    key: SessionKey,
    session: &Session,
) -> Result<(), QueryError> {
    diesel::update(of(lanes, key))
        .set((
            sessions::secret_hash.eq(&session.secret.0[..]),
            sessions::refreshed_at.eq(session.refreshed_at),
            sessions::expires_at.eq(session.expires_at),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a session; whether there was one.
pub(super) async fn delete_session(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    key: SessionKey,
) -> Result<bool, QueryError> {
    Ok(diesel::delete(of(lanes, key)).execute(conn).await? > 0)
}

/// Ends all sessions of a member but the newest few, and those that are over; `keep` none for all of them. Which ones.
pub(super) async fn delete_sessions(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    (scope, member): (&ProgramScope, MemberId),
    keep: i64,
    at: Instant,
) -> Result<Vec<Uuid>, QueryError> {
    let mine = sessions::table
        .filter(sessions::lane.eq(member.lane(lanes).0))
        .filter(sessions::member_id.eq(member.0))
        .filter(sessions::program_id.eq(scope.program().0));
    let ids: Vec<(Uuid, Instant)> = mine
        .order((sessions::refreshed_at.desc(), sessions::session_id.desc()))
        .select((sessions::session_id, sessions::expires_at))
        .load(conn)
        .await?;
    let keep = usize::try_from(keep).unwrap_or(0);
    let gone = ids.into_iter().enumerate().filter(|(place, (_, expires_at))| *place >= keep || *expires_at <= at);
    let gone: Vec<Uuid> = gone.map(|(_, (id, _))| id).collect();
    diesel::delete(mine.filter(sessions::session_id.eq_any(&gone))).execute(conn).await?;
    Ok(gone)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(lanes: LaneCount, key: SessionKey) -> _ {
    let (lane, member): (i16, Uuid) = (key.member.lane(lanes).0, key.member.0);
    let session: Uuid = key.session;
    sessions::table
        .filter(sessions::lane.eq(lane))
        .filter(sessions::member_id.eq(member))
        .filter(sessions::session_id.eq(session))
}
