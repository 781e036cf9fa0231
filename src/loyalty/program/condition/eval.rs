//! What a condition answers. Figures are exact decimals; nothing is allocated but for texts that are joined.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::{Datelike, NaiveDate, Timelike};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::loyalty::program::condition::EvalError;
use crate::loyalty::program::condition::fields::{KINDS, LineNumber, LineText, NumberField, TextField};
use crate::loyalty::program::condition::tree::{
    Arithmetic, Attribute, Choice, Comparison, Date, Flag, Number, Owner, Quantifier, Search, Text, Which,
};
use crate::loyalty::program::facts::{Facts, LineFacts, LineKind, OrderFacts};
use crate::loyalty::program::model::attributes::{AttributeType, date, number};

/// All that a condition sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'f> {
    /// The facts.
    pub facts: &'f Facts<'f>,
    /// The line that it is asked of.
    pub line: Option<&'f LineFacts<'f>>,
    /// The line that a macro has come to.
    pub each: Option<&'f LineFacts<'f>>,
}

type Evaluated<T> = Result<T, EvalError>;

impl<'f> Seen<'f> {
    fn order(&self) -> Evaluated<&'f OrderFacts<'f>> {
        self.facts.order.as_ref().ok_or(EvalError::Absent("order"))
    }

    fn line(&self, which: Which) -> Evaluated<&'f LineFacts<'f>> {
        let line = match which {
            Which::Asked => self.line,
            Which::Each => self.each,
        };
        line.ok_or(EvalError::Absent("line"))
    }

    /// What was sent for an attribute, read as its type; null is as good as nothing.
    fn attribute<T>(
        &self,
        attribute: &Attribute,
        kind: AttributeType,
        read: impl FnOnce(&'f Value) -> Option<T>,
    ) -> Evaluated<T> {
        let values = match attribute.owner {
            Owner::Member => self.facts.member.attributes,
            Owner::Order => self.order()?.attributes,
            Owner::Line(which) => self.line(which)?.attributes,
            Owner::Event => self.facts.event.as_ref().ok_or(EvalError::Absent("event"))?.attributes,
        };
        match values.and_then(|values| values.get(&*attribute.name)) {
            None | Some(Value::Null) => Err(EvalError::Unknown(attribute.path.clone())),
            Some(value) => read(value).ok_or_else(|| EvalError::Mistyped(attribute.path.clone(), kind)),
        }
    }

    fn number(&self, field: NumberField) -> Evaluated<Decimal> {
        let (member, local, currency) = (&self.facts.member, self.facts.local, self.facts.book.currency);
        Ok(match field {
            NumberField::OrderTotal => self.order()?.total.to_decimal(currency),
            NumberField::OrderProducts => self.order()?.products.to_decimal(currency),
            NumberField::OrderShipping => self.order()?.shipping.to_decimal(currency),
            NumberField::OrderQuantity => self.order()?.quantity.into(),
            NumberField::OrderCount => member.order_count.into(),
            NumberField::DaysSinceLastOrder => {
                let days = member.days_since_last_order;
                days.ok_or(EvalError::Absent("member.days_since_last_order"))?.into()
            }
            NumberField::DaysEnrolled => member.days_enrolled.into(),
            NumberField::Year => local.year().into(),
            NumberField::Month => local.month().into(),
            NumberField::Day => local.day().into(),
            NumberField::Weekday => local.weekday().number_from_monday().into(),
            NumberField::Hour => local.hour().into(),
            NumberField::Minute => local.minute().into(),
        })
    }

    fn text(&self, field: TextField) -> Evaluated<&'f str> {
        let (member, book) = (&self.facts.member, self.facts.book);
        Ok(match field {
            TextField::Channel => self.order()?.channel,
            TextField::Store => self.order()?.store,
            TextField::Tier => member.tier.and_then(|tier| book.tier_code(tier)).unwrap_or(""),
            TextField::Segment => book.first_segment(member.segments).unwrap_or(""),
            TextField::Event => self.facts.event.as_ref().ok_or(EvalError::Absent("event"))?.name,
        })
    }

    fn arm(&self, experiment: &str) -> &'f str {
        self.facts.book.arm(experiment, self.facts.member.member).unwrap_or("")
    }

    /// Tests hold the static bound against how often this is called.
    fn step(&self) {
        #[cfg(test)]
        STEPS.with(|steps| steps.set(steps.get() + 1));
    }
}

