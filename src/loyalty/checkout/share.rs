//! What a return gives back, line by line, from the stored figures alone. Source: golden.md R4.

use std::collections::HashMap;

use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::kernel::spread::{Share, spread};
use crate::loyalty::checkout::returns::{LineReturn, ReturnError, ReturnRequest};
use crate::loyalty::earning::model::LineKind;

/// An order as it was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sold {
    /// Its lines.
    pub lines: Vec<SoldLine>,
    /// What each row of the award brought, by line; a line that is missing has none of it.
    pub rows: Vec<Vec<Points>>,
    /// What each credit of a qualifying wallet brought, by line.
    pub credits: Vec<Vec<Points>>,
}

/// A line as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldLine {
    /// Its name in the order.
    pub id: String,
    /// Product or shipping.
    pub kind: LineKind,
    /// How many pieces.
    pub quantity: u32,
    /// What was charged.
    pub charged: Money,
    /// The tax in it.
    pub tax: Money,
    /// Points paid for it.
    pub points_spent: Points,
    /// What they were worth.
    pub worth: Money,
    /// What nobody paid: points were to, and were not there.
    pub uncovered: Money,
    /// What a gift card paid.
    pub gift_card: Money,
    /// What has come back already.
    pub returned: Returned,
}

/// How much of a line has come back, over all returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// The exact share of the line.
    pub share: Share,
    /// Pieces, as far as it came back by quantity.
    pub quantity: u32,
    /// Money given back.
    pub money: Money,
}

/// What a return gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// The lines that it touches, in the order of the order's lines.
    pub lines: Vec<LineGivenBack>,
    /// The sums of the lines.
    pub sum: Figures,
    /// Whether the order has now come back: every product that cost something, or every line where none did. Shipping
    /// and gifts may stay.
    pub complete: bool,
    /// Whether it had not before: now whole credits, such as an order counted, are taken back.
    pub completes: bool,
}

/// What a return gives back of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineGivenBack {
    /// Its place among the order's lines, from 0.
    pub line: usize,
    /// What is given back now.
    pub figures: Figures,
    /// What has come back in all, to be stored.
    pub returned: Returned,
}

/// Figures that are given back. Points restored and points clawed back are different things: see R5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Of what was charged.
    pub charged: Money,
    /// The tax in that.
    pub tax: Money,
    /// Points to restore.
    pub points_spent: Points,
    /// What they were worth.
    pub worth: Money,
    /// To give back to the gift card.
    pub gift_card: Money,
    /// To give back in money: charged - worth - uncovered - gift card.
    pub money: Money,
    /// To claw back of each row, in the order of [`Sold::rows`].
    pub rows: Vec<Points>,
    /// To take back of each credit, in the order of [`Sold::credits`].
    pub credits: Vec<Points>,
}

/// Decides what a return gives back.
///
/// Of every stored whole number x, what stays is floor(x (1 - f)), and the difference to what stayed before is given
/// back, so that any split of a full return sums to x. Money given back is never taken again: where floors would make
/// it negative it is 0, and the next return of the line gives less.
///
/// A piece that is still out comes back, though an amount was returned of the line before: as much of it as is left. An
/// amount that is all that is left of a line returns the line. An amount without a line is spread over all lines,
/// shipping too, by what is left of charged.
///
/// # Errors
/// The first mistake in the request; see [`ReturnError`].
pub fn give_back(sold: &Sold, request: &ReturnRequest) -> Result<GivenBack, ReturnError> {
    let was_complete = complete(sold, &before(sold));
    let after = match (&request.lines, request.amount, request.all) {
        (Some(lines), None, false) => by_lines(sold, lines)?,
        (None, Some(amount), false) => by_amount(sold, amount)?,
        (None, None, true) => all(sold)?,
        _ => return Err(ReturnError::NotOneOfThree),
    };
    let mut lines = Vec::new();
    let mut sum = Figures::none(sold);
    for (line, (stored, &(share, pieces))) in sold.lines.iter().zip(&after).enumerate() {
        if (share, pieces) != (stored.returned.share, 0) {
            let figures = figures(sold, line, stored, share);
            sum.add(&figures);
            let money = stored.returned.money.plus(figures.money).unwrap_or(Money::MAX);
            let quantity = stored.returned.quantity.saturating_add(pieces);
            lines.push(LineGivenBack { line, figures, returned: Returned { share, quantity, money } });
        }
    }
    let complete = complete(sold, &after);
    Ok(GivenBack { lines, sum, complete, completes: complete && !was_complete })
}

