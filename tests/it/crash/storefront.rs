//! The load: callers who send, wait, and send again what was not answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep as wait;

use super::crowd::Crowd;
use super::record::{Heard, Record};
use crate::harness::Client;

/// How many call at once.
const CALLERS: usize = 16;
/// One call of so many is one that was answered already.
const RETRY_ONCE_IN: u64 = 12;
/// How long a caller waits who was not answered, in milliseconds.
const PATIENCE_MS: u64 = 20;
/// How long everything has to be answered after the last kill, in seconds.
const SETTLED_S: u64 = 60;

/// A storefront: its callers, what they plan, and the record of what they sent.
pub struct Storefront {
    pub record: Arc<Record>,
    crowd: Arc<Mutex<Crowd>>,
    /// Where the server answers now.
    door: watch::Sender<Client>,
    stop: Arc<AtomicBool>,
    callers: JoinSet<()>,
}

impl Storefront {
    /// One without callers.
    pub fn new(record: Record, crowd: Crowd, client: Client) -> Self {
        Self {
            record: Arc::new(record),
            crowd: Arc::new(Mutex::new(crowd)),
            door: watch::Sender::new(client),
            stop: Arc::new(AtomicBool::new(false)),
            callers: JoinSet::new(),
        }
    }

    /// Where the server answers now.
    pub fn client(&self) -> Client {
        self.door.borrow().clone()
    }

    /// From now on it answers there.
    pub fn move_to(&self, client: Client) {
        self.door.send_replace(client);
    }

    /// A number by chance, less than `sides`.
    pub fn roll(&self, sides: u64) -> u64 {
        self.crowd.lock().unwrap().roll(sides)
    }

    /// One of them by chance.
    pub fn pick<T: Copy>(&self, of: &[T]) -> T {
        *of.get(usize::try_from(self.roll(u64::try_from(of.len()).unwrap())).unwrap()).unwrap()
    }

    /// Enrols somebody.
    pub async fn enrol(&self) {
        let call = self.crowd.lock().unwrap().enrol();
        let number = self.record.add(call);
        assert_eq!(self.record.send(number, &self.client()).await, Heard::Done);
        learn(&self.record, &self.crowd, number);
    }

    /// Lets the callers in.
    pub fn open(&mut self) {
        self.stop.store(false, Ordering::SeqCst);
        for _ in 0..CALLERS {
            let (record, crowd) = (Arc::clone(&self.record), Arc::clone(&self.crowd));
            let (door, stop) = (self.door.subscribe(), Arc::clone(&self.stop));
            self.callers.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    call(&record, &crowd, &door, &stop).await;
                }
            });
        }
    }

    /// Waits until each caller has heard of its last call, or knows that it will not.
    pub async fn close(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
    }

    /// Sends commands again, each until it is answered.
    pub async fn send_again(&self, numbers: &[usize]) -> Vec<Heard> {
        stream::iter(numbers.iter().map(|number| self.insist(*number))).buffer_unordered(CALLERS).collect().await
    }

    async fn insist(&self, number: usize) -> Heard {
        let begun = Instant::now();
        loop {
            let heard = self.record.send(number, &self.client()).await;
            if heard != Heard::Nothing {
                learn(&self.record, &self.crowd, number);
                return heard;
            }
            let call = self.record.entry(number).call;
            assert!(begun.elapsed() < Duration::from_secs(SETTLED_S), "{} is never answered", call.reference);
            wait(Duration::from_millis(PATIENCE_MS)).await;
        }
    }
}

/// One command, new or sent once more, until it is answered or nobody waits any more.
async fn call(record: &Record, crowd: &Mutex<Crowd>, door: &watch::Receiver<Client>, stop: &AtomicBool) {
    let number = pick(record, crowd);
    loop {
        let client = door.borrow().clone();
        if record.send(number, &client).await != Heard::Nothing {
            return learn(record, crowd, number);
        }
        if stop.load(Ordering::SeqCst) {
            return;
        }
        wait(Duration::from_millis(PATIENCE_MS)).await;
    }
}

fn pick(record: &Record, crowd: &Mutex<Crowd>) -> usize {
    let mut crowd = crowd.lock().unwrap();
    if crowd.once_in(RETRY_ONCE_IN) {
        let place = usize::try_from(crowd.roll(u64::try_from(record.len()).unwrap())).unwrap();
        if record.entry(place).receipt().is_some() {
            return place;
        }
    }
    let call = crowd.plan();
    record.add(call)
}

/// Tells the crowd what was answered, once.
fn learn(record: &Record, crowd: &Mutex<Crowd>, number: usize) {
    let entry = record.entry(number);
    let Some(receipt) = entry.receipt() else { return };
    crowd.lock().unwrap().learn(&entry.call, &serde_json::from_str(receipt).unwrap());
}
