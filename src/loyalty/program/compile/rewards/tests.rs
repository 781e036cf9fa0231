//! What is wrong with rewards, and where.

use crate::loyalty::program::document::Document;

fn document(rewards: &str) -> String {
    format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }}\n\
         wallets = {{ points = {{ kind = \"redeemable\", value = \"0.01\", by_hand = true }}, status = {{ kind = \"qualifying\" }} }}\n\
         tiers = {{ wallet = \"status\", ladder = [{{ code = \"gold\", from = \"100.00\" }}] }}\n[perks.lounge]\n{rewards}"
    )
}

#[test]
fn every_mistake_is_named_at_its_place() {
    let cost = "cost = { points = 500 }\n";
    let gives = "gives = { product = \"mug\" }\n";
    for (fields, says) in [
        (gives.to_owned(), "/rewards/a/cost/points: is 1 to 10^15 points"),
        (
            cost.to_owned(),
            "/rewards/a/gives: has one of `voucher`, `product`, `free_shipping`, `gift_card`, `perk`, `custom`",
        ),
        (
            format!("{gives}cost = {{ points = 5, tiers = {{ silver = 3 }} }}"),
            "/rewards/a/cost/tiers/silver: is no tier",
        ),
        (format!("{cost}gives = {{ voucher = {{}} }}"), "/rewards/a/gives/voucher: has either `amount` or `percent`"),
        (
            format!("{cost}gives = {{ voucher = {{ percent = \"101\" }} }}"),
            "/rewards/a/gives/voucher/percent: is more than 0 and at most 100",
        ),
        (format!("{cost}gives = {{ gift_card = \"0\" }}"), "/rewards/a/gives/gift_card: is more than 0"),
        (format!("{cost}gives = {{ perk = \"sauna\" }}"), "/rewards/a/gives/perk: is no perk of this document"),
        (
            format!("{cost}gives = {{ product = \"mug\", custom = \"hug\" }}"),
            "/rewards/a/gives/custom: does not go with `product`",
        ),
        (format!("{cost}gives = {{ free_shipping = true, valid = \"90\" }}"), "/rewards/a/gives/valid: "),
        (format!("{cost}{gives}wallet = \"status\""), "/rewards/a/wallet: is not a redeemable wallet"),
        (format!("{cost}{gives}limits = {{}}"), "/rewards/a/limits: has `stock`, `per_member`, or both"),
        (format!("{cost}{gives}limits = {{ stock = -1 }}"), "/rewards/a/limits/stock: must not be negative"),
        (
            format!("{cost}{gives}limits = {{ per_member = {{ uses = 0 }} }}"),
            "/rewards/a/limits/per_member/uses: must be 1 or more",
        ),
    ] {
        let found = Document::from_toml(&document(&format!("[rewards.a]\n{fields}\n"))).unwrap_err();
        let found: Vec<String> = found.iter().map(|m| format!("{}: {}", m.pointer, m.message)).collect();
        assert!(found.len() == 1 && found[0].starts_with(says), "{fields}: {found:?}");
    }
    let good = "[rewards.five_off]\ncost = { points = 500, tiers = { gold = 400 } }\n\
        gives = { voucher = { amount = \"5.00\" }, valid = \"P90D\" }\n\
        limits = { stock = 10_000, per_member = { uses = 4, each = \"P1Y\" } }\ntext.en = { title = \"5 euro off\" }\n";
    let read = Document::from_toml(&document(good)).unwrap();
    assert_eq!(Document::from_toml(&read.to_toml().unwrap()).unwrap(), read);
}
