//! The program from outside: commands, exit codes, signals.

use std::fs;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::embedded::Cluster;
use perennial::platform::db::{Db, PoolSize, Role, pending};
use reqwest::StatusCode;
use rustix::process::{Signal, kill_process};
use tokio::net::TcpStream;
use tokio::time::sleep as wait;

use crate::harness::{Home, Serving, TestDb, perennial, said};

#[tokio::test]
async fn serving_from_nothing_is_ready_and_stops_with_its_database() {
    let home = Home::new();
    let serving = Serving::start(perennial(home.path()));
    for path in ["/livez", "/readyz"] {
        let answer = reqwest::get(format!("{}{path}", serving.address)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    kill_process(serving.pid(), Signal::TERM).unwrap();
    assert!(serving.ended_well());
    assert!(!home.path().join("postgres/data/postmaster.pid").exists(), "the database stopped, too");
}

#[tokio::test]
async fn a_command_works_beside_serve_on_the_same_private_database() {
    let home = Home::new();
    let serving = Serving::start(perennial(home.path()));
    let output = perennial(home.path()).arg("migrate").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("up to date already"), "{}", said(&output));
    let answer = reqwest::get(format!("{}/readyz", serving.address)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    kill_process(serving.pid(), Signal::INT).unwrap();
    assert!(serving.ended_well());
}

#[tokio::test]
async fn when_serve_is_killed_its_database_goes_and_the_next_start_finds_everything() {
    let home = Home::new();
    let serving = Serving::start(perennial(home.path()));
    kill_process(serving.pid(), Signal::KILL).unwrap();
    assert!(!serving.ended_well());
    let cluster = Cluster::start(&home.place()).await.unwrap();
    assert!(!cluster.joined());
    let db = Db::open(cluster.url(), PoolSize(1), Role::App).await.unwrap();
    assert_eq!(pending(&db).await.unwrap(), Vec::<String>::new());
    db.close();
    drop(cluster);
    let left = home.path().join("postgres/data/postmaster.pid");
    for _ in 0..1_000 {
        if !left.exists() {
            return;
        }
        wait(Duration::from_millis(10)).await;
    }
    panic!("nobody uses the server, and it runs");
}

#[tokio::test]
async fn a_request_that_was_accepted_is_answered_and_idle_connections_hold_nothing_up() {
    let home = Home::new();
    let test = TestDb::new().await;
    let mut command = perennial(home.path());
    command.env("DATABASE_URL", test.text());
    let serving = Serving::start(command);
    let host = serving.address.trim_start_matches("http://");
    let _idle = TcpStream::connect(host).await.unwrap();
    let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
    let mut blocker = owner.conn().await.unwrap();
    // Whoever opens a connection, or looks a function up for the first time, now waits.
    blocker.batch_execute("BEGIN; LOCK pg_proc IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let request = tokio::spawn(reqwest::get(format!("{}/readyz", serving.address)));
    wait(Duration::from_millis(200)).await;
    kill_process(serving.pid(), Signal::TERM).unwrap();
    wait(Duration::from_millis(200)).await;
    assert!(!request.is_finished(), "the database is blocked");
    blocker.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(request.await.unwrap().unwrap().status(), StatusCode::OK);
    assert!(serving.ended_well());
}

#[tokio::test]
async fn serve_refuses_a_database_that_nobody_migrated() {
    let home = Home::new();
    let bare = TestDb::bare().await;
    let output = perennial(home.path()).env("DATABASE_URL", bare.text()).arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("run `perennial migrate`"), "{}", said(&output));
    let output = perennial(home.path()).env("DATABASE_URL", bare.text()).arg("migrate").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(!home.path().join("postgres").exists(), "no private database was made");
}

#[tokio::test]
async fn a_database_that_a_newer_program_migrated_is_refused() {
    let home = Home::new();
    let test = TestDb::new().await;
    let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000099')";
    owner.conn().await.unwrap().batch_execute(newer).await.unwrap();
    for command in ["serve", "migrate", "verify"] {
        let output = perennial(home.path()).env("DATABASE_URL", test.text()).arg(command).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {}", said(&output));
        assert!(said(&output).contains("does not know (29991231000099)"), "{command}: {}", said(&output));
    }
}

#[test]
fn wrong_settings_are_told_together_with_exit_code_2() {
    let home = Home::new();
    let mut command = perennial(home.path());
    let output =
        command.env("PERENNIAL_LANES", "none").env("PERENNIAL_LOG_FORMAT", "xml").arg("migrate").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("PERENNIAL_LANES") && text.contains("PERENNIAL_LOG_FORMAT"), "{text}");
    let output = perennial(home.path()).arg("conquer").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn without_server_programs_it_says_what_to_install() {
    let home = Home::new();
    let output = perennial(home.path()).env("PG_BIN", "/nonexistent").arg("migrate").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("install"), "{}", said(&output));
    assert!(
        fs::read_dir(home.path().join("postgres"))
            .is_ok_and(|mut files| !files.any(|f| f.unwrap().path().ends_with("data")))
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_mistake_of_configuration() {
    let home = Home::new();
    let test = TestDb::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = perennial(home.path());
    command.env("DATABASE_URL", test.text()).env("PERENNIAL_LISTEN", taken.local_addr().unwrap().to_string());
    let output = command.arg("serve").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
