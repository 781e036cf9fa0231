//! Rules with conditions: on lines, and on the order, the member and the time.

use serde_json::{Value, json};

use crate::loyalty::checkout::cart::{Cart, CartLine, Place};
use crate::loyalty::checkout::cases::golden::{g1, g1_shop_of};
use crate::loyalty::checkout::cases::{Shop, all, goods, lines, program};
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::members::model::ProfilePatch;
use crate::loyalty::membership::change::ChangeProfile;
use crate::loyalty::program::facts::Values;

/// What each rule gave, with what it would have been.
fn rows(receipt: &OrderReceipt) -> Vec<(&str, i64, Option<i64>)> {
    receipt.rows.iter().map(|row| (row.rule.as_str(), row.points, row.uncut)).collect()
}

/// What a rule gave by each line that got anything.
fn parts<'r>(receipt: &'r OrderReceipt, rule: &str) -> Vec<(&'r str, i64)> {
    let row = receipt.rows.iter().filter(|row| row.rule == rule);
    row.flat_map(|row| &row.lines).map(|part| (part.id.as_str(), part.points)).collect()
}

fn skipped(receipt: &OrderReceipt) -> Vec<(&str, &str, Option<&str>)> {
    let skipped = receipt.skipped.iter();
    skipped.map(|skipped| (skipped.rule.as_str(), skipped.reason.as_str(), skipped.detail.as_deref())).collect()
}

/// A shop whose base rule is followed by these.
fn shop(now: &str, rules: &str) -> Shop {
    Shop::new(now, &(program("expiry = \"never\"", "") + rules))
}

/// A cart whose lines have a kind, category and brand.
fn described(cart: Cart, of: impl Fn(&str) -> (LineKind, &'static str, &'static str)) -> Cart {
    let line = |line: CartLine| {
        let (kind, category, brand) = of(&line.id);
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        CartLine { kind, category: said(category), brand: said(brand), ..line }
    };
    Cart { lines: cart.lines.into_iter().map(line).collect(), ..cart }
}

/// Lines whose ids are their categories, but for one of shipping; `acme` makes bags.
fn assorted(stated: &[(&str, u32, &str)]) -> Cart {
    described(lines(stated), |id| match id {
        "shipping" => (LineKind::Shipping, "", ""),
        "shoes" => (LineKind::Product, "shoes", "other"),
        "bag" => (LineKind::Product, "bag", "acme"),
        _ => (LineKind::Product, "", ""),
    })
}

#[test]
fn g1_doubles_the_shoes_up_to_the_cap() {
    let document = program("expiry = { after = \"P12M\" }", "")
        + "[earning.shoes_double]\nlines = 'line.category == \"shoes\"'\naward = { multiply = \"2\" }\n\
           caps = { per_member = { points = 40, each = \"P1M\" } }\n";
    let mut shop = g1_shop_of(&document);
    let shoes = |id: &str| match id {
        "shipping" => (LineKind::Shipping, "", ""),
        "shoes" => (LineKind::Product, "shoes", ""),
        _ => (LineKind::Product, "socks", ""),
    };
    let receipt = shop.order("1001", described(g1(), shoes));
    // 49.83 of shoes.
    assert_eq!(rows(&receipt), [("base", 72, None), ("shoes_double", 40, Some(49))]);
    assert_eq!(parts(&receipt, "shoes_double"), [("shoes", 40)]);
    assert_eq!(receipt.lines.iter().map(|line| line.earned).collect::<Vec<_>>(), [90, 14, 8, 0]);
}

