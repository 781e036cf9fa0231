//! What discounts must have done: come off, been refused for every reason, and been used and given back.

use crate::coverage::Coverage;
use crate::facts::{OrderFacts, ReturnFacts};

const WANTED: [&str; 19] = [
    "ten",
    "five",
    "cheap",
    "some",
    "free",
    "several at once",
    "the shop's own beside one",
    "of no use left",
    "a use given back",
    "quoted and settled",
    "another amount",
    "stack_had_better",
    "limit_reached",
    "wrong_tier",
    "condition_false",
    "no_matching_lines",
    "takes_nothing",
    "not_in_version",
    "member_suspended",
];

pub fn wanted() -> impl Iterator<Item = &'static str> {
    WANTED.into_iter()
}

impl Coverage {
    pub fn discounted(&mut self, facts: &OrderFacts) {
        let ours = || facts.discounts.iter().filter(|discount| discount.ours);
        self.discounts.extend(ours().filter_map(|discount| WANTED.into_iter().find(|code| *code == discount.code)));
        for (did, is) in [
            ("several at once", ours().count() > 1),
            ("the shop's own beside one", ours().count() > 0 && facts.discounts.iter().any(|d| !d.ours)),
            ("of no use left", ours().any(|discount| discount.uncounted)),
        ] {
            self.discounts.extend(is.then_some(did));
        }
        for (_, says, _) in facts.flags.iter().filter(|flag| flag.0 == "DiscountDiffers") {
            let reason = says.split_once(' ').map_or("another amount", |(_, reason)| reason);
            self.discounts.extend(WANTED.into_iter().find(|wanted| *wanted == reason));
        }
    }

    pub fn given_back_uses(&mut self, facts: &ReturnFacts) {
        self.discounts.extend((!facts.uses.is_empty()).then_some("a use given back"));
    }
}
