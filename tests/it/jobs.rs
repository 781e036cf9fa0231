//! Long work: taken by one process, looked at while it runs, cancelled, taken over from who died.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use perennial::platform::db::Db;
use perennial::platform::db::{DbError, PoolSize, Role};
use perennial::platform::jobs::{
    JOB_KEPT_D, JOBS_OPEN_MAX, JobId, JobStatus, NewJob, Task, Work, WorkError, find_job, queue_job, run_next,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{TestApp, facts};

/// Does what its request says: `count`, `refuse`, `break` once, or `hang`.
struct Clerk {
    begun: Arc<AtomicU32>,
}

impl Work for Clerk {
    fn kind(&self) -> &'static str {
        "clerk"
    }

    fn run(&self, task: Task) -> BoxFuture<'_, Result<String, WorkError>> {
        async move {
            let before = self.begun.fetch_add(1, Ordering::SeqCst);
            task.expect(7);
            task.advance(3);
            match task.request.as_str() {
                "\"count\"" => {
                    Ok(json!({ "program": task.scope.program(), "by": task.scope.principal().to_string() }).to_string())
                }
                "\"refuse\"" => Err(WorkError::Refused("too_odd", "seven is odd".to_owned())),
                "\"break\"" if before == 0 => Err(WorkError::Db(DbError::Busy)),
                "\"break\"" => Ok("{}".to_owned()),
                _ => loop {
                    sleep(Duration::from_secs(60)).await;
                },
            }
        }
        .boxed()
    }
}

/// An application with somebody who does its jobs when told.
struct Desk {
    app: TestApp,
    works: Arc<Vec<Box<dyn Work>>>,
    begun: Arc<AtomicU32>,
}

impl Desk {
    async fn new() -> Self {
        let begun = Arc::new(AtomicU32::new(0));
        let clerk: Box<dyn Work> = Box::new(Clerk { begun: Arc::clone(&begun) });
        Self { app: TestApp::new().await, works: Arc::new(vec![clerk]), begun }
    }

    async fn queue(&self, what: &str) -> JobId {
        self.try_queue(what).await.unwrap()
    }

    async fn try_queue(&self, what: &str) -> Option<JobId> {
        let new = NewJob { kind: "clerk", request: json!(what).to_string() };
        queue_job(&self.app.test.db.conn().await.unwrap(), &self.app.program, new).await.unwrap()
    }

    async fn run(&self) -> Result<bool, DbError> {
        run_next(&self.app.test.db, &self.works).await
    }

    async fn status(&self, job: JobId) -> JobStatus {
        find_job(&self.app.test.db.conn().await.unwrap(), &self.app.program, job).await.unwrap().unwrap().status
    }

    async fn owner(&self, statement: &str) {
        facts::one(&self.app.owner().await, statement).await;
    }
}

#[tokio::test]
async fn a_job_is_done_once_and_shows_its_result() {
    let desk = Desk::new().await;
    let shop = desk.app.shop().await;
    let job = desk.queue("count").await;
    let place = format!("/v1/jobs/{job}");
    let waiting = shop.get(&place).await;
    assert_eq!((waiting.status, &waiting.json["status"], &waiting.json["done"]), (200, &json!("waiting"), &json!(0)));
    assert!(desk.run().await.unwrap());
    assert!(!desk.run().await.unwrap(), "nothing is left");
    let done = shop.get(&place).await;
    assert_eq!(done.json["status"], json!("done"));
    assert_eq!((&done.json["done"], &done.json["total"]), (&json!(3), &json!(7)));
    assert_eq!(done.json["result"], json!({ "program": desk.app.program.program(), "by": "job:clerk" }));
    assert_eq!(done.json["created_by"], json!(desk.app.program.principal().to_string()));
    assert!(done.json["problem"].is_null() && done.json["ended_at"].is_string(), "{}", done.text);
    let late = shop.delete(&place).await;
    assert_eq!((late.status, &late.json["status"]), (200, &json!("done")), "what is done is not cancelled");
}

