//! What an order adds to the qualifying wallets. Source: program.md, "How an order is priced and awarded".

use crate::kernel::points::Points;
use crate::loyalty::earning::model::LineFigures;
use crate::loyalty::earning::rows::{AwardTooLarge, Row};
use crate::loyalty::program::model::{Counts, Rulebook, Slot, WalletKind};

/// What an order adds to one qualifying wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// The wallet.
    pub wallet: Slot,
    /// How much in all: minor units of money, points, or 1.
    pub points: Points,
    /// How a return takes it back.
    pub taken_back: TakenBack,
}

/// How a return takes a credit back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenBack {
    /// Line by line: these are the lines' parts, which sum to the credit.
    ByLine(Vec<Points>),
    /// At once, when the whole order has come back: half an order is still an order.
    Whole,
}

/// What an order adds to the qualifying wallets of the programme, in document order; wallets that get nothing are left
/// out. Points count when they are of the main wallet, as points of two wallets do not add up.
///
/// # Errors
/// When a credit is more than a wallet holds.
pub fn credits(program: &Rulebook, lines: &[LineFigures], rows: &[Row<'_>]) -> Result<Vec<Credit>, AwardTooLarge> {
    let mut credits = Vec::new();
    for wallet in &program.wallets {
        let WalletKind::Qualifying(qualifying) = &wallet.kind else { continue };
        let (points, taken_back) = match qualifying.counts {
            Counts::Orders => (Points::ONE, TakenBack::Whole),
            Counts::Spend => summed(lines.iter().map(|line| Points::try_from(line.base.minor()).ok()))?,
            Counts::Points => {
                let main = program.main_wallet().map(|w| w.slot);
                let of_main = || rows.iter().filter(|row| Some(row.wallet) == main);
                let of_line = |i: usize| of_main().filter_map(move |row| row.by_line.get(i).copied());
                summed((0..lines.len()).map(|i| of_line(i).try_fold(Points::ZERO, Points::plus)))?
            }
        };
        if !points.is_zero() {
            credits.push(Credit { wallet: wallet.slot, points, taken_back });
        }
    }
    Ok(credits)
}

fn summed(parts: impl Iterator<Item = Option<Points>>) -> Result<(Points, TakenBack), AwardTooLarge> {
    let parts: Vec<Points> = parts.collect::<Option<_>>().ok_or(AwardTooLarge)?;
    let sum = parts.iter().copied().try_fold(Points::ZERO, Points::plus).ok_or(AwardTooLarge)?;
    Ok((sum, TakenBack::ByLine(parts)))
}
