//! Rows that were not taken: why, and the file that they go to.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use csv::{StringRecord, Writer, WriterBuilder};

use super::columns::REJECT_COLUMNS;
use crate::loyalty::checkout::error::{
    CART_INVALID, DISCOUNT_DIFFERS, HOLD_UNKNOWN, ORDER_IN_FUTURE, ORDER_TOO_OLD, OrderRefusal, POINTS_BELOW_MINIMUM,
    POINTS_NOT_IN_STEPS, POINTS_SHARE_EXCEEDED,
};
use crate::loyalty::checkout::spend::SpendError;
use crate::loyalty::ledger::error::{
    ALREADY_SUSPENDED, EXHAUSTED, HOLD_EXCEEDED, IDENTITY_TAKEN, INSUFFICIENT_POINTS, LedgerRefusal, MEMBER_MOVED,
    MEMBER_SUSPENDED, MEMBER_UNKNOWN, NOT_SUSPENDED, OUT_OF_ORDER, POINTS_OUT_OF_RANGE, TOO_MANY_HOLDS, TOO_MANY_LOTS,
    TOO_MANY_MERGES, WALLET_UNKNOWN,
};
use crate::loyalty::membership::error::{ENROLLED_AHEAD, MembershipRefusal, NO_GRANT, TIER_UNKNOWN};
use crate::loyalty::membership::grants::grant_tier::GrantRefusal;
use crate::loyalty::membership::profile_in::BadField;

/// Why a row was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// For machines.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

impl Reject {
    /// A reason.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

impl From<LedgerRefusal> for Reject {
    fn from(refusal: LedgerRefusal) -> Self {
        let says = refusal.to_string();
        let known = match refusal {
            LedgerRefusal::MemberUnknown | LedgerRefusal::OtherUnknown => MEMBER_UNKNOWN,
            LedgerRefusal::MemberMoved => MEMBER_MOVED,
            LedgerRefusal::IdentityTaken(_) => IDENTITY_TAKEN,
            LedgerRefusal::InsufficientPoints { .. } => INSUFFICIENT_POINTS,
            LedgerRefusal::HoldExceeded { .. } => HOLD_EXCEEDED,
            LedgerRefusal::TooManyHolds => TOO_MANY_HOLDS,
            LedgerRefusal::Suspended => MEMBER_SUSPENDED,
            LedgerRefusal::AlreadySuspended => ALREADY_SUSPENDED,
            LedgerRefusal::NotSuspended => NOT_SUSPENDED,
            LedgerRefusal::TooManyPoints => POINTS_OUT_OF_RANGE,
            LedgerRefusal::TooManyLots => TOO_MANY_LOTS,
            LedgerRefusal::TooManyMerges => TOO_MANY_MERGES,
            LedgerRefusal::WalletUnknown => WALLET_UNKNOWN,
            LedgerRefusal::OutOfOrder => OUT_OF_ORDER,
            LedgerRefusal::CounterExhausted => EXHAUSTED,
        };
        Self::new(known.code, says)
    }
}

impl From<OrderRefusal> for Reject {
    fn from(refusal: OrderRefusal) -> Self {
        let says = refusal.to_string();
        let known = match refusal {
            OrderRefusal::Ledger(refusal) => return refusal.into(),
            OrderRefusal::Cart(_) => CART_INVALID,
            OrderRefusal::WalletUnknown => WALLET_UNKNOWN,
            OrderRefusal::Spend(SpendError::BelowMinimum { .. }) => POINTS_BELOW_MINIMUM,
            OrderRefusal::Spend(SpendError::NotInSteps { .. }) => POINTS_NOT_IN_STEPS,
            OrderRefusal::Spend(SpendError::ShareExceeded { .. }) => POINTS_SHARE_EXCEEDED,
            OrderRefusal::TooOld => ORDER_TOO_OLD,
            OrderRefusal::TooFarAhead => ORDER_IN_FUTURE,
            OrderRefusal::Hold(_) => HOLD_UNKNOWN,
            OrderRefusal::Discount(_) => DISCOUNT_DIFFERS,
        };
        Self::new(known.code, says)
    }
}

impl From<GrantRefusal> for Reject {
    fn from(refusal: GrantRefusal) -> Self {
        let says = refusal.to_string();
        match refusal {
            GrantRefusal::Ledger(refusal) => refusal.into(),
            GrantRefusal::TierUnknown => Self::new(TIER_UNKNOWN.code, says),
            GrantRefusal::Over(_) => Self::new("date_invalid", says),
            GrantRefusal::NothingGiven => Self::new(NO_GRANT.code, says),
        }
    }
}

impl From<MembershipRefusal> for Reject {
    fn from(refusal: MembershipRefusal) -> Self {
        match refusal {
            MembershipRefusal::Ledger(refusal) => refusal.into(),
            MembershipRefusal::EnrolledAhead => Self::new(ENROLLED_AHEAD.code, refusal.to_string()),
            MembershipRefusal::BirthdayAhead => Self::new("field_invalid", refusal.to_string()),
        }
    }
}

impl From<BadField> for Reject {
    fn from(bad: BadField) -> Self {
        Self::new("field_invalid", format!("{}: expected {}", bad.pointer.trim_start_matches('/'), bad.wants))
    }
}

/// The rejects file; it is made with its first row.
pub struct Rejects {
    path: PathBuf,
    header: StringRecord,
    file: Option<Writer<BufWriter<File>>>,
    count: u64,
}

impl Rejects {
    /// A file that is not there yet.
    pub fn new(path: &Path, header: &StringRecord) -> Self {
        Self { path: path.to_owned(), header: header.clone(), file: None, count: 0 }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows are in it.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, line: u64, reject: &Reject, row: &StringRecord) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = BufWriter::new(File::create(&self.path)?);
                let mut file = WriterBuilder::new().flexible(true).from_writer(file);
                file.write_record(REJECT_COLUMNS.iter().copied().chain(self.header.iter()))?;
                none.insert(file)
            }
        };
        let line = line.to_string();
        file.write_record([line.as_str(), reject.code, reject.detail.as_str()].into_iter().chain(row.iter()))?;
        self.count += 1;
        Ok(())
    }

    /// Writes what is not on disk yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Writer::flush)
    }
}
