//! What there is after a restart, beside what was answered before.

use std::collections::HashMap;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use futures_util::stream::{self, StreamExt};
use perennial::platform::db::Db;
use serde_json::Value;

use super::call::Answers;
use super::record::{Entry, Heard, Told};
use super::storefront::Storefront;

/// How many orders are read at once.
const READS: usize = 16;

#[derive(QueryableByName)]
struct PostingRow {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    document: String,
}

/// Asks again for everything since a command: what was answered is answered the same, what was not is done now, once.
pub async fn ask_again(shop: &Storefront, first: usize) {
    let done = shop.record.done_since(first);
    shop.send_again(&shop.record.open_since(first)).await;
    let replayed = shop.send_again(&done).await.into_iter().filter(|heard| *heard == Heard::Replayed).count();
    assert_eq!(replayed, done.len(), "what was answered is there");
    shop.record.assert_answers();
    let read = done.iter().map(|number| read(shop, shop.record.entry(*number)));
    stream::iter(read).buffer_unordered(READS).collect::<Vec<()>>().await;
}

/// An order is read as it was answered.
async fn read(shop: &Storefront, entry: Entry) {
    let Some(path) = &entry.call.read_at else { return };
    let read = shop.client().get(path).await;
    assert_eq!((read.status, Some(read.text.as_str())), (200, entry.receipt()), "{path}");
}

/// Compares the whole ledger with the whole record: what was accepted is there once, what was refused is not, and there
/// is nothing else. Answers how many are there.
pub async fn compare(db: &Db, entries: &[Entry]) -> usize {
    let mut conn = db.conn().await.unwrap();
    // What happened by itself (kind 5) was not asked for.
    let stored = "SELECT reference, document FROM postings WHERE kind <> 5";
    let rows: Vec<PostingRow> = sql_query(stored).load(&mut conn).await.unwrap();
    let mut postings: HashMap<String, Vec<String>> = HashMap::new();
    for PostingRow { reference, document } in rows {
        postings.entry(reference).or_default().push(document);
    }
    let mut there = 0;
    for Entry { call, told, .. } in entries {
        let stored = postings.remove(&call.reference).unwrap_or_default();
        let reference = &call.reference;
        match told {
            Some(Told::Accepted(receipt)) => {
                let [document] = stored.as_slice() else {
                    panic!("{reference} was accepted and is there {} times", stored.len());
                };
                let same = match call.kind.answers() {
                    Answers::Receipt => document == receipt,
                    Answers::Member => field(document, "member") == field(receipt, "id"),
                };
                assert!(same, "{reference} was answered {receipt} and is {document}");
                there += 1;
            }
            Some(Told::Refused(why)) => assert!(stored.is_empty(), "{reference} was refused ({why}), and is there"),
            None => panic!("nothing is known of {reference}"),
        }
    }
    assert!(postings.is_empty(), "nobody asked for {:?}", postings.keys().take(5).collect::<Vec<_>>());
    there
}

fn field(document: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(document).unwrap()[name].clone()
}
