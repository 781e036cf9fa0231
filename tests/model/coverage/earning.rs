//! What rules and caps must have done: each kind of row, each kind of period, and what makes two of them meet.

use crate::coverage::Coverage;
use crate::facts::{OrderFacts, ReturnFacts, Used};
use crate::naive::asked::Verdict;
use crate::naive::awards::Row;
use crate::naive::orders::Sale;
use crate::naive::wallets::Member;
use crate::spec::{EACH, Each, Earn, Gives, Spec};

const ROWS: [&str; 31] = [
    "a multiplier's row",
    "a row of a multiplier of several rules",
    "a row of a multiplier beside a rule that is scheduled out",
    "a row of a multiplier of a rule that was cut",
    "a multiplier, scheduled out",
    "a fixed row",
    "a fixed row on shipping",
    "a fixed award, scheduled out",
    "a row by amount",
    "a rule by amount, scheduled out",
    "a multiplier's row, cut",
    "a fixed row, cut",
    "a row by amount, cut",
    "a row of some lines",
    "no line that a rule is about",
    "a line of which nothing can be told",
    "a condition that does not hold",
    "a condition of which nothing can be told",
    "a row of the lines that a better one left",
    "a rule by amount, beaten",
    "a multiplier, beaten",
    "a fixed award, beaten",
    "a row of a multiplier of one rule of several",
    "a row of a multiplier of rules by different lines",
    "points in two lots",
    "an own lot taken back",
    "an own lot forgiven",
    "awarded as often as can be",
    "given back how often",
    "a row cut twice",
    "a budget given back",
];

const PERIODS: [&str; 8] = [
    "a row cut",
    "a row cut to nothing",
    "given back",
    "had again",
    "merged",
    "forgotten",
    "a budget cuts a row",
    "a budget is spent",
];

