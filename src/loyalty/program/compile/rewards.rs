//! Rewards, compiled.

use rust_decimal::Decimal;

use crate::kernel::calendar::Period;
use crate::kernel::cycle::Cycle;
use crate::kernel::points::Points;
use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::document::discounts::Uses;
use crate::loyalty::program::document::rewards::{
    Cost, Gives as WrittenGives, Reward as WrittenReward, RewardLimits, Voucher,
};
use crate::loyalty::program::model::rewards::{Gives, Reward};
use crate::loyalty::program::model::{Budget, Cap, TierSlot};
use crate::loyalty::program::slots::redemptions_of;

/// The most rewards.
pub const REWARDS_MAX: usize = 200;
/// The most characters of an article's number, or of the shop's name for what it hands out.
pub const GIVEN_CHARS_MAX: usize = 100;

impl Reading {
    pub(super) fn rewards(&mut self, named: &Named<'_>) -> Vec<Reward> {
        let written = &named.document.rewards;
        if written.len() > REWARDS_MAX {
            self.wrong(&["rewards"], format_args!("a programme has at most {REWARDS_MAX} rewards"));
        }
        written.iter().filter_map(|(code, reward)| self.reward(code, reward, named)).collect()
    }

    fn reward(&mut self, code: &str, written: &WrittenReward, named: &Named<'_>) -> Option<Reward> {
        let place = ["rewards", code];
        self.code(&place, code);
        let wallet = self.redeemable_named(&["rewards", code, "wallet"], named.document, written.wallet.as_deref());
        let cost = self.cost(code, &written.cost, named);
        let gives = self.gives(code, &written.gives, named);
        let valid = written.gives.valid.as_ref();
        let valid = valid.map(|valid| self.text::<Period>(&["rewards", code, "gives", "valid"], valid));
        let limits = self.reward_limits(code, written.limits.as_ref(), named);
        let audience = self.audience(&place, written.audience.as_ref(), named);
        let schedule = self.schedule(&place, written.schedule.as_ref(), named.zone);
        let text = self.texts(&place, &written.text);
        let wallet = wallet.and_then(|wallet| named.slots.wallets.get(wallet).copied())?;
        let ((cost, of_tiers), (stock, per_member)) = (cost?, limits?);
        Some(Reward {
            code: code.to_owned(),
            wallet,
            cost,
            of_tiers,
            gives: gives?,
            valid: valid.map_or(Some(None), |valid| valid.map(Some))?,
            audience,
            schedule: schedule?,
            stock,
            per_member,
            text,
        })
    }

    fn cost(&mut self, code: &str, written: &Cost, named: &Named<'_>) -> Option<(Points, Vec<(TierSlot, Points)>)> {
        let points = self.some_points(&["rewards", code, "cost", "points"], written.points);
        let mut of_tiers = Vec::with_capacity(written.tiers.len());
        for (tier, cost) in &written.tiers {
            let place = ["rewards", code, "cost", "tiers", tier];
            if !named.tiers.contains(tier) {
                self.wrong(&place, "is no tier of this document");
            }
            let cost = self.some_points(&place, *cost);
            of_tiers.extend(named.slots.tiers.get(tier).copied().zip(cost));
        }
        points.map(|points| (points, of_tiers))
    }

    fn some_points(&mut self, place: &[&str], points: i64) -> Option<Points> {
        let points = Points::try_from(points).ok().filter(|points| !points.is_zero());
        self.ok(place, points.ok_or("is 1 to 10^15 points"))
    }

