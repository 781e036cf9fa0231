//! A member of the naive model: a list of lots. Nothing is ever thrown away.

use crate::facts::{Day, End, TierView, Time, View, WalletView};
use crate::naive::calendar::Calendar;
use crate::naive::caps::Had;
use crate::naive::tiers::Standing;
use crate::spec::Policy;

/// The most points that a wallet has room for.
pub const MOST: i64 = 1_000_000_000_000_000;

/// From so many open lots on, what comes in joins an open lot that waits and ends with it.
const CROWD: usize = 256;

#[derive(Clone, Copy, Debug)]
pub struct Lot {
    pub wallet: usize,
    pub left: i64,
    /// The day on which it can be spent; `None` when it can.
    pub waits: Option<Day>,
    pub end: End,
    /// Expired of it, ever.
    pub expired: i64,
    /// With whom it came: the member's own go before those that came along.
    pub branch: i64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Purse {
    pub debt: i64,
    pub earned: i64,
    pub reversed: i64,
    pub spent: i64,
    pub expired: i64,
    /// The last day of what ends by inactivity.
    pub active_until: Option<Day>,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub enrolled: Day,
    pub moved: Time,
    pub suspended: bool,
    pub orders: i32,
    pub last_order: Option<Day>,
    pub postings: i64,
    pub purses: Vec<Purse>,
    pub lots: Vec<Lot>,
    /// The open holds, oldest first.
    pub holds: Vec<Hold>,
    /// How many accounts it is made of.
    pub branches: i64,
    /// What it had of rules with a cap, and gave back, in the order of doing.
    pub had: Vec<Had>,
    pub standing: Standing,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub name: String,
    pub wallet: usize,
    pub ends: Time,
    pub owed: i64,
    /// What it took from which lot.
    pub took: Vec<(usize, i64)>,
}

impl Hold {
    pub fn points(&self) -> i64 {
        self.took.iter().map(|t| t.1).sum()
    }
}

/// How a claw-back went: points, taken, forgiven, held, waived, owed.
pub type Clawed = [i64; 6];

impl Member {
    pub fn new(at: Time, enrolled: Day, wallets: usize) -> Self {
        let purses = vec![Purse::default(); wallets];
        let (lots, holds, had, last_order) = (Vec::new(), Vec::new(), Vec::new(), None);
        let (orders, postings, branches, suspended) = (0, 0, 1, false);
        let standing = Standing::default();
        Self {
            enrolled,
            moved: at,
            suspended,
            orders,
            last_order,
            postings,
            purses,
            lots,
            holds,
            branches,
            had,
            standing,
        }
    }

    /// Pays some of a hold, and gives back the rest: to a return that wants it, then to its lots, if they are not over.
    pub fn end_hold(&mut self, hold: usize, paid: i64, today: Day) -> ([i64; 5], Vec<(usize, i64)>) {
        let hold = self.holds.remove(hold);
        let (mut rest, mut takes, mut owed, mut expired) = (paid, Vec::new(), hold.owed, 0);
        let mut released = 0;
        for (lot, points) in hold.took {
            let pays = rest.min(points);
            rest -= pays;
            if pays > 0 {
                takes.push((lot, pays));
            }
            let back = points - pays;
            released += back;
            let taken = owed.min(back);
            owed -= taken;
            self.lots[lot].left += back - taken;
            self.purses[hold.wallet].reversed += taken;
            if back > taken && self.is_over(lot, today) {
                expired += back - taken;
                self.expire(lot);
                if self.lots[lot].end == End::Inactive {
                    self.purses[hold.wallet].active_until = None;
                }
            }
        }
        self.purses[hold.wallet].spent += paid;
        ([paid, released, hold.owed - owed, expired, owed], takes)
    }

    pub fn is_over(&self, lot: usize, today: Day) -> bool {
        self.ended(self.lots[lot].wallet, self.lots[lot].end, today)
    }

    fn ended(&self, wallet: usize, end: End, today: Day) -> bool {
        match end {
            End::On(day) => day < today,
            End::Inactive => self.purses[wallet].active_until.is_none_or(|d| d < today),
            End::Never => false,
        }
    }

    pub fn expire(&mut self, lot: usize) {
        let Lot { wallet, left, .. } = self.lots[lot];
        self.purses[wallet].expired += left;
        self.lots[lot].expired += left;
        self.lots[lot].left = 0;
    }

