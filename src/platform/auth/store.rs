//! API keys in Postgres. Its clock decides what is expired.

use diesel::dsl::now;
use diesel::pg::expression::extensions::IntervalDsl;
use diesel::prelude::*;
use diesel::result::Error as QueryError;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::ProgramId;
use crate::kernel::page::Page;
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::key::{ApiKey, KeyId, SecretHash};
use crate::platform::auth::scopes::Scopes;
use crate::platform::web::paging::{Cursor, Limit};
use crate::schema::api_keys;

/// The constraint that refuses an expiry in the past.
pub(super) const EXPIRES_AFTER_CREATED: &str = "api_keys_expires_after_created";

/// What the door needs to know of a key.
#[derive(Clone, Debug)]
pub(super) struct KnownKey {
    pub(super) program: ProgramId,
    pub(super) scopes: Scopes,
    pub(super) hash: SecretHash,
}

#[derive(Insertable)]
#[diesel(table_name = api_keys)]
struct NewRow<'a> {
    key_id: &'a str,
    program_id: Uuid,
    name: &'a str,
    scopes: String,
    secret_hash: &'a [u8],
    created_by: String,
    expires_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys)]
struct KeyRow {
    key_id: String,
    program_id: Uuid,
    name: String,
    scopes: String,
    created_at: Instant,
    created_by: String,
    expires_at: Option<Instant>,
    revoked_at: Option<Instant>,
    last_used_at: Option<Instant>,
    successor_id: Option<String>,
}

impl KeyRow {
    fn into_key(self) -> Result<ApiKey, QueryError> {
        Ok(ApiKey {
            id: id_of(&self.key_id)?,
            program: ProgramId(self.program_id),
            name: self.name,
            scopes: scopes_of(&self.scopes)?,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
            successor: self.successor_id.as_deref().map(id_of).transpose()?,
        })
    }
}

fn id_of(text: &str) -> Result<KeyId, QueryError> {
    KeyId::parse(text).ok_or_else(|| QueryError::DeserializationError("not a key id".into()))
}

fn scopes_of(names: &str) -> Result<Scopes, QueryError> {
    names.parse().map_err(|error| QueryError::DeserializationError(Box::new(error)))
}

/// The key, unless it is expired or revoked. The one read without a scope: it is what scopes are made from.
pub(super) async fn find_known(conn: &mut AsyncPgConnection, id: KeyId) -> Result<Option<KnownKey>, QueryError> {
    let row: Option<(Uuid, String, Vec<u8>)> = api_keys::table
        .filter(api_keys::key_id.eq(id.as_str()))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now.into_sql::<Timestamptz>().nullable())))
        .select((api_keys::program_id, api_keys::scopes, api_keys::secret_hash))
        .first(conn)
        .await
        .optional()?;
    let Some((program, scopes, hash)) = row else { return Ok(None) };
    let hash = SecretHash::stored(&hash).ok_or_else(|| QueryError::DeserializationError("not a SHA-256".into()))?;
    Ok(Some(KnownKey { program: ProgramId(program), scopes: scopes_of(&scopes)?, hash }))
}

/// Records that a key is in use, unless that was done within the last minute.
pub(super) async fn bump_last_use(conn: &mut AsyncPgConnection, id: KeyId) -> Result<(), QueryError> {
    let a_minute_ago = now.into_sql::<Timestamptz>() - 1.minute();
    let stale = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(a_minute_ago.nullable()));
    diesel::update(api_keys::table.filter(api_keys::key_id.eq(id.as_str())).filter(stale))
        .set(api_keys::last_used_at.eq(now.into_sql::<Timestamptz>().nullable()))
        .execute(conn)
        .await?;
    Ok(())
}

/// What a new key is like.
pub(super) struct Draft<'a> {
    pub(super) id: KeyId,
    pub(super) hash: SecretHash,
    pub(super) name: &'a str,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Option<Instant>,
}

/// Adds a key. An expiry before Postgres's clock is refused by the CHECK [`EXPIRES_AFTER_CREATED`].
pub(super) async fn insert_key(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    draft: &Draft<'_>,
) -> Result<ApiKey, QueryError> {
    let row = NewRow {
        key_id: draft.id.as_str(),
        program_id: scope.program().0,
        name: draft.name,
        scopes: draft.scopes.to_string(),
        secret_hash: &draft.hash.0,
        created_by: scope.principal().to_string(),
        expires_at: draft.expires_at,
    };
    let insert = diesel::insert_into(api_keys::table).values(row).returning(KeyRow::as_select());
    let row: KeyRow = insert.get_result(conn).await?;
    row.into_key()
}

