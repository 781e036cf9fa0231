//! Three times the load that the server takes, and what became of it.

use std::time::Duration;

use futures_util::future::join;
use tokio::time::sleep;

use super::Outcome;
use super::driver::{Load, Pace, percentile_ms, run};
use super::measures::{COMMITTED, QUEUED, SETTLED, Within};
use super::product::{Product, Server};
use super::report::Report;
use super::requests::{Ask, OrderRequests};
use super::sizes::{ORDER_CONNECTIONS, OVERLOAD, OVERLOAD_CONNECTIONS, Sizes};
use super::usage::resident;

/// How long a burst may be: it waits, and what stands longer is cut short.
const BURST: Duration = Duration::from_secs(1);
/// How long the server has until all is as before.
const RECOVERY: Duration = Duration::from_secs(1);

/// Floods the server, then looks whether it is as before.
///
/// # Errors
/// When anything is answered but a receipt or a request to come back.
pub async fn overload(
    product: &Product,
    server: &Server,
    (round, full): (usize, f64),
    sizes: &Sizes,
    report: &mut Report,
) -> Outcome<()> {
    let load =
        |connections, pace, length| Load { address: server.address, connections, pace, length, requests: usize::MAX };
    let requests = |part: &str| OrderRequests::new(product, Ask::Earn, format!("over{round}-{part}"));
    let normal = |part| (load(ORDER_CONNECTIONS, Pace::Full, sizes.length), requests(part));
    let bounds = Within::now(server, SETTLED).await?;
    let (at_normal, orders) = normal("normal");
    run(at_normal, orders).await?.all_good()?;
    let (usual, memory) = (Within::now(server, SETTLED).await?, resident(server.process()).unwrap_or(0));
    let flood = load(OVERLOAD_CONNECTIONS, Pace::Flood(full * OVERLOAD), BURST + sizes.length);
    let burst_over = async {
        sleep(BURST).await;
        [Within::now(server, SETTLED).await, Within::now(server, QUEUED).await, Within::now(server, COMMITTED).await]
            .into_iter()
            .collect::<Outcome<Vec<_>>>()
    };
    let (flooded, burst_over) = join(run(flood, requests("flood")), burst_over).await;
    let (flooded, burst_over) = (flooded?.none_bad()?, burst_over?);
    let mut standing = [0.0; 3];
    for ((spans, before), p99) in [SETTLED, QUEUED, COMMITTED].into_iter().zip(&burst_over).zip(&mut standing) {
        *p99 = Within::now(server, spans).await?.p99_since(before);
    }
    let [crowded, queued, committed] = standing;
    let burst = burst_over.first().map_or(f64::INFINITY, |over| over.p99_since(&usual));
    let grown = resident(server.process()).unwrap_or(0).saturating_sub(memory);
    run(load(ORDER_CONNECTIONS, Pace::Full, RECOVERY), requests("recovery")).await?.none_bad()?;
    let after = run(load(ORDER_CONNECTIONS, Pace::Full, RECOVERY * 2), requests("after")).await?.all_good()?;
    let all = float(flooded.good + flooded.refused);
    report.add(("over", "orders accepted at 3 x the load", "/s"), flooded.rate());
    report.add(("over_all", "orders answered then, accepted or not", "/s"), all / flooded.elapsed.as_secs_f64());
    report.add(("over_refused", "refused then", "%"), 100.0 * float(flooded.refused) / all.max(1.0));
    let told = 100.0 * float(flooded.told_when) / float(flooded.refused).max(1.0);
    report.add(("over_told", "refused with Retry-After", "%"), told);
    report.add(("inside", "p99 within the server at full load, at most", "ms"), usual.p99_since(&bounds));
    report.add(("over_burst", "the same in the first second of 3 x the load, at most", "ms"), burst);
    report.add(("over_inside", "p99 within the server after it, at most", "ms"), crowded);
    report.add(("over_queued", "of it waiting for a writer, p99 at most", "ms"), queued);
    report.add(("over_committed", "of it a writer's COMMIT, p99 at most", "ms"), committed);
    report.add(("over_p50", "accepted then, p50 by the driver's clock", "ms"), flooded.percentile_ms(50));
    report.add(("over_p99", "accepted then, p99 by the driver's clock", "ms"), flooded.percentile_ms(99));
    report.add(("refusal_p99", "refused then, p99 by the driver's clock", "ms"), percentile_ms(&flooded.refusals, 99));
    report.add(("over_grown", "memory grown by 8 x the connections", "MB"), float(usize::try_from(grown)?) / 1e6);
    report.add(("after", "orders a second after it", "/s"), after.rate());
    report.add(("after_p99", "p99 a second after it", "ms"), after.percentile_ms(99));
    Ok(())
}

fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
