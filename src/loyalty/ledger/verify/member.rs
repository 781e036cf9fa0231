//! The laws of one member, posting by posting.

use std::sync::Arc;

use crate::kernel::clock::Instant;
use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::ledger::rows::{AccountRow, BadRow};
use crate::loyalty::ledger::verify::budgets::Spent;
use crate::loyalty::ledger::verify::fold::Folded;
use crate::loyalty::ledger::verify::law::{Findings, Law, Place};
use crate::loyalty::ledger::verify::merges::{Before, check_merge};
use crate::loyalty::ledger::verify::orders::check_document;
use crate::loyalty::ledger::verify::returns::Returns;
use crate::loyalty::ledger::verify::state::{check_account, check_fold};
use crate::loyalty::ledger::verify::transfers::check_transfer;
use crate::loyalty::members::model::IDENTITY_KINDS;
use crate::loyalty::program::model::Timeline;

/// What the directory says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The lane of its owner.
    pub lane: Lane,
    /// The owner.
    pub member: MemberId,
    /// The posting that took it.
    pub seq: Seq,
}

/// A profile as far as laws go.
#[derive(Clone, Debug)]
pub struct ProfileFacts {
    /// Each identity that it has, by the directory's number of its kind, with what the directory says of it.
    pub identities: Vec<(i16, Option<Owned>)>,
    /// The attributes as they are stored.
    pub attributes: String,
    /// When it was written.
    pub changed_at: Instant,
}

/// A posting as it was read.
#[derive(Debug)]
pub struct PostingFacts {
    /// Its position.
    pub seq: Seq,
    /// The posting.
    pub row: Result<PostingRow, BadRow>,
    /// What the directory says of its reference.
    pub owned: Option<Owned>,
    /// Of a redemption: what it says of its voucher's code.
    pub voucher: Option<Owned>,
    /// Of a return: the posting that has the order's reference; of what became of a voucher: its redemption; of a transfer
    /// or merge: its other side.
    pub order: Option<Arc<PostingRow>>,
    /// Of a return of an order that came along with a merge: what happened to it before.
    pub before: Option<Before>,
}

/// The check of one member. An account without a timeline, or none at all, is checked for what is left.
pub struct MemberCheck<'a> {
    member: MemberId,
    lane: Lane,
    account: Option<&'a AccountRow>,
    timeline: Option<&'a Timeline>,
    folded: Folded,
    returns: Returns,
    profile: Option<&'a ProfileFacts>,
    /// References that the directory knows.
    pub references: u64,
    /// Identities that the directory knows, by kind.
    pub identities: Vec<i16>,
    /// Vouchers that the directory knows.
    pub vouchers: u64,
}

impl<'a> MemberCheck<'a> {
    /// Starts with what is stored of a member besides postings.
    pub fn new(
        (lane, member): (Lane, MemberId),
        account: Option<&'a AccountRow>,
        profile: Option<&'a ProfileFacts>,
        timeline: Option<&'a Timeline>,
    ) -> Self {
        Self {
            member,
            lane,
            account,
            timeline,
            folded: Folded::default(),
            returns: Returns::default(),
            profile,
            references: 0,
            identities: Vec::new(),
            vouchers: 0,
        }
    }

    /// Adds the next posting.
    pub fn posting(&mut self, facts: PostingFacts, spent: &mut Spent, found: &mut Findings) {
        let place = Place::posting(self.member, facts.seq);
        let row = match facts.row {
            Ok(row) => row,
            Err(bad) => {
                found.add(Law::Readable, place, bad.to_string());
                return self.folded.skip(self.member, facts.seq, found);
            }
        };
        self.check_reference(&row, facts.owned, found);
        self.check_taken(&row, found);
        self.check_voucher(&row, facts.voucher, found);
        let Some(timeline) = self.timeline else { return self.folded.skip(self.member, facts.seq, found) };
        if let Some(day) = check_document(&row, timeline, found) {
            self.folded.enrolled_on = self.folded.enrolled_on.or(Some(day));
        }
        if row.kind == PostingKind::Return {
            self.returns.check(&row, (facts.order.as_deref(), facts.before.as_ref()), &self.folded, timeline, found);
        }
        if matches!(row.kind, PostingKind::Transfer | PostingKind::Received) {
            check_transfer(&row, facts.order.as_deref(), timeline, found);
        }
        if matches!(row.kind, PostingKind::MergeOut | PostingKind::MergeIn) {
            check_merge(&row, facts.order.as_deref(), timeline, found);
        }
        let order = facts.before.as_ref().and_then(|before| before.order.as_ref()).or(facts.order.as_deref());
        let uses = self.folded.step(&row, order, timeline, found);
        spent.step(&row, (order, &uses), timeline, found);
    }

