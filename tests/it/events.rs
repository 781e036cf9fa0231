//! Events over HTTP: awarded once, checked against what the programme declares, and told.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::json;

use crate::harness::{EURO, TestApp, facts, fresh, verify};

const REVIEWS: &str = "[attributes.event.review]\nstars = { kind = \"number\" }\n[earning.review]\nwallet = \"points\"\n\
    on = \"event:review\"\naward = { points = 20 }\nbudget = { points = 50 }\n\
    [earning.welcome]\nwallet = \"points\"\non = \"enrolment\"\naward = { points = 7 }\n";

#[tokio::test]
async fn an_event_is_awarded_once_and_one_that_nobody_knows_is_refused() {
    let app = TestApp::with(&format!("{EURO}\n{REVIEWS}"), Pace::serving()).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "ana" })).await;
    assert_eq!(shop.spendable(&ana).await, 7);
    let event = json!({ "member": { "external_id": "ana" }, "event": "review", "attributes": { "stars": 4 } });
    let sent = shop.post_keyed("/v1/events", "r-1", &event).await;
    assert_eq!((sent.status, &sent.json["rows"][0]["points"]), (201, &json!(20)), "{sent:?}");
    let again = shop.post_keyed("/v1/events", "r-1", &event).await;
    assert_eq!((again.status, again.json), (200, sent.json.clone()));
    shop.post_keyed("/v1/events", "r-2", &event).await;
    let last = shop.post_keyed("/v1/events", "r-3", &event).await;
    assert_eq!((&last.json["rows"][0]["points"], &last.json["rows"][0]["cut_by"]), (&json!(10), &json!("budget")));
    assert_eq!(shop.spendable(&ana).await, 57);
    let before = facts::fingerprint(&app.test.db).await;
    for (body, status, code, pointer) in [
        (json!({ "member": { "external_id": "ana" }, "event": "revue" }), 422, "event_unknown", "/event"),
        (json!({ "member": { "external_id": "eve" }, "event": "review" }), 404, "member_unknown", "/member"),
        (
            json!({ "member": { "external_id": "ana" }, "event": "review", "attributes": { "stars": "x" } }),
            422,
            "invalid_field",
            "/attributes/stars",
        ),
        (
            json!({ "member": { "external_id": "ana" }, "event": "review", "occurred_at": "2099-01-01T00:00:00Z" }),
            422,
            "invalid_field",
            "/occurred_at",
        ),
    ] {
        let refused = shop.post_keyed("/v1/events", &fresh("bad"), &body).await;
        refused.refused(status, code);
        assert_eq!(refused.pointer(), Some(pointer));
    }
    assert_eq!(facts::fingerprint(&app.test.db).await, before);
    let statement = shop.get(&format!("/v1/members/{ana}/statement?language=en")).await.json;
    assert_eq!(statement["items"][0]["says"], "10 points earned");
    verify(&app.test.db).await;
}
