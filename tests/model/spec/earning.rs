//! What a version of a programme awards: kinds of rules, when they apply, and how much one member can have of them.

use chrono::{Duration, NaiveDateTime, NaiveTime};

use crate::facts::Time;
use crate::naive::calendar::Calendar;
use crate::rng::Rng;
use crate::spec::conditions::{LineTest, Test, line_test, test};
use crate::spec::{CODES, Purse, Span, TIERS, Term, decimal, written as period};

/// The calendar periods that caps count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Each {
    Ever,
    Day,
    Week,
    Month,
    Quarter,
    HalfYear,
    Year,
}

/// All of them, and how documents write them.
pub const EACH: [(Each, Option<&str>); 7] = [
    (Each::Ever, None),
    (Each::Day, Some("P1D")),
    (Each::Week, Some("P1W")),
    (Each::Month, Some("P1M")),
    (Each::Quarter, Some("P3M")),
    (Each::HalfYear, Some("P6M")),
    (Each::Year, Some("P1Y")),
];

#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// Points for so many minor units; with `step` only for full ones.
    Per { minor: i64, points: i64, step: bool },
    /// So many thousandths of what the rules of its wallet by amount give, or one of them.
    Multiply { thousandths: i64, of: Option<&'static str> },
    /// For each order.
    Fixed { points: i64 },
}

#[derive(Clone, Debug)]
pub struct Earn {
    pub code: &'static str,
    pub wallet: usize,
    pub gives: Gives,
    /// Whether points, gift card and tax are taken out of the base; discounts and shipping always are.
    pub net: bool,
    /// On the programme's clocks.
    pub from: Option<NaiveDateTime>,
    pub until: Option<NaiveDateTime>,
    /// No more than so many points in each of these.
    pub cap: Option<(i64, Each)>,
    /// No more often than that in each of these, the same as the cap's where there is one.
    pub awards: Option<(i64, Each)>,
    /// All members together no more than so many points in each of these.
    pub budget: Option<(i64, Each)>,
    /// The lines that it is about.
    pub lines: Option<LineTest>,
    pub when: Option<Test>,
    /// Members of these tiers, or of `none`; nobody: everybody.
    pub tiers: Vec<&'static str>,
    /// Of rules that share it the best one awards.
    pub stack: Option<&'static str>,
    /// After how long its points are over, and moved on to the end of how many months.
    pub own: Option<(Span, u32)>,
}

impl Earn {
    pub fn new(code: &'static str, wallet: usize, gives: Gives, net: bool) -> Self {
        let (from, until, cap, awards, budget, lines, when, tiers, stack, own) = Default::default();
        Self { code, wallet, gives, net, from, until, cap, awards, budget, lines, when, tiers, stack, own }
    }

    pub fn is_per(&self) -> bool {
        matches!(self.gives, Gives::Per { .. })
    }
}

/// What a basket of middling size costs, in minor units.
const MIDDLING: i64 = 20_000;

pub fn earns(rng: &mut Rng, purses: &[Purse], starts: Time, calendar: &Calendar) -> Vec<Earn> {
    let mut earns = vec![per(rng, "base", 0, &[100, 50, 7, 1]), per(rng, "coins", 1, &[1_000, 333])];
    for (code, chance, minor) in [("more", 60, &[500, 250]), ("some", 40, &[300, 125])] {
        if rng.percent(chance) {
            earns.push(per(rng, code, 0, minor));
        }
    }
    for (code, chance) in [("double", 60), ("extra", 40), ("visit", 40), ("gift", 30)] {
        if !rng.percent(chance) {
            continue;
        }
        let wallet = usize::from(rng.percent(20));
        let gives = if ["visit", "gift"].contains(&code) {
            Gives::Fixed { points: rng.within(1, 60) }
        } else {
            let pers: Vec<&str> = earns.iter().filter(|e| e.is_per() && e.wallet == wallet).map(|e| e.code).collect();
            let of = rng.percent(25).then(|| *rng.pick(&pers));
            Gives::Multiply { thousandths: *rng.pick(&[2_000, 1_500, 3_000, 1_100, 1_333, 1_001]), of }
        };
        // The order of the rules is the order of the rows.
        let place = rng.within(0, i64::try_from(earns.len()).unwrap());
        earns.insert(usize::try_from(place).unwrap(), Earn::new(code, wallet, gives, true));
    }
    stacks(rng, &mut earns);
    let middling: Vec<i64> = earns.iter().map(|earn| middling(earn, &earns)).collect();
    for (earn, middling) in earns.iter_mut().zip(middling) {
        if rng.percent(25) {
            schedule(rng, earn, (starts, calendar));
        }
        bounds(rng, earn, middling);
        let first = ["base", "coins"].contains(&earn.code);
        earn.lines = rng.percent(if first { 10 } else { 40 }).then(|| line_test(rng));
        earn.when = rng.percent(if first { 10 } else { 30 }).then(|| test(rng));
        if rng.percent(25) {
            earn.own = own(rng, &purses[earn.wallet]);
        }
    }
    earns
}

