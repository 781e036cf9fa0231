//! What is measured, one function each. All of them are run in turns, so that a slow minute slows them all.

use std::path::Path;
use std::time::Duration;

use super::Outcome;
use super::driver::{Answers, Load, Pace, Requests, run};
use super::postgres::Postgres;
use super::product::{DATABASE, Product, Server};
use super::requests::{Ask, BalanceRequests, BatchRequests, OrderRequests};
use super::sizes::{
    BALANCE_CONNECTIONS, BATCH_CONNECTIONS, BATCH_ORDERS, LIMIT_CLIENTS, ORDER_CONNECTIONS, SET_LANES, SET_SIZE, Sizes,
};
use super::usage::{Cpu, resident};

/// The databases of the limits.
const LIMIT_BASE: &str = "limit_base";
const OWN: &str = "own";
const PGBENCH: &str = "pgbench_own";
/// Members of one unit of pgbench's scale.
const PGBENCH_SCALE_ROWS: usize = 100_000;

/// Creates the databases that the limits run on.
///
/// # Errors
/// When a script fails.
pub fn prepare_limits(postgres: &Postgres, sizes: &Sizes) -> Outcome<()> {
    for name in [LIMIT_BASE, PGBENCH] {
        postgres.sql("postgres", &format!("CREATE DATABASE {name}"))?;
    }
    for file in ["schema.sql", "seed.sql"] {
        postgres.script(LIMIT_BASE, &limit(file), sizes.members)?;
    }
    postgres.pgbench_tables(PGBENCH, sizes.members.div_ceil(PGBENCH_SCALE_ROWS))
}

/// Copies the product's filled database, while nobody is connected to it, for its own rows without its engine.
///
/// # Errors
/// When a statement fails.
pub fn prepare_own(postgres: &Postgres) -> Outcome<()> {
    postgres.sql("postgres", &format!("CREATE DATABASE {OWN} TEMPLATE {DATABASE} STRATEGY file_copy"))?;
    let number = "CREATE TABLE bench_members AS SELECT row_number() OVER () AS number, lane, member_id FROM accounts";
    postgres.sql(OWN, number)?;
    postgres.sql(OWN, "ALTER TABLE bench_members ADD PRIMARY KEY (number)")?;
    postgres.sql(OWN, "VACUUM ANALYZE").map(drop)
}

fn limit(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/limit").join(file)
}

/// (a) One durable commit per accrual.
pub fn one_commit_each(postgres: &Postgres, sizes: &Sizes) -> Outcome<f64> {
    postgres.fresh(LIMIT_BASE)?;
    pgbench(postgres, "run", "a.sql", &[], LIMIT_CLIENTS, sizes)
}

/// (c) Accruals in sets, in accruals per second.
pub fn in_sets(postgres: &Postgres, sizes: &Sizes) -> Outcome<f64> {
    postgres.fresh(LIMIT_BASE)?;
    let size = format!("n={SET_SIZE}");
    let sets = pgbench(postgres, "run", "c.sql", &[&size], SET_LANES, sizes)?;
    Ok(sets * f64::from(u32::try_from(SET_SIZE)?))
}

/// (a') The product's own rows, one commit each.
pub fn own_rows(postgres: &Postgres, sizes: &Sizes) -> Outcome<f64> {
    let bytes = "SELECT round(avg(octet_length(document)))::int FROM (SELECT document FROM postings WHERE kind = 2 LIMIT 1000) AS p";
    let bytes = format!("document_bytes={}", postgres.sql(OWN, bytes)?);
    postgres.sql("postgres", "CHECKPOINT")?;
    pgbench(postgres, OWN, "own.sql", &[&bytes], LIMIT_CLIENTS, sizes)
}

fn pgbench(
    postgres: &Postgres,
    database: &str,
    file: &str,
    variables: &[&str],
    clients: usize,
    sizes: &Sizes,
) -> Outcome<f64> {
    let (members, file) = (format!("members={}", sizes.members), limit(file));
    let mut arguments = vec!["-D", &members, "-f", file.to_str().ok_or("a path that is no text")?];
    arguments.extend(variables.iter().flat_map(|variable| ["-D", variable]));
    postgres.pgbench(database, &arguments, clients, sizes.warm_up)?;
    postgres.pgbench(database, &arguments, clients, sizes.length)
}

/// pgbench's own select of one row by key, at the connections of the balances.
pub fn selects(postgres: &Postgres, sizes: &Sizes) -> Outcome<f64> {
    postgres.pgbench(PGBENCH, &["-S"], BALANCE_CONNECTIONS, sizes.warm_up)?;
    postgres.pgbench(PGBENCH, &["-S"], BALANCE_CONNECTIONS, sizes.length)
}

