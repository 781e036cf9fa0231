//! A naive reference model of the ledger and the checkout, written from the design and not from the code: slow, plain,
//! nothing shared with the engine but the programme's text.

pub mod asked;
pub mod awards;
pub mod budgets;
pub mod calendar;
pub mod caps;
pub mod conditions;
pub mod discounts;
pub mod earned;
pub mod holds;
pub mod merges;
pub mod orders;
pub mod price;
pub mod returns;
pub mod tiers;
pub mod transfers;
pub mod walk;
pub mod wallets;

use std::collections::{BTreeMap, HashMap};

use chrono::Duration;

use crate::command::{Command, What};
use crate::facts::{Answer, Day, End, Said, Time, View};
use crate::naive::calendar::{counts_until, last_day, later};
use crate::naive::holds::Held;
use crate::naive::orders::Sale;
use crate::naive::transfers::Gift;
use crate::naive::wallets::Member;
use crate::spec::{Purse, Spec, Term};

pub struct Owned {
    hash: u64,
    answer: Answer,
}

/// Everything that the model remembers.
pub struct Naive<'s> {
    pub spec: &'s Spec,
    pub members: BTreeMap<u32, Member>,
    pub sales: BTreeMap<String, Sale>,
    owned: HashMap<String, Owned>,
    pub emails: HashMap<String, u32>,
    pub holds: BTreeMap<String, Held>,
    gifts: Vec<Gift>,
    /// Who was merged, and into whom.
    pub merged: BTreeMap<u32, u32>,
}

/// What an accepted command leaves behind, besides its member.
pub struct Done {
    pub member: u32,
    pub state: Member,
    pub answer: Answer,
    pub sale: Option<(String, Sale)>,
    pub email: Option<String>,
    pub hold: Option<(String, Held)>,
}

impl<'s> Naive<'s> {
    pub fn new(spec: &'s Spec) -> Self {
        let (members, sales, holds, merged) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { spec, members, sales, owned: HashMap::new(), emails: HashMap::new(), holds, gifts: Vec::new(), merged }
    }

    pub fn run(&mut self, command: &Command) -> Said {
        let Some(reference) = command.reference() else { return Ok(Answer::Silent) };
        let (named, new) = command.what.whose();
        let member = self.goes_on(named);
        if let Some(owned) = self.owned.get(&reference) {
            // There is one way to release a hold.
            let same = owned.hash == command.hash || matches!(command.what, What::Release { .. });
            return if same { Ok(owned.answer.clone()) } else { Err("Conflict".into()) };
        }
        if let What::Transfer { from, to, wallet, points } = command.what {
            return self.transfer(command, reference, (from, to), wallet, points);
        }
        if let What::Merge { source, into } = command.what {
            return self.merge(command, reference, (source, into), None);
        }
        if let What::Claim { order, guest, member } = &command.what {
            return self.merge(command, reference, (*guest, *member), Some(order));
        }
        let known = self.members.get(&member).cloned();
        if known.is_none() && !new {
            return Err("MemberUnknown".into());
        }
        let moved = known.as_ref().map(|m| m.moved);
        let at = match command.what.imported() {
            None => moved.map_or(command.clock, |m| m.max(command.clock)),
            Some(at) if moved.is_some_and(|m| at < m) => return Err("OutOfOrder".into()),
            Some(at) => at,
        };
        let today = self.spec.calendar.day(at);
        let known = known.map(|mut m| {
            if m.walk(at, self.spec) {
                m.postings += 1;
            }
            m.moved = at;
            m
        });
        let mut done = match &command.what {
            What::Enrol { member, email, on, .. } => self.enrol(*member, email.as_ref(), *on, (at, today)),
            What::Order(order) => self.settle(order, &command.name, known, (command.clock, at)),
            What::Return { order, asked, .. } => {
                self.give_back((named, member), order, asked, known.unwrap(), (at, today))
            }
            What::Adjust { wallet, up, points, .. } => {
                self.adjust((member, known.unwrap()), wallet, *up, *points, (at, today))
            }
            What::Opening { wallet, points, available, end, .. } => {
                self.open((member, known.unwrap()), wallet, *points, (*available, *end), (at, today))
            }
            What::Hold { wallet, points, seconds, .. } => {
                let ends = at + Duration::seconds(*seconds);
                self.hold((member, known.unwrap()), (&command.name, ends), *wallet, *points, at)
            }
            What::Release { hold, .. } => self.release((named, member, known.unwrap()), hold, today),
            What::Suspend { suspended, .. } => self.suspend((member, known.unwrap()), *suspended, at),
            What::Transfer { .. } | What::Merge { .. } | What::Claim { .. } => unreachable!("two members have it"),
            What::Look => unreachable!("it has no reference"),
        }?;
        done.state.postings += 1;
        done.state.moved = done.state.moved.max(at);
        let owned = Owned { hash: command.hash, answer: done.answer.clone() };
        self.owned.insert(reference, owned);
        self.sales.extend(done.sale);
        self.holds.extend(done.hold);
        self.emails.extend(done.email.map(|e| (e, done.member)));
        self.members.insert(done.member, done.state);
        Ok(done.answer)
    }

    pub fn is_used(&self, reference: &str) -> bool {
        self.owned.contains_key(reference)
    }

    /// What somebody sees who looks at a time, or at the member's own when that is later.
    pub fn view(&self, member: u32, at: Time) -> Option<View> {
        let mut member = self.members.get(&member)?.clone();
        let used = member.used(self.spec);
        let at = at.max(member.moved);
        member.walk(at, self.spec);
        Some(View { used, tier: member.tier_view(self.spec, at), ..member.view(&self.spec.calendar) })
    }

