//! The benchmarks: the product and the limits of the machine that it runs on, in turns, on one cluster.
//!
//! `./dev bench` takes some minutes, `./dev bench quick` about one; `./dev bench orders limits` does a part. The figures
//! of a run belong together; those of two runs need not.

mod budget;
mod checkout;
mod conditions;
mod driver;
mod imports;
mod measures;
mod overload;
mod postgres;
mod product;
mod replay;
mod report;
mod requests;
mod sizes;
mod usage;

use std::error::Error;
use std::fs;
use std::io::{Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use budget::drawing;
use checkout::{quotes, redemptions};
use conditions::answers;
use driver::Pace;
use imports::{import_rate, write_orders};
use measures::{
    Orders, balances, batches, float, in_sets, nothings, one_commit_each, only_orders_in_wal, orders, own_rows,
    prepare_limits, prepare_own, selects,
};
use mimalloc::MiMalloc;
use overload::overload;
use perennial::loyalty::ledger::posting::AccountTime;
use postgres::Postgres;
use product::{Product, Server, discounted, order};
use report::Report;
use requests::Ask;
use sizes::{HALF_LOAD, REDEEMED_HISTORY_MIN, Sizes};
use usage::{flush, load};

// As in the program itself: what runs here of it is measured by what it runs on there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What can be asked for on its own.
const PARTS: [&str; 15] = [
    "limits",
    "orders",
    "redemptions",
    "quotes",
    "overload",
    "batches",
    "engine",
    "budget",
    "grown",
    "conditions",
    "replay",
    "own",
    "balances",
    "wal",
    "import",
];
/// Those that are held against orders, which are measured with them.
const BESIDE_ORDERS: [&str; 4] = ["orders", "redemptions", "quotes", "overload"];
/// Of the load for WAL without images of whole pages, which is not durable.
const WAL_LENGTH: Duration = Duration::from_secs(2);

/// What a step of the benchmark answers.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds flags of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    match run(words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("the benchmark failed: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(mut words: Vec<String>) -> Outcome<()> {
    let all = words.len();
    words.retain(|word| word != "quick");
    let sizes = Sizes::read(words.len() < all)?;
    if let Some(unknown) = words.iter().find(|word| !PARTS.contains(&word.as_str())) {
        return Err(format!("{unknown}? Say quick, or some of {}", PARTS.join(", ")).into());
    }
    let begun = Instant::now();
    let home = Home::new()?;
    let postgres = Postgres::start(&home.0).await?;
    let measured = Bench { postgres: &postgres, home: &home.0, sizes, parts: &words }.run().await;
    postgres.stop().await?;
    let mut report = measured?;
    report.facts.push(("minutes", format!("{:.1}", begun.elapsed().as_secs_f64() / 60.0)));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    fs::create_dir_all(&directory)?;
    let text = report.markdown();
    fs::write(directory.join("results.md"), &text)?;
    fs::write(directory.join("results.json"), serde_json::to_string_pretty(&report.json())?)?;
    writeln!(stdout(), "{text}\nAlso in {}, as Markdown and JSON.", directory.display())?;
    Ok(())
}

/// Where and how much is measured.
struct Bench<'a> {
    postgres: &'a Postgres,
    home: &'a Path,
    sizes: Sizes,
    /// Only these parts, if any are named.
    parts: &'a [String],
}

