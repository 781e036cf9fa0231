//! Programmes: each once as the document that the product compiles, and as the plain rules that the model reads.

mod conditions;
mod discounts;
mod earning;
mod ladder;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use perennial::kernel::id::Version;
use perennial::loyalty::program::compile::compile;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::model::Timeline;
use perennial::loyalty::program::slots::{Slots, assign_slots};

use crate::facts::{Day, Time};
use crate::naive::calendar::Calendar;
use crate::rng::Rng;
pub use crate::spec::conditions::{CATEGORIES, LineTest, Test};
pub use crate::spec::discounts::{Benefit, DISCOUNTS, Discount};
pub use crate::spec::earning::{EACH, Each, Earn, Gives};
pub use crate::spec::ladder::{Ladder, Loss, TIERS, Valid};

/// Months and days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub i32, pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    Never,
    /// After so long, moved on to the end of so many months: 0 (not moved), 1, 3 or 12.
    Fixed(Span, u32),
    Inactive(Span),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Policy {
    PendingOnly,
    WithinBalance,
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Spend,
    Points,
    Orders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    Calendar,
    Anniversary,
    Rolling(Span),
    Lifetime,
}

/// How points may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    pub min: i64,
    pub step: i64,
    /// Of what they pay for, in percent.
    pub share: i64,
    /// Whether they pay for no line of [`BULK`] pieces or more.
    pub no_bulk: bool,
}

/// As many pieces are bulk.
pub const BULK: i64 = 3;

#[derive(Clone, Debug)]
pub enum Purse {
    /// Minor units a point, as a fraction.
    Points {
        value: (i64, i64),
        pending: Option<Span>,
        term: Term,
        grace: Option<Span>,
        policy: Policy,
        /// No more than so many points in such a time may be given to others.
        transfer: Option<(i64, Span)>,
        /// How an order may be paid.
        spend: Option<Spending>,
    },
    Counter {
        counted: Counted,
        lasts: Lasts,
    },
}

#[derive(Clone, Debug)]
pub struct Rules {
    pub starts: Time,
    pub purses: Vec<Purse>,
    pub earns: Vec<Earn>,
    /// In all versions or in none.
    pub ladder: Option<Ladder>,
    pub discounts: Vec<Discount>,
}

/// A programme.
pub struct Spec {
    pub currency: &'static str,
    pub zone: &'static str,
    pub first_day: Day,
    pub calendar: Rc<Calendar>,
    pub codes: Vec<&'static str>,
    pub versions: Vec<Rules>,
    pub timeline: Timeline,
    /// What stands in accounts for the rules that have a cap.
    pub counted: BTreeMap<String, i32>,
}

impl Spec {
    /// The version, from 0, that decides at a time.
    pub fn at(&self, at: Time) -> usize {
        (1..self.versions.len()).rev().find(|v| self.versions[*v].starts <= at).unwrap_or(0)
    }
}

/// Currency, its decimal places, zone, and the day on which the first version starts.
const PLACES: [(&str, u32, &str, &str); 5] = [
    ("EUR", 2, "Europe/Amsterdam", "2026-01-05"),
    ("EUR", 2, "America/Sao_Paulo", "2017-08-20"),
    ("JPY", 0, "UTC", "2027-11-01"),
    ("KWD", 3, "Asia/Kolkata", "2026-10-30"),
    ("EUR", 2, "Europe/Amsterdam", "2027-06-15"),
];

pub const CODES: [&str; 5] = ["points", "coins", "spend", "collected", "visits"];

/// So many programmes, some of which have room for everything.
pub fn specs(count: u64, roomy: bool) -> Vec<Spec> {
    let calendars: Vec<Rc<Calendar>> = PLACES.iter().map(|p| Rc::new(Calendar::new(p.2))).collect();
    (0..count).map(|n| spec((n, roomy), &calendars[usize::try_from(n).unwrap() % PLACES.len()])).collect()
}