#[test]
fn the_first_order_is_one_before_which_there_was_none() {
    let rules = "[earning.first]\nwhen = 'member.order_count == 0'\naward = { points = 100 }\n\
                 [earning.back_again]\nwhen = 'member.days_since_last_order >= 90'\naward = { points = 10 }\n\
                 [earning.old_friend]\nwhen = 'member.days_enrolled >= 100'\naward = { points = 1 }\n";
    let mut shop = shop("2026-01-10T12:00:00Z", rules);
    let unknown = Some("`member.days_since_last_order` is not known");
    let first = shop.order("1", goods("10.00"));
    assert_eq!(rows(&first), [("base", 10, None), ("first", 100, None)]);
    let not_yet = ("old_friend", "condition_false", None);
    assert_eq!(skipped(&first), [("back_again", "condition_failed", unknown), not_yet]);
    // Half past eleven in Amsterdam: the 89th day.
    let second = shop.at("2026-04-09T21:30:00Z").order("2", goods("10.00"));
    assert_eq!(rows(&second), [("base", 10, None)]);
    let again = shop.late_order("2026-04-09T12:00:00Z", "3", goods("10.00"));
    assert_eq!(skipped(&again)[0], ("first", "condition_false", None));
    let third = shop.at("2026-07-07T22:00:00Z").order("4", goods("10.00"));
    assert_eq!(rows(&third), [("base", 10, None), ("back_again", 10, None), ("old_friend", 1, None)]);
    // A day before the last order, handed in late: no days have passed since.
    let late = shop.late_order("2026-07-07T12:00:00Z", "5", goods("10.00"));
    assert_eq!(skipped(&late)[1], ("back_again", "condition_false", None));
    for order in ["1", "2", "3", "4", "5"] {
        shop.give_back(order, &format!("r{order}"), all());
    }
    // What came back in full was none.
    let anew = shop.order("6", goods("10.00"));
    assert_eq!(rows(&anew), [("base", 10, None), ("first", 100, None), ("old_friend", 1, None)]);
    assert_eq!(skipped(&anew), [("back_again", "condition_failed", unknown)]);
}

#[test]
fn weekends_are_the_shops_own() {
    let rules = "[earning.weekend]\nwhen = 'now.weekday in [6, 7]'\naward = { multiply = \"1.5\" }\n\
                 [earning.later]\nschedule = { from = \"2027-01-01T00:00\" }\nwhen = '1 / 0 > 1'\naward = { points = 1 }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let weekdays = [("base", 10, None)];
    let weekend = [("base", 10, None), ("weekend", 5, None)];
    for (name, at, want) in [
        ("friday", "2026-12-11T22:59:59Z", &weekdays[..]),
        ("saturday", "2026-12-11T23:00:00Z", &weekend),
        ("sunday", "2026-12-13T22:59:59Z", &weekend),
        ("monday", "2026-12-13T23:00:00Z", &weekdays),
    ] {
        let receipt = shop.at(at).order(name, goods("10.00"));
        assert_eq!(rows(&receipt), want, "{name}");
        // What is not scheduled is not asked, and not told.
        let told = if want.len() == 1 { vec![("weekend", "condition_false", None)] } else { vec![] };
        assert_eq!(skipped(&receipt), told, "{name}");
    }
    // By when it was placed, not by when it came in.
    assert_eq!(rows(&shop.late_order("2026-12-12T12:00:00Z", "late", goods("10.00"))), weekend);
}

#[test]
fn lines_are_picked_by_what_they_are() {
    let rules = "[earning.acme]\nlines = 'line.brand == \"acme\"'\naward = { per = \"1.00\", points = 2 }\n\
                 [earning.steps]\nlines = 'line.category in [\"shoes\", \"bag\"]'\naward = { per = \"10.00\", points = 3, step = true }\n\
                 [earning.no_shoes]\nlines = 'line.category != \"shoes\"'\naward = { points = 7 }\n\
                 [earning.sent]\nlines = 'line.kind == \"shipping\"'\naward = { points = 5 }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let cart = assorted(&[("mug", 1, "5.00"), ("bag", 1, "9.99"), ("shoes", 1, "15.00"), ("shipping", 1, "4.95")]);
    let receipt = shop.order("1", cart);
    let want = [("base", 29, None), ("acme", 19, None), ("steps", 6, None), ("no_shoes", 7, None), ("sent", 5, None)];
    assert_eq!((rows(&receipt), skipped(&receipt)), (want.to_vec(), vec![]));
    assert_eq!(parts(&receipt, "acme"), [("bag", 19)]);
    assert_eq!(parts(&receipt, "steps"), [("bag", 2), ("shoes", 4)]);
    assert_eq!(parts(&receipt, "no_shoes"), [("mug", 2), ("bag", 5)]);
    assert_eq!(parts(&receipt, "sent"), [("shipping", 5)]);
    // Shipping has no category either, but nobody meant it; and what costs nothing earns what is fixed.
    let receipt = shop.order("2", assorted(&[("shoes", 1, "10.00"), ("shipping", 1, "4.95")]));
    assert_eq!(rows(&receipt), [("base", 10, None), ("steps", 3, None), ("sent", 5, None)]);
    let none = |rule| (rule, "no_matching_lines", None);
    assert_eq!(skipped(&receipt), [none("acme"), none("no_shoes")]);
    let receipt = shop.order("3", assorted(&[("shoes", 1, "10.00"), ("mug", 1, "0.00")]));
    assert_eq!(parts(&receipt, "no_shoes"), [("mug", 7)]);
    // They come back with their lines.
    let back = shop.give_back("3", "r3", all());
    assert_eq!(back.points_clawed_back("points").next().map(|back| back.points), Some(10 + 3 + 7));
}

