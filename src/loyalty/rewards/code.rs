//! Codes of vouchers: readable, checked against slips, and not to be guessed.

use std::fmt;

/// The symbols of a code that we make, without I, L, O and U: 5 bits each.
const SYMBOLS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
/// How many symbols a code of ours has; the last one checks the others.
const SYMBOLS_OURS: usize = 16;
/// How many stand together when it is written.
const SYMBOLS_TOGETHER: usize = 4;
/// The bytes of randomness that a code is made of; 75 bits of them are used.
pub const RANDOM_BYTES: usize = 10;
/// The most characters of a code as somebody enters it.
pub const CODE_CHARS_MAX: usize = 64;

/// A code by which a voucher is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoucherCode {
    shown: String,
    key: String,
}

impl VoucherCode {
    /// A code of random bytes: `7Q2M-V9KD-04XT-HB6C`.
    pub fn made_of(random: [u8; RANDOM_BYTES]) -> Self {
        let number = random.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let mut symbols: Vec<u8> = (1..SYMBOLS_OURS).map(|place| five_bits(number, place)).collect();
        symbols.push(0);
        let check = remainder(&symbols);
        symbols.pop();
        symbols.push(check);
        let written: Vec<char> = symbols.iter().filter_map(|s| SYMBOLS.get(usize::from(*s))).copied().collect();
        let parts: Vec<String> = written.chunks(SYMBOLS_TOGETHER).map(|part| part.iter().collect()).collect();
        Self { shown: parts.join("-"), key: parts.concat() }
    }

    /// A code as somebody enters it: in capitals or not, with or without blanks and dashes, with O for 0 and I or L for 1.
    /// `None` where that cannot be one.
    pub fn read(entered: &str) -> Option<Self> {
        let shown = entered.trim();
        let sound = shown.chars().count() <= CODE_CHARS_MAX
            && shown.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let key: String = shown.chars().filter(char::is_ascii_alphanumeric).map(plain).collect();
        (sound && !key.is_empty()).then(|| Self { shown: shown.to_owned(), key })
    }

    /// What it is known by: the same for each way to write it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it looks like a code of ours and has a slip in it.
    pub fn is_misspelt(&self) -> bool {
        let place = |c: char| SYMBOLS.iter().position(|symbol| *symbol == c).and_then(|place| u8::try_from(place).ok());
        let symbols: Option<Vec<u8>> = self.key.chars().map(place).collect();
        symbols.is_some_and(|symbols| symbols.len() == SYMBOLS_OURS && remainder(&symbols) != 0)
    }
}

impl fmt::Display for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

fn plain(c: char) -> char {
    match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

fn five_bits(number: u128, place: usize) -> u8 {
    let shift = u32::try_from(place.saturating_mul(5)).unwrap_or(0);
    u8::try_from(number.checked_shr(shift).unwrap_or_default() & 0x1F).unwrap_or_default()
}

/// The symbols as a polynomial over GF(32), at its generator: 0 for a sound code. One wrong symbol changes it, and so do two
/// that changed places, since no two of so few places have the same power. Source: Reed–Solomon codes with one check symbol,
/// field polynomial x^5 + x^2 + 1.
fn remainder(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0, |sum, symbol| times_generator(sum) ^ symbol)
}

fn times_generator(element: u8) -> u8 {
    let shifted = element << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        let code = VoucherCode::made_of([7, 200, 33, 4, 250, 6, 99, 8, 129, 10]);
        let shown = code.to_string();
        assert_eq!(shown.len(), 19, "{shown}");
        for entered in [
            shown.to_lowercase(),
            shown.replace('-', " "),
            format!("  {} ", shown.replace('-', "")),
            shown.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(VoucherCode::read(&entered).unwrap().key(), code.key(), "{entered}");
        }
        assert!(!code.is_misspelt());
        assert_eq!(VoucherCode::read(""), None);
        assert_eq!(VoucherCode::read(" - "), None);
        assert_eq!(VoucherCode::read("SAVE%10"), None);
        assert_eq!(VoucherCode::read(&"A".repeat(CODE_CHARS_MAX + 1)), None);
        assert!(!VoucherCode::read("SUMMER").unwrap().is_misspelt(), "somebody else's codes look as they like");
    }

    proptest! {
        #[test]
        fn a_slip_is_seen(random: [u8; RANDOM_BYTES], at in 0_usize..16, other in 0_usize..16, by in 1_usize..32) {
            let code = VoucherCode::made_of(random);
            let mut symbols: Vec<char> = code.key().chars().collect();
            let place = SYMBOLS.iter().position(|s| *s == symbols[at]).unwrap();
            symbols[at] = SYMBOLS[(place + by) % 32];
            prop_assert!(VoucherCode::read(&symbols.iter().collect::<String>()).unwrap().is_misspelt());

            let mut symbols: Vec<char> = code.key().chars().collect();
            symbols.swap(at, other);
            let swapped = VoucherCode::read(&symbols.iter().collect::<String>()).unwrap();
            prop_assert_eq!(swapped.is_misspelt(), symbols[at] != symbols[other]);
        }
    }
}
