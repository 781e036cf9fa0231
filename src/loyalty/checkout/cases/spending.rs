//! With how many points an order is paid, and for what: program.md, "Points to spend".

use crate::loyalty::checkout::cart::{Cart, CartError};
use crate::loyalty::checkout::cases::{Shop, amount, goods, lines, money, paid_with, points, program, refused};
use crate::loyalty::checkout::error::{HoldRefusal, OrderRefusal};
use crate::loyalty::checkout::receipt::{BrokenRule, FlagReceipt};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::checkout::spend::SpendError;

const START: &str = "2026-06-10T12:00:00Z";
const RULES: &str = "expiry = \"never\", spend = { min = 200, step = 100, max_share = \"0.5\", \
    not = 'line.category == \"gift_card\"' }";

/// 60.00 of goods and a gift card of 40.00.
fn cart() -> Cart {
    let mut cart = lines(&[("shoes", 1, "60.00"), ("card", 1, "40.00")]);
    cart.lines[1].category = Some("gift_card".into());
    cart
}

fn shop() -> Shop {
    let mut shop = Shop::new(START, &program(RULES, ""));
    shop.bring(9_999, "2026-12-31");
    shop
}

fn spend(error: SpendError) -> OrderRefusal {
    OrderRefusal::Spend(error)
}

#[test]
fn points_pay_for_what_the_wallet_lets_them_and_for_no_more() {
    let mut shop = shop();
    let below = SpendError::BelowMinimum { min: points(200) };
    assert_eq!(shop.refused_order("1", paid_with(100, cart())), spend(below));
    let between = SpendError::NotInSteps { step: points(100), below: points(200), above: points(300) };
    assert_eq!(shop.refused_order("1", paid_with(250, cart())), spend(between));
    let most = SpendError::ShareExceeded { most: points(3_000) };
    assert_eq!(shop.refused_order("1", paid_with(3_100, cart())), spend(most), "half of 60.00, not of 100.00");
    let exceed = OrderRefusal::Cart(CartError::PointsExceedProducts { products: money("60.00") });
    assert_eq!(shop.refused_order("1", paid_with(7_000, cart())), exceed);
    let receipt = shop.order("1", paid_with(3_000, cart()));
    let spent: Vec<i64> = receipt.lines.iter().map(|line| line.points_spent).collect();
    assert_eq!((spent, shop.spendable()), (vec![3_000, 0], 9_999 - 3_000 + 70));
    let back = shop.give_back("1", "r", amount("50.00"));
    assert_eq!(back.restored[0].points, 1_500, "what comes back is decided by what was paid, not by the rules");
}

#[test]
fn a_quote_says_what_can_be_spent() {
    // In a shop of its own: in memory a quote leaves what it would leave.
    let can = |cart: Cart| {
        let mut shop = shop();
        let order = SettleOrder { quoted: true, ..shop.settle(OrderedAt::Now, "q", cart) };
        shop.post(order).unwrap().can_spend.unwrap()
    };
    let whole = can(cart());
    assert_eq!((whole.spendable, whole.least, whole.most, whole.step), (9_999, 200, 3_000, 100));
    assert_eq!(whole.worth, money("30.00").amount(shop().timeline.newest().currency));
    assert_eq!(can(paid_with(300, cart())), whole, "whatever it spends");
    assert_eq!(can(lines(&[("a", 1, "3.99")])).most, 0, "199 would be too few");
    assert_eq!(shop().order("1", cart()).can_spend, None, "an order does not ask");
}

#[test]
fn a_hold_has_enough_points_in_full_steps_and_pays_its_part_of_the_order_that_takes_it() {
    let mut shop = shop();
    let below = SpendError::BelowMinimum { min: points(200) };
    assert_eq!(shop.hold("h", 100, 15).unwrap_err(), HoldRefusal::Spend(below));
    shop.hold("h", 4_000, 15).unwrap();
    let order = |shop: &Shop, n| SettleOrder {
        hold: Some("h".into()),
        ..shop.settle(OrderedAt::Now, "1", paid_with(n, cart()))
    };
    let most = SpendError::ShareExceeded { most: points(3_000) };
    let all = order(&shop, 4_000);
    assert_eq!(refused(shop.post(all)).unwrap_err(), spend(most));
    // A part of what was put aside need not be a full step.
    let part = order(&shop, 1_234);
    let receipt = shop.post(part).unwrap();
    assert_eq!((receipt.spent[0].points, shop.spendable()), (1_234, 9_999 - 1_234 + 87));
}

#[test]
fn a_sale_that_has_happened_is_paid_as_it_was_and_flagged() {
    let flag = |asked, rule| FlagReceipt::SpendRule { wallet: "points".into(), asked, rule };
    for (asked, rule) in
        [(100, BrokenRule::Min), (250, BrokenRule::Step), (3_100, BrokenRule::MaxShare), (7_000, BrokenRule::Not)]
    {
        let mut shop = shop();
        let receipt = shop.stated_order("1", paid_with(asked, cart()));
        assert_eq!((receipt.spent[0].points, receipt.flags), (asked, vec![flag(asked, rule)]));
    }
}

#[test]
fn a_quote_says_what_is_missing_to_the_next_reward_that_is_for_the_member() {
    let rewards = "[rewards.mug]\ncost = { points = 150, tiers = { gold = 120 } }\ngives = { product = \"mug\" }\n\
        text.en.title = \"A mug\"\n[rewards.five]\ncost = { points = 500 }\ngives = { voucher = { amount = \"5.00\" } }\n\
        [rewards.staff]\naudience = { tiers = [\"gold\"] }\ncost = { points = 101 }\ngives = { custom = \"lunch\" }\n\
        [tiers]\nwallet = \"status\"\nladder = [{ code = \"gold\", from = \"100.00\" }]\n";
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &(program("expiry = \"never\"", "") + rewards));
    let next = |shop: &mut Shop, amount: &str| {
        let quoted = SettleOrder { quoted: true, ..shop.settle(OrderedAt::Now, amount, goods(amount)) };
        let next = shop.ledger.clone().post(&shop.scope, quoted, shop.now, &shop.timeline).unwrap().receipt.next_reward;
        next.map(|next| (next.reward, next.title, next.cost, next.missing))
    };
    assert_eq!(next(&mut shop, "40.00"), Some(("mug".into(), Some("A mug".into()), 150, 110)));
    // The order makes the member gold, for whom it costs less, and somebody for whom there is lunch.
    assert_eq!(next(&mut shop, "100.00"), Some(("staff".into(), None, 101, 1)));
    assert_eq!(next(&mut shop, "130.00"), Some(("five".into(), None, 500, 370)));
    assert_eq!(next(&mut shop, "900.00"), None);
    assert_eq!(shop.order("1", goods("40.00")).next_reward, None, "an order does not ask");
}
