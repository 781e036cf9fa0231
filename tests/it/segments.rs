//! Lists of members over HTTP: filled, read by rules and quotes, shown, and sent again.

use perennial::kernel::id::Version;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, publish};
use serde_json::{Value, json};

use crate::harness::{Client, EURO, TestApp, verify};

async fn with_lists() -> (TestApp, Client) {
    let app = TestApp::new().await;
    let rule = "[segments.staff]\n[segments.press]\n[earning.staff]\nwallet = \"points\"\naudience = { segments = [\"staff\"] }\naward = { points = 500 }\n";
    let document = Document::from_toml(&format!("{EURO}\n{rule}")).unwrap();
    let (note, based_on) = ("a test", Version(1));
    let wanted = Publication { document: &document, based_on, starts: None, note, draft: None };
    publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await.unwrap();
    let shop = app.shop().await;
    (app, shop)
}

fn told(reply: &Value) -> Vec<(&str, &str)> {
    let results = reply["results"].as_array().unwrap().iter();
    results.map(|result| (result["pointer"].as_str().unwrap(), result["result"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn members_are_put_into_a_list_one_by_one_and_what_is_refused_leaves_the_others() {
    let (app, shop) = with_lists().await;
    let path = "/v1/segments/staff/members";
    let ana = shop.enrol(&json!({ "external_id": "ana" })).await;
    let ben = shop.enrol(&json!({ "email": "ben@example.com" })).await;
    let change = json!({ "add": [{ "external_id": "ana" }, { "email": "Ben@example.com" }, { "external_id": "nobody" }],
        "remove": [{ "id": ben }, { "id": ben, "card": "1" }] });
    let reply = shop.post_keyed(path, "first", &change).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let results = told(&reply.json);
    // Two at once of one member: in which order they are done nobody says.
    let of_ben = (results[1], results[3]);
    assert!(
        of_ben == (("/add/1", "added"), ("/remove/0", "removed"))
            || of_ben == (("/add/1", "added"), ("/remove/0", "unchanged")),
        "{results:?}"
    );
    assert_eq!(
        [results[0], results[2], results[4]],
        [("/add/0", "added"), ("/add/2", "refused"), ("/remove/1", "refused")]
    );
    assert_eq!(reply.json["results"][2]["problem"]["code"], "member_unknown");
    assert_eq!(reply.json["results"][4]["problem"]["pointer"], "/remove/1");
    let again = shop.post_keyed(path, "first", &json!({ "add": [{ "external_id": "ana" }] })).await;
    assert_eq!((told(&again.json), &again.json["added"]), (vec![("/add/0", "added")], &json!(1)));
    let other = shop.post_keyed(path, "second", &json!({ "add": [{ "external_id": "ana" }] })).await;
    assert_eq!((told(&other.json), &other.json["unchanged"]), (vec![("/add/0", "unchanged")], &json!(1)));
    // The rule is for who is in it; the member and the list say so.
    let order = |member: &str| json!({ "reference": "1", "member": { "id": member }, "currency": "EUR", "lines": [{ "id": "1", "amount": "1.00" }] });
    let quoted = shop.post("/v1/checkout/quotes", &order(&ana)).await;
    assert_eq!(quoted.json["rows"][1]["points"], 500, "{quoted:?}");
    assert_eq!(shop.get(&format!("/v1/members/{ana}")).await.json["segments"], json!(["staff"]));
    let listed = shop.get(path).await.json;
    assert!(listed["items"].as_array().unwrap().contains(&json!(ana)), "{listed}");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_what_is_none_is_refused() {
    let (app, shop) = with_lists().await;
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(shop.enrol(&json!({})).await);
    }
    let add: Vec<Value> = members.iter().map(|id| json!({ "id": id })).collect();
    let reply = shop.post_keyed("/v1/segments/press/members", "k", &json!({ "add": add })).await;
    assert_eq!(reply.json["added"], 5, "{reply:?}");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/segments/press/members?limit=2{cursor}")).await.json;
        found.extend(page["items"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    found.sort();
    members.sort();
    assert_eq!(found, members);
    let empty = shop.get("/v1/segments/staff/members").await.json;
    assert_eq!(empty, json!({ "items": [], "next_cursor": null }));
    shop.get("/v1/segments/nobody/members").await.refused(404, "segment_unknown");
    let one = json!({ "add": [{ "id": members[0] }] });
    shop.post_keyed("/v1/segments/nobody/members", "n", &one).await.refused(404, "segment_unknown");
    shop.post_keyed("/v1/segments/staff/members", "e", &json!({})).await.refused(422, "invalid_field");
    shop.post_keyed("/v1/segments/staff/members", "m", &json!({ "add": vec![&one["add"][0]; 1_001] }))
        .await
        .refused(422, "invalid_field");
    verify(&app.test.db).await;
}
