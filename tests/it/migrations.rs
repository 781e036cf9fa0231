//! The schema and the roles, from outside.

use diesel::result::Error as QueryError;
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use perennial::kernel::id::LaneCount;
use perennial::platform::db::{Db, DbError, Fault, PoolSize, Role, fault_of, migrate, pending};

use crate::harness::TestDb;

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    let bare = TestDb::bare().await;
    let first = migrate(&bare.url, LaneCount(4)).await.unwrap();
    assert!(first.iter().any(|name| name.contains("role")), "{first:?}");
    assert_eq!(migrate(&bare.url, LaneCount(8)).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn of_four_processes_that_migrate_at_once_one_does_the_work() {
    let bare = TestDb::bare().await;
    let runs = join_all((0..4).map(|_| migrate(&bare.url, LaneCount(4)))).await;
    let worked = runs.into_iter().map(Result::unwrap).filter(|names| !names.is_empty()).count();
    assert_eq!(worked, 1);
}

#[tokio::test]
async fn an_unmigrated_database_says_what_it_lacks_and_stays_empty() {
    let bare = TestDb::bare().await;
    let db = Db::open(&bare.url, PoolSize(1), Role::Owner).await.unwrap();
    let missing = pending(&db).await.unwrap();
    assert!(missing.first().is_some_and(|name| name.contains("role")), "{missing:?}");
    assert_eq!(missing, pending(&db).await.unwrap());
    assert_eq!(missing, migrate(&bare.url, LaneCount(4)).await.unwrap());
    assert_eq!(pending(&db).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_application_can_read_what_is_migrated_and_cannot_make_tables() {
    let test = TestDb::new().await;
    assert!(test.db.role_enforced());
    assert_eq!(pending(&test.db).await.unwrap(), Vec::<String>::new());
    let mut conn = test.db.conn().await.unwrap();
    let refused = conn.batch_execute("CREATE TABLE mine (id int)").await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
    let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
    owner.conn().await.unwrap().batch_execute("CREATE TABLE theirs (id int)").await.unwrap();
    let mut own = test.db.dedicated().await.unwrap();
    let refused = own.batch_execute("CREATE TABLE mine (id int)").await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}

#[tokio::test]
async fn a_user_who_may_not_take_the_role_is_known() {
    let test = TestDb::new().await;
    let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
    assert!(!owner.role_enforced());
    let make = "DO $$ BEGIN CREATE ROLE clerk LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
    owner.conn().await.unwrap().batch_execute(make).await.unwrap();
    let clerk = test.text().replace("user=perennial", "user=clerk").parse().unwrap();
    let app = Db::open(&clerk, PoolSize(1), Role::App).await.unwrap();
    assert!(!app.role_enforced());
    app.conn().await.unwrap().batch_execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn faults_are_told_apart() {
    let bare = TestDb::bare().await;
    let db = Db::open(&bare.url, PoolSize(4), Role::Owner).await.unwrap();
    let mut one = db.conn().await.unwrap();
    let table = "CREATE TABLE t (id int CONSTRAINT t_pkey PRIMARY KEY, n int CONSTRAINT n_positive CHECK (n > 0))";
    one.batch_execute(table).await.unwrap();
    one.batch_execute("INSERT INTO t VALUES (1, 1), (2, 1)").await.unwrap();
    let refuse = |error: QueryError| format!("{:?}", fault_of(&error));
    let error = one.batch_execute("INSERT INTO t VALUES (1, 1)").await.unwrap_err();
    assert_eq!(refuse(error), r#"Unique("t_pkey")"#);
    let error = one.batch_execute("INSERT INTO t VALUES (3, 0)").await.unwrap_err();
    assert_eq!(refuse(error), r#"Check("n_positive")"#);
    let error = one.batch_execute("SELECT 99999999999::int").await.unwrap_err();
    assert_eq!(refuse(error), "OutOfRange");
    let error = one.batch_execute("SET transaction_read_only = on; DELETE FROM t").await.unwrap_err();
    assert_eq!(refuse(error), "ReadOnly");

    let (mut two, mut three) = (db.conn().await.unwrap(), db.conn().await.unwrap());
    two.batch_execute("BEGIN; SELECT FROM t WHERE id = 1 FOR UPDATE").await.unwrap();
    three.batch_execute("SET lock_timeout = '10ms'; BEGIN; SELECT FROM t WHERE id = 2 FOR UPDATE").await.unwrap();
    let error = three.batch_execute("SELECT FROM t WHERE id = 1 FOR UPDATE").await.unwrap_err();
    assert_eq!(refuse(error), "LockTimeout");
    let error = three.batch_execute("ROLLBACK; SELECT pg_terminate_backend(pg_backend_pid())").await.unwrap_err();
    assert_eq!(refuse(error), "ConnectionLost");
}

#[tokio::test]
async fn nobody_at_home_says_why() {
    let url = "postgres://ana:s3cret@127.0.0.1:1/shop".parse().unwrap();
    let Err(error) = Db::open(&url, PoolSize(1), Role::App).await else { panic!("somebody answered") };
    assert_eq!(error.fault(), Fault::ConnectionLost);
    let text = DbError::chain(&error);
    assert!(text.contains("refused"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}
