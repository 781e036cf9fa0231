//! Orders and quotes that are refused.

use serde_json::{Value, json};

use super::{Expected, NOBODY, Scene, invalid, unfit, with};

fn order() -> Value {
    json!({ "reference": "2001", "member": { "external_id": "c-17" }, "enrol": false, "currency": "EUR", "channel": "web",
        "store": "ams-1", "prices": "tax_included",
        "lines": [{ "id": "1", "quantity": 2, "amount": "10.00", "tax_rate": "21" },
            { "id": "s", "kind": "shipping", "amount": "4.95", "tax_rate": "21" }],
        "discounts": [{ "code": "ten", "lines": [{ "id": "1", "amount": "1.00" }] }],
        "points": { "spend": 100 }, "gift_card": "1.00", "total": "13.95" })
}

async fn all_refused(cases: Vec<(&str, Value, Expected)>) {
    let scene = Scene::new().await;
    for (pointer, value, expected) in cases {
        let bad = with(&order(), pointer, value.clone());
        for path in ["/v1/orders", "/v1/checkout/quotes"] {
            let shown = value.to_string().chars().take(60).collect::<String>();
            scene.refuses(&format!("{path} {pointer} = {shown}"), &scene.shop.post(path, &bad).await, expected).await;
        }
        scene.refuses_line(&bad, expected).await;
    }
    let good = scene.shop.post("/v1/checkout/quotes", &order()).await;
    assert_eq!(good.status, 200, "{good:?}");
}

#[tokio::test]
async fn amounts_that_are_none_are_refused() {
    let mut cases = Vec::new();
    for bad in [
        json!("-1.00"),
        json!("0.001"),
        json!("10000000000.01"),
        json!("99999999999999"),
        json!("1e3"),
        json!("NaN"),
        json!(""),
        json!(" 1"),
        json!("1,00"),
        json!("１"),
        json!("0x10"),
        json!("+1"),
        json!(10.5),
        json!(10),
        json!(true),
        json!({}),
        json!(["1"]),
    ] {
        for (place, pointer) in [
            ("/lines/0/amount", "/lines/0/amount"),
            ("/gift_card", "/gift_card"),
            ("/total", "/total"),
            ("/discounts/0/lines/0/amount", "/discounts/0/lines/0/amount"),
        ] {
            cases.push((place, bad.clone(), invalid(pointer)));
        }
    }
    cases.push(("/lines/0/amount", Value::Null, unfit("missing_field", "/lines/0/amount")));
    all_refused(cases).await;
}

#[tokio::test]
async fn lines_that_contradict_each_other_or_the_order_are_refused() {
    let line = |id: &str, amount: &str| json!({ "id": id, "amount": amount });
    let many: Vec<Value> = (0..501).map(|n| line(&n.to_string(), "1.00")).collect();
    let codes: Vec<Value> = (0..201).map(|_| json!({ "code": "x", "lines": [] })).collect();
    let most = "10000000000.00";
    all_refused(vec![
        ("/lines", json!([]), unfit("order_invalid", "/lines")),
        ("/lines", json!(many), unfit("too_many_lines", "/lines")),
        ("/lines", json!([line("1", "5.00"), line("1", "5.00")]), unfit("duplicate_line", "/lines/1/id")),
        ("/lines", json!([line("1", most), line("2", most)]), unfit("order_invalid", "/lines")),
        ("/total", json!("13.94"), unfit("lines_do_not_sum", "/total")),
        ("/lines/0/quantity", json!(0), unfit("order_invalid", "/lines/0/quantity")),
        ("/lines/0/quantity", json!(1_000_001), unfit("order_invalid", "/lines/0/quantity")),
        ("/lines/0/quantity", json!(-1), invalid("/lines/0/quantity")),
        ("/lines/0/quantity", json!(1.5), invalid("/lines/0/quantity")),
        ("/lines/0/quantity", json!("2"), invalid("/lines/0/quantity")),
        ("/lines/0/quantity", json!(u64::MAX), invalid("/lines/0/quantity")),
        ("/lines/0/tax_rate", json!("100.01"), unfit("order_invalid", "/lines/0/tax_rate")),
        ("/lines/0/tax_rate", json!("-21"), invalid("/lines/0/tax_rate")),
        ("/lines/0/tax_rate", json!(21), invalid("/lines/0/tax_rate")),
        ("/lines/0/tax", json!("1.00"), invalid("/lines/0/tax")),
        ("/lines/0", json!({ "id": "1", "amount": "9.00", "tax": "8.01" }), unfit("order_invalid", "/lines/0/tax")),
        ("/prices", json!("no_tax"), unfit("order_invalid", "/lines/0/tax_rate")),
        ("/prices", json!("gross"), invalid("/prices")),
        ("/lines/0/kind", json!("gift"), invalid("/lines/0/kind")),
        ("/discounts", json!(codes), unfit("too_many_lines", "/discounts")),
        ("/discounts/0/lines/0/amount", json!("10.01"), unfit("discount_exceeds_line", "/discounts/0/lines/0/amount")),
        ("/discounts/0/lines/0/id", json!("2"), unfit("order_invalid", "/discounts/0/lines/0/id")),
        ("/discounts/0/code", json!(""), invalid("/discounts/0/code")),
        ("/gift_card", json!("100.00"), unfit("gift_card_exceeds_order", "/gift_card")),
    ])
    .await;
}

