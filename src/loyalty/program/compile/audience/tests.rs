//! What parts may name, for whom they are, and what is said of those that name something else.

use chrono::{DateTime, NaiveDate};
use serde_json::json;
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, Version};
use crate::loyalty::program::audience::{Outside, ask};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::condition::EvalError;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::facts::{Facts, MemberFacts};
use crate::loyalty::program::model::{Rulebook, SEGMENTS_MAX, SegmentSet, SegmentSlot, TierSlot};
use crate::loyalty::program::position::Lines;
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::reason::Reason;
use crate::loyalty::program::slots::{NoRoom, Slots, assign_slots};

const ACME: &str = r#"
[program]
name = "Acme Rewards"
currency = "EUR"
timezone = "Europe/Amsterdam"
language = "nl"

[wallets.points]
kind = "redeemable"
value = "0.01"

[wallets.status]
kind = "qualifying"

[tiers]
wallet = "status"
ladder = [{ code = "silver", from = "250.00" }, { code = "gold", from = "1000.00", perks = ["lounge"] }]

[earning.base]
award = { per = "1.00", points = 1 }

[earning.more]
award = { multiply = "2" }
lines = 'line.attributes.organic'
when = 'order.attributes["Gift wrap"] && "vip" in member.segments'
campaign = "spring"
text.en = { title = "Twice as much", says = "For gold members" }
text.pt-BR = { terms = "…" }

[earning.more.audience]
tiers = ["gold", "none"]
segments = ["vip", "staff"]
arms = { welcome = ["a", "b"], banner = ["red"] }
when = 'member.attributes.birthday == now.date'

[perks.lounge]
audience = { segments = ["staff"] }
schedule = { from = "2026-12-01T00:00" }

[attributes.member]
birthday = { kind = "date" }

[attributes.order]
"Gift wrap" = { kind = "flag" }

[attributes.line]
organic = { kind = "flag", text.en = { title = "Organic" } }
size = { one_of = ["S", "M"] }

[attributes.event.review_written]
stars = { kind = "number" }

[segments.vip]

[segments.staff]
text.en = { title = "Those who work here" }

[experiments.welcome]
salt = "2026"
arms = { a = 5_000, b = 2_500 }

[experiments.banner]
arms = { red = 10_000 }

[goals.again]
metric = "repeat_purchase_rate"
target = "0.35"
by = "2026-12-31"
"#;

fn book() -> Rulebook {
    let document = Document::from_toml(ACME).unwrap();
    let slots = assign_slots(&Slots::default(), &document).unwrap();
    compile(&document, Version(1), DateTime::UNIX_EPOCH, &slots).unwrap()
}

/// Mistakes without their lines and columns.
fn named(mistakes: Vec<Mistake>) -> Vec<String> {
    mistakes.into_iter().map(|mistake| Mistake { position: None, ..mistake }.to_string()).collect()
}

fn mistakes(from: &str, to: &str) -> Vec<String> {
    assert!(ACME.contains(from), "{from}");
    named(Document::from_toml(&ACME.replacen(from, to, 1)).unwrap_err())
}

#[test]
fn a_document_compiles_to_what_it_names() {
    let book = book();
    let audience = book.earning[1].audience.as_ref().unwrap();
    assert_eq!(audience.tiers, [Some(TierSlot(1)), None]);
    assert_eq!(audience.segments, [SegmentSlot(0), SegmentSlot(1)]);
    assert_eq!(audience.arms.len(), 2);
    assert!(audience.when.as_ref().unwrap().reads().attributes);
    assert_eq!(book.segment_codes, [("vip".to_owned(), SegmentSlot(0)), ("staff".to_owned(), SegmentSlot(1))]);
    let perk = &book.perks[0];
    assert_eq!(perk.audience.as_ref().unwrap().segments, [SegmentSlot(1)]);
    assert!(!perk.schedule.has("2026-11-30T22:59:59Z".parse().unwrap()));
    assert!(perk.schedule.has("2026-11-30T23:00:00Z".parse().unwrap()));
    assert_eq!(book.declared.line["size"].one_of, ["S", "M"]);
    assert!(book.declared.event["review_written"].contains_key("stars"));
    let acme = Document::from_toml(ACME).unwrap();
    assert_eq!(Document::from_toml(&acme.to_toml().unwrap()).unwrap(), acme);
    assert_eq!(Document::from_json(&acme.to_json().unwrap()).unwrap(), acme);
}

