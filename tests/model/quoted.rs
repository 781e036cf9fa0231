//! The law that what a quote gives may be named: the order that does is settled with the same figures.

use crate::command::{Command, Order, What};
use crate::engine::Engine;
use crate::facts::Answer;
use crate::spec::DISCOUNTS;

/// Quotes an order beside the engine and settles it as quoted. Answers whether anything came off.
pub fn is_settled_as_quoted(engine: &Engine<'_>, command: &Command) -> Result<bool, String> {
    let What::Order(order) = &command.what else { return Ok(false) };
    if order.new || order.stated || order.hold.is_some() {
        return Ok(false);
    }
    let mut order = Order { ..(**order).clone() };
    order.basket.total = None;
    let Some(quoted) = engine.quote(&order, command) else { return Ok(false) };
    // What no version has is the shop's own, and stays as it was said.
    let said = quoted.discounts.iter().filter(|discount| discount.code != "off");
    let named = said.map(|discount| {
        let mut by_line = vec![0; order.basket.lines.len()];
        discount.lines.iter().for_each(|(line, off)| by_line[*line] = *off);
        (DISCOUNTS.into_iter().find(|code| *code == discount.code).unwrap(), by_line)
    });
    let named: Vec<(&'static str, Vec<i64>)> = named.collect();
    let came_off = quoted.discounts.iter().any(|discount| discount.ours);
    order.basket.named = named;
    let what = What::Order(Box::new(order));
    match engine.beside().run(&Command { what, ..command.clone() }) {
        Ok(Answer::Order(settled)) if *settled == quoted => Ok(came_off),
        other => Err(format!("law: quoted {quoted:?}, settled {other:?}")),
    }
}
