//! A follower of the journal, as rollups will be one: lane by lane, row by row, its position in the transaction that
//! writes what it derives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use perennial::kernel::id::Lane;
use perennial::loyalty::ledger::reads::Begin;
use perennial::loyalty::ledger::store::{insert_follower, lock_follower, move_follower};
use perennial::loyalty::ledger::writes::Commit;
use perennial::platform::db::{Db, Fault, PoolSize, Role, fault_of};
use tokio::task::JoinHandle;
use tokio::time::sleep as wait;

use crate::harness::LANES;

/// Its name among the followers.
const NAME: &str = "crash";
/// The most journal rows of one transaction: few, so that there are many transactions to be cut.
const CHUNK: i64 = 5;
/// How long it rests when it has read everything, or nobody answers, in milliseconds.
const REST_MS: u64 = 10;
/// How long it may take to the end of the journal, in seconds.
const CAUGHT_UP_S: u64 = 60;

/// What it keeps: every posting that it met, and sums that a row read twice, or not at all, would falsify.
const KEEPS: &str = "
    CREATE TABLE met (lane smallint, member_id uuid, seq bigint, number bigint, PRIMARY KEY (lane, member_id, seq));
    CREATE TABLE sums (lane smallint, member_id uuid, postings bigint, points numeric, paid numeric, orders bigint,
        PRIMARY KEY (lane, member_id))";

/// What postings sum to, of those that `of` names.
const SUMS: &str = "SELECT p.lane, p.member_id, count(*) AS postings, \
    sum((SELECT coalesce(sum(p.entries[n]), 0) FROM generate_series(3, cardinality(p.entries), 6) AS n)) AS points, \
    sum(coalesce(p.paid, 0)) AS paid, sum(p.orders) AS orders FROM postings AS p";

#[derive(QueryableByName)]
struct RowRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    postings: i64,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A running follower.
pub struct Follower {
    db: Db,
    task: JoinHandle<()>,
    /// How often a transaction of its own was cut.
    cut: Arc<AtomicU64>,
}

impl Follower {
    /// Starts it at the beginning of the journal.
    pub async fn start(text: &str) -> Self {
        let db = Db::open(&text.parse().unwrap(), PoolSize(2), Role::Owner).await.unwrap();
        let mut conn = db.dedicated().await.unwrap();
        conn.batch_execute(KEEPS).await.unwrap();
        for lane in 0..LANES.0 {
            insert_follower(&conn, NAME, Lane(lane)).await.unwrap();
        }
        let cut = Arc::new(AtomicU64::new(0));
        let task = tokio::spawn(follow(db.clone(), Arc::clone(&cut)));
        Self { db, task, cut }
    }

    /// How often a transaction of its own was cut so far.
    pub fn cut(&self) -> u64 {
        AtomicU64::load(&self.cut, Ordering::Relaxed)
    }

    /// Waits until it has read everything, and compares what it keeps with the postings.
    pub async fn assert_sound(&self) {
        let begun = Instant::now();
        while !self.compare().await {
            assert!(!self.task.is_finished(), "the follower has given up");
            assert!(begun.elapsed() < Duration::from_secs(CAUGHT_UP_S), "the follower does not catch up");
            wait(Duration::from_millis(REST_MS)).await;
        }
    }

    /// False while it is behind. All in one snapshot: what happens to members by itself does not wait.
    async fn compare(&self) -> bool {
        let behind = format!(
            "lanes AS l LEFT JOIN followers AS f ON f.lane = l.lane AND f.follower = '{NAME}' \
             WHERE f.number IS DISTINCT FROM l.head"
        );
        let mut conn = self.db.dedicated().await.unwrap();
        conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
        if count(&mut conn, &behind).await > 0 {
            return false;
        }
        let met = "SELECT lane, member_id, seq FROM met";
        let postings = "SELECT lane, member_id, seq FROM postings";
        let named = "SELECT j.lane, n.member_id, n.seq, j.number FROM journal AS j \
            CROSS JOIN LATERAL unnest(j.members, j.seqs) AS n (member_id, seq)";
        let met_where = "SELECT lane, member_id, seq, number FROM met";
        let sums = "SELECT lane, member_id, postings, points, paid, orders FROM sums";
        let recomputed = format!("{SUMS} GROUP BY p.lane, p.member_id");
        for (one, other) in [(met, postings), (met_where, named), (sums, recomputed.as_str())] {
            let apart = format!("(({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})) AS apart");
            assert_eq!(count(&mut conn, &apart).await, 0, "{one} is not {other}");
        }
        true
    }
}

