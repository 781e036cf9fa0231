//! Orders over HTTP: settled once, quoted the same, returned in any split.

use perennial::loyalty::ledger::writer::Pace;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, facts, fresh};

/// The golden case's cart: two discounts, 21 % tax in the prices, shipping, 2,000 points.
fn golden(reference: &str, member: Value) -> Value {
    json!({ "reference": reference, "member": member, "currency": "EUR", "channel": "web", "prices": "tax_included",
        "lines": [
            { "id": "shoes", "sku": "S-42", "category": "shoes", "amount": "89.99", "tax_rate": "21" },
            { "id": "socks", "quantity": 3, "amount": "23.85", "tax_rate": "21" },
            { "id": "mug", "amount": "12.50", "tax_rate": "21" },
            { "id": "s", "kind": "shipping", "amount": "4.95", "tax_rate": "21" }],
        "discounts": [
            { "code": "gold_ten", "lines": [{ "id": "shoes", "amount": "9.00" }] },
            { "code": "ten_off", "lines": [{ "id": "shoes", "amount": "6.90" }, { "id": "socks", "amount": "2.03" },
                { "id": "mug", "amount": "1.07" }] }],
        "points": { "wallet": "points", "spend": 2000 }, "total": "112.29" })
}

/// Days of the programme from today, as SQL sees them.
async fn day(app: &TestApp, ahead: &str) -> String {
    let today = "(now() AT TIME ZONE 'Europe/Amsterdam')::date";
    facts::one(&app.test.db, &format!("SELECT ({})::text AS fact", ahead.replace("today", today))).await
}

/// A member with 1,500 points that end soon and 3,000 that end later.
async fn with_two_lots(app: &TestApp, shop: &Client) -> (String, String, String) {
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let (soon, later) = (day(app, "today + 40").await, day(app, "today + 130").await);
    app.open_lot(&ana, 1_500, &soon).await;
    app.open_lot(&ana, 3_000, &later).await;
    (ana, soon, later)
}

#[tokio::test]
async fn an_order_paid_with_points_of_two_lots_has_the_golden_figures() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (ana, _, later) = with_two_lots(&app, &shop).await;
    let settled = shop.post("/v1/orders", &golden("1001", json!({ "external_id": "c-17" }))).await;
    assert_eq!(settled.status, 201, "{settled:?}");
    let year =
        day(&app, "date_trunc('month', today + interval '12 months') + interval '1 month' - interval '1 day'").await;
    let ends = year.split(' ').next().unwrap();
    let december = day(&app, "date_trunc('year', today) + interval '1 year' - interval '1 day'").await;
    let line = |id: &str, kind: &str, quantity: u32, figures: [&str; 5], points: i64, earned: i64| {
        let [charged, tax, worth, paid, base] = figures;
        json!({ "id": id, "kind": kind, "quantity": quantity, "charged": charged, "tax": tax, "points_spent": points,
            "worth": worth, "gift_card": "0.00", "paid": paid, "base": base, "earned": earned })
    };
    let expected = json!({
        "reference": "1001", "posting": settled.json["posting"], "member": ana, "program_version": 1, "currency": "EUR",
        "ordered_on": day(&app, "today").await, "charged": "107.34", "shipping": "4.95", "tax": "19.49",
        "gift_card": "0.00", "paid": "92.29",
        "lines": [
            line("shoes", "product", 1, ["74.09", "12.86", "13.80", "60.29", "49.83"], 1_380, 50),
            line("socks", "product", 3, ["21.82", "3.79", "4.07", "17.75", "14.67"], 407, 14),
            line("mug", "product", 1, ["11.43", "1.98", "2.13", "9.30", "7.69"], 213, 8),
            line("s", "shipping", 1, ["4.95", "0.86", "0.00", "4.95", "0.00"], 0, 0)],
        "discounts": [
            { "code": "gold_ten", "of": "shop", "amount": "9.00", "lines": [{ "id": "shoes", "amount": "9.00" }] },
            { "code": "ten_off", "of": "shop", "amount": "10.00", "lines": [{ "id": "shoes", "amount": "6.90" },
                { "id": "socks", "amount": "2.03" }, { "id": "mug", "amount": "1.07" }] }],
        "rows": [{ "rule": "base", "wallet": "points", "points": 72, "lines": [{ "id": "shoes", "points": 50 },
            { "id": "socks", "points": 14 }, { "id": "mug", "points": 8 }] }],
        "earned": [{ "wallet": "points", "points": 72, "expires_on": ends },
            { "wallet": "status", "amount": "72.19", "counts": "spend", "expires_on": december.split(' ').next().unwrap() }],
        "spent": [{ "wallet": "points", "points": 2_000, "worth": "20.00" }],
        "skipped": [] });
    assert_eq!(settled.json, expected);
    assert_eq!(shop.get("/v1/orders/1001").await.text, settled.text);

    let balances = shop.get(&format!("/v1/members/{ana}/balances")).await.json;
    let points = json!({ "kind": "redeemable", "wallet": "points", "spendable": 2_572, "worth": "25.72", "held": 0,
        "debt": 0, "pending": [], "expiring": [{ "points": 2_500, "expires_on": later }, { "points": 72, "expires_on": ends }],
        "lifetime": { "earned": 4_572, "reversed": 0, "spent": 2_000, "expired": 0 } });
    let status = json!({ "kind": "qualifying", "wallet": "status", "amount": "72.19",
        "expiring": [{ "amount": "72.19", "expires_on": december.split(' ').next().unwrap() }] });
    assert_eq!((&balances["currency"], &balances["wallets"]), (&json!("EUR"), &json!([points, status])));
}

