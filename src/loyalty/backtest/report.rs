//! What a preview answers.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::money::{Amount, Currency};
use crate::loyalty::backtest::groups::{DiscountTotal, SegmentCompared, discounts, segments};
use crate::loyalty::backtest::replay::Span;
use crate::loyalty::backtest::tally::{Best, Example, Group, Places, Side, Tally, cost, flow_of, redeemable};
use crate::loyalty::program::model::{Redeemable, Rulebook, TierSlot, Wallet};

/// What a preview takes for granted, in words.
pub const ASSUMPTIONS: [&str; 8] = [
    "Members behave as they did: the same orders, returns and adjustments on the same days, whatever they would have got.",
    "Both sides are replayed from the first order on, each under its one version as if it had always been in force; what \
     was booked at the time is not looked at.",
    "An order is paid with the points that it was paid with then, as far as they are there and it has room for them, whatever \
     the version says of spending; the rest is paid in money. Points that were held for an order are paid when it is settled.",
    "A rule with a budget awards nothing from the day on by whose end all members together would have used it up; what \
     returns give back is not awarded again.",
    "Discounts are those that the orders state, and prices are what was charged.",
    "Members and articles are as they are known today; orders from before articles were kept have none.",
    "What members gave each other is given again, as far as it is there; members who were merged are replayed each on their \
     own.",
    "The window counts what was booked in it; an order that came late counts when it came.",
];

/// A document beside the version in force, over a window of the programme's own past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewReport {
    /// The version that it was compared with.
    pub version: i32,
    /// From when on things are counted,
    pub from: DateTime<Utc>,
    /// until just before this.
    pub to: DateTime<Utc>,
    /// What all money is in.
    pub currency: String,
    /// Members who had an account by the end.
    pub members: u64,
    /// Orders in the window.
    pub orders: CountsCompared,
    /// What could not be done again: orders, returns and adjustments that the version refuses.
    pub refused: CountsCompared,
    /// Postings of the past that could not be read.
    pub unreadable: u64,
    /// The wallets whose points can be spent, those of the document first.
    pub wallets: Vec<WalletCompared>,
    /// What all of that costs: awards less what returns took back, at what points are worth at checkout.
    pub cost: AmountsCompared,
    /// What the points that members have at the end are worth.
    pub liability: AmountsCompared,
    /// What each earning rule awarded in the window, those of the document first, and what tiers added: `tier:gold`.
    pub rules: Vec<RuleCompared>,
    /// Members who get more under the document,
    pub gain: u64,
    /// who get less,
    pub lose: u64,
    /// and who get the same.
    pub same: u64,
    /// Members by the tier that they are in at the end, those in none first.
    pub tiers: Vec<TierCompared>,
    /// Members by the lists that they are in at the end; who is in several counts in each.
    pub segments: Vec<SegmentCompared>,
    /// What came off the orders of the window, as they state it: of the programme's discounts and of the shop's own.
    pub discounts: Vec<DiscountTotal>,
    /// Who is in another tier under the document than under the version in force.
    pub moves: Vec<TierMove>,
    /// Who gains most, by what awards are worth, the largest gain first.
    pub winners: Vec<MemberCompared>,
    /// Who loses most, the largest loss first.
    pub losers: Vec<MemberCompared>,
    /// What was taken for granted.
    pub assumptions: Vec<String>,
}

/// A count under both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountsCompared {
    /// Under the version in force.
    pub before: u64,
    /// Under the document.
    pub after: u64,
}

/// Money under both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AmountsCompared {
    /// Under the version in force.
    #[schema(value_type = String, example = "1250.00")]
    pub before: Amount,
    /// Under the document.
    #[schema(value_type = String, example = "1400.00")]
    pub after: Amount,
}

/// What went through a wallet in the window, in points, and what is left at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletFigures {
    /// Awarded by rules.
    pub issued: i64,
    /// Awards that returns took back.
    pub taken_back: i64,
    /// Paid, less what returns gave back.
    pub spent: i64,
    /// Ended unused.
    pub expired: i64,
    /// What members have at the end, spendable or not yet.
    pub left: i64,
    /// What members owe at the end.
    pub owed: i64,
    /// What the awards that were not taken back are worth.
    #[schema(value_type = String, example = "1250.00")]
    pub cost: Amount,
    /// What `left` is worth.
    #[schema(value_type = String, example = "1250.00")]
    pub liability: Amount,
}

/// A wallet under both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WalletCompared {
    /// Its code.
    pub wallet: String,
    /// Under the version in force; null where it has no such wallet.
    pub before: Option<WalletFigures>,
    /// Under the document; null where it has no such wallet.
    pub after: Option<WalletFigures>,
}

