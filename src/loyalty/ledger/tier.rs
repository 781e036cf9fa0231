//! The tier of an account's member: what a decision makes of it, and what is stored of it.

use chrono::{DateTime, Datelike, NaiveDate};

use crate::kernel::clock::Instant;
use crate::kernel::id::Seq;
use crate::loyalty::ledger::account::{Account, Status};
use crate::loyalty::ledger::tier_receipt::TierReceipt;
use crate::loyalty::program::model::tiers::Ladder;
use crate::loyalty::program::model::{Rulebook, TierSlot, Timeline};
use crate::loyalty::tiers::grant::grant;
use crate::loyalty::tiers::merge::merge;
use crate::loyalty::tiers::reach::{Upgrade, reach, take_back};
use crate::loyalty::tiers::review::after;
use crate::loyalty::tiers::standing::{Falls, Granted, Held, Past, Seen, Standing, at, effective};

/// For how many days tiers of the past are remembered: as long as late orders are taken.
pub const STANDING_KEPT_D: i64 = 732;

impl Account {
    /// What the rules of a ladder look at.
    pub fn seen(&self, ladder: &Ladder) -> Seen {
        Seen { balance: self.figures(ladder.wallet).spendable, enrolled_on: self.enrolled_on }
    }

    /// The tier that the member is in, by a version.
    pub fn tier(&self, book: &Rulebook) -> Option<TierSlot> {
        book.tiers.as_ref().and_then(|ladder| effective(&self.standing, ladder))
    }

    /// The tier that the member was in at an instant, by the version in force then: of an order that comes late, that of
    /// its time.
    pub fn tier_at(&self, book: &Rulebook, instant: Instant) -> Option<TierSlot> {
        book.tiers.as_ref().and_then(|ladder| at(&self.standing, ladder, instant))
    }

    /// After whatever changed a balance: a tier that it earns is reached, `cause` being the posting whose return may take it
    /// back, and one whose balance is not there any more falls. `None` where the programme has no tiers.
    pub fn look_at_tier(&mut self, program: &Timeline, now: Instant, cause: Option<Seq>) -> Option<TierReceipt> {
        self.change_tier(program, now, |account, ladder, book| {
            account.reach_tier(ladder, book, now, cause);
        })
    }

    /// The same after a return of the order that `upgrade` is of.
    pub fn take_tier_back(
        &mut self,
        program: &Timeline,
        now: Instant,
        upgrade: Option<&Upgrade>,
    ) -> Option<TierReceipt> {
        self.change_tier(program, now, |account, ladder, book| {
            let seen = account.seen(ladder);
            if let Some(upgrade) = upgrade {
                take_back(&mut account.standing, ladder, book.zone, seen, upgrade, now);
            }
        })
    }

    /// After a person gave a tier, or ended what was given.
    pub fn grant_tier(&mut self, program: &Timeline, now: Instant, granted: Option<Granted>) -> Option<TierReceipt> {
        self.change_tier(program, now, |account, ladder, _| {
            grant(&mut account.standing, ladder, granted, now);
        })
    }

    /// What is known of an account's tiers that was merged into this one, by the posting in the making, after its sums.
    pub fn merge_tier(&mut self, program: &Timeline, now: Instant, source: &Standing) -> Option<TierReceipt> {
        let given_by = self.next_posting().seq;
        let given = source.granted.map(|given| Granted { cause: given_by, ..given });
        let source = Standing { granted: given, ..source.clone() };
        let has_tiers = program.at(now).tiers.is_some();
        if !has_tiers {
            merge(&mut self.standing, &source, None, now);
        }
        self.change_tier(program, now, |account, ladder, book| {
            merge(&mut account.standing, &source, Some(ladder), now);
            account.reach_tier(ladder, book, now, None);
        })
    }

    pub(in crate::loyalty::ledger) fn change_tier(
        &mut self,
        program: &Timeline,
        now: Instant,
        change: impl FnOnce(&mut Self, &Ladder, &Rulebook),
    ) -> Option<TierReceipt> {
        let book = program.at(now);
        let ladder = book.tiers.as_ref()?;
        let (before, was) = (effective(&self.standing, ladder), self.standing.held);
        change(self, ladder, book);
        let seen = self.seen(ladder);
        after(&mut self.standing, ladder, book.zone, seen, now);
        Some(TierReceipt::of(self.member, (before, was), &self.standing, ladder, program))
    }

