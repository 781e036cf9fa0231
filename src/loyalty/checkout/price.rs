//! What a cart costs: discounts, tax, points and gift card on each line. Source: golden.md R1, R2 and R6.

use rust_decimal::Decimal;

use crate::kernel::money::{Money, Ratio, half_up};
use crate::kernel::points::Points;
use crate::kernel::spread::spread;
use crate::loyalty::checkout::cart::{
    Cart, CartError, CartLine, LINE_QUANTITY_MAX, ORDER_DISCOUNTS_MAX, ORDER_LINES_MAX, Prices, TAX_RATE_PLACES_MAX,
    Tax,
};
use crate::loyalty::checkout::spend::{pays_for, worth_of};
use crate::loyalty::earning::base::base_of;
use crate::loyalty::earning::model::{LineFigures, LineKind};
use crate::loyalty::program::model::NetOf;

/// What the programme says about a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'t> {
    /// Minor units of money that a point is worth.
    pub value: Ratio,
    /// What is not part of a line's base.
    pub net_of: NetOf,
    /// The lines that points do not pay for, by place; short of a line: they do.
    pub barred: &'t [bool],
}

/// A priced cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The figures of each line, in the order of the cart's lines.
    pub lines: Vec<LineFigures>,
    /// What is charged for products, with tax.
    pub charged: Money,
    /// What is charged for shipping, with tax.
    pub shipping: Money,
    /// The part of the products that points pay for.
    pub payable: Money,
    /// The tax in both.
    pub tax: Money,
    /// What the points are worth.
    pub worth: Money,
    /// What points were to pay that were not there.
    pub uncovered: Money,
    /// The money that is paid, for shipping too, after points and gift card.
    pub paid: Money,
    /// What the order earns on.
    pub base: Money,
}

/// Prices a cart of whose points `taken` are there to be taken: all of them, but in a sale that has happened.
///
/// Discounts come off the stated amounts. Points and their worth are spread over the product lines that they pay for, by
/// charged; a gift card over all lines by what is then left to pay, so that no line is paid twice. What was paid in money
/// and by gift card stays as it was stated; what points that are not there were to pay is left uncovered, spread over the
/// same product lines by what is then left to pay.
///
/// # Errors
/// The first mistake that is found, in the order of the document.
pub fn price(cart: &Cart, taken: Points, terms: &Terms<'_>) -> Result<Priced, CartError> {
    let places = places(&cart.lines)?;
    let discounts = discounts(cart, &places)?;
    let mut lines = Vec::with_capacity(cart.lines.len());
    for ((i, line), discount) in cart.lines.iter().enumerate().zip(discounts) {
        lines.push(charge(i, line, discount, cart.prices)?);
    }
    let charged = sum(of_kind(&lines, LineKind::Product), |line| line.charged)?;
    let shipping = sum(of_kind(&lines, LineKind::Shipping), |line| line.charged)?;
    let total = charged.plus(shipping).ok_or(CartError::SumTooLarge)?;
    if cart.total.is_some_and(|stated| stated != total) {
        return Err(CartError::LinesDoNotSum { lines: total });
    }
    let payable = match terms.barred {
        [] => charged,
        barred => sum(paid_by_points(&lines, barred), |line| line.charged)?,
    };
    let asked = worth_within(cart.points, terms.value, payable)?;
    let worth = if taken == cart.points { asked } else { worth_within(taken, terms.value, payable)? };
    pay_points(&mut lines, (taken, worth), (terms.barred, payable))?;
    let uncovered = asked.minus(worth).unwrap_or(Money::ZERO);
    leave_uncovered(&mut lines, uncovered, (terms.barred, payable))?;
    let left = total.minus(asked).unwrap_or(Money::ZERO);
    pay_gift_card(&mut lines, cart.gift_card, left)?;
    for line in &mut lines {
        line.base = base_of(line, terms.net_of).ok_or(CartError::SumTooLarge)?;
    }
    let paid = left.minus(cart.gift_card).unwrap_or(Money::ZERO);
    let (tax, base) = (sum(lines.iter(), |line| line.tax)?, sum(lines.iter(), |line| line.base)?);
    Ok(Priced { lines, charged, shipping, payable, tax, worth, uncovered, paid, base })
}

