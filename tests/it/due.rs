//! Jobs: what is due is written down, in chunks, once; and nothing waits for it.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use perennial::kernel::clock::Instant;
use perennial::kernel::id::{MemberId, Seq};
use perennial::kernel::points::Points;
use perennial::loyalty::ledger::account::Account;
use perennial::loyalty::ledger::jobs::run_due;
use perennial::loyalty::ledger::opening::OpenBalance;
use perennial::loyalty::ledger::posting::{AccountTime, PostingKind, Reference, RequestHash};
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::statement::balance::{balances, present};
use perennial::loyalty::statement::store::{find_account, list_postings};
use perennial::platform::entropy::uuid_v7;

use crate::harness::{Kiosk, LANES};

const MEMBERS: usize = 12;

fn instant(text: &str) -> Instant {
    text.parse::<DateTime<Utc>>().unwrap()
}

/// Somebody of the past, with points that have been over for long, and nobody who has looked since.
async fn forgotten(kiosk: &Kiosk, name: &str) -> MemberId {
    let member = MemberId(uuid_v7());
    let time = AccountTime::Imported(instant("2023-03-01T10:00:00Z"));
    let (program, profile) = (kiosk.scope.program(), Profile::default());
    let reference = Reference::keyed("enrol", name);
    let hash = RequestHash::of(&name);
    let enrol = Enrol { program, reference, hash, member, profile, enrolled_on: None, welcomes: true, time };
    kiosk.ledger.post(&kiosk.scope, enrol).await.unwrap();
    let brought = OpenBalance {
        reference: Reference::keyed("balance", name),
        hash,
        member,
        wallet: "points".to_owned(),
        points: Points::try_from(100).unwrap(),
        available_on: NaiveDate::from_ymd_opt(2023, 3, 10),
        expires_on: NaiveDate::from_ymd_opt(2023, 9, 30),
        time,
    };
    kiosk.ledger.post(&kiosk.scope, brought).await.unwrap();
    member
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

async fn count(kiosk: &Kiosk, what: &str) -> i64 {
    let mut conn = kiosk.test.db.conn().await.unwrap();
    let row: Count =
        diesel::sql_query(format!("SELECT count(*) AS n FROM {what}")).get_result(&mut conn).await.unwrap();
    row.n
}

async fn account(kiosk: &Kiosk, member: MemberId) -> (Instant, Account) {
    let conn = kiosk.test.db.conn().await.unwrap();
    let found = find_account(&conn, &kiosk.scope, member, LANES).await.unwrap().unwrap();
    (found.at, found.account)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_writes_down_what_balances_show_already_and_only_once() {
    let kiosk = Kiosk::new(1).await;
    let mut members = Vec::new();
    for n in 0..MEMBERS {
        members.push(forgotten(&kiosk, &format!("old-{n}")).await);
    }
    // Pain 14: a late job shows expired points as spendable.
    let (now, stored) = account(&kiosk, members[0]).await;
    assert_eq!(stored.lots.len(), 1, "nothing has run");
    let conn = kiosk.test.db.conn().await.unwrap();
    let timeline = kiosk.timelines.at_least(&conn, kiosk.scope.program(), 1).await.unwrap();
    let shown = balances(&present(stored, &timeline, now).unwrap(), timeline.at(now));
    assert_eq!(shown.iter().map(|b| b.figures.spendable.get()).sum::<i64>(), 0);
    assert!(shown.iter().all(|b| b.pending.is_empty() && b.expiring.is_empty()));

    assert_eq!(run_due(&kiosk.test.db, &kiosk.ledger).await.unwrap(), 12);
    let caught_up = "postings WHERE kind = 5";
    assert_eq!((count(&kiosk, caught_up).await, count(&kiosk, "due").await), (12, 0));
    for member in &members {
        let rows = list_postings(&conn, &kiosk.scope, (*member, Seq(i64::MAX)), 10, LANES).await.unwrap();
        let kinds: Vec<PostingKind> = rows.iter().map(|r| r.kind).collect();
        assert_eq!(kinds, [PostingKind::CatchUp, PostingKind::Opening, PostingKind::Enrol]);
        assert_eq!(rows[0].effective_at, instant("2023-10-01T00:00:00Z"), "gone with the end of its last day");
        assert!(account(&kiosk, *member).await.1.lots.is_empty());
    }
    assert_eq!(run_due(&kiosk.test.db, &kiosk.ledger).await.unwrap(), 0, "a second run finds nothing");
    assert_eq!(count(&kiosk, caught_up).await, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_run_the_jobs_at_once_do_the_work_once() {
    let kiosk = Kiosk::new(1).await;
    for n in 0..MEMBERS {
        forgotten(&kiosk, &format!("old-{n}")).await;
    }
    let (one, other) = tokio::join!(run_due(&kiosk.test.db, &kiosk.ledger), run_due(&kiosk.test.db, &kiosk.ledger));
    one.unwrap();
    other.unwrap();
    run_due(&kiosk.test.db, &kiosk.ledger).await.unwrap();
    assert_eq!((count(&kiosk, "postings WHERE kind = 5").await, count(&kiosk, "due").await), (12, 0));
}
