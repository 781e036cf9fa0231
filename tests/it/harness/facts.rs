//! What is stored, in a few figures: tests compare them before and after.

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use perennial::platform::db::Db;

#[derive(QueryableByName)]
struct FactRow {
    #[diesel(sql_type = Text)]
    fact: String,
}

/// Every row of every table that commands write, and every journal's head: equal when nothing has happened.
const FINGERPRINT: &str = "SELECT string_agg(fact, E'\n' ORDER BY fact) AS fact FROM (
    SELECT 'posting ' || md5(p::text) FROM postings AS p
    UNION ALL SELECT 'account ' || md5(a::text) FROM accounts AS a
    UNION ALL SELECT 'member ' || md5(m::text) FROM members AS m
    UNION ALL SELECT 'directory ' || md5(d::text) FROM directory AS d
    UNION ALL SELECT 'counter ' || md5(c::text) FROM counters AS c
    UNION ALL SELECT 'lane ' || md5(l::text) FROM lanes AS l
    UNION ALL SELECT 'journal ' || md5(j::text) FROM journal AS j
    UNION ALL SELECT 'version ' || md5(v::text) FROM program_versions AS v
    UNION ALL SELECT 'audit ' || md5(a::text) FROM audit_log AS a
    UNION ALL SELECT 'key ' || md5((to_jsonb(k) - 'last_used_at')::text) FROM api_keys AS k
) AS facts (fact)";

/// All that is stored, as a text that changes when anything does (but for the last use of a key).
pub async fn fingerprint(db: &Db) -> String {
    one(db, FINGERPRINT).await
}

/// A figure or text of one row: the statement calls it `fact` and casts it to text.
pub async fn one(db: &Db, statement: &str) -> String {
    let mut conn = db.conn().await.unwrap();
    let row: FactRow = sql_query(statement).get_result(&mut conn).await.unwrap();
    row.fact
}

/// How many rows a table, with or without a WHERE behind it, has.
pub async fn count(db: &Db, what: &str) -> i64 {
    one(db, &format!("SELECT count(*)::text AS fact FROM {what}")).await.parse().unwrap()
}
