//! Who is entitled to a perk: members of tiers that name it, and whoever else it is for.

use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::program::audience::ask;
use crate::loyalty::program::facts::Facts;
use crate::loyalty::program::model::audience::Perk;
use crate::loyalty::program::model::tiers::Tier;
use crate::loyalty::program::reason::Reason;

/// Through what a member is entitled to a perk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through<'b> {
    /// The tier that the member is in.
    Tier(&'b Tier),
    /// Being one of those for whom it is.
    Audience,
}

/// Whether a member is entitled to a perk, and through what: a tier comes first.
///
/// # Errors
/// The first reason why not.
pub fn entitled<'b>(
    perk: &'b Perk,
    account: &Account,
    tier: Option<&'b Tier>,
    facts: &Facts<'_>,
) -> Result<Through<'b>, Reason> {
    if !perk.schedule.has(facts.at) {
        return Err(Reason::NotScheduled);
    }
    if account.status == Status::Suspended {
        return Err(Reason::MemberSuspended);
    }
    if let Some(tier) = tier.filter(|tier| tier.perks.contains(&perk.code)) {
        return Ok(Through::Tier(tier));
    }
    match &perk.audience {
        None => Err(Reason::WrongTier),
        Some(audience) => ask(audience, facts).map(|()| Through::Audience).map_err(|outside| outside.reason),
    }
}
