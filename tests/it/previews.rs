//! What a document would have done: over the API as a job, and at the command line.

use std::collections::BTreeMap;
use std::fs;

use chrono::{Duration, SecondsFormat};
use perennial::loyalty::backtest::jobs::Previews;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::store::read_clock;
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::jobs::{Work, run_next};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, EURO, Operator, Reply, TestApp, facts, said};

/// A window around now.
async fn window(app: &TestApp) -> (String, String) {
    let now = read_clock(&app.test.db.conn().await.unwrap()).await.unwrap();
    let text = |days: i64| (now + Duration::days(days)).to_rfc3339_opts(SecondsFormat::Secs, true);
    (text(-30), text(30))
}

async fn ask(app: &TestApp, shop: &Client, field: &str, document: impl Into<Value>) -> String {
    let (from, to) = window(app).await;
    let mut body = json!({ "from": from, "to": to });
    body[field] = document.into();
    let queued = shop.post("/v1/program/previews", &body).await;
    assert_eq!(queued.status, 202, "{}", queued.text);
    let place = format!("/v1/jobs/{}", queued.text_at("/job"));
    assert_eq!(queued.header("location"), Some(place.as_str()));
    place
}

/// Does what waits, as a process does beside its calls.
async fn make(app: &TestApp) {
    let db = Db::open(&app.test.url, PoolSize(2), Role::App).await.unwrap();
    let works: Vec<Box<dyn Work>> = vec![Box::new(Previews::new(&db))];
    while run_next(&db, &works).await.unwrap() {}
}

async fn made(app: &TestApp, shop: &Client, place: &str) -> Value {
    make(app).await;
    let job = shop.get(place).await;
    assert_eq!((&job.json["status"], &job.json["kind"]), (&json!("done"), &json!("preview")), "{}", job.text);
    assert_eq!(job.json["done"], job.json["total"], "all members are done: {}", job.text);
    job.json["result"].clone()
}

fn order(reference: &str, member: &str, amount: &str) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "quantity": 2, "amount": amount }] })
}

/// Three members: one buys, one pays with points, one brings half of it back.
async fn past(shop: &Client) {
    let mut members = Vec::new();
    for name in ["buys", "pays", "returns"] {
        members.push(shop.enrol(&json!({ "external_id": name })).await);
    }
    for (reference, member, amount) in
        [("a", &members[0], "10.75"), ("b", &members[1], "300.00"), ("c", &members[2], "50.50")]
    {
        assert_eq!(shop.post("/v1/orders", &order(reference, member, amount)).await.status, 201);
    }
    let mut paid = order("d", &members[1], "20.00");
    paid["points"] = json!({ "spend": 300 });
    assert_eq!(shop.post("/v1/orders", &paid).await.status, 201);
    let back = json!({ "reference": "r", "lines": [{ "id": "1", "quantity": 1 }] });
    assert_eq!(shop.post("/v1/orders/c/returns", &back).await.status, 201);
}

#[tokio::test]
async fn a_preview_shows_what_another_rate_would_have_given() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    past(&shop).await;
    app.stranger().await.enrol(&json!({ "external_id": "elsewhere" })).await;
    let before = facts::fingerprint(&app.test.db).await;
    let triple = EURO.replace("\"Euro\"", "\"Ours\"").replace("points = 1 }", "points = 3 }");
    let place = ask(&app, &shop, "toml", triple.as_str()).await;
    let told = made(&app, &shop, &place).await;
    // 10 of 10.75, 300, 50 of 50.50, and 17 of 20.00 less 3.00; thrice, floored after the rate: 32, 900, 151, 51.
    let points = |side: &str, figure: &str| told["wallets"][0][side][figure].clone();
    assert_eq!((points("before", "issued"), points("after", "issued")), (json!(377), json!(1_134)));
    // What stays of half an order is floored: 25 of 50, and 75 of 151.
    assert_eq!((points("before", "taken_back"), points("after", "taken_back")), (json!(25), json!(76)));
    assert_eq!((points("before", "spent"), points("after", "spent")), (json!(300), json!(300)));
    assert_eq!((points("before", "left"), points("after", "left")), (json!(52), json!(758)));
    assert_eq!(told["cost"], json!({ "before": "3.52", "after": "10.58" }));
    assert_eq!(told["liability"], json!({ "before": "0.52", "after": "7.58" }));
    assert_eq!(told["rules"], json!([{ "rule": "base", "before": 377, "after": 1_134 }]));
    assert_eq!((&told["members"], &told["gain"], &told["lose"]), (&json!(3), &json!(3), &json!(0)));
    assert_eq!(
        (&told["orders"], &told["refused"]),
        (&json!({ "before": 4, "after": 4 }), &json!({ "before": 0, "after": 0 }))
    );
    assert_eq!(told["unreadable"], json!(0));
    let differences: Vec<&Value> = told["winners"].as_array().unwrap().iter().map(|one| &one["difference"]).collect();
    assert_eq!(differences, ["6.34", "0.50", "0.22"]);
    assert!(told["assumptions"].as_array().unwrap().len() > 3);

    // In JSON the same, and the same again: nothing has changed.
    let json = Document::from_toml(&triple).unwrap().to_json().unwrap();
    let (first, second) = (ask(&app, &shop, "toml", triple.as_str()).await, {
        let body = serde_json::from_str::<Value>(&json).unwrap();
        ask(&app, &shop, "document", body).await
    });
    for place in [first, second] {
        let mut again = made(&app, &shop, &place).await;
        (again["from"], again["to"]) = (told["from"].clone(), told["to"].clone());
        assert_eq!(again, told);
    }
    assert_eq!(facts::fingerprint(&app.test.db).await, before, "nothing was written");
    assert_eq!(facts::count(&app.test.db, "jobs").await, 3);
    // It is nobody else's.
    assert_eq!(app.stranger().await.get(&place).await.status, 404);
}

