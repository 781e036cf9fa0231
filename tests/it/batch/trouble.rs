//! When the database is in trouble, and batches are sent again.

use diesel_async::SimpleAsyncConnection;
use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};

use super::{count, order, send};
use crate::harness::{EURO, TestApp, facts};

fn orders(member: &str, many: usize) -> Vec<Value> {
    (0..many).map(|n| order(&format!("o-{n}"), &json!({ "id": member }), "1.00")).collect()
}

#[tokio::test]
async fn a_batch_that_failed_in_part_is_sent_again_and_books_each_order_once() {
    let app = TestApp::with(EURO, Pace { lock_timeout_ms: 50, ..Pace::serving() }).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let eva = loop {
        // Somebody of another lane, whom nobody holds up.
        let eva = shop.enrol(&json!({})).await;
        let lanes = format!("accounts WHERE member_id IN ('{ana}', '{eva}') GROUP BY lane");
        let lanes = format!("SELECT count(*)::text AS fact FROM (SELECT lane FROM {lanes}) AS lanes");
        if facts::one(&app.test.db, &lanes).await == "2" {
            break eva;
        }
    };
    let both: Vec<Value> = (0..40)
        .map(|n| order(&format!("o-{n}"), &json!({ "id": if n % 2 == 0 { &ana } else { &eva } }), "1.00"))
        .collect();
    let owner = app.owner().await;
    let mut holder = owner.conn().await.unwrap();
    let hold = format!(
        "BEGIN; SELECT 1 FROM lanes WHERE lane = (SELECT lane FROM accounts WHERE member_id = '{ana}') FOR UPDATE"
    );
    holder.batch_execute(&hold).await.unwrap();
    let items = send(&shop, &both).await;
    assert_eq!(items.len(), 40);
    assert!(count(&items, 503) >= 20, "{}", count(&items, 503));
    for item in items.iter().filter(|item| item["status"] == json!(503)) {
        assert_eq!((&item["code"], &item["problem"]["retryable"]), (&json!("unavailable"), &json!(true)));
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    let again = send(&shop, &both).await;
    assert_eq!((count(&again, 200), count(&again, 201)), (count(&items, 201), 40 - count(&items, 201)));
    assert_eq!(count(&send(&shop, &both).await, 200), 40);
    assert_eq!((shop.spendable(&ana).await, shop.spendable(&eva).await), (20, 20));
}

#[tokio::test]
async fn when_the_database_goes_away_the_rest_is_told_to_come_again() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let before = send(&shop, &orders(&ana, 10)).await;
    assert_eq!(count(&before, 201), 10);
    app.test.shut(true).await;
    let mut bad = orders(&ana, 3_000);
    bad[2_999]["currency"] = json!("USD");
    let items = send(&shop, &bad).await;
    assert_eq!((items.len(), count(&items, 503)), (3_000, 3_000), "{}", items[0]);
    app.test.shut(false).await;
    let items = send(&shop, &bad[..300]).await;
    assert_eq!((count(&items, 200), count(&items, 201)), (10, 290));
}

#[tokio::test]
async fn a_queue_that_is_full_is_waited_for() {
    let app = TestApp::with(EURO, Pace { queue_max: 2, group_max: 3, ..Pace::serving() }).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let items = send(&shop, &orders(&ana, 200)).await;
    assert_eq!(count(&items, 201), 200);
    assert_eq!(shop.spendable(&ana).await, 200);
}
