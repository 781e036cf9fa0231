//! Orders in the naive model.

use chrono::Duration;

use crate::command::{Order, Ordered};
use crate::facts::{Answer, Day, FlagFacts, OrderFacts, Time};
use crate::naive::asked::Verdict;
use crate::naive::awards::{Row, leading_net};
use crate::naive::discounts::{When, Wrong};
use crate::naive::holds::Held;
use crate::naive::price::{Priced, PricedLine, base, half_up, price};
use crate::naive::returns::stays;
use crate::naive::wallets::Member;
use crate::naive::{Done, Naive, tiers};
use crate::spec::{BULK, Counted, Discount, Purse, Rules, Spending};

/// An order as the model remembers it.
#[derive(Clone, Debug)]
pub struct Sale {
    pub member: u32,
    /// The version, from 0, that decided.
    pub version: usize,
    pub lines: Vec<SoldLine>,
    /// The business day.
    pub day: Day,
    /// Of each rule that awarded.
    pub rows: Vec<Row>,
    /// What became of each rule.
    pub verdicts: Vec<Verdict>,
    /// The wallet that paid, and what it took from which lot and has not got back, in the order of taking.
    pub spent: Option<(usize, Vec<(usize, i64)>)>,
    /// The lots of the award.
    pub own: Vec<Own>,
    /// Wallet, lot, what counts, and how much of it by line.
    pub credits: Vec<(usize, usize, Counted, Vec<i64>)>,
    pub complete: bool,
    /// The discounts of which it is a use.
    pub uses: Vec<Discount>,
    /// The tier that was held before it, and the one that its rules asked for.
    pub was_held: Option<tiers::Held>,
    pub asked_tier: Option<usize>,
    /// Whether a guest placed it.
    pub guest: bool,
}

#[derive(Clone, Debug)]
pub struct SoldLine {
    pub priced: PricedLine,
    /// The share that has come back, as a fraction.
    pub gone: (i128, i128),
    pub pieces_back: i64,
    pub money_back: i64,
}

/// A lot that an order filled, by the last day of its points where that is sooner than others'.
#[derive(Clone, Debug)]
pub struct Own {
    pub wallet: usize,
    pub ends: Option<Day>,
    pub lot: usize,
    /// What was forgiven of it.
    pub forgiven: i64,
}

impl Sale {
    /// What has not come back of what a rule gave.
    pub fn keeps(&self, row: &Row) -> i64 {
        self.lines.iter().zip(&row.by_line).map(|(line, points)| stays(line.gone, *points)).sum()
    }

    pub fn rows_of(&self, wallet: usize) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.earn.wallet == wallet)
    }
}

/// What paid an order: wallet and takes, what its hold says, and the hold after it.
#[derive(Default)]
struct Payment {
    spent: Option<(usize, Vec<(usize, i64)>)>,
    paid: Option<(bool, [i64; 5])>,
    taken: Option<(String, Held)>,
}