/// What was done, in which kind of period.
pub type Did = (Option<Each>, &'static str);

pub fn wanted() -> impl Iterator<Item = Did> {
    let periods = EACH.iter().flat_map(|(each, _)| PERIODS.iter().map(move |did| (Some(*each), *did)));
    let periods = periods.filter(|did| *did != (Some(Each::Ever), "forgotten"));
    periods.chain(ROWS.iter().map(|row| (None, *row)))
}

/// Its row, its row when that is cut, when it is scheduled out, and when another of its stack is better.
fn names(gives: Gives) -> [&'static str; 4] {
    match gives {
        Gives::Per { .. } => {
            ["a row by amount", "a row by amount, cut", "a rule by amount, scheduled out", "a rule by amount, beaten"]
        }
        Gives::Multiply { .. } => {
            ["a multiplier's row", "a multiplier's row, cut", "a multiplier, scheduled out", "a multiplier, beaten"]
        }
        Gives::Fixed { .. } => {
            ["a fixed row", "a fixed row, cut", "a fixed award, scheduled out", "a fixed award, beaten"]
        }
    }
}

/// Why a rule awards nothing.
const REASONS: [(&str, &str); 4] = [
    ("no_matching_lines", "no line that a rule is about"),
    ("no_matching_lines division by zero", "a line of which nothing can be told"),
    ("condition_false", "a condition that does not hold"),
    ("condition_failed `member.days_since_last_order` is not known", "a condition of which nothing can be told"),
];

impl Coverage {
    /// Notes what the rules did for an order; `member` is as it stands after it.
    pub fn awarded(&mut self, spec: &Spec, member: &Member, sale: &Sale, facts: &OrderFacts) {
        let rules = &spec.versions[sale.version].earns;
        self.told(rules, sale, facts);
        for row in sale.rows.iter().filter(|row| !row.earn.code.starts_with("tier:")) {
            let [is, cut, ..] = names(row.earn.gives);
            self.earning.insert((None, is));
            if let Gives::Multiply { of, .. } = row.earn.gives {
                self.multiplied(rules, sale, row, of);
            }
            if let Gives::Fixed { .. } = row.earn.gives {
                let on_shipping = row.by_line.iter().zip(&sale.lines).any(|(p, line)| *p > 0 && !line.priced.product);
                self.earning.extend(on_shipping.then_some((None, "a fixed row on shipping")));
            }
            self.budgeted(row, facts);
            let Some((most, each)) = row.earn.cap else { continue };
            if row.is_cut() {
                self.earning.insert((None, cut));
                self.earning.insert((Some(each), "a row cut"));
            }
            let period = spec.calendar.period(each, sale.day);
            let had: Vec<i64> = member.had(row.earn.code, each, period).collect();
            let in_all: i64 = had.iter().filter(|points| **points > 0).sum();
            // What was had in all is more than the cap, as some of it was given back.
            if in_all > most && had.iter().any(|points| *points < 0) {
                self.earning.insert((Some(each), "had again"));
            }
        }
        let codes = facts.skipped.iter().filter_map(|skipped| skipped.strip_suffix(" cap_reached"));
        let caps = codes.filter_map(|code| rules.iter().find(|e| e.code == code && e.awards.is_none())?.cap);
        self.earning.extend(caps.map(|(_, each)| (Some(each), "a row cut to nothing")));
        let codes = facts.skipped.iter().filter_map(|skipped| skipped.strip_suffix(" budget_spent"));
        let budgets = codes.filter_map(|code| rules.iter().find(|e| e.code == code)?.budget);
        self.earning.extend(budgets.map(|(_, each)| (Some(each), "a budget is spent")));
        self.remembered(member);
    }

    /// Notes what did not apply, and what conditions and stacks left.
    fn told(&mut self, rules: &[Earn], sale: &Sale, facts: &OrderFacts) {
        for (earn, verdict) in rules.iter().zip(&sale.verdicts) {
            let row = sale.rows.iter().any(|row| row.earn.code == earn.code);
            let part = matches!(verdict, Verdict::Lines(lines) if lines.contains(&false));
            let beaten = matches!(verdict, Verdict::Not(reason) if reason.starts_with("stack_had_better"));
            for (what, is) in [
                (names(earn.gives)[2], *verdict == Verdict::Asleep),
                (names(earn.gives)[3], beaten),
                ("a row of some lines", row && part && earn.stack.is_none()),
                ("a row of the lines that a better one left", row && part && earn.lines.is_none()),
            ] {
                self.earning.extend(is.then_some((None, what)));
            }
            let reason = facts.skipped.iter().find_map(|s| s.strip_prefix(earn.code)?.strip_prefix(' '));
            let did = REASONS.iter().find(|(told, _)| reason == Some(told));
            self.earning.extend(did.map(|(_, did)| (None, *did)));
            let often = earn.awards.is_some() && earn.cap.is_none() && reason == Some("cap_reached");
            self.earning.extend(often.then_some((None, "awarded as often as can be")));
        }
        let lots = facts.earned.iter().filter(|earned| earned.0 == "points").count();
        self.earning.extend((lots > 1).then_some((None, "points in two lots")));
    }

    fn multiplied(&mut self, rules: &[Earn], sale: &Sale, row: &Row, one: Option<&str>) {
        let places = (0..rules.len()).filter(|i| rules[*i].wallet == row.earn.wallet && rules[*i].is_per());
        let (out, of): (Vec<_>, Vec<_>) = places.partition(|i| sale.verdicts[*i] == Verdict::Asleep);
        let of: Vec<usize> = of.into_iter().filter(|i| matches!(sale.verdicts[*i], Verdict::Lines(_))).collect();
        let is_cut = |i: &usize| sale.rows.iter().any(|r| r.earn.code == rules[*i].code && r.is_cut());
        let alike = of.windows(2).all(|two| sale.verdicts[two[0]] == sale.verdicts[two[1]]);
        for (what, is) in [
            ("a row of a multiplier of one rule of several", one.is_some() && of.len() > 1),
            ("a row of a multiplier of several rules", one.is_none() && of.len() > 1),
            ("a row of a multiplier of rules by different lines", one.is_none() && !alike),
            ("a row of a multiplier beside a rule that is scheduled out", !out.is_empty()),
            ("a row of a multiplier of a rule that was cut", of.iter().any(is_cut)),
        ] {
            self.earning.extend(is.then_some((None, what)));
        }
    }

    fn budgeted(&mut self, row: &Row, facts: &OrderFacts) {
        let Some((_, each)) = row.earn.budget else { return };
        let cuts = facts.rows.iter().filter(|told| told.rule == row.earn.code).flat_map(|told| &told.cuts);
        let cuts: Vec<&str> = cuts.map(|cut| cut.0).collect();
        self.earning.extend(cuts.contains(&"budget").then_some((Some(each), "a budget cuts a row")));
        self.earning.extend((cuts.len() > 1).then_some((None, "a row cut twice")));
    }

    pub fn returned(&mut self, sale: &Sale, facts: &ReturnFacts) {
        for (_, _, [_, taken, forgiven, ..]) in facts.clawed.iter().filter(|clawed| clawed.1.is_some()) {
            self.earning.extend((*taken > 0).then_some((None, "an own lot taken back")));
            self.earning.extend((*forgiven > 0).then_some((None, "an own lot forgiven")));
        }
        for (rule, _, awards) in &facts.given {
            self.earning.extend(awards.map(|_| (None, "given back how often")));
            let row = sale.rows.iter().find(|row| row.earn.code == rule);
            let budget = row.is_some_and(|row| row.earn.budget.is_some());
            self.earning.extend(budget.then_some((None, "a budget given back")));
            let each = row.and_then(|row| row.earn.cap);
            self.earning.extend(each.map(|(_, each)| (Some(each), "given back")));
        }
    }

    pub fn merged(&mut self, used: &[Used]) {
        for (_, written, ..) in used {
            let each = EACH.iter().find(|e| e.1 == written.as_deref());
            self.earning.extend(each.map(|e| (Some(e.0), "merged")));
        }
    }

    /// Notes what a member has had and is not remembered.
    fn remembered(&mut self, member: &Member) {
        let forgotten = member.had.iter().filter(|had| !member.remembers(had.period));
        self.earning.extend(forgotten.map(|had| (Some(had.each), "forgotten")));
    }
}
