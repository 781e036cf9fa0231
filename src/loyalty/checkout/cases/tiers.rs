//! Tiers through the ledger: reached, reviewed, taken back, merged, and asked by rules.

use chrono::NaiveDate;

use crate::loyalty::checkout::cases::{STATUS, Shop, all, amount, day, goods, paid_with};
use crate::loyalty::checkout::receipt::OrderReceipt;
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::posting::{PostingKind, Reference, RequestHash};
use crate::loyalty::membership::grants::grant_tier::{GrantTier, TierGranted};

/// A programme that counts spend in calendar years, and gives 20 points more to gold.
fn program(rules: &str, ladder: &str) -> String {
    format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"Europe/Amsterdam\" }}\n\
         [wallets]\npoints = {{ kind = \"redeemable\", value = \"0.01\" }}\n\
         status = {{ kind = \"qualifying\", counts = \"spend\", window = \"calendar_year\" }}\n\
         [earning.base]\naward = {{ per = \"1.00\", points = 1 }}\n\
         [earning.gold]\nwhen = \"member.tier == 'gold'\"\naward = {{ points = 20 }}\n\
         [tiers]\nwallet = \"status\"\n{rules}\nladder = [{ladder}]\n"
    )
}

const LADDER: &str = "{ code = \"silver\", from = \"250.00\" }, { code = \"gold\", from = \"1000.00\" }";
const ONE_DOWN: &str =
    "valid = \"end_of_next_period\"\ndowngrade = { at = \"period_end\", to = \"one_down\", grace = \"P30D\" }";

fn acme() -> Shop {
    Shop::new("2026-05-01T12:00:00Z", &program(ONE_DOWN, LADDER))
}

/// The tier before, the tier after, and its last day.
fn tier(receipt: &OrderReceipt) -> String {
    let tier = receipt.tier.as_ref().unwrap();
    let until = tier.until.map_or("-".into(), |day| day.to_string());
    format!("{} {} {until}", tier.before.as_deref().unwrap_or("-"), tier.after.as_deref().unwrap_or("-"))
}

impl Shop {
    /// The tier that a reader sees now.
    fn tier(&self) -> &str {
        let slot = self.seen().tier(self.timeline.at(self.now));
        slot.and_then(|slot| self.timeline.tier_code(slot)).unwrap_or("-")
    }

    fn documents(&self, kind: PostingKind) -> Vec<&str> {
        let rows = self.ledger.postings[&self.member].iter().filter(|row| row.kind == kind);
        rows.map(|row| row.document.as_str()).collect()
    }
}

#[test]
fn g3_gold_lasts_to_the_end_of_the_next_year_and_its_grace() {
    let mut shop = acme();
    assert_eq!(shop.tier(), "-");
    assert_eq!(tier(&shop.at("2026-12-31T22:30:00Z").order("1", goods("1050.00"))), "- gold 2027-12-31");
    shop.at("2026-12-31T23:00:00Z");
    assert_eq!((shop.tier(), shop.seen().figures(STATUS).spendable.get()), ("gold", 0));
    assert_eq!(tier(&shop.at("2027-06-01T12:00:00Z").order("2", goods("400.00"))), "gold gold 2027-12-31");
    assert_eq!(shop.at("2028-01-30T22:59:59Z").tier(), "gold");
    assert_eq!(shop.at("2028-01-30T23:00:00Z").tier(), "silver");
    assert_eq!(tier(&shop.order("3", goods("1.00"))), "silver silver 2028-12-31");
    let caught_up = shop.documents(PostingKind::CatchUp);
    let falls =
        "\"until\":\"2027-12-31\",\"falls_on\":\"2028-01-31\",\"falls_to\":\"silver\",\"why\":\"period_closed\"";
    let steps = format!(
        "{{\"tier\":[{{\"at\":\"2027-12-31T23:00:00Z\",\"before\":\"gold\",\"after\":\"gold\",{falls}}},\
         {{\"at\":\"2028-01-30T23:00:00Z\",\"before\":\"gold\",\"after\":\"silver\",\"until\":\"2028-12-31\",\"why\":\"grace_over\"}}]}}"
    );
    assert_eq!(caught_up, ["{}", &steps]);
}

#[test]
fn g3_gold_is_kept_if_it_is_reached_within_the_grace() {
    let mut shop = acme();
    shop.at("2026-12-31T22:30:00Z").order("1", goods("1050.00"));
    assert_eq!(tier(&shop.at("2028-01-15T12:00:00Z").order("2", goods("999.99"))), "gold gold 2027-12-31");
    let kept = shop.at("2028-01-30T22:59:59Z").order("3", goods("0.01"));
    assert_eq!(tier(&kept), "gold gold 2029-12-31");
    let was = kept.tier.as_ref().and_then(|tier| tier.was.as_ref()).unwrap();
    assert_eq!((was.tier.as_str(), was.falls_to.as_deref()), ("gold", Some("silver")));
    // What it reached is taken back, and the fall is announced again.
    let back = shop.give_back("3", "r", all()).tier.unwrap();
    assert_eq!((back.after.as_deref(), back.falls_to.as_deref()), (Some("gold"), Some("silver")));
    assert_eq!(shop.at("2028-01-30T23:00:00Z").tier(), "silver");
}