fn per(rng: &mut Rng, code: &'static str, wallet: usize, minor: &[i64]) -> Earn {
    let gives = Gives::Per { minor: *rng.pick(minor), points: rng.within(1, 3), step: rng.percent(25) };
    Earn::new(code, wallet, gives, rng.percent(75))
}

/// For members of some tiers.
pub fn audiences(rng: &mut Rng, earns: &mut [Earn]) {
    for earn in earns.iter_mut().filter(|e| !["base", "coins"].contains(&e.code)) {
        if rng.percent(20) {
            earn.tiers = ["none", "bronze", "silver", "gold"].into_iter().filter(|_| rng.percent(50)).collect();
        } else if rng.percent(10) {
            let tier: &&str = rng.pick(&TIERS);
            earn.when = Some(Test::Tier(tier));
        }
    }
}

/// The rules of a stack award alike, into one wallet.
fn stacks(rng: &mut Rng, earns: &mut [Earn]) {
    for (stack, codes, chance) in [
        ("per", ["base", "more", "some"], 40),
        ("times", ["double", "extra", ""], 60),
        ("whole", ["visit", "gift", ""], 60),
    ] {
        let first = earns.iter().find(|e| codes.contains(&e.code)).map(|e| e.wallet);
        if rng.percent(chance) {
            let alike = earns.iter_mut().filter(|e| codes.contains(&e.code) && Some(e.wallet) == first);
            alike.for_each(|earn| earn.stack = Some(stack));
        }
    }
}

/// How much of it, and how often, one member can have, and how much all together.
fn bounds(rng: &mut Rng, earn: &mut Earn, middling: i64) {
    let each = rng.pick(&EACH).0;
    if rng.percent(50) {
        earn.cap = Some((rng.within(1 + middling / 5, 1 + middling * 4), each));
    }
    if rng.percent(15) {
        earn.awards = Some((rng.within(1, 3), each));
    }
    if rng.percent(30) {
        earn.budget = Some((rng.within(1 + middling / 2, 1 + middling * 8), rng.pick(&EACH).0));
    }
}

/// An expiry that is no longer than that of the wallet, and no shorter than what points wait.
fn own(rng: &mut Rng, purse: &Purse) -> Option<(Span, u32)> {
    let Purse::Points { pending, term, .. } = purse else { return None };
    let span = *rng.pick(&[Span(0, 1), Span(0, 10), Span(0, 30), Span(1, 0), Span(0, 45), Span(3, 0)]);
    let within = |a: Span, b: Span| a == b || i64::from(a.0) * 31 + a.1 <= i64::from(b.0) * 28 + b.1;
    let short = match term {
        Term::Never => true,
        Term::Fixed(most, _) | Term::Inactive(most) => within(span, *most),
    };
    (short && pending.is_none_or(|pending| within(pending, span))).then(|| (span, *rng.pick(&[0, 0, 1, 3, 12])))
}

/// What a rule gives about: caps near it cut some orders and let others pass.
fn middling(earn: &Earn, earns: &[Earn]) -> i64 {
    match earn.gives {
        Gives::Fixed { points } => points,
        Gives::Per { minor, points, .. } => MIDDLING * points / minor,
        Gives::Multiply { thousandths, of } => {
            let multiplied = earns.iter().filter(|e| e.wallet == earn.wallet && e.is_per());
            let multiplied = multiplied.filter(|e| of.is_none_or(|of| of == e.code));
            multiplied.map(|e| middling(e, earns)).sum::<i64>() * (thousandths - 1_000) / 1_000
        }
    }
}

