//! What there is after a restart, beside what was answered before.

use std::collections::HashMap;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use futures_util::stream::{self, StreamExt};
use perennial::platform::db::Db;
use serde_json::Value;

use super::kind::Answers;
use super::record::{Entry, Heard, Told};
use super::storefront::Storefront;

/// How many orders and members are read at once.
const READS: usize = 16;

#[derive(QueryableByName)]
struct PostingRow {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    document: String,
}

/// Stored documents by the reference of their posting.
struct Postings(HashMap<String, Vec<String>>);

/// Asks again for everything since a command: what was answered is answered the same, what was not is done now, once.
pub async fn ask_again(shop: &Storefront, first: usize) {
    let done = shop.record.done_since(first);
    shop.send_again(&shop.record.open_since(first)).await;
    let heard = shop.send_again(&done).await;
    let replayed = done.iter().filter(|number| heard.get(number) == Some(&Heard::Replayed)).count();
    assert_eq!(replayed, done.len(), "what was answered is there");
    shop.record.assert_answers();
    let read = done.iter().map(|number| read(shop, shop.record.entry(*number)));
    stream::iter(read).buffer_unordered(READS).collect::<Vec<()>>().await;
}

/// An order is read as it was answered, and who was merged goes on as it was answered.
async fn read(shop: &Storefront, entry: Entry) {
    if let Some(path) = &entry.call.read_at {
        let read = shop.client().get(path).await;
        assert_eq!((read.status, Some(read.text.as_str())), (200, entry.receipt()), "{path}");
    }
    if let Some(receipt) = entry.receipt().filter(|_| entry.call.kind.merges()) {
        let member = shop.client().get(&format!("/v1/members/{}", text(receipt, "member"))).await;
        let goes_on = (&member.json["status"], &member.json["merged_into"]);
        assert_eq!(goes_on, (&Value::from("merged"), &field(receipt, "into")), "{receipt}");
    }
}

/// Compares the whole ledger with the whole record: what was accepted is there once, what was refused is not, and there
/// is nothing else; and the audit log has what people did. Answers how many are there.
pub async fn compare(db: &Db, entries: &[Entry]) -> usize {
    let mut postings = Postings::read(db).await;
    let mut there = 0;
    for entry in entries {
        match &entry.told {
            Some(Told::Accepted(receipt)) => {
                postings.take(entry, receipt);
                there += 1;
            }
            Some(Told::Refused(why)) => {
                let reference = &entry.call.reference;
                assert!(!postings.0.contains_key(reference), "{reference} was refused ({why}), and is there");
            }
            None => panic!("nothing is known of {}", entry.call.reference),
        }
    }
    let rest = postings.0;
    assert!(rest.is_empty(), "nobody asked for {:?}", rest.keys().take(5).collect::<Vec<_>>());
    compare_audits(db, entries).await;
    there
}

impl Postings {
    async fn read(db: &Db) -> Self {
        let mut conn = db.conn().await.unwrap();
        // What happened by itself (kind 5) was not asked for.
        let stored = "SELECT reference, document FROM postings WHERE kind <> 5";
        let rows: Vec<PostingRow> = sql_query(stored).load(&mut conn).await.unwrap();
        let mut postings: HashMap<String, Vec<String>> = HashMap::new();
        for PostingRow { reference, document } in rows {
            postings.entry(reference).or_default().push(document);
        }
        Self(postings)
    }

    /// Takes what a command left, with each member.
    fn take(&mut self, Entry { call, .. }: &Entry, receipt: &str) {
        let reference = &call.reference;
        let document = self.only(reference);
        let same = match call.kind.answers() {
            Answers::Receipt => document == receipt,
            Answers::Member => field(&document, "member") == field(receipt, "id"),
        };
        assert!(same, "{reference} was answered {receipt} and is {document}");
        let Some(mirrored) = call.kind.mirrored() else { return };
        let other = self.only(&format!("{reference}/in"));
        for (theirs, ours) in mirrored {
            let same = field(&other, theirs) == field(receipt, ours);
            assert!(same, "{reference} was answered {receipt} and is {other} with the other member");
        }
    }

    fn only(&mut self, reference: &str) -> String {
        let mut stored = self.0.remove(reference).unwrap_or_default();
        assert_eq!(stored.len(), 1, "how often {reference} is there, which was accepted");
        stored.remove(0)
    }
}

/// Of everything that a person did there is one line, and no other.
async fn compare_audits(db: &Db, entries: &[Entry]) {
    let done = entries.iter().filter_map(|entry| {
        let action = entry.call.kind.audited()?;
        Some((action.to_owned(), text(entry.receipt()?, "posting")))
    });
    let mut done: Vec<(String, String)> = done.collect();
    let mut conn = db.conn().await.unwrap();
    // Keys and programmes have lines as well.
    let stored = "SELECT action AS reference, detail::json ->> 'posting' AS document FROM audit_log \
        WHERE action LIKE 'ledger.%' OR action LIKE 'membership.%'";
    let lines: Vec<PostingRow> = sql_query(stored).load(&mut conn).await.unwrap();
    let mut lines: Vec<(String, String)> = lines.into_iter().map(|line| (line.reference, line.document)).collect();
    done.sort();
    lines.sort();
    let apart = done.iter().zip(&lines).find(|(one, other)| one != other);
    assert!(done == lines, "the audit log has {} lines for {} done: {apart:?}", lines.len(), done.len());
}

fn text(document: &str, name: &str) -> String {
    field(document, name).as_str().unwrap().to_owned()
}

fn field(document: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(document).unwrap()[name].clone()
}
