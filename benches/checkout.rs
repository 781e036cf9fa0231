//! What a checkout asks besides settling: orders that spend points, and quotes. Both are held against orders that only
//! earn.

use super::Outcome;
use super::driver::Pace;
use super::measures::orders;
use super::postgres::Postgres;
use super::product::{Product, Server};
use super::report::Report;
use super::requests::Ask;
use super::sizes::{HALF_LOAD, Sizes};

/// The same orders, paid in part with points.
///
/// # Errors
/// When one is not settled, or spends nothing.
pub async fn redemptions(
    postgres: &Postgres,
    product: &Product,
    server: &Server,
    (round, sizes): (usize, &Sizes),
    report: &mut Report,
) -> Outcome<()> {
    let (full, name) = ((Ask::Spend, Pace::Full), format!("spend{round}"));
    let spent = orders(postgres, product, server, full, (&name, sizes)).await?;
    report.add(("redemptions", "orders that spend points, one a request", "/s"), spent.answers.rate());
    report.add(("redemptions_p99", "the same, p99", "ms"), spent.answers.percentile_ms(99));
    report.add(("redemptions_server", "CPU a redemption, server", "µs"), spent.each_us(spent.cpu.server));
    report.add(("redemptions_postgres", "CPU a redemption, Postgres", "µs"), spent.each_us(spent.cpu.postgres));
    Ok(())
}

/// Quotes of the same orders, and at half of what was reached how long one takes.
///
/// # Errors
/// When one is not answered.
pub async fn quotes(
    postgres: &Postgres,
    product: &Product,
    server: &Server,
    (round, sizes): (usize, &Sizes),
    report: &mut Report,
) -> Outcome<()> {
    let (full, name) = ((Ask::Quote, Pace::Full), format!("quote{round}"));
    let quoted = orders(postgres, product, server, full, (&name, sizes)).await?;
    report.add(("quotes", "quotes over HTTP", "/s"), quoted.answers.rate());
    report.add(("quotes_server", "CPU a quote, server", "µs"), quoted.each_us(quoted.cpu.server));
    report.add(("quotes_postgres", "CPU a quote, Postgres", "µs"), quoted.each_us(quoted.cpu.postgres));
    let (half, name) = ((Ask::Quote, Pace::Rate(quoted.answers.rate() * HALF_LOAD)), format!("quote-half{round}"));
    let calm = orders(postgres, product, server, half, (&name, sizes)).await?;
    report.add(("quotes_half_p50", "quotes at half load, p50", "ms"), calm.answers.percentile_ms(50));
    report.add(("quotes_half_p99", "the same, p99", "ms"), calm.answers.percentile_ms(99));
    Ok(())
}
