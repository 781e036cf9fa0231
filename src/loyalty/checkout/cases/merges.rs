//! Merges and claims: what an order did is undone in the account that goes on, lot by lot (golden.md R5, ledger.md).

use chrono::Duration;
use uuid::Uuid;

use crate::kernel::id::{MemberId, Seq};
use crate::loyalty::checkout::cases::{POINTS, STATUS, Shop, all, amount, goods, lots, paid_with, program, refused};
use crate::loyalty::checkout::claim_order::ClaimOrder;
use crate::loyalty::checkout::error::{ClaimRefusal, HoldRefusal};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::lot::{Branch, LotId};
use crate::loyalty::ledger::merge::ALIAS_DEPTH_MAX;
use crate::loyalty::ledger::posting::{Reference, RequestHash, Target};
use crate::loyalty::membership::error::MergeRefusal;
use crate::loyalty::membership::merges::merge_members::MergeMembers;
use crate::loyalty::membership::merges::receipt::MergeReceipt;

impl Shop {
    pub fn merge(&mut self, source: MemberId, into: MemberId) -> Result<MergeReceipt, MergeRefusal> {
        let reference = Reference::keyed("merge", &format!("{source} {into}"));
        let (hash, reason) = (RequestHash::of(&0), String::from("a test"));
        refused(self.post(MergeMembers { reference, hash, source, identity: None, into, reason }))
    }

    /// Merges the member into somebody new, who goes on as the shop's.
    pub fn merge_into(&mut self, number: u128) {
        let into = self.enrol(number);
        self.merge(self.member, into).unwrap();
        self.member = into;
    }

    fn guest_order(&mut self, number: u128, reference: &str, amount: &str) -> MemberId {
        let guest = MemberId(Uuid::from_u128(number));
        let order = self.settle(OrderedAt::Now, reference, goods(amount));
        self.post(SettleOrder { target: Target::New(guest), enrol: true, ..order }).unwrap();
        guest
    }

    fn claim(&mut self, order: &str, guest: MemberId, member: MemberId) -> Result<MergeReceipt, ClaimRefusal> {
        let hash = RequestHash::of(&member.0);
        refused(self.post(ClaimOrder { order: order.into(), hash, guest, member, identity: None }))
    }
}

/// A has an order that took 300 and earned 100, B and C have points of their own, and A went on as B, and B as C.
fn chain() -> Shop {
    let document = program("expiry = { after = \"P12M\" }, returns = \"within_balance\"", "");
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &document);
    shop.bring(300, "2026-12-31");
    shop.order("1", paid_with(300, goods("103.00")));
    for (number, n, last_day) in [(3, 50, "2026-11-30"), (4, 20, "2027-01-31")] {
        let (before, into) = (shop.member, shop.enrol(number));
        shop.member = into;
        shop.bring(n, last_day);
        shop.merge(before, into).unwrap();
    }
    shop
}

#[test]
fn pain_11_a_merge_loses_no_point_and_no_day() {
    let shop = chain();
    assert_eq!(shop.lots(), lots(&[(50, "2026-11-30"), (20, "2027-01-31"), (100, "2027-06-10")]));
    assert_eq!((shop.spendable(), shop.stored().order_count), (170, 1));
    let sources = shop.ledger.accounts.values().filter(|account| account.alias.is_some());
    assert!(sources.into_iter().all(|account| account.lots.is_empty()), "what came along is not there twice");
}

#[test]
fn a_return_after_two_merges_finds_the_lots_that_the_order_emptied_and_filled() {
    let mut shop = chain();
    let own = [(50, "2026-11-30"), (20, "2027-01-31"), (100, "2027-06-10")];
    assert_eq!(shop.lots(), lots(&own));
    // The lot of A's order has the branch that it got in B, behind that which B got in C.
    let account = shop.seen();
    let names: Vec<LotId> = account.lots_of(POINTS).map(|lot| lot.id).collect();
    let opened = |seq, branch| LotId::opened_by(Seq(seq), 0).in_branch(Branch(branch));
    assert_eq!((names, account.branches), (vec![opened(2, 1), opened(2, 0), opened(3, 2)], Branch(3)));
    let back = shop.give_back("1", "r1", amount("51.50"));
    assert_eq!((back.member, back.restored[0].points), (shop.member.0, 150));
    assert_eq!(shop.lots(), lots(&[(50, "2026-11-30"), (150, "2026-12-31"), (20, "2027-01-31"), (50, "2027-06-10")]));
    shop.give_back("1", "r2", all());
    assert_eq!(shop.lots(), lots(&[(50, "2026-11-30"), (300, "2026-12-31"), (20, "2027-01-31")]));
    assert_eq!((shop.stored().order_count, shop.seen().figures(STATUS).spendable.get()), (0, 0));
}