#[test]
fn every_unknown_name_is_a_mistake_with_its_place() {
    let cases = [
        ("tiers = [\"gold\"", "tiers = [\"golf\"", "/earning/more/audience/tiers/0: is no tier of this document"),
        ("\"none\"]", "\"gold\"]", "/earning/more/audience/tiers/1: is named twice"),
        ("segments = [\"vip\"", "segments = [\"v\"", "/earning/more/audience/segments/0: is no list of members"),
        ("banner = [", "baner = [", "/earning/more/audience/arms/baner: is no experiment of this document"),
        ("\"b\"],", "\"c\"],", "/earning/more/audience/arms/welcome/1: is no arm of this experiment"),
        ("[\"red\"]", "[]", "/earning/more/audience/arms/banner: names at least one arm"),
        ("b = 2_500", "b = 5_001", "/experiments/welcome/arms: are 10001 ten-thousandths in all, of 10000"),
        ("{ red = 10_000 }", "{ blue = 1 }", "/earning/more/audience/arms/banner/0: is no arm of this experiment"),
        ("salt = \"2026\"", "salt = \" \"", "/experiments/welcome/salt: is 1 to 100 printable characters"),
        ("member.attributes.birthday", "member.attributes.birth", "/earning/more/audience/when: the attribute `birth`"),
        ("when = 'member", "when = 'order", "/earning/more/audience/when: there is no `order` where"),
        ("line.attributes.organic", "line.attributes.fresh", "/earning/more/lines: the attribute `fresh` is not"),
        ("\"vip\" in member", "\"v\" in member", "/earning/more/when: there is no list of members `v`"),
        ("perks = [\"lounge\"]", "perks = [\"loung\"]", "/tiers/ladder/1/perks/0: is no perk of this document"),
        ("audience = { segments = [\"staff\"] }", "audience = {}", "/perks/lounge/audience: has `tiers`,"),
        ("2026-12-01T00:00", "2026-12-01", "/perks/lounge/schedule/from: is no time such as"),
        ("campaign = \"spring\"", "campaign = \"Spring\"", "/earning/more/campaign: a code is"),
        ("language = \"nl\"", "language = \"Dutch\"", "/program/language: is no language such as"),
        ("text.pt-BR", "text.pt-br", "/earning/more/text/pt-br: is no language such as"),
        ("{ terms = \"…\" }", "{}", "/earning/more/text/pt-BR: has `title`, `terms` or `says`"),
        ("title = \"Organic\"", "title = \"\"", "/attributes/line/organic/text/en/title: is 1 to 200 printable"),
        ("{ one_of", "{ kind = \"flag\", one_of", "/attributes/line/size/one_of: goes with texts"),
        ("\"M\"]", "\"S\"]", "/attributes/line/size/one_of/1: is named twice"),
        ("\"0.35\"", "\"35\"", "/goals/again/target: is a share, 1 at most"),
        ("by = \"2026-12-31\"", "", "/goals/again/by: is required"),
        ("by = \"2026-12-31\"", "by = \"31-12-2026\"", "/goals/again/by: is no day such as"),
    ];
    for (from, to, want) in cases {
        let found = mistakes(from, to);
        assert!(found.iter().any(|found| found.starts_with(want)), "{from} → {to}: {found:?}");
        assert_eq!(found.len(), 1, "{from} → {to}: {found:?}");
    }
    let text = ACME.replace("[\"gold\", \"none\"]", "[\"golf\"]");
    let found = Document::from_toml(&text).unwrap_err().remove(0);
    let lines = Lines::of(&text);
    assert_eq!(found.position, lines.at(text.find("\"golf\"").unwrap()));
}

