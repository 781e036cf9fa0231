//! Members that turn out to be one: a guest's order is claimed, its member is merged, and that one is merged again, with
//! points, debt and returns before and after.

use perennial::kernel::id::MemberId;
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::kernel::scope::ProgramScope;
use perennial::loyalty::checkout::cart::Cart;
use perennial::loyalty::checkout::claim_order::ClaimOrder;
use perennial::loyalty::checkout::return_order::ReturnOrder;
use perennial::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use perennial::loyalty::checkout::settle::SettleOrder;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::post::Ledger;
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::membership::merges::merge_members::MergeMembers;
use perennial::platform::entropy::uuid_v7;

use super::customers::order;
use super::dice::Dice;

const HASH: RequestHash = RequestHash([3; 16]);

/// Posts them; `wallet` is one of points that may be owed.
pub async fn with_merges(ledger: &Ledger, scope: &ProgramScope, wallet: &str, dice: &mut Dice) {
    let guest = MemberId(uuid_v7());
    let named = [enrol(ledger, scope, 1).await, enrol(ledger, scope, 2).await, enrol(ledger, scope, 3).await];
    let [first, second, third] = named;
    let points = |n: i64| Points::try_from(n).unwrap();
    let bought = |member: MemberId, reference: &str, paid: i64, dice: &mut Dice| {
        let order = order(member, reference, AccountTime::Live, dice);
        let (gift_card, amount) = (Money::ZERO, Money::from_minor(60_000).unwrap());
        let mut cart = Cart { points: points(paid), gift_card, discounts: Vec::new(), ..order.cart };
        cart.lines.truncate(1);
        cart.lines.iter_mut().for_each(|line| (line.amount, line.quantity) = (amount, 3));
        SettleOrder { cart, spend_from: Some(wallet.to_owned()), ..order }
    };
    let adjust = |member, reference: &str, direction, n| Adjust {
        reference: Reference::keyed("adjust", reference),
        hash: HASH,
        member,
        wallet: wallet.to_owned(),
        direction,
        points: points(n),
        reason: "a test".into(),
    };
    let piece = |member, order: &str, reference: &str| ReturnOrder {
        reference: reference.to_owned(),
        order: order.to_owned(),
        hash: HASH,
        member,
        request: ReturnRequest {
            lines: Some(vec![LineReturn { id: "l0".into(), quantity: Some(1), amount: None }]),
            ..ReturnRequest::default()
        },
        time: AccountTime::Live,
    };
    let of_guest = bought(guest, "a guest's", 0, dice);
    ledger.post(scope, SettleOrder { target: Target::New(guest), enrol: true, ..of_guest }).await.unwrap();
    ledger.post(scope, adjust(first, "all of it", Direction::Up, 90)).await.unwrap();
    ledger.post(scope, bought(first, "paid before", 90, dice)).await.unwrap();
    ledger.post(scope, piece(first, "paid before", "one")).await.unwrap();
    let claim = ClaimOrder { order: "a guest's".into(), hash: HASH, guest, member: first, identity: None };
    let claimed = ledger.post(scope, claim).await.unwrap().receipt;
    let there = claimed.wallets.first().and_then(|w| w.spendable).unwrap();
    // Everything is spent, and the guest's order comes back in part: the rest is owed.
    let left = ledger.post(scope, adjust(first, "one more", Direction::Up, 1)).await.unwrap().receipt.spendable;
    assert!(there > 0 && left > there);
    ledger.post(scope, adjust(first, "nothing left", Direction::Down, left)).await.unwrap();
    ledger.post(scope, piece(guest, "a guest's", "one")).await.unwrap();
    ledger.post(scope, piece(first, "paid before", "two")).await.unwrap();
    ledger.post(scope, adjust(second, "second", Direction::Up, 40)).await.unwrap();
    merge(ledger, scope, first, second).await;
    ledger.post(scope, piece(guest, "a guest's", "two")).await.unwrap();
    ledger.post(scope, adjust(second, "after what is owed", Direction::Up, 5_000)).await.unwrap();
    ledger.post(scope, bought(second, "paid between", 30, dice)).await.unwrap();
    merge(ledger, scope, second, third).await;
    for (member, order) in [(guest, "a guest's"), (first, "paid before"), (second, "paid between")] {
        ledger.post(scope, piece(member, order, "three")).await.unwrap();
    }
}

async fn enrol(ledger: &Ledger, scope: &ProgramScope, number: usize) -> MemberId {
    let (program, member) = (scope.program(), MemberId(uuid_v7()));
    let profile = Profile { external_id: Some(format!("twin-{number}")), ..Profile::default() };
    let reference = Reference::keyed("enrol", &format!("twin-{number}"));
    let time = AccountTime::Live;
    ledger
        .post(scope, Enrol { program, reference, hash: HASH, member, profile, enrolled_on: None, welcomes: true, time })
        .await
        .unwrap();
    member
}

/// Merges a member into another.
pub async fn merge(ledger: &Ledger, scope: &ProgramScope, source: MemberId, into: MemberId) {
    let (reference, reason) = (Reference::keyed("merge", &source.to_string()), "a test".into());
    ledger.post(scope, MergeMembers { reference, hash: HASH, source, identity: None, into, reason }).await.unwrap();
}
