//! How time passes for a member of the naive model: one thing after the other, by the version of its time.

use crate::facts::{Day, End, Time};
use crate::naive::calendar::tomorrow;
use crate::naive::wallets::{Lot, Member};
use crate::spec::Spec;

impl Member {
    /// Lets time pass, one thing after the other. Answers whether anything happened.
    pub fn walk(&mut self, now: Time, spec: &Spec) -> bool {
        let calendar = &spec.calendar;
        let open = |member: &Self| (0..member.lots.len()).filter(|i| member.lots[*i].left > 0).collect::<Vec<_>>();
        let (mut from, mut happened, mut there) = (self.moved, false, open(self));
        loop {
            let version = spec.at(from);
            // Days on which nothing is due pass quickly.
            let dawn = there.iter().filter_map(|i| self.due(&self.lots[*i])).min();
            let hold = self.holds.iter().map(|hold| hold.ends).min();
            let due = [dawn.map(|day| calendar.start(day)), hold, self.tier_due(spec, version, from)];
            let due = due.into_iter().flatten().min().filter(|at| *at <= now);
            let starts = spec.versions.get(version + 1).map(|next| next.starts).filter(|at| *at <= now);
            let Some(at) = due.into_iter().chain(starts).min() else { return happened };
            if due == Some(at) {
                self.close_period(spec, version, at);
                while let Some(hold) = self.holds.iter().position(|hold| hold.ends <= at) {
                    self.end_hold(hold, 0, calendar.day(at));
                }
                if dawn.is_some_and(|day| calendar.start(day) <= at) {
                    self.dawn(&there, calendar.day(at));
                }
                self.look_at_tier(spec, version, at);
                (there, happened) = (open(self), true);
            }
            if starts == Some(at) {
                let before = self.standing.clone();
                self.start_version(spec, version + 1, at);
                happened |= self.standing != before;
            }
            from = from.max(at);
        }
    }

    fn due(&self, lot: &Lot) -> Option<Day> {
        let last = match lot.end {
            End::On(day) => Some(day),
            End::Inactive => self.purses[lot.wallet].active_until,
            End::Never => None,
        };
        let (gone, ripe) = (last.map(tomorrow), lot.waits);
        if lot.left == 0 { None } else { gone.into_iter().chain(ripe).min() }
    }

    fn dawn(&mut self, open: &[usize], today: Day) {
        let there = open.iter().copied().filter(|i| self.lots[*i].left > 0);
        let over: Vec<usize> = there.filter(|i| self.is_over(*i, today)).collect();
        for i in &over {
            self.expire(*i);
        }
        for i in &over {
            if self.lots[*i].end == End::Inactive {
                self.purses[self.lots[*i].wallet].active_until = None;
            }
        }
        let there = open.iter().copied().filter(|i| self.lots[*i].left > 0);
        let mut ripe: Vec<usize> = there.filter(|i| self.lots[*i].waits.is_some_and(|d| d <= today)).collect();
        ripe.sort_by_key(|i| (self.lots[*i].wallet, self.lots[*i].end, self.age(*i)));
        for i in &ripe {
            self.lots[*i].waits = None;
            self.repay(*i, self.lots[*i].left);
        }
    }
}