#[tokio::test]
async fn a_job_that_cannot_be_done_says_why_and_a_database_that_fails_gives_it_back() {
    let desk = Desk::new().await;
    let refused = desk.queue("refuse").await;
    assert!(desk.run().await.unwrap());
    let said = desk.app.shop().await.get(&format!("/v1/jobs/{refused}")).await;
    assert_eq!(said.json["status"], json!("failed"));
    assert_eq!(said.json["problem"], json!({ "code": "too_odd", "detail": "seven is odd" }));
    assert_eq!(said.json["result"], Value::Null);

    desk.begun.store(0, Ordering::SeqCst);
    let broken = desk.queue("break").await;
    assert!(desk.run().await.is_err());
    assert_eq!(desk.status(broken).await, JobStatus::Waiting);
    assert!(desk.run().await.unwrap());
    assert_eq!(desk.status(broken).await, JobStatus::Done);
}

#[tokio::test]
async fn a_cancelled_job_is_let_go_of() {
    let desk = Desk::new().await;
    let shop = desk.app.shop().await;
    let job = desk.queue("hang").await;
    let (db, works) = (desk.app.test.db.clone(), Arc::clone(&desk.works));
    let running = tokio::spawn(async move { run_next(&db, &works).await });
    while desk.begun.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(desk.status(job).await, JobStatus::Running);
    let cancelled = shop.delete(&format!("/v1/jobs/{job}")).await;
    assert_eq!((cancelled.status, &cancelled.json["status"]), (200, &json!("cancelled")));
    assert!(running.await.unwrap().unwrap(), "whoever worked on it goes on to the next");
    assert_eq!(desk.status(job).await, JobStatus::Cancelled);
    let waiting = desk.queue("count").await;
    assert_eq!(shop.delete(&format!("/v1/jobs/{waiting}")).await.json["status"], json!("cancelled"));
    assert!(!desk.run().await.unwrap(), "nobody begins what was cancelled");
}

#[tokio::test]
async fn what_a_process_left_behind_is_taken_by_another_and_not_for_ever() {
    let desk = Desk::new().await;
    let job = desk.queue("hang").await;
    for taken in 1..=5 {
        let (db, works) = (desk.app.test.db.clone(), Arc::clone(&desk.works));
        let running = tokio::spawn(async move { run_next(&db, &works).await });
        while desk.begun.load(Ordering::SeqCst) < taken {
            sleep(Duration::from_millis(10)).await;
        }
        assert!(!desk.run().await.unwrap(), "somebody lives who does it");
        // The process dies, and is silent for long.
        running.abort();
        drop(running.await);
        desk.owner("WITH gone AS (UPDATE jobs SET beat_at = beat_at - interval '31 seconds' RETURNING 1) SELECT count(*)::text AS fact FROM gone")
            .await;
    }
    assert!(desk.run().await.unwrap());
    let failed = desk.app.shop().await.get(&format!("/v1/jobs/{job}")).await;
    assert_eq!(failed.json["status"], json!("failed"));
    assert_eq!(failed.json["problem"]["code"], json!("job_interrupted"));
    assert_eq!(desk.begun.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn two_processes_do_each_job_once() {
    let desk = Desk::new().await;
    let jobs = [desk.queue("count").await, desk.queue("count").await, desk.queue("count").await];
    let other = Db::open(&desk.app.test.url, PoolSize(4), Role::App).await.unwrap();
    let work = async |db: &Db| while run_next(db, &desk.works).await.unwrap() {};
    tokio::join!(work(&desk.app.test.db), work(&other));
    for job in jobs {
        assert_eq!(desk.status(job).await, JobStatus::Done);
    }
    assert_eq!(desk.begun.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_programme_has_so_many_jobs_at_a_time_and_old_ones_are_forgotten() {
    let desk = Desk::new().await;
    let mut jobs = Vec::new();
    for _ in 0..JOBS_OPEN_MAX {
        jobs.push(desk.queue("count").await);
    }
    assert_eq!(desk.try_queue("count").await, None);
    assert!(desk.run().await.unwrap());
    assert_eq!(desk.status(jobs[0]).await, JobStatus::Done, "the oldest comes first");
    assert!(desk.try_queue("count").await.is_some(), "one that has ended makes room");
    desk.owner(&format!(
        "WITH old AS (UPDATE jobs SET ended_at = ended_at - interval '{} days' WHERE ended_at IS NOT NULL RETURNING 1) \
         SELECT count(*)::text AS fact FROM old",
        JOB_KEPT_D + 1
    ))
    .await;
    assert!(desk.run().await.unwrap());
    assert_eq!(desk.app.shop().await.get(&format!("/v1/jobs/{}", jobs[0])).await.status, 404);
    assert_eq!(facts::count(&desk.app.test.db, "jobs").await, JOBS_OPEN_MAX);
}
