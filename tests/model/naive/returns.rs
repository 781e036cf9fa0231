//! Returns in the naive model: golden.md R4 and R5.

use crate::command::Asked;
use crate::facts::{Answer, Day, ReturnFacts, Time};
use crate::naive::calendar::later;
use crate::naive::orders::{Sale, SoldLine};
use crate::naive::price::shares;
use crate::naive::wallets::Member;
use crate::naive::{Done, Naive};
use crate::spec::{Counted, Purse, Term};

/// What a line's share is after a return, and the pieces that came with it.
type After = ((i128, i128), i64);

impl Naive<'_> {
    pub fn give_back(
        &self,
        (named, member): (u32, u32),
        order: &str,
        asked: &Asked,
        mut state: Member,
        (at, today): (Time, Day),
    ) -> Result<Done, String> {
        let mut sale =
            self.sales.get(order).filter(|s| self.path(named).contains(&s.member)).ok_or("OrderUnknown")?.clone();
        let after = after(&sale, asked).map_err(|code| format!("return {code}"))?;
        let before: Vec<(i128, i128)> = sale.lines.iter().map(|l| l.gone).collect();
        // Of a whole number of a line: what this return books.
        let gone = |line: usize, x: i64| stays(before[line], x) - stays(after[line].0, x);
        let mut facts = ReturnFacts { member, ..ReturnFacts::default() };
        for (i, (line, (share, pieces))) in sale.lines.iter_mut().zip(&after).enumerate() {
            if line.gone == *share && *pieces == 0 {
                continue;
            }
            let p = line.priced.clone();
            line.gone = *share;
            line.pieces_back += pieces;
            let unpaid = [p.worth, p.uncovered, p.gift];
            let kept = stays(*share, p.charged) - unpaid.iter().map(|x| stays(*share, *x)).sum::<i64>();
            let money = (p.charged - unpaid.iter().sum::<i64>() - kept - line.money_back).max(0);
            line.money_back += money;
            let clawed = sale.rows.iter().map(|r| gone(i, r.by_line[i])).sum();
            let figures = [gone(i, p.charged), gone(i, p.tax), gone(i, p.gift), money, gone(i, p.points), clawed];
            for (sum, of) in facts.sums.iter_mut().zip([0, 1, 2, 3]) {
                *sum += figures[of];
            }
            let pieces = u32::try_from(line.pieces_back).unwrap();
            facts.lines.push((i, figures, pieces, format!("{}/{}", share.0, share.1)));
        }
        let was_complete = sale.complete;
        sale.complete = is_complete(&sale.lines);
        facts.complete = sale.complete;
        let sum = |by_line: &[i64]| by_line.iter().enumerate().map(|(i, x)| gone(i, *x)).sum::<i64>();
        let points: Vec<i64> = sale.lines.iter().map(|l| l.priced.points).collect();
        self.restore(&mut state, &mut sale, sum(&points), &mut facts, today);
        self.claw(&mut state, &mut sale, &sum, &mut facts);
        self.give_room(&mut state, &sale, &sum, (was_complete, &mut facts));
        for (wallet, lot, counted, by_line) in &sale.credits {
            let whole = i64::from(sale.complete && !was_complete);
            let points = if *counted == Counted::Orders { whole } else { sum(by_line) };
            if points > 0 {
                let taken = state.lots[*lot].left.min(points);
                state.lots[*lot].left -= taken;
                state.purses[*wallet].reversed += taken;
                facts.clawed.push((self.spec.codes[*wallet].into(), None, [points, taken, points - taken, 0, 0, 0]));
            }
        }
        if sale.complete && !was_complete {
            state.orders -= 1;
            self.note_uses(&sale.uses, &mut state, sale.day, -1);
            let limited = sale.uses.iter().filter(|d| d.per_member.is_some() || d.total.is_some());
            facts.uses = limited.map(|d| d.code.to_owned()).collect();
        }
        let tier = state.take_tier_back(self.spec, at, order, &sale);
        facts.tier = tier.filter(|tier| tier.before != tier.after || tier.was.is_some());
        let sale = Some((order.to_owned(), sale));
        Ok(Done { member, state, answer: Answer::Return(Box::new(facts)), sale, email: None, hold: None })
    }

    /// What comes back of a rule can be had again in the period of the order.
    fn give_room(
        &self,
        state: &mut Member,
        sale: &Sale,
        sum: &dyn Fn(&[i64]) -> i64,
        (was_complete, facts): (bool, &mut ReturnFacts),
    ) {
        for row in &sale.rows {
            let points = if row.earn.cap.is_some() || row.earn.budget.is_some() { sum(&row.by_line) } else { 0 };
            let awards = row.earn.awards.filter(|_| sale.complete && !was_complete).map(|_| 1);
            if points > 0 || awards.is_some() {
                self.note(&row.earn, state, sale.day, (-points, -awards.unwrap_or(0)));
                facts.given.push((row.earn.code.into(), points, awards));
            }
        }
    }

    fn restore(&self, state: &mut Member, sale: &mut Sale, points: i64, facts: &mut ReturnFacts, today: Day) {
        let Some((wallet, taken)) = sale.spent.as_mut().filter(|_| points > 0) else { return };
        let Purse::Points { grace, term, .. } = self.spec.versions[sale.version].purses[*wallet] else { return };
        let grace = grace.filter(|_| term != Term::Never).map(|g| later(today, g));
        state.purses[*wallet].spent -= points;
        state.restore(taken, points, grace, today);
        facts.restored.push((self.spec.codes[*wallet].into(), points));
    }

    fn claw(&self, state: &mut Member, sale: &mut Sale, sum: &dyn Fn(&[i64]) -> i64, facts: &mut ReturnFacts) {
        for (wallet, purse) in self.spec.versions[sale.version].purses.iter().enumerate() {
            let Purse::Points { policy, .. } = purse else { continue };
            for own in sale.own.iter_mut().filter(|own| own.wallet == wallet) {
                let rows = sale.rows.iter().filter(|row| (row.earn.wallet, row.ends) == (wallet, own.ends));
                let points: i64 = rows.map(|row| sum(&row.by_line)).sum();
                if points > 0 {
                    let clawed = state.claw_back(own.lot, points, own.forgiven, *policy);
                    own.forgiven += clawed[2];
                    facts.clawed.push((self.spec.codes[wallet].into(), own.ends, clawed));
                }
            }
        }
    }
}

