//! From a document to what decisions need; on the way every mistake is named.

mod audience;
pub mod discounts;
mod earning;
mod filled;
pub mod names;
pub mod perks;
pub mod rewards;
mod spend;
pub mod texts;
mod tiers;

use std::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::kernel::calendar::{Period, Zone};
use crate::kernel::clock::Instant;
use crate::kernel::id::Version;
use crate::kernel::money::{Currency, Ratio};
use crate::kernel::points::Points;
use crate::loyalty::program::compile::filled::unfilled;
use crate::loyalty::program::compile::names::Named;
use crate::loyalty::program::condition::Reads;
use crate::loyalty::program::document::{self, Document, Expiry as WrittenExpiry, Wallet as WrittenWallet};
use crate::loyalty::program::model::{
    CountedSlot, Counts, Expiry, Qualifying, Redeemable, ReturnPolicy, Rulebook, SegmentSlot, Slot, TierSlot, Transfer,
    WALLETS_MAX, Wallet, WalletKind, Window,
};
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{Slots, counted};

/// The most characters of a programme's name.
pub const PROGRAM_NAME_CHARS_MAX: usize = 100;
/// The most characters of a code.
pub const CODE_CHARS_MAX: usize = 40;
/// The language of a programme that names none.
const LANGUAGE: &str = "en";
/// The most earning rules.
pub const EARNING_RULES_MAX: usize = 200;
/// The most decimal places of `value` and `per`.
pub const AMOUNT_PLACES_MAX: u32 = 8;
/// No `value` or `per` is larger.
pub const AMOUNT_MAX: i64 = 1_000_000;

/// Compiles a version of a document.
///
/// # Errors
/// Every mistake in it, and each wallet without a slot.
pub fn compile(
    document: &Document,
    version: Version,
    starts: Instant,
    slots: &Slots,
) -> Result<Rulebook, Vec<Mistake>> {
    let mut reading = Reading::default();
    let (currency, zone) = reading.program(&document.program);
    // For amounts, when the currency itself is a mistake: only what is wrong in any currency is named.
    let exponent = currency.map_or(0, Currency::exponent);
    let named = Named::of(document, slots, (exponent, zone.unwrap_or(Zone::UTC)));
    let wallets = reading.wallets(&named);
    reading.attributes(document);
    let (segment_codes, experiments) = (reading.segments(&named), reading.experiments(document));
    let earning = reading.earning(&named);
    let tiers = reading.tiers(document, slots, currency);
    let perks = reading.perks(&named);
    let discounts = reading.discounts(&named);
    let rewards = reading.rewards(&named);
    reading.goals(document);
    let tier_mapping = reading.mapping(&named);
    match (currency, zone) {
        (Some(currency), Some(zone)) if reading.mistakes.is_empty() => {
            let tier_codes = tiers.iter().flat_map(|ladder| &ladder.tiers).map(|tier| (tier.code.clone(), tier.slot));
            Ok(Rulebook {
                version,
                starts,
                currency,
                zone,
                sign_up: document.program.sign_up,
                language: document.program.language.clone().unwrap_or_else(|| LANGUAGE.to_owned()),
                wallets,
                earning,
                tier_codes: tier_codes.collect(),
                tiers,
                tier_mapping,
                perks,
                discounts,
                rewards,
                segment_codes,
                experiments,
                reads_attributes: reading.reads.attributes,
                declared: named.declared,
            })
        }
        _ => Err(reading.mistakes),
    }
}

/// Every mistake in a document.
pub fn check(document: &Document) -> Vec<Mistake> {
    // However many there are: that there are too many is a mistake of its own.
    let wallets = document.wallets.keys().cloned().zip((0..).map(Slot)).collect();
    let rules = counted(document).zip((0..).map(CountedSlot)).collect();
    let ladder = document.tiers.iter().flat_map(|tiers| &tiers.ladder);
    let tiers = ladder.map(|tier| tier.code.clone()).zip((0..).map(TierSlot)).collect();
    let segments = document.segments.keys().cloned().zip((0..=u8::MAX).map(SegmentSlot)).collect();
    let slots = Slots { wallets, rules, tiers, segments };
    let mut mistakes = compile(document, Version(1), Instant::MIN_UTC, &slots).err().unwrap_or_default();
    let unfilled: Vec<Mistake> =
        unfilled(document).into_iter().filter(|wallet| !mistakes.iter().any(|there| wallet.is_within(there))).collect();
    mistakes.extend(unfilled);
    mistakes
}