impl Naive<'_> {
    pub fn settle(
        &self,
        order: &Order,
        name: &str,
        known: Option<Member>,
        (clock, at): (Time, Time),
    ) -> Result<Done, String> {
        let calendar = &self.spec.calendar;
        let ordered = match order.ordered {
            Ordered::Now => at,
            Ordered::At(t) => t,
            Ordered::On(day) => calendar.start(day),
        };
        if ordered > clock + Duration::minutes(5) {
            return Err("TooFarAhead".into());
        }
        if order.imported.is_none() && ordered < clock - Duration::days(730) {
            return Err("TooOld".into());
        }
        let (today, day, version) = (calendar.day(at), calendar.day(ordered), self.spec.at(ordered));
        let rules = &self.spec.versions[version];
        let owner = order.email.as_ref().map(|email| self.emails.get(email).copied());
        if owner.is_some_and(|owner| owner != (!order.new).then_some(order.member)) {
            return Err("MemberMoved".into());
        }
        let mut state = known.unwrap_or_else(|| Member::new(at, day, self.spec.codes.len()));
        let held = self.hold_of(order, &state)?;
        let payer = match &held {
            Some(held) => held.wallet,
            None => self.wallet(order.from.unwrap_or("points")).ok_or("order WalletUnknown")?,
        };
        // Points of a hold are worth what they were when it was made.
        let valued = held.as_ref().map_or(rules, |held| &self.spec.versions[held.version]);
        let Purse::Points { value, spend, .. } = valued.purses[payer] else {
            return Err("order WalletUnknown".into());
        };
        let when = When { ordered, day, now: at.max(clock) };
        let wrong = self.differing(order, &state, when)?;
        let discounts = self.told_off(order, &state, when);
        let asked = order.basket.points;
        let points = taken(order, &state, payer, held.as_ref());
        let (priced, broken) = priced(order, points, (value, spend), held.is_some())?;
        let until = self.active_until(payer, ordered, day);
        let missed = order.hold.as_ref().filter(|_| held.is_none());
        let Payment { spent, paid, taken } =
            self.pay(&mut state, (order, points), name, held, (payer, until, today))?;
        let mut facts = OrderFacts { hold: paid, ..start(order, &priced, rules, (version, day)) };
        facts.discounts = discounts;
        facts.flags = flags((asked, points), &priced, state.suspended, self.spec.codes[payer]);
        facts.flags.extend(broken.map(|rule| (rule, self.spec.codes[payer].into(), [asked, 0, 0])));
        facts.flags.extend(missed.map(|hold| ("HoldUnavailable", hold.clone(), [0; 3])));
        facts.flags.extend(wrong);
        let member = self.goes_on(order.member);
        facts.member = member;
        let guest = order.new && order.email.is_none();
        let uses = self.uses(&facts.discounts, version);
        self.note_uses(&uses, &mut state, day, 1);
        let mut sale = Sale { member, version, spent, guest, uses, ..sold(&priced, day) };
        self.reward(&mut state, &priced, (&mut sale, &mut facts), (ordered, day, today), at.max(clock))?;
        sale.was_held = state.standing.held.clone();
        facts.tier = state.moved_tier(self.spec, at, Some(name));
        if points > 0 {
            facts.spent.push((self.spec.codes[payer].into(), points, priced.worth));
        }
        state.orders += 1;
        state.last_order = state.last_order.max(Some(day));
        let email = order.email.clone().filter(|_| order.new);
        let answer = Answer::Order(Box::new(facts));
        Ok(Done { member, state, answer, sale: Some((name.to_owned(), sale)), email, hold: taken })
    }

    /// What it names that a quote would not give, as flags of a sale that has happened.
    fn differing(&self, order: &Order, state: &Member, when: When) -> Result<Vec<FlagFacts>, String> {
        // What is wrong with the lines themselves is found when they are priced.
        let basket = &order.basket;
        let longest =
            basket.named.iter().map(|named| named.1.len()).chain(basket.off.iter().map(|off| off.0 + 1)).max();
        let odd = basket.twice && basket.lines.len() > 1 || basket.lines.iter().any(|line| line.quantity == 0);
        if odd || longest.is_some_and(|longest| longest > basket.lines.len()) {
            return Ok(Vec::new());
        }
        let wrong = self.wrong(basket, state, when);
        match wrong.first().filter(|_| !order.stated) {
            Some(wrong) => Err(wrong.refusal()),
            None => Ok(wrong.iter().map(Wrong::flag).collect()),
        }
    }

    /// The hold that pays. What has happened is not refused for one that is not there.
    fn hold_of(&self, order: &Order, state: &Member) -> Result<Option<Held>, String> {
        let held = order.hold.as_deref().map(|hold| self.held(hold, order.member, order.from)).transpose();
        if !order.stated {
            return held;
        }
        let open = |_: &Held| !state.suspended && state.holds.iter().any(|h| Some(&h.name) == order.hold.as_ref());
        Ok(held.ok().flatten().filter(open))
    }

    fn pay(
        &self,
        state: &mut Member,
        (order, points): (&Order, i64),
        name: &str,
        held: Option<Held>,
        (payer, until, today): (usize, Option<Day>, Day),
    ) -> Result<Payment, String> {
        let mut payment = Payment::default();
        if let (Some(held), Some(hold)) = (held, &order.hold) {
            let (facts, takes) = self.capture(state, hold, &held, points, today)?;
            let by = (facts.0 || points > 0).then(|| name.to_owned());
            payment.taken = Some((hold.clone(), Held { captured: by, ..held }));
            payment.paid = Some(facts);
            payment.spent = (points > 0).then_some((payer, takes));
        } else if points > 0 {
            if state.suspended {
                return Err("Suspended".into());
            }
            let there = state.spendable(payer);
            if there < points {
                return Err(format!("InsufficientPoints {points} of {there}"));
            }
            payment.spent = Some((payer, state.take(payer, points)));
            state.purses[payer].spent += points;
        }
        if points > 0 {
            state.active(payer, until);
        }
        Ok(payment)
    }
}