/// What a return of these lines answers: money, restored, clawed back, status.
async fn returned(shop: &Client, reference: &str, lines: Value) -> (String, i64, i64, String) {
    let body = json!({ "reference": reference, "lines": lines });
    let path = "/v1/orders/1001/returns";
    let before = shop.get("/v1/orders/1001").await.json;
    let preview = shop.post(&format!("{path}?preview=true"), &body).await;
    let reply = shop.post(path, &body).await;
    assert_eq!((preview.status, reply.status), (200, 201), "{preview:?} {reply:?}");
    let mut known = reply.json.clone();
    assert!(known.as_object_mut().unwrap().remove("posting").is_some());
    assert_eq!(preview.json, known, "a preview is what the return then does");
    assert_eq!(reply.json["member"], before["member"]);
    let at = |pointer: &str| reply.json.pointer(pointer).unwrap().as_i64().unwrap();
    let back = &reply.json["clawed_back"];
    assert_eq!((&back[0]["wallet"], &back[1]["wallet"]), (&json!("points"), &json!("status")));
    (
        reply.text_at("/money"),
        at("/restored/0/points"),
        at("/clawed_back/0/points"),
        reply.text_at("/clawed_back/1/amount"),
    )
}

#[tokio::test]
async fn any_split_of_a_full_return_gives_all_back_to_the_cent_and_the_point() {
    let socks_first = [
        (json!([{ "id": "socks", "quantity": 1 }]), ("5.92", 136, 5, "4.89")),
        (json!([{ "id": "shoes", "quantity": 1 }]), ("60.29", 1_380, 50, "49.83")),
        (json!([{ "id": "socks", "quantity": 2 }, { "id": "mug", "quantity": 1 }]), ("21.13", 484, 17, "17.47")),
    ];
    let mug_first = [
        (json!([{ "id": "mug", "quantity": 1 }]), ("9.30", 213, 8, "7.69")),
        (json!([{ "id": "socks", "quantity": 2 }]), ("11.83", 272, 10, "9.78")),
        (json!([{ "id": "shoes", "quantity": 1 }, { "id": "socks", "quantity": 1 }]), ("66.21", 1_515, 54, "54.72")),
    ];
    for split in [socks_first, mug_first] {
        let app = TestApp::new().await;
        let shop = app.shop().await;
        let (ana, soon, later) = with_two_lots(&app, &shop).await;
        assert_eq!(shop.post("/v1/orders", &golden("1001", json!({ "id": ana }))).await.status, 201);
        for (n, (lines, (money, restored, clawed_back, status))) in split.into_iter().enumerate() {
            let got = returned(&shop, &format!("r-{n}"), lines).await;
            assert_eq!(got, (money.to_owned(), restored, clawed_back, status.to_owned()));
        }
        let balances = shop.get(&format!("/v1/members/{ana}/balances")).await.json;
        let points = &balances["wallets"][0];
        assert_eq!(points["spendable"], 4_500);
        let lots = json!([{ "points": 1_500, "expires_on": soon }, { "points": 3_000, "expires_on": later }]);
        assert_eq!(points["expiring"], lots, "each point is back in the lot that it came from");
        assert_eq!(points["lifetime"], json!({ "earned": 4_572, "reversed": 72, "spent": 0, "expired": 0 }));
        assert_eq!(
            (&balances["wallets"][1]["amount"], &balances["wallets"][1]["expiring"]),
            (&json!("0.00"), &json!([]))
        );
    }
}

