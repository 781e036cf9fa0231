//! Money in minor units of one currency, rounded half up, never through a float.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kernel::spread::lowest_terms;

/// No amount of money is larger, in minor units.
pub const MONEY_MINOR_MAX: i64 = 1_000_000_000_000;

/// An amount of money in minor units (cents), 0 to [`MONEY_MINOR_MAX`]; the currency is the document's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(i64);

/// Why a decimal is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// Beyond [`MONEY_MINOR_MAX`].
    #[error("is too large")]
    TooLarge,
    /// Finer than the currency's minor unit.
    #[error("has more decimal places than the currency")]
    TooPrecise,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(MONEY_MINOR_MAX);

    /// An amount of minor units; `None` outside of the range.
    pub fn from_minor(minor: i64) -> Option<Self> {
        (0..=MONEY_MINOR_MAX).contains(&minor).then_some(Self(minor))
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.0
    }

    /// Reads a decimal amount, `12.34`.
    ///
    /// # Errors
    /// Negative, too large, or finer than the currency's minor unit.
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(MoneyError::Negative);
        }
        let amount = amount.normalize();
        if amount.scale() > currency.exponent {
            return Err(MoneyError::TooPrecise);
        }
        let scale = currency.exponent.saturating_sub(amount.scale());
        let minor = 10_i128.checked_pow(scale).and_then(|f| amount.mantissa().checked_mul(f));
        let minor = minor.and_then(|m| i64::try_from(m).ok()).ok_or(MoneyError::TooLarge)?;
        Self::from_minor(minor).ok_or(MoneyError::TooLarge)
    }

    /// The amount as a decimal with the currency's places.
    pub fn to_decimal(self, currency: Currency) -> Decimal {
        Decimal::new(self.0, currency.exponent)
    }

    /// The amount as documents write it.
    pub fn amount(self, currency: Currency) -> Amount {
        Amount(self.to_decimal(currency))
    }

    /// The sum, or `None` when it is too large.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_minor)
    }

    /// The difference, or `None` when `other` is more.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::from_minor)
    }

    /// The difference, or zero when `other` is more.
    pub fn minus_or_zero(self, other: Self) -> Self {
        self.minus(other).unwrap_or(Self::ZERO)
    }
}

/// A currency of ISO 4217 with its number of decimal places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    code: [u8; 3],
    exponent: u32,
}

/// The text is no currency code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code")]
pub struct NotACurrency;

impl Currency {
    /// The currency of a three-letter code.
    ///
    /// # Errors
    /// When the code is not in ISO 4217's list of active currencies.
    pub fn parse(code: &str) -> Result<Self, NotACurrency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| NotACurrency)?;
        let exponent = exponent_of(code).ok_or(NotACurrency)?;
        Ok(Self { code: bytes, exponent })
    }

    /// Three capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// Decimal places of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        self.exponent
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

const PLACES_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const PLACES_2: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR \
    MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
const PLACES_3: &str = "BHD IQD JOD KWD LYD OMR TND";

fn exponent_of(code: &str) -> Option<u32> {
    let listed = |list: &str| list.split_ascii_whitespace().any(|c| c == code);
    if listed(PLACES_2) {
        Some(2)
    } else if listed(PLACES_0) {
        Some(0)
    } else if listed(PLACES_3) {
        Some(3)
    } else {
        None
    }
}

/// An exact fraction, 0 or more: a rate that is never rounded before it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    num: i128,
    den: i128,
}

impl Ratio {
    /// Nothing.
    pub const ZERO: Self = Self { num: 0, den: 1 };

    /// The exact value of `num / den`; `None` unless `num` is 0 or more and `den` positive.
    pub fn of(num: Decimal, den: Decimal) -> Option<Self> {
        if num.is_sign_negative() && !num.is_zero() || den <= Decimal::ZERO {
            return None;
        }
        let (num, den) = (num.normalize(), den.normalize());
        let scale = num.scale().max(den.scale());
        let widen = |d: Decimal| d.mantissa().checked_mul(10_i128.checked_pow(scale.checked_sub(d.scale())?)?);
        let (num, den) = lowest_terms(widen(num)?, widen(den)?);
        Some(Self { num, den })
    }

