//! What a version of a programme awards: kinds of rules, when they apply, and how much one member can have of them.

use chrono::{Duration, NaiveDateTime, NaiveTime};

use crate::facts::Time;
use crate::naive::calendar::Calendar;
use crate::rng::Rng;
use crate::spec::{CODES, decimal};

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
    /// So many thousandths of what the rules of its wallet by amount give.
    Multiply { thousandths: i64 },
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
}

/// What a basket of middling size costs, in minor units.
const MIDDLING: i64 = 20_000;

pub fn earns(rng: &mut Rng, starts: Time, calendar: &Calendar) -> Vec<Earn> {
    let mut earns = vec![per(rng, "base", 0, &[100, 50, 7, 1]), per(rng, "coins", 1, &[1_000, 333])];
    if rng.percent(70) {
        earns.push(per(rng, "more", 0, &[500, 250]));
    }
    for (code, chance) in [("double", 60), ("visit", 35), ("extra", 20)] {
        if !rng.percent(chance) {
            continue;
        }
        let wallet = usize::from(rng.percent(30));
        let gives = match code {
            "visit" => Gives::Fixed { points: rng.within(1, 60) },
            _ => Gives::Multiply { thousandths: *rng.pick(&[2_000, 1_500, 3_000, 1_100, 1_333, 1_001]) },
        };
        let earn = Earn { code, wallet, gives, net: true, from: None, until: None, cap: None };
        // The order of the rules is the order of the rows.
        let place = rng.within(0, i64::try_from(earns.len()).unwrap());
        earns.insert(usize::try_from(place).unwrap(), earn);
    }
    let middling: Vec<i64> = earns.iter().map(|earn| middling(earn, &earns)).collect();
    for (earn, middling) in earns.iter_mut().zip(middling) {
        if rng.percent(30) {
            schedule(rng, earn, (starts, calendar));
        }
        if rng.percent(50) {
            let points = rng.within(1 + middling / 5, 1 + middling * 4);
            earn.cap = Some((points, rng.pick(&EACH).0));
        }
    }
    earns
}

fn per(rng: &mut Rng, code: &'static str, wallet: usize, minor: &[i64]) -> Earn {
    let gives = Gives::Per { minor: *rng.pick(minor), points: rng.within(1, 3), step: rng.percent(25) };
    Earn { code, wallet, gives, net: rng.percent(75), from: None, until: None, cap: None }
}

/// What a rule gives about: caps near it cut some orders and let others pass.
fn middling(earn: &Earn, earns: &[Earn]) -> i64 {
    match earn.gives {
        Gives::Fixed { points } => points,
        Gives::Per { minor, points, .. } => MIDDLING * points / minor,
        Gives::Multiply { thousandths } => {
            let multiplied = earns.iter().filter(|e| e.wallet == earn.wallet && matches!(e.gives, Gives::Per { .. }));
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
        Gives::Multiply { thousandths } => (format!("multiply = \"{}\"", decimal(thousandths, 1, 3)), ""),
        Gives::Fixed { points } => (format!("points = {points}"), ""),
    };
    let mut out = format!("wallet = \"{}\", award = {{ {award} }}{base}", CODES[earn.wallet]);
    let bounds = [("from", earn.from), ("until", earn.until)];
    let bounds: Vec<String> = bounds
        .iter()
        .filter_map(|(name, time)| time.map(|time| format!("{name} = \"{}\"", time.format("%Y-%m-%dT%H:%M"))))
        .collect();
    if !bounds.is_empty() {
        out += &format!(", schedule = {{ {} }}", bounds.join(", "));
    }
    if let Some((points, each)) = earn.cap {
        let each = EACH.iter().find(|e| e.0 == each).and_then(|e| e.1);
        let each = each.map_or(String::new(), |each| format!(", each = \"{each}\""));
        out += &format!(", caps = {{ per_member = {{ points = {points}{each} }} }}");
    }
    out
}