    pub fn repay(&mut self, lot: usize, came_in: i64) {
        let purse = &mut self.purses[self.lots[lot].wallet];
        let paid = purse.debt.min(came_in);
        purse.debt -= paid;
        self.lots[lot].left -= paid;
    }

    pub fn spendable(&self, wallet: usize) -> i64 {
        self.lots.iter().filter(|l| l.wallet == wallet && l.waits.is_none()).map(|l| l.left).sum()
    }

    /// Notes that the member did something on a day.
    pub fn active(&mut self, wallet: usize, until: Option<Day>) {
        let there = &mut self.purses[wallet].active_until;
        *there = (*there).max(until);
    }

    /// Points come in.
    pub fn give(
        &mut self,
        wallet: usize,
        points: i64,
        waits: Option<Day>,
        end: End,
        today: Day,
    ) -> Result<usize, String> {
        let waits = waits.filter(|d| *d > today);
        let lot = self.receive(wallet, points, waits, end)?;
        self.settle_in(lot, points, today);
        Ok(lot)
    }

    /// Points come in, and repay nothing.
    pub fn receive(&mut self, wallet: usize, points: i64, waits: Option<Day>, end: End) -> Result<usize, String> {
        self.earned(wallet, points)?;
        let crowded = self.lots.iter().filter(|l| l.left > 0).count() >= CROWD;
        let same = |l: &Lot| l.wallet == wallet && l.left > 0 && l.waits == waits && l.end == end;
        let joined = if crowded { self.youngest(same) } else { None };
        let lot = joined.unwrap_or(self.lots.len());
        if joined.is_none() {
            self.lots.push(Lot { wallet, left: 0, waits, end, expired: 0, branch: 0 });
        }
        self.lots[lot].left += points;
        Ok(lot)
    }

    /// A qualifying wallet counts: what ends together lies together.
    pub fn count(&mut self, wallet: usize, points: i64, end: End, today: Day) -> Result<usize, String> {
        let same = |l: &Lot| l.wallet == wallet && l.left > 0 && l.waits.is_none() && l.end == end;
        let Some(lot) = self.youngest(same) else { return self.give(wallet, points, None, end, today) };
        self.earned(wallet, points)?;
        self.lots[lot].left += points;
        Ok(lot)
    }

    /// Where a lot stands among those that end with it.
    pub fn age(&self, lot: usize) -> (i64, usize) {
        (self.lots[lot].branch, lot)
    }

    fn youngest(&self, like: impl Fn(&Lot) -> bool) -> Option<usize> {
        (0..self.lots.len()).filter(|i| like(&self.lots[*i])).max_by_key(|i| self.age(*i))
    }

    fn earned(&mut self, wallet: usize, points: i64) -> Result<(), String> {
        let earned = &mut self.purses[wallet].earned;
        *earned += points;
        if *earned > MOST { Err("TooManyPoints".into()) } else { Ok(()) }
    }

    fn settle_in(&mut self, lot: usize, points: i64, today: Day) {
        if self.is_over(lot, today) {
            self.expire(lot);
            if self.lots[lot].end == End::Inactive {
                self.purses[self.lots[lot].wallet].active_until = None;
            }
        } else if self.lots[lot].waits.is_none() {
            self.repay(lot, points);
        }
    }

    /// Takes what can be spent, soonest-ending first, then oldest; answers which lots gave how much.
    pub fn take(&mut self, wallet: usize, points: i64) -> Vec<(usize, i64)> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        order.retain(|i| self.lots[*i].wallet == wallet && self.lots[*i].left > 0 && self.lots[*i].waits.is_none());
        order.sort_by_key(|i| (self.lots[*i].end, self.age(*i)));
        let (mut rest, mut takes) = (points, Vec::new());
        for i in order {
            let take = rest.min(self.lots[i].left);
            if take > 0 {
                self.lots[i].left -= take;
                rest -= take;
                takes.push((i, take));
            }
        }
        takes
    }