/// One load of orders and what it took.
#[derive(Debug)]
pub struct Orders {
    /// What came back.
    pub answers: Answers,
    /// CPU time meanwhile.
    pub cpu: Cpu,
    /// WAL written meanwhile, in bytes.
    pub wal: u64,
    /// Orders of a commit, on average.
    pub group: f64,
    /// The server's memory at the end, in bytes.
    pub resident: u64,
}

impl Orders {
    /// The share of one order in a total.
    pub fn each(&self, total: u64) -> f64 {
        float(total) / f64::from(u32::try_from(self.answers.good).unwrap_or(u32::MAX)).max(1.0)
    }

    /// The same of a time, in microseconds.
    pub fn each_us(&self, time: Duration) -> f64 {
        self.each(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A count as a figure.
pub fn float(n: u64) -> f64 {
    let high = u32::try_from(n >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(n & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// Orders as storefronts send them, or ask for quotes of them, one a request.
pub async fn orders(
    postgres: &Postgres,
    product: &Product,
    server: &Server,
    (ask, pace): (Ask, Pace),
    (name, sizes): (&str, &Sizes),
) -> Outcome<Orders> {
    postgres.sql("postgres", "CHECKPOINT")?;
    let load =
        |length| Load { address: server.address, connections: ORDER_CONNECTIONS, pace, length, requests: usize::MAX };
    let requests = |part: &str| OrderRequests::new(product, ask, format!("{name}-{part}"));
    run(load(sizes.warm_up), requests("warm")).await?.all_good()?;
    let (wal, before) = (position(postgres)?, groups(server).await?);
    let cpu = Cpu::now(Some(server.process()), postgres.postmaster);
    let answers = run(load(sizes.length), requests("run")).await?.all_good()?;
    let cpu = Cpu::now(Some(server.process()), postgres.postmaster).since(cpu);
    let (wal, grouped) = (position(postgres)? - wal, groups(server).await?.since(before));
    let resident = resident(server.process()).unwrap_or(0);
    Ok(Orders { answers, cpu, wal, group: grouped.mean(), resident })
}

/// Orders as tills hand them in that were offline, [`BATCH_ORDERS`] a request; orders per second.
pub async fn batches(
    postgres: &Postgres,
    product: &Product,
    server: &Server,
    (name, sizes): (&str, &Sizes),
) -> Outcome<f64> {
    postgres.sql("postgres", "CHECKPOINT")?;
    let (address, connections) = (server.address, BATCH_CONNECTIONS);
    let load = |length| Load { address, connections, pace: Pace::Full, length, requests: usize::MAX };
    let requests = |part: &str| BatchRequests(OrderRequests::new(product, Ask::Earn, format!("{name}-{part}")));
    run(load(sizes.warm_up), requests("warm")).await?.all_good()?;
    let answers = run(load(sizes.length), requests("run")).await?.all_good()?;
    Ok(answers.rate() * f64::from(u32::try_from(BATCH_ORDERS)?))
}

/// Balances as storefronts ask for them.
pub async fn balances(product: &Product, server: &Server, sizes: &Sizes) -> Outcome<Answers> {
    reads(BalanceRequests::new(product), server, sizes).await
}

/// Answers that say nothing and ask nobody, over the same connections: what HTTP alone costs.
pub async fn nothings(server: &Server, sizes: &Sizes) -> Outcome<Answers> {
    reads(NothingRequests, server, sizes).await
}

async fn reads<R: Requests + Clone + Send + 'static>(requests: R, server: &Server, sizes: &Sizes) -> Outcome<Answers> {
    let (address, connections) = (server.address, BALANCE_CONNECTIONS);
    let load = |length| Load { address, connections, pace: Pace::Full, length, requests: usize::MAX };
    run(load(sizes.warm_up), requests.clone()).await?.all_good()?;
    run(load(sizes.length), requests).await?.all_good()
}

/// Lets WAL hold what orders write and nothing else, or what it ordinarily holds: images of pages come with checkpoints,
/// and autovacuum writes for tables that others filled.
///
/// # Errors
/// When a setting is refused.
pub fn only_orders_in_wal(postgres: &Postgres, only: bool) -> Outcome<()> {
    for setting in ["full_page_writes", "autovacuum"] {
        let set = if only { format!("SET {setting} = off") } else { format!("RESET {setting}") };
        postgres.sql("postgres", &format!("ALTER SYSTEM {set}"))?;
    }
    postgres.sql("postgres", "SELECT pg_reload_conf()")?;
    // The checkpointer hears of it when it has time, and only then it is so; who vacuums ends first.
    postgres.sql("postgres", "SELECT pg_sleep(0.5)")?;
    let vacuuming = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'";
    let images = postgres.sql("postgres", "SHOW full_page_writes")?;
    if (images == "on") == only {
        return Err(format!("full_page_writes stays {images}").into());
    }
    while only && postgres.sql("postgres", vacuuming)? != "0" {
        postgres.sql("postgres", "SELECT pg_sleep(0.2)")?;
    }
    postgres.sql("postgres", "CHECKPOINT").map(drop)
}

fn position(postgres: &Postgres) -> Outcome<u64> {
    Ok(postgres.sql("postgres", "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")?.parse()?)
}

/// Commits of the engine so far, and what was in them.
#[derive(Clone, Copy, Debug)]
struct Groups {
    orders: f64,
    commits: f64,
}

impl Groups {
    fn since(self, before: Self) -> Self {
        Self { orders: self.orders - before.orders, commits: self.commits - before.commits }
    }

    fn mean(self) -> f64 {
        if self.commits > 0.0 { self.orders / self.commits } else { 0.0 }
    }
}

async fn groups(server: &Server) -> Outcome<Groups> {
    let text = scrape(server).await?;
    let sum = |name: &str| -> f64 { figures(&text, name, &[]).map(|(_, n)| n).sum() };
    Ok(Groups { orders: sum("perennial_group_size_sum"), commits: sum("perennial_group_size_count") })
}

/// An order, from when its head is read until the answer is handed over.
pub const SETTLED: Spans = Spans {
    name: "http_request_duration_seconds",
    labels: &["route=\"/v1/orders\"", "method=\"POST\"", "status=\"201\""],
};
/// Waiting for a writer.
pub const QUEUED: Spans = Spans { name: "perennial_queue_wait_seconds", labels: &[] };
/// A writer's COMMIT.
pub const COMMITTED: Spans = Spans { name: "perennial_commit_seconds", labels: &[] };

/// A measure that the server takes of how long something took.
#[derive(Clone, Copy, Debug)]
pub struct Spans {
    name: &'static str,
    labels: &'static [&'static str],
}

/// How much of it took at most so many milliseconds, since the server started.
#[derive(Clone, Debug)]
pub struct Within(Vec<(f64, f64)>);

impl Within {
    /// Asks the server.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn now(server: &Server, spans: Spans) -> Outcome<Self> {
        let text = scrape(server).await?;
        let name = format!("{}_bucket", spans.name);
        let bounds = figures(&text, &name, spans.labels).filter_map(|(line, count)| {
            let bound = line.split_once("le=\"")?.1.split_once('"')?.0;
            Some((if bound == "+Inf" { f64::INFINITY } else { bound.parse::<f64>().ok()? * 1000.0 }, count))
        });
        Ok(Self(bounds.collect()))
    }

    /// The least bound in milliseconds within which 99 of 100 were done since an earlier look.
    pub fn p99_since(&self, before: &Self) -> f64 {
        let counted = |bound: f64| before.0.iter().find(|(b, _)| *b == bound).map_or(0.0, |(_, n)| *n);
        let since: Vec<(f64, f64)> = self.0.iter().map(|(bound, n)| (*bound, n - counted(*bound))).collect();
        let all = since.iter().map(|(_, n)| *n).fold(0.0, f64::max);
        since.iter().filter(|(_, n)| *n >= all * 0.99).map(|(bound, _)| *bound).fold(f64::INFINITY, f64::min)
    }
}

/// The lines of a measure that have all the labels, and their figures.
fn figures<'t>(text: &'t str, name: &'t str, labels: &'t [&'t str]) -> impl Iterator<Item = (&'t str, f64)> {
    let lines = text.lines().filter(move |line| line.starts_with(name) && labels.iter().all(|l| line.contains(l)));
    lines.filter_map(|line| Some((line, line.rsplit_once(' ')?.1.parse::<f64>().ok()?)))
}

async fn scrape(server: &Server) -> Outcome<String> {
    let load =
        Load { address: server.address, connections: 1, pace: Pace::Full, length: Duration::from_secs(5), requests: 1 };
    let page = run(load, MetricsRequest).await?.all_good()?;
    Ok(String::from_utf8(page.bodies.concat())?)
}

#[derive(Clone)]
struct NothingRequests;

impl Requests for NothingRequests {
    fn write(&mut self, _: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(b"GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n");
    }
}

#[derive(Clone)]
struct MetricsRequest;

impl Requests for MetricsRequest {
    fn write(&mut self, _: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n");
    }

    fn keeps_bodies(&self) -> bool {
        true
    }
}
