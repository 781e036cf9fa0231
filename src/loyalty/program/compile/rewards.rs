//! Rewards, compiled: what they give is checked, and read from the document by who hands it out.

use rust_decimal::Decimal;

use crate::kernel::calendar::Period;
use crate::kernel::cycle::Cycle;
use crate::kernel::points::Points;
use crate::loyalty::program::compile::Reading;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::document::discounts::Uses;
use crate::loyalty::program::document::rewards::{Cost, Gives, Reward as WrittenReward, RewardLimits, Voucher};
use crate::loyalty::program::model::TierSlot;
use crate::loyalty::program::model::rewards::Reward;

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
        self.gives(code, &written.gives, named);
        self.reward_limits(code, written.limits.as_ref());
        let audience = self.audience(&place, written.audience.as_ref(), named);
        let schedule = self.schedule(&place, written.schedule.as_ref(), named.zone);
        let text = self.texts(&place, &written.text);
        let wallet = wallet.and_then(|wallet| named.slots.wallets.get(wallet).copied())?;
        let (cost, of_tiers) = cost?;
        Some(Reward { code: code.to_owned(), wallet, cost, of_tiers, audience, schedule: schedule?, text })
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

    fn gives(&mut self, code: &str, written: &Gives, named: &Named<'_>) {
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
        match there.next() {
            None => {
                let all: Vec<String> = all.iter().map(|(field, _)| format!("`{field}`")).collect();
                self.wrong(&["rewards", code, "gives"], format_args!("has one of {}", all.join(", ")));
            }
            Some(first) => {
                for other in there {
                    self.wrong(&place(other), format_args!("does not go with `{first}`"));
                }
            }
        }
        if let Some(Voucher { amount, percent }) = &written.voucher {
            match (amount, percent) {
                (Some(amount), None) => {
                    self.more_than_nothing(&["rewards", code, "gives", "voucher", "amount"], amount, named.exponent);
                }
                (None, Some(percent)) => {
                    let place = ["rewards", code, "gives", "voucher", "percent"];
                    if self.amount(&place, percent).is_some_and(|percent| percent > Decimal::ONE_HUNDRED) {
                        self.wrong(&place, "is more than 0 and at most 100");
                    }
                }
                _ => self.wrong(&place("voucher"), "has either `amount` or `percent`"),
            }
        }
        if let Some(amount) = &written.gift_card {
            self.more_than_nothing(&place("gift_card"), amount, named.exponent);
        }
        for (field, text) in [("product", &written.product), ("custom", &written.custom)] {
            if let Some(text) = text {
                self.words(&place(field), text, GIVEN_CHARS_MAX);
            }
        }
        if written.perk.as_ref().is_some_and(|perk| !named.document.perks.contains_key(perk)) {
            self.wrong(&place("perk"), "is no perk of this document");
        }
        if let Some(valid) = &written.valid {
            self.text::<Period>(&place("valid"), valid);
        }
    }

    fn reward_limits(&mut self, code: &str, written: Option<&RewardLimits>) {
        let Some(RewardLimits { stock, per_member }) = written else { return };
        let place = |field| ["rewards", code, "limits", field];
        if stock.is_none() && per_member.is_none() {
            self.wrong(&["rewards", code, "limits"], "has `stock`, `per_member`, or both");
        }
        if stock.is_some_and(|stock| stock < 0) {
            self.wrong(&place("stock"), "must not be negative");
        }
        if let Some(Uses { uses, each }) = per_member {
            if *uses < 1 {
                self.wrong(&["rewards", code, "limits", "per_member", "uses"], "must be 1 or more");
            }
            self.ok(&["rewards", code, "limits", "per_member", "each"], Cycle::read(each.as_deref()));
        }
    }
}

#[cfg(test)]
mod tests;
