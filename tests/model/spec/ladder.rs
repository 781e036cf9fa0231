//! Tiers: what each asks for, how long it is held, and how it is lost.

use crate::rng::Rng;
use crate::spec::{CODES, Counted, Lasts, Purse, Span, decimal, written as period};

/// The tiers of every ladder, lowest first.
pub const TIERS: [&str; 3] = ["bronze", "silver", "gold"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    Usual,
    EndOfNext,
    For(Span),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    Never,
    /// To the next lower tier, or else to what is earned; after a time of grace.
    Falls {
        one_down: bool,
        grace: Option<Span>,
    },
}

#[derive(Clone, Debug)]
pub struct Ladder {
    pub wallet: usize,
    /// What that wallet counts, for how long.
    pub lasts: Lasts,
    /// From which balance each tier is.
    pub froms: Vec<i64>,
    /// So many thousandths of what others earn.
    pub earns: Vec<i64>,
    pub valid: Valid,
    pub loss: Loss,
}

impl Lasts {
    /// Whether it has periods that end for everything in them.
    pub fn closes(self) -> bool {
        matches!(self, Self::Calendar | Self::Anniversary)
    }
}

/// A ladder on one of the wallets that count.
pub fn ladder(rng: &mut Rng, purses: &[Purse]) -> Ladder {
    let counters: Vec<usize> = (0..purses.len()).filter(|p| matches!(purses[*p], Purse::Counter { .. })).collect();
    let wallet = *rng.pick(&counters);
    let Purse::Counter { lasts, .. } = purses[wallet] else { unreachable!("they count") };
    let period = Valid::For(*rng.pick(&[Span(0, 40), Span(6, 0), Span(18, 0)]));
    let mut valid = *rng.pick(&[Valid::Usual, Valid::Usual, period]);
    if lasts.closes() && rng.percent(30) {
        valid = Valid::EndOfNext;
    }
    let grace = *rng.pick(&[None, Some(Span(0, 30)), Some(Span(0, 3)), Some(Span(2, 0))]);
    let mut loss = Loss::Falls { one_down: rng.percent(50), grace };
    if rng.percent(10) {
        (valid, loss) = (Valid::Usual, Loss::Never);
    } else if !lasts.closes() && grace.is_none() && valid == Valid::Usual {
        loss = Loss::Falls { one_down: false, grace };
    }
    let mut ladder = Ladder { wallet, lasts, froms: Vec::new(), earns: Vec::new(), valid, loss };
    rungs(rng, &mut ladder, purses);
    ladder
}

/// What the tiers of a version ask for and earn.
pub fn rungs(rng: &mut Rng, ladder: &mut Ladder, purses: &[Purse]) {
    let counted = if let Purse::Counter { counted, .. } = purses[ladder.wallet] { Some(counted) } else { None };
    // About what an order counts.
    let unit = match counted {
        Some(Counted::Orders) => 1,
        Some(Counted::Points) => *rng.pick(&[200, 1_000, 5_000]),
        Some(Counted::Spend) | None => 15_000,
    };
    let ground = rng.percent(30);
    let bronze = if ground { 0 } else { rng.within(1, unit * 2) };
    let silver = bronze + rng.within(1, unit * 3);
    ladder.froms = vec![bronze, silver, silver + rng.within(1, unit * 3)];
    ladder.earns = (0..TIERS.len()).map(|_| *rng.pick(&[1_000, 1_250, 1_500, 2_001])).collect();
}

pub fn written(ladder: &Ladder, purses: &[Purse], exponent: u32) -> String {
    let spend = matches!(purses[ladder.wallet], Purse::Counter { counted: Counted::Spend, .. });
    let from = |from: i64| if spend { decimal(from, 1, exponent) } else { from.to_string() };
    let tiers = TIERS.iter().zip(&ladder.froms).zip(&ladder.earns).map(|((code, at), earn)| {
        let earn = if *earn == 1_000 { String::new() } else { format!(", earn = \"{}\"", decimal(*earn, 1, 3)) };
        format!("{{ code = \"{code}\", from = \"{}\"{earn} }}", from(*at))
    });
    let tiers: Vec<String> = tiers.collect();
    let valid = match ladder.valid {
        Valid::Usual => String::new(),
        Valid::EndOfNext => "valid = \"end_of_next_period\"\n".into(),
        Valid::For(span) => format!("valid = \"{}\"\n", period(span)),
    };
    let loss = match ladder.loss {
        Loss::Never => "\"never\"".into(),
        Loss::Falls { one_down, grace } => {
            let at = if ladder.lasts.closes() { "period_end" } else { "when_below" };
            let to = if one_down { "one_down" } else { "earned" };
            let grace = grace.map_or(String::new(), |grace| format!(", grace = \"{}\"", period(grace)));
            format!("{{ at = \"{at}\", to = \"{to}\"{grace} }}")
        }
    };
    let wallet = CODES[ladder.wallet];
    format!("[tiers]\nwallet = \"{wallet}\"\n{valid}downgrade = {loss}\nladder = [{}]\n", tiers.join(", "))
}
