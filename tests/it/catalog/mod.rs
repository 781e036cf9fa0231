//! The live catalog, held to the rules of the schema; each rule is shown what it has to refuse.

mod laws;
mod round_trip;
mod schema;

use std::fs;
use std::path::Path;

use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use perennial::platform::db::{Conn, Db, PoolSize, Role};

use crate::harness::TestDb;
use laws::LAWS;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What a query says that has one column, `line`.
async fn lines(conn: &mut AsyncPgConnection, query: &str) -> Vec<String> {
    let lines: Vec<Line> = sql_query(query).load(conn).await.unwrap();
    lines.into_iter().map(|Line { line }| line).collect()
}

async fn owner(test: &TestDb) -> Conn {
    Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap().conn().await.unwrap()
}

#[tokio::test]
async fn the_catalog_keeps_the_rules_of_the_schema() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let mut broken = Vec::new();
    for law in LAWS {
        let found = lines(&mut conn, law.offenders).await;
        broken.extend(found.into_iter().map(|line| format!("{line}: {}", law.rule)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test]
async fn each_rule_of_the_schema_refuses_what_breaks_it() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    for law in LAWS {
        for offence in law.offences {
            conn.batch_execute(&format!("BEGIN; {offence}")).await.unwrap();
            let found = lines(&mut conn, law.offenders).await;
            conn.batch_execute("ROLLBACK").await.unwrap();
            assert_eq!(found.len(), 1, "{}: {offence} was answered {found:?}", law.rule);
        }
    }
}

#[tokio::test]
async fn every_constraint_has_a_name_of_its_own() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let named = migrations().iter().map(|name| read(&format!("migrations/{name}/up.sql"))).collect::<String>();
    let named: Vec<&str> =
        named.split("CONSTRAINT ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    let all = "SELECT conname::text AS line FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid \
        WHERE c.connamespace = current_schema()::regnamespace AND c.contype <> 'n' AND t.relname !~ '^__' ORDER BY 1";
    let unnamed: Vec<String> =
        lines(&mut conn, all).await.into_iter().filter(|n| !named.contains(&n.as_str())).collect();
    assert!(unnamed.is_empty(), "no migration says CONSTRAINT with the name of {unnamed:?}");
    assert!(named.len() > 20, "constraints were found: {named:?}");
}

#[tokio::test]
async fn every_table_says_which_room_writes_it() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let said = lines(
        &mut conn,
        "SELECT c.relname || ' ' || coalesce(substring(obj_description(c.oid) FROM 'Written by ([a-z_]+/[a-z_]+)'), '') AS line \
         FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
         AND c.relname !~ '^__' ORDER BY 1",
    )
    .await;
    assert!(said.len() > 10, "{said:?}");
    for line in said {
        let (table, room) = line.split_once(' ').unwrap();
        let there = !room.is_empty() && Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room).is_dir();
        assert!(there, "the comment of {table} has to say `Written by storey/room`, not {room:?}");
    }
}

#[tokio::test]
async fn long_receipts_are_compressed_by_lz4_where_the_server_has_it() {
    let test = TestDb::new().await;
    let mut conn = owner(&test).await;
    let by = "SELECT CASE WHEN 'lz4' = ANY (s.enumvals) THEN coalesce(nullif(a.attcompression::text, ''), 'pglz') ELSE 'l' END \
         AS line FROM pg_settings AS s CROSS JOIN pg_attribute AS a WHERE s.name = 'default_toast_compression' \
         AND a.attrelid = 'postings'::regclass AND a.attname = 'document'";
    assert_eq!(lines(&mut conn, by).await, ["l"]);
}

/// The migrations, oldest first.
fn migrations() -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
