//! What conditions may say, what is wrong with others, and what they answer.

mod conformance;
mod document;
mod mistakes;
mod properties;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::json;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, Version};
use crate::kernel::money::Money;
use crate::loyalty::program::arm::{Experiment, TenThousandths};
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::condition::{Condition, EvalError, Reads, Scope, read};
use crate::loyalty::program::document::Document;
use crate::loyalty::program::facts::{EventFacts, Facts, LineFacts, LineKind, MemberFacts, OrderFacts, Values};
use crate::loyalty::program::model::attributes::{AttributeType, DeclaredAttributes};
use crate::loyalty::program::model::{Rulebook, SegmentSet, SegmentSlot, TierSlot};
use crate::loyalty::program::slots::assign_slots;

/// What the conditions of a test may name.
struct World {
    declared: DeclaredAttributes,
    experiments: [String; 2],
    tiers: [String; 2],
    segments: [String; 3],
}

impl World {
    fn new() -> Self {
        let kinds = [
            ("city", AttributeType::Text),
            ("shoe size", AttributeType::Number),
            ("other", AttributeType::Number),
            ("news", AttributeType::Flag),
            ("birthday", AttributeType::Date),
            ("missing", AttributeType::Number),
            ("odd", AttributeType::Text),
        ];
        let of = |names: &[&str]| {
            let named = kinds.iter().filter(|(name, _)| names.contains(name));
            named.map(|(name, kind)| ((*name).to_owned(), (*kind).into())).collect()
        };
        let stars = [("stars".to_owned(), AttributeType::Number.into())].into_iter().collect();
        let declared = DeclaredAttributes {
            member: of(&kinds.map(|(name, _)| name)),
            order: of(&["news"]),
            line: of(&["shoe size"]),
            event: [("review_written".to_owned(), stars)].into_iter().collect(),
        };
        Self {
            declared,
            experiments: ["banner", "price"].map(str::to_owned),
            tiers: ["silver", "gold"].map(str::to_owned),
            segments: ["staff", "vip", "press"].map(str::to_owned),
        }
    }

    /// Everything but a line: where `when` of an order stands, and an event besides.
    fn scope(&self) -> Scope<'_> {
        Scope {
            order: true,
            line: false,
            event: Some("review_written"),
            declared: &self.declared,
            experiments: &self.experiments,
            tiers: &self.tiers,
            segments: &self.segments,
        }
    }

    fn lines(&self) -> Scope<'_> {
        Scope { line: true, event: None, ..self.scope() }
    }
}

fn book() -> Rulebook {
    let text = "program = { name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }\n[wallets]\n\
                points = { kind = \"redeemable\", value = \"0.01\", by_hand = true }\n";
    let document = Document::from_toml(text).unwrap();
    let slots = assign_slots(&Default::default(), &document).unwrap();
    let mut book = compile(&document, Version(1), Instant::MIN_UTC, &slots).unwrap();
    book.tier_codes = vec![("silver".into(), TierSlot(4)), ("gold".into(), TierSlot(2))];
    book.segment_codes = vec![("staff".into(), SegmentSlot(7)), ("vip".into(), SegmentSlot(1))];
    book.segment_codes.push(("press".into(), SegmentSlot(0)));
    let experiment = |code: &str, arms| Experiment { code: code.into(), salt: None, arms };
    let all = vec![("b".to_owned(), TenThousandths(10_000))];
    book.experiments = vec![experiment("banner", all), experiment("price", Vec::new())];
    book
}

fn values(json: serde_json::Value) -> Values {
    json.as_object().unwrap().clone()
}

