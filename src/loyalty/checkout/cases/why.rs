//! Nobody has to wonder: each rule of an order is told, with its figures or with the first reason why not.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::loyalty::checkout::cart::{Cart, CartLine, DiscountedLine, StatedDiscount};
use crate::loyalty::checkout::cases::{Shop, goods, lines, money, program};
use crate::loyalty::checkout::settle::{OrderedAt, SettleOrder};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::posting::{PostingRow, Target};
use crate::loyalty::statement::why::told::{DiscountWhy, RuleWhy, Told, Tongue, told};

const RULES: &str = "text.en.title = \"Points on every order\"\ntext.nl.title = \"Punten bij elke bestelling\"\n\
    [earning.shoes]\nlines = 'line.category == \"shoes\"'\naward = { per = \"1.00\", points = 1 }\n\
    text.nl = { title = \"Schoenen\", says = \"Alleen op schoenen\" }\n\
    [earning.double]\naward = { multiply = \"2\" }\ncaps = { per_member = { points = 100, each = \"P1M\" } }\n\
    budget = { points = 60 }\n\
    [earning.summer]\nschedule = { until = \"2026-07-01T00:00\" }\naward = { points = 5 }\n\
    [tiers]\nwallet = \"status\"\nladder = [{ code = \"gold\", from = \"100.00\", earn = \"1.5\", text = { en = { title = \"Gold\" } } }]\n\
    [discounts.ten]\nbenefit = { percent = \"10\", of = 'line.category == \"mug\"' }\ntext.en.title = \"Ten percent\"\n";

impl Shop {
    fn why(&self, reference: &str, tag: &str) -> Told {
        let mut rows = self.ledger.postings[&self.member].iter();
        self.why_of(rows.find(|row| row.reference.as_str() == reference).unwrap(), tag)
    }

    fn why_of(&self, row: &PostingRow, tag: &str) -> Told {
        told(row, &self.timeline, Tongue { tag, own: &self.timeline.version(row.version).language }).unwrap()
    }
}

fn said(told: &Told) -> String {
    let figures = |rule: &RuleWhy| {
        let rate = rule.rate.map(|rate| format!(" by {}", rate.0)).unwrap_or_default();
        let base = rule.base.map(|base| format!(" of {}", base.0)).unwrap_or_default();
        let of_points = rule.of_points.map(|points| format!(" of {points}")).unwrap_or_default();
        let of_rules =
            if rule.of_rules.is_empty() { String::new() } else { format!(" of {}", rule.of_rules.join("+")) };
        let exact = rule.exact.map(|exact| format!(" = {}", exact.0)).unwrap_or_default();
        let cuts: String = rule.cuts.iter().map(|cut| format!(" {} to {}", cut.by, cut.to)).collect();
        let reason = rule.reason.as_deref().unwrap_or_default();
        format!(
            "{} {} {}{rate}{base}{of_points}{of_rules}{exact}{cuts} {reason}| {}",
            rule.rule, rule.kind, rule.points, rule.says
        )
    };
    let off = |off: &DiscountWhy| {
        let ours = off.ours.map(|ours| format!(" ours {}", ours.0)).unwrap_or_default();
        let reason = off.reason.as_deref().unwrap_or_default();
        format!("{} {} {}{ours} {reason}| {}", off.of, off.discount, off.amount.0, off.says)
    };
    let lines: Vec<String> = told.rules.iter().map(figures).chain(told.discounts.iter().map(off)).collect();
    lines.join("\n")
}

