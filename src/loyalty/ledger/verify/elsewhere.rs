//! Returns of orders that came along with a merge: what happened to the order in the accounts that it went through.

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::kernel::id::{LaneCount, MemberId, ProgramId};
use crate::loyalty::ledger::alias::{Aliases, Bypass};
use crate::loyalty::ledger::lot::LotId;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::reads::{FindAccounts, FindLater, FindStories};
use crate::loyalty::ledger::rows::{AccountRow, StoredPosting};
use crate::loyalty::ledger::verify::merges::Before;

/// An order of one account that somebody else returned something of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Elsewhere {
    /// In which programme.
    pub program: ProgramId,
    /// The order's reference.
    pub reference: String,
    /// Whose order it was.
    pub owner: MemberId,
    /// Whose return it is.
    pub member: MemberId,
}

/// What happened to orders before they came along. Of who was not merged into the member there is no order in it.
///
/// # Errors
/// When the database fails.
pub async fn find_before(
    conn: &AsyncPgConnection,
    lanes: LaneCount,
    wanted: &BTreeSet<Elsewhere>,
) -> QueryResult<HashMap<Elsewhere, Before>> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let aliases = find_aliases(conn, lanes, wanted.iter().map(|w| w.owner).collect()).await?;
    let mut rows: HashMap<(ProgramId, String), Vec<PostingRow>> = HashMap::new();
    for (program, reference, stored) in find_stories(conn, lanes, wanted, &aliases).await? {
        let program = ProgramId(program);
        // What cannot be read was said where it stands.
        rows.entry((program, reference)).or_default().extend(stored.read(program).ok());
    }
    let before = wanted.iter().map(|order| {
        let story = rows.get(&(order.program, order.reference.clone()));
        let told = told(&aliases, order, story.map_or(&[], Vec::as_slice));
        (order.clone(), Before::of(&order.reference, told))
    });
    Ok(before.collect())
}

/// The rows of each account on the way to the member, oldest first, with the lots' names there.
pub fn told(aliases: &Aliases, order: &Elsewhere, rows: &[PostingRow]) -> Vec<PostingRow> {
    let ways: Vec<Bypass> = aliases.bypasses(order.owner).into_iter().filter(|way| way.into == order.member).collect();
    let mut told = Vec::new();
    for way in ways {
        let mut own: Vec<PostingRow> =
            rows.iter().filter(|row| row.member == way.member).map(|row| row.in_branch(way.branch)).collect();
        own.sort_by_key(|row| row.seq);
        own.dedup_by_key(|row| row.seq);
        told.extend(own);
    }
    told
}

async fn find_aliases(
    conn: &AsyncPgConnection,
    lanes: LaneCount,
    mut members: BTreeSet<MemberId>,
) -> QueryResult<Aliases> {
    let mut aliases = Aliases::default();
    loop {
        let find = FindAccounts {
            lanes: members.iter().map(|member| member.lane(lanes).0).collect(),
            members: members.iter().map(|member| member.0).collect(),
        };
        let rows: Vec<AccountRow> = find.load(&mut &*conn).await?;
        let accounts: Vec<_> = rows.iter().filter_map(|row| row.read().ok()).collect();
        if !aliases.learn(accounts.iter()) {
            return Ok(aliases);
        }
        members = accounts.iter().filter_map(|account| account.alias).map(|alias| alias.into).collect();
    }
}

async fn find_stories(
    conn: &AsyncPgConnection,
    lanes: LaneCount,
    wanted: &BTreeSet<Elsewhere>,
    aliases: &Aliases,
) -> QueryResult<Vec<(Uuid, String, StoredPosting)>> {
    let orders: BTreeSet<_> = wanted.iter().map(|order| (order.program.0, &order.reference, order.owner)).collect();
    let find = FindStories {
        programs: orders.iter().map(|(program, ..)| *program).collect(),
        references: orders.iter().map(|(_, reference, _)| (*reference).clone()).collect(),
    };
    let mut rows: Vec<(Uuid, String, StoredPosting)> = find.load(&mut &*conn).await?;
    let ways: Vec<_> = orders.iter().flat_map(|o| aliases.bypasses(o.2).into_iter().map(move |way| (o, way))).collect();
    let find = FindLater {
        programs: ways.iter().map(|(order, _)| order.0).collect(),
        references: ways.iter().map(|(order, _)| order.1.clone()).collect(),
        owners: ways.iter().map(|(_, way)| way.member.0).collect(),
        lanes: ways.iter().map(|(_, way)| way.into.lane(lanes).0).collect(),
        members: ways.iter().map(|(_, way)| way.into.0).collect(),
        shifts: ways.iter().map(|(_, way)| LotId(0).in_branch(way.branch).0).collect(),
    };
    rows.extend(find.load::<(Uuid, String, StoredPosting)>(&mut &*conn).await?);
    Ok(rows)
}
