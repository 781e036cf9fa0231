//! With how many points an order may be paid, at the edges.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::kernel::edges::cases;

fn points(n: i64) -> Points {
    Points::try_from(n).unwrap()
}

fn money(minor: i64) -> Money {
    Money::from_minor(minor).unwrap()
}

fn ratio(text: &str) -> Ratio {
    Ratio::of(Decimal::from_str_exact(text).unwrap(), Decimal::ONE).unwrap()
}

fn rules(min: i64, step: i64, share: Option<&str>) -> Spend {
    Spend { min: points(min), step: points(step), max_share: share.map(ratio), not: None }
}

#[test]
fn points_are_spent_from_a_minimum_on_and_in_steps_from_zero() {
    let rules = rules(150, 100, None);
    let check = |n| check_count(Some(&rules), points(n));
    assert_eq!([0, 200, 300].map(check), [Ok(()); 3]);
    assert_eq!(check(149), Err(SpendError::BelowMinimum { min: points(200) }), "150 is no full step");
    let between =
        |below, above| SpendError::NotInSteps { step: points(100), below: points(below), above: points(above) };
    assert_eq!(check(150), Err(between(0, 200)), "100 would be too few");
    assert_eq!(check(299), Err(between(200, 300)));
    assert_eq!(check_count(None, points(1)), Ok(()));
}

#[test]
fn a_part_of_an_order_is_rounded_down_and_the_most_points_stay_within_it() {
    let rules = rules(0, 100, Some("0.5"));
    let check = |n, worth| check_share(Some(&rules), (points(n), money(worth)), money(4_199), ratio("1"));
    assert_eq!(check(2_000, 2_000), Ok(()));
    // Half of 41.99 is 20.99.
    assert_eq!(check(2_100, 2_100), Err(SpendError::ShareExceeded { most: points(2_000) }));
    assert_eq!(most(Some(&rules), points(1_450), money(4_199), ratio("1")), points(1_400));
    assert_eq!(most(Some(&rules), points(99), money(4_199), ratio("1")), points(0), "a step is not there");
    assert_eq!(most(None, points(99), money(0), ratio("0")), points(0), "what costs nothing takes no points");
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn the_most_can_be_spent_and_one_step_more_cannot(
        (min, step, share) in (0_i64..500, 1_i64..120, prop::option::of(1_i64..=100)),
        (there, payable, value) in (0_i64..3_000, 0_i64..5_000, 0_i64..400),
    ) {
        let share = share.and_then(|percent| Ratio::of(Decimal::new(percent, 2), Decimal::ONE));
        let rules = Spend { min: points(min), step: points(step), max_share: share, not: None };
        let value = Ratio::of(Decimal::new(value, 2), Decimal::ONE).unwrap();
        let can = |n: Points| {
            let worth = worth_of(value, n).unwrap();
            let fits = n <= points(there) && worth <= money(payable) && payable > 0;
            let kept = check_share(Some(&rules), (n, worth), money(payable), value);
            fits && check_count(Some(&rules), n).is_ok() && kept.is_ok()
        };
        let most = most(Some(&rules), points(there), money(payable), value);
        // Counted one by one, which the rules know nothing of.
        let naive = (1..=there).filter(|n| can(points(*n))).max().unwrap_or(0);
        prop_assert_eq!(most.get(), naive);
    }
}