/// Around the days of the sequences, and often on a day whose clocks are moved.
fn schedule(rng: &mut Rng, earn: &mut Earn, (starts, calendar): (Time, &Calendar)) {
    let mut time = |after, from, to| {
        let mut day = after + Duration::days(rng.within(from, to));
        if rng.percent(25) {
            day = calendar.next_odd(day).unwrap_or(day);
        }
        let (hour, minute) = *rng.pick(&[(0, 0), (0, 0), (0, 30), (2, 30), (1, 15), (23, 45)]);
        day.and_time(NaiveTime::from_hms_opt(hour, minute, 0).unwrap())
    };
    let start = calendar.day(starts);
    let from = time(start, -20, 250);
    let until = time(from.date(), 1, 300);
    let early = time(start, 20, 300);
    match rng.within(1, 4) {
        1 => earn.from = Some(from),
        2 => earn.until = Some(early),
        _ => (earn.from, earn.until) = (Some(from), Some(until)),
    }
}

pub fn written(earn: &Earn, exponent: u32) -> String {
    let (award, base) = match earn.gives {
        Gives::Per { minor, points, step } => {
            let base = if earn.net { "" } else { ", base = { net_of = [\"discounts\", \"shipping\"] }" };
            (format!("per = \"{}\", points = {points}, step = {step}", decimal(minor, 1, exponent)), base)
        }
        Gives::Multiply { thousandths, of } => {
            let of = of.map_or(String::new(), |of| format!(", of = \"{of}\""));
            (format!("multiply = \"{}\"{of}", decimal(thousandths, 1, 3)), "")
        }
        Gives::Fixed { points } => (format!("points = {points}"), ""),
    };
    let mut out = format!("wallet = \"{}\", award = {{ {award} }}{base}", CODES[earn.wallet]);
    out += &fields(
        "schedule",
        [("from", earn.from), ("until", earn.until)]
            .map(|(name, time)| time.map(|time| format!("{name} = \"{}\"", time.format("%Y-%m-%dT%H:%M")))),
    );
    let each = |each: Each| EACH.iter().find(|e| e.0 == each)?.1.map(|each| format!("each = \"{each}\""));
    let cap = fields(
        "per_member",
        [
            earn.cap.map(|cap| format!("points = {}", cap.0)),
            earn.awards.map(|awards| format!("awards = {}", awards.0)),
            earn.cap.or(earn.awards).and_then(|cap| each(cap.1)),
        ],
    );
    if let Some(cap) = cap.strip_prefix(", ").filter(|_| earn.cap.or(earn.awards).is_some()) {
        out += &format!(", caps = {{ {cap} }}");
    }
    let budget = earn.budget.map(|budget| (format!("points = {}", budget.0), each(budget.1)));
    let (points, each) = budget.map_or((None, None), |(points, each)| (Some(points), each));
    out += &fields("budget", [points, each]);
    out += &earn.lines.map_or(String::new(), |lines| format!(", lines = '{}'", lines.written(exponent)));
    if !earn.tiers.is_empty() {
        out += &format!(", audience = {{ tiers = {:?} }}", earn.tiers);
    }
    out += &earn.when.map_or(String::new(), |when| format!(", when = '{}'", when.written(exponent)));
    out += &earn.stack.map_or(String::new(), |stack| format!(", stack = \"{stack}\""));
    out += &earn.own.map_or(String::new(), |(span, months)| {
        let round = rounded(months).map_or(String::new(), |round| format!(", round = \"{round}\""));
        format!(", expiry = {{ after = \"{}\"{round} }}", period(span))
    });
    out
}

/// A table of what there is; nothing without any.
pub fn fields<const N: usize>(name: &str, fields: [Option<String>; N]) -> String {
    let fields: Vec<String> = fields.into_iter().flatten().collect();
    if fields.is_empty() { String::new() } else { format!(", {name} = {{ {} }}", fields.join(", ")) }
}

/// The name of what an end is moved on to.
pub fn rounded(months: u32) -> Option<&'static str> {
    match months {
        0 => None,
        1 => Some("end_of_month"),
        3 => Some("end_of_quarter"),
        _ => Some("end_of_year"),
    }
}