#[test]
fn the_why_names_a_reason_for_each_rule() {
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &program("expiry = \"never\"", RULES));
    shop.order("1", lines(&[("a", 1, "70.99"), ("b", 1, "30.00")]));
    let cart = goods("20.50");
    let lines = cart.lines.into_iter().map(|line| CartLine { category: Some("shoes".into()), ..line });
    let cart = Cart { lines: lines.collect(), ..goods("20.50") };
    shop.order("2", cart);
    shop.change_status("s", Status::Suspended).unwrap();
    shop.order("3", goods("10.00"));
    let told = [("1", "en"), ("2", "nl-BE"), ("3", "de")];
    let told = told.map(|(order, tag)| said(&shop.why(&format!("order:{order}"), tag)));
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    base rate 100 by 1 of 100.99 = 100.9900 | Points on every order: 100 points
    shoes rate 0 no_matching_lines| Schoenen: Alleen op schoenen
    double multiply 60 by 2 of 100.99 of base = 100.9900 budget to 60 | double: 60 of 100 points, no more was left for all members
    summer fixed 0 not_scheduled| summer: It was not its time
    program ten 0.00 not_named| Ten percent: It was not used for this order

    base rate 20 by 1 of 20.50 = 20.5000 | Punten bij elke bestelling: 20 punten
    shoes rate 20 by 1 of 20.50 = 20.5000 | Schoenen: 20 punten
    double multiply 0 budget_spent| double: Alles was al uitgegeven
    summer fixed 0 not_scheduled| summer: Het was er de tijd niet voor
    tier:gold tier 20 by 1.5 of 40 = 20.0000 | Gold: 20 punten
    program ten 0.00 not_named| Ten percent: Niet gebruikt bij deze bestelling

    base rate 0 member_suspended| Points on every order: Ihre Mitgliedschaft war ausgesetzt
    shoes rate 0 member_suspended| Schoenen: Ihre Mitgliedschaft war ausgesetzt
    double multiply 0 member_suspended| double: Ihre Mitgliedschaft war ausgesetzt
    summer fixed 0 not_scheduled| summer: Es war nicht die Zeit dafür
    program ten 0.00 not_named| Ten percent: Bei dieser Bestellung nicht verwendet
    "#);
}

#[test]
fn the_why_shows_by_what_points_were_computed() {
    let rules = "base = { net_of = [] }\n\
        [earning.tens]\naward = { per = \"10.00\", points = 3, step = true }\nbase = { net_of = [] }\n\
        [earning.half]\naward = { multiply = \"1.5\" }\n\
        [earning.mugs]\nlines = 'line.category == \"mug\"'\naward = { multiply = \"3\" }\n\
        [earning.visit]\naward = { points = 7 }\n\
        [tiers]\nwallet = \"status\"\nladder = [{ code = \"all\", from = \"0\", earn = \"1.25\" }]\n";
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &program("expiry = \"never\"", rules));
    let cart = lines(&[("a", 1, "25.55"), ("b", 2, "8.10")]);
    let of = |line: CartLine| CartLine { category: (line.id == "b").then(|| "mug".into()), ..line };
    let cart = Cart { lines: cart.lines.into_iter().map(of).collect(), ..lines(&[]) };
    shop.order("1", cart);
    insta::assert_snapshot!(said(&shop.why("order:1", "en")), @r"
    base rate 33 by 1 of 33.65 = 33.6500 | base: 33 points
    tens step 9 by 0.3 of 33.65 = 9.0000 | tens: 9 points
    half multiply 21 by 1.5 of 33.65 of base+tens = 21.3250 | half: 21 points
    mugs multiply 16 by 3 of 8.10 of base+tens = 16.2000 | mugs: 16 points
    visit fixed 7 | visit: 7 points
    tier:all tier 19 by 1.25 of 79 = 19.7500 | tier:all: 19 points
    ");
}

