//! What rules award, and what caps leave of it: golden.md R3.

use crate::facts::{Day, OrderFacts, RowFacts, Time};
use crate::naive::Naive;
use crate::naive::asked::Verdict;
use crate::naive::calendar::last_day;
use crate::naive::caps::Had;
use crate::naive::price::{PricedLine, base, shares};
use crate::naive::wallets::Member;
use crate::spec::{CODES, Earn, Gives, Purse, Rules, Term};

/// A number above another.
pub type Fraction = (i128, i128);

/// What the rows of tiers are called.
const TIER_ROWS: [&str; 3] = ["tier:bronze", "tier:silver", "tier:gold"];

/// What a rule awarded.
#[derive(Clone, Debug)]
pub struct Row {
    pub earn: Earn,
    /// What it would have been without its cap and its budget.
    pub uncut: i64,
    pub by_line: Vec<i64>,
    /// The last day of its points, where they are over sooner than others.
    pub ends: Option<Day>,
}

impl Row {
    pub fn is_cut(&self) -> bool {
        self.by_line.iter().sum::<i64>() < self.uncut
    }
}

/// The lines' base, as receipts and tiers know it, is that of the first rule by amount.
pub fn leading_net(rules: &Rules) -> bool {
    rules.earns.iter().find(|e| e.is_per()).is_none_or(|e| e.net)
}

/// An order, and which rules apply to it.
#[derive(Clone, Copy)]
pub struct Awarding<'o> {
    pub earns: &'o [Earn],
    pub verdicts: &'o [Verdict],
    pub lines: &'o [PricedLine],
}

/// A rule by amount, or what a multiplier adds to one: by which lines, and how much for what.
struct Part<'o> {
    earn: &'o Earn,
    lines: Vec<bool>,
    /// Those of the multiplier that the rule leaves out.
    left: Vec<bool>,
    minor: i64,
    step: bool,
    /// For so many minor units.
    points: Fraction,
}

impl Part<'_> {
    fn bases(&self, lines: &[PricedLine]) -> Vec<i64> {
        self.bases_of(lines, &self.lines)
    }

    fn bases_of(&self, lines: &[PricedLine], which: &[bool]) -> Vec<i64> {
        lines.iter().zip(which).map(|(l, is)| if *is { base(l, self.earn.net) } else { 0 }).collect()
    }

    fn of(&self, base: i64) -> Fraction {
        (i128::from(base) * self.points.0, i128::from(self.minor) * self.points.1)
    }

    fn in_all(&self, lines: &[PricedLine]) -> Fraction {
        let base: i64 = self.bases(lines).iter().sum();
        self.of(if self.step { base / self.minor * self.minor } else { base })
    }
}

fn sum(parts: impl Iterator<Item = Fraction>) -> Fraction {
    parts.fold((0, 1), |(a, b), (c, d)| (a * d + c * b, b * d))
}

fn floor((num, den): Fraction) -> i64 {
    i64::try_from(num / den).unwrap()
}

