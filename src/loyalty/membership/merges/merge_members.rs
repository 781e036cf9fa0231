//! Two members that are one: the source's account goes on in the other's.

use serde_json::json;

use crate::kernel::clock::Moment;
use crate::kernel::id::MemberId;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::accounts::Accounts;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::merge::merge;
use crate::loyalty::ledger::posting::{Audited, Needs, Posting, PostingKind, Record, Reference, RequestHash, Target};
use crate::loyalty::ledger::tier_receipt::{StandingReceipt, TierReceipt};
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::enrol::verify_owner;
use crate::loyalty::membership::error::MergeRefusal;
use crate::loyalty::membership::merges::receipt::{MergeReceipt, MergedInReceipt, used, wallets};
use crate::loyalty::program::model::Timeline;
use crate::platform::audit::Action;

/// Merge a member into another.
#[derive(Clone, Debug)]
pub struct MergeMembers {
    /// The caller's name for the command.
    pub reference: Reference,
    /// Of what the caller sent.
    pub hash: RequestHash,
    /// Who is merged.
    pub source: MemberId,
    /// By what the caller knows that one: checked again when it is decided.
    pub identity: Option<Identity>,
    /// Who goes on.
    pub into: MemberId,
    /// Why: free text.
    pub reason: String,
}

impl Posting for MergeMembers {
    type Receipt = MergeReceipt;
    type Refusal = MergeRefusal;

    fn target(&self) -> Target {
        Target::Member(self.source)
    }

    fn reference(&self) -> Reference {
        self.reference.clone()
    }

    fn request_hash(&self) -> RequestHash {
        self.hash
    }

    fn needs(&self) -> Needs {
        Needs {
            identities: self.identity.iter().cloned().collect(),
            other: Some(self.into),
            profile: true,
            itself: true,
            ..Needs::default()
        }
    }

    fn decide(
        &self,
        at: &Moment,
        program: &Timeline,
        accounts: &mut Accounts<'_>,
    ) -> Result<MergeReceipt, MergeRefusal> {
        verify_owner(accounts, self.identity.as_ref(), self.target())?;
        if self.source == self.into {
            return Err(MergeRefusal::Same);
        }
        let receipt = merge_accounts(accounts, at, program)?;
        let detail = json!({ "into": receipt.into, "posting": receipt.posting });
        accounts.record(Record {
            texts: Some(json!({ "reason": self.reason }).to_string()),
            audited: Some(Audited { action: Action("membership.merged"), detail }),
            ..Record::plain(PostingKind::MergeOut, at.at, program.at(at.at).version)
        });
        Ok(receipt)
    }
}

/// Merges the account of the command's member into that of the other. The posting of the other is recorded; the caller
/// records the member's own.
///
/// # Errors
/// The member was merged before or has open holds, one of both is suspended, or it would be more than an account can have.
pub fn merge_accounts(
    accounts: &mut Accounts<'_>,
    at: &Moment,
    program: &Timeline,
) -> Result<MergeReceipt, MergeRefusal> {
    let identities = accounts.profile().identities(accounts.program()).into_iter().map(|i| i.kind).collect();
    let (source, into) = accounts.both()?;
    refuse(source, into)?;
    let (merged_out, merged_in) = (source.next_posting(), into.next_posting());
    let merged = merge(source, into)?;
    let standing = StandingReceipt::of(source.member, &merged.standing, program);
    let tier = into.merge_tier(program, at.at, &merged.standing).filter(TierReceipt::is_change);
    let (wallets, used) = (wallets(&merged, into, program), used(&merged, program));
    let segments = program.segment_codes(merged.segments);
    let (orders, last_order_on, branch) = (merged.orders, merged.last_order_on, merged.branch.0);
    let receipt = MergeReceipt {
        posting: Some(merged_out.to_string()),
        member: merged_out.member.0,
        into: merged_in.member.0,
        merged_in: Some(merged_in.to_string()),
        wallets: wallets.clone(),
        used: used.clone(),
        segments: segments.clone(),
        standing: standing.clone(),
        tier: tier.clone(),
        orders,
        last_order_on,
        identities,
        branch,
    };
    let came = MergedInReceipt {
        posting: merged_in.to_string(),
        member: merged_in.member.0,
        from: merged_out.member.0,
        merged_out: merged_out.to_string(),
        wallets,
        used,
        segments,
        standing,
        tier,
        orders,
        last_order_on,
        branch,
        branches: merged.branches.0,
        depth: merged.depth,
    };
    accounts.record_other(Record::plain(PostingKind::MergeIn, at.at, program.at(at.at).version), &came);
    Ok(receipt)
}

fn refuse(source: &Account, into: &Account) -> Result<(), MergeRefusal> {
    if let Some(alias) = source.alias {
        return Err(MergeRefusal::AlreadyMerged(alias.into));
    }
    // Who was named as going on had been merged into the source.
    if source.member == into.member {
        return Err(MergeRefusal::AlreadyMerged(into.member));
    }
    if source.status == Status::Suspended || into.status == Status::Suspended {
        return Err(LedgerRefusal::Suspended.into());
    }
    if !source.holds.is_empty() {
        return Err(MergeRefusal::HoldsOpen);
    }
    Ok(())
}
