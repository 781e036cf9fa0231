//! An order, an event or an enrolment, rule by rule: what each brought and out of what, and of the others the first reason
//! why not.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::id::Seq;
use crate::kernel::money::Amount;
use crate::loyalty::earning::asked::Trigger;
use crate::loyalty::earning::rows::TIER_ROW;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow};
use crate::loyalty::program::model::texts::Texts;
use crate::loyalty::program::model::{Award, EarningRule, Rulebook, Timeline};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::language::Language;
use crate::loyalty::statement::why::discounts;
use crate::loyalty::statement::why::documents::{CutSaid, RowSaid, Said, SkippedSaid};
use crate::loyalty::statement::why::figures::{self, Figures};
use crate::loyalty::statement::why::reasons::sentence;

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
    /// How it awards: `rate`, `step` where only full steps earn, `multiply`, `fixed` or `tier`.
    pub kind: &'static str,
    /// The wallet that it fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub wallet: Option<String>,
    /// Points that it brought; 0 when it did not apply.
    pub points: i64,
    /// By what: points for each whole unit of money, or what a multiplier or a tier multiplies by; to six places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "1.5", required = false)]
    pub rate: Option<Amount>,
    /// What the lines that it awarded by earned on; where that can be told from what is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "72.19", required = false)]
    pub base: Option<Amount>,
    /// The rules that a multiplier multiplied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of_rules: Vec<String>,
    /// The points of rules that a tier adds to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub of_points: Option<i64>,
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

/// A discount that came off, or why it did not.
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
    /// What came off, in all; 0 when it did not apply.
    #[schema(value_type = String, example = "9.00")]
    pub amount: Amount,
    /// What a quote would have taken off, of a sale that had happened and was taken as stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, example = "0.00", required = false)]
    pub ours: Option<Amount>,
    /// Why it did not come off, or why a quote would not have taken it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// All of it in a sentence, fit for the member.
    pub says: String,
}

/// A posting, told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Each rule of the version that decided that is about such a thing, in document order, then the tier.
    pub rules: Vec<RuleWhy>,
    /// What came off an order, one after the other, then the version's other discounts.
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
    /// The title of something.
    pub fn title(self, texts: &Texts) -> Option<String> {
        texts.of(self.tag, self.own).and_then(|text| text.title.clone())
    }

    fn says(self, texts: &Texts) -> Option<String> {
        texts.of(self.tag, self.own).and_then(|text| text.says.clone())
    }

    /// That of our own sentences.
    pub fn language(self) -> Language {
        Language::of(self.tag)
    }
}

/// Tells a posting by the version that decided it: an order, an event or an enrolment, and nothing of any other.
///
/// # Errors
/// When its document was changed by hand.
pub fn told(row: &PostingRow, program: &Timeline, tongue: Tongue<'_>) -> serde_json::Result<Told> {
    let is_first = row.seq == Seq(1) && !row.imported;
    let is_order = match row.kind {
        PostingKind::Order => true,
        // Whoever is imported was welcomed where they came from.
        PostingKind::Enrol if !row.imported => false,
        PostingKind::Event => false,
        _ => return Ok(Told::default()),
    };
    let book = program.version(row.version);
    let said: Said = serde_json::from_str(&row.document)?;
    let trigger = match row.kind {
        PostingKind::Order => Trigger::Order { enrols: is_first },
        PostingKind::Event => Trigger::Event(&said.event),
        _ => Trigger::Enrolment,
    };
    let of_rule = |rule: &EarningRule| match said.rows.iter().find(|row| row.rule == rule.code) {
        Some(row) => {
            let figures = figures::of_rule(rule, row, &said, book);
            awarded(row, figures, kind(rule), tongue.title(&rule.text), tongue.language())
        }
        None => {
            let skipped = said.skipped.iter().find(|skipped| skipped.rule == rule.code);
            unapplied(rule, skipped, rule.schedule.has(row.effective_at), tongue)
        }
    };
    let of_tiers = said.rows.iter().filter(|row| row.rule.starts_with(TIER_ROW));
    let of_tier = |row: &RowSaid| tier(row, &said, book, tongue);
    let rules = book.earning.iter().filter(|rule| trigger.sets_off(&rule.on));
    let discounts = if is_order { discounts::told(row, &said, program, tongue) } else { Vec::new() };
    Ok(Told { rules: rules.map(of_rule).chain(of_tiers.map(of_tier)).collect(), discounts })
}

