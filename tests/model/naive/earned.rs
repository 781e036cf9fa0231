//! What an order brings into wallets, in the naive model.

use crate::facts::{Day, End, OrderFacts, Time};
use crate::naive::Naive;
use crate::naive::awards::{Awarding, leading_net, on_top};
use crate::naive::calendar::{last_day, later};
use crate::naive::conditions::Asking;
use crate::naive::orders::{Own, Sale};
use crate::naive::price::{Priced, base};
use crate::naive::wallets::Member;
use crate::spec::{Counted, Purse, TIERS, Term};

impl Naive<'_> {
    /// What it earns and counts for; of a member who is suspended nothing.
    pub fn reward(
        &self,
        state: &mut Member,
        priced: &Priced,
        (sale, facts): (&mut Sale, &mut OrderFacts),
        (ordered, day, today): (Time, Day, Day),
        now: Time,
    ) -> Result<(), String> {
        let rules = &self.spec.versions[sale.version];
        if state.suspended {
            facts.skipped = rules
                .earns
                .iter()
                .filter(|e| self.is_awake(e, ordered))
                .map(|e| format!("{} member_suspended", e.code))
                .collect();
            return Ok(());
        }
        let Priced { lines, products, shipping, .. } = priced;
        let tier = rules.ladder.as_ref().and_then(|ladder| Some((ladder, state.tier_at(ladder, ordered)?)));
        let code = tier.map(|(_, tier)| TIERS[tier]);
        let asking = Asking { lines, products: *products, shipping: *shipping, member: state, tier: code, day };
        let verdicts = self.asked(rules, &asking, ordered);
        let awarding = Awarding { earns: &rules.earns, verdicts: &verdicts, lines };
        sale.rows = self.award(rules, awarding, (state, day, now), facts);
        sale.verdicts = verdicts;
        sale.asked_tier = tier.map(|(_, tier)| tier);
        if let Some((ladder, tier)) = tier {
            let rows = on_top(&sale.rows, tier, ladder.earns[tier], facts);
            sale.rows.extend(rows);
        }
        self.earn(state, sale, facts, (ordered, day, today))?;
        self.credit(state, sale, facts, (ordered, day, today))
    }

    fn earn(
        &self,
        state: &mut Member,
        sale: &mut Sale,
        facts: &mut OrderFacts,
        (ordered, day, today): (Time, Day, Day),
    ) -> Result<(), String> {
        for (wallet, purse) in self.spec.versions[sale.version].purses.iter().enumerate() {
            let Purse::Points { pending, term, .. } = purse else { continue };
            let mut parts: Vec<(Option<Day>, i64)> = vec![(None, 0)];
            for row in sale.rows_of(wallet) {
                let points: i64 = row.by_line.iter().sum();
                match parts.iter_mut().find(|part| part.0 == row.ends) {
                    Some(part) => part.1 += points,
                    None => parts.push((row.ends, points)),
                }
            }
            parts.retain(|part| part.1 > 0);
            if !parts.is_empty() {
                state.active(wallet, self.active_until(wallet, ordered, day));
            }
            let waits = pending.map(|p| later(day, p)).filter(|d| *d > today);
            let usual = match term {
                Term::Inactive(_) => End::Inactive,
                term => last_day(*term, day).map_or(End::Never, End::On),
            };
            for (ends, points) in parts {
                let end = ends.map_or(usual, End::On);
                let lot = state.give(wallet, points, waits, end, today)?;
                sale.own.push(Own { wallet, ends, lot, forgiven: 0 });
                let last = match end {
                    End::On(day) => Some(day),
                    End::Inactive => state.purses[wallet].active_until,
                    End::Never => None,
                };
                let from = waits.map(|d| self.spec.calendar.start(d));
                facts.earned.push((self.spec.codes[wallet].into(), points, from, last));
            }
        }
        Ok(())
    }

    fn credit(
        &self,
        state: &mut Member,
        sale: &mut Sale,
        facts: &mut OrderFacts,
        (ordered, day, today): (Time, Day, Day),
    ) -> Result<(), String> {
        let rules = &self.spec.versions[sale.version];
        for (wallet, purse) in rules.purses.iter().enumerate() {
            let Purse::Counter { counted, .. } = purse else { continue };
            let by_line: Vec<i64> = match counted {
                Counted::Spend => sale.lines.iter().map(|l| base(&l.priced, leading_net(rules))).collect(),
                Counted::Points => {
                    let of = |i: usize| sale.rows_of(0).map(|r| r.by_line[i]).sum();
                    (0..sale.lines.len()).map(of).collect()
                }
                Counted::Orders => vec![0; sale.lines.len()],
            };
            let points = if *counted == Counted::Orders { 1 } else { by_line.iter().sum() };
            if points == 0 {
                continue;
            }
            let end = self.usual_end(state, wallet, ordered, day);
            let lot = state.count(wallet, points, end, today)?;
            sale.credits.push((wallet, lot, *counted, by_line));
            let last = if let End::On(day) = end { Some(day) } else { None };
            facts.earned.push((self.spec.codes[wallet].into(), points, None, last));
        }
        Ok(())
    }
}