#[test]
fn a_multiplier_takes_what_both_match() {
    let rules = "[earning.bags]\nlines = 'line.category == \"bag\"'\naward = { per = \"1.00\", points = 5 }\n\
                 [earning.large]\nwhen = 'order.products >= 100'\naward = { per = \"1.00\", points = 1 }\n\
                 [earning.triple]\nlines = 'line.category != \"shoes\"'\naward = { multiply = \"3\" }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let cart = |mug: &str| assorted(&[("mug", 1, mug), ("bag", 1, "10.00"), ("shoes", 1, "50.00")]);
    // Twice more: of 20.00 a point, and of 10.00 five; of each line what it is worth.
    let receipt = shop.order("1", cart("10.00"));
    assert_eq!(rows(&receipt), [("base", 70, None), ("bags", 50, None), ("triple", 140, None)]);
    assert_eq!(parts(&receipt, "triple"), [("mug", 20), ("bag", 120)]);
    assert_eq!(skipped(&receipt), [("large", "condition_false", None)]);
    // From a hundred on another point of everything, which is tripled too.
    let receipt = shop.order("2", cart("40.00"));
    let want = [("base", 100, None), ("bags", 50, None), ("large", 100, None), ("triple", 300, None)];
    assert_eq!(rows(&receipt), want);
    assert_eq!(parts(&receipt, "triple"), [("mug", 160), ("bag", 140)]);
}

#[test]
fn a_line_of_which_nothing_can_be_told_does_not_match() {
    let rules = "[earning.odd]\nlines = '10 / (line.quantity - 1) > 1'\naward = { points = 3 }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let receipt = shop.order("1", lines(&[("a", 1, "1.00"), ("b", 2, "1.00")]));
    assert_eq!((parts(&receipt, "odd"), skipped(&receipt)), (vec![("b", 3)], vec![]));
    let receipt = shop.order("2", lines(&[("a", 1, "1.00"), ("b", 11, "1.00")]));
    assert_eq!(skipped(&receipt), [("odd", "no_matching_lines", Some("division by zero"))]);
}

#[test]
fn the_order_is_as_charged_and_where_it_was_placed() {
    let rules = "[earning.web]\nwhen = 'order.channel == \"web\" && order.store == \"\"'\naward = { points = 1 }\n\
                 [earning.charged]\nwhen = 'order.total == 112.29 && order.products == 107.34 && order.shipping == 4.95'\naward = { points = 2 }\n\
                 [earning.many]\nwhen = 'order.quantity == 5 && order.lines.exists(l, l.amount == 89.99)'\naward = { points = 4 }\n";
    let mut shop = g1_shop_of(&(program("expiry = \"never\"", "") + rules));
    let placed = Place::of(Some("web".into()), None);
    let order = SettleOrder { place: placed, ..shop.settle(OrderedAt::Now, "1", g1()) };
    let receipt = shop.post(order).unwrap();
    let want = [("base", 72, None), ("web", 1, None), ("charged", 2, None), ("many", 4, None)];
    assert_eq!((rows(&receipt), skipped(&receipt)), (want.to_vec(), vec![]));
    let nowhere = shop.order("2", goods("1.00"));
    let told: Vec<&str> = skipped(&nowhere).iter().map(|(_, reason, _)| *reason).collect();
    assert_eq!(told, ["condition_false"; 3]);
}