#[test]
fn events_and_enrolments_are_told_by_the_rules_that_are_about_them() {
    let rules = "[earning.welcome]\non = \"enrolment\"\naward = { points = 100 }\n\
        [earning.early]\non = \"enrolment\"\naward = { points = 50 }\nschedule = { until = \"2026-07-01T00:00\" }\n\
        [earning.review]\non = \"event:review\"\naward = { points = 20 }\n\
        caps = { per_member = { points = 30, each = \"P1M\" } }\n\
        [earning.praise]\non = \"event:review\"\nwhen = 'member.order_count >= 1'\naward = { points = 5 }\n\
        [earning.visit]\non = \"event:visit\"\naward = { points = 5 }\n";
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &program("expiry = \"never\"", rules));
    for _ in 0..2 {
        shop.event("review", None, &json!({})).unwrap();
    }
    shop.change_status("s", Status::Suspended).unwrap();
    shop.event("review", None, &json!({})).unwrap();
    // Whoever comes with an order is welcomed by it, or is not: which rules are about enrolments is told either way.
    let guest = MemberId(Uuid::from_u128(7));
    let order =
        SettleOrder { target: Target::New(guest), enrol: true, ..shop.settle(OrderedAt::Now, "1", goods("30.00")) };
    shop.post(order).unwrap();
    let rows = shop.ledger.postings[&shop.member].iter().chain(&shop.ledger.postings[&guest]);
    let told: Vec<String> = rows.map(|row| format!("{:?}\n{}", row.kind, said(&shop.why_of(row, "en")))).collect();
    insta::assert_snapshot!(told.join("\n\n"), @r"
    Enrol
    welcome fixed 100 | welcome: 100 points
    early fixed 0 not_scheduled| early: It was not its time

    Event
    review fixed 20 | review: 20 points
    praise fixed 0 condition_false| praise: What it asks for was not so

    Event
    review fixed 10 cap to 10 | review: 10 of 20 points, that is the most for one member
    praise fixed 0 condition_false| praise: What it asks for was not so

    Suspend


    Event
    review fixed 0 member_suspended| review: Your membership was suspended
    praise fixed 0 member_suspended| praise: Your membership was suspended

    Order
    base rate 30 by 1 of 30.00 = 30.0000 | base: 30 points
    welcome fixed 100 | welcome: 100 points
    early fixed 0 not_scheduled| early: It was not its time
    ");
}

#[test]
fn discounts_are_told_by_what_the_order_names_and_what_a_quote_would_have_said() {
    let discounts = "[discounts.ten]\nbenefit = { percent = \"10\" }\ntext.en.title = \"Ten percent\"\n\
        [discounts.five]\nbenefit = { amount = \"5.00\" }\n\
        [discounts.summer]\nbenefit = { amount = \"5.00\" }\nschedule = { until = \"2026-07-01T00:00\" }\n";
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &program("expiry = \"never\"", discounts));
    let off = |code: &str, amount| StatedDiscount {
        code: code.into(),
        lines: vec![DiscountedLine { id: "1".into(), amount: money(amount) }],
    };
    let cart = Cart { discounts: vec![off("till", "1.00"), off("ten", "4.90")], ..goods("50.00") };
    shop.order("1", cart);
    // A till that was offline: a quote would have taken off less.
    let cart = Cart { discounts: vec![off("ten", "7.00"), off("summer", "5.00")], ..goods("50.00") };
    let stated = SettleOrder { stated: true, ..shop.settle(OrderedAt::Now, "2", cart) };
    shop.post(stated).unwrap();
    let told = ["1", "2"].map(|order| said(&shop.why(&format!("order:{order}"), "en")));
    insta::assert_snapshot!(told.join("\n\n"), @r"
    base rate 44 by 1 of 44.10 = 44.1000 | base: 44 points
    shop till 1.00 | till: 1.00 EUR off
    program ten 4.90 | Ten percent: 4.90 EUR off
    program five 0.00 not_named| five: It was not used for this order
    program summer 0.00 not_scheduled| summer: It was not its time

    base rate 38 by 1 of 38.00 = 38.0000 | base: 38 points
    program ten 7.00 ours 5.00 | Ten percent: 7.00 EUR off
    program summer 5.00 ours 0.00 not_scheduled| summer: 5.00 EUR off
    program five 0.00 not_named| five: It was not used for this order
    ");
}

#[test]
fn what_an_older_order_did_not_say_is_not_made_up_and_what_was_changed_by_hand_is_an_error() {
    let rules = "[earning.more]\naward = { points = 5 }\n";
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &program("expiry = \"never\"", rules));
    shop.order("1", goods("0.50"));
    let row = shop.ledger.postings[&shop.member].last().unwrap().clone();
    let mut document: Value = serde_json::from_str(&row.document).unwrap();
    document["skipped"] = json!([]);
    let older = PostingRow { document: document.to_string(), ..row.clone() };
    insta::assert_snapshot!(said(&shop.why_of(&older, "en")), @r"
    base rate 0 | base: 0 points
    more fixed 5 | more: 5 points
    ");
    document["rows"] = json!("none");
    let broken = PostingRow { document: document.to_string(), ..row };
    assert!(told(&broken, &shop.timeline, Tongue { tag: "en", own: "en" }).is_err());
}
