//! What the statements of a load answer, by the tables in memory.

use std::collections::HashMap;

use perennial::loyalty::ledger::accounts::{DirectoryKey, Owner};
use perennial::loyalty::ledger::group::Group;
use perennial::loyalty::ledger::load::Plan;
use perennial::loyalty::ledger::posting::{CounterKey, PostingRow};

use crate::facts::Time;
use crate::simulation::server::Tables;

/// What the later statements of a load answer.
pub fn read(tables: &Tables, plan: &Plan, now: Time) -> Group {
    let owner = |key: &DirectoryKey| Some((key.clone(), *tables.owners.get(key)?));
    let story = |key: &DirectoryKey| Some((key.clone(), story(tables, key)?));
    let counter = |key: &CounterKey| Some((key.clone(), *tables.counters.get(key)?));
    let mut earlier: HashMap<_, Vec<PostingRow>> = HashMap::new();
    for (_, member, kind) in &plan.earlier {
        let rows = tables.postings.get(member).into_iter().flatten();
        let since = now - chrono::Duration::days(400);
        let rows = rows.filter(|row| row.kind.number() == *kind && row.effective_at > since);
        earlier.entry(*member).or_default().extend(rows.cloned());
    }
    Group {
        owners: plan.values.iter().filter_map(owner).collect(),
        stories: plan.stories.iter().filter_map(story).collect(),
        counters: plan.counters.iter().filter_map(counter).collect(),
        known_profiles: plan
            .profiles
            .iter()
            .filter_map(|(_, m)| Some((*m, tables.profiles.get(m)?.0.clone())))
            .collect(),
        earlier,
        ..Group::default()
    }
}

pub fn posting(tables: &Tables, owner: Owner) -> Option<&PostingRow> {
    tables.postings.get(&owner.member)?.get(usize::try_from(owner.seq.0 - 1).ok()?)
}

/// A posting, those that opened the lots it moved, and later ones that moved the same lots or return it.
fn story(tables: &Tables, key: &DirectoryKey) -> Option<Vec<PostingRow>> {
    let own = posting(tables, *tables.owners.get(key)?)?;
    let same = |row: &&PostingRow| {
        let lots = || own.moves.iter().map(|m| m.lot);
        row.seq == own.seq
            || lots().any(|lot| lot.0 / 256 == row.seq.0)
            || row.seq > own.seq
                && (row.moves.iter().any(|m| lots().any(|lot| lot == m.lot))
                    || row.reference.as_str().starts_with(&format!("{}/return:", key.value)))
    };
    Some(tables.postings.get(&own.member)?.iter().filter(same).cloned().collect())
}