fn tier(row: &RowSaid, said: &Said, book: &Rulebook, tongue: Tongue<'_>) -> RuleWhy {
    let code = row.rule.strip_prefix(TIER_ROW);
    let tier = book.tiers.iter().flat_map(|ladder| &ladder.tiers).find(|tier| Some(&*tier.code) == code);
    let title = tier.and_then(|tier| tongue.title(&tier.text));
    awarded(row, figures::of_tier(row, said, book), "tier", title, tongue.language())
}

fn awarded(row: &RowSaid, figures: Figures, kind: &'static str, title: Option<String>, language: Language) -> RuleWhy {
    let last = row.cut_by.iter().map(|by| CutSaid { by: by.clone(), to: row.points });
    let cuts: Vec<CutSaid> = if row.cuts.is_empty() { last.collect() } else { row.cuts.clone() };
    let says = says(row, title.as_deref().unwrap_or(&row.rule), &cuts, language);
    let Figures { rate, base, of_points, of_rules, exact } = figures;
    RuleWhy {
        rule: row.rule.clone(),
        title,
        kind,
        wallet: Some(row.wallet.clone()),
        points: row.points,
        rate,
        base,
        of_rules,
        of_points,
        exact,
        uncut: row.uncut,
        cuts: cuts.into_iter().map(|CutSaid { by, to }| CutWhy { by, to }).collect(),
        expires_on: row.expires_on,
        reason: None,
        detail: None,
        better: None,
        says,
    }
}

/// A rule that did not apply. Of one whose time it was and of which nothing is stored the reason is not known: that much
/// older orders did not say.
fn unapplied(rule: &EarningRule, skipped: Option<&SkippedSaid>, its_time: bool, tongue: Tongue<'_>) -> RuleWhy {
    let of_time = (!its_time).then_some(Reason::NotScheduled.name());
    let reason = skipped.map(|skipped| skipped.reason.as_str()).or(of_time);
    let title = tongue.title(&rule.text);
    let is_about_it = |reason: &str| FOR_WHOM.iter().any(|about| about.name() == reason);
    let own = tongue.says(&rule.text).filter(|_| reason.is_some_and(is_about_it));
    let why = own.or_else(|| reason.map(|reason| sentence(reason, tongue.language())));
    let why = why.unwrap_or_else(|| points(0, tongue.language()));
    RuleWhy {
        says: format!("{}: {why}", title.as_deref().unwrap_or(&rule.code)),
        rule: rule.code.clone(),
        title,
        kind: kind(rule),
        wallet: None,
        points: 0,
        rate: None,
        base: None,
        of_rules: Vec::new(),
        of_points: None,
        exact: None,
        uncut: None,
        cuts: Vec::new(),
        expires_on: None,
        reason: reason.map(str::to_owned),
        detail: skipped.and_then(|skipped| skipped.detail.clone()),
        better: skipped.and_then(|skipped| skipped.better.clone()),
    }
}

fn kind(rule: &EarningRule) -> &'static str {
    match rule.award {
        Award::Rate { step: None, .. } => "rate",
        Award::Rate { step: Some(_), .. } => "step",
        Award::Multiply { .. } => "multiply",
        Award::Fixed(_) => "fixed",
    }
}

fn points(n: i64, language: Language) -> String {
    let noun = match n {
        1 => language.one_of("point", "punt", "Punkt"),
        _ => language.one_of("points", "punten", "Punkte"),
    };
    format!("{} {noun}", language.grouped(n))
}

/// What a row brought, in a sentence: "Double points on shoes: 120 points, of 300".
fn says(row: &RowSaid, title: &str, cuts: &[CutSaid], language: Language) -> String {
    let points = |n| points(n, language);
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