#[test]
fn a_return_takes_back_what_its_order_reached_and_nothing_else() {
    let mut shop = acme();
    shop.order("1", goods("300.00"));
    shop.order("2", goods("800.00"));
    assert_eq!(shop.tier(), "gold");
    assert!(shop.give_back("1", "r1", amount("50.00")).tier.is_none(), "1,050.00 are left");
    // It did not reach gold: the tier stays until its review.
    assert!(shop.give_back("1", "r2", amount("100.00")).tier.is_none());
    assert_eq!(shop.tier(), "gold");
    let back = shop.give_back("2", "r3", amount("1.00")).tier.unwrap();
    assert_eq!((back.before.as_deref(), back.after.as_deref()), (Some("gold"), Some("silver")));
    assert_eq!(shop.give_back("2", "r4", all()).tier, None);
    assert_eq!(shop.tier(), "silver", "the first order reached it, and 150.00 of it are left");
    assert_eq!(shop.give_back("1", "r5", all()).tier.unwrap().after, None);
}

#[test]
fn spending_demotes_nobody() {
    let mut shop = acme();
    shop.order("1", goods("1000.00"));
    let paid = shop.order("2", paid_with(1_000, goods("10.00")));
    assert_eq!((tier(&paid).as_str(), shop.tier()), ("gold gold 2027-12-31", "gold"));
}

#[test]
fn a_rule_asks_for_the_tier_before_the_order_and_on_its_day() {
    let mut shop = acme();
    let rows = |receipt: &OrderReceipt| receipt.rows.iter().map(|row| row.points).collect::<Vec<_>>();
    assert_eq!(rows(&shop.order("1", goods("1000.00"))), [1_000]);
    assert_eq!(rows(&shop.at("2026-06-01T12:00:00Z").order("2", goods("10.00"))), [10, 20]);
    shop.at("2028-04-15T12:00:00Z");
    assert_eq!(rows(&shop.order("3", goods("10.00"))), [10]);
    assert_eq!(shop.tier(), "silver");
    assert_eq!(rows(&shop.late_order("2027-06-01T12:00:00Z", "4", goods("10.00"))), [10, 20]);
    assert_eq!(rows(&shop.late_order("2026-04-20T12:00:00Z", "5", goods("10.00"))), [10]);
}

#[test]
fn a_late_order_of_a_closed_year_opens_no_review_again() {
    let mut shop = acme();
    shop.order("1", goods("300.00"));
    shop.at("2027-01-01T12:00:00Z");
    let late = shop.late_order("2026-12-30T12:00:00Z", "2", goods("5000.00"));
    assert_eq!((tier(&late).as_str(), shop.tier()), ("silver silver 2027-12-31", "silver"));
}

#[test]
fn who_is_suspended_reaches_nothing_and_falls_all_the_same() {
    let mut shop = acme();
    shop.order("1", goods("1000.00"));
    shop.at("2027-06-01T12:00:00Z").change_status("s", Status::Suspended).unwrap();
    assert_eq!(shop.at("2028-03-01T12:00:00Z").tier(), "silver");
    let order = shop.stated_order("2", goods("5000.00"));
    assert_eq!(tier(&order), "silver silver 2028-12-31");
    shop.change_status("r", Status::Active).unwrap();
    assert_eq!(shop.tier(), "silver");
    shop.order("3", goods("1000.00"));
    assert_eq!(shop.tier(), "gold");
}

#[test]
fn a_merge_holds_the_better_tier_and_adds_what_both_have_spent() {
    let mut shop = acme();
    shop.order("1", goods("600.00"));
    let one = shop.member;
    shop.member = shop.enrol(3);
    shop.order("2", goods("500.00"));
    let two = shop.member;
    let merged = shop.merge(one, two).unwrap();
    assert_eq!(merged.tier.unwrap().after.as_deref(), Some("gold"));
    assert_eq!(merged.standing.unwrap().earned.unwrap().tier, "silver");
    // No return takes back what a merge reached.
    assert!(shop.give_back("1", "r", all()).tier.is_none());
    assert_eq!(shop.tier(), "gold");
}

