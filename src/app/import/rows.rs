//! From a row to what it asks for: whose it is, when it was, and the command that posts it.

use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, SubsecRound};
use csv::StringRecord;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::columns::{Columns, FileKind};
use super::rejects::Reject;
use super::sort::Item;
use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId};
use crate::kernel::money::Money;
use crate::kernel::points::Points;
use crate::loyalty::checkout::error::ORDER_IN_FUTURE;
use crate::loyalty::checkout::order_in::is_reference;
use crate::loyalty::checkout::settle::SettleOrder;
use crate::loyalty::ledger::error::WALLET_UNKNOWN;
use crate::loyalty::ledger::opening::OpenBalance;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash};
use crate::loyalty::members::model::{Identity, IdentityKind, Profile};
use crate::loyalty::membership::enrol::Enrol;
use crate::loyalty::membership::error::TIER_UNKNOWN;
use crate::loyalty::membership::grants::grant_tier::GrantTier;
use crate::loyalty::membership::profile_in::{ProfileIn, identity_of};
use crate::loyalty::program::model::{Counts, Qualifying, Rulebook, WalletKind};

/// The longest channel, store, article, category or brand, in characters.
const LABEL_CHARS_MAX: usize = 100;
/// Nothing that is imported is older than this year.
const YEAR_MIN: i32 = 1900;

/// What rows are read against.
pub struct Reading {
    /// Where the columns stand.
    pub columns: Columns,
    /// Into which programme.
    pub program: ProgramId,
    /// Its newest version: currency, time zone and wallets.
    pub book: Arc<Rulebook>,
    /// When the import began, by Postgres's clock: nothing is later.
    pub now: Instant,
    /// By how many days all times are moved on.
    pub moved_d: u64,
}

/// By what a row names its member.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Named {
    /// By the id that the enrolment answered.
    Id(MemberId),
    /// By something that is unique in the programme.
    By(Identity),
}

/// A command that a row asks for.
pub enum Wanted {
    /// Enrol somebody new.
    Member(Enrol),
    /// Settle an order.
    Order(Box<SettleOrder>),
    /// Open a lot.
    Balance(OpenBalance),
    /// Give a tier.
    Tier(GrantTier),
}

pub(super) fn missing(column: &str) -> Reject {
    Reject::new("field_missing", format!("{column} is empty"))
}

pub(super) fn invalid(code: &'static str, column: &str, text: &str, wants: &str) -> Reject {
    Reject::new(code, format!("{column} {text:?}: expected {wants}"))
}

impl Reading {
    /// Where a row stands in the order of posting.
    ///
    /// # Errors
    /// When its member or its time cannot be read.
    pub fn place(&self, line: u64, row: StringRecord) -> Result<Item, (Reject, StringRecord)> {
        let place = self.required(&row, "member").map(str::to_owned);
        let place = place.and_then(|member| Ok((member, self.time(&row)?.unwrap_or(self.now))));
        match place {
            Ok((member, at)) => Ok(Item { member, at, line, row }),
            Err(reject) => Err((reject, row)),
        }
    }

    /// By what a row names its member.
    ///
    /// # Errors
    /// When that can be no name.
    pub fn named(&self, item: &Item) -> Result<Named, Reject> {
        let kind = match self.columns.text(&item.row, "member_by").unwrap_or("external_id") {
            "id" => {
                let wrong = || invalid("member_invalid", "member", &item.member, "the id of a member");
                return item.member.parse().map(|id| Named::Id(MemberId(id))).map_err(|_| wrong());
            }
            "external_id" => IdentityKind::ExternalId,
            "email" => IdentityKind::Email,
            "phone" => IdentityKind::Phone,
            "card" => IdentityKind::Card,
            other => {
                let wants = "external_id, email, phone, card or id";
                return Err(invalid("field_invalid", "member_by", other, wants));
            }
        };
        let named = identity_of(self.program, kind, &item.member);
        named.map(Named::By).map_err(|bad| invalid("member_invalid", "member", &item.member, bad.wants))
    }

    /// The command of a row of a member who is known, or, of a members' file, new.
    ///
    /// # Errors
    /// The first column that is not as it has to be.
    pub fn wanted(&self, item: &Item, member: MemberId) -> Result<Wanted, Reject> {
        match self.columns.kind {
            FileKind::Members => self.member(item, member).map(Wanted::Member),
            FileKind::Orders => self.order(item, member).map(Box::new).map(Wanted::Order),
            FileKind::Balances => self.balance(item, member).map(Wanted::Balance),
            FileKind::Tiers => self.tier(item, member).map(Wanted::Tier),
        }
    }