/// An earning rule under both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleCompared {
    /// Its code.
    pub rule: String,
    /// Points under the version in force; null where it has no such rule.
    pub before: Option<i64>,
    /// Points under the document; null where it has no such rule.
    pub after: Option<i64>,
}

/// The members of a tier, or of none, and what awards in the window, less what returns took back, are worth to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierCompared {
    /// The tier's code; null: no tier.
    pub tier: Option<String>,
    /// Members who are in it at the end.
    pub members: CountsCompared,
    /// What those get who are in it under the version in force.
    pub cost: AmountsCompared,
    /// Those of them who get more under the document,
    pub gain: u64,
    /// and who get less.
    pub lose: u64,
}

/// Members who are in another tier under the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TierMove {
    /// The tier under the version in force; null: none.
    pub before: Option<String>,
    /// The tier under the document; null: none.
    pub after: Option<String>,
    /// Whether it is a higher one; null where the document does not have both.
    pub up: Option<bool>,
    /// How many members.
    pub members: u64,
    /// Some of them.
    pub examples: Vec<Uuid>,
}

/// A member under both versions: what awards in the window, less what returns took back, are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberCompared {
    /// The member.
    pub member: Uuid,
    /// Under the version in force.
    #[schema(value_type = String, example = "12.50")]
    pub before: Amount,
    /// Under the document.
    #[schema(value_type = String, example = "25.00")]
    pub after: Amount,
    /// How much more; negative where it is less.
    #[schema(value_type = String, example = "12.50")]
    pub difference: Amount,
}

/// Puts together what two versions made of a programme's past.
pub fn report(tally: &Tally, [before, after]: [&Rulebook; 2], span: Span) -> PreviewReport {
    let currency = before.currency;
    let sides = [(before, &tally.before), (after, &tally.after)];
    let wallets = wallets(sides);
    let total = |figure: fn(&WalletFigures) -> Amount, of: fn(&WalletCompared) -> Option<WalletFigures>| {
        let sum = wallets
            .iter()
            .filter_map(of)
            .map(|figures| figure(&figures).0)
            .fold(Decimal::ZERO, Decimal::saturating_add);
        // Kept with the currency's places where there is no wallet at all.
        Amount(Amount::of_minor(0, currency).0.saturating_add(sum))
    };
    let compared = |figure: fn(&WalletFigures) -> Amount| AmountsCompared {
        before: total(figure, |wallet| wallet.before),
        after: total(figure, |wallet| wallet.after),
    };
    let (cost, liability) = (compared(|figures| figures.cost), compared(|figures| figures.liability));
    PreviewReport {
        version: before.version.0,
        from: span.from,
        to: span.to,
        currency: currency.code().to_owned(),
        members: tally.members,
        orders: CountsCompared { before: tally.before.orders, after: tally.after.orders },
        refused: CountsCompared { before: tally.before.refused, after: tally.after.refused },
        unreadable: tally.unreadable,
        wallets,
        cost,
        liability,
        rules: rules(sides),
        gain: tally.gain,
        lose: tally.lose,
        same: tally.members.saturating_sub(tally.gain).saturating_sub(tally.lose),
        tiers: tiers(tally, [before, after]),
        segments: segments(tally, [before, after]),
        discounts: discounts(tally, currency),
        moves: moves(tally, [before, after]),
        winners: members(&tally.winners, currency),
        losers: members(&tally.losers, currency),
        assumptions: ASSUMPTIONS.iter().map(|text| (*text).to_owned()).collect(),
    }
}

type Sides<'a> = [(&'a Rulebook, &'a Side); 2];

fn wallets([before, after]: Sides<'_>) -> Vec<WalletCompared> {
    let gone =
        redeemable(before.0).filter(|(wallet, _)| !redeemable(after.0).any(|(there, _)| there.code == wallet.code));
    let all = redeemable(after.0).chain(gone).map(|(wallet, _)| wallet.code.as_str());
    let of = |(book, side): (&Rulebook, &Side), code: &str| {
        redeemable(book).find(|(wallet, _)| wallet.code == code).map(|found| figures(found, side, book.currency))
    };
    let compared =
        |code: &str| WalletCompared { wallet: code.to_owned(), before: of(before, code), after: of(after, code) };
    all.map(compared).collect()
}

