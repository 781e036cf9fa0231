//! What a stored account must be: by itself, and as the fold of its postings.

use crate::kernel::clock::Instant;
use crate::kernel::id::Version;
use crate::kernel::points::Points;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::hold::Hold;
use crate::loyalty::ledger::lot::{LotExpiry, LotId};
use crate::loyalty::ledger::verify::fold::{Folded, FoldedLot};
use crate::loyalty::ledger::verify::holds::PlainHold;
use crate::loyalty::ledger::verify::ladder::Rules;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::tiers::stand_of;
use crate::loyalty::program::model::{Slot, Timeline, WALLETS_MAX, WalletKind};

/// Checks an account by itself: figures against lots, order of lots, and what the columns say of the future.
pub fn check_account(account: &Account, changes_at: Option<Instant>, timeline: &Timeline, found: &mut Findings) {
    let place = Place::member(account.member);
    check_figures(account, timeline, found);
    let keys: Vec<_> = account.lots.iter().map(|l| (l.wallet, l.expiry, l.id)).collect();
    if !keys.is_sorted_by(|a, b| a < b) {
        found.add(Law::LotOrder, place, "the lots are out of order");
    }
    if let Some(empty) = account.lots.iter().find(|l| l.remaining.is_zero()) {
        found.add(Law::LotOrder, place, format!("lot {} is empty", empty.id.0));
    }
    let next = next_change(account, timeline);
    if changes_at != next {
        let words = |at: Option<Instant>| at.map_or_else(|| "never".into(), |at| at.to_rfc3339());
        found.add(Law::Schedule, place, format!("it says {}, and it is {}", words(changes_at), words(next)));
    }
}

/// Checks an account against its postings.
pub fn check_fold(account: &Account, folded: &Folded, timeline: &Timeline, found: &mut Findings) {
    let place = Place::member(account.member);
    if account.seq != folded.seq {
        let says = format!("the account is at posting {}, and the last is {}", account.seq.0, folded.seq.0);
        found.add(Law::Sequence, place, says);
    }
    let slots = (0..).take(WALLETS_MAX.max(account.wallets.len())).map(Slot);
    for slot in slots {
        let (stored, folded) = (account.wallet(slot), folded.wallet(slot));
        if stored.figures.to_stored() != folded.figures {
            let says = format!(
                "figures of wallet slot {}: {:?}, folded {:?}",
                slot.0,
                stored.figures.to_stored(),
                folded.figures
            );
            found.add(Law::Fold, place, says);
        }
        if stored.expires_on != folded.expires_on {
            let says = format!(
                "expires_on of wallet slot {}: {:?}, folded {:?}",
                slot.0, stored.expires_on, folded.expires_on
            );
            found.add(Law::Fold, place, says);
        }
    }
    let lots: Vec<_> =
        account.lots.iter().map(|l| (l.id, l.wallet, l.remaining.get(), l.available_at, l.expiry)).collect();
    let open: Vec<_> = folded.open_lots().into_iter().map(plain).collect();
    if lots != open {
        let differs = lots.iter().zip(&open).find(|(a, b)| a != b);
        let says = differs.map_or_else(
            || format!("{} lots, folded {}", lots.len(), open.len()),
            |(a, b)| format!("a lot: {a:?}, folded {b:?}"),
        );
        found.add(Law::Fold, place, says);
    }
    let holds: Vec<_> = account.holds.iter().map(plain_hold).collect();
    if holds != folded.holds.plain() {
        let says = format!("{holds:?}, folded {:?}", folded.holds.plain());
        found.add(Law::Holds, place, says);
    }
    let columns = [
        ("status", (account.status == Status::Suspended) == folded.suspended),
        ("moved_at", Some(account.moved_at) == folded.moved_at),
        ("decided_by", account.decided_by == Version(folded.decided_by)),
        ("order_count", i64::from(account.order_count) == folded.order_count),
        ("last_order_on", account.last_order_on == folded.last_order_on),
        ("enrolled_on", Some(account.enrolled_on) == folded.enrolled_on),
        ("merged_into", account.alias.map(|a| (a.into.0, i64::from(a.branch.0))) == folded.merges.alias),
        ("branches", i64::from(account.branches.0) == folded.merges.branches),
        ("standing", folded.tiers.is(&account.standing)),
        ("segments", folded.segments.is(account.segments, timeline)),
        ("usage", folded.caps.is(&account.usage)),
        ("alias_depth", i64::from(account.alias_depth) == folded.merges.depth),
    ];
    for (column, _) in columns.iter().filter(|(_, same)| !same) {
        found.add(Law::Fold, place, format!("{column} is not what the postings make of it"));
    }
}

