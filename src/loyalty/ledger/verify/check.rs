//! A verification from its first row to its last, in one snapshot: right while the shop runs.
//!
//! | step | reads | memory |
//! |---|---|---|
//! | members | accounts, profiles and postings side by side, by key, with their directory rows | a page of each, and one member |
//! | journal | each lane's rows, and the postings that they name | a page |
//! | counters | each of them, beside what the members step summed | a figure a counter |
//! | directory | only where the counts differ from what the members step met | a page |

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use diesel_async::AsyncPgConnection;
use uuid::Uuid;

use crate::kernel::grow::Grow;
use crate::kernel::id::{Lane, LaneCount, MemberId, ProgramId, Seq};
use crate::loyalty::ledger::accounts::VOUCHER_KIND;
use crate::loyalty::ledger::canonical::canonical;
use crate::loyalty::ledger::counters::CounterKey;
use crate::loyalty::ledger::verify::budgets::Spent;
use crate::loyalty::ledger::verify::heads::{Head, KeptHeads};
use crate::loyalty::ledger::verify::journal::{Chains, Link, Tally};
use crate::loyalty::ledger::verify::law::{FINDINGS_A_LAW_MAX, Findings, Law, Place};
use crate::loyalty::ledger::verify::member::MemberCheck;
use crate::loyalty::ledger::verify::report::{Progress, Report, Step};
use crate::loyalty::ledger::verify::store;
use crate::loyalty::ledger::verify::store::JournalColumns;
use crate::loyalty::ledger::verify::stream::{Members, PAGE_ASKED, PAGE_ROWS, Pages, Stored};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::program::timelines::{TimelineError, Timelines};
use crate::platform::db::{Db, DbError};

/// What is verified.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Heads that were kept elsewhere.
    pub heads: Vec<Head>,
    /// Only the members of this programme; journals and directory are of all programmes, and are then left out.
    pub program: Option<ProgramId>,
}

/// Verifies the ledger, and tells `watch` how far it is.
///
/// Holds one snapshot for as long as it takes: Postgres keeps what is overwritten meanwhile.
///
/// # Errors
/// When the database fails. What breaks a law is no error, but in the report.
pub async fn check_ledger(
    db: &Db,
    options: &Options,
    watch: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, DbError> {
    let mut conn = db.dedicated().await?;
    store::begin(&mut conn).await?;
    let lanes = store::list_lanes(&conn).await?;
    let (members, postings) = store::count_accounts(&conn).await?;
    let both = if options.program.is_some() { 1 } else { 2 };
    let of = u64::try_from(members.saturating_add(postings.saturating_mul(both))).unwrap_or(0);
    let mut check = Check {
        conn: &conn,
        lane_count: LaneCount(i16::try_from(lanes.len()).unwrap_or(i16::MAX)),
        timelines: Timelines::default(),
        known: HashMap::new(),
        found: Findings::default(),
        report: Report::default(),
        owned: BTreeMap::new(),
        tallies: BTreeMap::new(),
        spent: Spent::default(),
        progress: Progress { done: 0, of, step: Step::Members },
        watch,
    };
    check.rights(db).await?;
    check.lanes(&lanes);
    check.members(options.program).await?;
    if options.program.is_none() {
        check.journal(&lanes, KeptHeads::new(&options.heads)).await?;
        check.directory().await?;
        check.counters_and_followers().await?;
    } else {
        check
            .report
            .notes
            .push("one programme alone: journals, directory, counters and followers were left out".into());
    }
    let Check { found, mut report, .. } = check;
    (report.findings, report.broken) = found.into_parts();
    store::end(&mut conn).await?;
    Ok(report)
}

struct Check<'a> {
    conn: &'a AsyncPgConnection,
    lane_count: LaneCount,
    timelines: Timelines,
    /// Programmes met so far, with their timelines if these can be read.
    known: HashMap<ProgramId, Option<Arc<Timeline>>>,
    found: Findings,
    report: Report,
    /// Directory values that were met from their owners' side.
    owned: BTreeMap<(ProgramId, i16), u64>,
    /// Postings by lane.
    tallies: BTreeMap<Lane, Tally>,
    /// What budgets gave out.
    spent: Spent,
    progress: Progress,
    watch: &'a mut (dyn FnMut(Progress) + Send),
}

