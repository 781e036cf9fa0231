//! What a basket costs: golden.md R1 and R2, with plain whole numbers.

use crate::command::{Basket, Line, Taxed};
use crate::spec::BULK;

/// One line, to the minor unit.
#[derive(Clone, Debug, Default)]
pub struct PricedLine {
    pub product: bool,
    pub category: Option<&'static str>,
    /// As stated, before discounts.
    pub amount: i64,
    pub quantity: i64,
    pub charged: i64,
    pub tax: i64,
    pub points: i64,
    pub worth: i64,
    /// Nobody paid it.
    pub uncovered: i64,
    pub gift: i64,
}

pub struct Priced {
    pub lines: Vec<PricedLine>,
    pub products: i64,
    pub shipping: i64,
    /// The part of the products that points pay for.
    pub payable: i64,
    pub worth: i64,
    pub uncovered: i64,
}

/// a b / c, half up.
pub fn half_up(a: i64, b: i64, c: i64) -> i64 {
    let (a, b, c) = (i128::from(a), i128::from(b), i128::from(c));
    i64::try_from((2 * a * b + c) / (2 * c)).unwrap()
}

/// Whole parts first, then one more to whoever lacks most, the earlier of equals.
pub fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i64 = weights.iter().sum();
    let mut parts = vec![0; weights.len()];
    if sum == 0 {
        parts[0] = total;
        return parts;
    }
    let exact = |w: i64| i128::from(total) * i128::from(w);
    for (part, w) in parts.iter_mut().zip(weights) {
        *part = i64::try_from(exact(*w) / i128::from(sum)).unwrap();
    }
    let mut given: Vec<usize> = Vec::new();
    while parts.iter().sum::<i64>() < total {
        let lacks = |i: usize| exact(weights[i]) % i128::from(sum);
        let rest = (0..weights.len()).filter(|i| !given.contains(i));
        let most = rest.min_by_key(|i| (std::cmp::Reverse(lacks(*i)), *i)).unwrap();
        parts[most] += 1;
        given.push(most);
    }
    parts
}

/// What it costs, when so many of its points are taken, and pay for no bulk where `no_bulk`.
pub fn price(basket: &Basket, taken: i64, value: (i64, i64), no_bulk: bool) -> Result<Priced, String> {
    let wrong = |code: &str| Err(format!("cart {code}"));
    if basket.lines.is_empty() {
        return wrong("NoLines");
    }
    for (i, line) in basket.lines.iter().enumerate() {
        if i == 1 && basket.twice {
            return wrong("DuplicateLine");
        }
        if line.quantity == 0 {
            return wrong("Quantity");
        }
    }
    let mut lefts: Vec<i64> = basket.lines.iter().map(|l| l.amount).collect();
    for (place, off) in &basket.off {
        let Some(left) = lefts.get_mut(*place) else { return wrong("DiscountOnUnknownLine") };
        if off > left {
            return wrong("DiscountExceedsLine");
        }
        *left -= off;
    }
    for off in basket.named.iter().map(|named| &named.1) {
        for (left, off) in lefts.iter_mut().zip(off) {
            if off > left {
                return wrong("DiscountExceedsLine");
            }
            *left -= off;
        }
    }
    let mut lines = Vec::new();
    for (line, left) in basket.lines.iter().zip(lefts) {
        lines.push(charged(line, left, basket.taxed)?);
    }
    let sum = |product| lines.iter().filter(|l| l.product == product).map(|l| l.charged).sum::<i64>();
    let (products, shipping) = (sum(true), sum(false));
    if basket.total.is_some_and(|t| t != products + shipping) {
        return wrong("LinesDoNotSum");
    }
    let pays = |l: &PricedLine| l.product && !(no_bulk && l.quantity >= BULK);
    let payable = lines.iter().filter(|l| pays(l)).map(|l| l.charged).sum();
    let asked = half_up(basket.points, value.0, value.1);
    if basket.points > 0 && (asked > payable || payable == 0) {
        return wrong("PointsExceedProducts");
    }
    let worth = half_up(taken, value.0, value.1);
    let uncovered = asked - worth;
    let by: Vec<i64> = lines.iter().map(|l| if pays(l) { l.charged } else { 0 }).collect();
    if taken > 0 {
        for ((line, points), worth) in lines.iter_mut().zip(shares(taken, &by)).zip(shares(worth, &by)) {
            (line.points, line.worth) = (points, worth);
        }
    }
    let by: Vec<i64> = lines.iter().map(|l| if pays(l) { l.charged - l.worth } else { 0 }).collect();
    if uncovered > 0 {
        for (line, part) in lines.iter_mut().zip(shares(uncovered, &by)) {
            line.uncovered = part;
        }
    }
    if basket.gift > products + shipping - asked {
        return wrong("GiftCardExceedsOrder");
    }
    let by: Vec<i64> = lines.iter().map(|l| l.charged - l.worth - l.uncovered).collect();
    for (line, gift) in lines.iter_mut().zip(shares(basket.gift, &by)) {
        line.gift = gift;
    }
    Ok(Priced { lines, products, shipping, payable, worth, uncovered })
}

fn charged(line: &Line, left: i64, taxed: Taxed) -> Result<PricedLine, String> {
    let tax = match (line.rate, line.tax) {
        (None, None) => 0,
        // Rates are in tenths of a percent.
        (Some(rate), _) if rate > 1_000 => return Err("cart TaxRate".into()),
        (Some(rate), _) if taxed == Taxed::Not && rate > 0 => return Err("cart TaxUnexpected".into()),
        (Some(rate), _) if taxed == Taxed::Included => half_up(left, rate, 1_000 + rate),
        (Some(rate), _) => half_up(left, rate, 1_000),
        (_, Some(tax)) if taxed == Taxed::Not && tax > 0 => return Err("cart TaxUnexpected".into()),
        (_, Some(tax)) if tax > left => return Err("cart TaxExceedsLine".into()),
        (_, Some(tax)) => tax,
    };
    let charged = if taxed == Taxed::OnTop { left + tax } else { left };
    let quantity = i64::from(line.quantity);
    let Line { product, category, amount, .. } = *line;
    Ok(PricedLine { product, category, amount, quantity, charged, tax, ..PricedLine::default() })
}

/// What a line earns on: discounts and shipping are always taken out, the rest if `net`.
pub fn base(line: &PricedLine, net: bool) -> i64 {
    if !line.product || line.charged == 0 {
        return 0;
    }
    if !net {
        return line.charged - line.uncovered;
    }
    let money = line.charged - line.worth - line.uncovered - line.gift;
    money - half_up(line.tax, money, line.charged)
}