impl Bench<'_> {
    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }

    async fn run(&self) -> Outcome<Report> {
        let Self { postgres, home, sizes, .. } = self;
        if self.wants("redemptions") && sizes.history < REDEEMED_HISTORY_MIN {
            let wants = format!("BENCH_HISTORY has to be {REDEEMED_HISTORY_MIN} or more");
            return Err(format!("redemptions spend what was earned before: {wants}").into());
        }
        let mut report = Report::default();
        facts(postgres, sizes, &mut report)?;
        progress("filling the limits' tables");
        prepare_limits(postgres, sizes)?;
        progress("filling the product's");
        let product = Product::create(postgres, sizes).await?;
        product.fill(sizes.history).await?;
        product.leave();
        if self.wants("own") {
            prepare_own(postgres)?;
        }
        let product = product.back(postgres).await?;
        let synthetic = home.join("orders.csv");
        write_orders(&synthetic, sizes.members)?;
        let grown = if self.wants("grown") { Some(product.grown(sizes).await?) } else { None };
        let server = Server::start(postgres, home)?;
        for round in 0..sizes.rounds {
            progress(&format!("round {} of {}, load {}", round + 1, sizes.rounds, load()));
            self.round((&product, grown.as_ref()), &server, round, &mut report).await?;
            self.imports(&synthetic, &mut report)?;
        }
        drop(server);
        goals(&mut report);
        report.facts.push(("load at the end", load()));
        Ok(report)
    }

    /// Limits and product in turns: those that are compared stand beside each other.
    async fn round(
        &self,
        (product, grown): (&Product, Option<&Product>),
        server: &Server,
        round: usize,
        report: &mut Report,
    ) -> Outcome<()> {
        let Self { postgres, sizes, .. } = self;
        if self.wants("limits") {
            report.add(("a", "(a) one commit per accrual, 32 clients", "/s"), one_commit_each(postgres, sizes)?);
        }
        if BESIDE_ORDERS.iter().any(|part| self.wants(part)) {
            self.orders(product, server, round, report).await?;
        }
        if self.wants("batches") {
            let rate = batches(postgres, product, server, (&format!("batch{round}"), sizes)).await?;
            report.add(("batches", "orders over HTTP, 100 a request", "/s"), rate);
        }
        if self.wants("limits") {
            report.add(("c", "(c) accruals in sets of 200, 2 lanes", "/s"), in_sets(postgres, sizes)?);
        }
        if ["engine", "budget", "grown"].iter().any(|part| self.wants(part)) {
            self.engine((product, grown), round, report).await?;
        }
        if self.wants("conditions") {
            report.add(("conditions", "an ordinary condition, answered", "ns"), answers()?);
        }
        if self.wants("replay") {
            replay::in_memory(report)?;
            replay::out_of_postgres(product, report).await?;
        }
        if self.wants("own") {
            report.add(("own", "(a′) the rows of an order, one commit each", "/s"), own_rows(postgres, sizes)?);
        }
        if self.wants("balances") {
            report.add(("balances", "balances over HTTP", "/s"), balances(product, server, sizes).await?.rate());
            report.add(
                ("nothings", "empty answers over HTTP, which ask nobody", "/s"),
                nothings(server, sizes).await?.rate(),
            );
            report.add(("selects", "pgbench -S", "/s"), selects(postgres, sizes)?);
        }
        if self.wants("wal") {
            only_orders_in_wal(postgres, true)?;
            let short = Sizes { length: WAL_LENGTH, ..*sizes };
            let earn = (Ask::Earn, Pace::Full);
            let plain = orders(postgres, product, server, earn, (&format!("plain{round}"), &short)).await;
            only_orders_in_wal(postgres, false)?;
            let plain = plain?;
            report.add(("wal", "WAL an order, without images of whole pages", "B"), plain.each(plain.wal));
        }
        Ok(())
    }

    /// Orders over HTTP, and what is held against them.
    async fn orders(&self, product: &Product, server: &Server, round: usize, report: &mut Report) -> Outcome<()> {
        let Self { postgres, sizes, .. } = self;
        let earn = (Ask::Earn, Pace::Full);
        let full = orders(postgres, product, server, earn, (&format!("full{round}"), sizes)).await?;
        add_orders(report, &full);
        if self.wants("redemptions") {
            redemptions(postgres, product, server, (round, sizes), report).await?;
        }
        if self.wants("quotes") {
            quotes(postgres, product, server, (round, sizes), report).await?;
        }
        if self.wants("orders") || self.wants("overload") {
            self.half_load(product, server, (round, full.answers.rate()), report).await?;
        }
        if self.wants("overload") {
            overload(product, server, (round, full.answers.rate()), sizes, report).await?;
        }
        Ok(())
    }

    /// Orders by the engine alone, those that draw on a budget, and those of a programme with much in it.
    async fn engine(
        &self,
        (product, grown): (&Product, Option<&Product>),
        round: usize,
        report: &mut Report,
    ) -> Outcome<()> {
        let Self { postgres, sizes, .. } = self;
        postgres.sql("postgres", "CHECKPOINT")?;
        let plain = |number, member| order(format!("engine-{round}-{number}"), member, AccountTime::Live);
        let engine = product.engine_rate(sizes.length, plain).await?;
        report.add(("engine", "orders by the engine alone, without HTTP", "/s"), engine);
        if self.wants("budget") {
            let rate = drawing(postgres, product, (round, sizes)).await?;
            report.add(("budget", "the same, all drawing on one budget", "/s"), rate);
        }
        if let Some(grown) = grown {
            postgres.sql("postgres", "CHECKPOINT")?;
            let order = |number, member| discounted(format!("grown-{round}-{number}"), member);
            let rate = grown.engine_rate(sizes.length, order).await?;
            report.add(("grown", "the same with a discount, by 20 rules, 4 tiers and 10 discounts", "/s"), rate);
        }
        Ok(())
    }

    async fn half_load(
        &self,
        product: &Product,
        server: &Server,
        (round, full): (usize, f64),
        report: &mut Report,
    ) -> Outcome<()> {
        let earn = (Ask::Earn, Pace::Rate(full * HALF_LOAD));
        let name = format!("half{round}");
        let half = orders(self.postgres, product, server, earn, (&name, &self.sizes)).await?;
        let flush = flush(self.home)?.as_secs_f64() * 1000.0;
        let p99 = half.answers.percentile_ms(99);
        report.add(("half_p50", "orders at half load, p50", "ms"), half.answers.percentile_ms(50));
        report.add(("half_p99", "the same, p99", "ms"), p99);
        report.add(("half_over", "the same, p99 less three flushes", "ms"), p99 - 3.0 * flush);
        report.add(("half_group", "orders a commit at half load", ""), half.group);
        report.add(("flush", "a flush of one page", "ms"), flush);
        Ok(())
    }

    fn imports(&self, synthetic: &Path, report: &mut Report) -> Outcome<()> {
        if self.wants("import") {
            let cdnow = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cdnow_orders.csv");
            report.add(("import", "import of the CDNOW orders", "/s"), import_rate(self.postgres, &cdnow)?);
            let name = "import of as many orders as members, a year of them";
            report.add(("import_synthetic", name, "/s"), import_rate(self.postgres, synthetic)?);
        }
        Ok(())
    }
}

