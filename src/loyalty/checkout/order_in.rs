//! Orders at the door: what a storefront sends, read once into what the checkout decides on.

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::kernel::money::{Currency, Money};
use crate::kernel::points::Points;
use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, ENTERED_MAX, Place, Prices, StatedDiscount, Tax};
use crate::loyalty::checkout::return_in::money;
use crate::loyalty::checkout::settle::OrderedAt;
use crate::loyalty::earning::model::LineKind;
use crate::loyalty::membership::attributes_in::{stated, stated_schema};
use crate::loyalty::membership::profile_in::{BadField, MemberRefIn};
use crate::loyalty::program::model::attributes::{Declared, DeclaredAttributes};
use crate::loyalty::program::model::discounts::entered;
use crate::platform::web::amount::AmountIn;
use crate::platform::web::text::Text;

/// The longest reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 64;

/// A line's id.
type LineId = Text<64>;
/// An article, category, brand, channel or store.
pub type Label = Text<100>;
/// A discount's code.
pub type Code = Text<64>;

/// An order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder, example = json!({
    "reference": "1001", "member": { "external_id": "c-17" }, "enrol": true, "currency": "EUR", "channel": "web",
    "lines": [
        { "id": "1", "sku": "S-42", "category": "shoes", "quantity": 1, "amount": "89.99", "tax_rate": "21" },
        { "id": "s", "kind": "shipping", "amount": "4.95", "tax_rate": "21" }
    ],
    "discounts": [{ "code": "gold_ten", "lines": [{ "id": "1", "amount": "9.00" }] }]
}))]
pub struct OrderIn {
    /// The storefront's name for the order; unique in the programme.
    #[schema(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:#@+=-]{0,63}$", max_length = 64)]
    pub reference: String,
    /// Whose order it is; absent or null: a guest's.
    #[schema(nullable)]
    pub member: Option<MemberRefIn>,
    /// Whether a member that is not known is enrolled.
    #[serde(default)]
    pub enrol: bool,
    /// When it was placed; absent: now.
    pub ordered_at: Option<DateTime<Utc>>,
    /// On which day it was placed, in the programme's time zone, where the time is not known.
    pub ordered_on: Option<NaiveDate>,
    /// ISO 4217; the programme's.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// Where it was placed, `web`.
    #[serde(default)]
    pub channel: Option<Label>,
    /// In which store.
    #[serde(default)]
    pub store: Option<Label>,
    /// What the amounts of the lines are.
    #[serde(default)]
    pub prices: PricesIn,
    /// What was bought.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Vec<LineIn>,
    /// What was taken off: discounts of the programme as a quote gave them, and the shop's own, which come off first. A quote
    /// works the programme's out itself.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub discounts: Vec<DiscountIn>,
    /// What the customer entered to get discounts, in capitals or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub codes: Vec<Code>,
    /// The version that quoted the discounts, its `program_version`: they are verified by it as long as no other was in
    /// force for a day; absent: the one in force when the order was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable)]
    pub valid_with: Option<i32>,
    /// Points to pay with.
    #[serde(default)]
    pub points: Option<PointsIn>,
    /// A hold of the order's, by its reference: its points pay, in full or in part, `points` says how many, and the discounts
    /// that it keeps come off as it says. What it holds besides is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:#@+=-]{0,63}$", max_length = 64, nullable)]
    pub hold: Option<String>,
    /// The part that a gift card pays.
    #[serde(default)]
    pub gift_card: Option<AmountIn>,
    /// What the lines should sum to, with tax and shipping, before points and gift card; checked when sent.
    #[serde(default)]
    pub total: Option<AmountIn>,
    /// What the storefront says of it besides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(schema_with = stated_schema)]
    pub attributes: Map<String, Value>,
}

/// What the amounts of lines are.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Prices)]
pub enum PricesIn {
    /// The tax is in them.
    #[default]
    TaxIncluded,
    /// The tax is added to them.
    TaxOnTop,
    /// There is no tax.
    NoTax,
}

/// What a line is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineKind)]
pub enum LineKindIn {
    /// Goods or services.
    #[default]
    Product,
    /// What bringing them costs.
    Shipping,
}

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrderLine)]
pub struct LineIn {
    /// Its name in the order.
    pub id: LineId,
    /// Product or shipping.
    #[serde(default)]
    pub kind: LineKindIn,
    /// The article.
    #[serde(default)]
    pub sku: Option<Label>,
    /// The article's category.
    #[serde(default)]
    pub category: Option<Label>,
    /// The article's brand.
    #[serde(default)]
    pub brand: Option<Label>,
    /// How many pieces.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: u32,
    /// For all pieces, before discounts.
    pub amount: AmountIn,
    /// The tax in percent of the net amount.
    #[serde(default)]
    pub tax_rate: Option<AmountIn>,
    /// The tax itself, on what is charged; instead of the rate.
    #[serde(default)]
    pub tax: Option<AmountIn>,
    /// What the storefront says of it besides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(schema_with = stated_schema)]
    pub attributes: Map<String, Value>,
}

fn one() -> u32 {
    1
}

/// A discount that was applied.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StatedDiscount)]
pub struct DiscountIn {
    /// What it is called: of the programme's, the code in the document.
    pub code: Code,
    /// What it took off which line.
    #[schema(max_items = 500)]
    pub lines: Vec<DiscountedLineIn>,
}

/// What a discount took off a line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StatedDiscountLine)]
pub struct DiscountedLineIn {
    /// The line.
    pub id: LineId,
    /// How much.
    pub amount: AmountIn,
}

/// Points to pay with.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsToSpend)]
pub struct PointsIn {
    /// The wallet that pays; absent: the programme's first.
    #[serde(default)]
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$")]
    pub wallet: Option<String>,
    /// How many.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub spend: i64,
}

