//! An order, rule by rule: what each brought and out of what, and of the others the first reason why not.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::money::{Amount, Currency, Money, Ratio};
use crate::loyalty::earning::rows::TIER_ROW;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Award, EarningRule, On, Rulebook};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::why::documents::{CutSaid, DiscountSaid, OrderSaid, RowSaid, SkippedSaid};
use crate::loyalty::statement::why::reasons::sentence;

/// The decimal places of an amount before it is rounded.
const EXACT_PLACES: u32 = 4;

/// Reasons that are about what a rule is for: of those the document says more than a sentence of ours.
const FOR_WHOM: [Reason; 7] = [
    Reason::NotScheduled,
    Reason::WrongTier,
    Reason::WrongSegment,
    Reason::WrongArm,
    Reason::ConditionFalse,
    Reason::ConditionFailed,
    Reason::NoMatchingLines,
];

/// What a rule brought, or why it brought nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RuleWhy)]
pub struct RuleWhy {
    /// The rule's code; `tier:gold` is what the tier added that the member was in before.
    pub rule: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// How it awards: `rate`, `multiply`, `fixed` or `tier`.
    pub kind: &'static str,
    /// The wallet that it fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wallet: Option<String>,
    /// Points that it brought; 0 when it did not apply.
    pub points: i64,
    /// What the lines that it awarded by earned on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub base: Option<Amount>,
    /// What it came to before it was rounded down, to four places; where that can be told from what is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.1900", required = false)]
    pub exact: Option<Amount>,
    /// Points before caps and budgets, where one cut it,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub uncut: Option<i64>,
    /// what cut it, one after the other, and to what.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<CutWhy>,
    /// The last day of its points, where it is sooner than that of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_on: Option<NaiveDate>,
    /// The first reason why it did not apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// What in its condition was not known, or could not be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The rule that applied instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub better: Option<String>,
    /// All of it in a sentence, fit for the member.
    pub says: String,
}

/// What cut a row, and to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CutWhy)]
pub struct CutWhy {
    /// `cap`: what one member can have; `budget`: what all can have together.
    pub by: String,
    /// Points that were left.
    pub to: i64,
}

/// What came off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DiscountWhy)]
pub struct DiscountWhy {
    /// The discount's code.
    pub discount: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// `program`, or `shop` for the shop's own.
    pub of: String,
    /// In all.
    #[schema(value_type = String, example = "9.00")]
    pub amount: Amount,
}

/// An order, told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Each rule of the version that decided, in document order, then the tier.
    pub rules: Vec<RuleWhy>,
    /// What came off, one after the other.
    pub discounts: Vec<DiscountWhy>,
}

/// In which language, and in which ones texts are written.
#[derive(Clone, Copy, Debug)]
pub struct Tongue<'t> {
    /// The tag that is asked for.
    pub tag: &'t str,
    /// The programme's own.
    pub own: &'t str,
}

impl Tongue<'_> {
    fn title(self, texts: &Texts) -> Option<String> {
        texts.of(self.tag, self.own).and_then(|text| text.title.clone())
    }

    fn says(self, texts: &Texts) -> Option<String> {
        texts.of(self.tag, self.own).and_then(|text| text.says.clone())
    }

    fn language(self) -> Language {
        Language::of(self.tag)
    }
}

/// Tells a posting by the version that decided it; nothing of what is no order, or was changed by hand.
pub fn told(row: &PostingRow, book: &Rulebook, tongue: Tongue<'_>) -> Told {
    if row.kind != PostingKind::Order {
        return Told::default();
    }
    let Ok(said) = serde_json::from_str::<OrderSaid>(&row.document) else { return Told::default() };
    let of_rule = |rule: &EarningRule| {
        let awarded = said.rows.iter().find(|row| row.rule == rule.code);
        let skipped = || said.skipped.iter().find(|skipped| skipped.rule == rule.code);
        awarded.map_or_else(|| unapplied(rule, skipped(), tongue), |row| applied(rule, row, &said, book, tongue))
    };
    // A rule about something else is told of only where it awarded: with the order that enrolled somebody.
    let about = |rule: &&EarningRule| rule.on == On::Order || said.rows.iter().any(|row| row.rule == rule.code);
    let of_tier = said.rows.iter().filter_map(|row| tier(row, book, tongue));
    Told {
        rules: book.earning.iter().filter(about).map(of_rule).chain(of_tier).collect(),
        discounts: said.discounts.iter().map(|discount| came_off(discount, book, tongue)).collect(),
    }
}

fn applied(rule: &EarningRule, row: &RowSaid, said: &OrderSaid, book: &Rulebook, tongue: Tongue<'_>) -> RuleWhy {
    let base = base(rule, row, said, book);
    let exact = base.and_then(|base| exact(rule, base)).filter(|exact| {
        // Where other lines matched that got no whole point, what is stored does not tell it.
        exact.trunc() == Decimal::from(row.uncut.unwrap_or(row.points))
    });
    RuleWhy {
        base: exact.and(base).map(|base| base.amount(book.currency)),
        exact: exact.map(Amount),
        ..awarded(row, kind(rule), tongue.title(&rule.text), tongue.language())
    }
}

fn tier(row: &RowSaid, book: &Rulebook, tongue: Tongue<'_>) -> Option<RuleWhy> {
    let code = row.rule.strip_prefix(TIER_ROW)?;
    let tier = book.tiers.iter().flat_map(|ladder| &ladder.tiers).find(|tier| tier.code == code);
    Some(awarded(row, "tier", tier.and_then(|tier| tongue.title(&tier.text)), tongue.language()))
}