/// What a document changes that is fixed after the first publish, currency, time zone and kinds of wallets; and the tiers
/// that it lacks without saying where their members go.
pub fn check_fixed(before: &Document, after: &Document) -> Vec<Mistake> {
    let mut reading = Reading::default();
    let mut fixed = |same: bool, place: &[&str]| {
        if !same {
            reading.wrong(place, "is fixed after the first publish");
        }
    };
    fixed(before.program.currency == after.program.currency, &["program", "currency"]);
    fixed(before.program.timezone == after.program.timezone, &["program", "timezone"]);
    for (code, wallet) in &after.wallets {
        let same = |b: &WrittenWallet| std::mem::discriminant(b) == std::mem::discriminant(wallet);
        fixed(before.wallets.get(code).is_none_or(same), &["wallets", code, "kind"]);
    }
    let ladder = |of: &'_ Document| -> Vec<String> {
        of.tiers.iter().flat_map(|tiers| &tiers.ladder).map(|tier| tier.code.clone()).collect()
    };
    let there = ladder(after);
    for code in ladder(before).iter().filter(|code| !there.contains(code)) {
        if !after.mapping.tiers.contains_key(code) {
            let message = "is no tier any more: say where its members go, to a tier or to `none`";
            reading.wrong(&["mapping", "tiers", code], message);
        }
    }
    reading.mistakes
}

#[derive(Default)]
struct Reading {
    mistakes: Vec<Mistake>,
    /// What the conditions so far want to be known.
    reads: Reads,
}

impl Reading {
    fn wrong(&mut self, place: &[&str], message: impl fmt::Display) {
        self.mistakes.push(Mistake::at(place, message));
    }

    fn ok<T, E: fmt::Display>(&mut self, place: &[&str], read: Result<T, E>) -> Option<T> {
        read.map_err(|e| self.wrong(place, e)).ok()
    }

    fn text<T: std::str::FromStr<Err: fmt::Display>>(&mut self, place: &[&str], text: &str) -> Option<T> {
        self.required(place, text)?;
        self.ok(place, text.parse())
    }

    fn required(&mut self, place: &[&str], text: &str) -> Option<()> {
        if text.is_empty() {
            self.wrong(place, "is required");
        }
        (!text.is_empty()).then_some(())
    }

    fn program(&mut self, program: &document::Program) -> (Option<Currency>, Option<Zone>) {
        let name = program.name.as_str();
        if name.trim().is_empty() {
            self.wrong(&["program", "name"], "is required");
        } else if name.chars().count() > PROGRAM_NAME_CHARS_MAX || name.chars().any(char::is_control) {
            self.wrong(&["program", "name"], format_args!("is at most {PROGRAM_NAME_CHARS_MAX} printable characters"));
        }
        if let Some(language) = &program.language {
            self.language(&["program", "language"], language);
        }
        let place = ["program", "currency"];
        let currency = self.required(&place, &program.currency);
        let currency = currency.and_then(|()| self.ok(&place, Currency::parse(&program.currency)));
        (currency, self.text(&["program", "timezone"], &program.timezone))
    }

    fn wallets(&mut self, named: &Named<'_>) -> Vec<Wallet> {
        let (document, slots) = (named.document, &named.slots.wallets);
        if document.wallets.is_empty() {
            self.wrong(&["wallets"], "a programme has at least one wallet");
        }
        if document.wallets.len() > WALLETS_MAX {
            self.wrong(&["wallets"], format_args!("a programme has at most {WALLETS_MAX} wallets"));
        }
        let mut wallets = Vec::with_capacity(document.wallets.len());
        for (code, wallet) in &document.wallets {
            let place = ["wallets", code.as_str()];
            self.code(&place, code);
            let kind = match wallet {
                WrittenWallet::Redeemable(r) => self.redeemable(code, r, named).map(WalletKind::Redeemable),
                WrittenWallet::Qualifying(q) => self.qualifying(code, q).map(WalletKind::Qualifying),
            };
            let slot = slots.get(code).copied();
            if slot.is_none() {
                self.wrong(&place, "has no slot");
            }
            wallets.extend(slot.zip(kind).map(|(slot, kind)| Wallet { code: code.clone(), slot, kind }));
        }
        wallets
    }

    fn code(&mut self, place: &[&str], code: &str) {
        let first = code.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !first || !rest || code.len() > CODE_CHARS_MAX {
            let most = CODE_CHARS_MAX;
            self.wrong(
                place,
                format_args!("a code is a to z, 0 to 9 and _, starts with a letter, and has at most {most} characters"),
            );
        }
    }

