//! Discounts: worked out for a quote, verified for an order, limited, and given back.

use crate::kernel::id::Version;
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, DiscountedLine, StatedDiscount};
use crate::loyalty::checkout::cases::golden::g1;
use crate::loyalty::checkout::cases::{Shop, all, goods, lines, money, pieces, program, refused};
use crate::loyalty::checkout::error::{DiscountRefusal, OrderRefusal};
use crate::loyalty::checkout::receipt::{DiscountOf, DiscountReceipt, FlagReceipt, OrderReceipt};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::account::Status;

/// Ten percent of shoes, then ten euro off all; with a code twenty percent of all instead of the ten euro.
const TWO_STACKS: &str = "[discounts.item]\nstack = \"item\"\nbenefit = { percent = \"10\", of = 'line.category == \"shoes\"' }\n\
    [discounts.order]\nstack = \"order\"\nwhen = 'order.products >= 50'\nbenefit = { amount = \"10.00\" }\n\
    [discounts.summer]\nstack = \"order\"\ncodes = [\"Summer 20\"]\nbenefit = { percent = \"20\" }\n";

fn shop_of(discounts: &str) -> Shop {
    Shop::new("2026-06-10T12:00:00Z", &document(discounts))
}

pub(super) fn document(discounts: &str) -> String {
    format!("{}{discounts}", program("expiry = \"never\"", ""))
}

/// The cart of G1, of which one line is of shoes.
fn shoes() -> Cart {
    let mut cart = Cart { discounts: Vec::new(), total: None, points: Points::ZERO, ..g1() };
    cart.lines.iter_mut().take(1).for_each(|line| line.category = Some("shoes".into()));
    cart
}

pub(super) fn off(code: &str, lines: &[(&str, &str)]) -> StatedDiscount {
    let lines = lines.iter().map(|(id, off)| DiscountedLine { id: (*id).into(), amount: money(off) });
    StatedDiscount { code: code.into(), lines: lines.collect() }
}

pub(super) fn with(discounts: &[StatedDiscount], cart: Cart) -> Cart {
    Cart { discounts: discounts.to_vec(), ..cart }
}

/// What the storefront says of what a quote took off.
fn stated(quoted: &OrderReceipt) -> Vec<StatedDiscount> {
    let stated = |discount: &DiscountReceipt| {
        let lines = discount.lines.iter().map(|line| (line.id.clone(), line.amount.0.to_string()));
        let lines: Vec<(String, String)> = lines.collect();
        let lines: Vec<(&str, &str)> = lines.iter().map(|(id, amount)| (id.as_str(), amount.as_str())).collect();
        off(&discount.code, &lines)
    };
    quoted.discounts.iter().map(stated).collect()
}

/// Code and amount of what came off.
pub(super) fn came_off(receipt: &OrderReceipt) -> Vec<(&str, String)> {
    let amount = |discount: &DiscountReceipt| discount.amount.0.to_string();
    receipt.discounts.iter().map(|discount| (discount.code.as_str(), amount(discount))).collect()
}

pub(super) fn skipped(receipt: &OrderReceipt) -> Vec<(&str, &str)> {
    receipt.skipped_discounts.iter().map(|skipped| (skipped.discount.as_str(), skipped.reason.as_str())).collect()
}

impl Shop {
    pub(super) fn quote(&mut self, cart: Cart) -> OrderReceipt {
        let order = SettleOrder { quoted: true, ..self.settle(OrderedAt::Now, "quote", cart) };
        self.ledger.clone().post(&self.scope, order, self.now, &self.timeline).unwrap().receipt
    }

    /// The order that follows a quote: with what that took off.
    fn order_as_quoted(&mut self, reference: &str, cart: Cart) -> OrderReceipt {
        let quoted = self.quote(cart.clone());
        let receipt = self.order(reference, with(&stated(&quoted), cart));
        let figures = |receipt: &OrderReceipt| {
            (receipt.lines.clone(), receipt.discounts.clone(), receipt.rows.clone(), receipt.paid)
        };
        assert_eq!(figures(&receipt), figures(&quoted));
        receipt
    }

