//! The private cluster.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process;

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::embedded::Cluster;
use perennial::platform::db::{DatabaseUrl, Db, PoolSize, Role};

use crate::harness::Home;

async fn run(url: &DatabaseUrl, statement: &str) {
    let db = Db::open(url, PoolSize(1), Role::Owner).await.unwrap();
    db.conn().await.unwrap().batch_execute(statement).await.unwrap();
}

#[tokio::test]
async fn data_survives_a_stop_and_a_start() {
    let home = Home::new();
    let cluster = Cluster::start(&home.place()).await.unwrap();
    run(cluster.url(), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)").await;
    assert!(cluster.stop().await.unwrap());
    assert!(!home.path().join("postgres/data/postmaster.pid").exists());
    let cluster = Cluster::start(&home.place()).await.unwrap();
    run(cluster.url(), "SELECT n FROM kept").await;
    assert!(cluster.stop().await.unwrap());
}

#[tokio::test]
async fn the_last_to_leave_turns_off_the_light() {
    let home = Home::new();
    let first = Cluster::start(&home.place()).await.unwrap();
    let second = Cluster::start(&home.place()).await.unwrap();
    assert!(!first.joined());
    assert!(second.joined());
    assert!(!first.stop().await.unwrap(), "the second still uses it");
    run(second.url(), "SELECT 1").await;
    assert!(second.stop().await.unwrap());
    assert!(!home.path().join("postgres/data/postmaster.pid").exists());
}

#[tokio::test]
async fn a_stale_pid_file_is_no_obstacle_even_if_its_number_lives() {
    let home = Home::new();
    assert!(Cluster::start(&home.place()).await.unwrap().stop().await.unwrap());
    let data = home.path().join("postgres/data");
    let stale = format!("{}\n{}\n0\n5432\n/nowhere\n\n  1 1\nready\n", process::id(), data.display());
    fs::write(data.join("postmaster.pid"), stale).unwrap();
    let cluster = Cluster::start(&home.place()).await.unwrap();
    run(cluster.url(), "SELECT 1").await;
    assert!(cluster.stop().await.unwrap());
}

#[tokio::test]
async fn only_its_owner_gets_in() {
    let home = Home::new();
    let cluster = Cluster::start(&home.place()).await.unwrap();
    for directory in [cluster.socket_directory(), &home.path().join("postgres"), &home.path().join("postgres/data")] {
        assert_eq!(fs::metadata(directory).unwrap().mode() & 0o077, 0, "{}", directory.display());
    }
    let conn = Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap();
    let show = "DO $$ BEGIN ASSERT current_setting('listen_addresses') = ''; ASSERT current_setting('fsync') = 'on';
                ASSERT current_setting('synchronous_commit') = 'on'; ASSERT current_setting('full_page_writes') = 'on'; END $$";
    conn.conn().await.unwrap().batch_execute(show).await.unwrap();
    assert!(cluster.stop().await.unwrap());
}