fn figures((wallet, rules): (&Wallet, &Redeemable), side: &Side, currency: Currency) -> WalletFigures {
    let at = |figures: &[i64]| usize::try_from(wallet.slot.0).ok().and_then(|place| figures.get(place)).copied();
    let flow = flow_of(&side.flows, wallet);
    let (left, owed) = (at(&side.left).unwrap_or_default(), at(&side.owed).unwrap_or_default());
    let worth = |points: i64| Amount::of_minor(cost(rules, points), currency);
    WalletFigures {
        issued: flow.issued,
        taken_back: flow.taken_back,
        spent: flow.spent,
        expired: flow.expired,
        left,
        owed,
        cost: worth(flow.issued.saturating_sub(flow.taken_back)),
        liability: worth(left),
    }
}

fn rules([before, after]: Sides<'_>) -> Vec<RuleCompared> {
    let gone = before.0.earning.iter().filter(|rule| !after.0.earning.iter().any(|there| there.code == rule.code));
    let points = |(book, side): (&Rulebook, &Side), code: &str| {
        let place = book.earning.iter().position(|rule| rule.code == code)?;
        Some(side.rules.get(place).copied().unwrap_or_default())
    };
    let compared =
        |code: &str| RuleCompared { rule: code.to_owned(), before: points(before, code), after: points(after, code) };
    let tiers: BTreeSet<&String> = before.1.of_tiers.keys().chain(after.1.of_tiers.keys()).collect();
    let of_tier = |name: &String| RuleCompared {
        rule: name.clone(),
        before: before.1.of_tiers.get(name).copied(),
        after: after.1.of_tiers.get(name).copied(),
    };
    let of_rules = after.0.earning.iter().chain(gone).map(|rule| compared(&rule.code));
    of_rules.chain(tiers.into_iter().map(of_tier)).collect()
}

fn members(best: &Best, currency: Currency) -> Vec<MemberCompared> {
    let amount = |minor| Amount::of_minor(minor, currency);
    let compared = |example: &Example| MemberCompared {
        member: example.member.0,
        before: amount(example.before),
        after: amount(example.after),
        difference: amount(example.gain()),
    };
    best.iter().map(compared).collect()
}

/// The tiers of both versions, the lowest first: those of the document, and those that are gone.
fn ladder([before, after]: [&Rulebook; 2]) -> Vec<(&str, TierSlot)> {
    let gone = before.tier_codes.iter().filter(|(code, _)| !after.tier_codes.iter().any(|(there, _)| there == code));
    after.tier_codes.iter().chain(gone).map(|(code, slot)| (code.as_str(), *slot)).collect()
}

fn tiers(tally: &Tally, books: [&Rulebook; 2]) -> Vec<TierCompared> {
    let known = ladder(books);
    if known.is_empty() {
        return Vec::new();
    }
    let [before, _] = books;
    let currency = before.currency;
    let none = std::iter::once(None).chain(known.into_iter().map(Some));
    let compared = |tier: Option<(&str, TierSlot)>| {
        let slot = tier.map(|(_, slot)| slot);
        let of = |side: fn(&Places) -> Option<TierSlot>| {
            let there = tally.tiers.iter().filter(move |(places, _)| side(places) == slot);
            there.fold(Group::default(), |sum, (_, group)| sum.plus(*group))
        };
        let (here, there) = (of(|[before, _]| *before), of(|[_, after]| *after));
        let amount = |minor| Amount::of_minor(minor, currency);
        TierCompared {
            tier: tier.map(|(code, _)| code.to_owned()),
            members: CountsCompared { before: here.members, after: there.members },
            cost: AmountsCompared { before: amount(here.before), after: amount(here.after) },
            gain: here.gain,
            lose: here.lose,
        }
    };
    none.map(compared).collect()
}

fn moves(tally: &Tally, books: [&Rulebook; 2]) -> Vec<TierMove> {
    let known = ladder(books);
    let [_, after] = books;
    let code = |slot: Option<TierSlot>| {
        known.iter().find(|(_, there)| Some(*there) == slot).map(|(code, _)| (*code).to_owned())
    };
    // Nobody's place is below the first one.
    let height = |slot: Option<TierSlot>| match slot {
        None => Some(0),
        Some(slot) => {
            after.tier_codes.iter().position(|(_, there)| *there == slot).map(|place| place.saturating_add(1))
        }
    };
    let moved = tally.tiers.iter().filter(|([before, after], _)| before != after);
    let told = |(places, group): (&Places, &Group)| {
        let [before, after] = *places;
        let movers = tally.movers.get(places).into_iter().flatten();
        TierMove {
            before: code(before),
            after: code(after),
            up: height(before).zip(height(after)).map(|(before, after)| after > before),
            members: group.members,
            examples: movers.map(|member| member.0).collect(),
        }
    };
    moved.map(told).collect()
}