#[cfg(test)]
thread_local! {
    /// How many parts of conditions were looked at.
    pub static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl Flag {
    /// Whether it is so.
    ///
    /// # Errors
    /// When what decides is not known, divided by zero or too large.
    pub fn value(&self, seen: &Seen<'_>) -> Evaluated<bool> {
        seen.step();
        match self {
            Self::Is(flag) => Ok(*flag),
            Self::Attribute(attribute) => seen.attribute(attribute, AttributeType::Flag, Value::as_bool),
            Self::Not(flag) => flag.value(seen).map(|flag| !flag),
            Self::All(flags) => until(false, flags.iter().map(|flag| flag.value(seen))),
            Self::Any(flags) => until(true, flags.iter().map(|flag| flag.value(seen))),
            Self::Flags(how, pair) => {
                let [a, b] = &**pair;
                compare(*how, &a.value(seen)?, &b.value(seen)?)
            }
            Self::Numbers(how, pair) => {
                let [a, b] = &**pair;
                compare(*how, &a.value(seen)?, &b.value(seen)?)
            }
            Self::Texts(how, pair) => {
                let [a, b] = &**pair;
                compare(*how, &a.value(seen)?, &b.value(seen)?)
            }
            Self::Dates(how, pair) => {
                let [a, b] = &**pair;
                compare(*how, &a.value(seen)?, &b.value(seen)?)
            }
            Self::NumberIn(number, items) => Ok(items.binary_search(&number.value(seen)?).is_ok()),
            Self::TextIn(text, items) => {
                let text = text.value(seen)?;
                Ok(items.binary_search_by(|item| (**item).cmp(&*text)).is_ok())
            }
            Self::DateIn(date, items) => Ok(items.binary_search(&date.value(seen)?).is_ok()),
            Self::Segment(code) => {
                let slot = seen.facts.book.segment_slot(&code.value(seen)?);
                Ok(slot.is_some_and(|slot| seen.facts.member.segments.has(slot)))
            }
            Self::Search(search, pair) => {
                let [text, part] = &**pair;
                let (text, part) = (text.value(seen)?, part.value(seen)?);
                Ok(match search {
                    Search::Start => text.starts_with(&*part),
                    Search::End => text.ends_with(&*part),
                    Search::Anywhere => text.contains(&*part),
                })
            }
            Self::Lines(quantifier, flag) => {
                let lines = seen.order()?.lines.iter();
                let flags = lines.map(|line| flag.value(&Seen { each: Some(line), ..*seen }));
                until(*quantifier == Quantifier::One, flags)
            }
            Self::Choice(choice) => choice.chosen(seen)?.value(seen),
        }
    }
}

/// The first such flag decides, whatever is wrong before or after it; CEL's `&&` and `||` do not mind the order.
fn until(deciding: bool, flags: impl Iterator<Item = Evaluated<bool>>) -> Evaluated<bool> {
    let mut error = None;
    for flag in flags {
        match flag {
            Ok(flag) if flag == deciding => return Ok(deciding),
            Ok(_) => {}
            Err(e) => error = error.or(Some(e)),
        }
    }
    error.map_or(Ok(!deciding), Err)
}

fn compare<T: Ord + ?Sized>(how: Comparison, a: &T, b: &T) -> Evaluated<bool> {
    let ordering: Ordering = a.cmp(b);
    Ok(how.admits(ordering))
}

impl<T> Choice<T> {
    fn chosen(&self, seen: &Seen<'_>) -> Evaluated<&T> {
        Ok(if self.when.value(seen)? { &self.then } else { &self.otherwise })
    }
}

impl Number {
    fn value(&self, seen: &Seen<'_>) -> Evaluated<Decimal> {
        seen.step();
        match self {
            Self::Is(number) => Ok(*number),
            Self::Field(field) => seen.number(*field),
            Self::Line(which, LineNumber::Quantity) => Ok(seen.line(*which)?.quantity.into()),
            Self::Line(which, LineNumber::Amount) => Ok(seen.line(*which)?.amount.to_decimal(seen.facts.book.currency)),
            Self::Attribute(attribute) => seen.attribute(attribute, AttributeType::Number, number),
            Self::Minus(number) => Decimal::ZERO.checked_sub(number.value(seen)?).ok_or(EvalError::TooLarge),
            Self::Arithmetic(how, pair) => {
                let [a, b] = &**pair;
                arithmetic(*how, a.value(seen)?, b.value(seen)?)
            }
            Self::Choice(choice) => choice.chosen(seen)?.value(seen),
        }
    }
}

/// Rounded half even where the figure has more than 28 digits behind the point.
fn arithmetic(how: Arithmetic, a: Decimal, b: Decimal) -> Evaluated<Decimal> {
    if b.is_zero() && matches!(how, Arithmetic::Over | Arithmetic::Rest) {
        return Err(EvalError::DivisionByZero);
    }
    let figure = match how {
        Arithmetic::Plus => a.checked_add(b),
        Arithmetic::Minus => a.checked_sub(b),
        Arithmetic::Times => a.checked_mul(b),
        Arithmetic::Over => a.checked_div(b),
        Arithmetic::Rest => a.checked_rem(b),
    };
    figure.ok_or(EvalError::TooLarge)
}

impl Text {
    fn value<'v>(&'v self, seen: &Seen<'v>) -> Evaluated<Cow<'v, str>> {
        seen.step();
        match self {
            Self::Is(text) => Ok(Cow::Borrowed(text)),
            Self::Field(field) => seen.text(*field).map(Cow::Borrowed),
            Self::Line(which, field) => {
                let line = seen.line(*which)?;
                Ok(Cow::Borrowed(match field {
                    LineText::Sku => line.sku,
                    LineText::Category => line.category,
                    LineText::Brand => line.brand,
                    LineText::Kind => {
                        let [product, shipping] = KINDS;
                        if line.kind == LineKind::Product { product } else { shipping }
                    }
                }))
            }
            Self::Arm(experiment) => Ok(Cow::Borrowed(seen.arm(experiment))),
            Self::Attribute(attribute) => {
                seen.attribute(attribute, AttributeType::Text, |value| value.as_str().map(Cow::Borrowed))
            }
            Self::Joined(pair) => {
                let [first, second] = &**pair;
                let (mut joined, second) = (first.value(seen)?.into_owned(), second.value(seen)?);
                joined.push_str(&second);
                Ok(Cow::Owned(joined))
            }
            Self::Choice(choice) => choice.chosen(seen)?.value(seen),
        }
    }
}

impl Date {
    fn value(&self, seen: &Seen<'_>) -> Evaluated<NaiveDate> {
        seen.step();
        match self {
            Self::Is(day) => Ok(*day),
            Self::Today => Ok(seen.facts.local.date()),
            Self::Attribute(attribute) => {
                seen.attribute(attribute, AttributeType::Date, |value| value.as_str().and_then(date))
            }
            Self::Choice(choice) => choice.chosen(seen)?.value(seen),
        }
    }
}