    fn enrol(
        &self,
        member: u32,
        email: Option<&String>,
        on: Option<Day>,
        (at, today): (Time, Day),
    ) -> Result<Done, String> {
        let on = on.unwrap_or(today);
        if on > today {
            return Err("EnrolledAhead".into());
        }
        if email.is_some_and(|e| self.emails.contains_key(e)) {
            return Err("IdentityTaken".into());
        }
        let state = Member::new(at, on, self.spec.codes.len());
        let answer = Answer::Enrolled { member, on };
        Ok(Done { member, state, answer, sale: None, email: email.cloned(), hold: None })
    }

    fn adjust(
        &self,
        (member, mut state): (u32, Member),
        wallet: &str,
        up: bool,
        points: i64,
        (at, today): (Time, Day),
    ) -> Result<Done, String> {
        let wallet = self.wallet(wallet).ok_or("WalletUnknown")?;
        if state.suspended {
            return Err("Suspended".into());
        }
        if up {
            if self.is_points(wallet) {
                state.active(wallet, self.active_until(wallet, at, today));
            }
            if points > 0 {
                state.give(wallet, points, None, self.usual_end(&state, wallet, at, today), today)?;
            }
        } else {
            let there = state.spendable(wallet);
            if there < points {
                return Err(format!("InsufficientPoints {points} of {there}"));
            }
            state.take(wallet, points);
            state.purses[wallet].reversed += points;
        }
        state.moved_tier(self.spec, at, None);
        let answer = Answer::Adjusted { points: if up { points } else { -points }, spendable: state.spendable(wallet) };
        Ok(Done { member, state, answer, sale: None, email: None, hold: None })
    }

    fn open(
        &self,
        (member, mut state): (u32, Member),
        wallet: &str,
        points: i64,
        (available, end): (Option<Day>, Option<Day>),
        (at, today): (Time, Day),
    ) -> Result<Done, String> {
        let wallet = self.wallet(wallet).ok_or("WalletUnknown")?;
        state.active(wallet, self.active_until(wallet, at, today));
        let end = end.map_or(self.usual_end(&state, wallet, at, today), End::On);
        state.give(wallet, points, available, end, today)?;
        state.moved_tier(self.spec, at, None);
        Ok(Done { member, state, answer: Answer::Opened { points }, sale: None, email: None, hold: None })
    }

    fn suspend(&self, (member, mut state): (u32, Member), suspended: bool, at: Time) -> Result<Done, String> {
        if state.suspended == suspended {
            return Err(if suspended { "AlreadySuspended" } else { "NotSuspended" }.into());
        }
        state.suspended = suspended;
        state.moved_tier(self.spec, at, None);
        Ok(Done { member, state, answer: Answer::Suspended(suspended), sale: None, email: None, hold: None })
    }

    pub fn wallet(&self, code: &str) -> Option<usize> {
        self.spec.codes.iter().position(|c| *c == code)
    }

    fn is_points(&self, wallet: usize) -> bool {
        matches!(self.spec.versions[0].purses[wallet], Purse::Points { .. })
    }

    /// Until when a wallet lives that ends by inactivity, when its member was active on a day: as the newest version
    /// until `at` says that ever let it end so.
    pub fn active_until(&self, wallet: usize, at: Time, day: Day) -> Option<Day> {
        let versions = &self.spec.versions[..=self.spec.at(at)];
        versions.iter().rev().find_map(|v| match v.purses[wallet] {
            Purse::Points { term: Term::Inactive(span), .. } => Some(later(day, span)),
            Purse::Points { .. } | Purse::Counter { .. } => None,
        })
    }

    /// When something of a day ends in a wallet, by the version of `at`.
    pub fn usual_end(&self, member: &Member, wallet: usize, at: Time, day: Day) -> End {
        match &self.spec.versions[self.spec.at(at)].purses[wallet] {
            Purse::Points { term: Term::Inactive(_), .. } => End::Inactive,
            Purse::Points { term, .. } => last_day(*term, day).map_or(End::Never, End::On),
            Purse::Counter { lasts, .. } => counts_until(*lasts, member.enrolled, day).map_or(End::Never, End::On),
        }
    }
}

impl What {
    /// Whose command it is, and whether it brings its member along.
    pub fn whose(&self) -> (u32, bool) {
        match self {
            Self::Enrol { member, .. } => (*member, true),
            Self::Order(order) => (order.member, order.new),
            Self::Return { member, .. }
            | Self::Adjust { member, .. }
            | Self::Opening { member, .. }
            | Self::Transfer { from: member, .. }
            | Self::Merge { source: member, .. }
            | Self::Claim { guest: member, .. }
            | Self::Hold { member, .. }
            | Self::Release { member, .. }
            | Self::Suspend { member, .. } => (*member, false),
            Self::Look => (0, false),
        }
    }

    fn imported(&self) -> Option<Time> {
        match self {
            Self::Enrol { imported, .. } | Self::Return { imported, .. } | Self::Opening { imported, .. } => *imported,
            Self::Order(order) => order.imported,
            Self::Adjust { .. }
            | Self::Transfer { .. }
            | Self::Merge { .. }
            | Self::Claim { .. }
            | Self::Hold { .. }
            | Self::Release { .. }
            | Self::Look
            | Self::Suspend { .. } => None,
        }
    }
}
