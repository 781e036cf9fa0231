//! The load: callers who send, wait, and send again what was not answered.

use std::collections::HashMap;
use std::ops::Range;
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
        let numbers: Vec<usize> = self.record.add(vec![call]).collect();
        assert_eq!(self.record.send(&numbers, &self.client()).await, [Heard::Done]);
        learn(&self.record, &self.crowd, &numbers);
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

    /// Sends commands again, each with those that it was sent with, until all of them are answered; what each was
    /// answered in the end, by number.
    pub async fn send_again(&self, numbers: &[usize]) -> HashMap<usize, Heard> {
        let mut requests: Vec<Range<usize>> = numbers.iter().map(|n| self.record.entry(*n).together).collect();
        requests.dedup();
        let answered = requests.into_iter().map(|together| self.insist(together));
        let answered: Vec<_> = stream::iter(answered).buffer_unordered(CALLERS).collect().await;
        answered.into_iter().flatten().collect()
    }

    async fn insist(&self, together: Range<usize>) -> HashMap<usize, Heard> {
        let begun = Instant::now();
        loop {
            let numbers = self.record.not_refused(&together.clone().collect::<Vec<_>>());
            let heard = self.record.send(&numbers, &self.client()).await;
            learn(&self.record, &self.crowd, &numbers);
            if !heard.contains(&Heard::Nothing) {
                return numbers.into_iter().zip(heard).collect();
            }
            let call = self.record.entry(together.start).call;
            assert!(begun.elapsed() < Duration::from_secs(SETTLED_S), "{} is never answered", call.reference);
            wait(Duration::from_millis(PATIENCE_MS)).await;
        }
    }
}

/// One request, new or sent once more, until it is answered or nobody waits any more.
async fn call(record: &Record, crowd: &Mutex<Crowd>, door: &watch::Receiver<Client>, stop: &AtomicBool) {
    let together = pick(record, crowd);
    let mut numbers = together.clone();
    loop {
        let client = door.borrow().clone();
        let heard = record.send(&numbers, &client).await;
        learn(record, crowd, &numbers);
        if !heard.contains(&Heard::Nothing) || stop.load(Ordering::SeqCst) {
            return;
        }
        wait(Duration::from_millis(PATIENCE_MS)).await;
        numbers = record.not_refused(&together);
    }
}

/// What is sent next: something new, or once more what was answered already.
fn pick(record: &Record, crowd: &Mutex<Crowd>) -> Vec<usize> {
    let mut crowd = crowd.lock().unwrap();
    if crowd.once_in(RETRY_ONCE_IN) {
        let done = record.done_with(crowd.place(record.len()));
        if !done.is_empty() {
            return done;
        }
    }
    let calls = crowd.plan();
    record.add(calls).collect()
}

/// Tells the crowd what was answered, once.
fn learn(record: &Record, crowd: &Mutex<Crowd>, numbers: &[usize]) {
    for number in numbers {
        let entry = record.entry(*number);
        let Some(receipt) = entry.receipt() else { continue };
        crowd.lock().unwrap().learn(&entry.call, &serde_json::from_str(receipt).unwrap());
    }
}
