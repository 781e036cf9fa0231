//! Members merged into others, and guests' orders claimed, in the naive model.

use crate::command::Command;
use crate::facts::{Answer, MergedFacts, MergedWallet, Said};
use crate::naive::tiers::Held;
use crate::naive::wallets::{Lot, MOST, Member, Purse};
use crate::naive::{Naive, Owned};

impl Naive<'_> {
    /// As whom a member goes on.
    pub fn goes_on(&self, member: u32) -> u32 {
        self.path(member).last().copied().unwrap_or(member)
    }

    /// A member, and all as whom it went on.
    pub fn path(&self, member: u32) -> Vec<u32> {
        let mut path = vec![member];
        while let Some(into) = path.last().and_then(|last| self.merged.get(last)) {
            path.push(*into);
        }
        path
    }

    /// A member is merged into another, or, with an order, a guest's order is claimed by one.
    pub fn merge(
        &mut self,
        command: &Command,
        reference: String,
        (source, named): (u32, u32),
        order: Option<&str>,
    ) -> Said {
        let into = self.goes_on(named);
        let mut gone = self.members.get(&source).ok_or("MemberUnknown")?.clone();
        let mut stays = self.members.get(&into).ok_or("OtherUnknown")?.clone();
        let at = command.clock.max(gone.moved).max(stays.moved);
        match order.map(|order| self.sales.get(order).filter(|s| s.member == source)) {
            None if source == named => return Err("merge Same".into()),
            Some(None) => return Err("OrderUnknown".into()),
            Some(Some(sale)) if !sale.guest => return Err("claim NotAGuests".into()),
            None | Some(Some(_)) => {}
        }
        if self.merged.contains_key(&source) || source == into {
            let code = if order.is_some() { "claim Claimed" } else { "merge AlreadyMerged" };
            return Err(code.into());
        }
        if gone.suspended || stays.suspended {
            return Err("Suspended".into());
        }
        for member in [&mut gone, &mut stays] {
            if member.walk(at, self.spec) {
                member.postings += 1;
            }
            member.moved = at;
        }
        if !gone.holds.is_empty() {
            return Err("merge HoldsOpen".into());
        }
        let mut answer = self.told(into, &gone);
        let shift = stays.lots.len();
        pour(&mut gone, &mut stays)?;
        if let Answer::Merged(facts) = &mut answer {
            let changed = stays.merge_tier(self.spec, at, std::mem::take(&mut gone.standing));
            facts.tier = changed.filter(|tier| tier.before != tier.after || tier.was.is_some());
        }
        // What orders and holds remember of lots, they remember of the same ones.
        let before: Vec<u32> = self.members.keys().copied().filter(|m| self.goes_on(*m) == source).collect();
        for sale in self.sales.values_mut().filter(|sale| before.contains(&sale.member)) {
            sale.spent.iter_mut().flat_map(|s| &mut s.1).for_each(|take| take.0 += shift);
            sale.own.iter_mut().for_each(|own| own.lot += shift);
            sale.credits.iter_mut().for_each(|credit| credit.1 += shift);
        }
        for held in self.holds.values_mut().filter(|held| before.contains(&held.member)) {
            held.took.iter_mut().for_each(|take| take.0 += shift);
        }
        for (id, mut member) in [(source, gone), (into, stays)] {
            member.postings += 1;
            member.moved = member.moved.max(at);
            self.members.insert(id, member);
        }
        self.merged.insert(source, into);
        self.owned.insert(reference, Owned { hash: command.hash, answer: answer.clone() });
        Ok(answer)
    }

    fn told(&self, into: u32, gone: &Member) -> Answer {
        let mut wallets = Vec::new();
        for (wallet, purse) in gone.purses.iter().enumerate() {
            let waits = |l: &&Lot| l.wallet == wallet && l.waits.is_some();
            let pending: i64 = gone.lots.iter().filter(waits).map(|l| l.left).sum();
            let there = [gone.spendable(wallet), pending, purse.debt];
            let ever = [purse.earned, purse.reversed, purse.spent, purse.expired];
            if there != [0; 3] || ever != [0; 4] || purse.active_until.is_some() {
                let wallet = self.spec.codes[wallet].into();
                wallets.push(MergedWallet { wallet, there, ever, active_until: purse.active_until });
            }
        }
        let (orders, last_order, used, tier) = (gone.orders, gone.last_order, gone.told_used(), None);
        let standing = gone.standing.held.clone().map(Held::was);
        Answer::Merged(Box::new(MergedFacts { into, orders, last_order, wallets, used, standing, tier }))
    }
}

/// All of one member's into another's: nothing is left behind, and nothing is new.
fn pour(gone: &mut Member, stays: &mut Member) -> Result<(), String> {
    let empty = vec![Purse::default(); gone.purses.len()];
    for (from, to) in std::mem::replace(&mut gone.purses, empty).into_iter().zip(&mut stays.purses) {
        for (sum, more) in [
            (&mut to.debt, from.debt),
            (&mut to.earned, from.earned),
            (&mut to.reversed, from.reversed),
            (&mut to.spent, from.spent),
            (&mut to.expired, from.expired),
        ] {
            *sum += more;
            if *sum > MOST {
                return Err("TooManyPoints".into());
            }
        }
        to.active_until = to.active_until.max(from.active_until);
    }
    for lot in gone.lots.drain(..) {
        stays.lots.push(Lot { branch: stays.branches + lot.branch, ..lot });
    }
    stays.had.append(&mut gone.had);
    stays.branches += gone.branches;
    stays.orders += std::mem::take(&mut gone.orders);
    stays.last_order = stays.last_order.max(gone.last_order.take());
    Ok(())
}