    fn redeemable(&mut self, code: &str, written: &document::Redeemable, named: &Named<'_>) -> Option<Redeemable> {
        let place = |field| ["wallets", code, field];
        let value = self.amount(&place("value"), &written.value).and_then(|value| {
            let minor = in_minor(value, named.exponent).and_then(|value| Ratio::of(value, Decimal::ONE));
            self.ok(&place("value"), minor.ok_or("is too large"))
        });
        let after = written.pending.as_ref().map(|p| (["wallets", code, "pending", "after"], p.after.as_str()));
        let pending = after.map(|(place, text)| self.text::<Period>(&place, text));
        let (expiry, restore_grace) = self.expiry(code, &written.expiry)?;
        let pending = match pending {
            None => None,
            Some(period) => Some(period?),
        };
        if let (Some(pending), Expiry::Fixed { after, .. } | Expiry::Inactive { after }) = (pending, expiry)
            && !always_within(pending, after)
        {
            self.wrong(&place("pending"), "points would be over before they can be spent");
        }
        let returns = match written.returns {
            document::Returns::PendingOnly => ReturnPolicy::PendingOnly,
            document::Returns::WithinBalance => ReturnPolicy::WithinBalance,
            document::Returns::Allow => ReturnPolicy::Allow,
        };
        let transfer = match &written.transfer {
            None => None,
            Some(transfer) => Some(self.transfer(code, transfer)?),
        };
        let spend = match &written.spend {
            None => None,
            Some(spend) => Some(self.spend(code, spend, named)?),
        };
        Some(Redeemable { value: value?, pending, expiry, restore_grace, returns, transfer, spend })
    }

    fn transfer(&mut self, code: &str, written: &document::Transfer) -> Option<Transfer> {
        let place = |field| ["wallets", code, "transfer", field];
        let max = Points::try_from(written.max).ok().filter(|max| !max.is_zero());
        let max = self.ok(&place("max"), max.ok_or("is 1 to 10^15 points"));
        let each = self.text::<Period>(&place("each"), &written.each)?;
        let year = "P1Y".parse().is_ok_and(|year| always_within(each, year));
        if !year {
            self.wrong(&place("each"), "is a year at most");
        }
        Some(Transfer { max: max?, each }).filter(|_| year)
    }

    fn expiry(&mut self, code: &str, written: &WrittenExpiry) -> Option<(Expiry, Option<Period>)> {
        let WrittenExpiry::Term(term) = written else { return Some((Expiry::Never, None)) };
        let place = |field| ["wallets", code, "expiry", field];
        let mut period =
            |field, text: &Option<String>| text.as_ref().map(|text| self.text::<Period>(&place(field), text));
        let after = period("after", &term.after);
        let inactive = period("inactive", &term.inactive);
        let grace = period("restore_grace", &term.restore_grace);
        let grace = match grace {
            None => None,
            Some(period) => Some(period?),
        };
        match (after, inactive) {
            (Some(after), None) => Some((Expiry::Fixed { after: after?, round: term.round }, grace)),
            (None, Some(_)) if term.round.is_some() => {
                self.wrong(&place("round"), "goes with `after`");
                None
            }
            (None, Some(after)) => Some((Expiry::Inactive { after: after? }, grace)),
            (Some(_), Some(_)) => {
                self.wrong(&place("inactive"), "does not go with `after`");
                None
            }
            (None, None) => {
                self.wrong(&["wallets", code, "expiry"], "has either `after` or `inactive`");
                None
            }
        }
    }

    fn qualifying(&mut self, code: &str, written: &document::Qualifying) -> Option<Qualifying> {
        let counts = match written.counts {
            document::Counts::Spend => Counts::Spend,
            document::Counts::Points => Counts::Points,
            document::Counts::Orders => Counts::Orders,
        };
        let window = match &written.window {
            document::Window::CalendarYear => Window::CalendarYear,
            document::Window::Anniversary => Window::Anniversary,
            document::Window::Lifetime => Window::Lifetime,
            document::Window::Rolling(text) => {
                Window::Rolling(self.text(&["wallets", code, "window", "rolling"], text)?)
            }
        };
        Some(Qualifying { counts, window })
    }

    fn amount(&mut self, place: &[&str], text: &str) -> Option<Decimal> {
        self.required(place, text)?;
        let amount = self.ok(place, plain_decimal(text).ok_or("is not a decimal such as \"0.01\""))?;
        let fits = amount > Decimal::ZERO && amount <= Decimal::from(AMOUNT_MAX) && amount.scale() <= AMOUNT_PLACES_MAX;
        let range =
            format_args!("is more than 0, at most {AMOUNT_MAX}, with at most {AMOUNT_PLACES_MAX} decimal places");
        self.ok(place, fits.then_some(amount).ok_or(range))
    }
}

/// A decimal of digits and a point, 0 or more.
fn plain_decimal(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Decimal::from_str_exact(text).ok().filter(|_| plain).map(|amount| amount.normalize())
}

fn in_minor(amount: Decimal, exponent: u32) -> Option<Decimal> {
    amount.checked_mul(Decimal::from(10_i64.checked_pow(exponent)?))
}

/// Whether points that wait are there before they are over, whichever day they are earned on.
fn always_within(pending: Period, expiry: Period) -> bool {
    // Four years have every length of a month, the leap day included.
    let days = NaiveDate::from_ymd_opt(2024, 1, 1).into_iter().flat_map(|day| day.iter_days().take(4 * 366));
    days.into_iter().all(|day| pending.after(day) <= expiry.after(day))
}