    /// Gives back what was taken: the lot that was taken last first.
    pub fn restore(&mut self, taken: &mut [(usize, i64)], points: i64, grace: Option<Day>, today: Day) {
        let (mut rest, mut over) = (points, Vec::new());
        for (lot, out) in taken.iter_mut().rev() {
            let back = rest.min(*out);
            rest -= back;
            *out -= back;
            if back > 0 && self.is_over(*lot, today) {
                over.push((*lot, back));
            } else {
                self.lots[*lot].left += back;
            }
        }
        let in_all: i64 = over.iter().map(|o| o.1).sum();
        if let Some(day) = grace.filter(|_| in_all > 0) {
            let wallet = self.lots[over[0].0].wallet;
            self.lots.push(Lot { wallet, left: in_all, waits: None, end: End::On(day), expired: 0, branch: 0 });
            return;
        }
        for (lot, back) in over {
            self.lots[lot].left += back;
            self.expire(lot);
        }
    }

    /// Takes back what was earned.
    pub fn claw_back(&mut self, lot: usize, points: i64, forgiven_before: i64, policy: Policy) -> Clawed {
        let wallet = self.lots[lot].wallet;
        let forgiven = points.min((self.lots[lot].expired - forgiven_before).max(0));
        let mut taken = 0;
        if policy != Policy::PendingOnly || self.lots[lot].waits.is_some() {
            taken = self.lots[lot].left.min(points - forgiven);
            self.lots[lot].left -= taken;
        }
        if policy != Policy::PendingOnly {
            taken += self.take(wallet, points - forgiven - taken).iter().map(|t| t.1).sum::<i64>();
        }
        let rest = points - forgiven - taken;
        let held = if policy == Policy::PendingOnly { 0 } else { self.owe_from_holds(wallet, rest) };
        let rest = rest - held;
        let (waived, owed) = if policy == Policy::Allow { (0, rest) } else { (rest, 0) };
        self.purses[wallet].debt += owed;
        self.purses[wallet].reversed += taken + owed;
        [points, taken, forgiven, held, waived, owed]
    }

    fn owe_from_holds(&mut self, wallet: usize, points: i64) -> i64 {
        let mut rest = points;
        for hold in self.holds.iter_mut().filter(|h| h.wallet == wallet) {
            let gives = rest.min(hold.points() - hold.owed);
            hold.owed += gives;
            rest -= gives;
        }
        points - rest
    }

    /// What is seen, the days up to today having passed.
    pub fn view(&self, calendar: &Calendar) -> View {
        let wallets = self.purses.iter().enumerate().map(|(i, p)| self.wallet_view(i, p, calendar)).collect();
        View {
            seq: self.postings,
            orders: self.orders,
            last_order: self.last_order,
            wallets,
            used: Vec::new(),
            tier: TierView::default(),
        }
    }

    fn wallet_view(&self, wallet: usize, purse: &Purse, calendar: &Calendar) -> WalletView {
        let mut view = WalletView { debt: purse.debt, ..WalletView::default() };
        view.holds = self.holds.iter().filter(|h| h.wallet == wallet).map(|h| (h.ends, h.points(), h.owed)).collect();
        view.held = view.holds.iter().map(|h| h.1).sum();
        view.ever = [purse.earned, purse.reversed, purse.spent, purse.expired];
        let mut lots: Vec<&Lot> = self.lots.iter().filter(|l| l.wallet == wallet && l.left > 0).collect();
        lots.sort_by_key(|l| (l.end, l.waits));
        for lot in &lots {
            if let Some(day) = lot.waits {
                view.pending += lot.left;
                add(&mut view.waits, (calendar.start(day), lot.end), lot.left);
            } else {
                view.spendable += lot.left;
                add_end(&mut view.ends, lot.end, lot.left);
            }
        }
        if lots.iter().any(|l| l.end == End::Inactive) {
            view.inactive_on = purse.active_until;
        }
        view.waits.sort_unstable();
        view
    }
}

fn add(sums: &mut Vec<(Time, End, i64)>, (at, end): (Time, End), points: i64) {
    match sums.iter_mut().find(|s| (s.0, s.1) == (at, end)) {
        Some(sum) => sum.2 += points,
        None => sums.push((at, end, points)),
    }
}

fn add_end(sums: &mut Vec<(End, i64)>, end: End, points: i64) {
    match sums.iter_mut().find(|s| s.0 == end) {
        Some(sum) => sum.1 += points,
        None => sums.push((end, points)),
    }
}