/// The places of lines by their ids.
///
/// # Errors
/// There is none or too many, two have one id, or a quantity is out of its range.
pub fn places(lines: &[CartLine]) -> Result<Places<'_>, CartError> {
    if lines.is_empty() {
        return Err(CartError::NoLines);
    }
    if lines.len() > ORDER_LINES_MAX {
        return Err(CartError::TooManyLines);
    }
    let mut places: Vec<(&str, usize)> = lines.iter().enumerate().map(|(place, line)| (&*line.id, place)).collect();
    places.sort_unstable();
    let pairs = places.iter().zip(places.iter().skip(1));
    let twice = pairs.filter(|((one, _), (other, _))| one == other).map(|(_, (_, place))| *place).min();
    let odd = lines.iter().position(|line| !(1..=LINE_QUANTITY_MAX).contains(&line.quantity));
    match (twice, odd) {
        (Some(line), odd) if odd.is_none_or(|odd| line <= odd) => Err(CartError::DuplicateLine { line }),
        (_, Some(line)) => Err(CartError::Quantity { line }),
        _ => Ok(Places(places)),
    }
}

/// The places of lines by their ids, which are sorted: an order has few lines, and nobody hashes them.
#[derive(Debug)]
pub struct Places<'c>(Vec<(&'c str, usize)>);

impl Places<'_> {
    /// The place of a line.
    pub fn get(&self, id: &str) -> Option<usize> {
        let found = self.0.binary_search_by_key(&id, |(id, _)| id).ok()?;
        self.0.get(found).map(|(_, place)| *place)
    }
}

fn discounts(cart: &Cart, places: &Places<'_>) -> Result<Vec<Money>, CartError> {
    let mut taken = vec![Money::ZERO; cart.lines.len()];
    if cart.discounts.len() > ORDER_DISCOUNTS_MAX || cart.discounts.iter().any(|d| d.lines.len() > ORDER_LINES_MAX) {
        return Err(CartError::TooManyDiscounts);
    }
    for (discount, stated) in cart.discounts.iter().enumerate() {
        for (entry, off) in stated.lines.iter().enumerate() {
            let place = places.get(&off.id);
            let line = place.and_then(|i| Some((cart.lines.get(i)?, taken.get_mut(i)?)));
            let (line, taken) = line.ok_or(CartError::DiscountOnUnknownLine { discount, entry })?;
            let left = line.amount.minus(*taken).unwrap_or(Money::ZERO);
            if off.amount > left {
                return Err(CartError::DiscountExceedsLine { discount, entry, left });
            }
            *taken = taken.plus(off.amount).ok_or(CartError::SumTooLarge)?;
        }
    }
    Ok(taken)
}

fn charge(i: usize, line: &CartLine, discount: Money, prices: Prices) -> Result<LineFigures, CartError> {
    let discounted = line.amount.minus(discount).unwrap_or(Money::ZERO);
    let tax = tax(i, line, discounted, prices)?;
    let charged = match prices {
        Prices::TaxOnTop => discounted.plus(tax).ok_or(CartError::SumTooLarge)?,
        Prices::TaxIncluded | Prices::NoTax => discounted,
    };
    Ok(LineFigures {
        kind: line.kind,
        quantity: line.quantity,
        amount: line.amount,
        discount,
        charged,
        tax,
        points_spent: Points::ZERO,
        worth: Money::ZERO,
        uncovered: Money::ZERO,
        gift_card: Money::ZERO,
        paid: charged,
        base: Money::ZERO,
    })
}

fn tax(line: usize, stated: &CartLine, discounted: Money, prices: Prices) -> Result<Money, CartError> {
    match stated.tax {
        Tax::None => Ok(Money::ZERO),
        Tax::Stated(tax) if prices == Prices::NoTax && tax > Money::ZERO => {
            Err(CartError::TaxUnexpected { line, rate: false })
        }
        Tax::Stated(tax) if tax > discounted => Err(CartError::TaxExceedsLine { line, most: discounted }),
        Tax::Stated(tax) => Ok(tax),
        Tax::Rate(percent) => {
            let rate = rate_micros(percent).ok_or(CartError::TaxRate { line })?;
            let whole = match prices {
                Prices::TaxIncluded => RATE_WHOLE_MICROS.saturating_add(rate),
                Prices::TaxOnTop => RATE_WHOLE_MICROS,
                Prices::NoTax if rate == 0 => RATE_WHOLE_MICROS,
                Prices::NoTax => return Err(CartError::TaxUnexpected { line, rate: true }),
            };
            Money::from_minor(half_up(discounted.minor(), rate, whole)).ok_or(CartError::SumTooLarge)
        }
    }
}

