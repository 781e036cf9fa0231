//! Which arm of an experiment a member is in: worked out from the member's id, kept nowhere.

use sha2::{Digest, Sha256};

use crate::kernel::id::MemberId;

/// A share of the members, 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TenThousandths(pub u16);

/// An experiment of one version: shares of the members who are treated alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// The marketer's name for it, `welcome`.
    pub code: String,
    /// What members are shuffled with; `None`: the code. Another salt puts them into other arms.
    pub salt: Option<String>,
    /// The arms with their shares, in the document's order. Who is in none of them is in the rest.
    pub arms: Vec<(String, TenThousandths)>,
}

/// The arm that a member is in; `None`: the rest. The same for ever, as long as salt and shares are: an arm added at the
/// end takes members from the rest alone.
pub fn arm(experiment: &Experiment, member: MemberId) -> Option<&str> {
    let salt = experiment.salt.as_ref().unwrap_or(&experiment.code);
    let place = place(salt, member);
    let mut end = 0_u64;
    let in_it = |(_, share): &&(String, TenThousandths)| {
        end = end.saturating_add(share.0.into());
        place < end
    };
    experiment.arms.iter().find(in_it).map(|(code, _)| code.as_str())
}

/// Where a member stands among 10,000 places.
fn place(salt: &str, member: MemberId) -> u64 {
    // The zero byte parts them: a salt that ends like the id of another begins does not meet it.
    let hash = Sha256::new().chain_update(salt).chain_update([0]).chain_update(member.0.as_bytes()).finalize();
    let first = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    first % 10_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use crate::kernel::edges::cases;

    use super::*;

    fn experiment(salt: &str, shares: &[u16]) -> Experiment {
        let arms = shares.iter().enumerate().map(|(i, share)| (format!("arm_{i}"), TenThousandths(*share))).collect();
        Experiment { code: "welcome".to_owned(), salt: Some(salt.to_owned()).filter(|salt| !salt.is_empty()), arms }
    }

    fn member(number: u128) -> MemberId {
        MemberId(Uuid::from_u128(number))
    }

    #[test]
    fn members_stand_where_they_always_stood() {
        // Worked out with another program: sha256(salt + b"\0" + uuid.bytes), the first eight bytes modulo 10,000.
        let known = [
            ("welcome", 0x1, 8508),
            ("welcome", 0x2, 1558),
            ("", 0x1, 5211),
            ("summer", 0x1932b1e5a7c70008abcdef012345678, 9749),
            ("sommer ☀", 0x0, 6629),
        ];
        for (salt, number, place_of) in known {
            assert_eq!(place(salt, member(number)), place_of, "{salt} {number:x}");
        }
    }

    #[test]
    fn arms_take_their_places_in_order() {
        let two = |first, second| experiment("summer", &[first, second]);
        let who = member(1);
        let stands = u16::try_from(place("summer", who)).unwrap();
        assert_eq!(arm(&two(stands, 10_000 - stands), who), Some("arm_1"));
        assert_eq!(arm(&two(stands + 1, 0), who), Some("arm_0"));
        assert_eq!(arm(&two(stands, 0), who), None);
        assert_eq!(arm(&two(stands, 1), who), Some("arm_1"));
        assert_eq!(arm(&experiment("", &[]), who), None);
        assert_eq!(place("welcome", who), place(experiment("", &[]).code.as_str(), who));
    }

    #[test]
    fn shares_are_met() {
        // Three deviations of a draw of 100,000; the salts of two experiments shuffle apart.
        let (first, second) = (experiment("a", &[5_000, 2_500, 100]), experiment("b", &[5_000, 2_500, 100]));
        let mut counts = [[0_i32; 4]; 4];
        let at = |experiment, who| match arm(experiment, who) {
            Some("arm_0") => 0,
            Some("arm_1") => 1,
            Some("arm_2") => 2,
            _ => 3,
        };
        for number in 0..100_000 {
            let who = member(0x0190_0000_0000_7000_8000_0000_0000_0000 + number);
            counts[at(&first, who)][at(&second, who)] += 1;
        }
        let near = |count: i32, expected: i32, most: i32| (count - expected).abs() <= most;
        let of_first: Vec<i32> = counts.iter().map(|row| row.iter().sum()).collect();
        assert!(near(of_first[0], 50_000, 475) && near(of_first[1], 25_000, 411), "{of_first:?}");
        assert!(near(of_first[2], 1_000, 95) && near(of_first[3], 24_000, 406), "{of_first:?}");
        assert!(near(counts[0][0], 25_000, 411) && near(counts[0][1], 12_500, 314), "{counts:?}");
    }

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn an_arm_added_at_the_end_moves_nobody_among_the_others(
            salt in "[a-z]{0,8}", shares in prop::collection::vec(0..=3_000_u16, 0..4), added in 0..=3_000_u16,
            numbers in prop::collection::vec(any::<u128>(), 1..50),
        ) {
            let before = experiment(&salt, &shares);
            let after = experiment(&salt, &[shares.as_slice(), &[added]].concat());
            let new = format!("arm_{}", shares.len());
            for who in numbers.into_iter().map(member) {
                match arm(&before, who) {
                    None => prop_assert!(arm(&after, who).is_none_or(|arm| arm == new)),
                    there => prop_assert_eq!(arm(&after, who), there),
                }
            }
        }
    }
}
