//! The past, replayed: what a preview is made of. In memory, by one core and under one version; and out of Postgres,
//! under two.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant as Clock};

use chrono::{Days, NaiveDate, NaiveTime};
use perennial::kernel::clock::{Instant, Moment};
use perennial::kernel::id::{MemberId, ProgramId, Version};
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::backtest::bought::Bought;
use perennial::loyalty::backtest::budgets::Spent;
use perennial::loyalty::backtest::past::{Deed, Done, Past};
use perennial::loyalty::backtest::replay::{Span, replay};
use perennial::loyalty::backtest::stream::{Pace, Progress, Side, Sides, compare};
use perennial::loyalty::checkout::cart::{Cart, CartLine, Prices, Tax};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::program::compile::compile;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::slots::assign_slots;
use uuid::Uuid;

use super::Outcome;
use super::product::Product;
use super::report::Report;
use super::usage::resident;

/// Orders of the generated past.
const ORDERS: u32 = 1_000_000;
/// Orders of each of its members.
const ORDERS_A_MEMBER: u32 = 10;
/// Members generated at a time: nobody keeps a million orders.
const MEMBERS_AT_A_TIME: u32 = 1_000;
/// Days between two orders of a member.
const DAYS_BETWEEN: u64 = 37;

/// Adds the figures of replays in memory.
///
/// # Errors
/// When a programme or the file is wrong.
pub fn in_memory(report: &mut Report) -> Outcome<()> {
    let plain = side(include_str!("program.toml"))?;
    let rules = side(include_str!("program20.toml"))?;
    let cdnow = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cdnow_orders.csv");
    let mut pasts = cdnow_pasts(&read_to_string(cdnow)?)?;
    let orders: usize = pasts.iter().map(|past| past.deeds.len()).sum();
    let rate = f64::from(u32::try_from(orders)?) / replayed(&mut pasts, &plain)?.as_secs_f64();
    report.add(("replay_cdnow", "orders replayed a core, CDNOW", "/s"), rate);
    drop(pasts);
    report.add(("replay", "orders replayed a core, a generated million", "/s"), million(&plain)?);
    let before = resident(std::process::id()).unwrap_or_default();
    report.add(("replay20", "the same with 20 rules", "/s"), million(&rules)?);
    let grown = resident(std::process::id()).unwrap_or_default().saturating_sub(before);
    report.add(("replay_memory", "memory that the replay of a million orders added", "MB"), megabytes(grown));
    Ok(())
}

/// Adds how many orders of the product's own past a preview goes through, as a whole.
///
/// # Errors
/// When the database fails.
pub async fn out_of_postgres(product: &Product, report: &mut Report) -> Outcome<()> {
    let conn = product.db().dedicated().await?;
    let sides = Sides { before: side(include_str!("program.toml"))?, after: side(include_str!("program20.toml"))? };
    let span = Span { from: Instant::MIN_UTC, to: Instant::MAX_UTC };
    let begun = Clock::now();
    let tally = compare(&conn, product.scope(), &sides, span, Pace::Full, &mut Nobody).await?;
    let rate = f64::from(u32::try_from(tally.before.orders)?) / begun.elapsed().as_secs_f64();
    report.add(("preview", "orders previewed out of Postgres, under two versions", "/s"), rate);
    Ok(())
}

/// Nobody wants to know how far it is.
struct Nobody;

impl Progress for Nobody {
    fn expect(&mut self, _: i64) {}

    fn advance(&mut self, _: i64) {}
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1e3
}

fn side(text: &str) -> Outcome<Side> {
    let document = Document::from_toml(text).map_err(|e| format!("{e:?}"))?;
    let slots = assign_slots(&Default::default(), &document)?;
    let book = compile(&document, Version(1), Instant::MIN_UTC, &slots).map_err(|e| format!("{e:?}"))?;
    Ok(Side::new(book))
}

fn tenant() -> ProgramScope {
    ProgramScope::new(ProgramId(Uuid::nil()), Principal::Operator)
}

/// Replays them all, and answers how long it took.
fn replayed(pasts: &mut [Past], program: &Side) -> Outcome<Duration> {
    let (tenant, span) = (tenant().program(), Span { from: Instant::MIN_UTC, to: Instant::MAX_UTC });
    let (begun, nothing) = (Clock::now(), Spent::default());
    let (mut orders, mut refused) = (0, 0);
    for past in pasts {
        let one = black_box(replay(past, tenant, (&program.program, &nothing), span));
        orders += one.orders;
        refused += one.refused;
    }
    let took = begun.elapsed();
    if orders == 0 || refused > 0 {
        Err(format!("{orders} orders replayed, {refused} refused").into())
    } else {
        Ok(took)
    }
}

