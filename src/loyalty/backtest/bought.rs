//! An order of the past as a command, and how it was to be paid.

use chrono::NaiveDate;

use crate::kernel::calendar::Zone;
use crate::kernel::id::MemberId;
use crate::kernel::money::{Amount, Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::backtest::past::{NO_HASH, Reading, Recorded, json, time};
use crate::loyalty::checkout::cart::{Cart, CartLine, Prices, Tax};
use crate::loyalty::checkout::receipt::{
    DiscountOf, DiscountReceipt, FlagReceipt, LineKindName, LineReceipt, OrderReceipt,
};
use crate::loyalty::checkout::said::{Said, SaidLine};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::posting::{Reference, Target};
use crate::loyalty::members::model::Profile;

/// An order, and how it was to be paid.
#[derive(Clone, Debug)]
pub struct Bought {
    /// The command.
    pub order: SettleOrder,
    /// The wallet that paid; absent: the programme's first.
    pub wallet: Option<String>,
    /// How many points it was paid with, or was to be.
    pub wanted: Points,
    /// What was charged for its products,
    pub products: Money,
    /// and for all of it.
    pub total: Money,
    /// What its gift card paid.
    pub gift_card: Money,
    /// What came off it, in minor units.
    pub came_off: Vec<(DiscountOf, String, i64)>,
    /// Whether any of it came back later.
    pub returned: bool,
}

impl Bought {
    /// The business day.
    pub fn ordered_on(&self, zone: Zone) -> NaiveDate {
        match self.order.ordered {
            OrderedAt::At(at) => zone.day_of(at),
            OrderedAt::On(day) => day,
            OrderedAt::Now => NaiveDate::MIN,
        }
    }
}

/// An order that was settled, as it can be settled again.
pub fn bought(reading: Reading, member: MemberId, row: &Recorded) -> Option<Bought> {
    let receipt: OrderReceipt = json(&row.document)?;
    let money = |amount: Amount| amount.read(reading.currency).ok();
    let asked = receipt.flags.iter().find_map(|flag| match flag {
        FlagReceipt::InsufficientPoints { wallet, asked, .. }
        | FlagReceipt::MemberSuspended { wallet, asked, .. }
        | FlagReceipt::SpendRule { wallet, asked, .. } => Some((wallet.clone(), *asked)),
        FlagReceipt::HoldUnavailable { .. }
        | FlagReceipt::DiscountDiffers { .. }
        | FlagReceipt::DiscountTwice { .. } => None,
    });
    let spent = || receipt.spent.first().map(|spent| (spent.wallet.clone(), spent.points));
    let (wallet, wanted) = asked.or_else(spent).map_or((None, 0), |(wallet, points)| (Some(wallet), points));
    let said = Said::read(row.texts.as_deref());
    let lines: Vec<CartLine> =
        receipt.lines.iter().map(|line| cart_line(line, &said, reading.currency)).collect::<Option<_>>()?;
    let products = money(receipt.charged)?;
    let total = products.plus(money(receipt.shipping)?)?;
    let gift_card = money(receipt.gift_card)?;
    let off = |discount: &DiscountReceipt| {
        money(discount.amount).map(|amount| (discount.of, discount.code.clone(), amount.minor()))
    };
    let came_off = receipt.discounts.iter().filter_map(off).collect();
    let cart = Cart {
        attributes: said.attributes.clone(),
        // What was charged has its tax in it, however the storefront stated its prices.
        prices: Prices::TaxIncluded,
        lines,
        discounts: Vec::new(),
        entered: Vec::new(),
        points: Points::ZERO,
        gift_card,
        total: None,
    };
    let order = SettleOrder {
        named: Reference::order(&receipt.reference),
        reference: receipt.reference,
        hash: NO_HASH,
        target: Target::Member(member),
        identity: None,
        profile: Profile::default(),
        enrol: true,
        ordered: OrderedAt::At(row.effective_at),
        time: time(row),
        cart,
        stated: true,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: said.place(),
    };
    let wanted = Points::try_from(wanted).ok()?;
    Some(Bought { order, wallet, wanted, products, total, gift_card, came_off, returned: false })
}

fn cart_line(line: &LineReceipt, said: &Said, currency: Currency) -> Option<CartLine> {
    let SaidLine { sku, category, brand, attributes, .. } = said.line(&line.id);
    Some(CartLine {
        attributes,
        id: line.id.clone(),
        kind: match line.kind {
            LineKindName::Product => LineKind::Product,
            LineKindName::Shipping => LineKind::Shipping,
        },
        sku,
        category,
        brand,
        quantity: line.quantity,
        amount: line.charged.read(currency).ok()?,
        tax: Tax::Stated(line.tax.read(currency).ok()?),
    })
}
