//! What a member's account looks like on the product's side, caught up as a reader does it.

use perennial::kernel::calendar::Zone;
use perennial::kernel::cycle::Cycle;
use perennial::loyalty::ledger::account::Account;
use perennial::loyalty::ledger::catch_up::{catch_up, next_change};
use perennial::loyalty::ledger::hold::Hold;
use perennial::loyalty::ledger::lot::{Lot, LotExpiry};
use perennial::loyalty::program::model::Slot;
use perennial::loyalty::tiers::standing::Held;

use crate::engine::{Engine, member_id};
use crate::facts::{Day, End, TierView, Time, View, WalletView};

fn end(expiry: LotExpiry) -> End {
    match expiry {
        LotExpiry::On(day) => End::On(day),
        LotExpiry::Inactive => End::Inactive,
        LotExpiry::Never => End::Never,
    }
}

fn hold(hold: &Hold) -> (Time, i64, i64) {
    (hold.ends_at, hold.points().get(), hold.owed.get())
}

/// A member at a time, or at the member's own when that is later.
pub fn view(engine: &Engine<'_>, member: u32, at: Time) -> Result<Option<View>, String> {
    let zone = engine.spec.timeline.newest().zone;
    let Some(stored) = engine.ledger.accounts.get(&member_id(member)) else { return Ok(None) };
    let at = at.max(stored.moved_at);
    let mut account = stored.clone();
    let due = next_change(&account, &engine.spec.timeline);
    let happened =
        catch_up(&mut account, &engine.spec.timeline, at).map_err(|e| format!("a reader cannot catch up: {e}"))?;
    // Of versions that start nothing is foreseen.
    let foreseen = happened.is_none() || engine.spec.at(stored.moved_at) == engine.spec.at(at);
    if happened.is_some() != due.is_some_and(|d| d <= at) && foreseen {
        return Err(format!("due {due:?}, at {at} happened {happened:?}"));
    }
    let wallets = (0..engine.spec.codes.len()).map(|slot| wallet(&account, zone, slot)).collect();
    let (orders, last_order) = (account.order_count, account.last_order_on);
    let tier = tier(engine, &account, at);
    Ok(Some(View { seq: account.seq.0, orders, last_order, wallets, tier, used: used(stored) }))
}

fn tier(engine: &Engine<'_>, account: &Account, at: Time) -> TierView {
    let timeline = &engine.spec.timeline;
    let code = |slot| timeline.tier_code(slot).map(str::to_owned);
    let held: Option<Held> = account.standing.held;
    TierView {
        tier: account.tier(timeline.at(at)).and_then(code),
        since: held.map(|held| held.since),
        until: held.and_then(|held| held.until),
        falls: held.and_then(|held| held.falls).map(|falls| (falls.on, falls.to.and_then(code))),
    }
}

/// The product keeps it in the order of rules, periods and days.
fn used(account: &Account) -> Vec<(i32, usize, Option<Day>, i64)> {
    let used = account.usage.iter().map(|used| {
        let first = (used.cycle != Cycle::Ever).then_some(used.first);
        (used.slot.0, usize::try_from(used.cycle.number()).unwrap(), first, used.points.get())
    });
    used.collect()
}

fn wallet(account: &Account, zone: Zone, slot: usize) -> WalletView {
    let slot = Slot(i16::try_from(slot).unwrap());
    let figures = account.figures(slot);
    let ever = [figures.earned, figures.reversed, figures.spent, figures.expired].map(|p| p.get());
    let mut view = WalletView {
        spendable: figures.spendable.get(),
        pending: figures.pending.get(),
        debt: figures.debt.get(),
        held: figures.held.get(),
        holds: account.holds.iter().filter(|h| h.wallet == slot).map(hold).collect(),
        ever,
        ..WalletView::default()
    };
    let lots: Vec<&Lot> = account.lots_of(slot).collect();
    for lot in &lots {
        let (end, left) = (end(lot.expiry), lot.remaining.get());
        if let Some(at) = lot.available_at {
            match view.waits.iter_mut().find(|w| (w.0, w.1) == (at, end)) {
                Some(sum) => sum.2 += left,
                None => view.waits.push((at, end, left)),
            }
        } else {
            match view.ends.iter_mut().find(|e| e.0 == end) {
                Some(sum) => sum.1 += left,
                None => view.ends.push((end, left)),
            }
        }
        if lot.expiry == LotExpiry::Inactive {
            view.inactive_on = account.wallet(slot).expires_on;
            assert!(
                view.inactive_on.is_some_and(|d| zone.end_of(d) > account.moved_at),
                "an inactive wallet has a day"
            );
        }
    }
    view.waits.sort_unstable();
    view
}
