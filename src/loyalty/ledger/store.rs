//! The heads of the lanes, for who keeps them elsewhere.

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Binary, SmallInt, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::kernel::clock::Instant;
use crate::statement;

statement! {
    /// The heads of all lanes.
    ListHeads {} -> (SmallInt, BigInt, Binary, Timestamptz),
    "SELECT lane, head, digest, moment FROM lanes ORDER BY lane"
}

/// The heads of all lanes: number, digest and moment of the last journal row.
///
/// # Errors
/// When the database fails.
pub async fn list_heads(conn: &AsyncPgConnection) -> QueryResult<Vec<(i16, i64, Vec<u8>, Instant)>> {
    ListHeads {}.load(&mut &*conn).await
}
