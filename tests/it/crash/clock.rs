//! Postgres's clock moves: forward, back, and forward again. No time of the ledger goes back, and nothing ends twice.
//!
//! The clock that the engine reads is moved itself: a function of the same name is found before Postgres's own.

use diesel_async::SimpleAsyncConnection;
use perennial::loyalty::ledger::entry::EntryKind;
use perennial::loyalty::ledger::jobs::run_due;
use perennial::loyalty::ledger::writer::Pace;
use perennial::platform::db::{Db, PoolSize, Role};
use serde_json::json;

use crate::harness::{Client, Process, TestApp, facts};

/// Where the clock stands in each step, in days from now. What is earned on a day ends 365 to 396 days later.
const STEPS_DAYS: [i64; 14] = [0, 40, -30, 410, 0, 405, -400, 30, 820, 410, 5, 1_240, -5, 1_230];

/// A clock that can be set, for every connection that is opened from now on.
const CLOCK: &str = "
    CREATE SCHEMA clock;
    CREATE TABLE clock.ahead (by interval NOT NULL);
    INSERT INTO clock.ahead VALUES ('0');
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
        AS 'SELECT pg_catalog.clock_timestamp() + by FROM clock.ahead';
    GRANT USAGE ON SCHEMA clock TO perennial_app;
    GRANT SELECT ON clock.ahead TO perennial_app;
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = clock, pg_catalog, public', current_database());
    END $$";

/// Times that are earlier than one before them, wherever times stand in an order.
const BACKWARDS: &str = "(
    SELECT 1 FROM (SELECT moment, lag(moment) OVER (PARTITION BY lane ORDER BY number) AS before FROM journal) AS j
    WHERE moment < before
    UNION ALL SELECT 1 FROM (SELECT recorded_at, lag(recorded_at) OVER (PARTITION BY member_id ORDER BY seq) AS before
        FROM postings) AS p WHERE recorded_at < before
    UNION ALL SELECT 1 FROM (SELECT effective_at, lag(effective_at) OVER (PARTITION BY member_id ORDER BY seq) AS before
        FROM postings) AS p WHERE effective_at < before
    UNION ALL SELECT 1 FROM lanes AS l JOIN journal AS j ON j.lane = l.lane AND j.number = l.head
        WHERE l.moment <> j.moment) AS backwards";

/// Lots that ended more than once: nothing is given back here, so once is all there is.
const ENDED_TWICE: &str = "(
    SELECT 1 FROM lot_moves AS m JOIN entries AS e USING (lane, member_id, seq, entry)
    WHERE e.kind = $expire GROUP BY m.lane, m.member_id, m.lot HAVING count(*) > 1) AS twice";

async fn set(app: &TestApp, days: i64) {
    let set = format!("UPDATE clock.ahead SET by = '{days} days'");
    app.owner().await.conn().await.unwrap().batch_execute(&set).await.unwrap();
}

async fn settle(shop: &Client, member: &str, reference: &str) {
    let order = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "amount": "100.00" }] });
    let settled = shop.post("/v1/orders", &order).await;
    assert_eq!(settled.status, 201, "{settled:?}");
}

#[tokio::test]
async fn a_clock_that_jumps_moves_no_time_back_and_ends_nothing_twice() {
    let app = TestApp::new().await;
    app.owner().await.conn().await.unwrap().batch_execute(CLOCK).await.unwrap();
    let process = Process::start(&app.test, Pace::serving()).await;
    let jobs = Db::open(&app.test.url, PoolSize(2), Role::App).await.unwrap();
    let shop = process.client(app.shop().await.key());
    let mut members = Vec::new();
    for n in 0..4 {
        members.push(shop.enrol(&json!({ "external_id": format!("c-{n}") })).await);
    }
    let ended_twice = ENDED_TWICE.replace("$expire", &EntryKind::Expire.number().to_string());
    let mut furthest = i64::MIN;
    for (step, days) in STEPS_DAYS.into_iter().enumerate() {
        set(&app, days).await;
        // Some are served in this step, some only by the job, some by nobody.
        for member in members.iter().skip(step % 3).step_by(2) {
            settle(&shop, member, &format!("o-{step}-{member}")).await;
        }
        if step % 2 == 1 {
            run_due(&jobs, &process.ledger).await.unwrap();
        }
        furthest = furthest.max(days);
        let db = &app.test.db;
        assert_eq!(facts::count(db, BACKWARDS).await, 0, "step {step}, {days} days ahead");
        assert_eq!(facts::count(db, &ended_twice).await, 0, "step {step}, {days} days ahead");
        let latest = "SELECT round(extract(epoch FROM max(moment) - now()) / 86400)::text AS fact FROM lanes";
        assert_eq!(facts::one(db, latest).await, furthest.to_string(), "step {step}: the latest moment that there was");
    }
    // In the end, with the clock where it was furthest, everything of before is over, each lot once.
    set(&app, furthest).await;
    for member in &members {
        settle(&shop, member, &format!("last-{member}")).await;
    }
    set(&app, 0).await;
    for member in &members {
        let wallet = shop.wallet(member).await;
        let lifetime = &wallet["lifetime"];
        let [earned, spent, expired] = ["earned", "spent", "expired"].map(|name| lifetime[name].as_i64().unwrap());
        assert_eq!(earned - spent - expired, wallet["spendable"].as_i64().unwrap(), "{wallet}");
        assert!(expired > 0 && wallet["spendable"].as_i64().unwrap() > 0, "{wallet}");
    }
}