    /// floor(x r), or `None` when it does not fit. Down: a programme never owes a fraction.
    pub fn floor(self, x: i64) -> Option<i64> {
        // Rates are small nearly always, and a division of such numbers takes a third of the time.
        if let (Ok(num), Ok(den)) = (i64::try_from(self.num), i64::try_from(self.den))
            && let Some(n) = x.checked_mul(num)
        {
            return Some(n.div_euclid(den));
        }
        let n = i128::from(x).checked_mul(self.num)?.div_euclid(self.den);
        i64::try_from(n).ok()
    }

    /// The exact product, or `None` when it does not fit.
    pub fn times(self, other: Self) -> Option<Self> {
        // Crosswise first: then the factors are as small as they can be.
        let (a, d) = lowest_terms(self.num, other.den);
        let (c, b) = lowest_terms(other.num, self.den);
        Some(Self { num: a.checked_mul(c)?, den: b.checked_mul(d)? })
    }

    /// The exact sum, or `None` when it does not fit.
    fn plus(self, other: Self) -> Option<Self> {
        let (b, d) = lowest_terms(self.den, other.den);
        let num = self.num.checked_mul(d)?.checked_add(other.num.checked_mul(b)?)?;
        let (num, den) = lowest_terms(num, self.den.checked_mul(d)?);
        Some(Self { num, den })
    }

    /// The exact sum of all x r, or `None` when it does not fit.
    pub fn sum(parts: impl IntoIterator<Item = (i64, Self)>) -> Option<Self> {
        parts.into_iter().try_fold(Self::ZERO, |sum, (x, ratio)| {
            let (num, den) = lowest_terms(i128::from(x.max(0)).checked_mul(ratio.num)?, ratio.den);
            sum.plus(Self { num, den })
        })
    }

    /// The floor of the exact sum of all x r, or `None` when it does not fit.
    pub fn floor_of_sum(parts: impl IntoIterator<Item = (i64, Self)>) -> Option<i64> {
        Self::sum(parts)?.floor(1)
    }

    /// x r rounded half up, or `None` when it does not fit.
    pub fn half_up(self, x: i64) -> Option<i64> {
        let twice = i128::from(x).checked_mul(self.num)?.checked_mul(2)?.checked_add(self.den)?;
        i64::try_from(twice.div_euclid(self.den.checked_mul(2)?)).ok()
    }
}

impl Ord for Ratio {
    /// By continued fractions: whole parts, then what is left of both upside down, so that nothing can overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (*self, *other);
        loop {
            let whole = a.num.div_euclid(a.den).cmp(&b.num.div_euclid(b.den));
            let (of_a, of_b) = (a.num.rem_euclid(a.den), b.num.rem_euclid(b.den));
            if whole != Ordering::Equal || of_a == 0 || of_b == 0 {
                return whole.then(of_a.cmp(&of_b));
            }
            (a, b) = (Self { num: b.den, den: of_b }, Self { num: a.den, den: of_a });
        }
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// a b / c rounded half up, for whole numbers of 0 or more; 0 when `c` is 0 or less, `i64::MAX` beyond that.
pub fn half_up(a: i64, b: i64, c: i64) -> i64 {
    if c <= 0 {
        return 0;
    }
    Ratio { num: b.into(), den: c.into() }.half_up(a).unwrap_or(i64::MAX)
}

/// An amount of money as documents write it: a decimal string with the currency's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(pub Decimal);

impl Amount {
    /// A signed number of minor units of a currency.
    pub fn of_minor(minor: i64, currency: Currency) -> Self {
        Self(Decimal::new(minor, currency.exponent()))
    }

    /// The amount as minor units of a currency.
    ///
    /// # Errors
    /// Negative, too large, or finer than the currency's minor unit.
    pub fn read(self, currency: Currency) -> Result<Money, MoneyError> {
        Money::from_decimal(self.0, currency)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Decimal::from_str_exact(&text).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
