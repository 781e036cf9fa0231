//! Holds: G3 of golden.md, what a return takes of them (R5), and what can go wrong with one.

use chrono::Duration;

use crate::loyalty::checkout::cases::{
    POINTS, Shop, all, amount, goods, instant, lots, paid_with, points, program, refused,
};
use crate::loyalty::checkout::error::{HoldRefusal, OrderRefusal};
use crate::loyalty::checkout::holds::look::LookAtHold;
use crate::loyalty::checkout::holds::open_hold::OpenHold;
use crate::loyalty::checkout::holds::receipt::{HeldReceipt, HoldStatus, ReleaseReceipt};
use crate::loyalty::checkout::holds::release::ReleaseHold;
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::checkout::settle::OrderedAt;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::hold::HOLDS_OPEN_MAX;
use crate::loyalty::ledger::posting::{Reference, RequestHash};

impl Shop {
    /// Puts points aside.
    pub fn hold(&mut self, reference: &str, n: i64, minutes: i64) -> Result<HeldReceipt, HoldRefusal> {
        let posted = self.post(OpenHold {
            reference: reference.into(),
            hash: RequestHash::of(&(n, minutes)),
            member: self.member,
            identity: None,
            wallet: None,
            points: points(n),
            order: None,
            lasts_s: minutes * 60,
        });
        refused(posted)
    }

    pub(super) fn release(&mut self, reference: &str) -> Result<ReleaseReceipt, HoldRefusal> {
        let posted = self.post(ReleaseHold { reference: reference.into(), member: self.member });
        refused(posted)
    }

    pub(super) fn status(&mut self, reference: &str) -> HoldStatus {
        let (named, member) = (Reference::keyed("look", &format!("{} {reference}", self.now)), self.member);
        let (account, rows) = (self.stored().clone(), self.ledger.postings[&member].clone());
        let looked = self.post(LookAtHold { named, reference: reference.into(), member }).unwrap();
        self.ledger.accounts.insert(member, account);
        self.ledger.postings.insert(member, rows);
        looked.status
    }

    /// An order that a hold pays.
    pub fn capture(&mut self, order: &str, hold: &str, n: i64) -> Result<OrderReceipt, OrderRefusal> {
        let mut posting = self.settle(OrderedAt::Now, order, paid_with(n, goods("100.00")));
        posting.hold = Some(hold.into());
        refused(self.post(posting))
    }
}

/// Grace; the days and points there after the return.
const GRACE: [(&str, &[(i64, &str)]); 2] = [(", restore_grace = \"P30D\"", &[(180, "2027-03-12")]), ("", &[])];

#[test]
fn g3_a_hold_outlives_its_lot_and_what_it_did_not_pay_ends_with_its_capture() {
    for (grace, left) in GRACE {
        let document = program(&format!("expiry = {{ after = \"P12M\"{grace} }}"), "");
        let mut shop = Shop::new("2027-01-31T22:00:00Z", &document);
        shop.bring(500, "2027-01-31");
        let held = shop.at("2027-01-31T22:50:00Z").hold("cart", 300, 15).unwrap();
        assert_eq!((held.spendable, held.worth.0.to_string()), (Some(200), "3.00".into()));
        assert_eq!(held.ends_at, instant("2027-01-31T23:05:00Z"));
        shop.at("2027-01-31T23:00:00Z");
        let figures = shop.figures();
        assert_eq!([figures.spendable, figures.held, figures.expired].map(|p| p.get()), [0, 300, 200]);
        let mut order = shop.at("2027-01-31T23:03:00Z").settle(OrderedAt::Now, "1", paid_with(180, goods("1.80")));
        order.hold = Some("cart".into());
        let hold = refused(shop.post(order)).unwrap().hold.unwrap();
        let ended = hold.ended;
        assert_eq!([ended.captured, ended.released, ended.expired, ended.taken], [180, 120, 120, 0]);
        assert!(hold.open);
        let figures = shop.figures();
        assert_eq!(
            [figures.spendable, figures.held, figures.spent, figures.expired].map(|p| p.get()),
            [0, 0, 180, 320]
        );
        shop.at("2027-02-10T12:00:00Z").give_back("1", "r", all());
        assert_eq!(shop.lots(), lots(left));
        assert_eq!(shop.figures().spent.get(), 0);
    }
}

fn shop_with(n: i64) -> Shop {
    let mut shop = Shop::new("2026-06-01T12:00:00Z", &program("expiry = { after = \"P12M\" }", ""));
    shop.bring(n, "2026-12-31");
    shop
}

