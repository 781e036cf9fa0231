//! Holds in the life of a member: open, captured in part, released, and one that a return wants something of.

use perennial::kernel::id::MemberId;
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::kernel::scope::ProgramScope;
use perennial::loyalty::checkout::cart::Cart;
use perennial::loyalty::checkout::holds::open_hold::OpenHold;
use perennial::loyalty::checkout::holds::release::ReleaseHold;
use perennial::loyalty::checkout::return_order::ReturnOrder;
use perennial::loyalty::checkout::returns::ReturnRequest;
use perennial::loyalty::checkout::settle::SettleOrder;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::post::Ledger;
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};

use super::customers::order;
use super::dice::Dice;

/// Posts them for a member; `wallet` is one of points that may be owed.
pub async fn with_holds(ledger: &Ledger, scope: &ProgramScope, member: MemberId, wallet: &str, dice: &mut Dice) {
    let hash = RequestHash([2; 16]);
    let points = |n: i64| Points::try_from(n).unwrap();
    let plain = |reference: &str, dice: &mut Dice| -> SettleOrder {
        let order = order(member, reference, AccountTime::Live, dice);
        let (points, gift_card, amount) = (Points::ZERO, Money::ZERO, Money::from_minor(90_000).unwrap());
        let mut cart = Cart { points, gift_card, discounts: Vec::new(), ..order.cart };
        cart.lines.iter_mut().for_each(|line| line.amount = amount);
        SettleOrder { cart, spend_from: Some(wallet.to_owned()), ..order }
    };
    let adjust = |reference: &str, direction, points| Adjust {
        reference: Reference::keyed("adjust", reference),
        hash,
        member,
        wallet: wallet.to_owned(),
        direction,
        points,
        reason: "a test".into(),
    };
    let hold = |reference: &str, n: i64| OpenHold {
        reference: reference.to_owned(),
        hash,
        member,
        identity: None,
        wallet: Some(wallet.to_owned()),
        points: points(n),
        order: None,
        lasts_s: 3_000,
    };
    let there = ledger.post(scope, adjust("for holds", Direction::Up, points(5_000))).await.unwrap().receipt.spendable;
    for (reference, n) in [("part", 60), ("back", 30), ("open", 40)] {
        ledger.post(scope, hold(reference, n)).await.unwrap();
    }
    let mut pays = plain("paid by a hold", dice);
    (pays.hold, pays.cart.points) = (Some("part".into()), points(25));
    ledger.post(scope, pays).await.unwrap();
    ledger.post(scope, ReleaseHold { reference: "back".into(), member }).await.unwrap();
    // Everything is gone but the hold that is open: a return is owed what it holds.
    ledger.post(scope, plain("wanted back", dice)).await.unwrap();
    let left = ledger.post(scope, adjust("little", Direction::Up, points(1))).await.unwrap().receipt.spendable;
    assert!(there > 0 && left > 0);
    ledger.post(scope, adjust("all", Direction::Down, points(left))).await.unwrap();
    let request = ReturnRequest { all: true, ..ReturnRequest::default() };
    let (reference, order) = ("wanted".to_owned(), "wanted back".to_owned());
    let back = ReturnOrder { reference, order, hash, member, request, time: AccountTime::Live };
    ledger.post(scope, back).await.unwrap();
}