/// Asks something of an order of three lines, of 1, 2 and 3 pieces, or of none.
fn ask<T>(member: &Values, empty: bool, question: impl FnOnce(&Facts<'_>, &LineFacts<'_>) -> T) -> T {
    let (book, money) = (book(), |minor| Money::from_minor(minor).unwrap());
    let of_line = values(json!({ "shoe size": 43 }));
    let line = |kind, sku, category, quantity, minor| LineFacts {
        kind,
        sku,
        category,
        brand: "acme",
        quantity,
        amount: money(minor),
        attributes: Some(&of_line),
    };
    let lines = [
        line(LineKind::Product, "S-1", "shoes", 1, 8_999),
        line(LineKind::Product, "B-1", "", 2, 2_251),
        line(LineKind::Shipping, "", "", 3, 750),
    ];
    let of_event = values(json!({ "stars": "4.5" }));
    let member = MemberFacts {
        member: MemberId(uuid::Uuid::nil()),
        tier: Some(TierSlot(2)),
        segments: SegmentSet(0b11),
        order_count: 3,
        days_since_last_order: None,
        days_enrolled: 400,
        attributes: Some(member),
    };
    let order = OrderFacts {
        total: money(12_000),
        products: money(11_250),
        shipping: money(750),
        channel: "web",
        store: "",
        quantity: 3,
        lines: if empty { &[] } else { &lines },
        attributes: None,
    };
    let facts = Facts {
        book: &book,
        at: Instant::UNIX_EPOCH,
        local: NaiveDate::from_ymd_opt(2026, 12, 24).unwrap().and_hms_opt(18, 30, 0).unwrap(),
        member,
        order: Some(order),
        event: Some(EventFacts { name: "review_written", attributes: Some(&of_event) }),
    };
    question(&facts, &lines[0])
}

fn known() -> Values {
    values(json!({
        "city": "Utrecht", "shoe size": 42.5, "other": "-3.25", "news": true, "birthday": "1990-12-24", "odd": 5,
    }))
}

fn answer(condition: &Condition) -> Result<bool, EvalError> {
    ask(&known(), false, |facts, line| condition.holds(facts, Some(line)))
}

fn holds(text: &str) -> Result<bool, String> {
    let world = World::new();
    let scope = if text.contains("line.") { world.lines() } else { world.scope() };
    let condition = read(text, &scope).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    answer(&condition).map_err(|e| e.to_string())
}