/// For each line the share that has come back after this return, and the pieces of this return.
type After = Vec<(Share, u32)>;

fn before(sold: &Sold) -> After {
    sold.lines.iter().map(|line| (line.returned.share, 0)).collect()
}

fn by_lines(sold: &Sold, asked: &[LineReturn]) -> Result<After, ReturnError> {
    if asked.is_empty() {
        return Err(ReturnError::Nothing { line: None });
    }
    let places: HashMap<&str, usize> = sold.lines.iter().enumerate().map(|(i, line)| (line.id.as_str(), i)).collect();
    let mut named = HashMap::new();
    let mut after = before(sold);
    for (line, part) in asked.iter().enumerate() {
        let place = places.get(part.id.as_str()).copied();
        let known = place.and_then(|i| Some((sold.lines.get(i)?, after.get_mut(i)?)));
        let (stored, after) = known.ok_or(ReturnError::UnknownLine { line })?;
        if named.insert(part.id.as_str(), line).is_some() {
            return Err(ReturnError::LineTwice { line });
        }
        *after = match (part.quantity, part.amount) {
            (Some(quantity), None) => (by_quantity(stored, line, quantity)?, quantity),
            (None, Some(amount)) => (by_line_amount(stored, line, amount)?, 0),
            _ => return Err(ReturnError::NotOneOfTwo { line }),
        };
    }
    Ok(after)
}

fn by_quantity(stored: &SoldLine, line: usize, asked: u32) -> Result<Share, ReturnError> {
    let left = stored.quantity.saturating_sub(stored.returned.quantity);
    if asked > left && !stored.returned.share.is_all() {
        return Err(ReturnError::MoreThanLeft { line, asked, left });
    }
    let part = Share::of(asked.into(), stored.quantity.into()).filter(|part| *part != Share::NONE);
    let part = part.filter(|_| !stored.returned.share.is_all()).ok_or(ReturnError::Nothing { line: Some(line) })?;
    // Beyond everything: an amount came back before, and the piece brings what that left.
    Ok(stored.returned.share.plus(part).unwrap_or(Share::ALL))
}

fn by_line_amount(stored: &SoldLine, line: usize, asked: Money) -> Result<Share, ReturnError> {
    if stored.charged == Money::ZERO {
        return Err(ReturnError::AmountOfFreeLine { line });
    }
    let left = left(stored);
    if asked > left {
        return Err(ReturnError::AmountBeyondLine { line, asked, left });
    }
    if asked == Money::ZERO {
        return Err(ReturnError::Nothing { line: Some(line) });
    }
    Ok(with_amount(stored, asked, left))
}

fn with_amount(stored: &SoldLine, amount: Money, left: Money) -> Share {
    // The last whole cent takes the fraction of a cent with it, or a line could never come back by amounts.
    if amount == left {
        return Share::ALL;
    }
    let part = Share::of(amount.minor(), stored.charged.minor());
    part.and_then(|part| stored.returned.share.plus(part)).unwrap_or(Share::ALL)
}

