//! The product as it is measured: a programme with members who have bought before, its engine, and its server.

use std::fmt::Debug;
use std::fs::{File, read_to_string};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, TimeDelta};
use futures_util::future::try_join_all;
use perennial::kernel::clock::Instant as Time;
use perennial::kernel::id::{LaneCount, MemberId, ProgramId};
use perennial::kernel::money::Money;
use perennial::kernel::points::Points;
use perennial::kernel::scope::{Principal, ProgramScope};
use perennial::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, Prices, StatedDiscount, Tax};
use perennial::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use perennial::loyalty::earning::model::LineKind;
use perennial::loyalty::ledger::post::{Ledger, WriterCount};
use perennial::loyalty::ledger::posting::{AccountTime, Posting, Reference, RequestHash, Target};
use perennial::loyalty::members::model::Profile;
use perennial::loyalty::membership::enrol::Enrol;
use perennial::loyalty::program::create::{ProgramCode, create};
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::timelines::Timelines;
use perennial::platform::auth::{KeyName, NewKey, Scopes, issue};
use perennial::platform::db::{Db, PoolSize, Role, migrate};
use perennial::platform::entropy::uuid_v7;
use rust_decimal::Decimal;

use super::Outcome;
use super::postgres::Postgres;
use super::sizes::{ORDER_CONNECTIONS, Sizes};

/// Its database.
pub const DATABASE: &str = "product";
/// Lanes and writers as they are when nothing is said, on two cores.
const LANES: LaneCount = LaneCount(8);
/// Writers of the engine when it runs in this process.
const WRITERS: WriterCount = WriterCount(2);
/// Keys in use.
const KEYS: usize = 64;
/// The programme.
const PROGRAM: &str = include_str!("program.toml");
/// What it may have grown to after some years.
const GROWN: &str = concat!(include_str!("program20.toml"), include_str!("grown.toml"));
/// Between two past orders of a member, in days.
const HISTORY_STEP_D: i64 = 60;

/// A programme with members.
pub struct Product {
    db: Db,
    scope: ProgramScope,
    /// Its members.
    pub members: Arc<[MemberId]>,
    /// Keys that may do what the load does: as many storefronts, so that none meets the limit of its rate.
    pub keys: Arc<[String]>,
}

impl Product {
    /// Its database.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Its programme.
    pub fn scope(&self) -> &ProgramScope {
        &self.scope
    }

    /// Creates the database, the programme, the members and a key.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn create(postgres: &Postgres, sizes: &Sizes) -> Outcome<Self> {
        postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
        let url = postgres.url(DATABASE).parse()?;
        migrate(&url, LANES).await?;
        let db = Db::open(&url, PoolSize(4), Role::App).await?;
        let scope = publish(&db, "benchmark", PROGRAM).await?;
        let members = members(sizes);
        let mut conn = db.conn().await?;
        let mut keys = Vec::with_capacity(KEYS);
        for _ in 0..KEYS {
            let new = NewKey {
                name: KeyName::parse("benchmark").ok_or("a bad name")?,
                scopes: Scopes::all(),
                expires_at: None,
            };
            let issued = issue(&mut conn, &scope, &new).await.map_err(|error| error.to_string())?;
            keys.push(issued.token.reveal());
        }
        drop(conn);
        Ok(Self { db, scope, members, keys: keys.into() })
    }

    /// Another programme in its database, with as many members of its own who bought as much before: twenty rules, four
    /// tiers and ten discounts. Nobody has a key to it.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn grown(&self, sizes: &Sizes) -> Outcome<Self> {
        let scope = publish(&self.db, "grown", GROWN).await?;
        let grown = Self { db: self.db.clone(), scope, members: members(sizes), keys: Arc::default() };
        grown.fill(sizes.history).await?;
        Ok(grown)
    }

    /// Enrols the members and imports what they bought before, by the engine.
    ///
    /// # Errors
    /// When a command is refused.
    pub async fn fill(&self, history: usize) -> Outcome<()> {
        let engine = self.engine();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let now = DateTime::from_timestamp_secs(i64::try_from(since_1970.as_secs())?).ok_or("the clock is wrong")?;
        let first = now - TimeDelta::days(HISTORY_STEP_D * (i64::try_from(history)? + 1));
        let everyone = self.members.len();
        self.each(&engine, everyone, |number, member| self.enrolment(number, member, first)).await?;
        for past in 0..history {
            let at = first + TimeDelta::days(HISTORY_STEP_D * (i64::try_from(past)? + 1));
            let bought = |number, member| order(format!("past-{past}-{number}"), member, AccountTime::Imported(at));
            self.each(&engine, everyone, bought).await?;
        }
        engine.close().await;
        Ok(())
    }

    /// Leaves the database, so that it can be copied.
    pub fn leave(&self) {
        self.db.close();
    }

    /// Comes back to it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn back(self, postgres: &Postgres) -> Outcome<Self> {
        let db = Db::open(&postgres.url(DATABASE).parse()?, PoolSize(4), Role::App).await?;
        Ok(Self { db, ..self })
    }

    /// Its id.
    pub fn program(&self) -> ProgramId {
        self.scope.program()
    }

    /// How many commands a second the engine takes without HTTP before it, in this process.
    ///
    /// # Errors
    /// When one is refused.
    pub async fn engine_rate<P>(&self, length: Duration, command: impl Fn(usize, MemberId) -> P) -> Outcome<f64>
    where
        P: Posting<Refusal: Debug>,
    {
        let engine = self.engine();
        let begun = Instant::now();
        let next = AtomicUsize::new(0);
        let buyers = (0..ORDER_CONNECTIONS).map(async |_| {
            while begun.elapsed() < length {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let command = command(number, member_of(&self.members, number));
                engine.post(&self.scope, command).await.map_err(|error| format!("{error:?}"))?;
            }
            Outcome::Ok(())
        });
        try_join_all(buyers).await?;
        let elapsed = begun.elapsed();
        engine.close().await;
        Ok(f64::from(u32::try_from(next.load(Ordering::Relaxed))?) / elapsed.as_secs_f64())
    }

    fn engine(&self) -> Ledger {
        Ledger::start(&self.db, LANES, Timelines::default(), WRITERS)
    }

    fn enrolment(&self, number: usize, member: MemberId, at: Time) -> Enrol {
        Enrol {
            program: self.scope.program(),
            reference: Reference::keyed("enrol", &number.to_string()),
            hash: RequestHash::of(&number),
            member,
            profile: Profile { external_id: Some(format!("c-{number}")), ..Profile::default() },
            enrolled_on: None,
            welcomes: false,
            time: AccountTime::Imported(at),
        }
    }

    async fn each<P>(&self, engine: &Ledger, count: usize, command: impl Fn(usize, MemberId) -> P) -> Outcome<()>
    where
        P: Posting<Refusal: Debug>,
    {
        let next = AtomicUsize::new(0);
        let posters = (0..ORDER_CONNECTIONS * 4).map(async |_| {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(member) = self.members.get(number).filter(|_| number < count) else { break };
                // It waits for room: nobody is in a hurry here.
                let posted = engine.enqueue(&self.scope, command(number, *member)).await;
                let posted = posted.map_err(|error| format!("{error:?}"))?.await?;
                posted.map_err(|error| format!("{error:?}"))?;
            }
            Outcome::Ok(())
        });
        try_join_all(posters).await.map(drop)
    }
}