#[test]
fn every_variable_is_what_the_facts_say() {
    for text in [
        "order.total == 120 && order.products == 112.50 && order.shipping == 7.5 && order.quantity == 3",
        "order.channel == 'web' && order.store == ''",
        "order.lines.exists(l, l.category == 'shoes' && l.amount > 89.98 && l.brand.startsWith('ac'))",
        "order.lines.all(l, l.kind == 'product' || l.amount < 10) && !order.lines.all(l, l.kind == 'product')",
        "line.sku == 'S-1' && line.quantity == 1 && line.kind == 'product' && line.attributes['shoe size'] == 43",
        "member.tier == 'gold' && member.tier != '' && member.tier in ['gold', 'silver', '']",
        "member.segment == 'vip' && 'press' in member.segments && !('staff' in member.segments)",
        "member.order_count == 3 && member.days_enrolled == 400",
        "member.arms.banner == 'b' && member.arms.price == ''",
        "member.attributes.city.endsWith('recht') && member.attributes['shoe size'] == 42.5",
        "member.attributes.other == -3.25 && member.attributes.news && !!member.attributes.news",
        "member.attributes.birthday < date('2008-12-25') && member.attributes.birthday != now.date",
        "event.name == 'review_written' && event.attributes.stars >= 4.5",
        "now.date == date('2026-12-24') && now.year == 2026 && now.month == 12 && now.day == 24",
        "now.weekday == 4 && now.hour == 18 && now.minute == 30 && now.date in [date('2026-12-24')]",
        "(order.total > 100 ? 'large' : 'small') + '!' == \"large!\" // as people say",
        "true ? order.total in [1, -2, 120.00] : false",
        "(member.attributes.news ? now.date : date('2000-01-01')) > date('2026-12-23') && false < true",
    ] {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
}

#[test]
fn what_is_not_known_is_an_error_unless_the_answer_is_the_same() {
    for (text, want) in [
        ("member.attributes.missing > 1", Err("`member.attributes.missing` is not known")),
        ("member.days_since_last_order > 30", Err("`member.days_since_last_order` is not known")),
        ("order.attributes.news", Err("`order.attributes.news` is not known")),
        ("member.attributes.odd == '5'", Err("`member.attributes.odd` is no text")),
        ("order.total / (order.quantity - 3) > 1", Err("division by zero")),
        ("79228162514264337593543950335 * 2 > 1", Err("a figure is too large")),
        ("member.attributes.missing > 1 || order.total > 100", Ok(true)),
        ("order.total > 100 || member.attributes.missing > 1", Ok(true)),
        ("member.attributes.missing > 1 && order.total < 100", Ok(false)),
        ("member.attributes.missing > 1 || order.total < 100", Err("`member.attributes.missing` is not known")),
        ("order.total > 100 ? true : member.attributes.missing > 1", Ok(true)),
    ] {
        assert_eq!(holds(text), want.map_err(str::to_owned), "{text}");
    }
    let world = World::new();
    let condition = read("order.total > 1 || event.name == 'x'", &world.scope()).unwrap();
    let nowhere = ask(&known(), false, |facts, _| {
        condition.holds(&Facts { order: None, event: None, ..*facts }, None).map_err(|e| e.to_string())
    });
    assert_eq!(nowhere, Err("`order` is not known".to_owned()));
}

#[test]
fn a_condition_is_short_flat_and_quick() {
    let world = World::new();
    let wrong = |text: &str, scope: &Scope<'_>| read(text, scope).unwrap_err().remove(0).message;
    let long = format!("order.total > 1{}", " ".repeat(1_986));
    assert_eq!(wrong(&long, &world.scope()), "a condition has at most 2000 characters");
    assert!(read(&long[..2_000], &world.scope()).is_ok());
    for (open, close) in [("(", ")"), ("!", "")] {
        let nested = |depth: usize| format!("{}true{}", open.repeat(depth), close.repeat(depth));
        assert!(read(&nested(32), &world.scope()).is_ok());
        assert_eq!(wrong(&nested(33), &world.scope()), "is nested more than 32 deep");
        assert_eq!(wrong(&nested(900), &world.scope()), "is nested more than 32 deep");
    }
    let many = ["line.amount > 1"; 10].join(" && ");
    assert_eq!(read(&many, &world.lines()).unwrap().cost(), 20_000);
    let more = format!("{many} && true");
    let message = "may take 21000 steps on the lines of an order, of 20000: write it shorter";
    assert_eq!(wrong(&more, &world.lines()), message);
    assert_eq!(read("member.tier in ['gold', 'silver', '']", &world.scope()).unwrap().cost(), 3);
    assert_eq!(read("order.lines.exists(l, l.quantity > 9)", &world.scope()).unwrap().cost(), 1_501);
}

#[test]
fn a_condition_says_what_it_reads_and_is_its_text() {
    let world = World::new();
    let of = |text: &str| read(text, &world.lines()).unwrap();
    let reads = |text: &str| of(text).reads();
    let none = Reads::default();
    assert_eq!(reads("line.attributes['shoe size'] > 1 && member.tier == ''"), none);
    let attributes = Reads { attributes: true, ..none };
    assert_eq!(reads("true || member.attributes.news"), attributes);
    let kind = Reads { kind: true, ..none };
    assert_eq!((reads("member.arms.price == 'a'"), reads("line.kind in ['product']")), (none, kind));
    assert_eq!(attributes.or(kind), Reads { attributes: true, kind: true });
    let lines = read("order.lines.exists(l, l.kind == 'shipping')", &world.scope()).unwrap();
    assert_eq!(lines.reads(), none, "what a macro asks of the other lines says nothing of this one");
    assert_eq!(of("true"), of("true"));
    assert_ne!(of("true"), of("true "));
    assert_eq!(of(" true").text(), " true");
    fn shared<T: Clone + Send + Sync>(_: T) {}
    shared(of("true"));
}

#[test]
fn a_tier_or_list_that_the_version_no_longer_has_is_none() {
    let world = World::new();
    let ask_of = |text: &str, tier, segments| {
        let condition = read(text, &world.scope()).unwrap();
        ask(&known(), false, |facts, _| {
            let member = MemberFacts { tier, segments: SegmentSet(segments), ..facts.member };
            condition.holds(&Facts { member, ..*facts }, None)
        })
    };
    assert_eq!(ask_of("member.tier == '' && member.segment == ''", Some(TierSlot(9)), 1 << 40), Ok(true));
    assert_eq!(ask_of("member.tier == '' && member.segment == 'staff'", None, 0b1000_0010), Ok(true));
}

#[test]
fn figures_are_exact() {
    assert_eq!(holds("0.1 + 0.2 == 0.3 && 1 == 1.0 && 100.10 in [100.1]"), Ok(true));
    assert_eq!(holds("1 / 3 * 3 == 0.9999999999999999999999999999"), Ok(true));
    assert_eq!(holds("-7 % 3 == -1 && 7 % -3 == 1 && 7.5 % 2 == 1.5"), Ok(true));
    assert_eq!(Decimal::MAX.to_string(), "79228162514264337593543950335");
}