#[tokio::test]
async fn a_preview_looks_again_at_what_was_said_of_orders_and_their_lines() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let mut order = order("1", &ana, "10.00");
    order["attributes"] = json!({ "gift": true });
    order["lines"] = json!([{ "id": "1", "amount": "10.00", "category": "shoes", "attributes": { "weight": "2.5" } },
        { "id": "2", "amount": "20.00", "sku": "S-1" }]);
    let settled = shop.post("/v1/orders", &order).await;
    assert_eq!(settled.status, 201, "{}", settled.text);
    let why = shop.get(&format!("/v1/postings/{}/why", settled.text_at("/posting"))).await;
    let said = json!({ "channel": null, "store": null, "attributes": { "gift": true }, "lines": [
        { "id": "1", "category": "shoes", "attributes": { "weight": "2.5" } }, { "id": "2", "sku": "S-1" }] });
    assert_eq!(why.json["texts"], said);

    let rules = "[attributes.order]\ngift = { kind = \"flag\" }\n[attributes.line]\nweight = { kind = \"number\" }\n\
        [earning.gift]\nwhen = 'order.attributes.gift'\naward = { points = 7 }\n\
        [earning.shoes]\nlines = 'line.category == \"shoes\" && line.attributes.weight > 2'\naward = { multiply = \"2\" }\n";
    let document = format!("{}\n{rules}", EURO.replace("\"Euro\"", "\"Ours\""));
    let place = ask(&app, &shop, "toml", document.as_str()).await;
    let told = made(&app, &shop, &place).await;
    let rules: BTreeMap<&str, &Value> =
        told["rules"].as_array().unwrap().iter().map(|rule| (rule["rule"].as_str().unwrap(), &rule["after"])).collect();
    assert_eq!(rules, BTreeMap::from([("base", &json!(30)), ("gift", &json!(7)), ("shoes", &json!(10))]));

    // Of the draft, where no document is sent.
    let (from, to) = window(&app).await;
    let queued = shop.post("/v1/program/previews", &json!({ "from": from, "to": to })).await;
    let told = made(&app, &shop, &format!("/v1/jobs/{}", queued.text_at("/job"))).await;
    assert_eq!(told["rules"], json!([{ "rule": "base", "before": 30, "after": 30 }]));

    // What is declared is checked as soon as a process has met the version.
    let seen = shop.get("/v1/program/draft").await.header("etag").unwrap().to_owned();
    let patch = json!({ "attributes": { "order": { "gift": { "kind": "flag" } }, "line": { "weight": { "kind": "number" } } } });
    let change = shop.request(Method::PATCH, "/v1/program/draft").header("if-match", seen).json(&patch);
    let tag = Reply::of(change).await.header("etag").unwrap().to_owned();
    let publish = shop.request(Method::POST, "/v1/program/publications").header("if-match", tag).json(&json!({}));
    assert_eq!(Reply::of(publish).await.status, 201);
    order["reference"] = json!("2");
    assert_eq!(shop.post("/v1/orders", &order).await.json["program_version"], json!(2));
    order["reference"] = json!("3");
    order["lines"][1]["attributes"] = json!({ "weight": "heavy" });
    let refused = shop.post("/v1/orders", &order).await;
    refused.refused(422, "invalid_field");
    assert_eq!(refused.pointer(), Some("/lines/1/attributes/weight"));
}

