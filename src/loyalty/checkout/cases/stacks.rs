//! Stacks, and how often a rule awards (golden.md R3).

use crate::loyalty::checkout::cart::Cart;
use crate::loyalty::checkout::cases::caps::{given_back, rows, skipped};
use crate::loyalty::checkout::cases::{Shop, all, amount, goods, lines, program};

/// The usual programme with more rules.
fn shop(rules: &str) -> Shop {
    Shop::new("2026-12-01T12:00:00Z", &(program("expiry = \"never\"", "") + rules))
}

fn multiply(code: &str, factor: &str, more: &str) -> String {
    format!("[earning.{code}]\naward = {{ multiply = \"{factor}\" }}\n{more}\n")
}

/// Two lines, of which the first is shoes.
fn shoes_and_socks(shoes: &str, socks: &str) -> Cart {
    let mut cart = lines(&[("shoes", 1, shoes), ("socks", 1, socks)]);
    for line in &mut cart.lines {
        line.category = Some(line.id.clone());
    }
    cart
}

#[test]
fn stacks_add_and_of_one_the_best_awards_by_each_line() {
    let apart = multiply("twice", "2", "stack = \"a\"") + &multiply("thrice", "3", "stack = \"b\"");
    let receipt = shop(&apart).order("1", goods("10.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("twice", 10, None), ("thrice", 20, None)]);
    let shoes = "stack = \"a\"\nlines = 'line.category == \"shoes\"'";
    let one = multiply("all", "1.5", "stack = \"a\"") + &multiply("shoes", "3", shoes);
    let mut shop = shop(&one);
    let receipt = shop.order("1", shoes_and_socks("10.50", "9.00"));
    // Of 19.50 the base; half of 9.00, and twice 10.50.
    assert_eq!(rows(&receipt), [("base", 19, None), ("all", 4, None), ("shoes", 21, None)]);
    let parts: Vec<Vec<(&str, i64)>> =
        receipt.rows.iter().map(|row| row.lines.iter().map(|part| (part.id.as_str(), part.points)).collect()).collect();
    assert_eq!(parts[1..], [vec![("socks", 4)], vec![("shoes", 21)]]);
    let receipt = shop.order("2", shoes_and_socks("10.50", "0.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("shoes", 21, None)]);
}

#[test]
fn who_loses_every_line_is_told_to_whom_and_the_earlier_wins_a_tie() {
    let two = multiply("first", "2", "stack = \"a\"") + &multiply("second", "2", "stack = \"a\"");
    let receipt = shop(&two).order("1", goods("10.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("first", 10, None)]);
    assert_eq!(
        (skipped(&receipt), receipt.skipped[0].better.as_deref()),
        (vec![("second", "stack_had_better")], Some("first"))
    );
    // What would be nothing anyway lost nothing.
    let receipt = shop(&two).order("1", goods("0.40"));
    assert_eq!(
        skipped(&receipt),
        [("base", "rounds_to_zero"), ("first", "rounds_to_zero"), ("second", "rounds_to_zero")]
    );
}

#[test]
fn a_multiplier_is_about_what_the_rules_that_it_multiplies_have_left() {
    let rules = "[earning.shoes]\naward = { per = \"1.00\", points = 4 }\nlines = 'line.category == \"shoes\"'\nstack = \"base\"\n\
                 [earning.plain]\naward = { per = \"1.00\", points = 2 }\nstack = \"base\"\n"
        .to_owned()
        + &multiply("twice", "2", "");
    let receipt = shop(&rules).order("1", shoes_and_socks("10.00", "5.00"));
    // Base 15 on both, 40 on shoes, 10 on socks; and the same again.
    assert_eq!(rows(&receipt), [("base", 15, None), ("shoes", 40, None), ("plain", 10, None), ("twice", 65, None)]);
    let only = rules + "[earning.more]\naward = { multiply = \"1.5\", of = \"base\" }\n";
    let receipt = shop(&only).order("1", shoes_and_socks("10.00", "5.00"));
    assert_eq!(rows(&receipt)[4], ("more", 7, None));
}

#[test]
fn of_awards_for_each_order_the_largest_is_given_as_a_whole() {
    let fixed = |code: &str, points: i64, more: &str| {
        format!("[earning.{code}]\naward = {{ points = {points} }}\nstack = \"fixed\"\n{more}\n")
    };
    let rules = fixed("small", 10, "") + &fixed("large", 30, "when = 'order.total >= 20'") + &fixed("same", 30, "");
    let mut shop = shop(&rules);
    let receipt = shop.order("1", goods("20.00"));
    assert_eq!(rows(&receipt), [("base", 20, None), ("large", 30, None)]);
    assert_eq!(skipped(&receipt), [("small", "stack_had_better"), ("same", "stack_had_better")]);
    let receipt = shop.order("2", goods("10.00"));
    assert_eq!(rows(&receipt), [("base", 10, None), ("same", 30, None)]);
}

#[test]
fn a_rule_awards_a_member_so_often_and_again_what_came_back_in_full() {
    let mut shop = shop(
        "[earning.welcome]\naward = { points = 50 }\ncaps = { per_member = { awards = 1, points = 80, each = \"P1Y\" } }\n",
    );
    assert_eq!(rows(&shop.order("1", goods("10.00")))[1], ("welcome", 50, None));
    let second = shop.order("2", goods("10.00"));
    assert_eq!((rows(&second).len(), skipped(&second)), (1, vec![("welcome", "cap_reached")]));
    let half = shop.give_back("1", "r1", amount("5.00"));
    assert_eq!((given_back(&half), half.given_back[0].awards), (vec![("welcome", 25)], None));
    assert_eq!(skipped(&shop.order("3", goods("10.00"))), [("welcome", "cap_reached")]);
    let rest = shop.give_back("1", "r2", all());
    assert_eq!((given_back(&rest), rest.given_back[0].awards), (vec![("welcome", 25)], Some(1)));
    assert_eq!(shop.stored().usage, []);
    assert_eq!(rows(&shop.order("4", goods("10.00")))[1], ("welcome", 50, None));
    // It goes along with a merge.
    shop.merge_into(3);
    assert_eq!(skipped(&shop.order("5", goods("10.00"))), [("welcome", "cap_reached")]);
    assert_eq!(shop.give_back("4", "r4", all()).given_back[0].awards, Some(1));
    shop.at("2027-01-01T00:00:00Z");
    assert_eq!(rows(&shop.order("6", goods("10.00")))[1], ("welcome", 50, None));
}
