//! A cart or order as it was stated, and what can be wrong with it.

use rust_decimal::Decimal;

use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::earning::model::LineKind;
pub use crate::loyalty::program::facts::ORDER_LINES_MAX;
use crate::loyalty::program::facts::Values;

/// The most discounts of an order.
pub const ORDER_DISCOUNTS_MAX: usize = 200;
/// The most codes that a customer enters.
pub const ENTERED_MAX: usize = 20;
/// The most pieces of a line.
pub const LINE_QUANTITY_MAX: u32 = 1_000_000;
/// The most decimal places of a tax rate in percent.
pub const TAX_RATE_PLACES_MAX: u32 = 6;

/// What was put into the cart, and how it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// What the amounts of the lines are.
    pub prices: Prices,
    /// Products and shipping.
    pub lines: Vec<CartLine>,
    /// What was taken off, as the customer was told.
    pub discounts: Vec<StatedDiscount>,
    /// The codes that the customer entered, in capitals.
    pub entered: Vec<String>,
    /// Points to pay with.
    pub points: Points,
    /// The part that a gift card pays.
    pub gift_card: Money,
    /// What the lines should sum to: all that is charged, with tax and shipping, before points and gift card.
    pub total: Option<Money>,
    /// What the storefront says of it besides.
    pub attributes: Values,
}

/// Where an order was placed, as the storefront calls it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Through what, `web`.
    pub channel: Option<String>,
    /// In which store.
    pub store: Option<String>,
}

impl Place {
    /// A place, where anything is known of it.
    pub fn of(channel: Option<String>, store: Option<String>) -> Option<Self> {
        let known = channel.is_some() || store.is_some();
        known.then_some(Self { channel, store })
    }
}

/// What the amounts of lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prices {
    /// The tax is in them.
    TaxIncluded,
    /// The tax is added to them.
    TaxOnTop,
    /// There is no tax.
    NoTax,
}

/// A line as stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// Its name in the order.
    pub id: String,
    /// Product or shipping.
    pub kind: LineKind,
    /// The article.
    pub sku: Option<String>,
    /// The article's category.
    pub category: Option<String>,
    /// The article's brand.
    pub brand: Option<String>,
    /// How many pieces.
    pub quantity: u32,
    /// For all pieces, before discounts.
    pub amount: Money,
    /// Its tax.
    pub tax: Tax,
    /// What the storefront says of it besides.
    pub attributes: Values,
}

/// The tax of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tax {
    /// None is stated.
    None,
    /// In percent of the net amount.
    Rate(Decimal),
    /// The tax on what is charged, after discounts.
    Stated(Money),
}

/// A discount that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedDiscount {
    /// What it is called.
    pub code: String,
    /// What it took off which line.
    pub lines: Vec<DiscountedLine>,
}

/// What a discount took off one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscountedLine {
    /// The line.
    pub id: String,
    /// How much; of the amount without tax where tax comes on top.
    pub amount: Money,
}

/// What is wrong with a cart. Numbers name the places in the cart's lists, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// There is no line.
    #[error("an order has at least one line")]
    NoLines,
    /// More than [`ORDER_LINES_MAX`].
    #[error("an order has at most 500 lines")]
    TooManyLines,
    /// Two lines have one id.
    #[error("another line has this id")]
    DuplicateLine {
        /// The later one.
        line: usize,
    },
    /// Not 1 to [`LINE_QUANTITY_MAX`].
    #[error("a quantity is 1 to 1,000,000")]
    Quantity {
        /// Whose.
        line: usize,
    },
    /// Not 0 to 100, or finer than [`TAX_RATE_PLACES_MAX`].
    #[error("a tax rate is 0 to 100 percent, with at most 6 decimal places")]
    TaxRate {
        /// Whose.
        line: usize,
    },
    /// More tax than the line is charged, or, where it comes on top, than it costs without.
    #[error("the tax is more than the line")]
    TaxExceedsLine {
        /// Whose.
        line: usize,
        /// What the line has room for.
        most: Money,
    },
    /// Tax on a line though the prices have none.
    #[error("the order says that there is no tax")]
    TaxUnexpected {
        /// Whose.
        line: usize,
        /// Whether a rate was sent, or an amount.
        rate: bool,
    },
    /// More than [`ORDER_DISCOUNTS_MAX`], or one with more than [`ORDER_LINES_MAX`] lines.
    #[error("an order has at most 200 discounts of at most 500 lines each")]
    TooManyDiscounts,
    /// A discount on a line that is not there.
    #[error("no line has this id")]
    DiscountOnUnknownLine {
        /// Which discount.
        discount: usize,
        /// Which of its lines.
        entry: usize,
    },
    /// Discounts on a line are more than its amount.
    #[error("the discounts are more than the line")]
    DiscountExceedsLine {
        /// Which discount.
        discount: usize,
        /// Which of its lines.
        entry: usize,
        /// What other discounts left of the line.
        left: Money,
    },
    /// The lines sum to more than money has room for.
    #[error("the lines sum to too much")]
    SumTooLarge,
    /// The points are worth more than the products.
    #[error("the points are worth more than the products cost")]
    PointsExceedProducts {
        /// What is charged for the products.
        products: Money,
    },
    /// The gift card pays more than what points left to pay.
    #[error("the gift card pays more than what is left to pay")]
    GiftCardExceedsOrder {
        /// What is left to pay.
        left: Money,
    },
    /// The stated total is another.
    #[error("the lines do not sum to the total")]
    LinesDoNotSum {
        /// What they sum to.
        lines: Money,
    },
}

impl CartError {
    /// Where the mistake stands in the document, as a JSON pointer.
    pub fn pointer(&self) -> String {
        match self {
            Self::NoLines | Self::TooManyLines | Self::SumTooLarge => "/lines".into(),
            Self::DuplicateLine { line } => format!("/lines/{line}/id"),
            Self::Quantity { line } => format!("/lines/{line}/quantity"),
            Self::TaxRate { line } | Self::TaxUnexpected { line, rate: true } => format!("/lines/{line}/tax_rate"),
            Self::TaxExceedsLine { line, .. } | Self::TaxUnexpected { line, rate: false } => {
                format!("/lines/{line}/tax")
            }
            Self::TooManyDiscounts => "/discounts".into(),
            Self::DiscountOnUnknownLine { discount, entry } => format!("/discounts/{discount}/lines/{entry}/id"),
            Self::DiscountExceedsLine { discount, entry, .. } => format!("/discounts/{discount}/lines/{entry}/amount"),
            Self::PointsExceedProducts { .. } => "/points/spend".into(),
            Self::GiftCardExceedsOrder { .. } => "/gift_card".into(),
            Self::LinesDoNotSum { .. } => "/total".into(),
        }
    }
}