    /// The enrolment of somebody of whom only the storefront's id is known.
    pub fn enrolment(&self, identity: &Identity, member: MemberId, at: Instant) -> Enrol {
        let profile = Profile { external_id: Some(identity.value.clone()), ..Profile::default() };
        Enrol {
            program: self.program,
            reference: enrol_reference(&identity.value),
            hash: RequestHash::of(&("external_id", &identity.value)),
            member,
            profile,
            enrolled_on: None,
            welcomes: false,
            time: AccountTime::Imported(at),
        }
    }

    fn member(&self, item: &Item, member: MemberId) -> Result<Enrol, Reject> {
        let text = |column| self.columns.text(&item.row, column).map(str::to_owned);
        let sent = ProfileIn {
            external_id: Some(item.member.clone()),
            email: text("email"),
            phone: text("phone"),
            card: text("card"),
            name: text("name"),
            birthday: self.day(&item.row, "birthday", 0)?,
            locale: text("locale"),
            attributes: self.attributes(&item.row)?,
        };
        let profile = sent.read()?;
        let enrolled_on = self.day(&item.row, "enrolled_on", self.moved_d)?;
        Ok(Enrol {
            program: self.program,
            reference: enrol_reference(&item.member),
            hash: RequestHash::of(&(stated(&profile), enrolled_on)),
            member,
            profile,
            enrolled_on,
            welcomes: false,
            time: enrolled_on.map_or(AccountTime::Live, |_| AccountTime::Imported(item.at)),
        })
    }

    /// `attributes` is a JSON object, `attributes.size` one attribute: a number or truth value where it is written as one.
    fn attributes(&self, row: &StringRecord) -> Result<Map<String, Value>, Reject> {
        let object = self.columns.text(row, "attributes").map(|text| {
            serde_json::from_str(text).map_err(|_| invalid("field_invalid", "attributes", text, "a JSON object"))
        });
        let mut attributes: Map<String, Value> = object.transpose()?.unwrap_or_default();
        for (name, text) in self.columns.attributes(row) {
            let read = serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
            attributes.insert(name.to_owned(), read.unwrap_or_else(|| text.into()));
        }
        Ok(attributes)
    }

    fn balance(&self, item: &Item, member: MemberId) -> Result<OpenBalance, Reject> {
        let row = &item.row;
        let reference = self.reference(row, "ref")?;
        let wallet = self.required(row, "wallet")?;
        let rules = self.book.wallet(wallet).map(|wallet| &wallet.kind);
        let unknown = || invalid(WALLET_UNKNOWN.code, "wallet", wallet, "a wallet of the programme");
        let points = match rules.ok_or_else(unknown)? {
            WalletKind::Qualifying(Qualifying { counts: Counts::Spend, .. }) => {
                self.money(row, "points")?.and_then(|money| Points::try_from(money.minor()).ok())
            }
            WalletKind::Qualifying(_) | WalletKind::Redeemable(_) => self.points(row, "points")?,
        };
        let none = || invalid("points_invalid", "points", "0", "1 or more");
        let points = points.ok_or_else(|| missing("points"))?;
        let points = Some(points).filter(|points| !points.is_zero()).ok_or_else(none)?;
        let opened_on = self.day(row, "opened_on", self.moved_d)?;
        let available_on = self.day(row, "available_on", self.moved_d)?;
        let expires_on = self.day(row, "expires_on", self.moved_d)?;
        if let (Some(available), Some(expires)) = (available_on, expires_on)
            && available > expires
        {
            let detail = "expires_on: the points would be over before they can be spent";
            return Err(Reject::new("date_invalid", detail));
        }
        Ok(OpenBalance {
            reference: Reference::keyed("balance", reference),
            hash: RequestHash::of(&(&item.member, wallet, points, opened_on, available_on, expires_on)),
            member,
            wallet: wallet.to_owned(),
            points,
            available_on,
            expires_on,
            time: opened_on.map_or(AccountTime::Live, |_| AccountTime::Imported(item.at)),
        })
    }

    /// A tier is given now, whenever the other system gave it: who was in it until today is in it from today.
    fn tier(&self, item: &Item, member: MemberId) -> Result<GrantTier, Reject> {
        let row = &item.row;
        let (reference, tier) = (self.reference(row, "ref")?, self.required(row, "tier")?);
        let known = self.book.tiers.iter().flat_map(|ladder| &ladder.tiers).any(|known| known.code == tier);
        if !known {
            return Err(invalid(TIER_UNKNOWN.code, "tier", tier, "a tier of the programme"));
        }
        let until = self.day(row, "until", self.moved_d)?;
        let reason = self.label(row, "reason")?.unwrap_or("imported");
        Ok(GrantTier {
            reference: Reference::keyed("import-tier", reference),
            hash: RequestHash::of(&(&item.member, tier, until, reason)),
            member,
            tier: Some(tier.to_owned()),
            until,
            reason: reason.to_owned(),
        })
    }

