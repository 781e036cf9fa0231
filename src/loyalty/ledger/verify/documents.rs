//! The documents of postings as the laws read them: shapes of their own, so that what checkout and membership write is
//! read by somebody else.

use chrono::NaiveDate;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::money::{Amount, Currency};
use crate::kernel::spread::Share;
use crate::loyalty::ledger::entry::EntryKind;
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::ledger::verify::awarded::{DiscountDocument, RowDocument};
use crate::loyalty::ledger::verify::flags::FlagDocument;
use crate::loyalty::program::model::Slot;

/// Of every document that has a member.
#[derive(Debug, Deserialize)]
pub struct OfMember {
    /// The member.
    pub member: Uuid,
    /// The posting, where it says so.
    pub posting: Option<String>,
}

/// Of an enrolment.
#[derive(Debug, Deserialize)]
pub struct EnrolDocument {
    /// The local day.
    pub enrolled_on: NaiveDate,
}

/// Of an adjustment or an opening balance.
#[derive(Debug, Deserialize)]
pub struct PointsDocument {
    /// The wallet's code.
    pub wallet: String,
    /// By how much; negative when points were taken.
    pub points: i64,
    /// What could be spent after it, where it says so.
    pub spendable: Option<i64>,
}

/// Of a suspension or reinstatement.
#[derive(Debug, Deserialize)]
pub struct StatusDocument {
    /// What the member is after it.
    pub status: String,
}

/// Of an order.
#[derive(Debug, Deserialize)]
pub struct OrderDocument {
    /// Its reference.
    pub reference: String,
    /// The version that decided.
    pub program_version: i32,
    /// What all money is in.
    pub currency: String,
    /// The local day.
    pub ordered_on: NaiveDate,
    /// Of the products.
    pub charged: Amount,
    /// Of the shipping.
    pub shipping: Amount,
    /// In both.
    pub tax: Amount,
    /// By gift card.
    pub gift_card: Amount,
    /// In money.
    pub paid: Amount,
    /// Line by line.
    pub lines: Vec<LineDocument>,
    /// Rule by rule.
    pub rows: Vec<RowDocument>,
    /// Wallet by wallet.
    pub earned: Vec<EarnedDocument>,
    /// Wallet by wallet.
    pub spent: Vec<SpentDocument>,
    /// What it was flagged for.
    #[serde(default)]
    pub flags: Vec<FlagDocument>,
}

/// A line.
#[derive(Debug, Deserialize)]
pub struct LineDocument {
    /// Its id.
    pub id: String,
    /// `product` or `shipping`.
    pub kind: String,
    /// Pieces.
    pub quantity: u32,
    /// Tax included.
    pub charged: Amount,
    /// In it.
    pub tax: Amount,
    /// Points paid.
    pub points_spent: i64,
    /// Their worth.
    pub worth: Amount,
    /// What nobody paid.
    pub uncovered: Option<Amount>,
    /// By gift card.
    pub gift_card: Amount,
    /// In money.
    pub paid: Amount,
    /// What it earned on.
    pub base: Amount,
    /// Over all rules.
    pub earned: i64,
}

/// What came into a wallet.
#[derive(Debug, Deserialize)]
pub struct EarnedDocument {
    /// Its code.
    pub wallet: String,
    /// Points, if it counts them.
    pub points: Option<i64>,
    /// Money, if it counts that.
    pub amount: Option<Amount>,
    /// What a qualifying wallet counts.
    pub counts: Option<String>,
}

/// What went out of a wallet.
#[derive(Debug, Deserialize)]
pub struct SpentDocument {
    /// Its code.
    pub wallet: String,
    /// Points.
    pub points: i64,
    /// Their worth.
    pub worth: Amount,
}

/// Of a return.
#[derive(Debug, Deserialize)]
pub struct ReturnDocument {
    /// Its reference.
    pub reference: String,
    /// The order's.
    pub order: String,
    /// What all money is in.
    pub currency: String,
    /// Of what was charged.
    pub charged: Amount,
    /// The tax in it.
    pub tax: Amount,
    /// To the gift card.
    pub gift_card: Amount,
    /// In money.
    pub money: Amount,
    /// Line by line.
    pub lines: Vec<ReturnedLineDocument>,
    /// Points given back.
    pub restored: Vec<RestoredDocument>,
    /// Points taken back.
    pub clawed_back: Vec<ClawedBackDocument>,
    /// Of rules with a cap or a budget.
    #[serde(default)]
    pub given_back: Vec<GivenBackDocument>,
    /// Discounts with a use that can be had again.
    #[serde(default)]
    pub uses_given_back: Vec<String>,
    /// Whether the order has come back.
    pub complete: bool,
}

/// What can be had again of a rule with a cap or a budget.
#[derive(Debug, Deserialize)]
pub struct GivenBackDocument {
    /// Its code.
    pub rule: String,
    /// Points.
    pub points: i64,
    /// How often.
    #[serde(default)]
    pub awards: i64,
}

