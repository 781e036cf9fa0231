//! Where a name leads whose member was merged into another: a group is loaded for who stands there now.

use std::collections::HashMap;
use std::iter::successors;

use crate::kernel::id::MemberId;
use crate::loyalty::ledger::account::{Account, Alias};
use crate::loyalty::ledger::lot::Branch;
use crate::loyalty::ledger::merge::ALIAS_DEPTH_MAX;

/// The aliases that a group knows of; none, in nearly every group.
#[derive(Clone, Debug, Default)]
pub struct Aliases(HashMap<MemberId, Alias>);

/// An account that a name led past, and where its lots have their names in a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bypass {
    /// The account.
    pub member: MemberId,
    /// A later one.
    pub into: MemberId,
    /// The branch there.
    pub branch: Branch,
}

impl Aliases {
    /// Learns from accounts; whether there was anything new.
    pub fn learn<'a>(&mut self, accounts: impl Iterator<Item = &'a Account>) -> bool {
        let aliases = accounts.filter_map(|account| Some((account.member, account.alias?)));
        aliases.fold(false, |new, (member, alias)| self.0.insert(member, alias) != Some(alias) || new)
    }

    /// Whether it is known that one account was merged into another.
    pub fn knows(&self, member: MemberId, alias: Alias) -> bool {
        self.0.get(&member).is_some_and(|known| known.into == alias.into)
    }

    /// A member, and all as whom it went on.
    pub fn path(&self, member: MemberId) -> impl Iterator<Item = MemberId> {
        // A guess of a group that was rolled back may lead in a circle; what is stored never does.
        let longest = usize::try_from(ALIAS_DEPTH_MAX).unwrap_or_default().saturating_add(1);
        successors(Some(member), |at| self.0.get(at).map(|alias| alias.into)).take(longest)
    }

    /// Every pair of accounts on a member's path, the earlier one and the later.
    pub fn bypasses(&self, member: MemberId) -> Vec<Bypass> {
        let path: Vec<MemberId> = self.path(member).collect();
        let mut found = Vec::new();
        for (place, from) in path.iter().enumerate() {
            let mut branch = Branch(0);
            for (at, into) in path.iter().zip(path.iter().skip(1)).skip(place) {
                branch = branch.plus(self.0.get(at).map_or(Branch(0), |alias| alias.branch));
                found.push(Bypass { member: *from, into: *into, branch });
            }
        }
        found
    }
}