    /// Why a discount is not what a quote would give: what it would, the reason, and what is better.
    pub(super) fn differs(&mut self, cart: Cart) -> (usize, String, Option<&'static str>, Option<String>) {
        match self.refused_order("refused", cart) {
            OrderRefusal::Discount(refusal) => match *refusal {
                DiscountRefusal::Differs { at, ours, reason, better, .. } => (at, ours.0.to_string(), reason, better),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn g1_its_two_discounts_are_worked_out_to_the_cent_and_settled_as_quoted() {
    let mut shop = shop_of(TWO_STACKS);
    let receipt = shop.order_as_quoted("1", shoes());
    assert_eq!(came_off(&receipt), [("item", "9.00".into()), ("order", "10.00".into())]);
    assert_eq!(stated(&receipt), g1().discounts);
    assert!(receipt.discounts.iter().all(|discount| discount.of == DiscountOf::Program));
    assert_eq!(receipt.charged.0.to_string(), "107.34");
    // Whatever the quote's order said of them is worked out again; the shop's own come off first and stay.
    let own = off("voucher", &[("mug", "2.50")]);
    let quoted = shop.quote(with(&[off("order", &[("mug", "1.00")]), own], shoes()));
    assert_eq!(came_off(&quoted), [("voucher", "2.50".into()), ("item", "9.00".into()), ("order", "10.00".into())]);
    assert_eq!(quoted.discounts[0].of, DiscountOf::Shop);
    let receipt = shop.order("2", with(&stated(&quoted), shoes()));
    assert_eq!(came_off(&receipt), came_off(&quoted));
}

#[test]
fn of_a_stack_the_one_applies_that_takes_most_off_and_of_equals_the_first() {
    let mut shop = shop_of(TWO_STACKS);
    // 20 % of 117.34 that the stack before left.
    let entered = |code: &str| Cart { entered: vec![code.into()], ..shoes() };
    let quoted = shop.quote(entered("SUMMER 20"));
    assert_eq!(came_off(&quoted), [("item", "9.00".into()), ("summer", "23.47".into())]);
    assert_eq!(skipped(&quoted), [("order", "stack_had_better")]);
    assert_eq!(quoted.skipped_discounts[0].better.as_deref(), Some("summer"));
    let quoted = shop.quote(entered("WINTER"));
    assert_eq!((came_off(&quoted).len(), quoted.unknown_codes), (2, vec!["WINTER".to_owned()]));
    // Below the threshold; nothing is said of a code that nobody entered.
    let quoted = shop.quote(goods("49.99"));
    assert_eq!(
        (came_off(&quoted), skipped(&quoted)),
        (vec![], vec![("item", "no_matching_lines"), ("order", "condition_false")])
    );
    let twins = "[discounts.a]\nstack = \"s\"\nbenefit = { amount = \"5.00\" }\n[discounts.b]\nstack = \"s\"\nbenefit = { percent = \"5\" }\n";
    let mut shop = shop_of(twins);
    assert_eq!(came_off(&shop.quote(goods("100.00"))), [("a", "5.00".into())]);
    assert_eq!(came_off(&shop.quote(goods("100.20"))), [("b", "5.01".into())]);
}

#[test]
fn pieces_have_a_fixed_price_and_shipping_is_free() {
    let mut shop = shop_of(
        "[discounts.three]\nbenefit = { price = \"3.00\", of = 'line.sku == \"\"' }\n[discounts.free]\nbenefit = { free_shipping = true }\n\
         [discounts.never]\nbenefit = { price = \"3.00\" }\n",
    );
    let receipt = shop.order_as_quoted("1", shoes());
    assert_eq!(
        came_off(&receipt),
        // 89.99 - 3, 23.85 - 9 and 12.50 - 3; shipping as it is.
        [("three", "111.34".into()), ("free", "4.95".into())]
    );
    assert_eq!((receipt.charged.0.to_string(), receipt.shipping.0.to_string()), ("15.00".into(), "0.00".into()));
    assert_eq!(skipped(&shop.quote(shoes())), [("never", "takes_nothing")]);
}

#[test]
fn an_order_may_leave_a_discount_out_and_names_none_that_a_quote_would_not_give() {
    let mut shop = shop_of(TWO_STACKS);
    let (item, order) =
        (off("item", &[("shoes", "9.00")]), off("order", &[("shoes", "6.90"), ("socks", "2.03"), ("mug", "1.07")]));
    let summer = |amount: &str| off("summer", &[("shoes", amount)]);
    // Another amount, or other lines.
    let more = off("item", &[("shoes", "9.01")]);
    assert_eq!(shop.differs(with(&[more], shoes())), (0, "9.00".into(), None, None));
    let elsewhere = off("order", &[("shoes", "6.91"), ("socks", "2.02"), ("mug", "1.07")]);
    assert_eq!(shop.differs(with(&[item.clone(), elsewhere], shoes())), (1, "10.00".into(), None, None));
    // A code that was not entered; one that was makes the other one the worse.
    assert_eq!(shop.differs(with(&[summer("20.00")], shoes())), (0, "0.00".into(), Some("code_not_given"), None));
    let entered = Cart { entered: vec!["SUMMER 20".into()], ..shoes() };
    let better = (1, "0.00".into(), Some("stack_had_better"), Some("summer".to_owned()));
    assert_eq!(shop.differs(with(&[item.clone(), order.clone()], entered)), better);
    // Two of a stack.
    let twice = shop.refused_order("1", with(&[item.clone(), order, summer("1.00")], shoes()));
    assert_eq!(twice, Box::new(DiscountRefusal::Twice { at: 2, other: 1, code: "summer".into() }).into());
    shop.change_status("s", Status::Suspended).unwrap();
    assert_eq!(shop.differs(with(&[item], shoes())), (0, "0.00".into(), Some("member_suspended"), None));
    shop.change_status("a", Status::Active).unwrap();
    // The stack before is passed over: ten euro of what the lines cost.
    let alone = off("order", &[("shoes", "7.12"), ("socks", "1.89"), ("mug", "0.99")]);
    assert_eq!(came_off(&shop.order("1", with(&[alone], shoes()))), [("order", "10.00".into())]);
    assert_eq!(shop.order("2", shoes()).discounts, []);
}

#[test]
fn a_quote_is_kept_for_a_day_after_its_version() {
    let (ten, five) = (
        document("[discounts.d]\nbenefit = { percent = \"10\" }\n"),
        document("[discounts.d]\nbenefit = { percent = \"5\" }\n"),
    );
    let gone = document("");
    let mut shop = Shop::with_versions(
        "2026-06-10T12:00:00Z",
        &[("2026-06-10T12:00:00Z", &ten), ("2026-06-12T12:00:00Z", &five), ("2026-06-20T12:00:00Z", &gone)],
    );
    let cart = |amount: &str| with(&[off("d", &[("1", amount)])], goods("100.00"));
    let settle = |shop: &mut Shop, version, reference: &str, amount: &str| {
        let order =
            SettleOrder { valid_with: Some(Version(version)), ..shop.settle(OrderedAt::Now, reference, cart(amount)) };
        refused(shop.post(order))
    };
    shop.at("2026-06-12T13:00:00Z");
    assert_eq!(shop.differs(cart("10.00")), (0, "5.00".into(), None, None));
    assert_eq!(settle(&mut shop, 1, "1", "10.00").unwrap().program_version, 2);
    settle(&mut shop, 2, "2", "5.00").unwrap();
    shop.at("2026-06-13T11:59:59Z");
    settle(&mut shop, 1, "3", "10.00").unwrap();
    shop.at("2026-06-13T12:00:01Z");
    let old = |valid_with, decides| {
        let (valid_with, decides) = (Version(valid_with), Version(decides));
        OrderRefusal::from(Box::new(DiscountRefusal::QuoteTooOld { valid_with, decides }))
    };
    assert_eq!(settle(&mut shop, 1, "4", "10.00").unwrap_err(), old(1, 2));
    assert_eq!(settle(&mut shop, 7, "4", "10.00").unwrap_err(), old(7, 2));
    shop.at("2026-06-20T13:00:00Z");
    settle(&mut shop, 2, "5", "5.00").unwrap();
    assert_eq!(shop.differs(cart("5.00")), (0, "0.00".into(), Some("not_in_version"), None));
}

#[test]
fn uses_are_limited_by_member_and_for_all_and_come_back_with_the_whole_order() {
    let limits = "[discounts.d]\nbenefit = { amount = \"5.00\" }\nlimits = { per_member = { uses = 2, each = \"P1M\" }, total = { uses = 3 } }\n";
    let mut shop = shop_of(limits);
    let two = || lines(&[("a", 1, "10.00"), ("b", 1, "10.00")]);
    for reference in ["1", "2"] {
        assert_eq!(came_off(&shop.order_as_quoted(reference, two())), [("d", "5.00".into())]);
    }
    let stated_one = with(&[off("d", &[("a", "2.50"), ("b", "2.50")])], two());
    assert_eq!(skipped(&shop.quote(two())), [("d", "limit_reached")]);
    assert_eq!(shop.differs(stated_one.clone()), (0, "0.00".into(), Some("limit_reached"), None));
    // A sale that has happened had it all the same, and it is no use.
    let flagged = shop.stated_order("3", stated_one);
    let flag = |reason: Option<&str>| FlagReceipt::DiscountDiffers {
        discount: "d".into(),
        stated: flagged.discounts[0].amount,
        ours: flagged.gift_card,
        reason: reason.map(str::to_owned),
    };
    assert_eq!((flagged.flags.clone(), flagged.discounts[0].uncounted), (vec![flag(Some("limit_reached"))], true));
    assert_eq!(shop.give_back("3", "r", all()).uses_given_back, Vec::<String>::new());
    // Half of an order is still an order.
    assert_eq!(shop.give_back("1", "r", pieces(&[("a", 1)])).uses_given_back, Vec::<String>::new());
    assert_eq!(came_off(&shop.quote(two())), []);
    assert_eq!(shop.give_back("1", "s", pieces(&[("b", 1)])).uses_given_back, ["d"]);
    assert_eq!(came_off(&shop.order_as_quoted("4", two())), [("d", "5.00".into())]);
    // The next month has its own; all together have one more.
    shop.at("2026-07-10T12:00:00Z");
    shop.order_as_quoted("5", two());
    assert_eq!(skipped(&shop.quote(two())), [("d", "limit_reached")]);
    // Two members' uses count together when they become one.
    let mut shop = shop_of(&limits.replace("total = { uses = 3 }", "total = { uses = 9 }"));
    shop.order_as_quoted("1", two());
    shop.merge_into(3);
    shop.order_as_quoted("2", two());
    assert_eq!(skipped(&shop.quote(two())), [("d", "limit_reached")]);
    assert_eq!(shop.give_back("1", "r", all()).uses_given_back, ["d"]);
    assert_eq!(came_off(&shop.quote(two())).len(), 1);
}

#[test]
fn a_sale_that_has_happened_is_taken_as_stated_and_flagged() {
    let mut shop = shop_of(TWO_STACKS);
    let discounts = [
        off("item", &[("shoes", "9.50")]),
        off("order", &[("mug", "9.00")]),
        off("summer", &[("mug", "1.00")]),
        off("own", &[("mug", "1.00")]),
    ];
    let receipt = shop.stated_order("1", with(&discounts, shoes()));
    assert_eq!(stated(&receipt), discounts);
    let says = |flag: &FlagReceipt| match flag {
        FlagReceipt::DiscountDiffers { discount, ours, .. } => format!("{discount}: {}", ours.0),
        FlagReceipt::DiscountTwice { discount } => format!("{discount} twice"),
        other => panic!("{other:?}"),
    };
    let flags: Vec<String> = receipt.flags.iter().map(says).collect();
    assert_eq!(flags, ["item: 9.00", "summer twice", "order: 10.00"]);
}
