//! What a posting's document must say of its columns and entries, and they of it.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::kernel::money::Amount;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::verify::awarded::{AwardDocument, Lot, RowDocument, lots_of};
use crate::loyalty::ledger::verify::documents::{
    EarnedDocument, EnrolDocument, LineDocument, OfMember, OrderDocument, PointsDocument, StatusDocument, entered,
    minor, parse,
};
use crate::loyalty::ledger::verify::flags::check_flags;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::program::model::{On, Rulebook, Timeline, Wallet, WalletKind};

/// Of a catch-up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatchUpDocument {
    #[serde(default)]
    tier: Vec<IgnoredAny>,
    #[serde(default)]
    holds: Vec<IgnoredAny>,
}

/// Names of two figures that must be one, and the figures.
type Pair = (&'static str, i64, i64);

/// Checks a posting's document against the posting. Answers the day of the enrolment, of a posting that enrols.
pub fn check_document(row: &PostingRow, timeline: &Timeline, found: &mut Findings) -> Option<NaiveDate> {
    let place = Place::posting(row.member, row.seq);
    check_kinds(row, found);
    let newest = timeline.newest();
    if row.currency != newest.currency {
        found.add(Law::Documents, place, format!("it is in {}, the programme in {}", row.currency, newest.currency));
    }
    // A return is decided by the version of its order, a cancellation by that of its redemption, and an order ahead of its time by that of the moment.
    let version = timeline.at(row.effective_at.min(row.recorded_at)).version;
    if row.version != version && !matches!(row.kind, PostingKind::Return | PostingKind::CancelVoucher) {
        let says = format!("version {} decided it, and {} was in force", row.version.0, version.0);
        found.add(Law::Documents, place, says);
    }
    let checked = match row.kind {
        PostingKind::CatchUp => check_catch_up(row, found),
        PostingKind::Enrol => of_member(row, found)
            .and_then(|()| check_awards(row, timeline.version(row.version), found))
            .and_then(|_| enrolled_on(row))
            .map(Some),
        PostingKind::Event => {
            of_member(row, found).and_then(|()| check_awards(row, timeline.version(row.version), found)).map(|day| {
                if timeline.newest().zone.day_of(row.effective_at) != day {
                    found.add(Law::Documents, place, format!("the document is of {day}"));
                }
                None
            })
        }
        PostingKind::Change | PostingKind::GrantTier | PostingKind::ChangeSegment => {
            of_member(row, found).map(|()| None)
        }
        PostingKind::Order => of_member(row, found)
            .and_then(|()| check_order(row, timeline, found))
            .map(|day| (row.seq.0 == 1).then_some(day)),
        PostingKind::Adjust | PostingKind::Opening => {
            of_member(row, found).and_then(|()| check_points(row, timeline, found)).map(|()| None)
        }
        PostingKind::Suspend => of_member(row, found).and_then(|()| check_status(row, "suspended")).map(|()| None),
        PostingKind::Reinstate => of_member(row, found).and_then(|()| check_status(row, "active")).map(|()| None),
        // The rest of a return is `returns`' affair, that of a hold `holds`', of a transfer `transfers`', of a voucher
        // `vouchers`', of a merge `merges`'.
        PostingKind::Return
        | PostingKind::Hold
        | PostingKind::Release
        | PostingKind::Transfer
        | PostingKind::Received
        | PostingKind::Redeem
        | PostingKind::UseVoucher
        | PostingKind::ReverseUse
        | PostingKind::CancelVoucher
        | PostingKind::Erase
        | PostingKind::MergeOut
        | PostingKind::MergeIn => of_member(row, found).map(|()| None),
    };
    if row.kind != PostingKind::Order
        && row.kind != PostingKind::Return
        && (row.paid.is_some() || row.items != 0 || row.orders != 0)
    {
        found.add(Law::Documents, place, "it sells something, and is no sale");
    }
    match checked {
        Ok(day) => day,
        Err(says) => {
            found.add(Law::Documents, place, says);
            None
        }
    }
}

/// Adds a finding for each pair of figures that are not one.
pub fn compare(law: Law, place: Place, pairs: &[Pair], found: &mut Findings) {
    for (name, says, is) in pairs.iter().filter(|(_, says, is)| says != is) {
        found.add(law, place, format!("{name}: it says {says}, and it is {is}"));
    }
}

fn check_kinds(row: &PostingRow, found: &mut Findings) {
    let allowed: &[EntryKind] = match row.kind {
        PostingKind::Enrol | PostingKind::Event => &[EntryKind::Award, EntryKind::Repay, EntryKind::Expire],
        PostingKind::Change
        | PostingKind::Suspend
        | PostingKind::Reinstate
        | PostingKind::GrantTier
        | PostingKind::UseVoucher
        | PostingKind::ReverseUse
        | PostingKind::Erase
        | PostingKind::ChangeSegment => &[],
        PostingKind::Redeem => &[EntryKind::Spend],
        PostingKind::CancelVoucher => &[EntryKind::Restore, EntryKind::Expire],
        PostingKind::Order => &[
            EntryKind::Award,
            EntryKind::Spend,
            EntryKind::Repay,
            EntryKind::Expire,
            EntryKind::Capture,
            EntryKind::Release,
            EntryKind::ClawBack,
        ],
        PostingKind::Return => &[EntryKind::Restore, EntryKind::Expire, EntryKind::ClawBack, EntryKind::Owe],
        PostingKind::Adjust => &[EntryKind::AdjustUp, EntryKind::AdjustDown, EntryKind::Repay, EntryKind::Expire],
        PostingKind::CatchUp => {
            &[EntryKind::Expire, EntryKind::Available, EntryKind::Repay, EntryKind::Release, EntryKind::ClawBack]
        }
        PostingKind::Hold => &[EntryKind::Hold],
        PostingKind::Transfer => &[EntryKind::TransferOut],
        PostingKind::Received => &[EntryKind::TransferIn],
        PostingKind::MergeOut => &[EntryKind::MergeOut, EntryKind::DebtOut],
        PostingKind::MergeIn => &[EntryKind::MergeIn, EntryKind::DebtIn],
        PostingKind::Release => &[EntryKind::Release, EntryKind::ClawBack, EntryKind::Expire],
        PostingKind::Opening => &[EntryKind::Opening, EntryKind::Repay, EntryKind::Expire],
    };
    for entry in row.entries.iter().filter(|e| !allowed.contains(&e.kind)) {
        let says = format!("{} has an entry {}", row.kind.name(), entry.kind.name());
        found.add(Law::Documents, Place::posting(row.member, row.seq), says);
    }
}

fn of_member(row: &PostingRow, found: &mut Findings) -> Result<(), String> {
    let document: OfMember = parse(row)?;
    let place = Place::posting(row.member, row.seq);
    if document.member != row.member.0 {
        found.add(Law::Documents, place, format!("the document is of member {}", document.member));
    }
    let own = format!("{}{:x}", row.member.0.simple(), row.seq.0);
    if let Some(posting) = document.posting.filter(|posting| *posting != own) {
        found.add(Law::Documents, place, format!("the document is of posting {posting}"));
    }
    Ok(())
}

fn check_catch_up(row: &PostingRow, found: &mut Findings) -> Result<Option<NaiveDate>, String> {
    let place = Place::posting(row.member, row.seq);
    // What became of tiers is `tiers`' affair, of holds `holds`'.
    let document: CatchUpDocument = parse(row)?;
    if row.entries.is_empty() && document.tier.is_empty() && document.holds.is_empty() {
        found.add(Law::Documents, place, "a catch-up in which nothing happened");
    }
    Ok(None)
}

fn enrolled_on(row: &PostingRow) -> Result<NaiveDate, String> {
    parse::<EnrolDocument>(row).map(|document| document.enrolled_on)
}

fn check_status(row: &PostingRow, status: &str) -> Result<(), String> {
    let says = parse::<StatusDocument>(row)?.status;
    if says == status { Ok(()) } else { Err(format!("{} says {says}", row.kind.name())) }
}

fn check_points(row: &PostingRow, timeline: &Timeline, found: &mut Findings) -> Result<(), String> {
    let document: PointsDocument = parse(row)?;
    let wallet = timeline.version(row.version).wallet(&document.wallet);
    let slot = wallet.ok_or_else(|| format!("the programme has no wallet {}", document.wallet))?.slot;
    let up = entered(row, &[EntryKind::AdjustUp, EntryKind::Opening], slot);
    let down = entered(row, &[EntryKind::AdjustDown], slot);
    let place = Place::posting(row.member, row.seq);
    compare(Law::Documents, place, &[("points", document.points, up.saturating_sub(down))], found);
    let after = row.entries.iter().rev().find(|e| e.wallet == slot).map(|e| e.after.get());
    if let (Some(says), Some(after)) = (document.spendable, after) {
        compare(Law::Documents, place, &[("spendable", says, after)], found);
    }
    Ok(())
}

fn check_order(row: &PostingRow, timeline: &Timeline, found: &mut Findings) -> Result<NaiveDate, String> {
    let document: OrderDocument = parse(row)?;
    let place = Place::posting(row.member, row.seq);
    let book = timeline.version(row.version);
    if Reference::order(&document.reference) != row.reference {
        found.add(Law::Documents, place, format!("the document is of order {}", document.reference));
    }
    if document.currency != row.currency.code() || Some(document.paid.0) != row.paid {
        found.add(Law::Documents, place, "paid or currency are not the document's");
    }
    let day = book.zone.day_of(row.effective_at);
    if document.ordered_on != day {
        found.add(Law::Documents, place, format!("the document is of {}, the posting of {day}", document.ordered_on));
    }
    let minor = |amount: Amount| minor(amount, row.currency);
    let sum = |kind: &str, figure: fn(&LineDocument) -> Amount| -> i64 {
        document.lines.iter().filter(|l| kind.is_empty() || l.kind == kind).map(|l| minor(figure(l))).sum()
    };
    let pieces: i64 = document.lines.iter().filter(|l| l.kind == "product").map(|l| i64::from(l.quantity)).sum();
    let spent: i64 = document.spent.iter().map(|s| s.points).sum();
    let worth: i64 = document.spent.iter().map(|s| minor(s.worth)).sum();
    let pairs = [
        ("program_version", document.program_version.into(), row.version.0.into()),
        ("orders", row.orders.into(), 1),
        ("items", row.items.into(), pieces),
        ("charged", minor(document.charged), sum("product", |l| l.charged)),
        ("shipping", minor(document.shipping), sum("shipping", |l| l.charged)),
        ("tax", minor(document.tax), sum("", |l| l.tax)),
        ("gift_card", minor(document.gift_card), sum("", |l| l.gift_card)),
        ("paid", minor(document.paid), sum("", |l| l.paid)),
        ("points spent", spent, document.lines.iter().map(|l| l.points_spent).sum()),
        ("worth", worth, sum("", |l| l.worth)),
    ];
    compare(Law::Documents, place, &pairs, found);
    check_flags(row, &document, spent, found);
    for line in &document.lines {
        let parts = document.rows.iter().flat_map(|r| &r.lines).filter(|p| p.id == line.id);
        let unpaid = [minor(line.worth), uncovered(row, line), minor(line.gift_card)];
        let in_money = unpaid.into_iter().fold(minor(line.charged), i64::saturating_sub);
        let pairs = [
            ("earned of a line", line.earned, parts.map(|p| p.points).sum()),
            ("paid of a line", minor(line.paid), in_money),
        ];
        compare(Law::Documents, place, &pairs, found);
    }
    for of_rule in &document.rows {
        // What an enrolment brought is no part of what was bought.
        let whole = book.rule(&of_rule.rule).is_some_and(|rule| rule.on != On::Order);
        let parts = of_rule.lines.iter().map(|p| p.points).sum();
        compare(Law::Documents, place, &[("points of a row", if whole { 0 } else { of_rule.points }, parts)], found);
        if !of_rule.is_cut_in_order() {
            found.add(Law::Documents, place, format!("{} says that it was cut, and was not", of_rule.rule));
        }
    }
    check_wallets(row, book, &document, found);
    Ok(document.ordered_on)
}

/// What nobody paid of a line.
pub fn uncovered(row: &PostingRow, line: &LineDocument) -> i64 {
    line.uncovered.map_or(0, |amount| minor(amount, row.currency))
}

fn check_wallets(row: &PostingRow, book: &Rulebook, document: &OrderDocument, found: &mut Findings) {
    let place = Place::posting(row.member, row.seq);
    for wallet in &book.wallets {
        let of_wallet = || document.earned.iter().filter(|e| e.wallet == wallet.code);
        let earned = of_wallet().next();
        let figure = |e: &EarnedDocument| e.points.or_else(|| e.amount.map(|a| minor(a, row.currency))).unwrap_or(-1);
        let says = of_wallet().map(figure).fold(0, i64::saturating_add);
        if matches!(wallet.kind, WalletKind::Redeemable(_)) {
            check_lots(row, &document.rows, wallet, found);
        }
        let due = match (&wallet.kind, earned) {
            (WalletKind::Redeemable(_), _) => points_of_wallet(&document.rows, &wallet.code),
            (WalletKind::Qualifying(_), None) => 0,
            // An order counts as a whole.
            (WalletKind::Qualifying(_), Some(earned)) if earned.counts.as_deref() == Some("orders") => 1,
            (WalletKind::Qualifying(_), Some(_)) => {
                document.lines.iter().map(|line| credit_of(row, book, document, &wallet.code, line)).sum()
            }
        };
        let spent: i64 = document.spent.iter().filter(|s| s.wallet == wallet.code).map(|s| s.points).sum();
        let pairs = [
            ("earned of a wallet", says, due),
            ("awards", says, entered(row, &[EntryKind::Award], wallet.slot)),
            ("spent of a wallet", spent, entered(row, &[EntryKind::Spend, EntryKind::Capture], wallet.slot)),
        ];
        compare(Law::Documents, place, &pairs, found);
    }
}

/// Points that are over on a day of their own lie in a lot of their own.
fn check_lots(row: &PostingRow, rows: &[RowDocument], wallet: &Wallet, found: &mut Findings) {
    let awards = row.entries.iter().filter(|e| e.kind == EntryKind::Award && e.wallet == wallet.slot);
    let awards: Vec<Lot> = awards.map(|e| (e.expiry.day(), e.points.get())).collect();
    let lots = lots_of(rows, &wallet.code);
    let fits = |(says, is): (&Lot, &Lot)| says.1 == is.1 && (says.0.is_none() || says.0 == is.0);
    if lots.len() != awards.len() || !lots.iter().zip(&awards).all(fits) {
        let says = format!("{lots:?} came into {}, and {awards:?} were entered", wallet.code);
        found.add(Law::Documents, Place::posting(row.member, row.seq), says);
    }
}

/// The points that the rules brought to a wallet by one line.
pub fn points_of_line(rows: &[RowDocument], wallet: &str, line: &str) -> i64 {
    let rows = rows.iter().filter(|r| r.wallet == wallet);
    rows.flat_map(|r| &r.lines).filter(|p| p.id == line).map(|p| p.points).sum()
}

fn points_of_wallet(rows: &[RowDocument], wallet: &str) -> i64 {
    rows.iter().filter(|r| r.wallet == wallet).map(|r| r.points).sum()
}

/// Checks what rules awarded that is no order's: it came into its lots, and no line has part of it.
fn check_awards(row: &PostingRow, book: &Rulebook, found: &mut Findings) -> Result<NaiveDate, String> {
    let document: AwardDocument = parse(row)?;
    let place = Place::posting(row.member, row.seq);
    for of_rule in &document.rows {
        if !of_rule.is_cut_in_order() || !of_rule.lines.is_empty() {
            found.add(Law::Documents, place, format!("{} is no award of what is no order", of_rule.rule));
        }
    }
    for wallet in &book.wallets {
        check_lots(row, &document.rows, wallet, found);
        let (says, is) =
            (points_of_wallet(&document.rows, &wallet.code), entered(row, &[EntryKind::Award], wallet.slot));
        compare(Law::Documents, place, &[("awards", says, is)], found);
    }
    Ok(document.day)
}

/// What a line brought to a qualifying wallet; orders are not counted by line.
pub fn credit_of(
    row: &PostingRow,
    book: &Rulebook,
    document: &OrderDocument,
    wallet: &str,
    line: &LineDocument,
) -> i64 {
    let earned = document.earned.iter().find(|e| e.wallet == wallet);
    match earned.and_then(|e| e.counts.as_deref()) {
        Some("spend") => minor(line.base, row.currency),
        Some("points") => {
            let main = book.main_wallet().map_or("", |w| w.code.as_str());
            points_of_line(&document.rows, main, &line.id)
        }
        _ => 0,
    }
}