/// Somebody, in an order that has nothing to do with that of the enrolments.
pub fn member_of(members: &[MemberId], number: usize) -> MemberId {
    // A large odd factor: neighbours in the load are no neighbours in the table.
    let place = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_right(32) % members.len().max(1);
    members.get(place).copied().unwrap_or(MemberId(uuid_v7()))
}

fn members(sizes: &Sizes) -> Arc<[MemberId]> {
    (0..sizes.members).map(|_| MemberId(uuid_v7())).collect()
}

async fn publish(db: &Db, code: &str, document: &str) -> Outcome<ProgramScope> {
    let scope = ProgramScope::new(ProgramId(uuid_v7()), Principal::Operator);
    let document = Document::from_toml(document).map_err(|mistakes| format!("{mistakes:?}"))?;
    let code = ProgramCode::parse(code).ok_or("a bad code")?;
    create(&mut *db.conn().await?, &scope, &code, &document).await?;
    Ok(scope)
}

/// An ordinary order: two lines, tax included, nothing off, no points spent.
pub fn order(reference: String, member: MemberId, time: AccountTime) -> SettleOrder {
    let line = |id: &str, quantity, minor| CartLine {
        attributes: Default::default(),
        id: id.to_owned(),
        kind: LineKind::Product,
        sku: Some(format!("S-{id}")),
        category: Some("shoes".to_owned()),
        brand: None,
        quantity,
        amount: Money::from_minor(minor).unwrap_or(Money::ZERO),
        tax: Tax::Rate(Decimal::new(21, 0)),
    };
    SettleOrder {
        named: Reference::order(&reference),
        hash: RequestHash::of(&reference),
        reference,
        target: Target::Member(member),
        identity: None,
        profile: Profile::default(),
        enrol: false,
        ordered: match time {
            AccountTime::Live => OrderedAt::Now,
            AccountTime::Imported(at) => OrderedAt::At(at),
        },
        time,
        cart: Cart {
            attributes: Default::default(),
            prices: Prices::TaxIncluded,
            lines: vec![line("1", 1, 8_999), line("2", 3, 2_385)],
            discounts: Vec::new(),
            entered: Vec::new(),
            points: Points::ZERO,
            gift_card: Money::ZERO,
            total: None,
        },
        stated: false,
        quoted: false,
        valid_with: None,
        says_points: true,
        spend_from: None,
        hold: None,
        place: None,
    }
}

/// The same order with what `shoes_ten` takes off it, as whoever had a quote sends it.
pub fn discounted(reference: String, member: MemberId) -> SettleOrder {
    let mut order = order(reference, member, AccountTime::Live);
    let off = [("1", 900), ("2", 238)];
    let lines = off.map(|(id, minor)| DiscountedLine {
        id: id.to_owned(),
        amount: Money::from_minor(minor).unwrap_or(Money::ZERO),
    });
    order.cart.discounts = vec![StatedDiscount { code: "shoes_ten".to_owned(), lines: lines.into() }];
    order
}

/// A command of the built program on a database, deaf to other settings of whoever runs the benchmark.
pub fn perennial(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PERENNIAL_")) {
        command.env_remove(name);
    }
    command.env("DATABASE_URL", url);
    command
}

/// A running `perennial serve`, as an operator runs it; killed when dropped.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Server {
    /// Starts it on the product's database.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(postgres: &Postgres, home: &Path) -> Outcome<Self> {
        let mut command = perennial(&postgres.url(DATABASE));
        command.arg("serve").env("PERENNIAL_LISTEN", "127.0.0.1:0");
        // It logs each request, as it does for operators; what it logs is read only when it does not start.
        let log = home.join("server.log");
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log)?).spawn()?;
        let mut line = String::new();
        if let Some(said) = child.stdout.take() {
            BufReader::new(said).read_line(&mut line)?;
        }
        let address = line.trim().rsplit_once("http://").and_then(|(_, address)| address.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                child.kill()?;
                Err(format!("the server does not start: {line}{}", read_to_string(log)?).into())
            }
        }
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
