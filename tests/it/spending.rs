//! Points over HTTP where the wallet says how they may be spent.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::json;

use crate::harness::{EURO, TestApp};

#[tokio::test]
async fn points_are_spent_as_the_wallet_says_and_a_quote_tells_how() {
    let spend = "spend = { min = 200, step = 100, max_share = \"0.5\" }, transfer";
    let app = TestApp::with(&EURO.replace("transfer", spend), Pace::serving()).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    shop.adjust(&ana, 5_000).await;
    let order = |reference: &str, points: i64| {
        json!({ "reference": reference, "member": { "id": ana }, "currency": "EUR", "prices": "no_tax",
            "lines": [{ "id": "1", "quantity": 1, "amount": "41.99" }], "points": { "spend": points } })
    };
    let quote = shop.post("/v1/checkout/quotes", &order("1", 0)).await.json;
    let can =
        json!({ "wallet": "points", "spendable": 5_000, "least": 200, "most": 2_000, "step": 100, "worth": "20.00" });
    assert_eq!(quote["can_spend"], can);
    for path in ["/v1/orders", "/v1/checkout/quotes"] {
        let few = shop.post(path, &order("1", 100)).await;
        few.refused(409, "points_below_minimum");
        assert_eq!((&few.json["min"], &few.json["pointer"]), (&json!(200), &json!("/points/spend")));
        let between = shop.post(path, &order("1", 250)).await;
        between.refused(409, "points_not_in_steps");
        assert_eq!((&between.json["below"], &between.json["above"]), (&json!(200), &json!(300)));
        let share = shop.post(path, &order("1", 2_100)).await;
        share.refused(409, "points_share_exceeded");
        assert_eq!(share.json["most"], 2_000);
    }
    assert_eq!(shop.spendable(&ana).await, 5_000, "what is refused changes nothing");
    let settled = shop.post("/v1/orders", &order("1", 2_000)).await;
    assert_eq!((settled.status, settled.json.get("can_spend")), (201, None));
}
