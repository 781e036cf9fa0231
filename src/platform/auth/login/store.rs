//! Logins in Postgres.

use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId};
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::key::SecretHash;
use crate::schema::logins;

/// A login as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) program: ProgramId,
    pub(super) password: Option<String>,
    pub(super) failures: i32,
    pub(super) failed_at: Option<Instant>,
    pub(super) reset: Option<(SecretHash, Instant)>,
}

impl Login {
    /// One that nobody can sign in with yet.
    pub(super) fn new(program: ProgramId) -> Self {
        Self { program, password: None, failures: 0, failed_at: None, reset: None }
    }
}

type Row = (Uuid, Option<String>, i32, Option<Instant>, Option<Vec<u8>>, Option<Instant>);

/// A member's login; nobody else changes it until the transaction ends. Read without a scope where a token names the member:
/// it is what the scope is made from.
pub(super) async fn lock_login(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    member: MemberId,
) -> Result<Option<Login>, QueryError> {
    let row: Option<Row> = logins::table
        .filter(logins::lane.eq(member.lane(lanes).0))
        .filter(logins::member_id.eq(member.0))
        .select((
            logins::program_id,
            logins::password_hash,
            logins::failures,
            logins::failed_at,
            logins::reset_hash,
            logins::reset_expires_at,
        ))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let Some((program, password, failures, failed_at, reset, expires_at)) = row else { return Ok(None) };
    let wrong = || QueryError::DeserializationError("not a SHA-256".into());
    let reset = reset.map(|bytes| SecretHash::stored(&bytes).ok_or_else(wrong)).transpose()?.zip(expires_at);
    Ok(Some(Login { program: ProgramId(program), password, failures, failed_at, reset }))
}

/// Keeps a login as it is now.
pub(super) async fn save_login(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    member: MemberId,
    login: &Login,
) -> Result<(), QueryError> {
    let values = (
        logins::password_hash.eq(login.password.as_deref()),
        logins::failures.eq(login.failures),
        logins::failed_at.eq(login.failed_at),
        logins::reset_hash.eq(login.reset.map(|(hash, _)| hash.0.to_vec())),
        logins::reset_expires_at.eq(login.reset.map(|(_, expires_at)| expires_at)),
    );
    let key =
        (logins::lane.eq(member.lane(lanes).0), logins::member_id.eq(member.0), logins::program_id.eq(login.program.0));
    diesel::insert_into(logins::table)
        .values((key, values.clone()))
        .on_conflict((logins::lane, logins::member_id))
        .do_update()
        .set(values)
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets a login.
pub(super) async fn delete_login(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    (scope, member): (&ProgramScope, MemberId),
) -> Result<(), QueryError> {
    let own = logins::table
        .filter(logins::lane.eq(member.lane(lanes).0))
        .filter(logins::member_id.eq(member.0))
        .filter(logins::program_id.eq(scope.program().0));
    diesel::delete(own).execute(conn).await?;
    Ok(())
}