/// The points of an order that are taken: all, or, of a sale that has happened, those that can be.
fn taken(order: &Order, state: &Member, payer: usize, held: Option<&Held>) -> i64 {
    let there = match held {
        Some(held) => held.took.iter().map(|t| t.1).sum(),
        None => state.spendable(payer),
    };
    match (order.stated, state.suspended) {
        (false, _) => order.basket.points,
        (true, true) => 0,
        (true, false) => order.basket.points.min(there),
    }
}

/// What an order costs, and, where it has happened, the rule of its wallet that it was not paid by.
fn priced(
    order: &Order,
    points: i64,
    (value, spend): ((i64, i64), Option<Spending>),
    held: bool,
) -> Result<(Priced, Option<&'static str>), String> {
    let asked = order.basket.points;
    let no_bulk = spend.is_some_and(|spend| spend.no_bulk);
    let priced = match price(&order.basket, points, value, no_bulk) {
        Err(wrong) if wrong == "cart PointsExceedProducts" && order.stated && no_bulk => {
            let bulk = order.basket.lines.iter().any(|line| i64::from(line.quantity) >= BULK);
            let all = price(&order.basket, points, value, false)?;
            return Ok((all, bulk.then_some("SpendRule Not")));
        }
        priced => priced?,
    };
    let Some(Spending { min, step, share, .. }) = spend.filter(|_| asked > 0) else { return Ok((priced, None)) };
    let steps = |n: i64| n >= min && n % step == 0;
    let part = |n: i64| half_up(n, value.0, value.1) * 100 <= priced.payable * share;
    let broken = if !held && asked < min {
        ("SpendRule Min", format!("spend BelowMinimum {}", (min..).find(|n| steps(*n)).unwrap()))
    } else if !held && !steps(asked) {
        let below = (0..asked).rev().find(|n| steps(*n)).unwrap_or(0);
        ("SpendRule Step", format!("spend NotInSteps {below} {}", (asked..).find(|n| steps(*n)).unwrap()))
    } else if !part(asked) {
        let most = (0..asked).rev().find(|n| steps(*n) && part(*n)).unwrap_or(0);
        ("SpendRule MaxShare", format!("spend ShareExceeded {most}"))
    } else {
        return Ok((priced, None));
    };
    if order.stated { Ok((priced, Some(broken.0))) } else { Err(broken.1) }
}

fn flags((asked, taken): (i64, i64), priced: &Priced, suspended: bool, wallet: &str) -> Vec<FlagFacts> {
    let code = if suspended { "MemberSuspended" } else { "InsufficientPoints" };
    if taken < asked { vec![(code, wallet.into(), [asked, taken, priced.uncovered])] } else { Vec::new() }
}

fn start(order: &Order, priced: &Priced, rules: &Rules, (version, day): (usize, Day)) -> OrderFacts {
    let paid = priced.products + priced.shipping - priced.worth - priced.uncovered - order.basket.gift;
    let tax = priced.lines.iter().map(|l| l.tax).sum();
    let line = |l: &PricedLine| {
        let base = base(l, leading_net(rules));
        let paid = l.charged - l.worth - l.uncovered - l.gift;
        [l.charged, l.tax, l.points, l.worth, l.gift, paid, base, 0, l.uncovered]
    };
    OrderFacts {
        member: order.member,
        version: i32::try_from(version).unwrap() + 1,
        day,
        sums: [priced.products, priced.shipping, tax, order.basket.gift, paid],
        lines: priced.lines.iter().map(line).collect(),
        ..OrderFacts::default()
    }
}

fn sold(priced: &Priced, day: Day) -> Sale {
    let line = |l: &PricedLine| SoldLine { priced: l.clone(), gone: (0, 1), pieces_back: 0, money_back: 0 };
    Sale {
        member: 0,
        version: 0,
        lines: priced.lines.iter().map(line).collect(),
        day,
        rows: Vec::new(),
        verdicts: Vec::new(),
        spent: None,
        own: Vec::new(),
        credits: Vec::new(),
        complete: false,
        uses: Vec::new(),
        was_held: None,
        asked_tier: None,
        guest: false,
    }
}
