//! Orders that all draw on one budget, by the engine without HTTP. The command draws and not its programme, so that the
//! orders without are of the same one.

use std::sync::atomic::{AtomicU64, Ordering};

use perennial::kernel::clock::Moment;
use perennial::loyalty::checkout::error::OrderRefusal;
use perennial::loyalty::checkout::receipt::OrderReceipt;
use perennial::loyalty::checkout::settle::SettleOrder;
use perennial::loyalty::ledger::accounts::Accounts;
use perennial::loyalty::ledger::counters::CounterKey;
use perennial::loyalty::ledger::posting::{AccountTime, Guess, Needs, Posting, Reference, RequestHash, Target};
use perennial::loyalty::program::model::Timeline;

use super::Outcome;
use super::postgres::Postgres;
use super::product::{DATABASE, Product, order};
use super::sizes::Sizes;

/// What the budget allows: a bound that is checked and never met.
const BUDGET_MAX: i64 = 1_000_000_000_000;

/// An order that takes one use of a budget.
struct DrawingOrder {
    order: SettleOrder,
    budget: CounterKey,
}

impl Posting for DrawingOrder {
    type Receipt = OrderReceipt;
    type Refusal = OrderRefusal;

    fn target(&self) -> Target {
        self.order.target()
    }

    fn reference(&self) -> Reference {
        self.order.reference()
    }

    fn request_hash(&self) -> RequestHash {
        self.order.request_hash()
    }

    fn needs(&self) -> Needs {
        self.order.needs()
    }

    fn counters(&self, _: Guess<'_>) -> Vec<CounterKey> {
        vec![self.budget.clone()]
    }

    fn time(&self) -> AccountTime {
        self.order.time()
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<OrderReceipt, OrderRefusal> {
        let receipt = self.order.decide(at, program, accounts)?;
        accounts.account_and_counters()?.1.use_up(self.budget.clone(), 1, Some(BUDGET_MAX))?;
        Ok(receipt)
    }
}

/// Such orders per second, by the engine alone.
///
/// # Errors
/// When one is refused, or did not draw.
pub async fn drawing(postgres: &Postgres, product: &Product, (round, sizes): (usize, &Sizes)) -> Outcome<f64> {
    let budget = CounterKey { program: product.program(), rule: "budget".to_owned(), period: round.to_string() };
    let row = format!("'{}', '{}', '{round}'", budget.program, budget.rule);
    postgres.sql(DATABASE, &format!("INSERT INTO counters VALUES ({row}, 0, {BUDGET_MAX})"))?;
    postgres.sql("postgres", "CHECKPOINT")?;
    let placed = AtomicU64::new(0);
    let command = |number, member| {
        placed.fetch_add(1, Ordering::Relaxed);
        let order = order(format!("budget-{round}-{number}"), member, AccountTime::Live);
        DrawingOrder { order, budget: budget.clone() }
    };
    let rate = product.engine_rate(sizes.length, command).await?;
    let used = format!("SELECT used FROM counters WHERE (program_id, rule, period) = ({row})");
    let (used, placed): (u64, u64) = (postgres.sql(DATABASE, &used)?.parse()?, placed.into_inner());
    if used == placed { Ok(rate) } else { Err(format!("{placed} orders drew {used} times on the budget").into()) }
}
