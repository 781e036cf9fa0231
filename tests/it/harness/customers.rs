//! What customers do, by chance: orders, returns, and changes of what is known of them.

use perennial::kernel::id::MemberId;
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Place, Prices, StatedDiscount, Tax};
use perennial::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use perennial::loyalty::members::model::{Profile, ProfilePatch};
use rust_decimal::Decimal;

use super::Dice;

/// What is known of the `number`-th customer.
pub fn profile(number: usize) -> Profile {
    Profile {
        external_id: Some(format!("c-{number}")),
        email: Some(format!("c{number}@example.com")),
        phone: Some(format!("+3160000{number:04}")),
        card: Some(format!("98260000{number:04}")),
        name: Some(format!("Customer {number}")),
        ..Profile::default()
    }
}

/// Some change of that.
pub fn patch(key: &str, dice: &mut Dice) -> ProfilePatch {
    let mut patch = ProfilePatch::default();
    match dice.roll(4) {
        0 => patch.email = Some(Some(format!("{key}@example.com"))),
        1 => patch.card = Some(None),
        // Perhaps somebody else's.
        2 => patch.phone = Some(Some(format!("+3160000{:04}", dice.roll(8)))),
        _ => patch.name = Some(Some("Renamed".into())),
    }
    patch
}

/// Some order of a member.
pub fn order(member: MemberId, reference: &str, time: AccountTime, dice: &mut Dice) -> SettleOrder {
    let line = |number: u64, kind, amount| CartLine {
        attributes: Default::default(),
        id: format!("l{number}"),
        kind,
        sku: None,
        category: None,
        brand: None,
        quantity: u32::try_from(1 + number % 3).unwrap(),
        amount: Money::from_minor(amount).unwrap(),
        tax: Tax::Rate(Decimal::new(21, 0)),
    };
    let count = 1 + dice.roll(3);
    let mut lines: Vec<CartLine> =
        (0..count).map(|n| line(n, LineKind::Product, i64::try_from(dice.roll(9_000)).unwrap())).collect();
    let discounted = dice.pick(&lines).clone();
    let off = Money::from_minor(discounted.amount.minor() / 7).unwrap();
    let discounts =
        vec![StatedDiscount { code: "off".into(), lines: vec![DiscountedLine { id: discounted.id, amount: off }] }];
    if dice.once_in(2) {
        lines.push(line(9, LineKind::Shipping, 495));
    }
    let ordered = match time {
        AccountTime::Live => OrderedAt::Now,
        AccountTime::Imported(at) => OrderedAt::At(at),
    };
    SettleOrder {
        named: Reference::order(reference),
        reference: reference.to_owned(),
        hash: RequestHash::of(&reference),
        target: Target::Member(member),
        identity: None,
        profile: Profile::default(),
        enrol: false,
        ordered,
        time,
        cart: Cart {
            attributes: Default::default(),
            prices: if dice.once_in(2) { Prices::TaxIncluded } else { Prices::TaxOnTop },
            lines,
            discounts: if dice.once_in(2) { discounts } else { Vec::new() },
            entered: Vec::new(),
            points: if dice.once_in(2) { points(dice, 200) } else { Points::ZERO },
            gift_card: Money::from_minor(if dice.once_in(4) { 300 } else { 0 }).unwrap(),
            total: None,
        },
        stated: false,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: Some(Place::default()),
    }
}

/// Some return.
pub fn request(dice: &mut Dice) -> ReturnRequest {
    let amount = |dice: &mut Dice| Money::from_minor(i64::try_from(1 + dice.roll(2_000)).unwrap());
    let id = format!("l{}", dice.roll(3));
    match dice.roll(4) {
        0 => ReturnRequest { all: true, ..ReturnRequest::default() },
        1 => ReturnRequest { amount: amount(dice), ..ReturnRequest::default() },
        2 => {
            let line = LineReturn { id, quantity: None, amount: amount(dice) };
            ReturnRequest { lines: Some(vec![line]), ..ReturnRequest::default() }
        }
        _ => {
            let line = LineReturn { id, quantity: Some(1), amount: None };
            ReturnRequest { lines: Some(vec![line]), ..ReturnRequest::default() }
        }
    }
}

/// Some points, up to `most`.
pub fn points(dice: &mut Dice, most: u64) -> Points {
    Points::try_from(i64::try_from(1 + dice.roll(most)).unwrap()).unwrap()
}