impl<'o> Awarding<'o> {
    fn lines_of(&self, place: usize) -> Option<&'o [bool]> {
        if let Verdict::Lines(lines) = &self.verdicts[place] { Some(lines) } else { None }
    }

    /// Of what a rule's award is made up.
    fn parts(&self, place: usize) -> Vec<Part<'o>> {
        let (earn, mine) = (&self.earns[place], self.lines_of(place).unwrap());
        let (factor, of) = match earn.gives {
            Gives::Per { .. } => ((1, 1), Some(earn.code)),
            Gives::Multiply { thousandths, of } => ((i128::from(thousandths - 1_000), 1_000), of),
            Gives::Fixed { .. } => return Vec::new(),
        };
        let of = self.earns.iter().enumerate().filter(|(_, e)| of.is_none_or(|of| of == e.code));
        let parts = of.filter(|(_, e)| e.wallet == earn.wallet).filter_map(|(other, earn)| {
            let Gives::Per { minor, points, step } = earn.gives else { return None };
            let own = self.lines_of(other)?;
            let lines = own.iter().zip(mine).map(|(a, b)| *a && *b).collect();
            let left = own.iter().zip(mine).map(|(a, b)| !*a && *b).collect();
            Some(Part { earn, lines, left, minor, step, points: (i128::from(points) * factor.0, factor.1) })
        });
        parts.collect()
    }

    /// What a rule is worth by each line, exactly; also where only full steps award.
    pub fn by_line(&self, place: usize) -> Vec<Fraction> {
        let parts = self.parts(place);
        let of = |line: usize| sum(parts.iter().map(|part| part.of(part.bases(self.lines)[line])));
        (0..self.lines.len()).map(of).collect()
    }

    /// What a rule awards before its cap, and by what that is spread.
    pub fn uncut(&self, place: usize) -> (i64, Vec<i64>) {
        let (earn, lines) = (&self.earns[place], self.lines_of(place).unwrap());
        if let Gives::Fixed { points } = earn.gives {
            let base = |(line, is): (&PricedLine, &bool)| if *is { base(line, true) } else { 0 };
            return (points, self.lines.iter().zip(lines).map(base).collect());
        }
        let parts = self.parts(place);
        let in_all = floor(sum(parts.iter().map(|part| part.in_all(self.lines))));
        let bases: Vec<Vec<i64>> = parts.iter().map(|part| part.bases(self.lines)).collect();
        let left: Vec<Vec<i64>> = parts.iter().map(|part| part.bases_of(self.lines, &part.left)).collect();
        let any = |bases: &[Vec<i64>], line: usize| bases.iter().any(|bases| bases[line] > 0);
        if !(0..self.lines.len()).any(|line| any(&bases, line) && any(&left, line)) {
            return (in_all, (0..self.lines.len()).map(|line| bases.iter().map(|b| b[line]).sum()).collect());
        }
        // Where one awards by what another leaves out it is computed from what each is worth, to a thousandth of a point.
        (in_all, self.by_line(place).into_iter().map(|(num, den)| floor((num * 1_000, den))).collect())
    }

    /// By what it was computed from; where that is nothing by what was charged, then by pieces, at last to the first.
    fn spread(&self, place: usize, points: i64, by: Vec<i64>) -> Vec<i64> {
        let of = |what: fn(&PricedLine) -> i64| -> Vec<i64> {
            self.lines.iter().zip(self.lines_of(place).unwrap()).map(|(l, is)| if *is { what(l) } else { 0 }).collect()
        };
        let weights = [by, of(|l| l.charged), of(|l| l.quantity)];
        shares(points, weights.iter().find(|w| w.iter().any(|w| *w > 0)).unwrap())
    }
}

/// The last day of points of a rule with an expiry of its own, where others are over later.
fn ends(earn: &Earn, purse: &Purse, day: Day) -> Option<Day> {
    let (Some((span, months)), Purse::Points { term, .. }) = (earn.own, purse) else { return None };
    let last = last_day(Term::Fixed(span, months), day);
    last.filter(|last| last_day(*term, day).is_none_or(|others| *last < others))
}

