//! What a tier awarded on top of an order: its part of what rules by the base and multipliers did. Source: golden.md R3.

use crate::loyalty::ledger::posting::PostingKind;
use crate::loyalty::ledger::verify::documents::{OrderDocument, parse};
use crate::loyalty::ledger::verify::fold::Folded;
use crate::loyalty::ledger::verify::ladder::Rules;
use crate::loyalty::ledger::verify::tiers::TierStep;
use crate::loyalty::program::model::tiers::Tier;
use crate::loyalty::program::model::{Award, Rulebook};

impl Folded {
    /// Checks an order's rows of a tier against the tier that the member was in before it.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check_tier_rows(&self, step: &TierStep<'_>) -> Result<(), String> {
        let book = step.timeline.version(step.row.version);
        let Some(ladder) = book.tiers.as_ref().filter(|_| step.row.kind == PostingKind::Order) else { return Ok(()) };
        let document: OrderDocument = parse(step.row)?;
        let said = document.rows.iter().find_map(|row| row.rule.strip_prefix("tier:"));
        let enrolled_on = self.enrolled_on.unwrap_or(document.ordered_on);
        let rules = Rules { ladder, zone: book.zone, enrolled_on };
        let there = rules.tier(&self.tiers.stand).and_then(|slot| ladder.tier(slot));
        let named = ladder.tiers.iter().find(|tier| Some(tier.code.as_str()) == said);
        if said.is_some() && named.is_none() {
            return Err(format!("{said:?} is no tier of its version"));
        }
        // Of a late order it is the tier of its time, which nobody here remembers.
        let late = step.row.effective_at < step.at;
        let tier = if late { named } else { there };
        for wallet in &book.wallets {
            let of_tier = document.rows.iter().filter(|row| row.wallet == wallet.code && row.rule.starts_with("tier:"));
            let says: Vec<(&str, i64)> = of_tier.map(|row| (row.rule.as_str(), row.points)).collect();
            let due = tier
                .and_then(|tier| Some((format!("tier:{}", tier.code), on_top(book, tier, &document, &wallet.code)?)));
            let due: Vec<(&str, i64)> = due.iter().map(|(name, points)| (name.as_str(), *points)).collect();
            if says != due {
                return Err(format!("it says {says:?} of {}, and it is {due:?}", wallet.code));
            }
        }
        Ok(())
    }
}

/// What a tier adds to a wallet, where that is anything.
fn on_top(book: &Rulebook, tier: &Tier, document: &OrderDocument, wallet: &str) -> Option<i64> {
    let counts = |code: &str| book.rule(code).is_some_and(|rule| !matches!(rule.award, Award::Fixed(_)));
    let rows = document.rows.iter().filter(|row| row.wallet == wallet && counts(&row.rule));
    let points = tier.earn?.floor(rows.map(|row| row.points).sum())?;
    (points != 0).then_some(points)
}
