//! What rules and caps must have done: each kind of row, each kind of period, and what makes two of them meet.

use crate::coverage::Coverage;
use crate::facts::{OrderFacts, ReturnFacts, Used};
use crate::naive::orders::Sale;
use crate::naive::wallets::Member;
use crate::spec::{EACH, Each, Gives, Spec};

const ROWS: [&str; 13] = [
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
];

const PERIODS: [&str; 6] = ["a row cut", "a row cut to nothing", "given back", "had again", "merged", "forgotten"];

/// What was done, in which kind of period.
pub type Did = (Option<Each>, &'static str);

pub fn wanted() -> impl Iterator<Item = Did> {
    let periods = EACH.iter().flat_map(|(each, _)| PERIODS.iter().map(move |did| (Some(*each), *did)));
    let periods = periods.filter(|did| *did != (Some(Each::Ever), "forgotten"));
    periods.chain(ROWS.iter().map(|row| (None, *row)))
}

/// Its row, its row when that is cut, and when it is scheduled out.
fn names(gives: Gives) -> [&'static str; 3] {
    match gives {
        Gives::Per { .. } => ["a row by amount", "a row by amount, cut", "a rule by amount, scheduled out"],
        Gives::Multiply { .. } => ["a multiplier's row", "a multiplier's row, cut", "a multiplier, scheduled out"],
        Gives::Fixed { .. } => ["a fixed row", "a fixed row, cut", "a fixed award, scheduled out"],
    }
}

impl Coverage {
    /// Notes what the rules did for an order; `member` is as it stands after it.
    pub fn awarded(&mut self, spec: &Spec, member: &Member, sale: &Sale, facts: &OrderFacts) {
        let rules = &spec.versions[sale.version].earns;
        let is_asleep = |code: &str| sale.asleep.contains(&code);
        for earn in rules.iter().filter(|e| is_asleep(e.code)) {
            self.earning.insert((None, names(earn.gives)[2]));
        }
        for row in &sale.rows {
            let [is, cut, _] = names(row.earn.gives);
            self.earning.insert((None, is));
            if let Gives::Multiply { .. } = row.earn.gives {
                let of = rules.iter().filter(|e| e.wallet == row.earn.wallet && matches!(e.gives, Gives::Per { .. }));
                let (out, of): (Vec<_>, Vec<_>) = of.partition(|e| is_asleep(e.code));
                let is_cut = |code: &str| sale.rows.iter().any(|r| r.earn.code == code && r.is_cut());
                for (what, is) in [
                    ("a row of a multiplier of several rules", of.len() > 1),
                    ("a row of a multiplier beside a rule that is scheduled out", !out.is_empty()),
                    ("a row of a multiplier of a rule that was cut", of.iter().any(|e| is_cut(e.code))),
                ] {
                    self.earning.extend(is.then_some((None, what)));
                }
            }
            if let Gives::Fixed { .. } = row.earn.gives {
                let on_shipping = row.by_line.iter().zip(&sale.lines).any(|(p, line)| *p > 0 && !line.priced.product);
                self.earning.extend(on_shipping.then_some((None, "a fixed row on shipping")));
            }
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
        let caps = codes.filter_map(|code| rules.iter().find(|e| e.code == code)?.cap);
        self.earning.extend(caps.map(|(_, each)| (Some(each), "a row cut to nothing")));
        self.remembered(member);
    }

    pub fn returned(&mut self, sale: &Sale, facts: &ReturnFacts) {
        for (rule, _) in &facts.given {
            let row = sale.rows.iter().find(|row| row.earn.code == rule);
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
