//! The why over HTTP: each rule of an order, an event and an enrolment, in the member's language.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};

use crate::harness::{Client, EURO, TestApp};

const TITLES: &str =
    "text = { en = { title = \"Points on every order\" }, nl = { title = \"Punten bij elke bestelling\" } }";
const RULES: &str = "[earning.shoes]\nlines = 'line.category == \"shoes\"'\naward = { multiply = \"2\" }\nstack = \"season\"\n\
    caps = { per_member = { points = 100, each = \"P1M\" } }\n\
    text.nl = { title = \"Dubbel op schoenen\", says = \"Alleen op schoenen\" }\n\
    [earning.app]\nwhen = 'order.channel == \"app\"'\naward = { multiply = \"1.5\" }\nstack = \"season\"\n\
    [earning.past]\nschedule = { until = \"2026-01-01T00:00\" }\naward = { points = 5 }\n\
    [earning.few]\naward = { points = 30 }\nbudget = { points = 40 }\n\
    [earning.welcome]\non = \"enrolment\"\naward = { points = 10 }\n\
    [earning.review]\non = \"event:review\"\naward = { points = 20 }\n\
    [discounts.ten]\nbenefit = { percent = \"10\" }\ntext.nl.title = \"Tien procent\"\n";

async fn why(shop: &Client, posting: &Value, query: &str) -> Value {
    let why = shop.get(&format!("/v1/postings/{}/why{query}", posting.as_str().unwrap())).await;
    assert_eq!(why.status, 200, "{why:?}");
    why.json
}

/// Of each rule and discount: its code, what it brought, and what is said of it.
fn said(why: &Value) -> Vec<String> {
    let says = |told: &Value| told["says"].as_str().unwrap().to_owned();
    let rule = |told: &Value| format!("{} {} | {}", told["rule"].as_str().unwrap(), told["points"], says(told));
    let off = |told: &Value| format!("{} | {}", told["discount"].as_str().unwrap(), says(told));
    let rules = why["rules"].as_array().into_iter().flatten().map(rule);
    rules.chain(why["discounts"].as_array().into_iter().flatten().map(off)).collect()
}

#[tokio::test]
async fn nobody_has_to_wonder_why() {
    let euro = EURO.replace("points = 1 } }", &format!("points = 1 }}, {TITLES} }}"));
    let app = TestApp::with(&format!("{euro}\n{RULES}"), Pace::serving()).await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({ "locale": "nl-NL" })).await;
    let order = async |reference: &str, channel: &str| {
        let cart = json!({ "reference": reference, "member": { "id": member }, "currency": "EUR", "channel": channel,
            "lines": [{ "id": "1", "category": "shoes", "amount": "150.50" }, { "id": "2", "amount": "20.00" }] });
        shop.post("/v1/orders", &cart).await.json["posting"].clone()
    };
    let (first, second) = (order("1", "web").await, order("2", "app").await);
    let dutch = why(&shop, &first, "").await;
    assert_eq!((&dutch["language"], &dutch["program_version"]), (&json!("nl"), &json!(1)));
    insta::assert_snapshot!(said(&dutch).join("\n"), @r"
    base 170 | Punten bij elke bestelling: 170 punten
    shoes 100 | Dubbel op schoenen: 100 van 150 punten, dat is het meeste voor één lid
    app 0 | app: Aan de voorwaarde is niet voldaan
    past 0 | past: Het was er de tijd niet voor
    few 30 | few: 30 punten
    ten | Tien procent: Niet gebruikt bij deze bestelling
    ");
    let english = why(&shop, &second, "?language=en-GB").await;
    insta::assert_snapshot!(said(&english).join("\n"), @r"
    base 170 | Points on every order: 170 points
    shoes 0 | Dubbel op schoenen: You had as much of it as you can
    app 10 | app: 10 points
    past 0 | past: It was not its time
    few 10 | few: 10 of 30 points, no more was left for all members
    ten | Tien procent: It was not used for this order
    ");
    let shoes = json!({ "rule": "shoes", "title": "Dubbel op schoenen", "kind": "multiply", "wallet": "points",
        "points": 100, "rate": "2", "base": "150.50", "of_rules": ["base"], "exact": "150.5000", "uncut": 150,
        "cuts": [{ "by": "cap", "to": 100 }], "says": dutch["rules"][1]["says"] });
    assert_eq!(dutch["rules"][1], shoes);

    let event = json!({ "member": { "id": member }, "event": "review" });
    let event = shop.post_keyed("/v1/events", "e", &event).await.json["posting"].clone();
    assert_eq!(said(&why(&shop, &event, "").await), ["review 20 | review: 20 punten"]);
    let statement = shop.get(&format!("/v1/members/{member}/statement")).await.json;
    let enrolled = statement["items"].as_array().unwrap().last().unwrap()["posting"].clone();
    assert_eq!(said(&why(&shop, &enrolled, "?language=de").await), ["welcome 10 | welcome: 10 Punkte"]);
    for path in ["/v1/postings/none/why", &format!("/v1/postings/{}/why?language=", first.as_str().unwrap())] {
        let refused = shop.get(path).await;
        assert!([400, 404, 422].contains(&refused.status), "{path} {refused:?}");
    }
}
