//! The law that a full return, in any split and with nothing in between, leaves nothing of its order behind.

use std::collections::BTreeMap;

use chrono::Days;

use crate::command::{Asked, Command, What};
use crate::engine::{Engine, member_id};
use crate::facts::{Answer, Day, TierView, Time, View};
use crate::look::view;

/// What an order moves, and its return moves back.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    orders: i32,
    used: Vec<(i32, usize, Option<Day>, i64)>,
    counters: BTreeMap<(String, String), i64>,
    /// spendable, pending, debt.
    wallets: Vec<[i64; 3]>,
    tier: TierView,
}

/// Settles an order beside the engine and gives it back. Answers whether it was one that this can be asked of.
pub fn is_undone(engine: &Engine<'_>, command: &Command) -> Result<bool, String> {
    let What::Order(order) = &command.what else { return Ok(false) };
    let live = order.imported.is_none() && !order.new && order.hold.is_none();
    let Some(before) = view(engine, order.member, command.clock)?.filter(|_| live) else { return Ok(false) };
    // Debt takes what comes in and keeps it, and a hold may owe what goes back.
    let plain = before.wallets.iter().all(|wallet| (wallet.debt, wallet.held) == (0, 0));
    if !plain || engine.ledger.accounts[&member_id(order.member)].alias.is_some() {
        return Ok(false);
    }
    let (mut beside, before) = (engine.beside(), left(engine, before, command.clock));
    let Ok(Answer::Order(facts)) = beside.run(command) else { return Ok(false) };
    let mut wallets = before.wallets.clone();
    for (nth, asked) in split(command.hash, facts.sums[0] + facts.sums[1]).into_iter().enumerate() {
        let (member, order, name) = (order.member, command.name.clone(), format!("{}-{nth}", command.name));
        let what = What::Return { member, order, asked, imported: None };
        let Ok(Answer::Return(facts)) = beside.run(&Command { name, what, ..command.clone() }) else { continue };
        // What the policy lets a member keep stays.
        for (wallet, _, [.., waived, _]) in facts.clawed {
            let slot = engine.spec.codes.iter().position(|code| *code == wallet).unwrap();
            wallets[slot][0] += waived;
        }
    }
    let after = left(&beside, view(&beside, order.member, command.clock)?.unwrap(), command.clock);
    let before = Left { wallets, ..before };
    if after == before { Ok(true) } else { Err(format!("an order and its return leave {after:?} of {before:?}")) }
}

fn left(engine: &Engine<'_>, mut view: View, at: Time) -> Left {
    // Any posting forgets what is older than that.
    view.used.retain(|used| used.2.is_none_or(|first| first > at.date_naive() - Days::new(730)));
    Left {
        orders: view.orders,
        used: view.used,
        counters: engine.counters(),
        wallets: view.wallets.iter().map(|w| [w.spendable, w.pending, w.debt]).collect(),
        tier: view.tier,
    }
}

/// Some ways to give everything back.
fn split(by: u64, charged: i64) -> Vec<Asked> {
    let piece = |line| Asked::Lines(vec![(line, Some(1), None)]);
    let mut parts = match by % 4 {
        0 => vec![],
        1 => vec![Asked::Amount(1), Asked::Amount(charged / 3)],
        2 => vec![piece(0), piece(1), piece(0)],
        _ => vec![piece(1), Asked::Amount(charged / 2), piece(0)],
    };
    parts.push(Asked::All);
    parts
}