    pub(in crate::loyalty::ledger) fn reach_tier(
        &mut self,
        ladder: &Ladder,
        book: &Rulebook,
        now: Instant,
        cause: Option<Seq>,
    ) {
        if self.status == Status::Active {
            let seen = self.seen(ladder);
            reach(&mut self.standing, ladder, book.zone, seen, now, cause);
        }
    }
}

/// How many numbers a stored tier has: what it is of the member, its slot, since when in microseconds since 1970, its last
/// day counted from 1 January of year 1 (of the past: its end in microseconds), the day on which it falls and to which slot,
/// and the posting that it is of.
const TIER_NUMBERS: usize = 7;
const HELD: i64 = 0;
const GRANTED: i64 = 1;
const PAST: i64 = 2;
/// Where there is no day.
const NO_DAY: i64 = i64::MAX;
/// Where a fall leads to no tier.
const NO_TIER: i64 = -1;
/// Where there is no posting.
const NO_POSTING: i64 = 0;

/// The stored numbers of a standing.
pub fn standing_numbers(standing: &Standing) -> Vec<i64> {
    let day = |day: Option<NaiveDate>| day.map_or(NO_DAY, |day| day.num_days_from_ce().into());
    let seq = |seq: Option<Seq>| seq.map_or(NO_POSTING, |seq| seq.0);
    let held = standing.held.iter().map(|held| -> [i64; TIER_NUMBERS] {
        let falls_to = held.falls.and_then(|falls| falls.to).map_or(NO_TIER, |to| to.0.into());
        let (falls_on, since) = (day(held.falls.map(|falls| falls.on)), held.since.timestamp_micros());
        [HELD, held.tier.0.into(), since, day(held.until), falls_on, falls_to, seq(held.cause)]
    });
    let granted = standing.granted.iter().map(|granted| -> [i64; TIER_NUMBERS] {
        let (slot, since) = (granted.tier.0.into(), granted.since.timestamp_micros());
        [GRANTED, slot, since, day(granted.until), NO_DAY, NO_TIER, granted.cause.0]
    });
    let past = standing.past.iter().map(|past| -> [i64; TIER_NUMBERS] {
        let (since, until) = (past.since.timestamp_micros(), past.until.timestamp_micros());
        [PAST, past.tier.0.into(), since, until, NO_DAY, NO_TIER, NO_POSTING]
    });
    held.chain(granted).chain(past).flatten().collect()
}

/// The standing of stored numbers; none where somebody changed them by hand.
pub fn standing_of(numbers: &[i64]) -> Option<Standing> {
    let (rows, rest) = numbers.as_chunks::<TIER_NUMBERS>();
    let mut standing = Standing::default();
    for [kind, slot, since, until, falls_on, falls_to, seq] in rows {
        let tier = slot_of(*slot)?;
        let since = DateTime::from_timestamp_micros(*since)?;
        match *kind {
            HELD if standing == Standing::default() => {
                let to = if *falls_to == NO_TIER { None } else { Some(slot_of(*falls_to)?) };
                let falls = day_of(*falls_on)?.map(|on| Falls { on, to });
                let cause = (*seq != NO_POSTING).then_some(Seq(*seq));
                standing.held = Some(Held { tier, since, until: day_of(*until)?, falls, cause });
            }
            GRANTED if standing.granted.is_none() && standing.past.is_empty() => {
                standing.granted = Some(Granted { tier, since, until: day_of(*until)?, cause: Seq(*seq) });
            }
            PAST => standing.past.push(Past { tier, since, until: DateTime::from_timestamp_micros(*until)? }),
            _ => return None,
        }
    }
    let whole = rest.is_empty() && standing.past.is_sorted_by_key(|past| past.until);
    whole.then_some(standing)
}

fn slot_of(number: i64) -> Option<TierSlot> {
    i16::try_from(number).ok().filter(|slot| *slot >= 0).map(TierSlot)
}

fn day_of(number: i64) -> Option<Option<NaiveDate>> {
    if number == NO_DAY {
        return Some(None);
    }
    NaiveDate::from_num_days_from_ce_opt(i32::try_from(number).ok()?).map(Some)
}