#[tokio::test]
async fn points_that_are_not_there_or_too_many_are_refused() {
    all_refused(vec![
        ("/points/spend", json!(700), (409, "insufficient_points", Some("/points/spend"))),
        ("/points/spend", json!(2_000), unfit("points_exceed_order", "/points/spend")),
        ("/points/spend", json!(1_000_000_000_000_000_i64), unfit("points_exceed_order", "/points/spend")),
        ("/points/spend", json!(1_000_000_000_000_001_i64), invalid("/points/spend")),
        ("/points/spend", json!(-1), invalid("/points/spend")),
        ("/points/spend", json!(1.5), invalid("/points/spend")),
        ("/points/spend", json!("100"), invalid("/points/spend")),
        ("/points/wallet", json!("nope"), unfit("wallet_unknown", "/points/wallet")),
        ("/points/wallet", json!("status"), unfit("wallet_unknown", "/points/wallet")),
        ("/points", json!({}), unfit("missing_field", "/points/spend")),
        ("/member", Value::Null, (409, "insufficient_points", Some("/points/spend"))),
    ])
    .await;
    let scene = Scene::new().await;
    let big = with(&with(&order(), "/lines/0/amount", json!("1000.00")), "/total", Value::Null);
    let refused = scene.shop.post("/v1/orders", &with(&big, "/points/spend", json!(2_000))).await;
    assert_eq!((refused.json["asked"].as_i64(), refused.json["spendable"].as_i64()), (Some(2_000), Some(530)));
}

#[tokio::test]
async fn times_that_cannot_be_are_refused() {
    all_refused(vec![
        ("/ordered_at", json!("2020-01-01T00:00:00Z"), unfit("order_too_old", "/ordered_at")),
        ("/ordered_at", json!("0001-01-01T00:00:00Z"), unfit("order_too_old", "/ordered_at")),
        ("/ordered_at", json!("2999-01-01T00:00:00Z"), unfit("order_in_future", "/ordered_at")),
        ("/ordered_at", json!("9999-12-31T23:59:59Z"), unfit("order_in_future", "/ordered_at")),
        ("/ordered_at", json!("yesterday"), invalid("/ordered_at")),
        ("/ordered_at", json!("2026-11-21"), invalid("/ordered_at")),
        ("/ordered_at", json!("2026-11-21T10:00:00"), invalid("/ordered_at")),
        ("/ordered_at", json!("2026-02-30T10:00:00Z"), invalid("/ordered_at")),
        ("/ordered_at", json!(1_795_000_000), invalid("/ordered_at")),
        ("/ordered_on", json!("2020-01-01"), unfit("order_too_old", "/ordered_on")),
        ("/ordered_on", json!("-262143-01-01"), unfit("order_too_old", "/ordered_on")),
        ("/ordered_on", json!("2999-01-01"), unfit("order_in_future", "/ordered_on")),
        ("/ordered_on", json!("+262142-12-31"), unfit("order_in_future", "/ordered_on")),
        ("/ordered_on", json!("2026-02-30"), invalid("/ordered_on")),
        ("/ordered_on", json!("21.11.2026"), invalid("/ordered_on")),
    ])
    .await;
    let scene = Scene::new().await;
    let both = with(&with(&order(), "/ordered_at", json!("2026-11-21T10:00:00Z")), "/ordered_on", json!("2026-11-21"));
    scene.refuses("both", &scene.shop.post("/v1/orders", &both).await, invalid("/ordered_on")).await;
}

