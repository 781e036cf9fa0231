//! What the statements of a load answer, by the tables in memory.

use std::collections::HashMap;

use perennial::loyalty::ledger::accounts::{DirectoryKey, Owner};
use perennial::loyalty::ledger::alias::Bypass;
use perennial::loyalty::ledger::counters::CounterKey;
use perennial::loyalty::ledger::group::Group;
use perennial::loyalty::ledger::load::Plan;
use perennial::loyalty::ledger::lot::LotId;
use perennial::loyalty::ledger::posting::PostingRow;

use crate::facts::Time;
use crate::simulation::server::Tables;

/// What the later statements of a load answer.
pub fn read(tables: &Tables, plan: &Plan, now: Time) -> Group {
    let owner = |key: &DirectoryKey| Some((key.clone(), *tables.owners.get(key)?));
    let story = |key: &DirectoryKey| Some((key.clone(), story(tables, key)?));
    let counter = |key: &CounterKey| (key.clone(), tables.counters.get(key).map_or(0, |counter| counter.used));
    let mut earlier: HashMap<_, Vec<PostingRow>> = HashMap::new();
    for (_, member, kind) in &plan.earlier {
        let rows = tables.postings.get(member).into_iter().flatten();
        let since = now - chrono::Duration::days(400);
        let rows = rows.filter(|row| row.kind.number() == *kind && row.effective_at > since);
        earlier.entry(*member).or_default().extend(rows.cloned());
    }
    let mut stories: HashMap<_, _> = plan.stories.iter().filter_map(story).collect();
    for (key, _, bypass) in &plan.later {
        let Some(rows) = later(tables, key, bypass) else { continue };
        let story = stories.entry(key.clone()).or_default();
        story.extend(rows);
        story.sort_by_key(|row| (row.member, row.seq));
        story.dedup_by_key(|row| (row.member, row.seq));
    }
    Group {
        owners: plan.values.iter().filter_map(owner).collect(),
        stories,
        counters: plan.counters.iter().map(counter).collect(),
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
pub fn story(tables: &Tables, key: &DirectoryKey) -> Option<Vec<PostingRow>> {
    let own = posting(tables, *tables.owners.get(key)?)?;
    let same = |row: &&PostingRow| {
        let lots = || own.moves.iter().map(|m| m.lot);
        row.seq == own.seq
            || lots().any(|lot| lot.0 / 256 == row.seq.0)
            || row.moves.iter().any(|m| m.lot.came_along() && lots().any(|lot| lot == m.lot))
            || row.seq > own.seq
                && (row.moves.iter().any(|m| lots().any(|lot| lot == m.lot))
                    || row.reference.as_str().starts_with(&format!("{}/return:", key.value)))
    };
    Some(tables.postings.get(&own.member)?.iter().filter(same).cloned().collect())
}

/// Of a posting whose owner was merged into another member: what moved the lots there, and the returns.
pub fn later(tables: &Tables, key: &DirectoryKey, bypass: &Bypass) -> Option<Vec<PostingRow>> {
    let own = posting(tables, *tables.owners.get(key).filter(|owner| owner.member == bypass.member)?)?;
    let shift = LotId(0).in_branch(bypass.branch).0;
    let same = |row: &&PostingRow| {
        row.moves.iter().any(|m| own.moves.iter().any(|there| there.lot.0 + shift == m.lot.0))
            || row.reference.as_str().starts_with(&format!("{}/return:", key.value))
    };
    Some(tables.postings.get(&bypass.into)?.iter().filter(same).cloned().collect())
}
