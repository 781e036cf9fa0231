//! Discounts over HTTP: quoted, settled, refused, limited over two processes, and given back.

use perennial::kernel::id::Version;
use perennial::loyalty::ledger::jobs::run_due;
use perennial::loyalty::ledger::writer::Pace;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::publish::{Publication, PublishError, publish};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Client, EURO, Process, Reply, TestApp, facts, verify};

async fn publish_on(app: &TestApp, discounts: &str, based_on: i32) -> Result<Version, PublishError> {
    let document = Document::from_toml(&format!("{EURO}\n{discounts}")).unwrap();
    let (note, based_on) = ("a test", Version(based_on));
    let wanted = Publication { document: &document, based_on, starts: None, note, draft: None };
    let published = publish(&mut app.test.db.conn().await.unwrap(), &app.program, &wanted).await;
    published.map(|published| published.version)
}

fn cart(reference: &str, member: &str) -> Value {
    json!({ "reference": reference, "member": { "id": member }, "currency": "EUR",
        "lines": [{ "id": "1", "category": "shoes", "amount": "89.99" }, { "id": "2", "amount": "10.01" }] })
}

fn with(mut cart: Value, fields: &Value) -> Value {
    cart.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    cart
}

/// What an order says of what a quote took off.
fn stated(quote: &Value) -> Value {
    let of = |discount: &Value| json!({ "code": discount["code"], "lines": discount["lines"] });
    quote["discounts"].as_array().unwrap().iter().map(of).collect()
}

const SHOES: &str = "[discounts.shoes]\nbenefit = { percent = \"10\", of = 'line.category == \"shoes\"' }\n\
    [discounts.welcome]\ncodes = [\"WELCOME\"]\nwhen = 'member.order_count == 0'\nbenefit = { amount = \"5.00\" }\n";

