//! The private database backed up and restored, by the commands.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use perennial::platform::db::embedded::{Cluster, Tools};
use perennial::platform::db::{Db, PoolSize, Role};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep as wait;

use crate::harness::{Client, Home, Serving, TestDb, facts, perennial, ran};

/// Callers at once.
const CALLERS: usize = 8;
/// Orders that are settled before a backup begins.
const ORDERS: usize = 60;

/// What was answered, by reference.
type Answered = Arc<Mutex<BTreeMap<String, String>>>;

fn order(reference: &str) -> Value {
    json!({ "reference": reference, "member": { "external_id": "c-17" }, "enrol": true, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "1.00" }] })
}

/// A programme in a home, and a key of it.
fn program_in(home: &Home) -> String {
    let (code, text) = ran(home.path(), &["program", "create", "acme", "--currency", "EUR", "--timezone", "UTC"]);
    assert_eq!(code, Some(0), "{text}");
    let keys =
        perennial(home.path()).args(["keys", "create", "--program", "acme", "--scopes", "all"]).output().unwrap();
    String::from_utf8(keys.stdout).unwrap().trim().to_owned()
}

/// A home whose programme has some orders, and its key.
async fn home_with_orders(count: usize) -> (Home, String) {
    let home = Home::new();
    let key = program_in(&home);
    let serving = Serving::start(perennial(home.path()));
    let client = Client::new(&serving.address, Some(&key));
    for n in 0..count {
        assert_eq!(client.post("/v1/orders", &order(&format!("o-{n}"))).await.status, 201);
    }
    end(serving);
    (home, key)
}

fn end(serving: Serving) {
    kill_process(serving.pid(), Signal::TERM).unwrap();
    assert!(serving.ended_well());
}

async fn settle(client: Client, caller: usize, answered: Answered, stop: Arc<AtomicBool>) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let reference = format!("{caller}-{n}");
        let reply = client.post("/v1/orders", &order(&reference)).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        answered.lock().unwrap().insert(reference, reply.text);
    }
}