#[tokio::test]
async fn a_preview_tells_lists_tiers_and_what_came_off() {
    let parts = "[segments.staff]\n[tiers]\nwallet = \"status\"\n\
        ladder = [{ code = \"gold\", from = \"10.00\", earn = \"1.5\" }]\n\
        [discounts.ten]\nbenefit = { percent = \"10\" }\n\
        [attributes.member]\nvip = { kind = \"flag\" }\n";
    let document = format!("{EURO}\n{parts}");
    let app = TestApp::with(&document, Pace::serving()).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "ana", "attributes": { "vip": true } })).await;
    let listed = shop.post_keyed("/v1/segments/staff/members", "k", &json!({ "add": [{ "id": ana }] })).await;
    assert_eq!(listed.json["added"], 1, "{listed:?}");
    let off = |code: &str| json!([{ "code": code, "lines": [{ "id": "1", "amount": "10.00" }] }]);
    for (reference, code) in [("1", "ten"), ("2", "ten"), ("3", "own")] {
        let mut order = order(reference, &ana, "100.00");
        order["discounts"] = off(code);
        assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
    }
    let rules = "[earning.vip]\nwallet = \"points\"\naudience = { segments = [\"staff\"], when = 'member.attributes.vip' }\n\
        award = { points = 100 }\n";
    let document = format!("{}\n{rules}", document.replace("\"Euro\"", "\"Ours\""));
    let place = ask(&app, &shop, "toml", document.as_str()).await;
    let told = made(&app, &shop, &place).await;
    let staff = json!([{ "segment": "staff", "members": 1, "cost": { "before": "3.60", "after": "6.60" }, "gain": 1, "lose": 0 }]);
    assert_eq!(told["segments"], staff);
    let came_off = json!([{ "discount": "ten", "of": "program", "orders": 2, "amount": "20.00" },
        { "discount": "own", "of": "shop", "orders": 1, "amount": "10.00" }]);
    assert_eq!(told["discounts"], came_off);
    let rules = json!([{ "rule": "base", "before": 270, "after": 270 }, { "rule": "vip", "before": null, "after": 300 },
        { "rule": "tier:gold", "before": 90, "after": 90 }]);
    assert_eq!(told["rules"], rules);
}

#[tokio::test]
async fn a_preview_of_a_document_with_mistakes_names_them_all_and_is_not_made() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (from, to) = window(&app).await;
    let refused = async |body: Value, status: u16, code: &str| {
        let reply = shop.post("/v1/program/previews", &body).await;
        reply.refused(status, code);
        reply
    };
    let wrong = EURO.replace("value = \"0.01\"", "value = \"x\"").replace("points = 1 }", "points = -1 }");
    let reply = refused(json!({ "from": from, "to": to, "toml": wrong }), 422, "program_invalid").await;
    let pointers: Vec<&str> =
        reply.json["mistakes"].as_array().unwrap().iter().map(|m| m["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/wallets/points/value", "/earning/base/award/points"], "{}", reply.text);
    assert_eq!(reply.json["mistakes"][0]["position"]["line"], json!(4));
    let dollars = EURO.replace("\"EUR\"", "\"USD\"");
    let reply = refused(json!({ "from": from, "to": to, "toml": dollars }), 422, "program_invalid").await;
    assert_eq!(reply.json["mistakes"][0]["pointer"], json!("/program/currency"));
    assert_eq!(reply.json["mistakes"][0]["position"]["line"], json!(2));
    let reply = refused(json!({ "from": to, "to": from, "toml": EURO }), 422, "invalid_field").await;
    assert_eq!(reply.pointer(), Some("/to"));
    let both = json!({ "from": from, "to": to, "toml": EURO, "document": {} });
    assert_eq!(refused(both, 422, "invalid_field").await.pointer(), Some("/toml"));
    assert_eq!(refused(json!({ "from": from, "toml": EURO }), 422, "missing_field").await.pointer(), Some("/to"));
    assert_eq!(facts::count(&app.test.db, "jobs").await, 0);
    for _ in 0..4 {
        ask(&app, &shop, "toml", EURO).await;
    }
    let fifth = refused(json!({ "from": from, "to": to, "toml": EURO }), 409, "jobs_too_many").await;
    assert_eq!(fifth.json["retryable"], json!(true));
}