fn spec((number, roomy): (u64, bool), calendar: &Rc<Calendar>) -> Spec {
    let mut rng = Rng::new(number.wrapping_mul(7919));
    let (currency, exponent, zone, first_day) = PLACES[usize::try_from(number).unwrap() % PLACES.len()];
    let calendar = Rc::clone(calendar);
    let first_day: Day = first_day.parse().unwrap();
    let mut starts = calendar.start(first_day);
    let tiers = rng.percent(75);
    let mut versions = vec![rules(&mut rng, tiers, starts, &calendar)];
    for _ in 0..rng.within(0, 2) {
        starts += chrono::Duration::minutes(rng.within(60 * 24 * 40, 60 * 24 * 400));
        versions.push(rules(&mut rng, tiers, starts, &calendar));
    }
    climb(&mut rng, &mut versions);
    if roomy {
        make_room(&mut versions);
    }
    let (mut slots, mut books) = (Slots::default(), Vec::new());
    for (i, version) in versions.iter().enumerate() {
        let text = document(version, currency, exponent, zone);
        let document = Document::from_toml(&text).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
        slots = assign_slots(&slots, &document).unwrap();
        let number = Version(i32::try_from(i).unwrap() + 1);
        books.push(Arc::new(compile(&document, number, version.starts, &slots).unwrap()));
    }
    let timeline = Timeline::new(Arc::clone(&books[0]), books.split_off(1));
    let counted = slots.rules.iter().map(|(code, slot)| (code.clone(), slot.0)).collect();
    Spec { currency, zone, first_day, calendar, codes: CODES.to_vec(), versions, timeline, counted }
}

/// Where several processes read budgets before they lock them, by clocks that jump meanwhile, those are of all time, and
/// nothing exhausts them. Where versions come to be known one by one, no discount is the shop's own before one has it.
fn make_room(versions: &mut [Rules]) {
    let discounts = versions[0].discounts.clone();
    for version in versions {
        version.discounts.clone_from(&discounts);
        let uses = version.discounts.iter_mut().filter_map(|discount| discount.total.as_mut());
        let budgets = version.earns.iter_mut().filter_map(|earn| earn.budget.as_mut());
        budgets.chain(uses).for_each(|bound| *bound = (bound.0 * 1_000_000, Each::Ever));
    }
}

fn rules(rng: &mut Rng, tiers: bool, starts: Time, calendar: &Calendar) -> Rules {
    let purses = purses(rng);
    let mut earns = earning::earns(rng, &purses, starts, calendar);
    let ladder = tiers.then(|| ladder::ladder(rng, &purses));
    if tiers {
        earning::audiences(rng, &mut earns);
    }
    let discounts = discounts::discounts(rng, tiers);
    Rules { starts, purses, earns, ladder, discounts }
}

/// Later versions ask for something else and leave tiers as they are held and lost.
fn climb(rng: &mut Rng, versions: &mut [Rules]) {
    let Some((first, later)) = versions.split_first_mut() else { return };
    let Some(ladder) = &first.ladder else { return };
    for version in later {
        let mut ladder = ladder.clone();
        if let Purse::Counter { lasts, .. } = &mut version.purses[ladder.wallet] {
            *lasts = ladder.lasts;
        }
        if rng.percent(80) {
            ladder::rungs(rng, &mut ladder, &version.purses);
        }
        version.ladder = Some(ladder);
    }
}

fn purses(rng: &mut Rng) -> Vec<Purse> {
    let (a, b) = (points(rng), points(rng));
    let counter = |rng: &mut Rng, counted| {
        let rolling = Lasts::Rolling(*rng.pick(&[Span(12, 0), Span(1, 0), Span(0, 30)]));
        let lasts = *rng.pick(&[Lasts::Calendar, Lasts::Anniversary, rolling, rolling, Lasts::Lifetime]);
        Purse::Counter { counted, lasts }
    };
    let (spend, points) = (counter(rng, Counted::Spend), counter(rng, Counted::Points));
    vec![a, b, spend, points, counter(rng, Counted::Orders)]
}

fn points(rng: &mut Rng) -> Purse {
    let pending = *rng.pick(&[None, None, Some(Span(0, 14)), Some(Span(0, 1)), Some(Span(1, 0))]);
    let span = *rng.pick(&[Span(12, 0), Span(3, 0), Span(0, 45), Span(1, 15)]);
    let round = *rng.pick(&[0, 1, 3, 12]);
    let term = match rng.within(0, 7) {
        0 => Term::Never,
        1 | 2 => Term::Inactive(*rng.pick(&[Span(1, 15), Span(6, 0), Span(0, 60)])),
        _ => Term::Fixed(span, round),
    };
    let grace = if term == Term::Never { None } else { *rng.pick(&[None, Some(Span(0, 30)), Some(Span(0, 1))]) };
    let value = *rng.pick(&[(1, 1), (1, 1), (1, 2), (3, 1)]);
    let policy = *rng.pick(&[Policy::PendingOnly, Policy::WithinBalance, Policy::Allow, Policy::Allow]);
    let transfer =
        *rng.pick(&[None, Some((300, Span(1, 0))), Some((2_000, Span(0, 7))), Some((1_000_000, Span(12, 0)))]);
    let spend = rng.percent(30).then(|| Spending {
        min: *rng.pick(&[1, 10, 25]),
        step: *rng.pick(&[1, 5, 10]),
        share: *rng.pick(&[100, 50, 85]),
        no_bulk: rng.percent(50),
    });
    Purse::Points { value, pending, term, grace, policy, transfer, spend }
}