#[test]
fn an_order_that_paid_out_of_lots_of_three_members_gives_each_back() {
    let mut shop = chain();
    shop.order("2", paid_with(120, goods("101.20")));
    assert_eq!(shop.lots(), lots(&[(100, "2027-06-10"), (50, "2027-06-10")]));
    // Of A's order 50 are left; the others are taken of what ends soonest, which it has just given back.
    let back = shop.give_back("1", "r", all());
    assert_eq!(back.points_clawed_back("points").next().unwrap().taken, 100);
    assert_eq!(shop.lots(), lots(&[(250, "2026-12-31"), (100, "2027-06-10")]));
    shop.give_back("2", "r", all());
    let there = [(50, "2026-11-30"), (250, "2026-12-31"), (20, "2027-01-31"), (50, "2027-06-10")];
    assert_eq!(shop.lots(), lots(&there));
}

#[test]
fn an_open_hold_of_the_source_refuses_a_merge_and_one_that_ended_pays_after_it() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = { after = \"P12M\" }", ""));
    shop.bring(500, "2026-12-31");
    shop.hold("cart", 300, 15).unwrap();
    let (source, into) = (shop.member, shop.enrol(3));
    assert_eq!(shop.merge(source, into), Err(MergeRefusal::HoldsOpen));
    assert_eq!((shop.spendable(), shop.figures().held.get()), (200, 300));
    shop.now += Duration::minutes(15);
    shop.merge(source, into).unwrap();
    assert!(!shop.capture("1", "cart", 250).unwrap().hold.unwrap().open);
    assert_eq!(shop.capture("2", "cart", 10), Err(HoldRefusal::Captured("1".into()).into()));
    shop.member = into;
    assert_eq!(shop.lots(), lots(&[(250, "2026-12-31"), (97, "2027-06-10")]));
    shop.give_back("1", "r", all());
    assert_eq!(shop.lots(), lots(&[(500, "2026-12-31")]));
}

#[test]
fn an_open_hold_of_who_goes_on_stays_open() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = { after = \"P12M\" }", ""));
    let source = shop.enrol(3);
    shop.bring(500, "2026-12-31");
    shop.hold("cart", 300, 15).unwrap();
    shop.merge(source, shop.member).unwrap();
    assert!(shop.capture("1", "cart", 300).unwrap().hold.unwrap().open);
}

#[test]
fn a_claimed_order_goes_on_with_its_member_and_a_claim_for_a_merged_member_is_of_who_goes_on() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = { after = \"P12M\" }", ""));
    let (ana, first) = (shop.member, shop.guest_order(8, "1", "100.00"));
    let claimed = shop.claim("1", first, ana).unwrap();
    assert_eq!((claimed.into, claimed.orders, shop.spendable()), (ana.0, 1, 100));
    shop.merge_into(3);
    let back = shop.give_back("1", "r", amount("40.00"));
    assert_eq!((back.member, back.clawed_back.len(), shop.spendable()), (shop.member.0, 2, 60));
    assert_eq!(shop.claim("1", first, ana).unwrap(), claimed, "sent again, answered again");

    let second = shop.guest_order(9, "2", "10.00");
    assert_eq!(shop.claim("2", second, ana).unwrap().into, shop.member.0);
    assert_eq!((shop.spendable(), shop.stored().order_count), (70, 2));
    shop.give_back("2", "r", all());
    assert_eq!((shop.spendable(), shop.stored().order_count), (60, 1));
}

#[test]
fn a_chain_of_merges_has_an_end_and_leads_no_way_back() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = \"never\"", ""));
    let first = shop.member;
    shop.order("1", goods("100.00"));
    for number in 0..ALIAS_DEPTH_MAX.unsigned_abs() {
        shop.merge_into(u128::from(number) + 3);
    }
    let (last, one_more) = (shop.member, shop.enrol(99));
    assert_eq!(shop.merge(last, one_more), Err(LedgerRefusal::TooManyMerges.into()));
    assert_eq!(shop.merge(last, last), Err(MergeRefusal::Same));
    assert_eq!(shop.merge(last, first), Err(MergeRefusal::AlreadyMerged(last)));
    assert!(matches!(shop.merge(first, one_more), Err(MergeRefusal::AlreadyMerged(_))));
    assert!(shop.give_back("1", "r", all()).complete);
    assert_eq!((shop.spendable(), shop.figures().reversed.get()), (0, 100));
}
