//! What the sequences have reached, so that a generator that goes blind is noticed.

mod discounts;
mod earning;
mod tiers;

use std::collections::BTreeSet;

use perennial::loyalty::ledger::entry::ENTRY_KINDS;

use crate::command::KINDS;
use crate::spec::Policy;

/// Every code that a command can be refused with here. Not reached from here: `CounterExhausted` (rows are cut before),
/// `TooManyLots`, `TooManyMerges` and `TooManyHolds` (tests of their own).
const CODES: [&str; 67] = [
    "AlreadySuspended",
    "Conflict",
    "EnrolledAhead",
    "HoldExceeded",
    "IdentityTaken",
    "InsufficientPoints",
    "MemberMoved",
    "MemberUnknown",
    "NotSuspended",
    "OrderUnknown",
    "OtherUnknown",
    "OutOfOrder",
    "Suspended",
    "TooFarAhead",
    "TooManyPoints",
    "TooOld",
    "WalletUnknown",
    "order WalletUnknown",
    "hold Captured",
    "hold Ended",
    "hold Released",
    "hold Unknown",
    "hold WalletUnknown",
    "cart DiscountExceedsLine",
    "cart DiscountOnUnknownLine",
    "cart DuplicateLine",
    "cart GiftCardExceedsOrder",
    "cart LinesDoNotSum",
    "cart NoLines",
    "cart PointsExceedProducts",
    "cart Quantity",
    "cart TaxExceedsLine",
    "cart TaxRate",
    "cart TaxUnexpected",
    "claim Claimed",
    "claim NotAGuests",
    "merge AlreadyMerged",
    "merge HoldsOpen",
    "merge Same",
    "spend BelowMinimum",
    "spend NotInSteps",
    "spend ShareExceeded",
    "transfer InDebt",
    "transfer Limit",
    "transfer NotAllowed",
    "transfer Same",
    "return AmountBeyondLine",
    "return AmountBeyondOrder",
    "return AmountOfFreeLine",
    "return LineTwice",
    "return MoreThanLeft",
    "return NotOneOfThree",
    "return NotOneOfTwo",
    "return Nothing",
    "return UnknownLine",
    "replayed",
    "discount Differs",
    "discount Twice",
    "flag DiscountDiffers",
    "flag DiscountTwice",
    "flag HoldUnavailable",
    "flag InsufficientPoints",
    "flag MemberSuspended",
    "flag SpendRule MaxShare",
    "flag SpendRule Min",
    "flag SpendRule Not",
    "flag SpendRule Step",
];

#[derive(Default)]
pub struct Coverage {
    /// Ordered pairs of kinds of commands, one right after the other.
    pub pairs: BTreeSet<(usize, usize)>,
    /// Codes of refusals, and other things that must have happened.
    pub codes: BTreeSet<String>,
    /// Kinds of entries, by their numbers.
    pub entries: BTreeSet<i16>,
    /// What a return met: policy, and what it did.
    pub policies: BTreeSet<(Policy, &'static str)>,
    /// What rules and caps did.
    pub earning: BTreeSet<earning::Did>,
    /// What discounts did.
    pub discounts: BTreeSet<&'static str>,
    /// What tiers did.
    pub tiers: BTreeSet<tiers::Did>,
    /// Orders that were settled and given back on the side.
    pub undone: u64,
    pub commands: u64,
    pub accepted: u64,
}

impl Coverage {
    /// What was never reached.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        missing.extend((self.undone == 0).then(|| "an order and its return on the side".to_owned()));
        for (i, a) in KINDS.iter().enumerate() {
            for (j, b) in KINDS.iter().enumerate() {
                if !self.pairs.contains(&(i, j)) {
                    missing.push(format!("{a}, then {b}"));
                }
            }
        }
        missing.extend(CODES.iter().filter(|c| !self.codes.contains(**c)).map(|c| (*c).to_owned()));
        missing.extend(ENTRY_KINDS.iter().filter(|k| !self.entries.contains(&k.1)).map(|k| k.2.to_owned()));
        missing.extend(
            earning::wanted().filter(|what| !self.earning.contains(what)).map(|(each, did)| format!("{each:?}: {did}")),
        );
        missing.extend(
            tiers::wanted().filter(|what| !self.tiers.contains(what)).map(|(window, did)| format!("{window}: {did}")),
        );
        let discounts = discounts::wanted().filter(|did| !self.discounts.contains(did));
        missing.extend(discounts.map(|did| format!("a discount: {did}")));
        for policy in [Policy::PendingOnly, Policy::WithinBalance, Policy::Allow] {
            let rest = if policy == Policy::Allow { "owed" } else { "waived" };
            let held = if policy == Policy::PendingOnly { rest } else { "held" };
            for did in ["taken", "forgiven", held, rest] {
                if !self.policies.contains(&(policy, did)) {
                    missing.push(format!("{policy:?}: {did}"));
                }
            }
        }
        missing
    }

    /// Codes that the list above does not know.
    pub fn unexpected(&self) -> Vec<&String> {
        self.codes.iter().filter(|c| !CODES.contains(&c.as_str())).collect()
    }
}
