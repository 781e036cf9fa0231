//! Laws of what comes off, over any discounts and carts.

use proptest::prelude::*;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::edges::cases;
use crate::kernel::id::{MemberId, Version};
use crate::kernel::money::Money;
use crate::loyalty::discounts::asked::Asking;
use crate::loyalty::discounts::best::{Offer, best};
use crate::loyalty::discounts::checked::{Differs, Named, Why, differences};
use crate::loyalty::discounts::off::{Off, sum};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::facts::{Facts, LineFacts, LineKind, MemberFacts, OrderFacts};
use crate::loyalty::program::model::{Rulebook, SegmentSet};
use crate::loyalty::program::slots::{Slots, assign_slots};

const BENEFITS: [&str; 7] = [
    "percent = \"10\"",
    "percent = \"33.3\", of = 'line.category == \"b\"'",
    "percent = \"100\", of = 'line.kind == \"shipping\" || line.category == \"a\"'",
    "amount = \"7.77\"",
    "amount = \"0.01\", of = 'line.category == \"a\"'",
    "price = \"1.50\", of = 'line.quantity > 1'",
    "free_shipping = true",
];
const STACKS: [&str; 3] = ["", "stack = \"one\"", "stack = \"two\""];

fn book(discounts: &[(usize, usize)]) -> Rulebook {
    let discount = |(i, (benefit, stack)): (usize, &(usize, usize))| {
        format!("[discounts.d{i}]\nbenefit = {{ {} }}\n{}\n", BENEFITS[*benefit], STACKS[*stack])
    };
    let discounts: String = discounts.iter().enumerate().map(discount).collect();
    let text = format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }}\n\
         wallets = {{ points = {{ kind = \"redeemable\", value = \"0.01\", by_hand = true }} }}\n{discounts}"
    );
    let document = Document::from_toml(&text).unwrap();
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    compile(&document, Version(1), Instant::UNIX_EPOCH, &slots).unwrap()
}

/// Amount, pieces, category, and whether it is shipping.
type Line = (i64, u32, bool, bool);

fn asked<T>(book: &Rulebook, lines: &[Line], ask: impl FnOnce(Asking<'_>, Vec<Money>) -> T) -> T {
    let line = |(amount, quantity, a, shipping): &Line| LineFacts {
        kind: if *shipping { LineKind::Shipping } else { LineKind::Product },
        sku: "",
        category: if *a { "a" } else { "b" },
        brand: "",
        quantity: *quantity,
        amount: Money::from_minor(*amount).unwrap(),
        attributes: None,
    };
    let lines: Vec<LineFacts<'_>> = lines.iter().map(line).collect();
    let left: Vec<Money> = lines.iter().map(|line| line.amount).collect();
    let order = OrderFacts {
        total: sum(&left),
        products: sum(&left),
        shipping: Money::ZERO,
        channel: "",
        store: "",
        quantity: 1,
        lines: &lines,
        attributes: None,
    };
    let member = MemberFacts {
        member: MemberId(Uuid::from_u128(1)),
        tier: None,
        segments: SegmentSet::default(),
        order_count: 0,
        days_since_last_order: None,
        days_enrolled: 0,
        attributes: None,
    };
    let (at, local) = (Instant::UNIX_EPOCH, Instant::UNIX_EPOCH.naive_utc());
    let facts = Facts { book, at, local, member, order: Some(order), event: None };
    ask(Asking { facts: &facts, entered: &[], suspended: false }, left)
}

fn offered<'b>(book: &'b Rulebook, lines: &[Line]) -> Offer<'b> {
    asked(book, lines, |asking, left| best(&book.discounts, asking, left, |_| true))
}

fn named<'a>(offer: &'a Offer<'_>) -> Vec<Named<'a>> {
    let named = |off: &'a Off<'_>| Named { code: &off.discount.code, by_line: off.by_line.clone(), promised: false };
    offer.off.iter().map(named).collect()
}

fn found<'b>(book: &'b Rulebook, lines: &[Line], named: &[Named<'_>]) -> Vec<Differs<'b>> {
    asked(book, lines, |asking, left| differences(&book.discounts, asking, named, left, |_| true))
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0_i64..5_000, 1_u32..5, any::<bool>(), prop::bool::weighted(0.2)), 1..6)
}

fn discounts() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..BENEFITS.len(), 0..STACKS.len()), 1..8)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn no_line_goes_below_zero_and_parts_sum(discounts in discounts(), lines in lines()) {
        let book = book(&discounts);
        let offer = offered(&book, &lines);
        for (place, (amount, ..)) in lines.iter().enumerate() {
            let off: i64 = offer.off.iter().map(|off| off.by_line[place].minor()).sum();
            prop_assert!(off <= *amount);
        }
        for off in &offer.off {
            prop_assert_eq!(off.amount, sum(&off.by_line));
            prop_assert!(off.amount > Money::ZERO);
        }
        // Each discount applies or is told why not, and one of a stack applies at most.
        prop_assert_eq!(offer.off.len() + offer.skipped.len(), discounts.len());
        let mut stacks: Vec<usize> = offer.off.iter().map(|off| off.discount.stack).collect();
        prop_assert!(stacks.is_sorted());
        stacks.dedup();
        prop_assert_eq!(stacks.len(), offer.off.len());
    }

    #[test]
    fn what_a_quote_gives_is_what_an_order_may_name_and_no_cent_else(
        discounts in discounts(), lines in lines(), bent in 0_usize..8, by in prop::sample::select(vec![-1_i64, 1]),
    ) {
        let book = book(&discounts);
        let offer = offered(&book, &lines);
        let mut named = named(&offer);
        prop_assert_eq!(found(&book, &lines, &named), vec![]);
        let at = bent % named.len().max(1);
        if let Some(part) = named.get_mut(at).and_then(|named| named.by_line.first_mut())
            && let Some(other) = Money::from_minor(part.minor() + by)
        {
            *part = other;
            let differs = found(&book, &lines, &named);
            prop_assert!(differs.iter().any(|differs| differs.at == at && matches!(differs.why, Why::Amount(_))));
        }
    }

    #[test]
    fn the_best_of_a_stack_takes_most_off(benefits in prop::collection::vec(0..BENEFITS.len(), 1..6), lines in lines()) {
        let stacked: Vec<(usize, usize)> = benefits.iter().map(|benefit| (*benefit, 1)).collect();
        let best = offered(&book(&stacked), &lines).off.first().map_or(Money::ZERO, |off| off.amount);
        let alone = |benefit: &usize| offered(&book(&[(*benefit, 0)]), &lines).off.first().map_or(Money::ZERO, |off| off.amount);
        prop_assert_eq!(Some(best), benefits.iter().map(alone).max());
    }
}
