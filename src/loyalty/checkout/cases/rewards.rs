//! Rewards: redeemed, used, taken back, given back; and what is never given twice.

use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::checkout::cases::{Shop, day, lots, points, program, refused};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::program::reason::Reason;
use crate::loyalty::rewards::code::VoucherCode;
use crate::loyalty::rewards::error::{RewardRefusal, VoucherRefusal};
use crate::loyalty::rewards::look::LookAtRewards;
use crate::loyalty::rewards::receipt::{GivesReceipt, RedemptionReceipt, RewardView, RewardsView};
use crate::loyalty::rewards::redeem::RedeemReward;
use crate::loyalty::rewards::vouchers::cancel::CancelVoucher;
use crate::loyalty::rewards::vouchers::look::LookAtVoucher;
use crate::loyalty::rewards::vouchers::receipt::{
    CancellationReceipt, ReversalReceipt, UseReceipt, VoucherStatus, VoucherView,
};
use crate::loyalty::rewards::vouchers::reverse_use::ReverseUse;
use crate::loyalty::rewards::vouchers::story::redemption_reference;
use crate::loyalty::rewards::vouchers::use_voucher::UseVoucher;
use crate::loyalty::statement::language::Asked;

const FIVE_OFF: &str = "[rewards.five_off]\ncost = { points = 500 }\n\
    gives = { voucher = { amount = \"5.00\" }, valid = \"P90D\" }\n\
    limits = { stock = 3, per_member = { uses = 2, each = \"P1Y\" } }\n\
    text.en = { title = \"5 euro off\" }\ntext.nl = { title = \"5 euro korting\" }\n";
const MUG: &str = "[rewards.mug]\ncost = { points = 800 }\ngives = { product = \"mug-1\" }\n\
    schedule = { from = \"2026-06-01T00:00\" }\n";

fn shop() -> Shop {
    let document = format!("{}{FIVE_OFF}{MUG}", program("expiry = { after = \"P12M\" }, restore_grace = \"P30D\"", ""));
    let document = document
        .replace(", restore_grace = \"P30D\"", "")
        .replace("expiry = { after = \"P12M\" }", "expiry = { after = \"P12M\", restore_grace = \"P30D\" }");
    Shop::new("2026-03-01T10:00:00Z", &document)
}

impl Shop {
    fn redeem_by(&mut self, member: MemberId, key: &str, reward: &str) -> Result<RedemptionReceipt, RewardRefusal> {
        let mut random = [0; 10];
        random
            .iter_mut()
            .zip(key.bytes().chain([u8::try_from(member.0.as_u128() & 0xFF).unwrap()]))
            .for_each(|(to, from)| *to = from);
        let redeem = RedeemReward {
            reference: redemption_reference(key),
            hash: RequestHash::of(&(member, reward)),
            member,
            reward: reward.into(),
            code: VoucherCode::made_of(random),
        };
        refused(self.post(redeem))
    }

    fn redeem(&mut self, key: &str, reward: &str) -> Result<RedemptionReceipt, RewardRefusal> {
        self.redeem_by(self.member, key, reward)
    }

    fn use_voucher(&mut self, key: &str, used_for: &str) -> Result<UseReceipt, VoucherRefusal> {
        let (redemption, member, used_for) = (redemption_reference(key), self.member, used_for.into());
        refused(self.post(UseVoucher { redemption, member, used_for }))
    }

    fn reverse(&mut self, key: &str, used_for: &str) -> Result<ReversalReceipt, VoucherRefusal> {
        let (redemption, member, used_for) = (redemption_reference(key), self.member, used_for.into());
        refused(self.post(ReverseUse { redemption, member, used_for }))
    }

    fn cancel(&mut self, key: &str) -> Result<CancellationReceipt, VoucherRefusal> {
        let (redemption, member) = (redemption_reference(key), self.member);
        refused(self.post(CancelVoucher { redemption, member }))
    }

    fn voucher(&mut self, key: &str) -> VoucherView {
        let (named, redemption) = (Reference::keyed("look", "v"), redemption_reference(key));
        let look = LookAtVoucher { named, redemption, member: self.member, language: None };
        let mut other = self.ledger.clone();
        other.post(&self.scope, look, self.now, &self.timeline).unwrap().receipt
    }