    /// Ends after the last posting.
    pub fn finish(&mut self, lanes: LaneCount, found: &mut Findings) {
        let place = Place::member(self.member);
        if self.member.lane(lanes) != self.lane {
            let says = format!("it lies in lane {}, and belongs to {}", self.lane.0, self.member.lane(lanes).0);
            found.add(Law::Lanes, place, says);
        }
        self.check_profile(found);
        let Some(stored) = self.account else {
            if self.folded.seq.0 != 0 {
                found.add(Law::Sequence, place, "there are postings and no account");
            }
            return;
        };
        if self.folded.seq.0 == 0 {
            found.add(Law::Sequence, place, "there is an account and no posting");
        }
        match (stored.read(), self.timeline) {
            (Ok(account), Some(timeline)) => {
                check_account(&account, stored.changes_at, timeline, found);
                check_fold(&account, &self.folded, timeline, found);
            }
            (Ok(_), None) => {}
            (Err(bad), _) => found.add(Law::Readable, place, bad.to_string()),
        }
    }

    fn check_reference(&mut self, row: &PostingRow, owned: Option<Owned>, found: &mut Findings) {
        let place = Place::posting(row.member, row.seq);
        if row.kind == PostingKind::CatchUp {
            if row.reference != Reference::catch_up(row.effective_at) || row.hash.0 != [0; 16] {
                found.add(Law::References, place, format!("{} is no reference of this catch-up", row.reference));
            }
            return;
        }
        let own = Owned { lane: self.lane, member: row.member, seq: row.seq };
        match owned {
            Some(owned) if owned == own => self.references.grow(1),
            Some(owned) => {
                let says =
                    format!("the directory has {} of member {} posting {}", row.reference, owned.member, owned.seq.0);
                found.add(Law::References, place, says);
            }
            None => found.add(Law::References, place, format!("the directory does not have {}", row.reference)),
        }
    }

    fn check_voucher(&mut self, row: &PostingRow, owned: Option<Owned>, found: &mut Findings) {
        if row.kind != PostingKind::Redeem {
            return;
        }
        let own = Owned { lane: self.lane, member: row.member, seq: row.seq };
        if owned == Some(own) {
            self.vouchers.grow(1);
        } else {
            let says = format!("the directory has its voucher as {owned:?}");
            found.add(Law::Vouchers, Place::posting(row.member, row.seq), says);
        }
    }

    /// An identity is taken by an enrolment or by a change of the profile.
    fn check_taken(&self, row: &PostingRow, found: &mut Findings) {
        let identities = self.profile.iter().flat_map(|p| &p.identities);
        let here = |owned: &Owned| owned.member == row.member && owned.seq == row.seq;
        let taken = identities.filter(|(_, owned)| owned.as_ref().is_some_and(here)).count();
        if taken > 0 && row.seq.0 != 1 && row.kind != PostingKind::Change {
            let says = format!("the directory says that {} took an identity", row.kind.name());
            found.add(Law::Identities, Place::posting(row.member, row.seq), says);
        }
    }

    fn check_profile(&mut self, found: &mut Findings) {
        let place = Place::member(self.member);
        let Some(profile) = self.profile else {
            if self.account.is_some() {
                found.add(Law::Profiles, place, "there is no profile");
            }
            return;
        };
        if self.account.is_none() {
            return found.add(Law::Profiles, place, "there is a profile and no account");
        }
        if self.timeline.is_some() && self.folded.profile_at != Some(profile.changed_at) {
            found.add(Law::Profiles, place, "changed_at is not the time of the last posting that wrote the profile");
        }
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&profile.attributes).is_err() {
            found.add(Law::Readable, place, "members.attributes is no JSON object");
        }
        for (kind, owned) in &profile.identities {
            let name = IDENTITY_KINDS.iter().find(|(_, n, _)| n == kind).map_or("", |(.., name)| name);
            match owned {
                None => found.add(Law::Identities, place, format!("the directory does not have the {name}")),
                Some(o) if (o.lane, o.member) != (self.lane, self.member) => {
                    found.add(Law::Identities, place, format!("in the directory the {name} is member {}'s", o.member));
                }
                Some(o) if !(1..=self.folded.seq.0).contains(&o.seq.0) => {
                    found.add(Law::Identities, place, format!("there is no posting {} that took the {name}", o.seq.0));
                }
                Some(_) => self.identities.push(*kind),
            }
        }
    }

    /// The programme of the account.
    pub fn program(&self) -> Option<ProgramId> {
        self.account.map(|a| ProgramId(a.program_id))
    }
}