#[tokio::test]
async fn an_order_has_what_its_quote_took_off_and_no_cent_else() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    publish_on(&app, SHOES, 1).await.unwrap();
    let entered = json!({ "codes": ["welcome", "spring"] });
    let quoted = shop.post("/v1/checkout/quotes", &with(cart("1", &member), &entered)).await;
    assert_eq!((quoted.status, &quoted.json["unknown_codes"]), (200, &json!(["SPRING"])), "{quoted:?}");
    let off = json!([
        { "code": "shoes", "of": "program", "amount": "9.00", "lines": [{ "id": "1", "amount": "9.00" }] },
        { "code": "welcome", "of": "program", "amount": "5.00",
            "lines": [{ "id": "1", "amount": "4.45" }, { "id": "2", "amount": "0.55" }] }
    ]);
    assert_eq!((&quoted.json["discounts"], &quoted.json["charged"]), (&off, &json!("86.00")));
    let version = quoted.json["program_version"].clone();
    let paid = json!({ "codes": ["WELCOME"], "discounts": stated(&quoted.json), "valid_with": version });
    let order = with(cart("1", &member), &paid);
    let wrong = with(order.clone(), &json!({ "codes": [] }));
    let refused = shop.post("/v1/orders", &wrong).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (409, Some("discount_differs")), "{refused:?}");
    let told = ["pointer", "stated", "ours", "reason"].map(|field| refused.json[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["/discounts/1", "5.00", "0.00", "code_not_given"]);
    let settled = shop.post("/v1/orders", &order).await;
    assert_eq!((settled.status, &settled.json["discounts"]), (201, &off), "{settled:?}");
    let again = shop.post("/v1/orders", &order).await;
    assert_eq!((again.status, again.json), (200, settled.json));
    // Nobody is new twice; another version is quoted again.
    let second = shop.post("/v1/checkout/quotes", &with(cart("2", &member), &entered)).await;
    let why = json!([{ "discount": "welcome", "reason": "condition_false" }]);
    assert_eq!(second.json["skipped_discounts"], why);
    let old = with(cart("2", &member), &json!({ "discounts": stated(&second.json), "valid_with": 77 }));
    let refused = shop.post("/v1/orders", &old).await;
    assert_eq!((refused.status, refused.json["code"].as_str()), (409, Some("quote_too_old")), "{refused:?}");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_discount_is_used_exactly_as_often_as_it_may_over_two_processes() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let limits = "limits = { per_member = { uses = 2 }, total = { uses = 50 } }";
    let limited =
        format!("[discounts.five]\nbenefit = {{ amount = \"5.00\", of = 'line.category == \"shoes\"' }}\n{limits}\n");
    publish_on(&app, &limited, 1).await.unwrap();
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let mut clients = JoinSet::new();
    for n in 0..32 {
        let (near, far) = (shop.clone(), far.clone());
        clients.spawn(async move {
            let member = near.enrol(&json!({})).await;
            let five = json!({ "discounts": [{ "code": "five", "lines": [{ "id": "1", "amount": "5.00" }] }] });
            let order = |i: u32| with(cart(&format!("{n}-{i}"), &member), &five);
            let [first, second, third] = [order(0), order(1), order(2)];
            let settle = |client: Client, order: Value| async move { client.post("/v1/orders", &order).await };
            let replies = tokio::join!(settle(near.clone(), first), settle(far, second), settle(near, third));
            let told = |reply: Reply| (reply.status, reply.json["reason"].clone());
            (format!("{n}-0"), [replies.0, replies.1, replies.2].map(told))
        });
    }
    let replies = clients.join_all().await;
    let used = |replies: &[(u16, Value)]| replies.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(replies.iter().map(|(_, replies)| used(replies)).sum::<usize>(), 50);
    assert!(replies.iter().all(|(_, replies)| used(replies) <= 2));
    let refused = replies.iter().flat_map(|(_, replies)| replies).filter(|(status, _)| *status != 201);
    assert!(refused.into_iter().all(|reply| *reply == (409, json!("limit_reached"))));
    let counter = "SELECT format('%s %s/%s', rule, used, used_max) AS fact FROM counters";
    assert_eq!(facts::one(&app.test.db, counter).await, "five.uses 50/50");
    verify(&app.test.db).await;
    // A return in full gives its use back; a limit below what is used is not published.
    let (first, _) = replies.iter().find(|(_, replies)| replies[0].0 == 201).unwrap();
    let back = shop.post(&format!("/v1/orders/{first}/returns"), &json!({ "reference": "r", "all": true })).await;
    assert_eq!((back.status, &back.json["uses_given_back"]), (201, &json!(["five"])), "{back:?}");
    assert_eq!(facts::one(&app.test.db, counter).await, "five.uses 49/50");
    let refused = publish_on(&app, &limited.replace("uses = 50", "uses = 48"), 2).await;
    let Err(PublishError::Mistakes(mistakes)) = refused else { panic!("{refused:?}") };
    assert_eq!(mistakes[0].to_string(), "/discounts/five/limits/total: 49 uses of it are spent already");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_batch_takes_discounts_as_they_were_and_flags_them() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    publish_on(&app, SHOES, 1).await.unwrap();
    let off = json!({ "discounts": [{ "code": "shoes", "lines": [{ "id": "2", "amount": "1.00" }] }] });
    let replies = shop.post_lines("/v1/orders/batch", with(cart("1", &member), &off).to_string()).await.lines();
    let flag = json!([{ "code": "discount_differs", "discount": "shoes", "stated": "1.00", "ours": "9.00" }]);
    assert_eq!(replies[0]["receipt"]["flags"], flag, "{replies:?}");
    verify(&app.test.db).await;
}

/// A hold of a cart's five euro.
fn keep_five(reference: &str, member: &str, lasts_s: i64) -> Value {
    let mut order = with(cart("-", member), &five());
    order.as_object_mut().unwrap().retain(|field, _| field != "reference" && field != "member");
    json!({ "reference": reference, "member": { "id": member }, "order": order, "lasts_s": lasts_s })
}

fn five() -> Value {
    json!({ "discounts": [{ "code": "five", "lines": [{ "id": "1", "amount": "5.00" }] }] })
}

