//! Nobody has to wonder: each rule of an order is told, with its figures or with the first reason why not.

use crate::loyalty::checkout::cart::{Cart, CartLine};
use crate::loyalty::checkout::cases::{Shop, goods, lines, program};
use crate::loyalty::ledger::account::Status;
use crate::loyalty::ledger::posting::PostingKind;
use crate::loyalty::statement::why::told::{RuleWhy, Told, Tongue, told};

const RULES: &str = "text.en.title = \"Points on every order\"\ntext.nl.title = \"Punten bij elke bestelling\"\n\
    [earning.shoes]\nlines = 'line.category == \"shoes\"'\naward = { per = \"1.00\", points = 1 }\n\
    text.nl = { title = \"Schoenen\", says = \"Alleen op schoenen\" }\n\
    [earning.double]\naward = { multiply = \"2\" }\ncaps = { per_member = { points = 100, each = \"P1M\" } }\n\
    budget = { points = 60 }\n\
    [earning.summer]\nschedule = { until = \"2026-07-01T00:00\" }\naward = { points = 5 }\n\
    [tiers]\nwallet = \"status\"\nladder = [{ code = \"gold\", from = \"100.00\", earn = \"1.5\", text = { en = { title = \"Gold\" } } }]\n\
    [discounts.ten]\nbenefit = { percent = \"10\", of = 'line.category == \"mug\"' }\ntext.en.title = \"Ten percent\"\n";

impl Shop {
    fn why(&self, order: &str, tag: &str) -> Told {
        let rows = self.ledger.postings[&self.member].iter();
        let mut orders = rows.filter(|row| row.kind == PostingKind::Order);
        let row = orders.find(|row| row.reference.as_str() == format!("order:{order}")).unwrap();
        let book = self.timeline.version(row.version);
        told(row, book, Tongue { tag, own: &book.language })
    }
}

fn said(told: &Told) -> Vec<String> {
    let figures = |rule: &RuleWhy| {
        let base = rule.base.map(|base| format!(" of {}", base.0)).unwrap_or_default();
        let exact = rule.exact.map(|exact| format!(" = {}", exact.0)).unwrap_or_default();
        let cuts: String = rule.cuts.iter().map(|cut| format!(" {} to {}", cut.by, cut.to)).collect();
        let reason = rule.reason.as_deref().unwrap_or_default();
        format!("{} {} {}{base}{exact}{cuts} {reason}| {}", rule.rule, rule.kind, rule.points, rule.says)
    };
    told.rules.iter().map(figures).collect()
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
    let told = [("1", "en"), ("2", "nl-BE"), ("3", "de")].map(|(order, tag)| said(&shop.why(order, tag)).join("\n"));
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    base rate 100 of 100.99 = 100.9900 | Points on every order: 100 points
    shoes rate 0 no_matching_lines| Schoenen: Alleen op schoenen
    double multiply 60 budget to 60 | double: 60 of 100 points, no more was left for all members
    summer fixed 0 not_scheduled| summer: It was not its time

    base rate 20 of 20.50 = 20.5000 | Punten bij elke bestelling: 20 punten
    shoes rate 20 of 20.50 = 20.5000 | Schoenen: 20 punten
    double multiply 0 budget_spent| double: Alles was al uitgegeven
    summer fixed 0 not_scheduled| summer: Het was er de tijd niet voor
    tier:gold tier 20 | Gold: 20 punten

    base rate 0 member_suspended| Points on every order: Ihre Mitgliedschaft war ausgesetzt
    shoes rate 0 member_suspended| Schoenen: Ihre Mitgliedschaft war ausgesetzt
    double multiply 0 member_suspended| double: Ihre Mitgliedschaft war ausgesetzt
    summer fixed 0 member_suspended| summer: Ihre Mitgliedschaft war ausgesetzt
    "#);
}