    fn rewards(&self, language: Option<&str>) -> RewardsView {
        let language = language.map(|tag| Asked(tag.into()));
        let look = LookAtRewards { named: Reference::keyed("look", "r"), member: self.member, language };
        let mut other = self.ledger.clone();
        other.post(&self.scope, look, self.now, &self.timeline).unwrap().receipt
    }

    /// What each reward says of itself: its code, what is missing, and why it is not to be had.
    fn says(&self) -> Vec<String> {
        let says = |r: &RewardView| format!("{} {} {}", r.reward, r.missing, r.reason.as_deref().unwrap_or("-"));
        self.rewards(None).items.iter().map(says).collect()
    }
}

#[test]
fn a_reward_is_redeemed_used_once_and_told() {
    let mut shop = shop();
    shop.bring(1_200, "2026-12-31");
    let receipt = shop.redeem("a", "five_off").unwrap();
    assert_eq!((receipt.points, receipt.spendable), (500, 700));
    assert_eq!((receipt.redeemed_on, receipt.expires_on), (day("2026-03-01"), Some(day("2026-05-30"))));
    assert!(matches!(&receipt.gives, GivesReceipt::AmountVoucher { amount } if amount.0.to_string() == "5.00"));
    // The same command again is the same voucher.
    assert_eq!(shop.redeem("a", "five_off").unwrap(), receipt);
    assert_eq!(shop.spendable(), 700);
    assert_eq!(shop.voucher("a").status, VoucherStatus::Issued);

    let used = shop.use_voucher("a", "1001").unwrap();
    assert_eq!((used.voucher.clone(), used.reward.as_str()), (receipt.voucher, "five_off"));
    assert_eq!(shop.use_voucher("a", "1001").unwrap(), used);
    assert_eq!(shop.use_voucher("a", "1002"), Err(VoucherRefusal::Used("1001".into())));
    assert_eq!(shop.cancel("a"), Err(VoucherRefusal::Used("1001".into())));
    assert_eq!(shop.voucher("a").used_for.as_deref(), Some("1001"));

    // Taken back it can be used for something else, and then once more.
    shop.reverse("a", "1001").unwrap();
    assert_eq!(shop.reverse("a", "1002"), Err(VoucherRefusal::NotUsed));
    assert_eq!(shop.voucher("a").status, VoucherStatus::Issued);
    shop.use_voucher("a", "1002").unwrap();
    assert_eq!(shop.use_voucher("a", "1003"), Err(VoucherRefusal::Used("1002".into())));
}

#[test]
fn what_a_member_cannot_have_says_why() {
    let mut shop = shop();
    assert_eq!(shop.says(), ["five_off 500 insufficient_points", "mug 800 not_scheduled"]);
    let missing = RewardRefusal::Points { cost: points(500), missing: points(500) };
    assert_eq!(shop.redeem("a", "five_off").unwrap_err(), missing);
    assert_eq!(shop.redeem("a", "hug").unwrap_err(), RewardRefusal::Unknown);
    assert_eq!(shop.redeem("a", "mug").unwrap_err(), RewardRefusal::Unavailable(Reason::NotScheduled));
    shop.bring(5_000, "2026-12-31");
    let of_times = |shop: &Shop| (shop.rewards(None).items[0].stock, shop.rewards(None).items[0].times_left);
    assert_eq!(of_times(&shop), (Some(3), Some(2)));
    for key in ["a", "b"] {
        shop.redeem(key, "five_off").unwrap();
    }
    assert_eq!(of_times(&shop), (Some(1), Some(0)));
    assert_eq!(shop.redeem("c", "five_off").unwrap_err(), RewardRefusal::Unavailable(Reason::LimitReached));
    // The next year it may be had again, and somebody else has the last one.
    shop.at("2026-12-31T23:00:00Z");
    shop.redeem("c", "five_off").unwrap_err();
    let dutch = shop.rewards(Some("nl-BE"));
    assert_eq!(dutch.items[0].title.as_deref(), Some("5 euro korting"));
    assert_eq!(dutch.items[0].says.as_deref(), Some("Het kost meer punten dan u hebt"));
    shop.change_status("s", Status::Suspended).unwrap();
    assert_eq!(shop.says()[0], "five_off 500 member_suspended");
    assert_eq!(shop.redeem("d", "five_off").unwrap_err(), LedgerRefusal::Suspended.into());
}