#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let long = "x".repeat(101);
    let mut cases = vec![
        ("/reference", Value::Null, unfit("missing_field", "/reference")),
        ("/reference", json!("x".repeat(65)), invalid("/reference")),
        ("/currency", json!("USD"), unfit("currency_mismatch", "/currency")),
        ("/currency", json!("eur"), unfit("currency_mismatch", "/currency")),
        ("/currency", json!("€"), unfit("currency_mismatch", "/currency")),
        ("/currency", Value::Null, unfit("missing_field", "/currency")),
        ("/channel", json!(long), invalid("/channel")),
        ("/channel", json!(""), invalid("/channel")),
        ("/store", json!("a\u{0}b"), invalid("/store")),
        ("/lines/0/id", Value::Null, unfit("missing_field", "/lines/0/id")),
        ("/lines/0/id", json!("x".repeat(65)), invalid("/lines/0/id")),
        ("/lines/0/sku", json!(" x"), invalid("/lines/0/sku")),
        ("/lines/0/category", json!("a\nb"), invalid("/lines/0/category")),
        ("/lines", Value::Null, unfit("missing_field", "/lines")),
        ("/lines", json!({}), invalid("/lines")),
        ("/lines", json!("1"), invalid("/lines")),
        ("/enrol", json!("yes"), invalid("/enrol")),
        ("/colour", json!("red"), unfit("unknown_field", "/colour")),
        ("/lines/0/colour", json!("red"), unfit("unknown_field", "/lines/0/colour")),
        ("/discounts/0/percent", json!("10"), unfit("unknown_field", "/discounts/0/percent")),
        ("/__proto__", json!({}), unfit("unknown_field", "/__proto__")),
        ("/earned", json!(1_000), unfit("unknown_field", "/earned")),
    ];
    for bad in [
        json!(""),
        json!("a/b"),
        json!("ä"),
        json!(" x"),
        json!("x "),
        json!("-x"),
        json!("a b"),
        json!("a\u{0}"),
        json!(7),
    ] {
        cases.push(("/reference", bad, invalid("/reference")));
    }
    all_refused(cases).await;
}

#[tokio::test]
async fn members_who_are_none_are_refused() {
    all_refused(vec![
        ("/member", json!({}), invalid("/member")),
        ("/member", json!("c-17"), invalid("/member")),
        ("/member", json!({ "external_id": "c-17", "email": "ana@example.com" }), invalid("/member")),
        ("/member", json!({ "id": NOBODY, "card": "1" }), invalid("/member")),
        ("/member", json!({ "name": "Ana" }), unfit("unknown_field", "/member/name")),
        ("/member", json!({ "id": "x" }), invalid("/member/id")),
        ("/member", json!({ "email": "x" }), invalid("/member/email")),
        ("/member", json!({ "phone": "0612345678" }), invalid("/member/phone")),
        ("/member", json!({ "external_id": "" }), invalid("/member/external_id")),
        ("/member", json!({ "card": 7 }), invalid("/member/card")),
        ("/member", json!({ "external_id": "nobody" }), (404, "member_unknown", Some("/member"))),
        ("/member", json!({ "id": NOBODY }), (404, "member_unknown", Some("/member"))),
    ])
    .await;
}

#[tokio::test]
async fn a_reference_is_one_orders_and_one_members() {
    let scene = Scene::new().await;
    let first = json!({ "reference": "1001", "member": { "id": scene.member }, "currency": "EUR",
        "lines": [{ "id": "1", "quantity": 3, "amount": "30" }, { "id": "free", "amount": "0" },
            { "id": "s", "kind": "shipping", "amount": "5" }] });
    let conflict = (409, "idempotency_conflict", None);
    for (what, pointer, value) in [
        ("another amount", "/lines/0/amount", json!("31")),
        ("another member", "/member", json!({ "external_id": "c-18" })),
        ("a guest", "/member", Value::Null),
        ("points", "/points", json!({ "spend": 1 })),
    ] {
        scene.refuses(what, &scene.shop.post("/v1/orders", &with(&first, pointer, value)).await, conflict).await;
    }
    let again = scene.shop.post("/v1/orders", &first).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")), "{}", again.text);
}

/// A yen has no parts, a Kuwaiti dinar a thousand.
#[tokio::test]
async fn a_currency_has_the_places_that_it_has() {
    for (currency, value, good, bad) in [("JPY", "1", "10", "10.5"), ("KWD", "0.001", "10.125", "10.1255")] {
        let program = format!(
            "program = {{ name = \"P\", currency = \"{currency}\", timezone = \"Asia/Tokyo\" }}\n[wallets]\n\
             points = {{ kind = \"redeemable\", value = \"{value}\" }}\n[earning]\nbase = {{ award = {{ per = \"1\", points = 1 }} }}"
        );
        let scene = Scene::of(&program, currency).await;
        let order = json!({ "reference": "2", "member": { "id": scene.member }, "currency": currency,
            "lines": [{ "id": "1", "amount": bad }] });
        scene.refuses(currency, &scene.shop.post("/v1/orders", &order).await, invalid("/lines/0/amount")).await;
        let settled = scene.shop.post("/v1/orders", &with(&order, "/lines/0/amount", json!(good))).await;
        assert_eq!((settled.status, settled.json["charged"].as_str()), (201, Some(good)), "{}", settled.text);
    }
}