#[test]
fn a_hold_is_captured_once_in_full_or_in_part_and_the_rest_goes_back() {
    let mut shop = shop_with(500);
    shop.bring(100, "2027-03-31");
    shop.hold("cart", 550, 15).unwrap();
    assert_eq!(shop.lots(), lots(&[(50, "2027-03-31")]));
    assert_eq!(shop.refused_order("0", paid_with(51, goods("100.00"))), short(51, 50));
    let order = shop.capture("1", "cart", 520).unwrap();
    assert_eq!((order.spent[0].points, order.spent[0].worth.0.to_string()), (520, "5.20".into()));
    // What was taken first is paid first: 500 and 20; 30 go back to the later lot. 94.80 paid earn 94.
    assert_eq!(shop.lots(), lots(&[(80, "2027-03-31"), (94, "2027-06-01")]));
    assert_eq!(shop.capture("2", "cart", 1), Err(HoldRefusal::Captured("1".into()).into()));
    assert_eq!(shop.release("cart"), Err(HoldRefusal::Captured("1".into())));
    assert_eq!(shop.status("cart"), HoldStatus::Captured);
    shop.give_back("1", "r", all());
    assert_eq!(shop.lots(), lots(&[(500, "2026-12-31"), (100, "2027-03-31")]));
}

#[test]
fn a_released_hold_is_as_if_it_had_not_been() {
    let mut shop = shop_with(500);
    let before = shop.lots();
    shop.hold("cart", 300, 15).unwrap();
    assert_eq!(shop.status("cart"), HoldStatus::Open);
    let released = shop.release("cart").unwrap();
    assert_eq!((released.ended.released, released.spendable), (300, Some(500)));
    assert_eq!(shop.lots(), before);
    assert_eq!(shop.release("cart").unwrap(), released, "sent again, answered again");
    assert_eq!(shop.capture("1", "cart", 1), Err(HoldRefusal::Released.into()));
    assert_eq!(shop.status("cart"), HoldStatus::Released);
}

#[test]
fn a_dead_hold_ends_by_itself_and_pays_as_long_as_its_points_are_there() {
    let mut shop = shop_with(500);
    shop.hold("cart", 300, 15).unwrap();
    shop.hold("gone", 200, 30).unwrap();
    shop.now += Duration::minutes(15);
    assert_eq!((shop.spendable(), shop.figures().held.get()), (300, 200));
    assert_eq!(shop.status("cart"), HoldStatus::Ended);
    assert!(matches!(shop.release("cart"), Err(HoldRefusal::Ended(_))));
    let order = shop.capture("1", "cart", 250).unwrap();
    assert!(!order.hold.unwrap().open);
    assert_eq!(shop.spendable(), 50 + 97);
    assert_eq!(shop.capture("2", "cart", 10), Err(HoldRefusal::Captured("1".into()).into()));
    shop.now += Duration::minutes(15);
    shop.order("3", paid_with(200, goods("100.00")));
    assert_eq!(shop.capture("4", "gone", 200), Err(short(200, 50)), "others took them meanwhile");
}

fn short(asked: i64, spendable: i64) -> OrderRefusal {
    LedgerRefusal::InsufficientPoints { asked: points(asked), spendable: points(spendable) }.into()
}

/// Policy; held, waived and owed by the return; then captured; taken, waived, and spendable after it.
const OWED: [(&str, [i64; 3], i64, [i64; 3]); 6] = [
    ("pending_only", [0, 100, 0], 0, [0, 0, 80]),
    ("within_balance", [80, 0, 0], 0, [80, 0, 0]),
    ("within_balance", [80, 0, 0], 30, [50, 30, 0]),
    ("within_balance", [80, 0, 0], 80, [0, 80, 0]),
    ("allow", [80, 0, 0], 0, [80, 0, 0]),
    ("allow", [80, 0, 0], 80, [0, 80, 0]),
];