/// What came back of a line.
#[derive(Debug, Deserialize)]
pub struct ReturnedLineDocument {
    /// Its id.
    pub id: String,
    /// Of what was charged.
    pub charged: Amount,
    /// The tax in it.
    pub tax: Amount,
    /// To the gift card.
    pub gift_card: Amount,
    /// In money.
    pub money: Amount,
    /// Points given back.
    pub restored: i64,
    /// Points taken back.
    pub clawed_back: i64,
    /// In all, this return included.
    pub returned: ReturnedDocument,
}

/// How much of a line has come back.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ReturnedDocument {
    /// The exact share.
    pub share: Share,
    /// Pieces.
    pub quantity: u32,
    /// Money.
    pub money: Amount,
}

/// Points given back.
#[derive(Debug, Deserialize)]
pub struct RestoredDocument {
    /// The wallet's code.
    pub wallet: String,
    /// Points.
    pub points: i64,
}

/// Taken back of a wallet.
#[derive(Debug, Deserialize)]
pub struct ClawedBackDocument {
    /// The wallet's code.
    pub wallet: String,
    /// Of points that were over sooner than others.
    pub expires_on: Option<NaiveDate>,
    /// Points, of a wallet that counts them; money, of one that counts that.
    #[serde(alias = "points")]
    pub amount: Figure,
    /// From lots.
    pub taken: Figure,
    /// Expired unused.
    pub forgiven: Figure,
    /// Owed by holds.
    #[serde(default)]
    pub held: i64,
    /// Let go.
    #[serde(default)]
    pub waived: i64,
    /// Owed.
    #[serde(default)]
    pub owed: i64,
}

/// Of a transfer, with who gave.
#[derive(Debug, Deserialize)]
pub struct TransferDocument {
    /// Who gave.
    pub member: Uuid,
    /// Who got.
    pub to: Uuid,
    /// The wallet's code.
    pub wallet: String,
    /// How much.
    pub points: i64,
    /// What could be spent after it.
    pub spendable: i64,
}

/// Of a transfer, with who got.
#[derive(Debug, Deserialize)]
pub struct ReceivedDocument {
    /// Who got.
    pub member: Uuid,
    /// Who gave.
    pub from: Uuid,
    /// The wallet's code.
    pub wallet: String,
    /// How much.
    pub points: i64,
    /// What could be spent after it.
    pub spendable: i64,
}

/// Of a hold.
#[derive(Debug, Deserialize)]
pub struct HoldDocument {
    /// Its reference.
    pub reference: String,
    /// The wallet's code, of one of points.
    pub wallet: Option<String>,
    /// What it holds.
    pub points: i64,
    /// The discounts that it keeps.
    #[serde(default)]
    pub discounts: Vec<DiscountDocument>,
    /// When it ends by itself.
    pub ends_at: Instant,
    /// What could be spent after it.
    pub spendable: Option<i64>,
}

/// Of a release.
#[derive(Debug, Deserialize)]
pub struct ReleaseDocument {
    /// The hold's reference.
    pub reference: String,
    /// What became of it.
    #[serde(flatten)]
    pub ended: EndedDocument,
}

/// The part of an order's document that says which hold it took.
#[derive(Debug, Default, Deserialize)]
pub struct HoldOfOrder {
    /// The hold.
    pub hold: Option<TakenHold>,
}

/// A hold that an order took.
#[derive(Debug, Deserialize)]
pub struct TakenHold {
    /// Its reference.
    pub reference: String,
    /// Whether it was open.
    pub open: bool,
    /// What became of it.
    #[serde(flatten)]
    pub ended: EndedDocument,
}

/// How a hold ended.
#[derive(Debug, Deserialize)]
pub struct EndedDocument {
    /// Paid.
    pub captured: i64,
    /// Went back.
    pub released: i64,
    /// Of that: for a return.
    pub taken: i64,
    /// Of that: over.
    pub expired: i64,
    /// What a return did not get.
    pub waived: i64,
}

/// A figure of a wallet.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// Points, or orders.
    Points(i64),
    /// Money.
    Amount(Amount),
}

impl Figure {
    /// Points, or minor units of a currency.
    pub fn whole(self, currency: Currency) -> i64 {
        match self {
            Self::Points(points) => points,
            Self::Amount(amount) => minor(amount, currency),
        }
    }
}

/// A posting's document.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse<T: DeserializeOwned>(row: &PostingRow) -> Result<T, String> {
    serde_json::from_str(&row.document).map_err(|error| format!("the document of kind {}: {error}", row.kind.name()))
}

/// An amount in minor units; -1 when it is none of the currency, which no sum of a document is.
pub fn minor(amount: Amount, currency: Currency) -> i64 {
    amount.read(currency).map_or(-1, |money| money.minor())
}

/// The points of a posting's entries of some kinds and one wallet.
pub fn entered(row: &PostingRow, kinds: &[EntryKind], wallet: Slot) -> i64 {
    let entries = row.entries.iter().filter(|e| e.wallet == wallet && kinds.contains(&e.kind));
    entries.map(|e| e.points.get()).sum()
}
