//! A shop with a past: two programmes, members, and years of orders, returns and adjustments through the real engine.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use diesel_async::SimpleAsyncConnection;
use futures_util::future::join_all;
use perennial::kernel::clock::Instant;
use perennial::kernel::id::{MemberId, ProgramId, Version};
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::checkout::cart::Cart;
use perennial::loyalty::checkout::return_order::ReturnOrder;
use perennial::loyalty::checkout::returns::ReturnRequest;
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::ledger::account::Status;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::opening::OpenBalance;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use perennial::loyalty::ledger::queue::PostError;
use perennial::loyalty::ledger::suspend::Suspend;
use perennial::loyalty::ledger::verify::check::{Options, check_ledger};
use perennial::loyalty::ledger::verify::report::Report;
use perennial::loyalty::members::model::{Identity, IdentityKind};
use perennial::loyalty::membership::change::ChangeProfile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::membership::transfer::TransferPoints;
use perennial::loyalty::personal::erase::EraseMember;
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::slots::{Slots, assign_slots};
use perennial::loyalty::program::store::{insert_program, insert_slots, insert_version};
use perennial::loyalty::program::timelines::Timelines;
use perennial::platform::db::{Db, PoolSize, Role};
use perennial::platform::entropy::uuid_v7;

use super::customers::{order, patch, points, profile, request};
use super::database::LANES;
use super::documents::{ACME, ACME_LATER, BEAN};
use super::with_holds::with_holds;
use super::with_merges::{merge, with_merges};
use super::with_rewards::with_rewards;
use super::{Dice, TestDb};

/// A day on which the past begins.
pub const BEGINNING: &str = "2024-01-10T09:30:00Z";

/// A shop on a database of its own.
pub struct Shop {
    /// The database.
    pub test: TestDb,
    /// Its engine.
    pub ledger: Ledger,
    /// The programmes.
    pub programs: Vec<Tenant>,
}

/// A programme of the shop with its members.
pub struct Tenant {
    /// The programme.
    pub scope: ProgramScope,
    /// The wallets that points are spent from.
    pub wallets: Vec<&'static str>,
    /// The members, and the orders of each.
    pub members: Vec<(MemberId, Vec<String>)>,
}

impl Shop {
    /// Two programmes, one of them in two versions, and nobody in them.
    pub async fn empty() -> Self {
        let test = TestDb::new().await;
        let owner = Db::open(&test.url, PoolSize(1), Role::Owner).await.unwrap();
        let mut programs = Vec::new();
        let later = instant(BEGINNING) + Duration::days(250);
        for (code, documents, wallets) in
            [("acme", vec![ACME, ACME_LATER], vec!["points", "coins"]), ("bean", vec![BEAN], vec!["beans"])]
        {
            let scope = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
            publish(&owner, &scope, code, &documents, later).await;
            programs.push(Tenant { scope, wallets, members: Vec::new() });
        }
        let ledger = Ledger::start(&test.db, LANES, Timelines::default(), WriterCount(2));
        Self { test, ledger, programs }
    }

    /// The same with members and their past, told by the dice; the last three things happen now.
    pub async fn with_past(dice: &mut Dice, members: usize, acts: usize) -> Self {
        let mut shop = Self::empty().await;
        let everybody: Vec<(usize, usize)> = (0..2).flat_map(|p| (0..members).map(move |n| (p, n))).collect();
        let mut times: Vec<Instant> = Vec::new();
        for (place, number) in &everybody {
            let at = instant(BEGINNING) + Duration::hours(hours(dice, 1_000));
            times.push(at);
            shop.enrol(*place, *number, at, dice).await;
        }
        for act in 0..acts {
            let mut planned = Vec::new();
            for ((place, number), at) in everybody.iter().zip(&mut times) {
                *at += Duration::hours(hours(dice, 900));
                let time = if act + 3 > acts { AccountTime::Live } else { AccountTime::Imported(*at) };
                planned.push((*place, *number, shop.plan(*place, *number, time, dice)));
            }
            // All at once: they meet in groups.
            shop.all(planned).await;
        }
        shop.debt(dice).await;
        shop
    }

    /// Something happens now to somebody.
    pub async fn live(&mut self, dice: &mut Dice) {
        let place = usize::try_from(dice.roll(2)).unwrap();
        let members = self.programs.get(place).unwrap().members.len();
        let number = usize::try_from(dice.roll(u64::try_from(members).unwrap())).unwrap();
        let act = self.plan(place, number, AccountTime::Live, dice);
        self.all(vec![(place, number, act)]).await;
    }

