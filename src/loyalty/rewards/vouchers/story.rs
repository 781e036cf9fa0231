//! A voucher's story: how it was issued, and what became of it.

use chrono::NaiveDate;

use crate::kernel::clock::Instant;
use crate::loyalty::ledger::posting::{PostingKind, PostingRow, Reference};
use crate::loyalty::program::model::Timeline;
use crate::loyalty::rewards::error::VoucherRefusal;
use crate::loyalty::rewards::receipt::RedemptionReceipt;
use crate::loyalty::rewards::vouchers::receipt::{UseReceipt, VoucherStatus, VoucherView};

/// The name of a redemption: the voucher that it gives is told by what happened under it.
pub fn redemption_reference(key: &str) -> Reference {
    Reference::keyed("redeem", key)
}

/// The name of a use.
pub fn use_reference(redemption: &Reference, used_for: &str) -> Reference {
    redemption.within(&format!("use:{used_for}"))
}

/// The name of its reversal.
pub fn reversal_reference(redemption: &Reference, used_for: &str) -> Reference {
    use_reference(redemption, used_for).within("reversal")
}

/// The name of a cancellation.
pub fn cancellation_reference(redemption: &Reference) -> Reference {
    redemption.within("cancellation")
}

/// A voucher as its postings tell it.
pub struct VoucherStory<'g> {
    /// The posting that issued it.
    pub row: &'g PostingRow,
    /// What that answered.
    pub redeemed: RedemptionReceipt,
    /// The use that stands.
    pub used: Option<UseReceipt>,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

impl<'g> VoucherStory<'g> {
    /// Reads the postings that a redemption's reference asked for; `None` where it is not among them.
    pub fn read(redemption: &Reference, rows: &[&'g PostingRow]) -> Option<Self> {
        let row = rows.iter().find(|r| r.reference == *redemption && r.kind == PostingKind::Redeem)?;
        let there = |reference: &Reference| rows.iter().any(|r| r.reference == *reference);
        let prefix = use_reference(redemption, "");
        let of_it =
            |r: &&&PostingRow| r.kind == PostingKind::UseVoucher && r.reference.as_str().starts_with(prefix.as_str());
        let used = rows.iter().filter(of_it).filter(|r| !there(&r.reference.within("reversal")));
        Some(Self {
            row,
            redeemed: serde_json::from_str(&row.document).ok()?,
            used: used.filter_map(|r| serde_json::from_str(&r.document).ok()).next_back(),
            cancelled: there(&cancellation_reference(redemption)),
        })
    }

    /// Whether its time is over on a day.
    pub fn is_over(&self, today: NaiveDate) -> bool {
        self.redeemed.expires_on.is_some_and(|last| last < today)
    }

    /// Refuses what can no longer be used.
    ///
    /// # Errors
    /// It was used or cancelled, or its time is over.
    pub fn usable(&self, today: NaiveDate) -> Result<(), VoucherRefusal> {
        match (&self.used, self.redeemed.expires_on) {
            _ if self.cancelled => Err(VoucherRefusal::Cancelled),
            (Some(used), _) => Err(VoucherRefusal::Used(used.used_for.clone())),
            (None, Some(last)) if last < today => Err(VoucherRefusal::Expired(last)),
            (None, _) => Ok(()),
        }
    }

    /// How it stands at a moment, with what the reward is called in a language.
    pub fn view(self, program: &Timeline, at: Instant, tag: &str) -> VoucherView {
        let book = program.at(at);
        let status = match self.usable(book.zone.day_of(at)) {
            Ok(()) => VoucherStatus::Issued,
            Err(VoucherRefusal::Cancelled) => VoucherStatus::Cancelled,
            Err(VoucherRefusal::Expired(_)) => VoucherStatus::Expired,
            Err(_) => VoucherStatus::Used,
        };
        let reward = program.version(self.row.version).reward(&self.redeemed.reward);
        let text = reward.and_then(|reward| reward.text.of(tag, &book.language));
        let (used_for, used_on) = self.used.map(|used| (used.used_for, used.used_on)).unzip();
        VoucherView {
            title: text.and_then(|text| text.title.clone()),
            status,
            issued_at: self.row.effective_at,
            used_for,
            used_on,
            redeemed: self.redeemed,
        }
    }
}