#[test]
fn a_return_takes_what_holds_release_and_waives_what_they_pay() {
    for (policy, [held, waived, owed], captured, [taken, let_go, spendable]) in OWED {
        let document = program(&format!("expiry = {{ after = \"P12M\" }}, returns = \"{policy}\""), "");
        let mut shop = Shop::new("2026-06-01T12:00:00Z", &document);
        shop.order("1", goods("100.00"));
        shop.hold("cart", 80, 15).unwrap();
        let receipt = shop.give_back("1", "r", amount("100.00"));
        let back = receipt.points_clawed_back("points").next().unwrap();
        let twenty = if policy == "pending_only" { 0 } else { 20 };
        assert_eq!([back.taken, back.held, back.waived, back.owed], [twenty, held, waived, owed], "{policy}");
        let mut posting = shop.settle(OrderedAt::Now, "2", paid_with(captured, goods("0.80")));
        posting.hold = Some("cart".into());
        let ended = refused(shop.post(posting)).unwrap().hold.unwrap().ended;
        assert_eq!([ended.taken, ended.waived], [taken, let_go], "{policy} {captured}");
        let here: i64 = shop.seen().lots_of(POINTS).filter(|l| l.id.0 < 4 * 256).map(|l| l.remaining.get()).sum();
        let there = if policy == "pending_only" { 100 } else { spendable };
        assert_eq!(here, there, "{policy} {captured}");
    }
}

#[test]
fn what_a_dead_hold_releases_goes_to_the_return_first() {
    let document = program("expiry = { after = \"P12M\" }, returns = \"allow\"", "");
    let mut shop = Shop::new("2026-06-01T12:00:00Z", &document);
    shop.order("1", goods("100.00"));
    shop.hold("cart", 100, 15).unwrap();
    shop.give_back("1", "r", amount("40.00"));
    assert_eq!((shop.debt(), shop.figures().held.get()), (0, 100));
    shop.now += Duration::minutes(15);
    assert_eq!((shop.debt(), shop.figures().held.get(), shop.spendable()), (0, 0, 60));
}

#[test]
fn a_hold_is_refused_where_it_cannot_be() {
    let mut shop = shop_with(500);
    let short = |asked, spendable| {
        Err(HoldRefusal::from(LedgerRefusal::InsufficientPoints { asked: points(asked), spendable: points(spendable) }))
    };
    assert_eq!(shop.hold("a", 501, 15).map(|_| ()), short(501, 500));
    assert_eq!(shop.capture("1", "nobody's", 1), Err(HoldRefusal::Unknown.into()));
    assert_eq!(shop.release("nobody's"), Err(HoldRefusal::Unknown));
    shop.hold("cart", 100, 15).unwrap();
    let exceeded = LedgerRefusal::HoldExceeded { asked: points(101), held: points(100) };
    assert_eq!(shop.capture("1", "cart", 101), Err(exceeded.into()));
    for n in 1..HOLDS_OPEN_MAX {
        shop.hold(&format!("more-{n}"), 1, 15).unwrap();
    }
    assert_eq!(shop.hold("b", 1, 15), Err(LedgerRefusal::TooManyHolds.into()));
    shop.change_status("1", Status::Suspended).unwrap();
    assert_eq!(shop.hold("c", 1, 15), Err(LedgerRefusal::Suspended.into()));
    assert_eq!(shop.capture("1", "cart", 1), Err(LedgerRefusal::Suspended.into()));
}

#[test]
fn the_points_of_a_hold_keep_the_value_that_they_had() {
    let first = program("expiry = { after = \"P12M\" }", "");
    let second = first.replace("0.01", "0.05");
    let versions = [("2026-06-01T12:00:00Z", first.as_str()), ("2026-06-01T12:10:00Z", second.as_str())];
    let mut shop = Shop::with_versions("2026-06-01T12:00:00Z", &versions);
    shop.bring(500, "2026-12-31");
    shop.hold("cart", 100, 15).unwrap();
    let order = shop.at("2026-06-01T12:11:00Z").capture("1", "cart", 100).unwrap();
    assert_eq!(order.spent[0].worth.0.to_string(), "1.00");
}

#[test]
fn a_wallet_that_ended_by_inactivity_takes_nothing_back_and_an_order_brings_it_to_life() {
    let mut shop = Shop::new("2026-06-01T12:00:00Z", &program("expiry = { inactive = \"P1D\" }", ""));
    shop.order("1", goods("100.00"));
    shop.hold("cart", 100, 1_440).unwrap();
    // 3 June has begun: the wallet was over with 2 June, but the hold had not ended.
    shop.ledger.accounts.get_mut(&shop.member).unwrap().holds[0].ends_at = instant("2026-06-05T12:00:00Z");
    let ended = shop.at("2026-06-03T12:00:00Z").capture("2", "cart", 60).unwrap().hold.unwrap().ended;
    assert_eq!([ended.captured, ended.expired], [60, 40]);
    assert_eq!(shop.spendable(), 99);
    assert_eq!(shop.at("2026-06-04T12:00:00Z").spendable(), 99);
}
