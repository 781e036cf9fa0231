//! Discounts in holds: kept as they were promised, counted while they are, and given back when nobody takes them.

use chrono::Duration;

use crate::loyalty::checkout::cart::{Cart, StatedDiscount};
use crate::loyalty::checkout::cases::discounts::{came_off, document, off, skipped, with};
use crate::loyalty::checkout::cases::{Shop, all, goods, points, refused};
use crate::loyalty::checkout::error::{DiscountRefusal, HoldRefusal, OrderRefusal};
use crate::loyalty::checkout::holds::open_hold::{HeldOrder, OpenHold};
use crate::loyalty::checkout::holds::receipt::{HeldReceipt, HoldStatus};
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::posting::RequestHash;
use crate::loyalty::ledger::settle_due::SettleDue;

const ONCE: &str = "[discounts.ten]\nbenefit = { percent = \"10\" }\nlimits = { per_member = { uses = 1 }, total = { uses = 2, each = \"P1M\" } }\n\
    [discounts.free]\nbenefit = { amount = \"1.00\" }\nstack = \"z\"\n";

impl Shop {
    /// Keeps the discounts of a cart, and points beside them.
    fn keep(&mut self, reference: &str, cart: Cart, n: i64) -> Result<HeldReceipt, HoldRefusal> {
        let posted = self.post(OpenHold {
            reference: reference.into(),
            hash: RequestHash::of(&(reference, n)),
            member: self.member,
            identity: None,
            wallet: None,
            points: points(n),
            order: Some(HeldOrder { cart, place: None, valid_with: None }),
            lasts_s: 900,
        });
        refused(posted)
    }

    /// An order that takes a hold, without points.
    fn take(&mut self, order: &str, hold: &str, cart: Cart) -> Result<OrderReceipt, OrderRefusal> {
        let order = self.settle(OrderedAt::Now, order, cart);
        refused(self.post(SettleOrder { hold: Some(hold.into()), says_points: false, ..order }))
    }

    fn later(&mut self, minutes: i64) -> &mut Self {
        self.now += Duration::minutes(minutes);
        self
    }

    fn uses(&self) -> (Vec<i64>, Vec<i64>) {
        let of_member = self.stored().usage.iter().map(|used| used.points.get()).collect();
        (of_member, self.ledger.counters.values().copied().collect())
    }
}

fn ten(amount: &str) -> StatedDiscount {
    off("ten", &[("1", amount)])
}

fn cart() -> Cart {
    with(&[ten("5.00")], goods("50.00"))
}

fn shop(rules: &str) -> Shop {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &document(rules));
    shop.bring(1_000, "2027-12-31");
    shop
}

#[test]
fn a_hold_keeps_a_use_for_the_order_that_takes_it() {
    let mut shop = shop(ONCE);
    let held = shop.keep("cart", cart(), 0).unwrap();
    assert_eq!((held.wallet, held.points, held.spendable, held.discounts.len()), (None, 0, None, 1));
    assert_eq!(shop.uses(), (vec![1], vec![1]));
    // Nobody else has it meanwhile: no order, no quote, no other hold; but who names the hold.
    assert_eq!(skipped(&shop.quote(goods("50.00"))), [("ten", "limit_reached")]);
    assert!(matches!(shop.keep("other", cart(), 0), Err(HoldRefusal::Discount(_))));
    assert_eq!(shop.differs(cart()), (0, "0.00".into(), Some("limit_reached"), None));
    let order = shop.take("1", "cart", cart()).unwrap();
    assert_eq!((came_off(&order), order.hold.as_ref().unwrap().open), (vec![("ten", "5.00".into())], true));
    assert_eq!((shop.uses(), shop.status("cart")), ((vec![1], vec![1]), HoldStatus::Captured));
    assert_eq!(shop.take("2", "cart", goods("5.00")), Err(HoldRefusal::Captured("1".into()).into()));
    assert_eq!(shop.give_back("1", "r", all()).uses_given_back, ["ten"]);
    assert_eq!(shop.uses(), (vec![], vec![0]));
}

#[test]
fn what_a_hold_promised_comes_off_whatever_has_changed_and_what_it_did_not_is_verified() {
    let five = ONCE.replace("percent = \"10\"", "percent = \"5\"");
    let gone = document("");
    let versions = [("2026-06-10T12:00:00Z", document(ONCE)), ("2026-06-10T12:05:00Z", document(&five))];
    let mut shop = Shop::with_versions(
        "2026-06-10T12:00:00Z",
        &[(versions[0].0, &*versions[0].1), (versions[1].0, &*versions[1].1), ("2026-06-12T12:05:00Z", &*gone)],
    );
    shop.keep("cart", cart(), 0).unwrap();
    shop.at("2026-06-10T12:10:00Z");
    // Other lines are another order: they are what a quote says now, and the hold's use is theirs.
    let other = with(&[ten("10.00")], goods("100.00"));
    let refused = shop.take("1", "cart", other).unwrap_err();
    let OrderRefusal::Discount(differs) = refused else { panic!("{refused:?}") };
    assert!(matches!(*differs, DiscountRefusal::Differs { ours, .. } if ours.0.to_string() == "5.00"), "{differs:?}");
    let order = shop.take("1", "cart", cart()).unwrap();
    assert_eq!((order.program_version, came_off(&order)), (2, vec![("ten", "5.00".into())]));
    // One whose version nobody has any more; the order's version counts no use of it.
    shop.at("2026-06-12T12:00:00Z");
    shop.give_back("1", "r", all());
    shop.keep("late", with(&[ten("2.50")], goods("50.00")), 0).unwrap();
    shop.at("2026-06-12T12:10:00Z");
    let order = shop.take("2", "late", with(&[ten("2.50")], goods("50.00"))).unwrap();
    assert_eq!((order.program_version, came_off(&order).len()), (3, 1));
    assert_eq!(shop.uses(), (vec![], vec![0]));
}

