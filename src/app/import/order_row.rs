//! An order's row: what it says, and the order that it makes.

use serde::Serialize;

use super::rejects::Reject;
use super::rows::{Reading, invalid, missing};
use super::sort::Item;
use crate::kernel::clock::Instant;
use crate::kernel::id::MemberId;
use crate::kernel::money::{Money, half_up};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Place, Prices, StatedDiscount, Tax};
use crate::loyalty::checkout::error::CURRENCY_MISMATCH;
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use crate::loyalty::members::model::Profile;

/// The line of goods, and that of shipping.
const GOODS: &str = "1";
const SHIPPING: &str = "shipping";

impl Reading {
    /// The order of a row.
    pub(super) fn order(&self, item: &Item, member: MemberId) -> Result<SettleOrder, Reject> {
        let row = &item.row;
        let reference = self.reference(row, "order_ref")?;
        let facts = self.facts(item)?;
        Ok(SettleOrder {
            named: Reference::order(reference),
            reference: reference.to_owned(),
            hash: RequestHash::of(&facts),
            target: Target::Member(member),
            identity: None,
            profile: Profile::default(),
            enrol: false,
            ordered: OrderedAt::At(item.at),
            time: AccountTime::Imported(item.at),
            cart: facts.cart()?,
            stated: false,
            quoted: false,
            valid_with: None,
            says_points: true,
            spend_from: None,
            hold: None,
            place: facts.place(),
        })
    }

    fn facts<'r>(&self, item: &'r Item) -> Result<Facts<'r>, Reject> {
        let row = &item.row;
        let currency = self.columns.text(row, "currency");
        if let Some(other) = currency.filter(|code| *code != self.book.currency.code()) {
            let detail = format!("currency {other:?}: the programme's is {}", self.book.currency);
            return Err(Reject::new(CURRENCY_MISMATCH.code, detail));
        }
        let quantity = self.columns.text(row, "quantity").map_or(Ok(1), |text| {
            text.parse().map_err(|_| invalid("quantity_invalid", "quantity", text, "a whole number of pieces"))
        });
        Ok(Facts {
            member: &item.member,
            ordered_at: item.at,
            total: self.money(row, "total")?.ok_or_else(|| missing("total"))?.minor(),
            quantity: quantity?,
            tax: self.minor(row, "tax")?,
            shipping: self.minor(row, "shipping")?,
            shipping_tax: self.minor(row, "shipping_tax")?,
            discount: self.minor(row, "discount")?,
            gift_card: self.minor(row, "gift_card")?,
            points_spent: self.points(row, "points_spent")?.map_or(0, Points::get),
            channel: self.label(row, "channel")?,
            store: self.label(row, "store")?,
            sku: self.label(row, "sku")?,
            category: self.label(row, "category")?,
            brand: self.label(row, "brand")?,
            uncovered: self.minor(row, "uncovered")?,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// What an order's row says, for its hash: what is left out and what is nothing are one. Fields are added at the end, and
/// left out where they are empty, or files that are in already would no longer be.
#[derive(Serialize)]
struct Facts<'r> {
    member: &'r str,
    ordered_at: Instant,
    total: i64,
    quantity: u32,
    #[serde(skip_serializing_if = "is_zero")]
    tax: i64,
    #[serde(skip_serializing_if = "is_zero")]
    shipping: i64,
    #[serde(skip_serializing_if = "is_zero")]
    shipping_tax: i64,
    #[serde(skip_serializing_if = "is_zero")]
    discount: i64,
    #[serde(skip_serializing_if = "is_zero")]
    gift_card: i64,
    #[serde(skip_serializing_if = "is_zero")]
    points_spent: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<&'r str>,
    #[serde(skip_serializing_if = "is_zero")]
    uncovered: i64,
}

impl Facts<'_> {
    /// One line of goods, and one of shipping where there is some.
    fn cart(&self) -> Result<Cart, Reject> {
        let wrong = |why: &str| Reject::new("amount_invalid", why);
        let money = |minor: i64| Money::from_minor(minor).ok_or_else(|| wrong("the amounts are too large"));
        let goods = self.total.checked_sub(self.shipping).filter(|goods| *goods >= 0);
        let goods = goods.ok_or_else(|| wrong("shipping is more than the total"))?;
        // As if they had cost what is left: what was paid, taken and earned is what it was.
        let covered = goods.checked_sub(self.uncovered).filter(|covered| *covered >= 0);
        let covered = covered.ok_or_else(|| wrong("uncovered is more than the goods"))?;
        let taxed = self.tax > 0 || self.shipping_tax > 0;
        let tax = |minor: i64| if taxed { money(minor).map(Tax::Stated) } else { Ok(Tax::None) };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut lines = vec![CartLine {
            attributes: Default::default(),
            id: GOODS.to_owned(),
            kind: LineKind::Product,
            sku: owned(self.sku),
            category: owned(self.category),
            brand: owned(self.brand),
            quantity: self.quantity,
            amount: money(covered.saturating_add(self.discount))?,
            tax: tax(if covered == goods { self.tax } else { half_up(self.tax, covered, goods) })?,
        }];
        if self.shipping > 0 {
            lines.push(CartLine {
                attributes: Default::default(),
                id: SHIPPING.to_owned(),
                kind: LineKind::Shipping,
                sku: None,
                category: None,
                brand: None,
                quantity: 1,
                amount: money(self.shipping)?,
                tax: tax(self.shipping_tax)?,
            });
        }
        let taken = DiscountedLine { id: GOODS.to_owned(), amount: money(self.discount)? };
        let discount = StatedDiscount { code: "imported".to_owned(), lines: vec![taken] };
        Ok(Cart {
            attributes: Default::default(),
            prices: if taxed { Prices::TaxIncluded } else { Prices::NoTax },
            lines,
            discounts: Some(discount).filter(|_| self.discount > 0).into_iter().collect(),
            entered: Vec::new(),
            points: Points::try_from(self.points_spent).map_err(|e| wrong(&e.to_string()))?,
            gift_card: money(self.gift_card)?,
            total: Some(money(self.total.saturating_sub(self.uncovered))?),
        })
    }

    fn place(&self) -> Option<Place> {
        Place::of(self.channel.map(str::to_owned), self.store.map(str::to_owned))
    }
}
