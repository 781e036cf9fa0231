//! Rewards in the life of a member: redeemed, used, taken back, given back.

use perennial::kernel::id::MemberId;
use perennial::kernel::points::Points;
use perennial::kernel::scope::ProgramScope;
use perennial::loyalty::ledger::adjust::{Adjust, Direction};
use perennial::loyalty::ledger::post::Ledger;
use perennial::loyalty::ledger::posting::{Reference, RequestHash};
use perennial::loyalty::rewards::code::VoucherCode;
use perennial::loyalty::rewards::redeem::RedeemReward;
use perennial::loyalty::rewards::vouchers::cancel::CancelVoucher;
use perennial::loyalty::rewards::vouchers::reverse_use::ReverseUse;
use perennial::loyalty::rewards::vouchers::story::redemption_reference;
use perennial::loyalty::rewards::vouchers::use_voucher::UseVoucher;
use perennial::platform::entropy::random;

/// Posts them for a member of a programme that has the reward `mug`, which costs 10 of a wallet.
pub async fn with_rewards(ledger: &Ledger, scope: &ProgramScope, member: MemberId, wallet: &str) {
    let hash = RequestHash([4; 16]);
    let more = Adjust {
        reference: Reference::keyed("adjust", "for rewards"),
        hash,
        member,
        wallet: wallet.to_owned(),
        direction: Direction::Up,
        points: Points::try_from(5_000).unwrap(),
        reason: "a test".into(),
    };
    ledger.post(scope, more).await.unwrap();
    for key in ["open", "used", "not-used", "back"] {
        let (reference, reward) = (redemption_reference(key), "mug".to_owned());
        let code = VoucherCode::made_of(random().unwrap());
        ledger.post(scope, RedeemReward { reference, hash, member, reward, code }).await.unwrap();
    }
    for key in ["used", "not-used"] {
        let (redemption, used_for) = (redemption_reference(key), "at the desk".to_owned());
        ledger.post(scope, UseVoucher { redemption, member, used_for }).await.unwrap();
    }
    let (redemption, used_for) = (redemption_reference("not-used"), "at the desk".to_owned());
    ledger.post(scope, ReverseUse { redemption, member, used_for }).await.unwrap();
    ledger.post(scope, CancelVoucher { redemption: redemption_reference("back"), member }).await.unwrap();
}