#[test]
fn pain_10_a_tier_can_be_edited_and_nobody_falls_by_it() {
    let raised = "{ code = \"silver\", from = \"500.00\" }, { code = \"gold\", from = \"2000.00\" }";
    let lowered = "{ code = \"silver\", from = \"250.00\" }, { code = \"gold\", from = \"400.00\" }";
    let versions = [
        ("2026-05-01T12:00:00Z", program(ONE_DOWN, LADDER)),
        ("2026-07-01T00:00:00Z", program(ONE_DOWN, raised)),
        ("2026-09-01T00:00:00Z", program(ONE_DOWN, lowered)),
    ];
    let versions = versions.each_ref().map(|(starts, document)| (*starts, document.as_str()));
    let mut shop = Shop::with_versions("2026-05-01T12:00:00Z", &versions);
    shop.order("1", goods("450.00"));
    assert_eq!(shop.tier(), "silver");
    shop.at("2026-07-01T00:00:00Z");
    assert_eq!(shop.tier(), "silver", "500.00 are asked for now, and nobody falls before the review");
    assert_eq!(shop.at("2026-08-31T23:59:59Z").tier(), "silver");
    assert_eq!(shop.at("2026-09-01T00:00:00Z").tier(), "gold", "a reader sees it, whether or not anybody was touched");
    assert_eq!(tier(&shop.order("2", goods("1.00"))), "gold gold 2027-12-31");
    let caught_up = shop.documents(PostingKind::CatchUp).concat();
    assert!(caught_up.contains("\"why\":\"published\""), "{caught_up}");
}

#[test]
fn tiers_that_a_version_leaves_out_are_gone() {
    let with = program(ONE_DOWN, LADDER);
    let (without, _) = with.split_once("[earning.gold]").unwrap();
    let mut shop = Shop::with_versions(
        "2026-05-01T12:00:00Z",
        &[("2026-05-01T12:00:00Z", &with), ("2026-07-01T00:00:00Z", without)],
    );
    shop.order("1", goods("450.00"));
    shop.at("2026-07-01T00:00:00Z");
    assert_eq!((shop.tier(), shop.seen().standing.held), ("-", None));
    assert!(shop.order("2", goods("450.00")).tier.is_none());
}

#[test]
fn a_rolling_window_falls_when_the_balance_is_not_there_any_more() {
    let rules = "downgrade = { at = \"when_below\", to = \"earned\", grace = \"P10D\" }";
    let document = program(rules, LADDER).replace("\"calendar_year\"", "{ rolling = \"P3M\" }");
    let mut shop = Shop::new("2026-05-01T12:00:00Z", &document);
    shop.order("1", goods("1000.00"));
    shop.at("2026-06-01T12:00:00Z").order("2", goods("300.00"));
    // A return that takes the balance away announces the fall at once: it was the other order that reached gold.
    let back = shop.give_back("2", "r", all());
    assert_eq!((back.tier, shop.tier()), (None, "gold"));
    assert_eq!(shop.at("2026-08-10T21:59:59Z").tier(), "gold");
    assert_eq!(shop.at("2026-08-10T22:00:00Z").tier(), "-");
}

impl Shop {
    fn grant(&mut self, key: &str, tier: Option<&str>, until: Option<NaiveDate>) -> TierGranted {
        let grant = GrantTier {
            reference: Reference::keyed("grant", key),
            hash: RequestHash([0; 16]),
            member: self.member,
            tier: tier.map(str::to_owned),
            until,
            reason: String::new(),
        };
        self.post(grant).unwrap()
    }
}

#[test]
fn a_tier_that_was_given_ends_with_its_last_day_and_what_was_earned_is_there_again() {
    let mut shop = acme();
    let given = shop.grant("vip", Some("gold"), Some(day("2026-06-30"))).tier.unwrap();
    assert_eq!((given.before, given.after.as_deref(), given.until), (None, Some("gold"), None));
    // Who is gold by grace of somebody earns as gold, and reaches silver on the quiet.
    let receipt = shop.order("1", goods("250.00"));
    assert_eq!((tier(&receipt).as_str(), receipt.rows.last().map(|row| row.points)), ("gold gold -", Some(20)));
    assert_eq!(shop.at("2026-06-30T21:59:59Z").tier(), "gold");
    assert_eq!(shop.at("2026-06-30T22:00:00Z").tier(), "silver");
    shop.order("2", goods("1.00"));
    let over = shop.documents(PostingKind::CatchUp);
    assert!(
        over.last()
            .unwrap()
            .contains("\"before\":\"gold\",\"after\":\"silver\",\"until\":\"2027-12-31\",\"why\":\"grant_over\""),
        "{over:?}"
    );
    // A late order is decided by the tier of its day.
    assert_eq!(shop.late_order("2026-06-29T12:00:00Z", "3", goods("1.00")).rows.last().map(|row| row.points), Some(20));
    // A higher tier that is earned is not taken by a lower one that is given.
    shop.order("4", goods("800.00"));
    assert_eq!(shop.grant("less", Some("silver"), None).tier, None);
    assert_eq!(shop.tier(), "gold");
    assert_eq!(shop.grant("end", None, None).given, None);
    assert_eq!(shop.tier(), "gold");
}