fn awarded(row: &RowSaid, kind: &'static str, title: Option<String>, language: Language) -> RuleWhy {
    let last = row.cut_by.iter().map(|by| CutSaid { by: by.clone(), to: row.points });
    let cuts: Vec<CutSaid> = if row.cuts.is_empty() { last.collect() } else { row.cuts.clone() };
    let says = says(row, title.as_deref().unwrap_or(&row.rule), &cuts, language);
    RuleWhy {
        rule: row.rule.clone(),
        title,
        kind,
        wallet: Some(row.wallet.clone()),
        points: row.points,
        base: None,
        exact: None,
        uncut: row.uncut,
        cuts: cuts.into_iter().map(|CutSaid { by, to }| CutWhy { by, to }).collect(),
        expires_on: row.expires_on,
        reason: None,
        detail: None,
        better: None,
        says,
    }
}

/// A rule that did not apply. One of which nothing was stored was not scheduled: that much the version and the time say.
fn unapplied(rule: &EarningRule, skipped: Option<&SkippedSaid>, tongue: Tongue<'_>) -> RuleWhy {
    let reason = skipped.map_or(Reason::NotScheduled.name(), |skipped| skipped.reason.as_str());
    let title = tongue.title(&rule.text);
    let own = tongue.says(&rule.text).filter(|_| FOR_WHOM.iter().any(|about| about.name() == reason));
    let why = own.unwrap_or_else(|| sentence(reason, tongue.language()));
    RuleWhy {
        says: format!("{}: {why}", title.as_deref().unwrap_or(&rule.code)),
        rule: rule.code.clone(),
        title,
        kind: kind(rule),
        wallet: None,
        points: 0,
        base: None,
        exact: None,
        uncut: None,
        cuts: Vec::new(),
        expires_on: None,
        reason: Some(reason.to_owned()),
        detail: skipped.and_then(|skipped| skipped.detail.clone()),
        better: skipped.and_then(|skipped| skipped.better.clone()),
    }
}

fn came_off(discount: &DiscountSaid, book: &Rulebook, tongue: Tongue<'_>) -> DiscountWhy {
    let known = book.discount(&discount.code).filter(|_| discount.of == "program");
    DiscountWhy {
        discount: discount.code.clone(),
        title: known.and_then(|known| tongue.title(&known.text)),
        of: discount.of.clone(),
        amount: discount.amount,
    }
}

fn kind(rule: &EarningRule) -> &'static str {
    match rule.award {
        Award::Rate { .. } => "rate",
        Award::Multiply { .. } => "multiply",
        Award::Fixed(_) => "fixed",
    }
}

/// What a rule by the base awarded by: the base of its lines, as the first such rule computes it.
fn base(rule: &EarningRule, row: &RowSaid, said: &OrderSaid, book: &Rulebook) -> Option<Money> {
    let is_shown = matches!(rule.award, Award::Rate { .. }) && rule.net_of == book.net_of();
    let matched = |id: &str| rule.lines.is_none() || row.lines.iter().any(|part| part.id == id);
    let mut bases = said.lines.iter().filter(|line| matched(&line.id));
    bases.try_fold(Money::ZERO, |sum, line| sum.plus(money(line.base, book.currency)?)).filter(|_| is_shown)
}

fn money(amount: Amount, currency: Currency) -> Option<Money> {
    amount.read(currency).ok()
}

/// Points before they are rounded down.
fn exact(rule: &EarningRule, base: Money) -> Option<Decimal> {
    let exact = |rate: Ratio, x: i64| {
        let wide = Ratio::of(Decimal::from(10_i64.checked_pow(EXACT_PLACES)?), Decimal::ONE)?;
        rate.times(wide)?.floor(x).map(|n| Decimal::new(n, EXACT_PLACES))
    };
    match &rule.award {
        Award::Rate { rate, step: None } => exact(*rate, base.minor()),
        Award::Rate { step: Some(step), .. } => {
            let steps = step.rate.floor(base.minor())?;
            steps.checked_mul(step.points.get()).map(|points| Decimal::new(points, 0))
        }
        Award::Multiply { .. } | Award::Fixed(_) => None,
    }
}

/// What a row brought, in a sentence: "Double points on shoes: 120 points, of 300".
fn says(row: &RowSaid, title: &str, cuts: &[CutSaid], language: Language) -> String {
    let points = |n: i64| {
        let noun = match n {
            1 => language.one_of("point", "punt", "Punkt"),
            _ => language.one_of("points", "punten", "Punkte"),
        };
        format!("{} {noun}", language.grouped(n))
    };
    let mut text = format!("{title}: {}", points(row.points));
    if let (Some(uncut), Some(last)) = (row.uncut, cuts.last()) {
        let of = language.one_of("of", "van", "von");
        let why = match last.by.as_str() {
            "budget" => language.one_of(
                "no more was left for all members",
                "meer was er voor alle leden samen niet",
                "mehr war für alle Mitglieder zusammen nicht übrig",
            ),
            _ => language.one_of(
                "that is the most for one member",
                "dat is het meeste voor één lid",
                "das ist das Höchste für ein Mitglied",
            ),
        };
        text = format!("{title}: {} {of} {}, {why}", language.grouped(row.points), points(uncut));
    }
    text
}
