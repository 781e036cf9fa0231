//! Where things stand in TOML, as its parser tells it.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::loyalty::program::position::{Inside, Node};

/// What is in a text; `None` when it is no TOML.
pub(super) fn nodes(text: &str) -> Option<Node> {
    let table = DeTable::parse(text).ok()?;
    Some(Node { begins: 0, value: 0..text.len(), inside: fields(table.get_ref()) })
}

fn fields(table: &DeTable<'_>) -> Inside {
    let field = |name: &str, begins, value: &DeValue<'_>, range| (name.to_owned(), node(begins, value, range));
    Inside::Table(table.iter().map(|(n, v)| field(n.get_ref(), n.span().start, v.get_ref(), v.span())).collect())
}

fn node(begins: usize, value: &DeValue<'_>, range: Range<usize>) -> Node {
    let inside = match value {
        DeValue::Table(table) => fields(table),
        DeValue::Array(items) => {
            Inside::List(items.iter().map(|item| node(item.span().start, item.get_ref(), item.span())).collect())
        }
        _ => Inside::Plain,
    };
    Node { begins, value: range, inside }
}