#[test]
fn a_hold_that_nobody_takes_gives_its_uses_back() {
    let mut shop = shop(ONCE);
    shop.keep("cart", cart(), 300).unwrap();
    let released = shop.release("cart").unwrap();
    assert_eq!((released.uses_given_back, released.spendable), (vec!["ten".to_owned()], Some(1_000)));
    assert_eq!(shop.uses(), (vec![], vec![0]));
    // One whose time is over: the member's own are there at once, those of all when it is written down.
    shop.keep("second", cart(), 0).unwrap();
    assert_eq!(shop.uses(), (vec![1], vec![1]));
    shop.later(16);
    assert_eq!(came_off(&shop.quote(goods("50.00"))), [("ten", "5.00".into()), ("free", "1.00".into())]);
    assert_eq!(shop.uses(), (vec![1], vec![1]), "a quote writes nothing down");
    shop.post(SettleDue { member: shop.member }).unwrap();
    assert_eq!((shop.uses(), shop.status("second")), ((vec![], vec![0]), HoldStatus::Ended));
    // Taken late it promises nothing, and is as good as none.
    let order = shop.take("1", "second", cart()).unwrap();
    assert_eq!((order.hold.unwrap().open, shop.uses()), (false, (vec![1], vec![1])));
    // An order that does without gives back what it does not name.
    shop.member = shop.enrol(9);
    shop.keep("third", cart(), 0).unwrap();
    assert_eq!(shop.take("2", "third", goods("5.00")).unwrap().discounts, []);
    assert_eq!(shop.uses(), (vec![], vec![1]));
}

#[test]
fn a_hold_of_points_and_discounts_pays_with_the_one_and_has_the_other() {
    let mut shop = shop(ONCE);
    let held = shop.keep("cart", cart(), 300).unwrap();
    assert_eq!((held.points, held.spendable, held.discounts.len()), (300, Some(700), 1));
    assert_eq!(shop.take("1", "cart", cart()), Err(HoldRefusal::PointsUnsaid.into()));
    let order = shop.settle(OrderedAt::Now, "1", Cart { points: points(200), ..cart() });
    let order = refused(shop.post(SettleOrder { hold: Some("cart".into()), ..order })).unwrap();
    assert_eq!((order.hold.unwrap().ended.released, order.paid.0.to_string()), (100, "43.00".into()));
    assert_eq!((shop.spendable(), shop.uses().1), (800 + 43, vec![1]));
    // Of one of discounts alone the wallet pays.
    shop.member = shop.enrol(9);
    shop.bring(500, "2027-12-31");
    shop.keep("second", cart(), 0).unwrap();
    let order = shop.settle(OrderedAt::Now, "2", Cart { points: points(200), ..cart() });
    let order = refused(shop.post(SettleOrder { hold: Some("second".into()), ..order })).unwrap();
    assert_eq!((order.spent[0].points, order.hold.unwrap().ended.captured), (200, 0));
}

#[test]
fn what_is_promised_in_one_month_comes_off_in_the_next_one_though_nothing_is_left_of_that() {
    let limits = "[discounts.ten]\nbenefit = { percent = \"10\" }\nlimits = { total = { uses = 1, each = \"P1M\" } }\n";
    let mut shop = Shop::new("2026-06-30T21:55:00Z", &document(limits));
    shop.keep("cart", cart(), 0).unwrap();
    let first = shop.member;
    shop.later(6).member = shop.enrol(9);
    shop.order("1", cart());
    shop.member = first;
    let order = shop.take("2", "cart", cart()).unwrap();
    assert!(order.discounts[0].uncounted, "July has one use, and that is somebody else's");
    let mut counters: Vec<_> = shop.ledger.counters.iter().map(|(key, n)| (key.period.as_str(), *n)).collect();
    counters.sort_unstable();
    assert_eq!(counters, [("2026-06", 0), ("2026-07", 1)]);
    assert_eq!(shop.give_back("2", "r", all()).uses_given_back, Vec::<String>::new());
}

#[test]
fn a_hold_of_nothing_or_of_what_a_quote_would_not_give_is_refused_and_changes_nothing() {
    let mut shop = shop(ONCE);
    let own = with(&[off("the shop's own", &[("1", "5.00")])], goods("50.00"));
    assert_eq!(shop.keep("1", own, 0), Err(HoldRefusal::Nothing));
    assert!(matches!(shop.keep("1", with(&[ten("7.00")], goods("50.00")), 0), Err(HoldRefusal::Discount(_))));
    assert!(matches!(
        shop.keep("1", with(&[off("free", &[("2", "1.00")])], goods("50.00")), 0),
        Err(HoldRefusal::Cart(_))
    ));
    assert_eq!(shop.uses(), (vec![], vec![]));
    // Who is suspended may pay for what was promised, and earns nothing; a sale that has happened says that its hold is gone.
    shop.keep("cart", cart(), 0).unwrap();
    shop.change_status("s", Status::Suspended).unwrap();
    assert!(shop.keep("2", cart(), 0).is_err());
    let order = shop.take("1", "cart", cart()).unwrap();
    assert_eq!((came_off(&order).len(), order.rows), (1, vec![]));
    let stated = SettleOrder { stated: true, hold: Some("cart".into()), ..shop.settle(OrderedAt::Now, "2", cart()) };
    assert_eq!(refused(shop.post(stated)).unwrap().flags.len(), 2);
}
