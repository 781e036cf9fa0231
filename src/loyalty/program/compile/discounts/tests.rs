//! What is wrong with discounts, and where.

use crate::kernel::id::Version;
use crate::kernel::money::Money;
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::model::discounts::Benefit;
use crate::loyalty::program::slots::{Slots, assign_slots};

fn document(discounts: &str) -> String {
    format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }}\n\
         wallets = {{ points = {{ kind = \"redeemable\", value = \"0.01\", by_hand = true }} }}\n{discounts}"
    )
}

fn wrong(discounts: &str) -> Vec<String> {
    let mistakes = Document::from_toml(&document(discounts)).unwrap_err();
    mistakes.iter().map(|mistake| format!("{}: {}", mistake.pointer, mistake.message)).collect()
}

#[test]
fn every_mistake_is_named_at_its_place() {
    let of = |fields: &str| wrong(&format!("[discounts.a]\n{fields}\n"));
    let ok = "benefit = { percent = \"10\" }\n";
    for (fields, says) in [
        ("", "/discounts/a/benefit: has one of `percent`, `amount`, `price` and `free_shipping`"),
        ("benefit = { percent = \"10\", amount = \"1\" }", "/discounts/a/benefit/amount: does not go with `percent`"),
        ("benefit = { percent = \"100.5\" }", "/discounts/a/benefit/percent: is more than 0 and at most 100"),
        ("benefit = { percent = \"0\" }", "/discounts/a/benefit/percent: is more than 0, at most 1000000"),
        ("benefit = { amount = \"1.005\" }", "/discounts/a/benefit/amount: is too large, or has more decimal places"),
        ("benefit = { price = \"-1\" }", "/discounts/a/benefit/price: is not a decimal"),
        ("benefit = { percent = \"10\", of = 'line.skew == \"\"' }", "/discounts/a/benefit/of: `line` has no `skew`"),
        (&format!("{ok}when = 'line.sku == \"\"'"), "/discounts/a/when: there is no `line`"),
        (&format!("{ok}audience = {{ tiers = [\"gold\"] }}"), "/discounts/a/audience/tiers/0: is no tier"),
        (
            &format!("{ok}schedule = {{ from = \"2026-01-02T00:00\", until = \"2026-01-01T00:00\" }}"),
            "/discounts/a/schedule/until: is not after `from`",
        ),
        (&format!("{ok}stack = \"A b\""), "/discounts/a/stack: a code is"),
        (&format!("{ok}limits = {{}}"), "/discounts/a/limits: has `per_member`, `total`, or both"),
        (&format!("{ok}limits = {{ total = {{ uses = 0 }} }}"), "/discounts/a/limits/total/uses: must be 1 or more"),
        (
            &format!("{ok}limits = {{ per_member = {{ uses = 1, each = \"P2D\" }} }}"),
            "/discounts/a/limits/per_member/each: ",
        ),
        (&format!("{ok}codes = [\"x\", \" X \"]"), "/discounts/a/codes/1: is named twice"),
        (&format!("{ok}codes = [\" \"]"), "/discounts/a/codes/0: is 1 to 64 printable characters"),
    ] {
        let found = of(fields);
        assert_eq!(found.len(), 1, "{fields}: {found:?}");
        assert!(found[0].starts_with(says), "{fields}: {found:?}");
    }
    let two = wrong(&format!("[discounts.a]\n{ok}codes = [\"x\"]\n[discounts.b]\n{ok}codes = [\"X\"]\n"));
    assert_eq!(two, ["/discounts/b/codes/0: is a code of a, too"]);
    let many: String = (0..=200).map(|i| format!("[discounts.d{i}]\n{ok}")).collect();
    assert_eq!(wrong(&many), ["/discounts: a programme has at most 200 discounts"]);
    let heavy = "of = 'line.quantity in [1, 2, 3] && line.sku.contains(\"a\") && line.sku.contains(\"b\")'";
    let many: String =
        (0..100).map(|i| format!("[discounts.d{i}]\nbenefit = {{ percent = \"10\", {heavy} }}\n")).collect();
    assert!(wrong(&many)[0].starts_with("/discounts: the conditions may take"), "{:?}", wrong(&many));
}

#[test]
fn stacks_stand_in_the_order_in_which_they_are_named_and_slots_stay() {
    let text = document(
        "[discounts.a]\nstack = \"s\"\nbenefit = { percent = \"10\" }\n\
         [discounts.b]\nbenefit = { amount = \"5\" }\nlimits = { per_member = { uses = 3, each = \"P1M\" } }\n\
         [discounts.c]\nstack = \"s\"\nbenefit = { free_shipping = true }\n[discounts.d]\nbenefit = { price = \"1\" }\n",
    );
    let document = Document::from_toml(&text).unwrap();
    assert_eq!(Document::from_toml(&document.to_toml().unwrap()).unwrap(), document);
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    let book = compile(&document, Version(1), chrono::DateTime::UNIX_EPOCH, &slots).unwrap();
    let stacks: Vec<usize> = book.discounts.iter().map(|discount| discount.stack).collect();
    assert_eq!(stacks, [0, 1, 0, 2]);
    assert_eq!(book.discount("b").unwrap().benefit, Benefit::Amount(Money::from_minor(500).unwrap()));
    let cap = book.discount("b").unwrap().per_member.unwrap();
    assert_eq!((slots.rules["b.uses"], cap.points.get()), (cap.slot, 3));
}
