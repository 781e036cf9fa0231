//! What one document changes in another.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::loyalty::program::document::Document;

/// Tables in which the order of codes is meaning: the first redeemable wallet is the main one, rules apply in their order.
const ORDERED: [&str; 2] = ["/wallets", "/earning"];

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ProgramChange)]
pub struct Change {
    /// Where, as a JSON pointer: of what is gone in the document before, else in the one after.
    #[schema(example = "/earning/base/award/points")]
    pub pointer: String,
    /// How.
    pub kind: ChangeKind,
    /// What was there; of what moved its place, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub before: Option<Value>,
    /// What is there now; of what moved its place, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub after: Option<Value>,
}

/// How a thing is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProgramChangeKind)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
    /// It stands elsewhere among its like, where their order is meaning.
    Moved,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |value: &Option<Value>| value.as_ref().unwrap_or(&Value::Null).to_string();
        let (pointer, before, after) = (&self.pointer, told(&self.before), told(&self.after));
        match self.kind {
            ChangeKind::Added => write!(f, "added {pointer}: {after}"),
            ChangeKind::Removed => write!(f, "removed {pointer}: {before}"),
            ChangeKind::Changed => write!(f, "changed {pointer}: {before} to {after}"),
            ChangeKind::Moved => write!(f, "moved {pointer}: from place {before} to {after}"),
        }
    }
}

/// What `after` changes in `before`, in the order of the documents: a part that is new or gone is one change, whatever is
/// in it. Lists of texts are sets: the order in them is none.
pub fn diff(before: &Document, after: &Document) -> Vec<Change> {
    let mut changes = Vec::new();
    compare("", &Tree::of(before), &Tree::of(after), &mut changes);
    changes
}

/// A document as it is written, in its order.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Tree {
    Table(IndexMap<String, Tree>),
    List(Vec<Tree>),
    Plain(Value),
}

impl Tree {
    fn of(document: &Document) -> Self {
        // What was read can be written, and read again.
        let written = document.to_json().ok().and_then(|text| serde_json::from_str(&text).ok());
        written.unwrap_or(Self::Plain(Value::Null))
    }

    fn value(&self) -> Value {
        match self {
            Self::Table(fields) => fields.iter().map(|(name, field)| (name.clone(), field.value())).collect(),
            Self::List(items) => items.iter().map(Self::value).collect(),
            Self::Plain(value) => value.clone(),
        }
    }

    /// The code of an item of a list.
    fn code(&self) -> Option<&str> {
        match self {
            Self::Table(fields) => fields.get("code").and_then(|code| match code {
                Self::Plain(Value::String(code)) => Some(code.as_str()),
                Self::Table(_) | Self::List(_) | Self::Plain(_) => None,
            }),
            Self::List(_) | Self::Plain(_) => None,
        }
    }
}

fn compare(pointer: &str, before: &Tree, after: &Tree, changes: &mut Vec<Change>) {
    match (before, after) {
        (Tree::Table(old), Tree::Table(new)) => {
            let old: Parts<'_> = old.iter().map(|(name, tree)| (name.as_str(), (escaped(name), tree))).collect();
            let new: Parts<'_> = new.iter().map(|(name, tree)| (name.as_str(), (escaped(name), tree))).collect();
            compare_parts(pointer, &old, &new, ORDERED.contains(&pointer), changes);
        }
        (Tree::List(old), Tree::List(new)) => match (coded(old), coded(new)) {
            (Some(old), Some(new)) => compare_parts(pointer, &old, &new, true, changes),
            _ if same_items(old, new) => {}
            _ => changes.push(changed(pointer, before, after)),
        },
        _ if before == after => {}
        _ => changes.push(changed(pointer, before, after)),
    }
}

/// Parts by what they are known by, with the last step of their pointer.
type Parts<'t> = IndexMap<&'t str, (String, &'t Tree)>;

/// The items of a list by their codes; `None` when one has none, or two have the same.
fn coded(items: &[Tree]) -> Option<Parts<'_>> {
    let parts: Option<Parts<'_>> =
        items.iter().enumerate().map(|(i, item)| Some((item.code()?, (i.to_string(), item)))).collect();
    parts.filter(|parts| parts.len() == items.len())
}

fn compare_parts(pointer: &str, old: &Parts<'_>, new: &Parts<'_>, ordered: bool, changes: &mut Vec<Change>) {
    let at = |step: &str| format!("{pointer}/{step}");
    for (_, (step, tree)) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        changes.push(Change { pointer: at(step), kind: ChangeKind::Removed, before: Some(tree.value()), after: None });
    }
    let moved = if ordered { moved(old, new) } else { BTreeSet::new() };
    for (place, (name, (step, tree))) in new.iter().enumerate() {
        let Some((old_place, _, (_, before))) = old.get_full(name) else {
            changes.push(Change {
                pointer: at(step),
                kind: ChangeKind::Added,
                before: None,
                after: Some(tree.value()),
            });
            continue;
        };
        if moved.contains(name) {
            let from_one = |place: usize| Some(Value::from(place.saturating_add(1)));
            let (before, after) = (from_one(old_place), from_one(place));
            changes.push(Change { pointer: at(step), kind: ChangeKind::Moved, before, after });
        }
        compare(&at(step), before, tree, changes);
    }
}

/// What has to move so that the parts which are in both stand in their new order: as few as can be.
fn moved<'t>(old: &Parts<'_>, new: &Parts<'t>) -> BTreeSet<&'t str> {
    let common: Vec<(&str, usize)> =
        new.keys().filter_map(|name| old.get_index_of(name).map(|place| (*name, place))).collect();
    // For each part the longest row of parts that ends with it and need not move, and the part before it in that row.
    let mut rows: Vec<(usize, Option<usize>)> = Vec::with_capacity(common.len());
    for (i, (_, place)) in common.iter().enumerate() {
        let before = common.iter().zip(&rows).enumerate().take(i).filter(|(_, ((_, earlier), _))| earlier < place);
        let best = before
            .map(|(j, (_, (length, _)))| (*length, j))
            .max_by_key(|(length, j)| (*length, usize::MAX.saturating_sub(*j)));
        rows.push(best.map_or((1, None), |(length, j)| (length.saturating_add(1), Some(j))));
    }
    let longest = rows.iter().enumerate().max_by_key(|(i, (length, _))| (*length, usize::MAX.saturating_sub(*i)));
    let stays = std::iter::successors(longest.map(|(i, _)| i), |i| rows.get(*i).and_then(|(_, before)| *before));
    let stays: BTreeSet<usize> = stays.collect();
    common.iter().enumerate().filter(|(i, _)| !stays.contains(i)).map(|(_, (name, _))| *name).collect()
}

fn same_items(old: &[Tree], new: &[Tree]) -> bool {
    let plain = |items: &[Tree]| {
        let mut texts: Vec<String> = items.iter().map(|item| item.value().to_string()).collect();
        texts.sort_unstable();
        texts
    };
    plain(old) == plain(new)
}

fn changed(pointer: &str, before: &Tree, after: &Tree) -> Change {
    let (before, after) = (Some(before.value()), Some(after.value()));
    Change { pointer: pointer.to_owned(), kind: ChangeKind::Changed, before, after }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
