//! Migrations, there and back.

use diesel_async::SimpleAsyncConnection;
use perennial::kernel::id::LaneCount;
use perennial::platform::db::{Db, PoolSize, Role, migrate};

use super::{lines, migrations, read};
use crate::harness::TestDb;

/// Everything that a migration can make or change, line by line.
const EVERYTHING: &str = r"
WITH space AS (SELECT current_schema()::regnamespace AS oid),
tables AS (SELECT c.* FROM pg_class AS c, space WHERE c.relnamespace = space.oid AND c.relname !~ '^__')
SELECT 'table ' || relname || ' ' || relkind::text || ' ' || coalesce(reloptions::text, '') || ' ' || coalesce(relacl::text, '')
    || ' ' || coalesce(obj_description(oid, 'pg_class'), '') AS line
FROM tables WHERE relkind <> 'i'
UNION ALL
SELECT 'column ' || t.relname || ' ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
    || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(a.attacl::text, '')
    || ' ' || coalesce(col_description(t.oid, a.attnum), '')
FROM tables AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum
WHERE t.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'constraint ' || conname || ' ' || conrelid::regclass || ' ' || pg_get_constraintdef(c.oid)
FROM pg_constraint AS c, space WHERE c.connamespace = space.oid AND conrelid IN (SELECT oid FROM tables)
UNION ALL
SELECT 'index ' || pg_get_indexdef(oid) FROM tables WHERE relkind = 'i'
UNION ALL
SELECT 'view ' || relname || ' ' || pg_get_viewdef(oid) FROM tables WHERE relkind IN ('v', 'm')
UNION ALL
SELECT 'function ' || p.oid::regprocedure || ' ' || p.prosrc FROM pg_proc AS p, space WHERE p.pronamespace = space.oid
UNION ALL
SELECT 'type ' || t.typname FROM pg_type AS t, space WHERE t.typnamespace = space.oid AND t.typtype IN ('e', 'd', 'r')
UNION ALL
SELECT 'schema ' || coalesce(nspacl::text, '') FROM pg_namespace AS n JOIN space ON space.oid = n.oid
ORDER BY 1";

#[tokio::test]
async fn migrations_go_down_to_nothing_and_up_to_the_same() {
    let bare = TestDb::bare().await;
    let db = Db::open(&bare.url, PoolSize(1), Role::Owner).await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let nothing = objects(lines(&mut conn, EVERYTHING).await);
    assert_eq!(nothing, Vec::<String>::new());
    migrate(&bare.url, LaneCount(4)).await.unwrap();
    let before = lines(&mut conn, EVERYTHING).await;
    assert!(before.len() > 100, "the catalog was read: {before:?}");

    for name in migrations().iter().rev() {
        let down = read(&format!("migrations/{name}/down.sql"));
        let version: String = name.split('_').next().unwrap().replace('-', "");
        let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
        conn.batch_execute(&format!("BEGIN; {down}; {forget}; COMMIT")).await.unwrap();
    }
    assert_eq!(lines(&mut conn, "SELECT version::text AS line FROM __diesel_schema_migrations").await, [""; 0]);
    assert_eq!(objects(lines(&mut conn, EVERYTHING).await), nothing);

    assert_eq!(migrate(&bare.url, LaneCount(4)).await.unwrap().len(), migrations().len());
    assert_eq!(lines(&mut conn, EVERYTHING).await, before);
}

/// Without the schema itself, whose privileges differ in form when they were granted once.
fn objects(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| !line.starts_with("schema "));
    lines
}