#[tokio::test]
async fn a_hold_keeps_discounts_exactly_as_often_as_they_may_be_used_over_two_processes() {
    let app = TestApp::new().await;
    let other = Process::start(&app.test, Pace::serving()).await;
    let limited = "[discounts.five]\nbenefit = { amount = \"5.00\", of = 'line.category == \"shoes\"' }\n\
        limits = { per_member = { uses = 1 }, total = { uses = 20 } }\n";
    publish_on(&app, limited, 1).await.unwrap();
    let shop = app.shop().await;
    let far = other.client(shop.key());
    let mut clients = JoinSet::new();
    for n in 0..32 {
        let client = if n % 2 == 0 { shop.clone() } else { far.clone() };
        clients.spawn(async move {
            let member = client.enrol(&json!({})).await;
            let held = client.post("/v1/checkout/holds", &keep_five(&format!("cart-{n}"), &member, 900)).await;
            if held.status != 201 {
                return (held.status, held.text_at("/reason"), held.text_at("/pointer"));
            }
            // It is the hold's: not a second time this member's.
            let order = with(cart(&format!("o-{n}"), &member), &five());
            let twice = client.post("/v1/orders", &order).await;
            assert_eq!((twice.status, twice.text_at("/reason")), (409, "limit_reached".into()));
            if n % 4 == 1 {
                let taken = client.post("/v1/orders", &with(order, &json!({ "hold": format!("cart-{n}") }))).await;
                assert_eq!((taken.status, &taken.json["hold"]["open"]), (201, &json!(true)), "{taken:?}");
            }
            (held.status, String::new(), String::new())
        });
    }
    let replies = clients.join_all().await;
    let held = replies.iter().filter(|(status, ..)| *status == 201).count();
    let refused = (409, String::from("limit_reached"), String::from("/order/discounts/0"));
    assert_eq!((held, replies.iter().filter(|reply| **reply == refused).count()), (20, 12));
    let counter = "SELECT format('%s/%s', used, used_max) AS fact FROM counters";
    assert_eq!(facts::one(&app.test.db, counter).await, "20/20");
    verify(&app.test.db).await;
}

#[tokio::test]
async fn a_discount_that_a_hold_kept_for_nobody_comes_back() {
    let app = TestApp::new().await;
    let limited = "[discounts.five]\nbenefit = { amount = \"5.00\", of = 'line.category == \"shoes\"' }\n\
        limits = { total = { uses = 2 } }\n";
    publish_on(&app, limited, 1).await.unwrap();
    let shop = app.shop().await;
    let member = shop.enrol(&json!({})).await;
    let (released, over) = (keep_five("released", &member, 900), keep_five("over", &member, 1));
    assert_eq!(shop.post("/v1/checkout/holds", &released).await.status, 201);
    let counter = "SELECT format('%s/%s', used, used_max) AS fact FROM counters";
    let gone = shop.delete("/v1/checkout/holds/released").await;
    assert_eq!((gone.status, &gone.json["uses_given_back"]), (200, &json!(["five"])), "{gone:?}");
    assert_eq!(facts::one(&app.test.db, counter).await, "0/2");
    assert_eq!(shop.post("/v1/checkout/holds", &over).await.status, 201);
    let open = "SELECT format('%s %s %s', version, place, ends_at > now()) AS fact FROM held_discounts";
    assert_eq!(facts::one(&app.test.db, open).await, "2 0 t");
    verify(&app.test.db).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(run_due(&app.test.db, &app.process().ledger).await.unwrap(), 1);
    assert_eq!(facts::one(&app.test.db, counter).await, "0/2");
    let told = shop.get(&format!("/v1/members/{member}/statement")).await;
    assert_eq!(told.json["items"][0]["kind"], "catch_up", "{told:?}");
    assert_eq!(shop.get("/v1/checkout/holds/over").await.text_at("/status"), "ended");
    verify(&app.test.db).await;
}
