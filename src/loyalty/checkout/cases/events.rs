//! What is awarded for enrolling and for events, within caps and budgets, and what a return leaves alone.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::checkout::cases::caps::{given_back, rows, skipped};
use crate::loyalty::checkout::cases::{Shop, all, goods, instant, program, refused};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::posting::{AccountTime, Reference, RequestHash, Target};
use crate::loyalty::membership::events::send_event::{EventReceipt, EventRefusal, SendEvent};
use crate::loyalty::program::model::earning::is_kept;

const WELCOME: &str = "[earning.welcome]\non = \"enrolment\"\naward = { points = 100 }\nbudget = { points = 250 }\n\
    caps = { per_member = { awards = 1 } }\n[attributes.event.review]\nstars = { kind = \"number\" }\n\
    [earning.review]\non = \"event:review\"\naward = { points = 20 }\nexpiry = { after = \"P1M\" }\n\
    caps = { per_member = { points = 50, each = \"P1M\" } }\n\
    [earning.praise]\non = \"event:review\"\nwhen = 'event.attributes.stars == 5 && member.order_count >= 1'\naward = { points = 5 }\n";

impl Shop {
    pub(super) fn event(
        &mut self,
        name: &str,
        at: Option<&str>,
        attributes: &Value,
    ) -> Result<EventReceipt, EventRefusal> {
        let number = self.ledger.postings[&self.member].len();
        let event = SendEvent {
            reference: Reference::keyed("event", &number.to_string()),
            hash: RequestHash::of(&number),
            member: self.member,
            identity: None,
            name: name.into(),
            occurred_at: at.map(instant),
            attributes: attributes.as_object().cloned().unwrap_or_default(),
            time: AccountTime::Live,
            by_itself: is_kept(name),
        };
        refused(self.post(event))
    }
}

fn awarded(receipt: &EventReceipt) -> Vec<(&str, i64, Option<i64>)> {
    receipt.rows.iter().map(|row| (row.rule.as_str(), row.points, row.uncut)).collect()
}

#[test]
fn whoever_enrols_is_welcomed_once_alone_or_with_an_order_and_a_return_leaves_that() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = \"never\"", WELCOME));
    assert_eq!(shop.spendable(), 100);
    // Whoever comes with an order is welcomed in it; what comes back is what was bought.
    let guest = MemberId(Uuid::from_u128(7));
    let order =
        SettleOrder { target: Target::New(guest), enrol: true, ..shop.settle(OrderedAt::Now, "1", goods("30.00")) };
    let receipt = shop.post(order).unwrap();
    assert_eq!(rows(&receipt), [("base", 30, None), ("welcome", 100, None)]);
    assert_eq!((receipt.rows[1].lines.len(), receipt.lines[0].earned), (0, 30));
    shop.member = guest;
    assert_eq!(rows(&shop.order("2", goods("10.00"))), [("base", 10, None)]);
    let back = shop.give_back("1", "r", all());
    assert_eq!((given_back(&back), shop.spendable()), (vec![], 110));
    // The last of the budget, and then nothing.
    shop.enrol(8);
    shop.enrol(9);
    let points = |shop: &Shop, n: u128| {
        shop.ledger.accounts[&MemberId(Uuid::from_u128(n))].figures(super::POINTS).spendable.get()
    };
    assert_eq!((points(&shop, 8), points(&shop, 9)), (50, 0));
    let none = &shop.ledger.postings[&MemberId(Uuid::from_u128(9))][0].document;
    assert!(none.contains("budget_spent"), "{none}");
}

#[test]
fn events_are_awarded_within_their_caps_by_their_business_day() {
    let mut shop = Shop::new("2026-06-10T12:00:00Z", &program("expiry = \"never\"", WELCOME));
    let five = json!({ "stars": 5 });
    let first = shop.event("review", None, &five).unwrap();
    assert_eq!(awarded(&first), [("review", 20, None)]);
    assert_eq!(first.skipped[0].reason, "condition_false");
    assert_eq!((first.rows[0].expires_on, first.earned[0].points), (Some("2026-07-10".parse().unwrap()), Some(20)));
    shop.order("1", goods("10.00"));
    assert_eq!(awarded(&shop.event("review", None, &five).unwrap()), [("review", 20, None), ("praise", 5, None)]);
    let cut = shop.event("review", None, &json!({ "stars": "many" })).unwrap();
    assert_eq!((awarded(&cut), cut.skipped[0].reason.as_str()), (vec![("review", 10, Some(20))], "condition_failed"));
    // In May there is room; what is too old or ahead is refused, and so is what nobody knows.
    assert_eq!(
        awarded(&shop.event("review", Some("2026-05-20T12:00:00Z"), &json!({})).unwrap()),
        [("review", 20, None)]
    );
    assert_eq!(shop.event("review", Some("2026-06-10T12:05:01Z"), &json!({})), Err(EventRefusal::TooFarAhead));
    assert_eq!(shop.event("review", Some("2024-06-09T12:00:00Z"), &json!({})), Err(EventRefusal::TooOld));
    assert_eq!(shop.event("other", None, &json!({})), Err(EventRefusal::Unknown));
    shop.change_status("s", Status::Suspended).unwrap();
    let nothing = shop.event("review", None, &five).unwrap();
    assert_eq!((awarded(&nothing), nothing.skipped.len()), (vec![], 2));
    assert_eq!(skipped(&shop.order("2", goods("10.00"))), [("base", "member_suspended")]);
}