/// What a reference has to be.
pub const REFERENCE_WANTS: &str = "1 to 64 letters, digits and . _ : # @ + = - after a first one";

/// A reference as it may be: it stands in addresses, and `/` parts a return from its order.
pub fn is_reference(text: &str) -> bool {
    let body = |b: u8| b.is_ascii_alphanumeric() || b"._:#@+=-".contains(&b);
    let fits = (1..=REFERENCE_CHARS_MAX).contains(&text.len());
    fits && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(body)
}

/// What is wrong with an order before anybody decides on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadOrder {
    /// A field is not as it has to be.
    Field(BadField),
    /// The order is in another currency than the programme.
    Currency(Currency),
}

impl From<BadField> for BadOrder {
    fn from(bad: BadField) -> Self {
        Self::Field(bad)
    }
}

fn bad(pointer: impl Into<String>, wants: &'static str) -> BadField {
    BadField { pointer: pointer.into(), wants }
}

impl OrderIn {
    /// What was bought and how it was paid.
    ///
    /// # Errors
    /// Another currency, or the first field that is not as it has to be.
    pub fn cart(&self, currency: Currency, declared: &DeclaredAttributes) -> Result<Cart, BadOrder> {
        if !is_reference(&self.reference) {
            return Err(bad("/reference", REFERENCE_WANTS).into());
        }
        if self.currency != currency.code() {
            return Err(BadOrder::Currency(currency));
        }
        let optional = |sent: &Option<AmountIn>, pointer: &str| {
            sent.as_ref().map(|a| money(a, currency, || pointer.to_owned())).transpose()
        };
        if self.hold.as_ref().is_some_and(|hold| !is_reference(hold)) {
            return Err(bad("/hold", REFERENCE_WANTS).into());
        }
        if self.codes.len() > ENTERED_MAX {
            return Err(bad("/codes", "20 codes at most").into());
        }
        let spend = self.points.as_ref().map_or(0, |p| p.spend);
        let lines = self.lines.iter().enumerate().map(|(i, line)| line.read(currency, &declared.line, i));
        let discounts = self.discounts.iter().enumerate().map(|(i, discount)| discount.read(currency, i));
        Ok(Cart {
            prices: match self.prices {
                PricesIn::TaxIncluded => Prices::TaxIncluded,
                PricesIn::TaxOnTop => Prices::TaxOnTop,
                PricesIn::NoTax => Prices::NoTax,
            },
            lines: lines.collect::<Result<_, _>>()?,
            discounts: discounts.collect::<Result<_, _>>()?,
            entered: self.codes.iter().map(|code| entered(code.as_str())).collect(),
            points: Points::try_from(spend).map_err(|_| bad("/points/spend", "0 to 10^15 points"))?,
            gift_card: optional(&self.gift_card, "/gift_card")?.unwrap_or(Money::ZERO),
            total: optional(&self.total, "/total")?,
            attributes: stated(&self.attributes, &declared.order, "/attributes")?,
        })
    }

    /// When it was placed.
    ///
    /// # Errors
    /// Both a time and a day.
    pub fn ordered(&self) -> Result<OrderedAt, BadField> {
        match (self.ordered_at, self.ordered_on) {
            (None, None) => Ok(OrderedAt::Now),
            // Postgres keeps microseconds: the answer says what is stored.
            (Some(at), None) => Ok(OrderedAt::At(at.trunc_subsecs(6))),
            (None, Some(day)) => Ok(OrderedAt::On(day)),
            (Some(_), Some(_)) => Err(bad("/ordered_on", "either ordered_at or ordered_on")),
        }
    }

    /// Where it was placed.
    pub fn place(&self) -> Option<Place> {
        let label = |label: &Option<Label>| label.as_ref().map(|l| l.as_str().to_owned());
        Place::of(label(&self.channel), label(&self.store))
    }
}

impl LineIn {
    fn read(&self, currency: Currency, declared: &Declared, place: usize) -> Result<CartLine, BadField> {
        let label = |label: &Option<Label>| label.as_ref().map(|l| l.as_str().to_owned());
        let tax = match (&self.tax_rate, &self.tax) {
            (None, None) => Tax::None,
            (Some(rate), None) => Tax::Rate(rate.0),
            (None, Some(tax)) => Tax::Stated(money(tax, currency, || format!("/lines/{place}/tax"))?),
            (Some(_), Some(_)) => return Err(bad(format!("/lines/{place}/tax"), "either tax_rate or tax")),
        };
        Ok(CartLine {
            id: self.id.as_str().to_owned(),
            kind: match self.kind {
                LineKindIn::Product => LineKind::Product,
                LineKindIn::Shipping => LineKind::Shipping,
            },
            sku: label(&self.sku),
            category: label(&self.category),
            brand: label(&self.brand),
            quantity: self.quantity,
            amount: money(&self.amount, currency, || format!("/lines/{place}/amount"))?,
            tax,
            attributes: stated(&self.attributes, declared, &format!("/lines/{place}/attributes"))?,
        })
    }
}

impl DiscountIn {
    fn read(&self, currency: Currency, place: usize) -> Result<StatedDiscount, BadField> {
        let line = |(i, line): (usize, &DiscountedLineIn)| {
            let amount = money(&line.amount, currency, || format!("/discounts/{place}/lines/{i}/amount"))?;
            Ok(DiscountedLine { id: line.id.as_str().to_owned(), amount })
        };
        let lines = self.lines.iter().enumerate().map(line).collect::<Result<_, BadField>>()?;
        Ok(StatedDiscount { code: self.code.as_str().to_owned(), lines })
    }
}
