//! Tiers: from what is written to the ladder.

use indexmap::IndexMap;
use rust_decimal::Decimal;

use crate::kernel::money::{Currency, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::compile::{AMOUNT_PLACES_MAX, Reading, in_minor, plain_decimal};
use crate::loyalty::program::document::tiers::{
    self, Downgrade as WrittenDowngrade, DowngradeAt, DowngradeRule, DowngradeTo, Tiers, Valid as WrittenValid,
};
use crate::loyalty::program::document::{self, Document, Wallet as WrittenWallet};
use crate::loyalty::program::model::tiers::{Downgrade, Fall, FallTo, Ladder, Tier, TierMapping, Valid};
use crate::loyalty::program::model::{Counts, Qualifying, Slot, TierSlot, Window};
use crate::loyalty::program::slots::Slots;

/// The most tiers of a ladder.
pub const TIERS_MAX: usize = 20;
/// The most perks that a tier names.
pub const TIER_PERKS_MAX: usize = 50;
/// The most times what others earn that a tier earns.
pub const TIER_EARN_MAX: i64 = 100;
/// What audiences call members without a tier.
pub(super) const NO_TIER: &str = "none";

impl Reading {
    pub(super) fn tiers(&mut self, document: &Document, slots: &Slots, currency: Option<Currency>) -> Option<Ladder> {
        let written = document.tiers.as_ref()?;
        let wallet = self.earns(document, &slots.wallets, &written.wallet);
        let counts = wallet.map(|(_, qualifying)| qualifying.counts);
        let tiers = self.ladder(&written.ladder, &slots.tiers, counts, currency);
        self.perks_of_tiers(document, &written.ladder);
        let window = wallet.map(|(_, qualifying)| qualifying.window);
        let valid = self.valid(written, window);
        let downgrade = self.downgrade(written, window);
        let (wallet, Qualifying { counts, window }) = wallet?;
        Some(Ladder { wallet, counts, window, tiers, valid: valid?, downgrade: downgrade? })
    }

    fn earns(&mut self, document: &Document, slots: &IndexMap<String, Slot>, code: &str) -> Option<(Slot, Qualifying)> {
        let place = ["tiers", "wallet"];
        self.required(&place, code)?;
        let Some(WrittenWallet::Qualifying(written)) = document.wallets.get(code) else {
            self.wrong(&place, "is not a qualifying wallet of this document");
            return None;
        };
        // Mistakes in it are named where it stands.
        let window = match &written.window {
            document::Window::CalendarYear => Window::CalendarYear,
            document::Window::Anniversary => Window::Anniversary,
            document::Window::Lifetime => Window::Lifetime,
            document::Window::Rolling(period) => Window::Rolling(period.parse().ok()?),
        };
        let counts = match written.counts {
            document::Counts::Spend => Counts::Spend,
            document::Counts::Points => Counts::Points,
            document::Counts::Orders => Counts::Orders,
        };
        Some((slots.get(code).copied()?, Qualifying { counts, window }))
    }

    fn ladder(
        &mut self,
        written: &[tiers::Tier],
        slots: &IndexMap<String, TierSlot>,
        counts: Option<Counts>,
        currency: Option<Currency>,
    ) -> Vec<Tier> {
        if written.is_empty() {
            self.wrong(&["tiers", "ladder"], "has at least one tier");
        }
        if written.len() > TIERS_MAX {
            self.wrong(&["tiers", "ladder"], format_args!("has at most {TIERS_MAX} tiers"));
        }
        let mut ladder: Vec<Tier> = Vec::with_capacity(written.len());
        let mut lower: Option<(Decimal, &str)> = None;
        for (i, tier) in written.iter().enumerate() {
            let i = i.to_string();
            let place = |field| ["tiers", "ladder", i.as_str(), field];
            let code = tier.code.as_str();
            self.tier_code(&place("code"), code, written);
            let from = self.decimal(&place("from"), &tier.from);
            if let (Some(from), Some((before, text))) = (from, lower)
                && from <= before
            {
                self.wrong(&place("from"), format_args!("is more than what the tier before it asks for, {text}"));
            }
            lower = from.map(|from| (from, tier.from.as_str())).or(lower);
            let from = from.and_then(|from| self.threshold(&place("from"), from, counts, currency));
            let earn = tier.earn.as_ref().map(|text| self.earn(&place("earn"), text));
            let text = self.texts(&["tiers", "ladder", &i], &tier.text);
            let slot = slots.get(code).copied();
            if slot.is_none() {
                self.wrong(&place("code"), "has no slot");
            }
            let Some((slot, from)) = slot.zip(from) else { continue };
            let (code, perks) = (code.to_owned(), tier.perks.clone());
            ladder.push(Tier { slot, code, from, earn: earn.flatten().flatten(), perks, text });
        }
        ladder
    }

    /// Where members of tiers go that are gone. One that no version had moves nobody.
    pub(super) fn mapping(&mut self, named: &Named<'_>) -> TierMapping {
        let mut mapping = TierMapping::default();
        for (from, to) in &named.document.mapping.tiers {
            let place = ["mapping", "tiers", from];
            self.code(&place, from);
            if named.tiers.contains(from) {
                self.wrong(&place, "is still a tier of this document");
            }
            if to != NO_TIER && !named.tiers.contains(to) {
                self.wrong(&place, "leads to no tier of this document, nor to `none`");
            }
            if let Some(from) = named.slots.tiers.get(from) {
                mapping.0.insert(*from, named.slots.tiers.get(to).copied().filter(|_| to != NO_TIER));
            }
        }
        mapping
    }

    fn tier_code(&mut self, place: &[&str], code: &str, all: &[tiers::Tier]) {
        if self.required(place, code).is_none() {
            return;
        }
        self.code(place, code);
        if code == NO_TIER {
            self.wrong(place, format_args!("`{NO_TIER}` stands for members without a tier"));
        }
        let first = all.iter().position(|tier| tier.code == code).map(|i| i.to_string());
        if !place.iter().any(|part| Some(*part) == first.as_deref()) {
            self.wrong(place, "is the code of another tier");
        }
    }

    fn decimal(&mut self, place: &[&str], text: &str) -> Option<Decimal> {
        self.required(place, text)?;
        self.ok(place, plain_decimal(text).ok_or("is not a decimal such as \"250.00\""))
    }

    /// A threshold in the wallet's unit.
    fn threshold(
        &mut self,
        place: &[&str],
        from: Decimal,
        counts: Option<Counts>,
        currency: Option<Currency>,
    ) -> Option<Points> {
        let (unit, places) = match counts? {
            Counts::Spend => (in_minor(from, currency?.exponent()), "has more decimal places than the currency"),
            Counts::Points => (Some(from), "is a whole number, as the wallet counts points"),
            Counts::Orders => (Some(from), "is a whole number, as the wallet counts orders"),
        };
        let unit = self.ok(place, unit.ok_or("is too large"))?.normalize();
        let whole = self.ok(place, (unit.scale() == 0).then_some(unit).ok_or(places))?;
        let points = i64::try_from(whole).ok().and_then(|whole| Points::try_from(whole).ok());
        self.ok(place, points.ok_or("is too large"))
    }

    /// What is earned on top; `None` inside: nothing.
    fn earn(&mut self, place: &[&str], text: &str) -> Option<Option<Ratio>> {
        let earn = self.decimal(place, text)?;
        let fits = earn >= Decimal::ONE && earn <= Decimal::from(TIER_EARN_MAX) && earn.scale() <= AMOUNT_PLACES_MAX;
        let range = format_args!("is 1 to {TIER_EARN_MAX}, with at most {AMOUNT_PLACES_MAX} decimal places");
        let earn = self.ok(place, fits.then_some(earn).ok_or(range))?;
        let over = earn.checked_sub(Decimal::ONE).filter(|over| !over.is_zero());
        Some(over.and_then(|over| Ratio::of(over, Decimal::ONE)))
    }

    fn perks_of_tiers(&mut self, document: &Document, ladder: &[tiers::Tier]) {
        for (i, tier) in ladder.iter().enumerate() {
            let tier_index = i.to_string();
            let place = ["tiers", "ladder", &tier_index, "perks"];
            if tier.perks.len() > TIER_PERKS_MAX {
                self.wrong(&place, format_args!("are at most {TIER_PERKS_MAX}"));
            }
            for (i, perk) in tier.perks.iter().enumerate() {
                let index = i.to_string();
                let place = [place.as_slice(), &[index.as_str()]].concat();
                if !document.perks.contains_key(perk) {
                    self.wrong(&place, "is no perk of this document");
                }
                self.once(&place, &tier.perks, i);
            }
        }
    }

    fn valid(&mut self, written: &Tiers, window: Option<Window>) -> Option<Valid> {
        let place = ["tiers", "valid"];
        if written.valid.is_some() && written.downgrade == Some(WrittenDowngrade::Never) {
            self.wrong(&place, "says nothing where `downgrade` is `never`");
            return None;
        }
        match &written.valid {
            None => window.map(|window| if closes(window) { Valid::EndOfNextPeriod } else { Valid::Open }),
            Some(WrittenValid::EndOfNextPeriod) => {
                let valid = window.is_none_or(closes).then_some(Valid::EndOfNextPeriod);
                self.ok(&place, valid.ok_or("`end_of_next_period` goes with calendar years and anniversaries"))
            }
            Some(WrittenValid::For(text)) => {
                self.required(&place, text)?;
                let period = text.parse().map(Valid::For);
                self.ok(&place, period.map_err(|_| "is neither `end_of_next_period` nor a period such as P12M"))
            }
        }
    }

    fn downgrade(&mut self, written: &Tiers, window: Option<Window>) -> Option<Downgrade> {
        let usual = DowngradeRule::default();
        let rule = match &written.downgrade {
            Some(WrittenDowngrade::Never) => return Some(Downgrade::Never),
            Some(WrittenDowngrade::Rule(rule)) => rule,
            None => &usual,
        };
        let place = |field| ["tiers", "downgrade", field];
        let grace = rule.grace.as_ref().map(|text| self.text(&place("grace"), text));
        let closes = closes(window?);
        match rule.at {
            Some(DowngradeAt::PeriodEnd) if !closes => {
                self.wrong(&place("at"), "`period_end` goes with calendar years and anniversaries");
                return None;
            }
            Some(DowngradeAt::WhenBelow) if closes => {
                let why = "`when_below` goes with rolling and lifetime windows: in others all start again from zero";
                self.wrong(&place("at"), why);
                return None;
            }
            _ => {}
        }
        let to = match rule.to {
            DowngradeTo::Earned => FallTo::Earned,
            DowngradeTo::OneDown => FallTo::OneDown,
        };
        if !closes && to == FallTo::OneDown && grace.is_none() && written.valid.is_none() {
            self.wrong(&place("to"), "`one_down` needs a `grace` or `valid`, else members fall to the ground at once");
            return None;
        }
        let grace = match grace {
            None => None,
            Some(period) => Some(period?),
        };
        let fall = Fall { to, grace };
        Some(if closes { Downgrade::PeriodEnd(fall) } else { Downgrade::WhenBelow(fall) })
    }
}

/// Whether a window has periods that end for everything in them.
fn closes(window: Window) -> bool {
    match window {
        Window::CalendarYear | Window::Anniversary => true,
        Window::Rolling(_) | Window::Lifetime => false,
    }
}

#[cfg(test)]
mod tests;
