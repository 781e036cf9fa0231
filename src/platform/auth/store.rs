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
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::key::{ApiKey, KeyId, SecretHash};
use crate::platform::auth::scopes::Scopes;
use crate::schema::api_keys;

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
    let hash = hash.try_into().map_err(|_| QueryError::DeserializationError("not a SHA-256".into()))?;
    Ok(Some(KnownKey { program: ProgramId(program), scopes: scopes_of(&scopes)?, hash: SecretHash(hash) }))
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

/// Adds a key.
pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    scope: &ProgramScope,
    id: KeyId,
    hash: SecretHash,
    draft: &Draft<'_>,
) -> Result<ApiKey, QueryError> {
    let row = NewRow {
        key_id: id.as_str(),
        program_id: scope.program().0,
        name: draft.name,
        scopes: draft.scopes.to_string(),
        secret_hash: &hash.0,
        created_by: scope.principal().to_string(),
        expires_at: draft.expires_at,
    };
    let row: KeyRow =
        diesel::insert_into(api_keys::table).values(row).returning(KeyRow::as_select()).get_result(conn).await?;
    row.into_key()
}

/// What a new key is like.
pub(super) struct Draft<'a> {
    pub(super) name: &'a str,
    pub(super) scopes: Scopes,
    pub(super) expires_at: Option<Instant>,
}
