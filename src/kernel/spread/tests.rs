//! Sums are exact, whatever is shared out.

use proptest::prelude::*;

use crate::kernel::edges::{cases, up_to, whole};
use crate::kernel::spread::{Share, spread};

#[test]
fn the_largest_remainder_gets_the_rest_and_ties_go_to_the_earlier_part() {
    assert_eq!(spread(1_000, &[8_099, 2_385, 1_250]), [690, 203, 107]);
    assert_eq!(spread(2_000, &[7_409, 2_182, 1_143]), [1_380, 407, 213]);
    assert_eq!(spread(2, &[1, 1, 1]), [1, 1, 0]);
    assert_eq!(spread(1, &[1, 2, 2]), [0, 1, 0]);
    assert_eq!(spread(5, &[0, 3, 0]), [0, 5, 0]);
}

#[test]
fn without_weights_the_first_part_gets_all() {
    assert_eq!(spread(7, &[0, 0, -3]), [7, 0, 0]);
    assert_eq!(spread(7, &[]), [0_i64; 0]);
}

#[test]
fn a_share_stays_between_nothing_and_all() {
    assert_eq!((Share::of(1, 0), Share::of(-1, 3), Share::of(4, 3)), (None, None, None));
    assert_eq!((Share::of(0, 3), Share::of(3, 3)), (Some(Share::NONE), Some(Share::ALL)));
    assert_eq!(Share::of(2, 3).unwrap().plus(Share::of(1, 2).unwrap()), None);
    assert_eq!(Share::NONE.stays(i64::MAX), i64::MAX);
    assert_eq!(Share::ALL.stays(i64::MAX), 0);
    let fine = Share::of(1, i64::MAX).unwrap();
    assert_eq!(fine.plus(Share::of(1, i64::MAX - 1).unwrap()), None, "too fine to be written down");
}

#[test]
fn a_share_is_written_as_a_fraction() {
    let third = Share::of(2, 6).unwrap();
    assert_eq!((third.to_string().as_str(), "2/6".parse()), ("1/3", Ok(third)));
    assert_eq!(serde_json::from_str::<Share>("\"1/3\"").unwrap(), third);
    for text in ["", "1", "1/0", "-1/3", "4/3", "1/3/", "a/b", "1/99999999999999999999"] {
        assert!(text.parse::<Share>().is_err(), "{text}");
    }
}

/// What is left of a share as a part of `whole`, to draw the next part from.
fn parts() -> impl Strategy<Value = (i64, Vec<(bool, i64)>, i64)> {
    let whole = prop_oneof![1..10_i64, 1..=1_000_000_i64];
    (whole, prop::collection::vec((any::<bool>(), 0..100_i64), 0..12), 1..=1_000_000_000_000_i64)
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn parts_sum_to_the_total(
        total in any::<i64>(),
        weights in prop::collection::vec(prop_oneof![Just(0), -5..5_i64, 0..1_000_i64, any::<i64>()], 1..20),
    ) {
        let parts = spread(total, &weights);
        prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(total));
        prop_assert_eq!(parts.len(), weights.len());
    }

    #[test]
    fn who_weighs_more_gets_no_less_and_nobody_more_than_the_share_rounded_up(
        total in 0..=i64::MAX, weights in prop::collection::vec(prop_oneof![0..10_i64, 0..=i64::MAX], 1..12),
    ) {
        let parts = spread(total, &weights);
        let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        prop_assume!(sum > 0);
        for (part, weight) in parts.iter().zip(&weights) {
            let floor = i128::from(total) * i128::from(*weight) / sum;
            let exact = floor * sum == i128::from(total) * i128::from(*weight);
            let most = if exact { floor } else { floor + 1 };
            prop_assert!((floor..=most).contains(&i128::from(*part)));
            for (other, lighter) in parts.iter().zip(&weights) {
                prop_assert!(weight <= lighter || part >= other);
            }
        }
    }

    #[test]
    fn any_split_of_a_full_return_sums_to_what_was_stored(
        (pieces, steps, cents) in parts(), x in prop_oneof![0..100_i64, 0..=1_000_000_000_000_000_i64],
    ) {
        let (mut gone, mut given) = (Share::NONE, 0_i128);
        for (by_piece, n) in steps {
            let whole = if by_piece { pieces } else { cents };
            let Some(part) = Share::of(whole * n / 100 / 4, whole) else { continue };
            let Some(next) = gone.plus(part) else { continue };
            prop_assert!(next.stays(x) <= gone.stays(x));
            prop_assert_eq!(next.to_string().parse(), Ok(next));
            given += i128::from(gone.stays(x) - next.stays(x));
            gone = next;
        }
        prop_assert_eq!(given + i128::from(gone.stays(x)) - i128::from(Share::ALL.stays(x)), i128::from(x));
    }

    #[test]
    fn pieces_sum_to_everything_exactly(n in 1..200_i64) {
        let piece = Share::of(1, n).unwrap();
        let all = (0..n).try_fold(Share::NONE, |sum, _| sum.plus(piece)).unwrap();
        prop_assert!(all.is_all() && all.plus(piece).is_none());
    }

    #[test]
    fn parts_sum_to_the_total_at_the_edges(
        total in whole(), weight in whole(), other in whole(), length in prop::sample::select(vec![1, 2, 499, 500, 501_usize]),
    ) {
        for weights in [vec![0; length], vec![weight; length], [vec![0; length - 1], vec![weight]].concat(), vec![weight, other]] {
            let parts = spread(total, &weights);
            prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(total));
            let (least, most) = (total.min(0), total.max(0));
            prop_assert!(parts.iter().all(|part| (least..=most).contains(part)), "{:?}", parts);
        }
    }

    #[test]
    fn what_stays_shrinks_as_the_share_grows_at_the_edges(
        part in up_to(i64::MAX), more in up_to(i64::MAX), whole in up_to(i64::MAX), x in up_to(i64::MAX),
    ) {
        let (Some(share), Some(other)) = (Share::of(part, whole), Share::of(more, whole)) else { return Ok(()) };
        prop_assert!((0..=x).contains(&share.stays(x)));
        prop_assert!(part > more || share.stays(x) >= other.stays(x));
        prop_assert_eq!(share.to_string().parse(), Ok(share));
        if let Some(both) = share.plus(other) {
            prop_assert!(both.stays(x) <= share.stays(x).min(other.stays(x)));
            prop_assert_eq!(Some(both), other.plus(share));
        }
    }
}