    fn gives(&mut self, code: &str, written: &WrittenGives, named: &Named<'_>) -> Option<Gives> {
        let place = |field| ["rewards", code, "gives", field];
        let all = [
            ("voucher", written.voucher.is_some()),
            ("product", written.product.is_some()),
            ("free_shipping", written.free_shipping),
            ("gift_card", written.gift_card.is_some()),
            ("perk", written.perk.is_some()),
            ("custom", written.custom.is_some()),
        ];
        let mut there = all.iter().filter(|(_, there)| *there).map(|(field, _)| *field);
        let Some(first) = there.next() else {
            let all: Vec<String> = all.iter().map(|(field, _)| format!("`{field}`")).collect();
            self.wrong(&["rewards", code, "gives"], format_args!("has one of {}", all.join(", ")));
            return None;
        };
        for other in there {
            self.wrong(&place(other), format_args!("does not go with `{first}`"));
        }
        match written {
            WrittenGives { voucher: Some(voucher), .. } => self.off(code, voucher, named.exponent),
            WrittenGives { product: Some(product), .. } => {
                self.words(&place("product"), product, GIVEN_CHARS_MAX);
                Some(Gives::Product(product.clone()))
            }
            WrittenGives { gift_card: Some(amount), .. } => {
                self.more_than_nothing(&place("gift_card"), amount, named.exponent).map(Gives::GiftCard)
            }
            WrittenGives { perk: Some(perk), .. } => {
                if !named.document.perks.contains_key(perk) {
                    self.wrong(&place("perk"), "is no perk of this document");
                }
                Some(Gives::Perk(perk.clone()))
            }
            WrittenGives { custom: Some(custom), .. } => {
                self.words(&place("custom"), custom, GIVEN_CHARS_MAX);
                Some(Gives::Custom(custom.clone()))
            }
            WrittenGives { .. } => Some(Gives::FreeShipping),
        }
    }

    fn off(&mut self, code: &str, voucher: &Voucher, exponent: u32) -> Option<Gives> {
        let place = |field| ["rewards", code, "gives", "voucher", field];
        match (&voucher.amount, &voucher.percent) {
            (Some(amount), None) => self.more_than_nothing(&place("amount"), amount, exponent).map(Gives::Amount),
            (None, Some(percent)) => {
                let percent = self.amount(&place("percent"), percent)?;
                let percent = Some(percent).filter(|percent| *percent <= Decimal::ONE_HUNDRED);
                self.ok(&place("percent"), percent.ok_or("is more than 0 and at most 100")).map(Gives::Percent)
            }
            _ => {
                self.wrong(&["rewards", code, "gives", "voucher"], "has either `amount` or `percent`");
                None
            }
        }
    }

    fn reward_limits(
        &mut self,
        code: &str,
        written: Option<&RewardLimits>,
        named: &Named<'_>,
    ) -> Option<(Option<Budget>, Option<Cap>)> {
        let Some(RewardLimits { stock, per_member }) = written else { return Some((None, None)) };
        if stock.is_none() && per_member.is_none() {
            self.wrong(&["rewards", code, "limits"], "has `stock`, `per_member`, or both");
        }
        let read = |stock: i64| {
            Points::try_from(stock).map_err(|_| if stock < 0 { "must not be negative" } else { "is at most 10^15" })
        };
        let stock = stock.map(|stock| self.ok(&["rewards", code, "limits", "stock"], read(stock)));
        let per_member = per_member.as_ref().map(|Uses { uses, each }| {
            let times = Points::try_from(*uses).ok().filter(|times| !times.is_zero()).ok_or("must be 1 or more");
            let times = self.ok(&["rewards", code, "limits", "per_member", "uses"], times);
            let cycle = Cycle::read(each.as_deref());
            let cycle = self.ok(&["rewards", code, "limits", "per_member", "each"], cycle);
            let slot = named.slots.rules.get(&redemptions_of(code)).copied();
            if slot.is_none() {
                self.wrong(&["rewards", code, "limits"], "has no slot");
            }
            Some(Cap { slot: slot?, points: times?, cycle: cycle? })
        });
        let stock = stock.map_or(Some(None), |stock| stock.map(|points| Some(Budget { points, cycle: Cycle::Ever })));
        Some((stock?, per_member.map_or(Some(None), |cap| cap.map(Some))?))
    }
}

#[cfg(test)]
mod tests;
