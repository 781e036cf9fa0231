//! The recorded client: every request is written down before it is sent, and every answer.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::batch;
use super::call::{Answer, Call};
use super::kind::{Answers, Kind};
use crate::harness::Client;

/// What a command was told in the end.
#[derive(Clone, Debug)]
pub enum Told {
    /// It is done; the body.
    Accepted(String),
    /// It is refused, and not done.
    Refused(String),
}

/// What one sending of a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was done just now.
    Done,
    /// It had been done before.
    Replayed,
    /// It is refused.
    Refused,
    /// Nobody answered, or asked for patience: it may have been done, or not.
    Nothing,
}

/// A command, and what is known of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub call: Arc<Call>,
    pub told: Option<Told>,
    /// What was first sent in one request with it, by number.
    pub together: Range<usize>,
    /// Whether it was sent and not answered, at least once before it was.
    lost: bool,
    /// What the first answer was.
    first: Option<Heard>,
}

/// What became of commands that were sent and not answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lost {
    /// How many.
    pub all: usize,
    /// Had been done: the retry was answered with the receipt.
    pub replayed: usize,
    /// Had not been done: the retry did it.
    pub done: usize,
    /// Had not been done, and are refused.
    pub refused: usize,
}

/// What became of the commands of a kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fate {
    /// How many are done.
    pub done: usize,
    /// How many are refused.
    pub refused: usize,
    /// How many of both were not answered at first.
    pub lost: usize,
    /// How many of those had been done all the same.
    pub replayed: usize,
}

/// All commands of a storefront, in the order in which they were first sent.
pub struct Record {
    book: Mutex<Book>,
    in_flight: AtomicUsize,
}

struct Book {
    file: File,
    entries: Vec<Entry>,
    /// Answers that no storefront should get.
    wrong: Vec<String>,
}

/// A request until it is answered.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Entry {
    /// The body of its answer, when it is done.
    pub fn receipt(&self) -> Option<&str> {
        match &self.told {
            Some(Told::Accepted(text)) => Some(text),
            Some(Told::Refused(_)) | None => None,
        }
    }

    /// Keeps the first answer.
    fn hear(&mut self, heard: Heard, told: Option<Told>) {
        if self.told.is_some() {
            return;
        }
        self.told = told;
        if self.told.is_some() {
            self.first = Some(heard);
        } else {
            self.lost = true;
        }
    }
}

impl Record {
    /// An empty one that is kept in a file.
    pub fn new(path: &Path) -> Self {
        let book = Book { file: File::create(path).unwrap(), entries: Vec::new(), wrong: Vec::new() };
        Self { book: Mutex::new(book), in_flight: AtomicUsize::new(0) }
    }

    /// Adds what is about to be sent for the first time, in one request; their numbers.
    pub fn add(&self, calls: Vec<Call>) -> Range<usize> {
        let mut book = self.book();
        let first = book.entries.len();
        let together = first..first + calls.len();
        let entries = calls.into_iter().map(|call| {
            let (call, together) = (Arc::new(call), together.clone());
            Entry { call, told: None, together, lost: false, first: None }
        });
        book.entries.extend(entries);
        together
    }

    /// Sends commands in one request, for the first time or once more.
    pub async fn send(&self, numbers: &[usize], client: &Client) -> Vec<Heard> {
        let calls = self.write_down(numbers);
        let answers = {
            self.in_flight.fetch_add(1, Ordering::SeqCst);
            let _under_way = UnderWay(&self.in_flight);
            batch::send(&calls, client).await
        };
        numbers.iter().zip(answers).map(|(number, answer)| self.hear(*number, answer)).collect()
    }

    /// Of commands that were sent together those that are sent again: what is refused is not done, and not asked for again.
    pub fn not_refused(&self, together: &[usize]) -> Vec<usize> {
        let book = self.book();
        let asked = |number: &&usize| !matches!(book.entries[**number].told, Some(Told::Refused(_)));
        together.iter().filter(asked).copied().collect()
    }

    /// Of the commands that were sent together with one those that are done; none when that one is not.
    pub fn done_with(&self, number: usize) -> Vec<usize> {
        let book = self.book();
        let done = |number: &usize| book.entries[*number].receipt().is_some();
        if done(&number) { book.entries[number].together.clone().filter(done).collect() } else { Vec::new() }
    }

    /// How many requests are under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// How many commands there are.
    pub fn len(&self) -> usize {
        self.book().entries.len()
    }

    /// How many of the commands from a number on are known to be done.
    pub fn accepted_since(&self, first: usize) -> usize {
        self.book().entries.iter().skip(first).filter(|entry| entry.receipt().is_some()).count()
    }

    /// The commands from a number on of which nothing is known.
    pub fn open_since(&self, first: usize) -> Vec<usize> {
        self.numbers(first, |entry| entry.told.is_none())
    }

    /// The commands from a number on that are done.
    pub fn done_since(&self, first: usize) -> Vec<usize> {
        self.numbers(first, |entry| entry.receipt().is_some())
    }