impl Naive<'_> {
    /// What the rules that apply award on a business day; what has a cap is noted with the member.
    pub fn award(
        &self,
        rules: &Rules,
        order: Awarding<'_>,
        (state, day, now): (&mut Member, Day, Time),
        facts: &mut OrderFacts,
    ) -> Vec<Row> {
        let mut rows = Vec::new();
        for (place, (earn, verdict)) in rules.earns.iter().zip(order.verdicts).enumerate() {
            if let Verdict::Not(reason) = verdict {
                facts.skipped.push(format!("{} {reason}", earn.code));
            }
            let Verdict::Lines(_) = verdict else { continue };
            let (uncut, by) = order.uncut(place);
            let capped = uncut.min(self.room(earn, state, day));
            let points = capped.min(self.left(earn, day, now));
            if points == 0 {
                let reason =
                    ["rounds_to_zero", "cap_reached", "budget_spent"][usize::from(uncut > 0) + usize::from(capped > 0)];
                facts.skipped.push(format!("{} {reason}", earn.code));
                continue;
            }
            self.note(earn, state, day, (points, 1));
            let by_line = order.spread(place, points, by);
            for (line, part) in facts.lines.iter_mut().zip(&by_line) {
                line[7] += part;
            }
            let lines = by_line.iter().copied().enumerate().filter(|(_, p)| *p > 0).collect();
            let (rule, wallet) = (earn.code.into(), CODES[earn.wallet].into());
            let cuts = [("cap", uncut, capped), ("budget", capped, points)].into_iter();
            let cuts = cuts.filter(|(_, from, to)| to < from).map(|(by, _, to)| (by, to)).collect();
            let ends = ends(earn, &rules.purses[earn.wallet], day);
            facts.rows.push(RowFacts { rule, wallet, points, uncut, cuts, ends, lines });
            rows.push(Row { earn: earn.clone(), uncut, by_line, ends });
        }
        rows
    }

    /// What a member can still have of a rule on a business day.
    fn room(&self, earn: &Earn, state: &Member, day: Day) -> i64 {
        let had = |name: &str, each| state.had(name, each, self.spec.calendar.period(each, day)).sum::<i64>();
        if earn.awards.is_some_and(|(most, each)| had(&awards_of(earn), each) >= most) {
            return 0;
        }
        earn.cap.map_or(i64::MAX, |(most, each)| (most - had(earn.code, each)).max(0))
    }

    /// Notes what a member has had of a rule on a business day: so many points, so often.
    pub fn note(&self, earn: &Earn, state: &mut Member, day: Day, (points, awards): (i64, i64)) {
        let cap = earn.cap.map(|(_, each)| (earn.code.to_owned(), each, points));
        let often = earn.awards.map(|(_, each)| (awards_of(earn), each, awards));
        for (name, each, n) in cap.into_iter().chain(often).filter(|(.., n)| *n != 0) {
            state.had.push(Had { name, each, period: self.spec.calendar.period(each, day), n });
        }
    }
}

/// Under which name it is counted how often a rule awards.
fn awards_of(earn: &Earn) -> String {
    format!("{}.awards", earn.code)
}

/// What a tier awards on top, wallet by wallet: on what rules by amount and multipliers gave after cuts.
pub fn on_top(rows: &[Row], tier: usize, thousandths: i64, facts: &mut OrderFacts) -> Vec<Row> {
    let mut on_top: Vec<Row> = Vec::new();
    let mut wallets: Vec<usize> = Vec::new();
    for row in rows {
        if !wallets.contains(&row.earn.wallet) {
            wallets.push(row.earn.wallet);
        }
    }
    for wallet in wallets {
        let there =
            || rows.iter().filter(|row| row.earn.wallet == wallet && !matches!(row.earn.gives, Gives::Fixed { .. }));
        let by: Vec<i64> = (0..facts.lines.len()).map(|line| there().map(|row| row.by_line[line]).sum()).collect();
        let points = by.iter().sum::<i64>() * (thousandths - 1_000) / 1_000;
        if points == 0 {
            continue;
        }
        let by_line = shares(points, &by);
        facts.lines.iter_mut().zip(&by_line).for_each(|(line, part)| line[7] += part);
        let lines = by_line.iter().copied().enumerate().filter(|(_, p)| *p > 0).collect();
        let (rule, code) = (TIER_ROWS[tier].to_owned(), CODES[wallet].to_owned());
        facts.rows.push(RowFacts { rule, wallet: code, points, uncut: points, cuts: Vec::new(), ends: None, lines });
        let earn = Earn::new(TIER_ROWS[tier], wallet, Gives::Fixed { points }, true);
        on_top.push(Row { earn, uncut: points, by_line, ends: None });
    }
    on_top
}