#[tokio::test]
async fn a_quote_has_the_orders_figures_and_stores_nothing() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (ana, ..) = with_two_lots(&app, &shop).await;
    let order = golden("1001", json!({ "id": ana }));
    let before = facts::fingerprint(&app.test.db).await;
    let quoted = shop.post("/v1/checkout/quotes", &order).await;
    assert_eq!(quoted.status, 200, "{quoted:?}");
    assert_eq!(facts::fingerprint(&app.test.db).await, before);
    let mut settled = shop.post("/v1/orders", &order).await.json;
    assert!(settled.as_object_mut().unwrap().remove("posting").is_some());
    let mut figures = quoted.json.clone();
    assert_eq!(figures.as_object_mut().unwrap().remove("can_spend").unwrap()["spendable"], 4_500);
    assert_eq!(figures, settled);
    // A quote of an order that was settled is a quote: of another one like it.
    let again = shop.post("/v1/checkout/quotes", &order).await;
    assert_eq!((again.status, again.json.get("posting")), (200, None));
    for member in [Value::Null, json!({ "external_id": "new" })] {
        let mut order = golden("1002", member);
        order.as_object_mut().unwrap().remove("points");
        order["enrol"] = json!(true);
        let quoted = shop.post("/v1/checkout/quotes", &order).await;
        assert_eq!((quoted.status, quoted.json.get("member")), (200, None), "{}", quoted.text);
    }
    assert_eq!(facts::count(&app.test.db, "accounts").await, 1);
}

#[tokio::test]
async fn a_repeated_order_is_answered_byte_for_byte() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let (ana, ..) = with_two_lots(&app, &shop).await;
    let order = golden("1001", json!({ "external_id": "c-17" }));
    let first = shop.post("/v1/orders", &order).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, None));
    shop.adjust(&ana, -2_572).await;
    // Spelled otherwise, and by another name of the same member: the command is the same only by what was sent.
    let mut spelled = order.clone();
    spelled["enrol"] = json!(false);
    for same in [&order, &spelled] {
        let again = shop.post("/v1/orders", same).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
        assert_eq!(again.text, first.text);
    }
    let by_id = golden("1001", json!({ "id": ana }));
    shop.post("/v1/orders", &by_id).await.refused(409, "idempotency_conflict");
    assert_eq!(facts::count(&app.test.db, "postings WHERE kind = 2").await, 1);
}

#[tokio::test]
async fn a_guests_order_is_somebody_new_and_an_order_can_enrol() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let order = |reference: &str, member: Value, enrol: bool| {
        json!({ "reference": reference, "member": member, "enrol": enrol, "currency": "EUR",
            "lines": [{ "id": "1", "amount": "50.00" }] })
    };
    let guest = shop.post("/v1/orders", &order("1", Value::Null, false)).await;
    assert_eq!(guest.status, 201, "{guest:?}");
    assert_eq!(shop.spendable(&guest.text_at("/member")).await, 50);
    let other = shop.post("/v1/orders", &order("2", Value::Null, false)).await;
    assert_ne!(guest.text_at("/member"), other.text_at("/member"));
    let again = shop.post("/v1/orders", &order("1", Value::Null, false)).await;
    assert_eq!((again.status, &again.text), (200, &guest.text));

    shop.post("/v1/orders", &order("3", json!({ "email": "eva@example.com" }), false))
        .await
        .refused(404, "member_unknown");
    let enrolled = shop.post("/v1/orders", &order("3", json!({ "email": "Eva@Example.com" }), true)).await;
    assert_eq!(enrolled.status, 201, "{enrolled:?}");
    let eva = shop.post("/v1/members/lookups", &json!({ "email": "eva@example.com" })).await;
    assert_eq!(eva.text_at("/id"), enrolled.text_at("/member"));
    let second = shop.post("/v1/orders", &order("4", json!({ "email": "eva@example.com" }), true)).await;
    assert_eq!(second.text_at("/member"), enrolled.text_at("/member"));
    assert_eq!(shop.spendable(&eva.text_at("/id")).await, 100);
    assert_eq!(facts::count(&app.test.db, "accounts").await, 3);
}