impl Check<'_> {
    fn step(&mut self, step: Step, rows: u64) {
        self.progress.done.grow(rows);
        self.progress.step = step;
        (self.watch)(self.progress);
    }

    async fn rights(&mut self, db: &Db) -> Result<(), DbError> {
        let Some(privileges) = store::find_privileges(self.conn).await? else {
            let note = "append_only is not enforced: the provider forbids the role perennial_app";
            self.report.notes.push(note.into());
            return Ok(());
        };
        if !db.role_enforced() {
            let note = "append_only is not enforced: this connection may not take the role perennial_app";
            self.report.notes.push(note.into());
        }
        for (table, column, privilege) in privileges {
            let says = format!("perennial_app has {privilege} on {table} ({column})");
            self.found.add(Law::AppendOnly, Place::default(), says);
        }
        Ok(())
    }

    fn lanes(&mut self, lanes: &[Link]) {
        for (link, number) in lanes.iter().zip(0_i16..) {
            if link.lane.0 != number {
                self.found.add(Law::Lanes, Place::lane(link.lane), format!("it stands where lane {number} should"));
            }
        }
    }

    /// The versions of a programme; `None`, said once, when they cannot be read.
    async fn timeline(&mut self, program: ProgramId, member: MemberId) -> Result<Option<Arc<Timeline>>, DbError> {
        if let Some(known) = self.known.get(&program) {
            return Ok(known.clone());
        }
        let read = match self.timelines.at_least(self.conn, program, 0).await {
            Ok(timeline) => Some(timeline),
            Err(TimelineError::Query(error)) => return Err(error.into()),
            Err(error) => {
                self.found.add(Law::Programs, Place::member(member), format!("programme {program}: {error}"));
                None
            }
        };
        self.known.insert(program, read.clone());
        Ok(read)
    }

    async fn members(&mut self, only: Option<ProgramId>) -> Result<(), DbError> {
        let mut members = Members::new(self.conn, self.lane_count);
        while let Some(stored) = members.next().await? {
            let program = stored.account.as_ref().map(|a| ProgramId(a.program_id));
            if only.is_some() && program != only {
                let mut passed = 1_u64;
                while members.posting(stored.key).await?.is_some() {
                    passed.grow(1);
                }
                self.step(Step::Members, passed);
            } else {
                self.member(&mut members, &stored, program).await?;
            }
        }
        Ok(())
    }

    async fn member(
        &mut self,
        members: &mut Members<'_>,
        stored: &Stored,
        program: Option<ProgramId>,
    ) -> Result<(), DbError> {
        let (lane, member) = stored.key;
        let timeline = match program {
            Some(program) => self.timeline(program, member).await?,
            None => None,
        };
        let mut check =
            MemberCheck::new(stored.key, stored.account.as_ref(), stored.profile.as_ref(), timeline.as_deref());
        let mut postings = 0_u64;
        while let Some(facts) = members.posting(stored.key).await? {
            self.tallies.entry(lane).or_default().add(member.0, facts.seq.0);
            check.posting(facts, &mut self.spent, &mut self.found);
            postings.grow(1);
        }
        check.finish(self.lane_count, &mut self.found);
        if let Some(program) = program {
            self.report.members.grow(1);
            self.owned.entry((program, 1)).or_default().grow(check.references);
            self.owned.entry((program, VOUCHER_KIND)).or_default().grow(check.vouchers);
            for kind in check.identities {
                self.owned.entry((program, kind)).or_default().grow(1);
            }
        }
        self.report.postings.grow(postings);
        self.step(Step::Members, postings.saturating_add(1));
        Ok(())
    }

    async fn journal(&mut self, lanes: &[Link], kept: KeptHeads) -> Result<(), DbError> {
        let mut chains = Chains::new(kept);
        let mut pages: Pages<(i16, i64), JournalColumns> = Pages::from((i16::MIN, i64::MIN));
        while let Some(from) = pages.wanted() {
            let rows = store::page_journal(self.conn, from, PAGE_ASKED).await?;
            pages.fill(rows.into_iter().map(|row| ((row.0.lane.0, row.0.number), row)).collect());
            let mut some = Vec::new();
            let mut named = 0_usize;
            while let Some((_, row)) = pages.take() {
                named.grow(row.1.len());
                some.push(row);
                // A row names as many postings as a group has commands: few pages' worth at a time.
                if named >= PAGE_ROWS || pages.peek().is_none() {
                    self.links(&mut chains, std::mem::take(&mut some)).await?;
                    named = 0;
                }
            }
        }
        self.report.journal_rows = chains.rows;
        let covered = std::mem::take(&mut chains.covered);
        self.report.heads = chains.finish(lanes, &mut self.found);
        self.coverage(&covered).await
    }

    async fn links(&mut self, chains: &mut Chains, rows: Vec<JournalColumns>) -> Result<(), DbError> {
        let names = |row: &JournalColumns| -> Vec<(i16, Uuid, i64)> {
            row.1.iter().zip(&row.2).map(|(member, seq)| (row.0.lane.0, *member, *seq)).collect()
        };
        let all: Vec<_> = rows.iter().flat_map(names).collect();
        let mut bytes: HashMap<(Uuid, i64), Vec<u8>> = HashMap::with_capacity(all.len());
        for stored in store::find_postings(self.conn, &all).await? {
            let (lane, key) = (Lane(stored.lane()), (stored.member().0, stored.seq().0));
            // What cannot be read was said when the members were read; here its digest is missing.
            let covered = stored.read(ProgramId(Uuid::nil())).map(|row| canonical(lane, &row)).unwrap_or_default();
            bytes.insert(key, covered);
        }
        let count = u64::try_from(all.len()).unwrap_or(0);
        for (link, members, seqs) in rows {
            if members.len() != seqs.len() {
                let place = Place::journal(link.lane, link.number);
                self.found.add(Law::Readable, place, "journal.members and journal.seqs are not of one length");
            }
            let named: Vec<_> = members.into_iter().zip(seqs).map(|(m, s)| (MemberId(m), Seq(s))).collect();
            let covered: Vec<_> = named.iter().map(|(m, s)| bytes.get(&(m.0, s.0)).cloned()).collect();
            chains.add(link, &named, &covered, &mut self.found);
        }
        self.step(Step::Journal, count);
        Ok(())
    }

    /// Where what the journal names is not what there is, asks which postings they are.
    async fn coverage(&mut self, covered: &BTreeMap<Lane, Tally>) -> Result<(), DbError> {
        let lanes: Vec<Lane> = self.tallies.keys().copied().collect();
        for lane in lanes.into_iter().filter(|lane| self.tallies.get(lane) != covered.get(lane)) {
            let most = i64::try_from(FINDINGS_A_LAW_MAX).unwrap_or(i64::MAX);
            for (member, seq, times) in store::find_uncovered(self.conn, lane, most).await? {
                let place = Place { lane: Some(lane.0), ..Place::posting(MemberId(member), Seq(seq)) };
                self.found.add(Law::Coverage, place, format!("it is in {times} journal rows"));
            }
        }
        Ok(())
    }

    async fn directory(&mut self) -> Result<(), DbError> {
        let counts = store::count_directory(self.conn).await?;
        self.report.directory_rows = counts.iter().map(|(.., n)| u64::try_from(*n).unwrap_or(0)).sum();
        let met = |program, kind| self.owned.get(&(program, kind)).copied().unwrap_or(0);
        let same = counts.iter().all(|(program, kind, n)| u64::try_from(*n) == Ok(met(*program, *kind)));
        if same
            && !self.found.any(Law::References)
            && !self.found.any(Law::Identities)
            && !self.found.any(Law::Vouchers)
        {
            return Ok(());
        }
        self.progress.of = self.progress.of.saturating_add(self.report.directory_rows);
        let mut pages = Pages::from((Uuid::nil(), i16::MIN, String::new()));
        while let Some(from) = pages.wanted() {
            let rows = store::page_directory(self.conn, from, PAGE_ASKED).await?;
            pages.fill(rows.into_iter().map(|row| (row.0.clone(), row)).collect());
            let mut count = 0_u64;
            while let Some((_, row)) = pages.take() {
                self.directory_row(row);
                count.grow(1);
            }
            self.step(Step::Directory, count);
        }
        Ok(())
    }

    fn directory_row(&mut self, row: store::DirectoryColumns) {
        let ((program, kind, value), (lane, member, seq), account, theirs) = row;
        let (law, what) = match kind {
            1 => (Law::References, value.as_str()),
            VOUCHER_KIND => (Law::Vouchers, "a voucher"),
            _ => (Law::Identities, "an identity"),
        };
        let mut says = |text: String| self.found.add(law, Place::posting(MemberId(member), Seq(seq)), text);
        if !(1..=VOUCHER_KIND).contains(&kind) {
            says(format!("the directory has a value of kind {kind}"));
        } else if account != Some(program) {
            says(format!("the directory has {what} of programme {program}, whose member this is not"));
        } else if theirs.as_ref() != Some(&value) {
            says(format!("the directory has {what} in lane {lane}, and the member does not"));
        }
    }

    async fn counters_and_followers(&mut self) -> Result<(), DbError> {
        let most = i64::try_from(FINDINGS_A_LAW_MAX).unwrap_or(i64::MAX);
        for (counter, used, version) in store::list_counters(self.conn).await? {
            let CounterKey { rule, period, .. } = &counter;
            if version.is_none() {
                self.found.add(Law::Programs, Place::default(), format!("counter {rule} {period} is of no programme"));
            }
            let given = self.spent.take(&counter);
            if used != given {
                let says = format!("counter {rule} {period} stands at {used}, and postings used {given}");
                self.found.add(Law::Counters, Place::default(), says);
            }
        }
        for (CounterKey { rule, period, .. }, given) in std::mem::take(&mut self.spent).rest() {
            let says = format!("there is no counter {rule} {period}, of which postings used {given}");
            self.found.add(Law::Counters, Place::default(), says);
        }
        for (follower, lane, number, head) in store::find_ahead(self.conn, most).await? {
            let head = head.map_or_else(|| "not there".into(), |head| format!("at {head}"));
            let says = format!("{follower} has read up to {number}, and the lane is {head}");
            self.found.add(Law::Followers, Place::lane(Lane(lane)), says);
        }
        Ok(())
    }
}