/// 100 percent, in millionths of a percent.
const RATE_WHOLE_MICROS: i64 = 100_000_000;

fn rate_micros(percent: Decimal) -> Option<i64> {
    let percent = percent.normalize();
    if percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED {
        return None;
    }
    let widen = 10_i128.checked_pow(TAX_RATE_PLACES_MAX.checked_sub(percent.scale())?)?;
    i64::try_from(percent.mantissa().checked_mul(widen)?).ok()
}

fn worth_within(points: Points, value: Ratio, payable: Money) -> Result<Money, CartError> {
    if points.is_zero() {
        return Ok(Money::ZERO);
    }
    let refused = CartError::PointsExceedProducts { products: payable };
    let worth = worth_of(value, points).ok_or(refused)?;
    // Nothing to pay for takes no points, were they worth nothing.
    if worth > payable || payable == Money::ZERO { Err(refused) } else { Ok(worth) }
}

fn pay_points(
    lines: &mut [LineFigures],
    (points, worth): (Points, Money),
    (barred, payable): (&[bool], Money),
) -> Result<(), CartError> {
    if points.is_zero() {
        return Ok(());
    }
    let refused = CartError::PointsExceedProducts { products: payable };
    let weights: Vec<i64> = paid_by_points(lines, barred).map(|line| line.charged.minor()).collect();
    let parts = spread(points.get(), &weights).into_iter().zip(spread(worth.minor(), &weights));
    for (line, (points, worth)) in to_be_paid_by_points(lines, barred).zip(parts) {
        line.points_spent = Points::try_from(points).map_err(|_| refused)?;
        line.worth = Money::from_minor(worth).ok_or(refused)?;
        line.paid = line.paid.minus(line.worth).ok_or(refused)?;
    }
    Ok(())
}

fn leave_uncovered(
    lines: &mut [LineFigures],
    uncovered: Money,
    (barred, payable): (&[bool], Money),
) -> Result<(), CartError> {
    if uncovered == Money::ZERO {
        return Ok(());
    }
    let refused = CartError::PointsExceedProducts { products: payable };
    let weights: Vec<i64> = paid_by_points(lines, barred).map(|line| line.paid.minor()).collect();
    for (line, part) in to_be_paid_by_points(lines, barred).zip(spread(uncovered.minor(), &weights)) {
        line.uncovered = Money::from_minor(part).ok_or(refused)?;
        line.paid = line.paid.minus(line.uncovered).ok_or(refused)?;
    }
    Ok(())
}

fn pay_gift_card(lines: &mut [LineFigures], gift_card: Money, left: Money) -> Result<(), CartError> {
    let refused = CartError::GiftCardExceedsOrder { left };
    if gift_card > left {
        return Err(refused);
    }
    let weights: Vec<i64> = lines.iter().map(|line| line.paid.minor()).collect();
    for (line, part) in lines.iter_mut().zip(spread(gift_card.minor(), &weights)) {
        line.gift_card = Money::from_minor(part).ok_or(refused)?;
        line.paid = line.paid.minus(line.gift_card).ok_or(refused)?;
    }
    Ok(())
}

fn paid_by_points<'l>(lines: &'l [LineFigures], barred: &'l [bool]) -> impl Iterator<Item = &'l LineFigures> {
    lines.iter().enumerate().filter(|(place, line)| pays_for(line.kind, *place, barred)).map(|(_, line)| line)
}

fn to_be_paid_by_points<'l>(
    lines: &'l mut [LineFigures],
    barred: &'l [bool],
) -> impl Iterator<Item = &'l mut LineFigures> {
    lines.iter_mut().enumerate().filter(|(place, line)| pays_for(line.kind, *place, barred)).map(|(_, line)| line)
}

fn of_kind(lines: &[LineFigures], kind: LineKind) -> impl Iterator<Item = &LineFigures> {
    lines.iter().filter(move |line| line.kind == kind)
}

fn sum<'a>(
    mut lines: impl Iterator<Item = &'a LineFigures>,
    figure: fn(&LineFigures) -> Money,
) -> Result<Money, CartError> {
    lines.try_fold(Money::ZERO, |sum, line| sum.plus(figure(line))).ok_or(CartError::SumTooLarge)
}

#[cfg(test)]
mod tests;
