//! Every story ends with the proof: what `verify` finds wrong, by its own arithmetic.

use crate::kernel::id::Lane;
use crate::loyalty::checkout::cases::Shop;
use crate::loyalty::ledger::accounts::{DirectoryKey, Owner};
use crate::loyalty::ledger::alias::Aliases;
use crate::loyalty::ledger::catch_up::next_change;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::ledger::verify::budgets::Spent;
use crate::loyalty::ledger::verify::elsewhere::{Elsewhere, told};
use crate::loyalty::ledger::verify::fold::Folded;
use crate::loyalty::ledger::verify::law::Findings;
use crate::loyalty::ledger::verify::member::{MemberCheck, Owned, PostingFacts};
use crate::loyalty::ledger::verify::merges::Before;
use crate::loyalty::ledger::verify::state::{check_account, check_fold};
use crate::loyalty::ledger::verify::transfers::other_side;
use crate::loyalty::ledger::verify::vouchers::voucher_of;

impl Shop {
    /// What `verify` finds wrong, by its own arithmetic.
    pub fn findings(&self) -> Vec<String> {
        let (mut found, mut spent) = (Findings::default(), Spent::default());
        let everything = || self.ledger.postings.values().flatten();
        let by_reference = |text: &str| everything().find(|row| row.reference.as_str() == text).cloned();
        let order_of = |row: &PostingRow| match row.kind {
            PostingKind::Return => by_reference(row.reference.as_str().split_once("/return:").unwrap().0),
            PostingKind::UseVoucher | PostingKind::ReverseUse | PostingKind::CancelVoucher => {
                by_reference(row.reference.as_str().split_once('/').unwrap().0)
            }
            _ => other_side(row).and_then(|text| by_reference(&text)),
        };
        let mut aliases = Aliases::default();
        aliases.learn(self.ledger.accounts.values());
        // An order that came along is checked with what happened to it before.
        let before = |row: &PostingRow, order: &PostingRow| {
            let (program, reference) = (row.program, order.reference.as_str().to_owned());
            let order = Elsewhere { program, reference, owner: order.member, member: row.member };
            Before::of(&order.reference, told(&aliases, &order, &everything().cloned().collect::<Vec<_>>()))
        };
        for (member, account) in &self.ledger.accounts {
            let lane = Lane(0);
            let mut check = MemberCheck::new((lane, *member), None, None, Some(&self.timeline));
            let mut folded = Folded { enrolled_on: Some(account.enrolled_on), ..Folded::default() };
            for row in &self.ledger.postings[member] {
                let owner = self.ledger.owners.get(&DirectoryKey::reference(self.scope.program(), &row.reference));
                let owned_by = |o: &Owner| Owned { lane, member: o.member, seq: o.seq };
                let owned = owner.map(owned_by);
                let order = order_of(row);
                let elsewhere = order.as_ref().filter(|o| o.member != *member && row.kind == PostingKind::Return);
                let before = elsewhere.map(|order| before(row, order));
                let sold = before.as_ref().and_then(|b| b.order.clone()).or_else(|| order.clone());
                let (row_read, order) = (Ok(row.clone()), order.map(Into::into));
                let known = voucher_of(row).map(|key| DirectoryKey::voucher(self.scope.program(), &key));
                let voucher = known.and_then(|key| self.ledger.owners.get(&key)).map(owned_by);
                let facts = PostingFacts { seq: row.seq, row: row_read, owned, voucher, order, before };
                check.posting(facts, &mut spent, &mut found);
                folded.step(row, sold.as_ref(), &self.timeline, &mut Findings::default());
            }
            check_account(account, next_change(account, &self.timeline), &self.timeline, &mut found);
            check_fold(account, &folded, &self.timeline, &mut found);
        }
        let of_budgets = self.ledger.counters.iter().map(|(key, used)| (key, *used, spent.take(key)));
        let wrong = of_budgets.filter(|(_, used, given)| used != given).map(|counter| format!("{counter:?}"));
        let mut wrong: Vec<String> = wrong.collect();
        wrong.extend(spent.rest().map(|counter| format!("{counter:?}")));
        wrong.extend(found.into_parts().0.iter().map(ToString::to_string));
        wrong
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.findings(), Vec::<String>::new());
        }
    }
}
