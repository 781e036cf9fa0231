//! Budgets of rules, over all members: cut after caps, given back to the period of the order (golden.md G2, R4).

use crate::loyalty::checkout::cases::caps::{given_back, rows, skipped};
use crate::loyalty::checkout::cases::{Shop, all, amount, goods, lines, money, pieces, program};
use crate::loyalty::checkout::receipt::{CutName, CutReceipt};
use crate::loyalty::checkout::returns::ReturnRequest;

/// A rule that gives 300 for 150.00, of which one member gets 200 a month and all together what `budget` says.
fn thrice(budget: &str) -> String {
    let plain = program("expiry = \"never\"", "");
    format!(
        "{plain}[earning.thrice]\naward = {{ multiply = \"3\" }}\n\
         caps = {{ per_member = {{ points = 200, each = \"P1M\" }} }}\nbudget = {{ {budget} }}\n"
    )
}

/// All that was given out of it, by period.
fn used(shop: &Shop) -> Vec<(&str, i64)> {
    let mut used: Vec<_> = shop.ledger.counters.iter().map(|(key, used)| (key.period.as_str(), *used)).collect();
    used.sort_unstable();
    used
}

#[test]
fn a_row_is_cut_by_its_cap_first_and_then_by_its_budget() {
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &thrice("points = 320, each = \"P1M\""));
    // Somebody else takes 200 of 320.
    let member = shop.member;
    shop.member = shop.enrol(3);
    shop.order("0", lines(&[("1", 1, "100.00")]));
    shop.member = member;
    let receipt = shop.order("1", lines(&[("1", 1, "100.00"), ("2", 1, "50.00")]));
    assert_eq!(rows(&receipt), [("base", 150, None), ("thrice", 120, Some(300))]);
    let cut = &receipt.rows[1];
    let steps = [CutReceipt { by: CutName::Cap, to: 200 }, CutReceipt { by: CutName::Budget, to: 120 }];
    assert_eq!((cut.cut_by, cut.cuts.as_slice()), (Some(CutName::Budget), steps.as_slice()));
    assert_eq!(cut.lines.iter().map(|part| part.points).collect::<Vec<_>>(), [80, 40]);
    assert_eq!(used(&shop), [("2026-12", 320)]);
    // What counts against both is what is left after both: 30.00 of 50.00 come back, and then the rest of it.
    assert_eq!(given_back(&shop.give_back("1", "r1", of_line("2", "30.00"))), [("thrice", 24)]);
    assert_eq!(used(&shop), [("2026-12", 296)]);
    assert_eq!(given_back(&shop.give_back("1", "r2", pieces(&[("2", 1)]))), [("thrice", 16)]);
    // 80 of the member's 200 are had, and 40 of the budget are left.
    let next = shop.order("2", goods("100.00"));
    assert_eq!(rows(&next), [("base", 100, None), ("thrice", 40, Some(200))]);
    assert_eq!(next.rows[1].cuts.iter().map(|cut| cut.to).collect::<Vec<_>>(), [120, 40]);
    let none = shop.order("3", goods("1.00"));
    assert_eq!(skipped(&none), [("thrice", "budget_spent")]);
}

fn of_line(id: &str, text: &str) -> ReturnRequest {
    let mut request = pieces(&[(id, 1)]);
    for line in request.lines.iter_mut().flatten() {
        (line.quantity, line.amount) = (None, Some(money(text)));
    }
    request
}

#[test]
fn a_budget_of_money_is_as_many_points_as_fit_into_it() {
    let mut shop = Shop::new("2026-12-01T12:00:00Z", &thrice("money = \"1.50\""));
    let cut = shop.order("1", goods("100.00"));
    assert_eq!((rows(&cut)[1], cut.rows[1].cuts.len()), (("thrice", 150, Some(200)), 0));
    assert_eq!(cut.rows[1].cut_by, Some(CutName::Budget));
    assert_eq!(used(&shop), [("-", 150)]);
}

#[test]
fn a_late_order_takes_from_its_own_month_and_no_more_than_is_allowed_now() {
    let versions = [
        ("2026-11-20T12:00:00Z", thrice("points = 300, each = \"P1M\"")),
        ("2026-12-05T12:00:00Z", thrice("points = 250, each = \"P1M\"")),
    ];
    let versions = versions.each_ref().map(|(starts, text)| (*starts, text.as_str()));
    let mut shop = Shop::with_versions("2026-11-25T12:00:00Z", &versions);
    shop.order("1", goods("90.00"));
    shop.at("2026-12-10T12:00:00Z");
    shop.member = shop.enrol(3);
    let late = shop.late_order("2026-11-26T12:00:00Z", "2", goods("90.00"));
    assert_eq!((late.program_version, rows(&late)[1]), (1, ("thrice", 70, Some(180))));
    assert_eq!(rows(&shop.order("3", goods("90.00")))[1], ("thrice", 180, None));
    assert_eq!(used(&shop), [("2026-11", 250), ("2026-12", 180)]);
    // Back in December, and November has it again, however it is split.
    assert_eq!(given_back(&shop.give_back("2", "r1", amount("11.11"))), [("thrice", 9)]);
    assert_eq!(given_back(&shop.give_back("2", "r2", all())), [("thrice", 61)]);
    assert_eq!(used(&shop), [("2026-11", 180), ("2026-12", 180)]);
}