fn add_orders(report: &mut Report, orders: &Orders) {
    report.add(("orders", "orders over HTTP, one a request", "/s"), orders.answers.rate());
    report.add(("orders_p50", "the same, p50", "ms"), orders.answers.percentile_ms(50));
    report.add(("orders_p99", "the same, p99", "ms"), orders.answers.percentile_ms(99));
    report.add(("group", "orders a commit", ""), orders.group);
    report.add(("cpu_server", "CPU an order, server", "µs"), orders.each_us(orders.cpu.server));
    report.add(("cpu_postgres", "CPU an order, Postgres", "µs"), orders.each_us(orders.cpu.postgres));
    report.add(("cpu_driver", "CPU an order, the load's driver", "µs"), orders.each_us(orders.cpu.driver));
    let share = orders.cpu.driver.as_secs_f64() / orders.cpu.total().as_secs_f64().max(0.001);
    report.add(("driver_share", "the driver's part of all CPU", "%"), share * 100.0);
    report.add(("wal_all", "WAL an order, with images of whole pages", "B"), orders.each(orders.wal));
    report.add(("resident", "memory of the server", "MB"), float(orders.resident) / 1e6);
}

fn goals(report: &mut Report) {
    report.goal("orders", "a", 3.0);
    report.goal("batches", "a", 5.0);
    report.goal("redemptions", "orders", 0.9);
    report.goal("quotes", "orders", 0.5);
    report.goal("quotes_half_p99", "", -10.0);
    report.goal("budget", "engine", 0.9);
    report.goal("grown", "engine", 0.8);
    report.goal("over_inside", "inside", -1.0);
    report.goal("over_told", "", 100.0);
    report.goal("over_grown", "", -50.0);
    report.goal("after_p99", "orders_p99", -1.25);
    report.goal("conditions", "", -1_000.0);
    report.goal("replay_cdnow", "", 200_000.0);
    report.goal("replay", "", 200_000.0);
    report.goal("replay20", "", 50_000.0);
    report.goal("replay_memory", "", -20.0);
    report.goal("own", "a", 0.0);
    report.goal("c", "a", 0.0);
    report.goal("engine", "a", 0.0);
    report.goal("import", "orders", 1.5);
    report.goal("import_synthetic", "orders", 1.5);
    report.goal("balances", "selects", 1.0);
    report.goal("nothings", "selects", 0.0);
    report.goal("half_over", "", -10.0);
    report.goal("wal", "", -2_000.0);
    report.goal("resident", "", -200.0);
}

fn facts(postgres: &Postgres, sizes: &Sizes, report: &mut Report) -> Outcome<()> {
    let version = postgres.sql("postgres", "SHOW server_version")?;
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let durable = ["fsync", "synchronous_commit", "full_page_writes"].map(|name| {
        let value = postgres.sql("postgres", &format!("SHOW {name}")).unwrap_or_default();
        format!("{name} {value}")
    });
    report.facts.extend([
        ("Postgres", version),
        ("durability", durable.join(", ")),
        ("cores", cores.to_string()),
        ("members", sizes.members.to_string()),
        ("past orders of each", sizes.history.to_string()),
        ("rounds", sizes.rounds.to_string()),
        ("seconds of a measure", sizes.length.as_secs().to_string()),
        ("load at the start", load()),
    ]);
    Ok(())
}

fn progress(line: &str) {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(stderr(), "{line}");
}

/// A directory for the cluster, gone at the end. Not below `target/`: as root, the server's user might not get there.
struct Home(PathBuf);

impl Home {
    fn new() -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("perennial-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Left behind, it only takes room.
        let _ = fs::remove_dir_all(&self.0);
    }
}
