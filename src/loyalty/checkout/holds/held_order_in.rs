//! An order whose discounts are to be kept for it, at the door.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::kernel::id::Version;
use crate::loyalty::checkout::holds::open_hold::HeldOrder;
use crate::loyalty::checkout::order_in::{BadOrder, Code, DiscountIn, Label, LineIn, OrderIn, PricesIn};
use crate::loyalty::membership::attributes_in::stated_schema;
use crate::loyalty::program::model::Rulebook;

/// An order that is not placed yet, with the discounts that it is to have.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HeldOrder)]
pub struct HeldOrderIn {
    /// ISO 4217; the programme's.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Where it will be placed, `web`.
    #[serde(default)]
    channel: Option<Label>,
    /// In which store.
    #[serde(default)]
    store: Option<Label>,
    /// What the amounts of the lines are.
    #[serde(default)]
    prices: PricesIn,
    /// What is bought.
    #[schema(min_items = 1, max_items = 500)]
    lines: Vec<LineIn>,
    /// What comes off, as a quote gave it; the shop's own come off first.
    #[schema(min_items = 1, max_items = 200)]
    discounts: Vec<DiscountIn>,
    /// What the customer entered to get discounts, in capitals or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    codes: Vec<Code>,
    /// The version that quoted the discounts, its `program_version`; absent: the one in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, nullable)]
    valid_with: Option<i32>,
    /// What the storefront says of it besides.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(schema_with = stated_schema)]
    attributes: Map<String, Value>,
}

impl HeldOrderIn {
    /// The order, read as any other is.
    ///
    /// # Errors
    /// Another currency, or the first field that is not as it has to be.
    pub fn read(&self, book: &Rulebook) -> Result<HeldOrder, BadOrder> {
        let this = self.clone();
        let order = OrderIn {
            reference: String::from("held"),
            member: None,
            enrol: false,
            ordered_at: None,
            ordered_on: None,
            currency: this.currency,
            channel: this.channel,
            store: this.store,
            prices: this.prices,
            lines: this.lines,
            discounts: this.discounts,
            codes: this.codes,
            valid_with: this.valid_with,
            points: None,
            hold: None,
            gift_card: None,
            total: None,
            attributes: this.attributes,
        };
        let cart = order.cart(book.currency, &book.declared)?;
        Ok(HeldOrder { cart, place: order.place(), valid_with: order.valid_with.map(Version) })
    }
}
