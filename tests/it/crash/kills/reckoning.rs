//! What there is after a restart, beside what was answered before.

use std::collections::HashMap;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use perennial::platform::db::Db;
use serde_json::Value;

use super::call::Answers;
use super::record::{Entry, Told};
use super::storefront::{Again, Storefront};

/// How many orders are read at once.
const READS: usize = 16;

#[derive(QueryableByName)]
struct PostingRow {
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Text)]
    document: String,
}

/// What was found after a kill.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// Commands of which nothing was known, and what became of them.
    pub open: usize,
    pub again: Again,
    /// Commands that are there once, as they were answered.
    pub there: usize,
}

/// Asks again for everything since a command: what was answered is answered the same, what was not is done now, once.
pub async fn ask_again(shop: &Storefront, first: usize) -> Found {
    let done = shop.record.done_since(first);
    let open = shop.record.open_since(first);
    let again = shop.send_again(&open).await;
    let replayed = shop.send_again(&done).await;
    assert_eq!(replayed.replayed, done.len(), "what was answered is there: {replayed:?}");
    shop.record.assert_answers();
    for some in shop.record.done_since(first).chunks(READS) {
        join_all(some.iter().map(|number| read(shop, shop.record.entry(*number)))).await;
    }
    Found { open: open.len(), again, there: 0 }
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
    for Entry { call, told } in entries {
        let stored = postings.remove(&call.reference).unwrap_or_default();
        match told {
            Some(Told::Accepted(receipt)) => {
                let [document] = stored.as_slice() else {
                    panic!("{} was accepted and is there {} times", call.reference, stored.len());
                };
                match call.kind.answers() {
                    Answers::Receipt => assert_eq!(document, receipt, "{}", call.reference),
                    Answers::Member => assert_eq!(field(document, "member"), field(receipt, "id"), "{}", call.reference),
                }
                there += 1;
            }
            Some(Told::Refused(why)) => assert!(stored.is_empty(), "{} was refused ({why}), and is there", call.reference),
            None => panic!("nothing is known of {}", call.reference),
        }
    }
    assert!(postings.is_empty(), "nobody asked for {:?}", postings.keys().take(5).collect::<Vec<_>>());
    there
}

fn field(document: &str, name: &str) -> Value {
    serde_json::from_str::<Value>(document).unwrap()[name].clone()
}