    /// Somebody spends what an order brought, gives the order back, owes, and repays with the next one.
    async fn debt(&mut self, dice: &mut Dice) {
        let tenant = self.programs.last().unwrap();
        let (scope, ledger, (member, _)) = (&tenant.scope, &self.ledger, tenant.members.first().unwrap());
        let time = AccountTime::Live;
        let plain = |reference: &str, dice: &mut Dice| {
            let mut order = order(*member, reference, time, dice);
            let (points, gift_card, amount) = (Points::ZERO, Money::ZERO, Money::from_minor(5_000).unwrap());
            order.cart = Cart { points, gift_card, discounts: Vec::new(), ..order.cart };
            order.cart.lines.iter_mut().for_each(|line| line.amount = amount);
            order
        };
        ledger.post(scope, plain("lent", dice)).await.unwrap();
        let hash = RequestHash([1; 16]);
        let adjust = |reference: &str, direction, points| Adjust {
            reference: Reference::keyed("adjust", reference),
            hash,
            member: *member,
            wallet: "beans".into(),
            direction,
            points,
            reason: "a test".into(),
        };
        let up = adjust("up", Direction::Up, points(dice, 9));
        let spendable = ledger.post(scope, up).await.unwrap().receipt.spendable;
        let down = adjust("down", Direction::Down, Points::try_from(spendable).unwrap());
        ledger.post(scope, down).await.unwrap();
        let request = ReturnRequest { all: true, ..ReturnRequest::default() };
        let (reference, order) = ("back".to_owned(), "lent".to_owned());
        ledger.post(scope, ReturnOrder { reference, order, hash, member: *member, request, time }).await.unwrap();
        // A till that was offline took more points than there were, and somebody at the desk looked into it.
        let mut till = plain("till", dice);
        (till.stated, till.cart.points) = (true, Points::try_from(7).unwrap());
        ledger.post(scope, till).await.unwrap();
        let status = |member: MemberId, reference: &str, status| Suspend {
            reference: Reference::keyed("status", reference),
            hash,
            member,
            status,
            reason: "a test".into(),
        };
        ledger.post(scope, status(*member, "out", Status::Suspended)).await.unwrap();
        ledger.post(scope, status(*member, "in", Status::Active)).await.unwrap();
        ledger.post(scope, plain("repaid", dice)).await.unwrap();
        let somebody = tenant.members.last().unwrap().0;
        with_holds(ledger, scope, somebody, "beans", dice).await;
        with_rewards(ledger, scope, tenant.members[1].0, "beans").await;
        let (giver, getter) = (tenant.members[1].0, tenant.members[0].0);
        let more =
            Adjust { member: giver, points: points(dice, 900), ..adjust("to give", Direction::Up, Points::ZERO) };
        let there = ledger.post(scope, more).await.unwrap().receipt.spendable;
        if there > 0 {
            let (reference, wallet) = (Reference::keyed("transfer", "given"), "beans".into());
            let points = Points::try_from(there.min(50)).unwrap();
            let given = TransferPoints { reference, hash, from: giver, to: getter, identity: None, wallet, points };
            ledger.post(scope, given).await.unwrap();
        }
        // And somebody has coins that end by inactivity, one day.
        let acme = self.programs.first().unwrap();
        let (member, wallet) = (acme.members.first().unwrap().0, "coins".into());
        let coins = Adjust { member, wallet, ..adjust("coins", Direction::Up, points(dice, 9)) };
        ledger.post(&acme.scope, coins).await.unwrap();
        // Who turns out to be the second one.
        merge(ledger, &acme.scope, member, acme.members[1].0).await;
        with_merges(ledger, scope, "beans", dice).await;
        // One is forgotten.
        erase(ledger, &acme.scope, acme.members[acme.members.len() - 2].0).await;
        // And one stays suspended.
        let last = acme.members.last().unwrap().0;
        ledger.post(&acme.scope, status(last, "out", Status::Suspended)).await.unwrap();
    }

    async fn enrol(&mut self, place: usize, number: usize, at: Instant, dice: &mut Dice) {
        let tenant = self.programs.get_mut(place).unwrap();
        let (program, member) = (tenant.scope.program(), MemberId(uuid_v7()));
        let profile = profile(number);
        let time = AccountTime::Imported(at);
        if dice.once_in(3) {
            let identity = Identity { program, kind: IdentityKind::ExternalId, value: format!("c-{number}") };
            let reference = format!("first-{number}");
            let mut order = order(member, &reference, time, dice);
            (order.cart.points, order.cart.gift_card) = (Points::ZERO, Money::ZERO);
            let target = Target::New(member);
            let order = SettleOrder { identity: Some(identity), profile, target, enrol: true, ..order };
            self.ledger.post(&tenant.scope, order).await.unwrap();
            tenant.members.push((member, vec![reference]));
        } else {
            let reference = Reference::keyed("enrol", &number.to_string());
            let hash = RequestHash::of(&number);
            let enrol = Enrol { program, reference, hash, member, profile, enrolled_on: None, welcomes: true, time };
            self.ledger.post(&tenant.scope, enrol).await.unwrap();
            tenant.members.push((member, Vec::new()));
        }
    }

