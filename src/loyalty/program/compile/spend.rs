//! How points may be spent, compiled.

use rust_decimal::Decimal;

use crate::kernel::money::Ratio;
use crate::kernel::points::Points;
use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::condition::Scope;
use crate::loyalty::program::document;
use crate::loyalty::program::model::Spend;

impl Reading {
    pub(super) fn spend(&mut self, wallet: &str, written: &document::Spend, named: &Named<'_>) -> Option<Spend> {
        let place = |field| ["wallets", wallet, "spend", field];
        let mut points = |field, n: Option<i64>| {
            let read = n.map(|n| Points::try_from(n).ok().filter(|n| !n.is_zero()).ok_or("is 1 to 10^15 points"));
            read.map_or(Some(None), |read| self.ok(&place(field), read).map(Some))
        };
        let (min, step) = (points("min", written.min), points("step", written.step));
        let max_share = written.max_share.as_ref().map(|text| {
            let share = self.amount(&place("max_share"), text)?;
            let share = Some(share).filter(|share| *share <= Decimal::ONE);
            let ratio = share.and_then(|share| Ratio::of(share, Decimal::ONE));
            self.ok(&place("max_share"), ratio.ok_or("is a part: more than 0 and at most 1"))
        });
        let scope = Scope { order: false, ..named.of_lines() };
        let not = self.condition(&place("not"), written.not.as_ref(), &scope);
        let min = min?.unwrap_or(Points::ZERO);
        let step = step?.unwrap_or(Points::ONE);
        // What is absent is fine, what cannot be read is not.
        let max_share = max_share.map_or(Some(None), |share| share.map(Some))?;
        if not.is_none() && written.not.is_some() {
            return None;
        }
        Some(Spend { min, step, max_share, not })
    }
}