#[test]
fn rules_are_for_their_audience() {
    let rules = "[experiments.welcome]\narms = { a = 1_558, b = 1 }\n\
                 [earning.of_a]\naudience = { arms = { welcome = [\"a\"] } }\naward = { points = 1 }\n\
                 [earning.of_both]\naudience = { arms = { welcome = [\"a\", \"b\"] } }\naward = { points = 2 }\n\
                 [earning.second]\naudience = { when = 'member.order_count == 1' }\naward = { points = 4 }\n\
                 [earning.asked]\nwhen = 'member.arms.welcome == \"b\"'\naward = { points = 8 }\n";
    let mut shop = shop("2026-01-10T12:00:00Z", rules);
    // The member stands at place 1,558 of that experiment, counted from zero.
    let receipt = shop.order("1", goods("10.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("of_both", 2, None), ("asked", 8, None)]);
    assert_eq!(skipped(&receipt), [("of_a", "wrong_arm", None), ("second", "condition_false", None)]);
    let receipt = shop.order("2", goods("10.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("of_both", 2, None), ("second", 4, None), ("asked", 8, None)]);
}

#[test]
fn rules_read_what_the_shop_says_of_orders_and_lines() {
    let rules = "[attributes.order]\ngift = { kind = \"flag\" }\n\
                 [attributes.line]\nweight = { kind = \"number\" }\n\
                 [earning.gift]\nwhen = 'order.attributes.gift'\naward = { points = 7 }\n\
                 [earning.heavy]\nlines = 'line.attributes.weight > 2'\naward = { multiply = \"2\" }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let said = |name: &str, value: Value| Values::from_iter([(name.to_owned(), value)]);
    let mut cart = lines(&[("a", 1, "10.00"), ("b", 1, "20.00")]);
    cart.attributes = said("gift", json!(true));
    cart.lines[1].attributes = said("weight", json!("2.5"));
    let receipt = shop.order("1", cart);
    assert_eq!(rows(&receipt), [("base", 30, None), ("gift", 7, None), ("heavy", 20, None)]);
    assert_eq!(parts(&receipt, "heavy"), [("b", 20)]);
    let silent = shop.order("2", lines(&[("a", 1, "10.00")]));
    let told: Vec<(&str, &str)> = skipped(&silent).iter().map(|(rule, reason, _)| (*rule, *reason)).collect();
    assert_eq!(told, [("gift", "condition_failed"), ("heavy", "no_matching_lines")]);
}

#[test]
fn rules_and_discounts_ask_for_what_is_known_of_a_member() {
    let rules = "[attributes.member]\ncity = { kind = \"text\" }\nvip = { kind = \"flag\" }\n\
                 [earning.local]\nwhen = 'member.attributes.city == \"Utrecht\"'\naward = { points = 5 }\n\
                 [discounts.vip]\naudience = { when = 'member.attributes.vip' }\nbenefit = { percent = \"10\" }\n";
    let mut shop = shop("2026-12-01T12:00:00Z", rules);
    let first = shop.order("1", goods("10.00"));
    assert_eq!(rows(&first), [("base", 10, None)]);
    assert_eq!(first.skipped[0].reason, "condition_failed");
    let known = json!({ "city": "Utrecht", "vip": true }).as_object().unwrap().clone();
    let patch = ProfilePatch { attributes: known, ..ProfilePatch::default() };
    let (program, reference, member) = (shop.scope.program(), Reference::keyed("change", "1"), shop.member);
    shop.post(ChangeProfile { program, reference, hash: RequestHash::of(&1), member, patch }).unwrap();
    assert_eq!(rows(&shop.order("2", goods("10.00"))), [("base", 10, None), ("local", 5, None)]);
    let quoted = SettleOrder { quoted: true, ..shop.settle(OrderedAt::Now, "quote", goods("10.00")) };
    let quoted = shop.post(quoted).unwrap();
    assert_eq!(quoted.discounts.iter().map(|discount| discount.code.as_str()).collect::<Vec<_>>(), ["vip"]);
}