    /// What became of the commands from a number on that were not answered at first.
    pub fn lost_since(&self, first: usize) -> Lost {
        let book = self.book();
        let mut lost = Lost::default();
        for entry in book.entries.iter().skip(first).filter(|entry| entry.lost) {
            lost.all += 1;
            match entry.first {
                Some(Heard::Replayed) => lost.replayed += 1,
                Some(Heard::Done) => lost.done += 1,
                Some(Heard::Refused) => lost.refused += 1,
                Some(Heard::Nothing) | None => {}
            }
        }
        lost
    }

    /// What became of all of them, kind by kind.
    pub fn fates(&self) -> BTreeMap<Kind, Fate> {
        let mut fates: BTreeMap<Kind, Fate> = BTreeMap::new();
        for entry in &self.book().entries {
            let fate = fates.entry(entry.call.kind).or_default();
            fate.done += usize::from(entry.receipt().is_some());
            fate.refused += usize::from(matches!(entry.told, Some(Told::Refused(_))));
            fate.lost += usize::from(entry.lost);
            fate.replayed += usize::from(entry.lost && entry.first == Some(Heard::Replayed));
        }
        fates
    }

    /// One of them.
    pub fn entry(&self, number: usize) -> Entry {
        self.book().entries[number].clone()
    }

    /// All of them.
    pub fn entries(&self) -> Vec<Entry> {
        self.book().entries.clone()
    }

    /// Fails when an answer was none that a storefront should get.
    pub fn assert_answers(&self) {
        let book = self.book();
        let first: Vec<_> = book.wrong.iter().take(10).collect();
        assert!(first.is_empty(), "{} wrong answers, the first: {first:#?}", book.wrong.len());
    }

    fn numbers(&self, first: usize, wanted: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let book = self.book();
        let numbered = book.entries.iter().enumerate().skip(first);
        numbered.filter(|(_, entry)| wanted(entry)).map(|(number, _)| number).collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn write_down(&self, numbers: &[usize]) -> Vec<Arc<Call>> {
        let mut book = self.book();
        let calls: Vec<Arc<Call>> = numbers.iter().map(|number| Arc::clone(&book.entries[*number].call)).collect();
        for (number, call) in numbers.iter().zip(&calls) {
            let line = json!({ "n": number, "send": call.reference, "method": call.method.as_str(), "path": call.path,
                "key": call.key, "body": call.body });
            book.write(&line);
        }
        calls
    }

    fn hear(&self, number: usize, answer: Option<Answer>) -> Heard {
        let mut book = self.book();
        let Some(answer) = answer else {
            book.write(&json!({ "n": number, "heard": null }));
            book.entries[number].hear(Heard::Nothing, None);
            return Heard::Nothing;
        };
        let Answer { status, replayed, text, .. } = &answer;
        book.write(&json!({ "n": number, "heard": status, "replayed": replayed, "body": text }));
        let entry = &book.entries[number];
        let (heard, wrong) = judge(entry, &answer);
        if let Some(why) = wrong {
            let what = format!("{why}: {} after {:?} got {answer:?}", entry.call.reference, entry.told);
            book.wrong.push(what);
        }
        let told = match heard {
            Heard::Done | Heard::Replayed => Some(Told::Accepted(text.clone())),
            Heard::Refused => Some(Told::Refused(answer.code().to_owned())),
            Heard::Nothing => None,
        };
        book.entries[number].hear(heard, told);
        heard
    }
}

impl Book {
    fn write(&mut self, line: &Value) {
        writeln!(self.file, "{line}").unwrap();
    }
}

/// What an answer means, and what is wrong with it.
fn judge(entry: &Entry, answer: &Answer) -> (Heard, Option<&'static str>) {
    let known = entry.receipt();
    match answer.status {
        200 | 201 => {
            let heard = if answer.replayed { Heard::Replayed } else { Heard::Done };
            let wrong = match (known, answer.replayed) {
                (Some(_), false) => Some("done again"),
                (Some(receipt), true) if !same(entry.call.kind.answers(), receipt, answer) => Some("another receipt"),
                _ => None,
            };
            (heard, wrong)
        }
        429 | 503 => {
            let honest = answer.retryable() && answer.says_when;
            (Heard::Nothing, (!honest).then_some("not said to be retryable"))
        }
        409 if answer.retryable() => (Heard::Nothing, None),
        409 | 422 if entry.call.kind.refusals().contains(&answer.code()) => {
            (Heard::Refused, known.is_some().then_some("done, and refused afterwards"))
        }
        _ => (Heard::Nothing, Some("not an answer")),
    }
}

fn same(answers: Answers, receipt: &str, answer: &Answer) -> bool {
    match answers {
        Answers::Receipt => receipt == answer.text,
        Answers::Member => {
            let before: Value = serde_json::from_str(receipt).unwrap();
            ["id", "enrolled_on"].iter().all(|field| before[field] == answer.json[field])
        }
    }
}
