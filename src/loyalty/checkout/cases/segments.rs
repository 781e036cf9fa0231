//! Lists of members: what is for them is for who is in one, also after a merge.

use crate::kernel::id::MemberId;
use crate::loyalty::checkout::cases::caps::{rows, skipped};
use crate::loyalty::checkout::cases::{Shop, goods, program, refused};
use crate::loyalty::ledger::posting::{Reference, RequestHash};
use crate::loyalty::membership::segments::change_segment::{ChangeSegment, SegmentChanged, SegmentRefusal};

const LISTS: &str = "[segments.staff]\n[segments.press]\n\
    [earning.staff]\naudience = { segments = [\"staff\"] }\naward = { points = 5 }\n\
    [earning.press]\nwhen = '\"press\" in member.segments'\naward = { points = 7 }\n\
    [earning.first]\nwhen = 'member.segment == \"staff\"'\naward = { points = 1 }\n";

impl Shop {
    fn list(&mut self, member: MemberId, segment: &str, listed: bool) -> Result<SegmentChanged, SegmentRefusal> {
        let reference = Reference::keyed("segment", &format!("{segment} {}", self.ledger.postings[&member].len()));
        let hash = RequestHash::of(&listed);
        refused(self.post(ChangeSegment { reference, hash, member, identity: None, segment: segment.into(), listed }))
    }
}

#[test]
fn rules_are_for_who_is_in_a_list_and_lists_go_along_with_a_merge() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &format!("{}{LISTS}", program("expiry = \"never\"", "")));
    let member = shop.member;
    let nobody = shop.order("1", goods("10.00"));
    assert_eq!(rows(&nobody), [("base", 10, None)]);
    let why = [("staff", "wrong_segment"), ("press", "condition_false"), ("first", "condition_false")];
    assert_eq!(skipped(&nobody), why);
    assert!(shop.list(member, "staff", true).unwrap().listed);
    assert_eq!(shop.list(member, "staff", true), Err(SegmentRefusal::Already));
    assert_eq!(shop.list(member, "press", false), Err(SegmentRefusal::Already));
    assert_eq!(shop.list(member, "guests", true), Err(SegmentRefusal::Unknown));
    shop.list(member, "press", true).unwrap();
    let all = [("base", 10, None), ("staff", 5, None), ("press", 7, None), ("first", 1, None)];
    assert_eq!(rows(&shop.order("2", goods("10.00"))), all);
    shop.list(member, "staff", false).unwrap();
    assert_eq!(rows(&shop.order("3", goods("10.00"))), [("base", 10, None), ("press", 7, None)]);
    // Who goes on is in the lists of both.
    let into = shop.enrol(3);
    shop.list(into, "staff", true).unwrap();
    shop.merge(member, into).unwrap();
    shop.member = into;
    assert_eq!(rows(&shop.order("4", goods("10.00"))), all);
    assert_eq!(shop.ledger.accounts[&member].segments.0, 0);
}
