//! Points given to another member, in the naive model.

use crate::command::Command;
use crate::facts::{Answer, Day, End, Said};
use crate::naive::calendar::earlier;
use crate::naive::wallets::Member;
use crate::naive::{Naive, Owned};
use crate::spec::Purse;

/// What a member gave of a wallet on a day.
pub struct Gift {
    member: u32,
    wallet: usize,
    day: Day,
    points: i64,
}

impl Naive<'_> {
    pub fn transfer(
        &mut self,
        command: &Command,
        reference: String,
        (from, to): (u32, u32),
        wallet: &str,
        points: i64,
    ) -> Said {
        let (from, to) = (self.goes_on(from), self.goes_on(to));
        let mut giver = self.members.get(&from).ok_or("MemberUnknown")?.clone();
        let mut getter = self.members.get(&to).ok_or("OtherUnknown")?.clone();
        let at = command.clock.max(giver.moved).max(getter.moved);
        let today = self.spec.calendar.day(at);
        if from == to {
            return Err("transfer Same".into());
        }
        let wallet = self.wallet(wallet).ok_or("WalletUnknown")?;
        let Purse::Points { transfer, .. } = self.spec.versions[self.spec.at(at)].purses[wallet] else {
            return Err("WalletUnknown".into());
        };
        let (max, each) = transfer.ok_or("transfer NotAllowed")?;
        if giver.suspended || getter.suspended {
            return Err("Suspended".into());
        }
        for member in [&mut giver, &mut getter] {
            if member.walk(at, self.spec) {
                member.postings += 1;
            }
        }
        if giver.purses[wallet].debt > 0 {
            return Err("transfer InDebt".into());
        }
        let since = earlier(today, each);
        let gifts = self.gifts.iter().filter(|g| (g.member, g.wallet) == (from, wallet) && g.day > since);
        let left = (max - gifts.map(|g| g.points).sum::<i64>()).max(0);
        if points > left {
            return Err(format!("transfer Limit {points} of {left}"));
        }
        let there = giver.spendable(wallet);
        if there < points {
            return Err(format!("InsufficientPoints {points} of {there}"));
        }
        hand_over(&mut giver, &mut getter, wallet, points)?;
        let answer = Answer::Transferred { points, spendable: giver.spendable(wallet) };
        for (id, mut member) in [(from, giver), (to, getter)] {
            member.postings += 1;
            member.moved = member.moved.max(at);
            self.members.insert(id, member);
        }
        self.gifts.push(Gift { member: from, wallet, day: today, points });
        self.owned.insert(reference, Owned { hash: command.hash, answer: answer.clone() });
        Ok(answer)
    }
}

fn hand_over(giver: &mut Member, getter: &mut Member, wallet: usize, points: i64) -> Result<(), String> {
    let mut parts: Vec<(End, i64)> = Vec::new();
    for (lot, points) in giver.take(wallet, points) {
        let end = match giver.lots[lot].end {
            End::Inactive => giver.purses[wallet].active_until.map_or(End::Never, End::On),
            end => end,
        };
        match parts.iter_mut().find(|p| p.0 == end) {
            Some(part) => part.1 += points,
            None => parts.push((end, points)),
        }
    }
    giver.purses[wallet].reversed += points;
    for (end, points) in parts {
        getter.receive(wallet, points, None, end)?;
    }
    Ok(())
}
