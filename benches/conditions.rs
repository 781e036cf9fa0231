//! How long a condition takes to be answered, without anything around it.

use std::hint::black_box;
use std::time::Instant as Clock;

use perennial::kernel::clock::Instant;
use perennial::kernel::id::{MemberId, Version};
use perennial::kernel::money::Money;
use perennial::loyalty::program::compile::compile;
use perennial::loyalty::program::condition::{Scope, read};
use perennial::loyalty::program::document::Document;
use perennial::loyalty::program::facts::{Facts, LineFacts, LineKind, MemberFacts, OrderFacts};
use perennial::loyalty::program::model::SegmentSet;
use perennial::loyalty::program::slots::assign_slots;
use uuid::Uuid;

use super::Outcome;

/// An ordinary one.
const CONDITION: &str = r#"member.order_count >= 1 && line.category == "shoes""#;
/// How often it is asked.
const TIMES: u32 = 2_000_000;

/// Nanoseconds an answer.
///
/// # Errors
/// When the programme or the condition is wrong.
pub fn answers() -> Outcome<f64> {
    let document = Document::from_toml(include_str!("program.toml")).map_err(|e| format!("{e:?}"))?;
    let slots = assign_slots(&Default::default(), &document)?;
    let book = compile(&document, Version(1), Instant::MIN_UTC, &slots).map_err(|e| format!("{e:?}"))?;
    let (declared, none) = (Default::default(), []);
    let scope = Scope {
        order: true,
        line: true,
        event: None,
        declared: &declared,
        experiments: &none,
        tiers: &none,
        segments: &none,
    };
    let condition = read(CONDITION, &scope).map_err(|e| format!("{e:?}"))?;
    let line = LineFacts {
        kind: LineKind::Product,
        sku: "S-1",
        category: "shoes",
        brand: "",
        quantity: 1,
        amount: Money::ZERO,
        attributes: None,
    };
    let lines = [line];
    let order = OrderFacts {
        total: Money::ZERO,
        products: Money::ZERO,
        shipping: Money::ZERO,
        channel: "web",
        store: "",
        quantity: 1,
        lines: &lines,
        attributes: None,
    };
    let member = MemberFacts {
        member: MemberId(Uuid::nil()),
        tier: None,
        segments: SegmentSet::default(),
        order_count: 3,
        days_since_last_order: None,
        days_enrolled: 1,
        attributes: None,
    };
    let (at, local) = (Instant::UNIX_EPOCH, Instant::UNIX_EPOCH.naive_utc());
    let facts = Facts { book: &book, at, local, member, order: Some(order), event: None };
    let begun = Clock::now();
    for _ in 0..TIMES {
        let held = black_box(&condition).holds(black_box(&facts), black_box(Some(&line)));
        assert_eq!(black_box(held), Ok(true), "it holds");
    }
    Ok(begun.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES))
}