    /// Business time, if the row says any: an instant, or the start of a local day.
    fn time(&self, row: &StringRecord) -> Result<Option<Instant>, Reject> {
        let on = match self.columns.kind {
            FileKind::Members => "enrolled_on",
            FileKind::Orders => "ordered_on",
            FileKind::Balances => "opened_on",
            FileKind::Tiers => return Ok(None),
        };
        let at = self.columns.text(row, "ordered_at").map(|text| {
            let wrong = || invalid("date_invalid", "ordered_at", text, "a time such as 2026-01-31T09:30:00Z");
            let at: Instant = text.parse().map_err(|_| wrong())?;
            let moved = at.checked_add_days(Days::new(self.moved_d)).filter(|at| at.year() >= YEAR_MIN);
            // Postgres keeps microseconds.
            moved.map(|at| at.trunc_subsecs(6)).ok_or_else(wrong)
        });
        let day = self.day(row, on, self.moved_d)?.map(|day| self.book.zone.start_of(day));
        let stated = match (at.transpose()?, day) {
            (Some(_), Some(_)) => {
                return Err(Reject::new("date_invalid", "either ordered_at or ordered_on, not both"));
            }
            (at, day) => at.or(day),
        };
        match stated {
            Some(at) if at > self.now => Err(Reject::new(ORDER_IN_FUTURE.code, format!("{at} lies in the future"))),
            None if self.columns.kind == FileKind::Orders => Err(missing("ordered_on")),
            stated => Ok(stated),
        }
    }

    fn day(&self, row: &StringRecord, column: &str, moved_d: u64) -> Result<Option<NaiveDate>, Reject> {
        let Some(text) = self.columns.text(row, column) else { return Ok(None) };
        let day =
            NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| text.len() == 10 && day.year() >= YEAR_MIN);
        let moved = day.and_then(|day| day.checked_add_days(Days::new(moved_d)));
        moved.map(Some).ok_or_else(|| invalid("date_invalid", column, text, "a day such as 2026-01-31"))
    }

    pub(super) fn required<'r>(&self, row: &'r StringRecord, column: &str) -> Result<&'r str, Reject> {
        self.columns.text(row, column).ok_or_else(|| missing(column))
    }

    pub(super) fn reference<'r>(&self, row: &'r StringRecord, column: &str) -> Result<&'r str, Reject> {
        let text = self.required(row, column)?;
        let wants = "1 to 64 letters, digits and . _ : # @ + = - after a first one";
        if is_reference(text) { Ok(text) } else { Err(invalid("reference_invalid", column, text, wants)) }
    }

    pub(super) fn label<'r>(&self, row: &'r StringRecord, column: &str) -> Result<Option<&'r str>, Reject> {
        let text = self.columns.text(row, column);
        let fits = |text: &&str| text.chars().nth(LABEL_CHARS_MAX).is_none() && !text.chars().any(char::is_control);
        match text {
            Some(text) if !fits(&text) => {
                Err(invalid("field_invalid", column, text, "at most 100 printable characters"))
            }
            text => Ok(text),
        }
    }

    pub(super) fn money(&self, row: &StringRecord, column: &str) -> Result<Option<Money>, Reject> {
        let Some(text) = self.columns.text(row, column) else { return Ok(None) };
        let wrong = |why: &str| Reject::new("amount_invalid", format!("{column} {text:?} {why}"));
        let amount = Decimal::from_str_exact(text).map_err(|_| wrong("is no amount such as 12.34"))?;
        Money::from_decimal(amount, self.book.currency).map(Some).map_err(|e| wrong(&e.to_string()))
    }

    pub(super) fn minor(&self, row: &StringRecord, column: &str) -> Result<i64, Reject> {
        Ok(self.money(row, column)?.map_or(0, Money::minor))
    }

    pub(super) fn points(&self, row: &StringRecord, column: &str) -> Result<Option<Points>, Reject> {
        let Some(text) = self.columns.text(row, column) else { return Ok(None) };
        let points = text.parse().ok().and_then(|n: i64| Points::try_from(n).ok());
        points.map(Some).ok_or_else(|| invalid("points_invalid", column, text, "a whole number of points"))
    }
}

fn enrol_reference(external_id: &str) -> Reference {
    Reference::keyed("import-enrol", external_id)
}

/// What is known, without what is not: a profile may get more fields one day, and the same file still is the same.
fn stated(profile: &Profile) -> Map<String, Value> {
    let fields = serde_json::to_value(profile).unwrap_or_default();
    let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}