#[test]
fn the_last_one_is_given_once() {
    let mut shop = shop();
    let first = shop.member;
    shop.bring(1_000, "2026-12-31");
    for key in ["a", "b"] {
        shop.redeem(key, "five_off").unwrap();
    }
    shop.member = shop.enrol(3);
    shop.bring(1_001, "2026-12-31");
    shop.redeem("c", "five_off").unwrap();
    assert_eq!(shop.redeem("d", "five_off").unwrap_err(), RewardRefusal::Unavailable(Reason::OutOfStock));
    // What is given back is there for the next one.
    shop.member = first;
    shop.cancel("a").unwrap();
    shop.member = MemberId(Uuid::from_u128(3));
    shop.redeem("d", "five_off").unwrap();
}

#[test]
fn a_reward_given_back_gives_points_with_their_days_once() {
    let mut shop = shop();
    shop.bring(300, "2026-06-30");
    shop.bring(400, "2026-12-31");
    shop.redeem("a", "five_off").unwrap();
    assert_eq!(shop.lots(), lots(&[(200, "2026-12-31")]));
    let back = shop.cancel("a").unwrap();
    assert_eq!((back.points, back.spendable), (500, 700));
    assert_eq!(shop.cancel("a").unwrap(), back);
    assert_eq!(shop.lots(), lots(&[(300, "2026-06-30"), (400, "2026-12-31")]));
    assert_eq!(shop.use_voucher("a", "1001"), Err(VoucherRefusal::Cancelled));
    assert_eq!(shop.voucher("a").status, VoucherStatus::Cancelled);
    assert_eq!((shop.rewards(None).items[0].stock, shop.rewards(None).items[0].times_left), (Some(3), Some(2)));

    // Of points that are over by then the programme's days of grace are left.
    shop.at("2026-06-30T10:00:00Z");
    shop.redeem("b", "five_off").unwrap();
    shop.at("2026-07-02T10:00:00Z");
    let back = shop.cancel("b").unwrap();
    assert_eq!((back.points, back.spendable), (500, 700));
    assert_eq!(shop.lots(), lots(&[(300, "2026-08-01"), (400, "2026-12-31")]));
}

#[test]
fn a_voucher_ends_with_its_last_day() {
    let mut shop = shop();
    shop.bring(500, "2026-12-31");
    shop.redeem("a", "five_off").unwrap();
    shop.at("2026-05-30T21:59:59Z");
    assert_eq!(shop.voucher("a").status, VoucherStatus::Issued);
    shop.at("2026-05-30T22:00:00Z");
    assert_eq!(shop.voucher("a").status, VoucherStatus::Expired);
    assert_eq!(shop.use_voucher("a", "1001"), Err(VoucherRefusal::Expired(day("2026-05-30"))));
    assert_eq!(shop.cancel("a"), Err(VoucherRefusal::Expired(day("2026-05-30"))));
}

#[test]
fn a_voucher_goes_along_with_a_merge() {
    let mut shop = shop();
    let source = shop.member;
    shop.bring(1_000, "2026-12-31");
    for key in ["a", "b"] {
        shop.redeem(key, "five_off").unwrap();
    }
    shop.use_voucher("a", "1001").unwrap();
    let target = shop.enrol(3);
    shop.merge(source, target).unwrap();
    // By its code it leads to who had it, and from there to who goes on.
    assert_eq!(shop.use_voucher("a", "1002"), Err(VoucherRefusal::Used("1001".into())));
    shop.reverse("a", "1001").unwrap();
    shop.use_voucher("a", "1002").unwrap();
    let back = shop.cancel("b").unwrap();
    assert_eq!((back.points, back.spendable), (500, 500));
    assert_eq!(back.member, target.0);
    shop.member = target;
    assert_eq!(shop.lots(), lots(&[(500, "2026-12-31")]));
    assert_eq!(shop.rewards(None).items[0].times_left, Some(1));
}