/// floor(x (1 - f)).
pub fn stays((num, den): (i128, i128), x: i64) -> i64 {
    i64::try_from(i128::from(x) * (den - num) / den).unwrap()
}

fn reduced((num, den): (i128, i128)) -> (i128, i128) {
    let (mut a, mut b) = (num, den);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    (num / a, den / a)
}

fn plus((a, b): (i128, i128), (c, d): (i64, i64)) -> (i128, i128) {
    let (num, den) = reduced((a * i128::from(d) + i128::from(c) * b, b * i128::from(d)));
    if num > den { (1, 1) } else { (num, den) }
}

fn is_complete(lines: &[SoldLine]) -> bool {
    let costs = |l: &&SoldLine| l.priced.product && l.priced.charged > 0;
    let all = |l: &SoldLine| l.gone.0 == l.gone.1;
    if lines.iter().any(|l| costs(&l)) { lines.iter().filter(costs).all(all) } else { lines.iter().all(all) }
}

fn left(line: &SoldLine) -> i64 {
    stays(line.gone, line.priced.charged)
}

fn after(sale: &Sale, asked: &Asked) -> Result<Vec<After>, &'static str> {
    let mut after: Vec<After> = sale.lines.iter().map(|l| (l.gone, 0)).collect();
    match asked {
        Asked::Nothing => return Err("NotOneOfThree"),
        Asked::All => {
            if sale.lines.iter().all(|l| l.gone == (1, 1)) {
                return Err("Nothing");
            }
            for (after, line) in after.iter_mut().zip(&sale.lines).filter(|(_, l)| l.gone != (1, 1)) {
                *after = ((1, 1), line.priced.quantity - line.pieces_back);
            }
        }
        Asked::Amount(amount) => {
            let lefts: Vec<i64> = sale.lines.iter().map(left).collect();
            let all: i64 = lefts.iter().sum();
            if *amount == 0 || all == 0 {
                return Err("Nothing");
            }
            if *amount > all {
                return Err("AmountBeyondOrder");
            }
            for ((after, line), part) in after.iter_mut().zip(&sale.lines).zip(shares(*amount, &lefts)) {
                if part > 0 {
                    after.0 = by_amount(line, part);
                }
            }
        }
        Asked::Lines(lines) => {
            if lines.is_empty() {
                return Err("Nothing");
            }
            let mut seen = Vec::new();
            for (place, pieces, amount) in lines {
                let line = sale.lines.get(*place).ok_or("UnknownLine")?;
                if seen.contains(place) {
                    return Err("LineTwice");
                }
                seen.push(*place);
                after[*place] = of_line(line, *pieces, *amount)?;
            }
        }
    }
    Ok(after)
}

fn of_line(line: &SoldLine, pieces: Option<u32>, amount: Option<i64>) -> Result<After, &'static str> {
    let all_gone = line.gone == (1, 1);
    match (pieces.map(i64::from), amount) {
        (Some(n), None) if n > line.priced.quantity - line.pieces_back && !all_gone => Err("MoreThanLeft"),
        (Some(n), None) if n == 0 || all_gone => Err("Nothing"),
        (Some(n), None) => Ok((plus(line.gone, (n, line.priced.quantity)), n)),
        (None, Some(_)) if line.priced.charged == 0 => Err("AmountOfFreeLine"),
        (None, Some(a)) if a > left(line) => Err("AmountBeyondLine"),
        (None, Some(0)) => Err("Nothing"),
        (None, Some(a)) => Ok((by_amount(line, a), 0)),
        (None, None) | (Some(_), Some(_)) => Err("NotOneOfTwo"),
    }
}

/// What is all that is left of a line takes the rest of a minor unit with it.
fn by_amount(line: &SoldLine, amount: i64) -> (i128, i128) {
    if amount == left(line) { (1, 1) } else { plus(line.gone, (amount, line.priced.charged)) }
}
