//! Returns at the door.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::money::{Currency, Money, MoneyError};
use crate::loyalty::checkout::cart::ORDER_LINES_MAX;
use crate::loyalty::checkout::returns::{LineReturn, ReturnRequest};
use crate::loyalty::membership::profile_in::BadField;
use crate::platform::web::amount::AmountIn;
use crate::platform::web::text::Text;

/// A line's id.
type LineId = Text<64>;

/// A return: of lines, of an amount, or of all that is left.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturn, example = json!({ "reference": "r-1", "lines": [{ "id": "1", "quantity": 1 }] }))]
pub struct ReturnIn {
    /// The storefront's name for the return; unique for the order.
    #[schema(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:#@+=-]{0,63}$", max_length = 64)]
    pub reference: String,
    /// Lines, each by quantity or by amount.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<LineReturnIn>>,
    /// So much of what was charged, whichever the lines.
    #[serde(default)]
    pub amount: Option<AmountIn>,
    /// All that is left.
    #[serde(default)]
    pub all: bool,
}

/// What comes back of a line: a quantity or an amount.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnedLine)]
pub struct LineReturnIn {
    /// The line's id in the order.
    pub id: LineId,
    /// So many pieces.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<u32>,
    /// So much of what was charged for it: merchandise value, money and points together.
    #[serde(default)]
    pub amount: Option<AmountIn>,
}

impl ReturnIn {
    /// What comes back.
    ///
    /// # Errors
    /// The first amount that is none in the currency.
    pub fn request(&self, currency: Currency) -> Result<ReturnRequest, BadField> {
        let line = |(i, line): (usize, &LineReturnIn)| {
            if line.quantity == Some(0) {
                return Err(BadField { pointer: format!("/lines/{i}/quantity"), wants: "at least one piece" });
            }
            let amount = line.amount.as_ref().map(|a| some_money(a, currency, || format!("/lines/{i}/amount")));
            Ok(LineReturn { id: line.id.as_str().to_owned(), quantity: line.quantity, amount: amount.transpose()? })
        };
        if self.lines.as_ref().is_some_and(|lines| !(1..=ORDER_LINES_MAX).contains(&lines.len())) {
            return Err(BadField { pointer: "/lines".into(), wants: "1 to 500 lines" });
        }
        let lines = self.lines.as_ref().map(|lines| lines.iter().enumerate().map(line).collect());
        let amount = self.amount.as_ref().map(|a| some_money(a, currency, || String::from("/amount")));
        Ok(ReturnRequest { lines: lines.transpose()?, amount: amount.transpose()?, all: self.all })
    }
}

/// An amount that gives something back.
fn some_money(sent: &AmountIn, currency: Currency, pointer: impl Fn() -> String) -> Result<Money, BadField> {
    let nothing = || BadField { pointer: pointer(), wants: "an amount of more than 0" };
    money(sent, currency, &pointer).and_then(|amount| if amount == Money::ZERO { Err(nothing()) } else { Ok(amount) })
}

/// An amount of money at the door, by its place in the document.
///
/// # Errors
/// Negative, too large, or finer than the currency.
pub fn money(sent: &AmountIn, currency: Currency, pointer: impl FnOnce() -> String) -> Result<Money, BadField> {
    Money::from_decimal(sent.0, currency).map_err(|error| {
        let wants = match error {
            MoneyError::Negative => "an amount of 0 or more",
            MoneyError::TooLarge => "an amount of at most 10^12 minor units",
            MoneyError::TooPrecise => "no more decimal places than the currency has",
        };
        BadField { pointer: pointer(), wants }
    })
}
