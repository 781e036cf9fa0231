//! How time passes: mostly quickly, and often to a moment that matters.

use chrono::{Datelike, Duration, Weekday};

use crate::facts::{Day, End, Time};
use crate::generate::Generator;
use crate::naive::Naive;
use crate::naive::calendar::tomorrow;

impl Generator {
    pub fn pass_time(&mut self, model: &Naive<'_>) {
        let mut now = self.history.unwrap_or(self.clock);
        let days = match self.rng.within(1, 100) {
            1..=45 => Duration::seconds(self.rng.within(0, 20_000)),
            46..=75 => Duration::seconds(self.rng.within(0, 86_400 * 12)),
            76..=82 => Duration::days(self.rng.within(20, 200)),
            83 => Duration::days(self.rng.within(300, 800)),
            86..=89 => self.hold_end(model, now) - now,
            90..=91 => self.edge(model, now, now + Duration::days(400)).max(now) - now,
            84..=85 if self.history.is_none() => Duration::seconds(-self.rng.within(0, 60)),
            _ => {
                let at = self.midnight(model, now);
                at.max(now) - now
            }
        };
        now += days;
        match self.history {
            Some(_) if now < self.clock && !self.rng.percent(3) => self.history = Some(now),
            Some(_) => self.history = None,
            None => self.clock = now,
        }
    }

    /// The start of a day that matters, or a moment beside it.
    fn midnight(&mut self, model: &Naive<'_>, now: Time) -> Time {
        let calendar = &model.spec.calendar;
        let today = calendar.day(now);
        let month = |m: u32, y| Day::from_ymd_opt(y, m, 1).unwrap();
        let mut days = vec![
            tomorrow(today),
            today.week(Weekday::Mon).last_day() + Duration::days(1),
            month(today.month() % 12 + 1, today.year() + i32::from(today.month() == 12)),
            month(1, today.year() + 1),
            month(3, today.year() + i32::from(today.month() > 2)),
        ];
        days.extend(calendar.next_odd(today).into_iter().flat_map(|d| [d, tomorrow(d)]));
        for member in model.members.values() {
            for lot in member.lots.iter().filter(|l| l.left > 0) {
                if let End::On(day) = lot.end {
                    days.push(tomorrow(day));
                }
                days.extend(lot.waits);
            }
            let held = member.standing.held.iter();
            days.extend(held.flat_map(|held| [held.until.map(tomorrow), held.falls.map(|falls| falls.0)]).flatten());
            days.extend(member.purses.iter().filter_map(|p| p.active_until).map(tomorrow));
        }
        days.retain(|d| *d > today && *d < today + Duration::days(800));
        let day = *self.rng.pick(&days);
        calendar.start(day) + Duration::seconds(*self.rng.pick(&[-1, 0, 0, 1]))
    }

    /// The end of an open hold, or a moment beside it.
    fn hold_end(&mut self, model: &Naive<'_>, now: Time) -> Time {
        let ends: Vec<Time> = model.members.values().flat_map(|m| &m.holds).map(|h| h.ends).collect();
        let end = if ends.is_empty() { now } else { *self.rng.pick(&ends) };
        (end + Duration::seconds(*self.rng.pick(&[-1, 0, 0, 1]))).max(now)
    }

    /// A moment at which a rule begins or ends within some time, or one beside it; without one, a day after `from`.
    pub fn edge(&mut self, model: &Naive<'_>, from: Time, to: Time) -> Time {
        let rules = &model.spec.versions[model.spec.at(to)].earns;
        let edges = rules.iter().flat_map(|e| [e.from, e.until]).flatten().map(|time| model.spec.calendar.first(time));
        let edges: Vec<Time> = edges.filter(|edge| from <= *edge && *edge <= to).collect();
        if edges.is_empty() {
            return from + Duration::days(1);
        }
        *self.rng.pick(&edges) + Duration::seconds(*self.rng.pick(&[-1, 0, 0, 1]))
    }
}