    /// What happens to a member next.
    fn plan(&self, place: usize, number: usize, time: AccountTime, dice: &mut Dice) -> Act {
        let tenant = self.programs.get(place).unwrap();
        let (member, orders) = tenant.members.get(number).unwrap();
        let live = time == AccountTime::Live;
        let key = format!("{number}-{}", dice.roll(1 << 40));
        let wallet = (*dice.pick(&tenant.wallets)).to_owned();
        let (member, hash) = (*member, RequestHash::of(&key));
        match dice.roll(if live { 14 } else { 10 }) {
            7..=9 if !orders.is_empty() => {
                let (order, request) = (dice.pick(orders).clone(), request(dice));
                Act::Return(ReturnOrder { reference: key, order, hash, member, request, time })
            }
            0..=4 => {
                let mut order = order(member, &key, time, dice);
                order.spend_from = Some(wallet);
                if live && dice.once_in(2) {
                    // An offline till.
                    order.ordered = OrderedAt::On(day("2026-02-01"));
                }
                Act::Order(Box::new(order))
            }
            5..=9 => Act::Open(OpenBalance {
                reference: Reference::keyed("opening", &key),
                hash,
                member,
                wallet,
                points: points(dice, 500),
                available_on: dice.once_in(3).then(|| day("2024-09-01")),
                expires_on: dice.once_in(3).then(|| day("2024-12-24")),
                time,
            }),
            10..=11 => Act::Change(ChangeProfile {
                program: tenant.scope.program(),
                reference: Reference::keyed("change", &key),
                hash,
                member,
                patch: patch(&key, dice),
            }),
            _ => Act::Adjust(Adjust {
                reference: Reference::keyed("adjust", &key),
                hash,
                member,
                wallet,
                direction: if dice.once_in(2) { Direction::Up } else { Direction::Down },
                points: points(dice, 300),
                reason: "a test".into(),
            }),
        }
    }

    /// They happen at once. Each may be refused, as in life.
    async fn all(&mut self, planned: Vec<(usize, usize, Act)>) {
        let done = join_all(planned.into_iter().map(|(place, number, act)| {
            let scope = &self.programs.get(place).unwrap().scope;
            post(&self.ledger, scope, (place, number), act)
        }));
        let done: Vec<_> = done.await;
        for ((place, number), order) in done.into_iter().flatten() {
            let tenant = self.programs.get_mut(place).unwrap();
            tenant.members.get_mut(number).unwrap().1.push(order);
        }
    }
}

/// What may happen to a member.
enum Act {
    Order(Box<SettleOrder>),
    Return(ReturnOrder),
    Open(OpenBalance),
    Adjust(Adjust),
    Change(ChangeProfile),
}

/// Posts it. Answers the order that is there from now on.
async fn post(
    ledger: &Ledger,
    scope: &ProgramScope,
    whose: (usize, usize),
    act: Act,
) -> Option<((usize, usize), String)> {
    let order = match act {
        Act::Order(order) => {
            let reference = order.reference.clone();
            said(ledger.post(scope, *order).await).then_some(reference)
        }
        Act::Return(back) => said(ledger.post(scope, back).await).then_some(String::new()),
        Act::Open(open) => said(ledger.post(scope, open).await).then_some(String::new()),
        Act::Adjust(adjust) => said(ledger.post(scope, adjust).await).then_some(String::new()),
        Act::Change(change) => said(ledger.post(scope, change).await).then_some(String::new()),
    };
    order.filter(|order| !order.is_empty()).map(|order| (whose, order))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Verifies the ledger of a database: every law holds.
pub async fn verify(db: &Db) -> Report {
    let report = check_ledger(db, &Options::default(), &mut |_| {}).await.unwrap();
    let findings: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert!(report.is_clean(), "{}", findings.join("\n"));
    report
}

/// An instant in words.
pub fn instant(text: &str) -> Instant {
    text.parse::<DateTime<Utc>>().unwrap()
}

async fn erase(ledger: &Ledger, scope: &ProgramScope, member: MemberId) {
    ledger.post(scope, EraseMember { program: scope.program(), member }).await.unwrap();
}

async fn publish(owner: &Db, scope: &ProgramScope, code: &str, documents: &[&str], later: Instant) {
    let mut conn = owner.conn().await.unwrap();
    let mut known = Slots::default();
    for (number, text) in (1..).zip(documents) {
        let starts = if number == 1 { instant("2020-01-01T00:00:00Z") } else { later };
        let document = Document::from_toml(text).unwrap();
        if number == 1 {
            let program = &document.program;
            assert!(insert_program(&conn, scope, code, &program.currency, &program.timezone).await.unwrap());
        }
        let slots = assign_slots(&known, &document).unwrap();
        insert_slots(&conn, scope, &slots.without(&known)).await.unwrap();
        known = slots;
        let json = serde_json::to_string(&document).unwrap();
        insert_version(&conn, scope, Version(number), starts, json, "a test").await.unwrap();
        let newest = format!("UPDATE programs SET version = {number} WHERE code = '{code}'");
        conn.batch_execute(&newest).await.unwrap();
    }
}

fn hours(dice: &mut Dice, most: u64) -> i64 {
    i64::try_from(dice.roll(most)).unwrap()
}

/// Whether it was done. A refusal is an answer; anything else is not.
fn said<T, R: std::fmt::Debug>(answer: Result<T, PostError<R>>) -> bool {
    match answer {
        Ok(_) => true,
        Err(error) => {
            assert!(matches!(error, PostError::Refused(_)), "{error:?}");
            false
        }
    }
}