#[test]
fn what_was_not_understood_is_no_second_mistake_where_it_is_named() {
    let cases = [
        ("[segments.vip]", "[segments]\nvip = 3", "/segments/vip: invalid type"),
        ("red = 10_000", "red = \"all\"", "/experiments/banner/arms/red: invalid type"),
        ("from = \"1000.00\"", "form = \"1000.00\"", "/tiers/ladder/1/form: unknown field"),
        ("kind = \"date\"", "kind = \"day\"", "/attributes/member/birthday/kind: unknown variant"),
        ("[perks.lounge]", "[perks.lounge]\nwho = 1", "/perks/lounge/who: unknown field"),
    ];
    for (from, to, want) in cases {
        let found = mistakes(from, to);
        assert!(found[0].starts_with(want), "{found:?}");
        assert!(found.iter().all(|found| !found.contains("/earning")), "{from} → {to}: {found:?}");
    }
}

#[test]
fn lists_of_members_keep_their_bits_for_ever() {
    let acme = Document::from_toml(ACME).unwrap();
    let segments = (0..).take(SEGMENTS_MAX - 1).map(|slot| (format!("old_{slot}"), SegmentSlot(slot)));
    let mut existing = Slots { segments: segments.collect(), ..Slots::default() };
    assert_eq!(assign_slots(&existing, &acme), Err(NoRoom::Segments));
    existing.segments.shift_remove("old_7");
    let slots = assign_slots(&existing, &acme).unwrap();
    assert_eq!((slots.segments["vip"], slots.segments["staff"]), (SegmentSlot(7), SegmentSlot(61)));
    assert_eq!(assign_slots(&slots, &acme).unwrap(), slots);
}

#[test]
fn the_first_reason_is_named_why_a_member_is_outside() {
    let book = book();
    let audience = book.earning[1].audience.as_ref().unwrap();
    let at: Instant = "2026-06-01T10:00:00Z".parse().unwrap();
    let today = json!({ "birthday": "2026-06-01" });
    let asked = |tier: Option<i16>, segments: u64, who: u128, attributes: &serde_json::Value| {
        let member = MemberFacts {
            member: MemberId(Uuid::from_u128(who)),
            tier: tier.map(TierSlot),
            segments: SegmentSet(segments),
            order_count: 0,
            days_since_last_order: None,
            days_enrolled: 0,
            attributes: attributes.as_object(),
        };
        let local = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap().and_hms_opt(12, 0, 0).unwrap();
        ask(audience, &Facts { book: &book, at, local, member, order: None, event: None })
    };
    let inside = (1..).find(|who| book.arm("welcome", MemberId(Uuid::from_u128(*who))).is_some()).unwrap();
    let outside = (1..).find(|who| book.arm("welcome", MemberId(Uuid::from_u128(*who))).is_none()).unwrap();
    let why = |reason| Err(Outside::by(reason));
    assert_eq!(asked(Some(1), 0b01, inside, &today), Ok(()));
    assert_eq!(asked(None, 0b10, inside, &today), Ok(()), "without a tier, and in the other list");
    assert_eq!(asked(Some(0), 0, outside, &json!({})), why(Reason::WrongTier));
    assert_eq!(asked(Some(1), 0b100, outside, &json!({})), why(Reason::WrongSegment));
    assert_eq!(asked(Some(1), 0b11, outside, &json!({})), why(Reason::WrongArm));
    assert_eq!(asked(Some(1), 0b11, inside, &json!({ "birthday": "2026-06-02" })), why(Reason::ConditionFalse));
    let unknown = EvalError::Unknown("member.attributes.birthday".into());
    let failed = Outside { reason: Reason::ConditionFailed, detail: Some(unknown) };
    assert_eq!(asked(Some(1), 0b11, inside, &json!({})), Err(failed));
}