fn check_figures(account: &Account, timeline: &Timeline, found: &mut Findings) {
    let place = Place::member(account.member);
    for (slot, wallet) in (0..).map(Slot).zip(&account.wallets) {
        let lots = |pending: bool| -> i64 {
            account
                .lots
                .iter()
                .filter(|l| l.wallet == slot && l.available_at.is_some() == pending)
                .map(|l| l.remaining.get())
                .sum()
        };
        let figures = wallet.figures;
        let [spendable, held, pending, debt] =
            [figures.spendable, figures.held, figures.pending, figures.debt].map(Points::get);
        for (name, says, is) in [("spendable", spendable, lots(false)), ("pending", pending, lots(true))] {
            if says != is {
                found.add(
                    Law::Figures,
                    place,
                    format!("{name} of wallet slot {} is {says}, and its lots hold {is}", slot.0),
                );
            }
        }
        let holds = account.holds.iter().filter(|h| h.wallet == slot);
        let in_holds: i64 = holds.map(|h| h.points().get()).sum();
        if held != in_holds {
            let says = format!("held of wallet slot {} is {held}, and its holds hold {in_holds}", slot.0);
            found.add(Law::Figures, place, says);
        }
        if !figures.add_up() {
            found.add(Law::Figures, place, format!("figures of wallet slot {} do not add up", slot.0));
        }
        if debt > 0 && !can_owe(timeline, slot) {
            found.add(Law::Figures, place, format!("{debt} are owed in wallet slot {}, where nothing can be", slot.0));
        }
    }
    let known = i16::try_from(account.wallets.len()).unwrap_or(i16::MAX);
    if let Some(lot) = account.lots.iter().find(|l| !(0..known).contains(&l.wallet.0)) {
        found.add(
            Law::Figures,
            place,
            format!("lot {} lies in wallet slot {}, which has no figures", lot.id.0, lot.wallet.0),
        );
    }
}

/// Debt is of wallets whose points can be spent, in some version of the programme.
fn can_owe(timeline: &Timeline, slot: Slot) -> bool {
    let versions = (1..=timeline.newest().version.0).map(|n| timeline.version(Version(n)));
    let mut wallets = versions.filter_map(|book| book.wallet_in(slot));
    wallets.any(|w| matches!(w.kind, WalletKind::Redeemable(_)))
}

fn next_change(account: &Account, timeline: &Timeline) -> Option<Instant> {
    let zone = timeline.newest().zone;
    let mut instants: Vec<Instant> = account.lots.iter().filter_map(|l| l.available_at).collect();
    for lot in &account.lots {
        let last = match lot.expiry {
            LotExpiry::On(day) => Some(day),
            LotExpiry::Inactive => account.wallet(lot.wallet).expires_on,
            LotExpiry::Never => None,
        };
        instants.extend(last.map(|day| zone.end_of(day)));
    }
    instants.extend(account.holds.iter().map(|hold| hold.ends_at));
    let book = timeline.at(account.moved_at);
    if let Some(ladder) = &book.tiers {
        let rules = Rules { ladder, zone: book.zone, enrolled_on: account.enrolled_on };
        let balance = account.figures(ladder.wallet).spendable.get();
        instants.extend(rules.due(&stand_of(&account.standing), balance).map(|due| due.max(account.moved_at)));
    }
    instants.into_iter().min()
}

fn plain_hold(hold: &Hold) -> PlainHold {
    let lots = hold.lots.iter().map(|held| (held.lot, held.points.get(), held.expiry)).collect();
    (hold.opened_in, hold.wallet, hold.ends_at, hold.owed.get(), lots, hold.uses.clone())
}

/// A lot as far as accounts have it.
fn plain((id, lot): (LotId, FoldedLot)) -> (LotId, Slot, i64, Option<Instant>, LotExpiry) {
    (id, lot.wallet, lot.remaining, lot.available_at, lot.expiry)
}