fn by_amount(sold: &Sold, asked: Money) -> Result<After, ReturnError> {
    let weights: Vec<i64> = sold.lines.iter().map(|line| left(line).minor()).collect();
    let left = weights.iter().try_fold(0_i64, |sum, w| sum.checked_add(*w)).and_then(Money::from_minor);
    let left = left.unwrap_or(Money::ZERO);
    if asked == Money::ZERO || left == Money::ZERO {
        return Err(ReturnError::Nothing { line: None });
    }
    if asked > left {
        return Err(ReturnError::AmountBeyondOrder { asked, left });
    }
    let parts = spread(asked.minor(), &weights).into_iter().map(|part| Money::from_minor(part).unwrap_or(Money::ZERO));
    let with_part = |(stored, part): (&SoldLine, Money)| {
        if part == Money::ZERO { stored.returned.share } else { with_amount(stored, part, self::left(stored)) }
    };
    Ok(sold.lines.iter().zip(parts).map(|pair| (with_part(pair), 0)).collect())
}

fn all(sold: &Sold) -> Result<After, ReturnError> {
    if sold.lines.iter().all(|line| line.returned.share.is_all()) {
        return Err(ReturnError::Nothing { line: None });
    }
    let pieces = |line: &SoldLine| {
        if line.returned.share.is_all() { 0 } else { line.quantity.saturating_sub(line.returned.quantity) }
    };
    Ok(sold.lines.iter().map(|line| (Share::ALL, pieces(line))).collect())
}

fn left(line: &SoldLine) -> Money {
    Money::from_minor(line.returned.share.stays(line.charged.minor())).unwrap_or(Money::ZERO)
}

fn figures(sold: &Sold, place: usize, line: &SoldLine, after: Share) -> Figures {
    let gone = |x: i64| line.returned.share.stays(x).saturating_sub(after.stays(x)).max(0);
    let money = |x: Money| Money::from_minor(gone(x.minor())).unwrap_or(Money::ZERO);
    let points = |x: Points| Points::try_from(gone(x.get())).unwrap_or(Points::ZERO);
    let of_line = |row: &Vec<Points>| points(row.get(place).copied().unwrap_or(Points::ZERO));
    let kept = |x: Money| after.stays(x.minor());
    let unpaid = [line.worth, line.uncovered, line.gift_card];
    let paid = |of: &dyn Fn(Money) -> i64| unpaid.iter().fold(of(line.charged), |sum, x| sum.saturating_sub(of(*x)));
    let due = paid(&Money::minor).saturating_sub(paid(&kept));
    let given = due.saturating_sub(line.returned.money.minor()).max(0);
    Figures {
        charged: money(line.charged),
        tax: money(line.tax),
        points_spent: points(line.points_spent),
        worth: money(line.worth),
        gift_card: money(line.gift_card),
        money: Money::from_minor(given).unwrap_or(Money::ZERO),
        rows: sold.rows.iter().map(of_line).collect(),
        credits: sold.credits.iter().map(of_line).collect(),
    }
}

fn complete(sold: &Sold, after: &[(Share, u32)]) -> bool {
    let costs = |line: &SoldLine| line.kind == LineKind::Product && line.charged > Money::ZERO;
    let any = sold.lines.iter().any(costs);
    sold.lines.iter().zip(after).all(|(line, (share, _))| share.is_all() || any && !costs(line))
}

impl Figures {
    fn none(sold: &Sold) -> Self {
        let none = |rows: &[Vec<Points>]| vec![Points::ZERO; rows.len()];
        Self { rows: none(&sold.rows), credits: none(&sold.credits), ..Self::default() }
    }

    fn add(&mut self, other: &Self) {
        // What is summed was summed when the order was booked: it fits.
        let money = |a: &mut Money, b: Money| *a = a.plus(b).unwrap_or(*a);
        let points = |a: &mut Points, b: Points| *a = a.plus(b).unwrap_or(*a);
        money(&mut self.charged, other.charged);
        money(&mut self.tax, other.tax);
        money(&mut self.worth, other.worth);
        money(&mut self.gift_card, other.gift_card);
        money(&mut self.money, other.money);
        points(&mut self.points_spent, other.points_spent);
        self.rows.iter_mut().zip(&other.rows).for_each(|(a, b)| points(a, *b));
        self.credits.iter_mut().zip(&other.credits).for_each(|(a, b)| points(a, *b));
    }
}

#[cfg(test)]
mod tests;