/// Orders a second of a generated million; what generates them is not counted.
fn million(program: &Side) -> Outcome<f64> {
    let members = ORDERS / ORDERS_A_MEMBER;
    let mut took = Duration::ZERO;
    for first in (0..members).step_by(usize::try_from(MEMBERS_AT_A_TIME)?) {
        let mut pasts: Vec<Past> =
            (first..first + MEMBERS_AT_A_TIME).map(generated).collect::<Option<_>>().ok_or("a past that is none")?;
        took += replayed(&mut pasts, program)?;
    }
    Ok(f64::from(ORDERS) / took.as_secs_f64())
}

/// A member who buys now and then, and pays every third order with points.
fn generated(number: u32) -> Option<Past> {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1)?.checked_add_days(Days::new(u64::from(number % 365)))?;
    let deed = |nth: u32| {
        let day = first.checked_add_days(Days::new(u64::from(nth) * DAYS_BETWEEN))?;
        let minor = i64::from((number * 31 + nth * 977) % 20_000 + 500);
        bought(number, nth, day, [minor, minor / 3], if nth % 3 == 2 { 100 } else { 0 })
    };
    past(number, (0..ORDERS_A_MEMBER).map(deed))
}

fn cdnow_pasts(text: &str) -> Outcome<Vec<Past>> {
    let mut members: BTreeMap<&str, Vec<(NaiveDate, i64)>> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let [_, member, day, _, total] = fields.as_slice() else { return Err(format!("{row:?} is no order").into()) };
        let minor: i64 = total.replace('.', "").parse()?;
        members.entry(member).or_default().push((day.parse()?, minor));
    }
    let of = |(number, orders): (u32, Vec<(NaiveDate, i64)>)| {
        let deeds = (0..).zip(orders).map(|(nth, (day, minor))| bought(number, nth, day, [minor, 0], 0));
        past(number, deeds)
    };
    (0..).zip(members.into_values()).map(of).collect::<Option<_>>().ok_or_else(|| "a past that is none".into())
}

fn past(number: u32, deeds: impl Iterator<Item = Option<Done>>) -> Option<Past> {
    let deeds = deeds.collect::<Option<_>>()?;
    Some(Past { member: member(number), attributes: Default::default(), deeds, returns: false, unreadable: 0 })
}

fn member(number: u32) -> MemberId {
    MemberId(Uuid::from_u128(u128::from(number) + 1))
}

fn bought(number: u32, nth: u32, day: NaiveDate, minors: [i64; 2], points: i64) -> Option<Done> {
    let at = day.and_time(NaiveTime::from_hms_opt(12, 0, 0)?).and_utc();
    let lines = ["1", "2"].iter().zip(minors).filter(|(id, minor)| **id == "1" || *minor > 0);
    let line = |(id, minor): (&&str, i64)| {
        Some(CartLine {
            attributes: Default::default(),
            id: (**id).to_owned(),
            kind: LineKind::Product,
            sku: None,
            category: Some(if minor % 2 == 0 { "shoes" } else { "coats" }.to_owned()),
            brand: None,
            quantity: 1,
            amount: Money::from_minor(minor)?,
            tax: Tax::None,
        })
    };
    let reference = format!("{number}-{nth}");
    let total = Money::from_minor(minors.iter().sum())?;
    let order = SettleOrder {
        named: Reference::order(&reference),
        reference,
        hash: RequestHash([0; 16]),
        target: Target::Member(member(number)),
        identity: None,
        profile: Profile::default(),
        enrol: true,
        ordered: OrderedAt::At(at),
        time: AccountTime::Imported(at),
        cart: Cart {
            attributes: Default::default(),
            prices: Prices::TaxIncluded,
            lines: lines.map(line).collect::<Option<_>>()?,
            discounts: Vec::new(),
            entered: Vec::new(),
            points: Points::ZERO,
            gift_card: Money::ZERO,
            total: None,
        },
        stated: true,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: None,
    };
    let (wanted, gift_card) = (Points::try_from(points).ok()?, Money::ZERO);
    let bought = Bought {
        order,
        wallet: None,
        wanted,
        products: total,
        total,
        gift_card,
        came_off: Vec::new(),
        returned: false,
    };
    Some(Done { at: Moment::live(at), deed: Deed::Order(Box::new(bought)) })
}