/// What `verify` says of a home's ledger.
fn verified(home: &Home) -> Value {
    let output = perennial(home.path()).args(["verify", "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn manifest(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("manifest.json")).unwrap()).unwrap()
}

fn rewrite(directory: &Path, change: impl FnOnce(&mut Value)) {
    let mut document = manifest(directory);
    change(&mut document);
    fs::write(directory.join("manifest.json"), document.to_string()).unwrap();
}

/// Asserts that everything in a directory is for its owner alone.
fn closed_to_others(directory: &Path) {
    assert_eq!(fs::metadata(directory).unwrap().mode() & 0o777, 0o700, "{}", directory.display());
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            closed_to_others(&entry.path());
        } else {
            assert_eq!(entry.metadata().unwrap().mode() & 0o777, 0o600, "{}", entry.path().display());
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Asserts that a restore into a new home is refused, and leaves nothing there.
fn refused(directory: &Path, code: i32, why: &str) {
    let home = Home::new();
    let (found, said) = ran(home.path(), &["restore", text(directory)]);
    assert_eq!(found, Some(code), "{said}");
    assert!(said.contains(why), "{why} in {said}");
    for left in ["postgres/data", "restoring"] {
        assert!(!home.path().join(left).exists(), "{left} after {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_every_order_that_was_answered_before_it() {
    let (home, other, kept) = (Home::new(), Home::new(), Home::new());
    let key = program_in(&home);
    let serving = Serving::start(perennial(home.path()));
    let client = Client::new(&serving.address, Some(&key));
    let (answered, stop): (Answered, Arc<AtomicBool>) = Default::default();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        callers.spawn(settle(client.clone(), caller, Arc::clone(&answered), Arc::clone(&stop)));
    }
    while answered.lock().unwrap().len() < ORDERS {
        wait(Duration::from_millis(5)).await;
    }
    let before = answered.lock().unwrap().clone();
    let directory = kept.path().join("monday");
    fs::create_dir(&directory).unwrap();
    let (from, to) = (home.path().to_owned(), directory.clone());
    let (code, said) = spawn_blocking(move || ran(&from, &["backup", text(&to)])).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    callers.join_all().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("backed up by pg_dump of Postgres"), "{said}");
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 1, "nothing beside it");
    closed_to_others(&directory);
    let after = answered.lock().unwrap().clone();
    assert!(after.len() > before.len(), "the shop went on");
    end(serving);

    let (code, said) = ran(other.path(), &["restore", text(&directory)]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("every law holds") && said.contains("restored into"), "{said}");
    assert!(!said.contains("not enforced"), "{said}");
    let report = verified(&other);
    assert_eq!((&report["clean"], &report["heads"]), (&json!(true), &manifest(&directory)["facts"]["heads"]));
    assert!(!other.path().join("restoring").exists());
    let serving = Serving::start(perennial(other.path()));
    let client = Client::new(&serving.address, Some(&key));
    for (reference, receipt) in &after {
        let again = client.post("/v1/orders", &order(reference)).await;
        match before.contains_key(reference) {
            true => assert_eq!((again.status, &again.text), (200, receipt), "{reference}"),
            // It was under way when the backup began, or came after it.
            false => assert!(matches!(again.status, 200 | 201), "{again:?}"),
        }
    }
    end(serving);
    assert_eq!(verified(&other)["clean"], true);
    let (code, said) = ran(other.path(), &["restore", text(&directory)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("has a database already") && said.contains("mv "), "{said}");
}

#[tokio::test]
async fn without_pg_dump_the_files_are_copied_while_nobody_uses_them() {
    let (home, key) = home_with_orders(5).await;
    let (other, kept) = (Home::new(), Home::new());
    let directory = kept.path().join("files");
    let serving = Serving::start(perennial(home.path()));
    let (code, said) = ran(home.path(), &["backup", "--way", "files", text(&directory)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("in use") && said.contains("serve"), "{said}");
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 0);
    end(serving);

    let programs = server_alone(&home, kept.path());
    let mut command = perennial(home.path());
    let output = command.env("PG_BIN", &programs).args(["backup", text(&directory)]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("backed up by a copy of the files"), "{output:?}");
    closed_to_others(&directory);
    let mut command = perennial(other.path());
    let output = command.env("PG_BIN", &programs).args(["restore", text(&directory)]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let (before, after) = (verified(&home), verified(&other));
    assert_eq!(
        (&after["clean"], &after["heads"], &after["postings"]),
        (&json!(true), &before["heads"], &before["postings"])
    );
    assert_eq!(after["postings"], 5);
    let serving = Serving::start(perennial(other.path()));
    let again = Client::new(&serving.address, Some(&key)).post("/v1/orders", &order("o-4")).await;
    assert_eq!(again.status, 200, "{again:?}");
    end(serving);
    // Of a version that nobody has: the server finds out, and what was laid out for it goes again.
    let (version, described) = (directory.join("data/PG_VERSION"), fs::read(directory.join("manifest.json")).unwrap());
    let found = fs::read(&version).unwrap();
    fs::write(&version, "999\n").unwrap();
    rewrite(&directory, |document| {
        document["files"]["data/PG_VERSION"] = json!({ "bytes": 4, "sha256": hex::encode(Sha256::digest("999\n")) });
    });
    refused(&directory, 2, "the data on disk is of that version");
    fs::write(&version, found).unwrap();
    fs::write(directory.join("manifest.json"), described).unwrap();
    let wal = fs::read_dir(directory.join("data/pg_wal")).unwrap().map(Result::unwrap);
    let segment = wal.map(|entry| entry.path()).find(|path| path.is_file()).unwrap();
    fs::write(&segment, &fs::read(&segment).unwrap()[1..]).unwrap();
    refused(&directory, 1, "bytes, not");
}

/// A directory with the programs of a server and no others, as a container may have them.
fn server_alone(home: &Home, parent: &Path) -> PathBuf {
    let tools = Tools::of(&home.place()).unwrap();
    let programs = parent.join("bin");
    fs::create_dir(&programs).unwrap();
    for name in ["postgres", "initdb", "pg_ctl"] {
        let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", tools.program(name).unwrap().display());
        fs::write(programs.join(name), script).unwrap();
        fs::set_permissions(programs.join(name), Permissions::from_mode(0o755)).unwrap();
    }
    programs
}

#[tokio::test]
async fn a_backup_that_was_damaged_or_forged_is_not_restored() {
    let (home, _) = home_with_orders(9).await;
    let kept = Home::new();
    let directory = kept.path().join("whole");
    let (code, said) = ran(home.path(), &["backup", text(&directory)]);
    assert_eq!(code, Some(0), "{said}");
    let dump = directory.join("perennial.dump");
    let (whole, described) = (fs::read(&dump).unwrap(), fs::read(directory.join("manifest.json")).unwrap());

    fs::write(&dump, &whole[..whole.len() / 2]).unwrap();
    refused(&directory, 1, "bytes, not");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(&dump, &changed).unwrap();
    refused(&directory, 1, "perennial.dump was changed");
    fs::remove_file(&dump).unwrap();
    refused(&directory, 1, "perennial.dump is missing");
    fs::write(&dump, &whole).unwrap();
    fs::write(directory.join("more"), "").unwrap();
    refused(&directory, 1, "more should not be there");
    fs::remove_file(directory.join("more")).unwrap();

    // Who changes the manifest as well is found by the journals.
    rewrite(&directory, |document| {
        let heads = document["facts"]["heads"].as_array_mut().unwrap();
        let head = heads.iter_mut().find(|head| head["number"].as_i64().unwrap() > 0).unwrap();
        head["digest"] = json!("00".repeat(32));
    });
    refused(&directory, 1, "kept_heads");
    let forced = Home::new();
    let (code, said) = ran(forced.path(), &["restore", "--even-if-broken", text(&directory)]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("restored all the same") && verified(&forced)["clean"] == true, "{said}");

    for (member, value, why) in [
        ("/format", json!(2), "its format is 2"),
        ("/facts/migration", json!("29991231000001"), "use that version or a later one"),
        ("/postgres", json!(999), "the backup is of Postgres 999"),
        ("/way", json!("tape"), "is no whole backup"),
    ] {
        fs::write(directory.join("manifest.json"), &described).unwrap();
        rewrite(&directory, |document| *document.pointer_mut(member).unwrap() = value);
        refused(&directory, 2, why);
    }
    fs::write(directory.join("manifest.json"), &described[..described.len() / 2]).unwrap();
    refused(&directory, 2, "is no whole backup");
    fs::remove_file(directory.join("manifest.json")).unwrap();
    refused(&directory, 2, "is no whole backup");
}

#[tokio::test]
async fn a_backup_says_what_is_wrong_before_it_makes_anything() {
    let (home, kept, test) = (Home::new(), Home::new(), TestDb::new().await);
    let directory = kept.path().join("backup");
    for command in ["backup", "restore"] {
        let mut own = perennial(home.path());
        let output = own.env("DATABASE_URL", test.text()).args([command, text(&directory)]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("DATABASE_URL names a server of your own") && said.contains("pg_dump"), "{said}");
    }
    let (code, said) = ran(home.path(), &["backup", text(&directory)]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no database in"), "{said}");
    assert!(!home.path().join("postgres").exists(), "it only looked");
    program_in(&home);
    let refuses = |directory: &Path, why: &str| {
        let (code, said) = ran(home.path(), &["backup", text(directory)]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(why), "{why} in {said}");
    };
    fs::write(&directory, "").unwrap();
    refuses(&directory, "it is not a directory");
    refuses(&directory.join("deeper"), "cannot take a backup");
    refuses(kept.path(), "it is not empty");
    refuses(&home.path().join("postgres/data/backup"), "it lies in what is backed up");
    refuses(&kept.path().join("nowhere/backup"), "cannot take a backup");
    fs::remove_file(&directory).unwrap();
    fs::create_dir(kept.path().join("backup.part")).unwrap();
    refuses(&directory, "one was interrupted; remove it");
    assert!(kept.path().join("backup.part").exists() && !directory.exists());
}

#[tokio::test]
async fn what_is_interrupted_leaves_nothing_that_looks_whole() {
    let (home, _) = home_with_orders(3).await;
    let (kept, other) = (Home::new(), Home::new());
    let directory = kept.path().join("backup");
    let cluster = Cluster::start(&home.place()).await.unwrap();
    let db = Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap();
    let mut blocker = db.conn().await.unwrap();
    blocker.batch_execute("BEGIN; LOCK postings").await.unwrap();
    let mut child = perennial(home.path()).args(["backup", text(&directory)]).spawn().unwrap();
    let dumping = "SELECT count(*)::text AS fact FROM pg_stat_activity WHERE application_name = 'pg_dump'";
    while facts::one(&db_beside(&cluster).await, dumping).await != "1" {
        wait(Duration::from_millis(10)).await;
    }
    assert!(kept.path().join("backup.part").exists() && !directory.exists());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(fs::read_dir(kept.path()).unwrap().count(), 0);
    while facts::one(&db_beside(&cluster).await, dumping).await != "0" {
        wait(Duration::from_millis(10)).await;
    }
    blocker.batch_execute("ROLLBACK").await.unwrap();
    drop(blocker);
    db.close();
    assert!(cluster.stop().await.unwrap());

    assert_eq!(ran(home.path(), &["backup", text(&directory)]).0, Some(0));
    let mut child = perennial(other.path()).args(["restore", text(&directory)]).spawn().unwrap();
    while !other.path().join("restoring/postgres/data").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it was quicker");
        wait(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!other.path().join("postgres/data").exists());
    let (code, said) = ran(other.path(), &["restore", text(&directory)]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!other.path().join("restoring").exists());
    assert_eq!(verified(&other)["postings"], 3);
}

async fn db_beside(cluster: &Cluster) -> Db {
    Db::open(cluster.url(), PoolSize(1), Role::Owner).await.unwrap()
}