#[tokio::test]
async fn points_wait_for_their_day_and_are_shown_with_it() {
    let program =
        crate::harness::EURO.replace("value = \"0.01\",", "value = \"0.01\", pending = { after = \"P14D\" },");
    let app = TestApp::with(&program, Pace::serving()).await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let order = |reference: &str, amount: &str, on: Option<&str>| {
        let mut order = json!({ "reference": reference, "member": { "id": ana }, "currency": "EUR",
            "lines": [{ "id": "1", "amount": amount }] });
        if let Some(on) = on {
            order["ordered_on"] = json!(on);
        }
        order
    };
    let settled = shop.post("/v1/orders", &order("1", "30.00", None)).await;
    let instant = "((today + 14)::timestamp AT TIME ZONE 'Europe/Amsterdam') AT TIME ZONE 'UTC'";
    let available = format!("{}Z", day(&app, instant).await.replace(' ', "T"));
    assert_eq!(settled.json["earned"][0]["available_at"], json!(available), "{}", settled.text);
    // A late one has waited already.
    let late = day(&app, "today - 20").await;
    let settled = shop.post("/v1/orders", &order("2", "12.00", Some(&late))).await;
    assert_eq!((settled.status, settled.json["earned"][0].get("available_at")), (201, None), "{}", settled.text);
    assert_eq!(settled.json["ordered_on"], json!(late));
    let wallet = shop.wallet(&ana).await;
    assert_eq!(
        (&wallet["spendable"], &wallet["pending"]),
        (&json!(12), &json!([{ "points": 30, "available_at": available }]))
    );
    let mut spend = order("3", "100.00", None);
    spend["points"] = json!({ "spend": 13 });
    shop.post("/v1/orders", &spend).await.refused(409, "insufficient_points");
    spend["points"] = json!({ "spend": 12 });
    assert_eq!(shop.post("/v1/orders", &spend).await.status, 201);
}

#[tokio::test]
async fn what_is_due_shows_in_a_balance_before_any_job_has_run() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = app.enrol_at("2026-01-05T11:00:00Z").await;
    let yesterday = day(&app, "today - 1").await;
    app.open_lot_at(&ana, 700, &yesterday, "2026-01-05T12:00:00Z").await;
    shop.adjust(&ana, 5).await;
    let wallet = shop.wallet(&ana).await;
    assert_eq!((&wallet["spendable"], &wallet["lifetime"]["expired"]), (&json!(5), &json!(700)), "{wallet}");
}

#[tokio::test]
async fn a_return_can_go_by_amount_or_take_all() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    let ana = shop.enrol(&json!({ "external_id": "c-17" })).await;
    let order = json!({ "reference": "1", "member": { "id": ana }, "currency": "EUR",
        "lines": [{ "id": "a", "amount": "60.00" }, { "id": "b", "amount": "40.00" }] });
    assert_eq!(shop.post("/v1/orders", &order).await.status, 201);
    let path = "/v1/orders/1/returns";
    let part = shop.post(path, &json!({ "reference": "r-1", "amount": "25.00" })).await;
    assert_eq!(
        (part.status, part.json["money"].as_str(), part.json["complete"].as_bool()),
        (201, Some("25.00"), Some(false))
    );
    let of_line = shop.post(path, &json!({ "reference": "r-2", "lines": [{ "id": "b", "amount": "10.00" }] })).await;
    assert_eq!((of_line.status, of_line.json["money"].as_str()), (201, Some("10.00")));
    let all = shop.post(path, &json!({ "reference": "r-3", "all": true })).await;
    assert_eq!(
        (all.status, all.json["money"].as_str(), all.json["complete"].as_bool()),
        (201, Some("65.00"), Some(true))
    );
    assert_eq!(shop.spendable(&ana).await, 0);
    // The same name for a return of another order is another return.
    let other = json!({ "reference": "2", "member": { "id": ana }, "currency": "EUR", "lines": [{ "id": "a", "amount": "5.00" }] });
    assert_eq!(shop.post("/v1/orders", &other).await.status, 201);
    assert_eq!(shop.post("/v1/orders/2/returns", &json!({ "reference": "r-1", "all": true })).await.status, 201);
    let again = shop.post(path, &json!({ "reference": "r-1", "amount": "25.00" })).await;
    assert_eq!((again.status, &again.text), (200, &part.text));
}

#[tokio::test]
async fn references_may_have_every_letter_that_they_may_have() {
    let app = TestApp::new().await;
    let shop = app.shop().await;
    for reference in ["0", "A.b_c:d#e@f+g=h-i", &"x".repeat(64)] {
        let order = json!({ "reference": reference, "currency": "EUR", "lines": [{ "id": fresh("ü 'line'"), "amount": "1.00" }] });
        let settled = shop.post("/v1/orders", &order).await;
        assert_eq!(settled.status, 201, "{settled:?}");
        let place = reference.replace('#', "%23").replace('+', "%2B");
        assert_eq!(shop.get(&format!("/v1/orders/{place}")).await.text, settled.text);
        let body = json!({ "reference": reference, "all": true });
        assert_eq!(shop.post(&format!("/v1/orders/{place}/returns"), &body).await.status, 201);
    }
}
