//! The discounts of an order: what came off, and of the version's others why they did not.

use crate::kernel::money::{Amount, Money};
use crate::loyalty::ledger::posting::PostingRow;
use crate::loyalty::program::model::discounts::Discount;
use crate::loyalty::program::model::{Rulebook, Timeline};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::statement::why::documents::{DiscountSaid, FlagSaid, Said};
use crate::loyalty::statement::why::reasons::sentence;
use crate::loyalty::statement::why::told::{DiscountWhy, Tongue};

/// Whose a discount of the programme is.
const PROGRAM: &str = "program";

/// Tells the discounts of an order. An order has what it names, whatever a quote would have given; what it does not name
/// and could have had at its time is `not_named`.
pub fn told(row: &PostingRow, said: &Said, program: &Timeline, tongue: Tongue<'_>) -> Vec<DiscountWhy> {
    let book = program.version(row.version);
    let came_off = said.discounts.iter().map(|off| came_off(off, said, (program, book), tongue));
    let named = |discount: &&Discount| said.discounts.iter().any(|off| off.of == PROGRAM && off.code == discount.code);
    let others = book.discounts.iter().filter(|discount| !named(discount));
    let other = |discount: &Discount| {
        let its_time = discount.schedule.has(row.effective_at);
        let reason = if its_time { Reason::NotNamed } else { Reason::NotScheduled }.name();
        let title = tongue.title(&discount.text);
        DiscountWhy {
            discount: discount.code.clone(),
            says: format!("{}: {}", title.as_deref().unwrap_or(&discount.code), sentence(reason, tongue.language())),
            title,
            of: PROGRAM.to_owned(),
            amount: Money::ZERO.amount(book.currency),
            ours: None,
            reason: Some(reason.to_owned()),
        }
    };
    came_off.chain(others.map(other)).collect()
}

fn came_off(
    off: &DiscountSaid,
    said: &Said,
    (program, book): (&Timeline, &Rulebook),
    tongue: Tongue<'_>,
) -> DiscountWhy {
    // By the version that decided, or by whichever other one quoted it.
    let known = || book.discount(&off.code).or_else(|| program.discount(&off.code));
    let title = Some(off).filter(|off| off.of == PROGRAM).and_then(|_| known()).and_then(|of| tongue.title(&of.text));
    let flag = said.flags.iter().find_map(|flag| flagged(flag, &off.code));
    let (ours, reason) = flag.map_or((None, None), |(ours, reason)| (ours, reason.map(str::to_owned)));
    let less = tongue.language().one_of("off", "korting", "Rabatt");
    DiscountWhy {
        discount: off.code.clone(),
        says: format!("{}: {} {} {less}", title.as_deref().unwrap_or(&off.code), off.amount.0, book.currency.code()),
        title,
        of: off.of.clone(),
        amount: off.amount,
        ours,
        reason,
    }
}

/// What a flag says of a discount: what a quote would have taken off, and why nothing.
fn flagged<'f>(flag: &'f FlagSaid, code: &str) -> Option<(Option<Amount>, Option<&'f str>)> {
    match flag {
        FlagSaid::DiscountDiffers { discount, ours, reason } if discount == code => {
            Some((Some(*ours), reason.as_deref()))
        }
        FlagSaid::DiscountTwice { discount } if discount == code => Some((None, Some(Reason::StackHadBetter.name()))),
        FlagSaid::DiscountDiffers { .. } | FlagSaid::DiscountTwice { .. } | FlagSaid::Other => None,
    }
}
