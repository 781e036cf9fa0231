//! What is wrong with the conditions of earning rules, and where.

use chrono::DateTime;

use crate::kernel::id::Version;
use crate::loyalty::program::compile::compile;
use crate::loyalty::program::document::Document;
use crate::loyalty::program::read::Mistake;
use crate::loyalty::program::slots::{Slots, assign_slots};

/// A document whose earning rules are these.
fn document(rules: &str) -> String {
    format!(
        "program = {{ name = \"Acme\", currency = \"EUR\", timezone = \"UTC\" }}\n\
         wallets = {{ points = {{ kind = \"redeemable\", value = \"0.01\" }} }}\n{rules}"
    )
}

fn wrong(rules: &str) -> Vec<String> {
    wrong_at(&Document::from_toml(&document(rules)).unwrap_err())
}

fn wrong_at(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn mistakes_of_conditions_are_named_at_their_place_in_the_text() {
    let rule = |fields: &str| wrong(&format!("[earning.a]\naward = {{ points = 1 }}\n{fields}\n"));
    for (fields, places) in [
        // The first sign that is wrong, behind the quote or in the second line.
        ("when = 'order.total >= '", &["line 5, column 24: /earning/a/when: "][..]),
        ("when = '''\norder.total >\n  100 €'''", &["line 7, column 7: /earning/a/when: "]),
        (
            "when = \"order.channel == \\\"web\\\" && order.totl > 1\"",
            &["line 5, column 37: /earning/a/when: `order` has no `totl`"],
        ),
        ("when = ''", &["line 5, column 9: /earning/a/when: "]),
        // Where the condition stands says what it may name.
        ("when = 'line.sku == \"a\"'", &["line 5, column 9: /earning/a/when: there is no `line` where"]),
        ("lines = 'order.lines.exists(l, true)'", &["line 5, column 10: /earning/a/lines: a macro cannot stand"]),
        (
            "lines = 'line.quantity > 1 && event.name == \"\"'",
            &["line 5, column 31: /earning/a/lines: there is no `event`"],
        ),
        // Nothing of these can be declared yet.
        ("when = 'member.attributes.city == \"\"'", &["line 5, column 9: /earning/a/when: "]),
        ("when = 'member.tier == \"gold\"'", &["line 5, column 24: /earning/a/when: "]),
        ("when = '\"vip\" in member.segments'", &["line 5, column 9: /earning/a/when: "]),
        ("when = 'member.arms.price == \"\"'", &["line 5, column 9: /earning/a/when: there is no experiment `price`"]),
        // Each of them.
        (
            "lines = 'line.a == line.b'\nwhen = 'x'",
            &[
                "line 5, column 10: /earning/a/lines",
                "line 5, column 20: /earning/a/lines",
                "line 6, column 9: /earning/a/when",
            ],
        ),
    ] {
        let found = rule(fields);
        assert_eq!(found.len(), places.len(), "{fields}: {found:?}");
        for (found, place) in found.iter().zip(places) {
            assert!(found.starts_with(place), "{fields}: {found}");
        }
    }
}

#[test]
fn all_conditions_together_are_quick() {
    // 20,000 steps each.
    let slow = ["line.amount > 1"; 10].join(" && ");
    let rules = |n: usize| -> String {
        (0..n).map(|n| format!("[earning.r{n}]\naward = {{ points = 1 }}\nlines = '{slow}'\n")).collect()
    };
    assert!(Document::from_toml(&document(&rules(25))).is_ok());
    let one_more = format!("{}[earning.more]\naward = {{ points = 1 }}\nwhen = 'true'\n", rules(25));
    let message = "/earning: the conditions may take 500001 steps together, of 500000";
    let found = wrong(&one_more);
    assert!(found.len() == 1 && found[0].ends_with(message), "{found:?}");
}

#[test]
fn conditions_are_written_as_they_were_read() {
    let rules = "[earning.a]\naward = { points = 1 }\nlines = 'line.sku == \"a\"'\nwhen = '''\n  order.total > 1'''\n";
    let read = Document::from_toml(&document(rules)).unwrap();
    assert_eq!(read.earning["a"].when.as_deref(), Some("  order.total > 1"));
    assert_eq!(Document::from_toml(&read.to_toml().unwrap()).unwrap(), read);
    assert_eq!(Document::from_json(&read.to_json().unwrap()).unwrap(), read);
}

#[test]
fn mistakes_of_budgets_are_named_and_money_becomes_points() {
    let rule = |budget: &str| document(&format!("[earning.a]\naward = {{ points = 1 }}\nbudget = {budget}\n"));
    for (budget, mistake) in [
        ("{}", "/earning/a/budget: has either `points` or `money`"),
        ("{ points = 0 }", "/earning/a/budget/points: must be 1 or more"),
        ("{ points = 1, money = \"1\" }", "/earning/a/budget/money: does not go with `points`"),
        ("{ money = \"-1\" }", "/earning/a/budget/money: is not a decimal such as \"0.01\""),
        ("{ money = \"0\" }", "/earning/a/budget/money: is worth less than a point"),
        (
            "{ money = \"0.001\" }",
            "/earning/a/budget/money: is too large, or has more decimal places than the currency",
        ),
        ("{ points = 1, each = \"P2M\" }", "/earning/a/budget/each: a calendar period is one of P1D,"),
        ("{ points = 1, spent = 1 }", "/earning/a/budget/spent: unknown field"),
    ] {
        let found = wrong_at(&Document::from_toml(&rule(budget)).unwrap_err());
        assert!(found.len() == 1 && found[0].contains(mistake), "{budget}: {found:?}");
    }
    let of = |budget: &str, value: &str| {
        let document = Document::from_toml(&rule(budget).replace("0.01", value)).unwrap();
        let slots = assign_slots(&Slots::default(), &document).unwrap();
        compile(&document, Version(1), DateTime::UNIX_EPOCH, &slots).unwrap().earning[0].budget.unwrap().points.get()
    };
    assert_eq!(of("{ money = \"12.34\" }", "0.01"), 1_234);
    // 12.34 / 0.003 = 4,113.3.
    assert_eq!(of("{ money = \"12.34\", each = \"P1M\" }", "0.003"), 4_113);
}

#[test]
fn points_of_a_rule_are_over_sooner_than_others_and_not_before_they_can_be_spent() {
    let wrong = |after: &str| {
        let rule = format!("[earning.a]\naward = {{ points = 1 }}\nexpiry = {{ after = \"{after}\" }}\n");
        let text = document(&rule).replace(
            "value = \"0.01\"",
            "value = \"0.01\", pending = { after = \"P14D\" }, expiry = { after = \"P6M\" }",
        );
        Document::from_toml(&text).map_or_else(|mistakes| wrong_at(&mistakes).join(", "), |_| String::new())
    };
    assert_eq!(wrong("P6M"), "");
    assert_eq!(wrong("P14D"), "");
    for (after, mistake) in [
        ("P7M", "is longer than that of its wallet"),
        ("P6M1D", "is longer than that of its wallet"),
        ("P13D", "points would be over before they can be spent"),
        ("soon", ""),
        ("", "is required"),
    ] {
        let found = wrong(after);
        assert!(found.contains("/earning/a/expiry/after: ") && found.contains(mistake), "{after}: {found}");
    }
}

#[test]
fn mistakes_of_stacks_caps_and_multipliers_are_named() {
    let rule = |code: &str, award: &str, more: &str| {
        format!("[earning.{code}]\nwallet = \"points\"\naward = {{ {award} }}\n{more}\n")
    };
    let wallets = "coins = { kind = \"redeemable\", value = \"0.01\", by_hand = true }";
    let told = |rules: &str| {
        let document = document(rules).replace("points = { kind", &format!("{wallets}, points = {{ kind"));
        wrong_at(&Document::from_toml(&document).err().unwrap_or_default())
    };
    let base = rule("base", "per = \"1\", points = 1", "stack = \"a\"");
    for (more, mistake) in [
        (rule("b", "per = \"2\", points = 1, step = true", "stack = \"a\""), None),
        (rule("b", "multiply = \"2\", of = \"base\"", "stack = \"b\""), None),
        (
            rule("b", "multiply = \"2\"", "stack = \"a\""),
            Some("/earning/b/stack: is that of base, and all of a stack award"),
        ),
        (rule("b", "points = 1", "stack = \"a\""), Some("/earning/b/stack: is that of base, and all of a stack award")),
        (
            rule("b", "per = \"1\", points = 1", "stack = \"a\"").replace("\"points\"", "\"coins\""),
            Some("/earning/b/stack: is that of base, which fills another wallet"),
        ),
        (rule("b", "points = 1", "stack = \"A\""), Some("/earning/b/stack: a code is a to z")),
        (rule("b", "points = 1, of = \"base\"", ""), Some("/earning/b/award/of: goes with `multiply`")),
        (rule("b", "multiply = \"2\", of = \"b\"", ""), Some("/earning/b/award/of: is no rule with `per` that fills")),
        (
            rule("b", "points = 1", "caps = { per_member = {} }"),
            Some("/earning/b/caps/per_member: has `points`, `awards`, or both"),
        ),
        (
            rule("b", "points = 1", "caps = { per_member = { awards = 0 } }"),
            Some("/earning/b/caps/per_member/awards: must be 1 or more"),
        ),
    ] {
        let found = told(&format!("{base}{more}"));
        assert_eq!(found.len(), usize::from(mistake.is_some()), "{more}: {found:?}");
        assert!(found.iter().all(|found| found.contains(mistake.unwrap_or_default())), "{more}: {found:?}");
    }
}

#[test]
fn what_is_no_order_awards_points_alone() {
    let of = |fields: &str| wrong(&format!("[earning.a]\n{fields}\n"));
    for (fields, says) in [
        (
            "on = \"event:birthday\"\naward = { points = 1 }",
            "/earning/a/on: comes by itself: write `on = \"birthday\"`",
        ),
        (
            "on = \"refund\"\naward = { points = 1 }",
            "/earning/a/on: must be `order`, `enrolment`, `birthday`, `anniversary` or `event:`",
        ),
        ("on = \"event:\"\naward = { points = 1 }", "/earning/a/on: is 1 to 100 printable characters"),
        ("on = \"enrolment\"\naward = { per = \"1\", points = 1 }", "/earning/a/award/per: goes with orders"),
        ("on = \"event:x\"\naward = { points = 1 }\nlines = 'line.sku == \"a\"'", "/earning/a/lines: goes with orders"),
        (
            "on = \"enrolment\"\naward = { points = 1 }\nwhen = 'order.total > 1'",
            "/earning/a/when: there is no `order`",
        ),
        ("award = { points = 1 }\nwhen = 'event.name == \"\"'", "/earning/a/when: there is no `event`"),
    ] {
        let found = of(fields);
        assert!(found.len() == 1 && found[0].contains(says), "{fields}: {found:?}");
    }
    let stacked = "[earning.a]\nstack = \"s\"\naward = { points = 1 }\n\
        [earning.b]\non = \"enrolment\"\nstack = \"s\"\naward = { points = 1 }\n";
    assert!(wrong(stacked)[0].contains("/earning/b/stack: is that of a, which is about something else"));
    Document::from_toml(&document("[earning.a]\non = \"event:review written\"\naward = { points = 1 }\n")).unwrap();
}