async fn count(conn: &mut AsyncPgConnection, what: &str) -> i64 {
    let row: CountRow = sql_query(format!("SELECT count(*) FROM {what}")).get_result(conn).await.unwrap();
    row.count
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows for ever. Whoever cuts its connection finds it back where its stored position says.
async fn follow(db: Db, cut: Arc<AtomicU64>) {
    let mut conn: Option<AsyncPgConnection> = None;
    loop {
        let Some(open) = conn.take() else {
            conn = db.dedicated().await.ok();
            wait(Duration::from_millis(REST_MS)).await;
            continue;
        };
        match round(&open).await {
            Ok(0) => wait(Duration::from_millis(REST_MS)).await,
            Ok(_) => {}
            Err(error) => {
                assert!(!matches!(fault_of(&error), Fault::Unique(_)), "a row was read twice: {error}");
                cut.fetch_add(1, Ordering::Relaxed);
                continue;
            }
        }
        conn = Some(open);
    }
}

/// One chunk of each lane; how many rows that was.
async fn round(conn: &AsyncPgConnection) -> QueryResult<i64> {
    let mut rows = 0;
    for lane in 0..LANES.0 {
        Begin {}.execute(&mut &*conn).await?;
        rows += chunk(conn, lane).await?;
        Commit {}.execute(&mut &*conn).await?;
    }
    Ok(rows)
}

async fn chunk(conn: &AsyncPgConnection, lane: i16) -> QueryResult<i64> {
    let Some(position) = lock_follower(conn, NAME, Lane(lane)).await? else { return Ok(0) };
    let journal = format!("journal WHERE lane = {lane} AND number > {position} ORDER BY number LIMIT {CHUNK}");
    let next = format!("SELECT number, cardinality(members)::bigint AS postings FROM {journal}");
    let rows: Vec<RowRow> = sql_query(next).load(&mut &*conn).await?;
    let Some(last) = rows.last().map(|row| row.number) else { return Ok(0) };
    let numbers: Vec<i64> = rows.iter().map(|row| row.number).collect();
    let expected: Vec<i64> = (position + 1..).take(rows.len()).collect();
    assert_eq!(numbers, expected, "a gap in the journal of lane {lane} after {position}");
    let meet = format!(
        "INSERT INTO met SELECT j.lane, n.member_id, n.seq, j.number FROM journal AS j \
         CROSS JOIN LATERAL unnest(j.members, j.seqs) AS n (member_id, seq) \
         JOIN postings AS p ON p.lane = j.lane AND p.member_id = n.member_id AND p.seq = n.seq \
         WHERE j.lane = {lane} AND j.number > {position} AND j.number <= {last}"
    );
    let met = sql_query(meet).execute(&mut &*conn).await?;
    let named: i64 = rows.iter().map(|row| row.postings).sum();
    assert_eq!(i64::try_from(met).unwrap(), named, "the journal of lane {lane} names postings that are not there");
    let sum = format!(
        "INSERT INTO sums AS s {SUMS} JOIN met USING (lane, member_id, seq) \
         WHERE met.lane = {lane} AND met.number > {position} AND met.number <= {last} GROUP BY p.lane, p.member_id \
         ON CONFLICT (lane, member_id) DO UPDATE SET postings = s.postings + excluded.postings, \
         points = s.points + excluded.points, paid = s.paid + excluded.paid, orders = s.orders + excluded.orders"
    );
    sql_query(sum).execute(&mut &*conn).await?;
    move_follower(conn, NAME, Lane(lane), last).await?;
    Ok(i64::try_from(rows.len()).unwrap())
}
