//! The product's answers as plain facts: receipts as numbers, refusals as codes.

use perennial::kernel::money::{Amount, Currency};
use perennial::loyalty::checkout::error::{ClaimRefusal, HoldRefusal, OrderRefusal, ReturnRefusal};
use perennial::loyalty::checkout::holds::receipt::EndedReceipt;
use perennial::loyalty::checkout::receipt::{
    BrokenRule, ClawedBackReceipt, CutName, DiscountOf, DiscountReceipt, FlagReceipt, LineReceipt, OrderReceipt,
    ReturnReceipt, RowReceipt, SkippedReceipt,
};
use perennial::loyalty::checkout::spend::SpendError;
use perennial::loyalty::ledger::error::LedgerRefusal;
use perennial::loyalty::ledger::tier_receipt::{HeldReceipt, TierReceipt};
use perennial::loyalty::membership::error::{MembershipRefusal, MergeRefusal, TransferRefusal};
use perennial::loyalty::membership::merges::receipt::{MergeReceipt, MergedWalletReceipt, UsedReceipt};

use crate::engine::member_of;
use crate::facts::{
    Answer, DiscountFacts, MergedFacts, MergedWallet, OrderFacts, ReturnFacts, RowFacts, TierFacts, Used, WasFacts,
};

/// The name of a variant.
fn name(debug: &dyn std::fmt::Debug) -> String {
    format!("{debug:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

pub fn ledger_code(refusal: &LedgerRefusal) -> String {
    match refusal {
        LedgerRefusal::InsufficientPoints { asked, spendable } => format!("InsufficientPoints {asked} of {spendable}"),
        other => name(other),
    }
}

pub fn order_code(refusal: &OrderRefusal) -> String {
    match refusal {
        OrderRefusal::Cart(wrong) => format!("cart {}", name(wrong)),
        OrderRefusal::Ledger(refusal) => ledger_code(refusal),
        OrderRefusal::WalletUnknown => "order WalletUnknown".into(),
        OrderRefusal::Spend(error) => spend_code(*error),
        OrderRefusal::Hold(refusal) => hold_code(refusal),
        OrderRefusal::Discount(refusal) => format!("discount {}", name(refusal)),
        OrderRefusal::TooOld | OrderRefusal::TooFarAhead => name(refusal),
    }
}

pub fn hold_code(refusal: &HoldRefusal) -> String {
    match refusal {
        HoldRefusal::Ledger(refusal) => ledger_code(refusal),
        HoldRefusal::Spend(error) => spend_code(*error),
        other => format!("hold {}", name(other)),
    }
}

fn spend_code(error: SpendError) -> String {
    match error {
        SpendError::BelowMinimum { min } => format!("spend BelowMinimum {}", min.get()),
        SpendError::NotInSteps { below, above, .. } => format!("spend NotInSteps {} {}", below.get(), above.get()),
        SpendError::ShareExceeded { most } => format!("spend ShareExceeded {}", most.get()),
    }
}

pub fn transfer_code(refusal: &TransferRefusal) -> String {
    match refusal {
        TransferRefusal::Ledger(refusal) => ledger_code(refusal),
        TransferRefusal::Limit { asked, left } => format!("transfer Limit {asked} of {left}"),
        other => format!("transfer {}", name(other)),
    }
}

pub fn merge_code(refusal: &MergeRefusal) -> String {
    match refusal {
        MergeRefusal::Ledger(refusal) => ledger_code(refusal),
        other => format!("merge {}", name(other)),
    }
}

pub fn claim_code(refusal: &ClaimRefusal) -> String {
    match refusal {
        ClaimRefusal::Merge(refusal) => merge_code(refusal),
        ClaimRefusal::OrderUnknown => name(refusal),
        other => format!("claim {}", name(other)),
    }
}

/// A wallet that counts spend may count more than an amount of money can be.
fn written_minor(amount: Amount, currency: Currency) -> i64 {
    let mut written = amount.0;
    written.rescale(currency.exponent());
    i64::try_from(written.mantissa()).unwrap()
}

pub fn merged_facts(currency: Currency, receipt: &MergeReceipt) -> Answer {
    let wallet = |w: &MergedWalletReceipt| {
        let there = w.spendable.or_else(|| w.amount.map(|amount| written_minor(amount, currency))).unwrap();
        let ever = [w.lifetime.earned, w.lifetime.reversed, w.lifetime.spent, w.lifetime.expired];
        let there = [there, w.pending, w.debt];
        MergedWallet { wallet: w.wallet.clone(), there, ever, active_until: w.active_until }
    };
    let mut used: Vec<Used> = receipt.used.iter().map(used_of).collect();
    used.sort();
    Answer::Merged(Box::new(MergedFacts {
        into: member_of(receipt.into),
        orders: receipt.orders,
        last_order: receipt.last_order_on,
        wallets: receipt.wallets.iter().map(wallet).collect(),
        used,
        standing: receipt.standing.as_ref().and_then(|standing| standing.earned.as_ref()).map(was_facts),
        tier: receipt.tier.as_ref().map(tier_facts),
    }))
}

fn used_of(used: &UsedReceipt) -> Used {
    let (kind, n) = match (used.points, used.awards, used.uses) {
        (Some(n), None, None) => ("", n),
        (None, Some(n), None) => (".awards", n),
        (None, None, Some(n)) => (".uses", n),
        _ => panic!("{used:?}"),
    };
    (format!("{}{kind}", used.rule), used.each.clone(), used.first_day, n)
}

fn row_facts(row: &RowReceipt) -> RowFacts {
    let (rule, wallet, points, ends) = (row.rule.clone(), row.wallet.clone(), row.points, row.expires_on);
    let lines = row.lines.iter().map(|l| (place(&l.id), l.points)).collect();
    let cut = |by| if by == CutName::Cap { "cap" } else { "budget" };
    // A row says what it would have been where it was cut, and by what, and not elsewhere.
    let (uncut, cuts) = match (row.uncut, row.cut_by, row.cuts.as_slice()) {
        (None, None, []) => (row.points, Vec::new()),
        (Some(uncut), Some(by), []) => (uncut, vec![(cut(by), row.points)]),
        (Some(uncut), Some(by), [.., last]) if (last.by, last.to) == (by, points) => {
            (uncut, row.cuts.iter().map(|step| (cut(step.by), step.to)).collect())
        }
        _ => panic!("{row:?}"),
    };
    RowFacts { rule, wallet, points, uncut, cuts, ends, lines }
}

pub fn discount_facts(currency: Currency, off: &DiscountReceipt) -> DiscountFacts {
    let minor = |a: Amount| a.read(currency).unwrap().minor();
    DiscountFacts {
        code: off.code.clone(),
        ours: off.of == DiscountOf::Program,
        amount: minor(off.amount),
        lines: off.lines.iter().map(|line| (place(&line.id), minor(line.amount))).collect(),
        uncounted: off.uncounted,
    }
}

fn tier_facts(tier: &TierReceipt) -> TierFacts {
    let (before, after, until) = (tier.before.clone(), tier.after.clone(), tier.until);
    let falls = tier.falls_on.map(|day| (day, tier.falls_to.clone()));
    TierFacts { before, after, until, falls, was: tier.was.as_ref().map(was_facts) }
}

fn was_facts(was: &HeldReceipt) -> WasFacts {
    (was.tier.clone(), was.since, was.until, was.falls_on.map(|day| (day, was.falls_to.clone())))
}

fn skipped(skipped: &SkippedReceipt) -> String {
    let words = [Some(&skipped.rule), Some(&skipped.reason), skipped.detail.as_ref(), skipped.better.as_ref()];
    words.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
}

pub fn ended(ended: &EndedReceipt) -> [i64; 5] {
    [ended.captured, ended.released, ended.taken, ended.expired, ended.waived]
}

pub fn return_code(refusal: &ReturnRefusal) -> String {
    match refusal {
        ReturnRefusal::Return(wrong) => format!("return {}", name(wrong)),
        ReturnRefusal::Ledger(refusal) => ledger_code(refusal),
        ReturnRefusal::OrderUnknown => name(refusal),
    }
}

pub fn membership_code(refusal: &MembershipRefusal) -> String {
    match refusal {
        MembershipRefusal::Ledger(refusal) => ledger_code(refusal),
        MembershipRefusal::EnrolledAhead | MembershipRefusal::BirthdayAhead => name(refusal),
    }
}

pub fn order_facts(currency: Currency, receipt: &OrderReceipt) -> OrderFacts {
    let minor = |a: Amount| a.read(currency).unwrap().minor();
    let line = |l: &LineReceipt| {
        let money = [l.charged, l.tax, l.worth, l.gift_card, l.paid, l.base].map(minor);
        let uncovered = l.uncovered.map_or(0, minor);
        [money[0], money[1], l.points_spent, money[2], money[3], money[4], money[5], l.earned, uncovered]
    };
    OrderFacts {
        member: member_of(receipt.member.unwrap()),
        version: receipt.program_version,
        day: receipt.ordered_on,
        sums: [receipt.charged, receipt.shipping, receipt.tax, receipt.gift_card, receipt.paid].map(minor),
        lines: receipt.lines.iter().map(line).collect(),
        discounts: receipt.discounts.iter().map(|off| discount_facts(currency, off)).collect(),
        rows: receipt.rows.iter().map(row_facts).collect(),
        earned: receipt
            .earned
            .iter()
            .map(|e| {
                let amount = e.points.or_else(|| e.amount.map(minor)).unwrap();
                (e.wallet.clone(), amount, e.available_at, e.expires_on)
            })
            .collect(),
        spent: receipt.spent.iter().map(|s| (s.wallet.clone(), s.points, minor(s.worth))).collect(),
        tier: receipt.tier.as_ref().map(tier_facts),
        skipped: receipt.skipped.iter().map(skipped).collect(),
        hold: receipt.hold.as_ref().map(|h| (h.open, ended(&h.ended))),
        flags: receipt
            .flags
            .iter()
            .map(|flag| match flag {
                FlagReceipt::InsufficientPoints { wallet, asked, spendable, uncovered } => {
                    ("InsufficientPoints", wallet.clone(), [*asked, *spendable, minor(*uncovered)])
                }
                FlagReceipt::SpendRule { wallet, asked, rule } => {
                    let code = match rule {
                        BrokenRule::Min => "SpendRule Min",
                        BrokenRule::Step => "SpendRule Step",
                        BrokenRule::MaxShare => "SpendRule MaxShare",
                        BrokenRule::Not => "SpendRule Not",
                    };
                    (code, wallet.clone(), [*asked, 0, 0])
                }
                FlagReceipt::HoldUnavailable { hold } => ("HoldUnavailable", hold.clone(), [0; 3]),
                FlagReceipt::DiscountDiffers { discount, stated, ours, reason } => {
                    let says = format!("{discount} {}", reason.as_deref().unwrap_or(""));
                    ("DiscountDiffers", says.trim().to_owned(), [minor(*stated), minor(*ours), 0])
                }
                FlagReceipt::DiscountTwice { discount } => ("DiscountTwice", discount.clone(), [0; 3]),
                FlagReceipt::MemberSuspended { wallet, asked, uncovered } => {
                    ("MemberSuspended", wallet.clone(), [*asked, 0, minor(*uncovered)])
                }
            })
            .collect(),
    }
}

pub fn return_facts(currency: Currency, receipt: &ReturnReceipt) -> ReturnFacts {
    let minor = |a: Amount| a.read(currency).unwrap().minor();
    ReturnFacts {
        member: member_of(receipt.member),
        sums: [receipt.charged, receipt.tax, receipt.gift_card, receipt.money].map(minor),
        lines: receipt
            .lines
            .iter()
            .map(|l| {
                let money = [l.charged, l.tax, l.gift_card, l.money].map(minor);
                let figures = [money[0], money[1], money[2], money[3], l.restored, l.clawed_back];
                (place(&l.id), figures, l.returned.quantity, l.returned.share.to_string())
            })
            .collect(),
        restored: receipt.restored.iter().map(|r| (r.wallet.clone(), r.points)).collect(),
        clawed: receipt
            .clawed_back
            .iter()
            .map(|c| match c {
                ClawedBackReceipt::Points(c) => {
                    (c.wallet.clone(), c.expires_on, [c.points, c.taken, c.forgiven, c.held, c.waived, c.owed])
                }
                ClawedBackReceipt::Amount(c) => {
                    (c.wallet.clone(), None, [minor(c.amount), minor(c.taken), minor(c.forgiven), 0, 0, 0])
                }
            })
            .collect(),
        given: receipt.given_back.iter().map(|back| (back.rule.clone(), back.points, back.awards)).collect(),
        tier: receipt.tier.as_ref().map(tier_facts),
        uses: receipt.uses_given_back.clone(),
        complete: receipt.complete,
    }
}

fn place(id: &str) -> usize {
    id[1..].parse().unwrap()
}