/// How many keys of the programme are neither expired nor revoked.
pub(super) async fn count_active(conn: &mut AsyncPgConnection, scope: &ProgramScope) -> Result<i64, QueryError> {
    api_keys::table
        .filter(api_keys::program_id.eq(scope.program().0))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now.into_sql::<Timestamptz>().nullable())))
        .count()
        .get_result(conn)
        .await
}

/// A key and the time by Postgres's clock; nobody else changes the key until the transaction ends.
pub(super) async fn lock_key(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: KeyId,
) -> Result<Option<(ApiKey, Instant)>, QueryError> {
    let row: Option<(KeyRow, Instant)> = api_keys::table
        .filter(api_keys::program_id.eq(scope.program().0))
        .filter(api_keys::key_id.eq(id.as_str()))
        .select((KeyRow::as_select(), now.into_sql::<Timestamptz>()))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    row.map(|(row, at)| Ok((row.into_key()?, at))).transpose()
}

/// Ends a key at an instant in favour of its successor.
pub(super) async fn supersede(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: KeyId,
    successor: KeyId,
    ends_at: Instant,
) -> Result<(), QueryError> {
    let key =
        api_keys::table.filter(api_keys::program_id.eq(scope.program().0)).filter(api_keys::key_id.eq(id.as_str()));
    diesel::update(key)
        .set((api_keys::successor_id.eq(successor.as_str()), api_keys::expires_at.eq(ends_at)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Revokes a key, unless it is already.
pub(super) async fn revoke(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: KeyId,
    at: Instant,
) -> Result<bool, QueryError> {
    let key = api_keys::table
        .filter(api_keys::program_id.eq(scope.program().0))
        .filter(api_keys::key_id.eq(id.as_str()))
        .filter(api_keys::revoked_at.is_null());
    let revoked = diesel::update(key).set(api_keys::revoked_at.eq(at)).execute(conn).await?;
    Ok(revoked > 0)
}

/// The programme of a key, for the command line.
///
/// # Errors
/// When the database fails.
pub async fn find_program_of(conn: &mut AsyncPgConnection, id: KeyId) -> Result<Option<ProgramId>, QueryError> {
    let key = api_keys::table.filter(api_keys::key_id.eq(id.as_str())).select(api_keys::program_id);
    let program: Option<Uuid> = key.first(conn).await.optional()?;
    Ok(program.map(ProgramId))
}

/// All keys of a programme, newest first, and the time by Postgres's clock beside each; for the command line.
///
/// # Errors
/// When the database fails.
pub async fn list_all_keys(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
) -> Result<Vec<(ApiKey, Instant)>, QueryError> {
    let keys = api_keys::table
        .filter(api_keys::program_id.eq(scope.program().0))
        .order((api_keys::created_at.desc(), api_keys::key_id.desc()))
        .select((KeyRow::as_select(), now.into_sql::<Timestamptz>()));
    let rows: Vec<(KeyRow, Instant)> = keys.load(conn).await?;
    rows.into_iter().map(|(row, at)| Ok((row.into_key()?, at))).collect()
}

/// Where a page of keys starts: after the key made then, of this id.
pub(super) type KeyPlace = Cursor<(Instant, String)>;

/// A page of keys, newest first, and the time by Postgres's clock beside each.
pub(super) async fn list_keys(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    limit: Limit,
    after: Option<KeyPlace>,
) -> Result<Page<(ApiKey, Instant)>, QueryError> {
    let mut keys = api_keys::table
        .filter(api_keys::program_id.eq(scope.program().0))
        .order((api_keys::created_at.desc(), api_keys::key_id.desc()))
        .select((KeyRow::as_select(), now.into_sql::<Timestamptz>()))
        .limit(limit.and_one())
        .into_boxed();
    if let Some(Cursor((at, id))) = after {
        let earlier = api_keys::created_at.lt(at);
        keys = keys.filter(earlier.or(api_keys::created_at.eq(at).and(api_keys::key_id.lt(id))));
    }
    let rows: Vec<(KeyRow, Instant)> = keys.load(conn).await?;
    let keys: Vec<_> =
        rows.into_iter().map(|(row, at)| Ok((row.into_key()?, at))).collect::<Result<_, QueryError>>()?;
    let place = |(key, _): &(ApiKey, Instant)| Cursor((key.created_at, key.id.to_string())).to_string();
    Ok(Page::of(keys, limit.get(), place))
}
