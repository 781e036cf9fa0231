//! Discounts: what comes off, for whom, of which lines, and how often.

use crate::rng::Rng;
use crate::spec::conditions::{LineTest, Test, line_test, test};
use crate::spec::decimal;
use crate::spec::earning::{EACH, Each, fields};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benefit {
    /// Tenths of a percent of the lines together.
    Percent(i64),
    /// Minor units off the lines together.
    Amount(i64),
    /// What a piece costs more than this.
    Price(i64),
    FreeShipping,
}

#[derive(Clone, Debug)]
pub struct Discount {
    pub code: &'static str,
    pub benefit: Benefit,
    pub of: Option<LineTest>,
    pub when: Option<Test>,
    pub tiers: Vec<&'static str>,
    /// Of discounts that share it the one comes off that takes most off.
    pub stack: Option<&'static str>,
    /// For so many orders of a member in each of these, and of all members together.
    pub per_member: Option<(i64, Each)>,
    pub total: Option<(i64, Each)>,
}

/// What discounts may be called.
pub const DISCOUNTS: [&str; 5] = ["ten", "five", "cheap", "some", "free"];

pub fn discounts(rng: &mut Rng, tiers: bool) -> Vec<Discount> {
    let mut discounts = Vec::new();
    for code in DISCOUNTS {
        if !rng.percent(60) {
            continue;
        }
        let benefit = match code {
            "ten" => Benefit::Percent(*rng.pick(&[100, 125, 333, 1_000])),
            "five" => Benefit::Amount(rng.within(1, 4_000)),
            "cheap" => Benefit::Price(rng.within(1, 3_000)),
            "free" => Benefit::FreeShipping,
            _ => Benefit::Percent(rng.within(1, 500)),
        };
        let of = rng.percent(if code == "free" { 10 } else { 40 }).then(|| line_test(rng));
        let when = rng.percent(25).then(|| test(rng));
        let mut uses = |chance, most| rng.percent(chance).then(|| (rng.within(1, most), rng.pick(&EACH).0));
        let (per_member, total) = (uses(45, 3), uses(25, 6));
        let stack = if rng.percent(60) { Some(*rng.pick(&["item", "item", "order"])) } else { None };
        let mut discount = Discount { code, benefit, of, when, tiers: Vec::new(), stack, per_member, total };
        if tiers && rng.percent(20) {
            discount.tiers = ["none", "bronze", "silver", "gold"].into_iter().filter(|_| rng.percent(60)).collect();
        }
        let place = rng.within(0, i64::try_from(discounts.len()).unwrap());
        discounts.insert(usize::try_from(place).unwrap(), discount);
    }
    discounts
}

/// As the currency writes it.
fn money(minor: i64, exponent: u32) -> String {
    let unit = 10_i64.pow(exponent);
    if exponent == 0 {
        return minor.to_string();
    }
    format!("{}.{:0width$}", minor / unit, minor % unit, width = usize::try_from(exponent).unwrap())
}

pub fn written(discount: &Discount, exponent: u32) -> String {
    let benefit = match discount.benefit {
        Benefit::Percent(tenths) => format!("percent = \"{}\"", decimal(tenths, 10, 0)),
        Benefit::Amount(minor) => format!("amount = \"{}\"", money(minor, exponent)),
        Benefit::Price(minor) => format!("price = \"{}\"", money(minor, exponent)),
        Benefit::FreeShipping => "free_shipping = true".into(),
    };
    let of = discount.of.map(|of| format!("of = '{}'", of.written(exponent)));
    let mut out = fields("benefit", [Some(benefit), of]);
    out += &discount.when.map_or(String::new(), |when| format!(", when = '{}'", when.written(exponent)));
    if !discount.tiers.is_empty() {
        out += &format!(", audience = {{ tiers = {:?} }}", discount.tiers);
    }
    out += &discount.stack.map_or(String::new(), |stack| format!(", stack = \"{stack}\""));
    let uses = |name: &str, uses: Option<(i64, Each)>| {
        let (uses, each) = uses?;
        let each = EACH.iter().find(|e| e.0 == each)?.1.map(|each| format!("each = \"{each}\""));
        fields(name, [Some(format!("uses = {uses}")), each]).strip_prefix(", ").map(str::to_owned)
    };
    out += &fields("limits", [uses("per_member", discount.per_member), uses("total", discount.total)]);
    out.trim_start_matches(", ").to_owned()
}