fn decimal(minor_num: i64, den: i64, exponent: u32) -> String {
    // Four more places hold halves exactly.
    let scaled = minor_num * 10_000 / den;
    let places = exponent + 4;
    let whole = 10_i64.pow(places);
    format!("{}.{:0width$}", scaled / whole, scaled % whole, width = usize::try_from(places).unwrap())
}

fn written(span: Span) -> String {
    match span {
        Span(0, d) => format!("P{d}D"),
        Span(m, 0) => format!("P{m}M"),
        Span(m, d) => format!("P{m}M{d}D"),
    }
}

fn document(rules: &Rules, currency: &str, exponent: u32, zone: &str) -> String {
    let mut out =
        format!("program = {{ name = \"Acme\", currency = \"{currency}\", timezone = \"{zone}\" }}\n[wallets]\n");
    for (code, purse) in CODES.iter().zip(&rules.purses) {
        writeln!(out, "{code} = {{ {} }}", wallet(purse, exponent)).unwrap();
    }
    out.push_str("[earning]\n");
    for earn in &rules.earns {
        writeln!(out, "{} = {{ {} }}", earn.code, earning::written(earn, exponent)).unwrap();
    }
    if !rules.discounts.is_empty() {
        out.push_str("[discounts]\n");
    }
    for discount in &rules.discounts {
        writeln!(out, "{} = {{ {} }}", discount.code, discounts::written(discount, exponent)).unwrap();
    }
    if let Some(ladder) = &rules.ladder {
        out += &ladder::written(ladder, &rules.purses, exponent);
    }
    out
}

fn wallet(purse: &Purse, exponent: u32) -> String {
    match purse {
        Purse::Points { value, pending, term, grace, policy, transfer, spend } => {
            let value = decimal(value.0, value.1, exponent);
            let pending = pending.map_or(String::new(), |p| format!(", pending = {{ after = \"{}\" }}", written(p)));
            let grace = grace.map_or(String::new(), |g| format!(", restore_grace = \"{}\"", written(g)));
            let expiry = match term {
                Term::Never => String::from("\"never\""),
                Term::Inactive(p) => format!("{{ inactive = \"{}\"{grace} }}", written(*p)),
                Term::Fixed(p, 0) => format!("{{ after = \"{}\"{grace} }}", written(*p)),
                Term::Fixed(p, months) => {
                    let round = earning::rounded(*months).unwrap();
                    format!("{{ after = \"{}\", round = \"{round}\"{grace} }}", written(*p))
                }
            };
            let returns = match policy {
                Policy::PendingOnly => "pending_only",
                Policy::WithinBalance => "within_balance",
                Policy::Allow => "allow",
            };
            let transfer = transfer.map_or(String::new(), |(max, each)| {
                format!(", transfer = {{ max = {max}, each = \"{}\" }}", written(each))
            });
            let spend = spend.map_or(String::new(), |Spending { min, step, share, no_bulk }| {
                let not = if no_bulk { format!(", not = 'line.quantity >= {BULK}'") } else { String::new() };
                let share = decimal(share, 100, 0);
                format!(", spend = {{ min = {min}, step = {step}, max_share = \"{share}\"{not} }}")
            });
            format!(
                "by_hand = true, kind = \"redeemable\", value = \"{value}\"{pending}, expiry = {expiry}, returns = \"{returns}\"{transfer}{spend}"
            )
        }
        Purse::Counter { counted, lasts } => {
            let counts = match counted {
                Counted::Spend => "spend",
                Counted::Points => "points",
                Counted::Orders => "orders",
            };
            let window = match lasts {
                Lasts::Calendar => String::from("\"calendar_year\""),
                Lasts::Anniversary => String::from("\"anniversary\""),
                Lasts::Rolling(p) => format!("{{ rolling = \"{}\" }}", written(*p)),
                Lasts::Lifetime => String::from("\"lifetime\""),
            };
            format!("kind = \"qualifying\", counts = \"{counts}\", window = {window}")
        }
    }
}