#[tokio::test]
async fn a_cancelled_preview_is_not_made() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    past(&shop).await;
    let place = ask(&app, &shop, "toml", EURO).await;
    assert_eq!(shop.delete(&place).await.json["status"], json!("cancelled"));
    make(&app).await;
    let job = shop.get(&place).await;
    assert_eq!((&job.json["status"], &job.json["result"]), (&json!("cancelled"), &Value::Null));
}

const DOLLARS: &str = r#"
program = { name = "Acme", currency = "USD", timezone = "America/New_York" }
wallets.points = { kind = "redeemable", value = "0.01" }
earning.base = { award = { per = "1.00", points = 1 } }
"#;

/// The day of an order in the file, and what it cost.
fn read(row: &str) -> (&str, i64) {
    let [_, _, day, _, total] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row:?} is no order") };
    (day, total.replace('.', "").parse().unwrap())
}

#[tokio::test]
async fn the_command_line_previews_a_file_over_imported_history() {
    let op = Operator::new().await;
    let live = op.write("live.toml", DOLLARS);
    op.out(&["program", "create", "acme", "--file", &live]);
    let text = fs::read_to_string("tests/data/cdnow_sample_orders.csv").unwrap();
    let rows: Vec<&str> = text.lines().take(601).collect();
    let file = op.write("orders.csv", &rows.join("\n"));
    op.out(&["import", "orders", &file, "--program", "acme", "--enrol", "--json"]);
    let draft = op.write("draft.toml", &DOLLARS.replace("points = 1 }", "points = 2 }"));
    let args = ["program", "preview", &draft, "--program", "acme", "--from", "1997-06-01", "--to", "1998-03-01"];
    let told: Value = serde_json::from_str(&op.out(&[&args[..], &["--json"]].concat())).unwrap();

    // Every order by itself, from the file: its whole dollars, and its whole half dollars.
    let orders: Vec<(&str, i64)> = rows[1..].iter().map(|row| read(row)).collect();
    let within = |day: &str| ("1997-06-01".."1998-03-01").contains(&day);
    let counted = || orders.iter().filter(|(day, _)| within(day));
    let (count, once) = (counted().count(), counted().map(|(_, cents)| cents / 100).sum::<i64>());
    let twice: i64 = counted().map(|(_, cents)| cents / 50).sum();
    assert!(count > 50, "{count}");
    assert_eq!(told["orders"], json!({ "before": count, "after": count }));
    assert_eq!(told["rules"], json!([{ "rule": "base", "before": once, "after": twice }]));
    assert_eq!((&told["from"], &told["to"]), (&json!("1997-06-01T04:00:00Z"), &json!("1998-03-01T05:00:00Z")));
    let lines = op.out(&args);
    assert!(lines.contains(&format!("by base {once:>43} {twice:>14} {:>14}", format!("+{}", twice - once))), "{lines}");
    assert!(lines.contains("taken for granted"), "{lines}");

    // With a budget that a month's orders use up: all of a day, until the sum of the month's days would pass it.
    let budget = "award = { per = \"1.00\", points = 2 }, budget = { points = 600, each = \"P1M\" }";
    let bounded = op.write("bounded.toml", &DOLLARS.replace("award = { per = \"1.00\", points = 1 }", budget));
    let args =
        ["program", "preview", &bounded, "--program", "acme", "--from", "1997-06-01", "--to", "1998-03-01", "--json"];
    let told: Value = serde_json::from_str(&op.out(&args)).unwrap();
    let (mut days, mut months) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
    for (day, cents) in &orders {
        *days.entry(*day).or_default() += cents / 50;
    }
    let mut awarded = 0;
    for (day, points) in days {
        let month = months.entry(&day[..7]).or_default();
        *month += points;
        if *month <= 600 && within(day) {
            awarded += points;
        }
    }
    assert!(awarded > 0 && awarded < twice, "{awarded} of {twice}");
    assert_eq!(told["rules"], json!([{ "rule": "base", "before": once, "after": awarded }]));

    let bad = op.write("bad.toml", &DOLLARS.replace("\"0.01\"", "\"x\""));
    let wrong =
        op.run(&["program", "preview", &bad, "--program", "acme", "--from", "1997-06-01", "--to", "1998-03-01"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(said(&wrong).contains("line 3, column 41: /wallets/points/value: "), "{}", said(&wrong));
    let never = op.run(&["program", "preview", &draft, "--program", "acme", "--from", "soon", "--to", "1998-03-01"]);
    assert!(never.status.code() == Some(2) && said(&never).contains("a day such as 2026-01-01"), "{}", said(&never));
    assert_eq!(op.count("jobs").await, 0);
}
