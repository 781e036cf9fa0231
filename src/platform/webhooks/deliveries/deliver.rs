//! The telling: signed, bounded, tried again for a day. Each webhook has its own queue, so that one that is slow or away
//! delays nobody else.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use metrics::counter;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, redirect};
use tokio::time::Instant as Started;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::platform::db::{Db, DbError};
use crate::platform::webhooks::address::{Reach, Resolver};
use crate::platform::webhooks::deliveries::store::{Became, forget_deliveries, save_deliveries, take_deliveries};
use crate::platform::webhooks::deliveries::{Delivery, DeliveryStatus};
use crate::platform::webhooks::hook::Hook;
use crate::platform::webhooks::store::list_due_hooks;
use crate::platform::webhooks::url::HookUrl;

/// How long a receiver may take, in seconds.
pub const ANSWER_S: u64 = 10;
/// How many deliveries are taken at a time.
const TAKEN_MAX: i64 = 50;
/// How many of them are under way to one receiver.
const UNDER_WAY_MAX: usize = 10;
/// For how long they are taken, in seconds: more than all of them can last. Whoever took them and died has told nobody, or
/// somebody who hears it again.
const TAKEN_S: i32 = 120;
/// How long after a try the next one comes, in seconds; the last of them is a day after the first try.
pub const WAITS_S: [i32; 11] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 26_000];
/// For how many days deliveries are kept.
pub const DELIVERIES_KEPT_D: i32 = 30;
/// The most characters that are kept of what went wrong.
const TROUBLE_CHARS_MAX: usize = 200;

/// Tells who wants to be told. One a process.
#[derive(Clone)]
pub struct Deliverer {
    db: Db,
    client: Client,
    reach: Reach,
    /// The webhooks that are being told something.
    busy: Arc<Mutex<HashSet<Uuid>>>,
}

impl Deliverer {
    /// One that reaches so far.
    ///
    /// # Errors
    /// When the machine has no certificates to trust.
    pub fn new(db: Db, reach: Reach) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(Duration::from_secs(ANSWER_S))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(reach)))
            .build()?;
        Ok(Self { db, client, reach, busy: Arc::default() })
    }

    /// Begins to tell whoever has something waiting and is not being told already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dispatch(&self) -> Result<(), DbError> {
        let due = list_due_hooks(&*self.db.conn().await?).await?;
        for hook in due {
            let Some(busy) = Busy::begin(&self.busy, hook.id) else { continue };
            let this = self.clone();
            tokio::spawn(async move {
                if let Err(error) = this.tell_all(&hook).await {
                    tracing::warn!(webhook.id = %hook.id, error = error.chain(), "deliveries wait for the database");
                }
                drop(busy);
            });
        }
        Ok(())
    }

    /// Forgets what is long over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self) -> Result<(), DbError> {
        forget_deliveries(&*self.db.conn().await?, DELIVERIES_KEPT_D).await.map_err(Into::into)
    }

    /// Tells one receiver what waits for it, until nothing does, or nothing of it is taken.
    async fn tell_all(&self, hook: &Hook) -> Result<(), DbError> {
        loop {
            // Nobody holds a connection while a receiver takes its time.
            let taken = take_deliveries(&*self.db.conn().await?, hook.id, TAKEN_S, TAKEN_MAX).await?;
            if taken.is_empty() {
                return Ok(());
            }
            let since = Started::now();
            let told: Vec<_> =
                taken.iter().map(|delivery| self.tell(hook, delivery, sent_at(delivery, since))).collect();
            let became: Vec<Became> = stream::iter(told).buffer_unordered(UNDER_WAY_MAX).collect().await;
            save_deliveries(&*self.db.conn().await?, hook.id, &became).await?;
            for became in &became {
                counter!("perennial_webhook_tries_total", "status" => became.status.name()).increment(1);
            }
            if became.iter().all(|became| became.status != DeliveryStatus::Delivered) {
                return Ok(());
            }
        }
    }

    async fn tell(&self, hook: &Hook, delivery: &Delivery, now: Instant) -> Became {
        let answered = self.send(hook, delivery, now).await;
        let (name, tries) = (delivery.name, usize::try_from(delivery.tries).unwrap_or(usize::MAX));
        let (answered, trouble) = match answered {
            Ok(status) if (200..300).contains(&status) => {
                let answered = i16::try_from(status).ok();
                return Became { name, status: DeliveryStatus::Delivered, wait_s: 0, answered, trouble: None };
            }
            Ok(status) => (i16::try_from(status).ok(), format!("it answered {status}")),
            Err(trouble) => (None, trouble),
        };
        let trouble = Some(trouble.chars().take(TROUBLE_CHARS_MAX).collect());
        match WAITS_S.get(tries.saturating_sub(1)) {
            Some(wait_s) => Became { name, status: DeliveryStatus::Waiting, wait_s: *wait_s, answered, trouble },
            None => Became { name, status: DeliveryStatus::GivenUp, wait_s: 0, answered, trouble },
        }
    }

    /// The status of the answer.
    async fn send(&self, hook: &Hook, delivery: &Delivery, now: Instant) -> Result<u16, String> {
        // What was allowed when it was written may not be any more.
        let url = HookUrl::parse(&hook.url, self.reach).map_err(|wants| format!("the address is not {wants}"))?;
        let (id, body) = (delivery.name.id(), delivery.payload.as_str());
        let old = hook.old_secret.as_ref().filter(|(_, until)| now < *until).map(|(secret, _)| secret);
        let secrets = [&hook.secret].into_iter().chain(old);
        let signed: Vec<String> = secrets.map(|secret| secret.sign(&id, now.timestamp(), body)).collect();
        let request = self.client.post(url.url().clone()).header(CONTENT_TYPE, "application/json");
        let request = request
            .header(USER_AGENT, concat!("perennial/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", now.timestamp())
            .header("webhook-signature", signed.join(" "));
        match request.body(body.to_owned()).send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            // Without the address, which may have somebody's secret in it.
            Err(error) => Err(chain(error.without_url())),
        }
    }
}

/// When a delivery is sent, by Postgres's clock: so long after it was taken.
fn sent_at(delivery: &Delivery, taken: Started) -> Instant {
    let since = TimeDelta::from_std(taken.elapsed()).unwrap_or_default();
    delivery.next_at - TimeDelta::seconds(TAKEN_S.into()) + since
}

fn chain(error: reqwest::Error) -> String {
    let mut says = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        says = format!("{says}: {inner}");
        source = inner.source();
    }
    says
}

/// A webhook that is being told something, for as long as this is there.
struct Busy {
    all: Arc<Mutex<HashSet<Uuid>>>,
    id: Uuid,
}

impl Busy {
    /// `None` where it is already.
    fn begin(all: &Arc<Mutex<HashSet<Uuid>>>, id: Uuid) -> Option<Self> {
        let begun = all.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        begun.then(|| Self { all: Arc::clone(all), id })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
