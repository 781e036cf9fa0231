//! What is wrong with a condition, and where.

use crate::loyalty::program::condition::read;
use crate::loyalty::program::condition::tests::World;

/// A text, the parts of it that are wrong, and what is said of them.
const MISTAKES: [(&str, &[(&str, &str)]); 67] = [
    ("order.total >", &[("", "ends too early: a value is missing")]),
    ("", &[("", "ends too early: a value is missing")]),
    ("order.total > 1 1", &[("1", "the end, or an operator should stand here, not 1")]),
    ("(order.total > 1", &[("", "ends too early: `)` is missing")]),
    (
        "order.total = 1 & true",
        &[("=", "`=` is no operator: `==` compares"), ("&", "`&` is no operator: `&&` is and, `||` is or")],
    ),
    ("a and b", &[("and", "and is written `&&`")]),
    ("1 < 2 < 3", &[("<", "comparisons do not chain: join two of them with `&&`")]),
    ("1u == 1", &[("1u", "there is one kind of number: write 1 without `u`")]),
    ("0x1F == 31", &[("0x1F", "a number is written in decimal digits")]),
    ("1e3 == 1000", &[("1e3", "a number is written out, without an exponent")]),
    ("1. == 1", &[("1.", "a number has digits on both sides of its point")]),
    (".5 == 0.5", &[(".5", "a number has digits on both sides of its point")]),
    ("12ab == 1", &[("12ab", "`12ab` is neither a number nor a name")]),
    ("12345678901234567890123456789012 > 1", &[("12345678901234567890123456789012", "a number has at most 28 digits")]),
    (
        "b'a' == 'a'",
        &[("b'a'", "bytes and raw texts are not part of the language: write a text without a letter before")],
    ),
    ("'''a''' == 'a'", &[("'''a'''", "a text stands in one pair of quotes, not in three")]),
    ("'a == 1", &[("'a == 1", r#"a text ends on its line with '; a new line in it is written \n"#)]),
    (
        r#"'\d' == '\ud800'"#,
        &[
            (r#"'\d'"#, r#"`\d` is no escape; there are \\, \", \', \n, \r, \t and \uXXXX"#),
            (r#"'\ud800'"#, r#"\ud800 is no character"#),
        ],
    ),
    (
        "“a” == 'a'",
        &[
            ("“", r#"a text stands in straight quotes, ' or ", not in “"#),
            ("”", r#"a text stands in straight quotes, ' or ", not in ”"#),
        ],
    ),
    (
        "{'a': 1} == 1",
        &[
            ("{", "maps and messages are not part of the language"),
            ("}", "maps and messages are not part of the language"),
        ],
    ),
    ("order.store == null", &[("null", "`null` is not part of the language: a text that is not there is empty")]),
    ("for == 1", &[("for", "a value should stand here, not `for`")]),
    ("order.lines[0].amount > 1", &[("0", "the name of an attribute in quotes should stand here, not 0")]),
    (
        "order.totl > 1 && member.attributes.town == '' && lines > 1",
        &[
            (
                "order.totl",
                "`order` has no `totl`; it has total, products, shipping, quantity, channel, store, lines, attributes",
            ),
            ("member.attributes.town", "the attribute `town` is not declared in [attributes.member]"),
            ("lines", "`lines` is unknown; there is order, member, event, now"),
        ],
    ),
    ("order", &[("order", "is a variable with fields, where true or false is wanted")]),
    ("order.total", &[("order.total", "is a number, where true or false is wanted")]),
    ("order.lines == 1", &[("order.lines == 1", "the lines of the order and a number do not compare")]),
    ("order.total == '1'", &[("order.total == '1'", "a number and a text do not compare")]),
    (
        "now.date == '2026-12-24'",
        &[("now.date == '2026-12-24'", r#"a date and a text do not compare: a date is written as date("2026-12-01")"#)],
    ),
    (
        "date('2026-02-30') == now.date",
        &[("date('2026-02-30')", r#"a date is written as date("2026-12-01"), and has to exist"#)],
    ),
    ("size('a') == 1", &[("size('a')", "`size` is no function of the language; there is `date`")]),
    (
        "'a'.matches('b')",
        &[(
            "'a'.matches('b')",
            "`matches` is no function of the language; texts have startsWith, endsWith and contains, lines have exists and all",
        )],
    ),
    ("'a'.startsWith('b', 'c')", &[("'a'.startsWith('b', 'c')", "`startsWith` takes one text")]),
    ("'a'.contains(1)", &[("1", "is a number, where a text is wanted")]),
    (
        "order.lines.exists(l)",
        &[("order.lines.exists(l)", "a macro takes a name for the line, and what is asked of it")],
    ),
    (
        "order.lines.exists(order, true)",
        &[("order.lines.exists(order, true)", "`order` is a variable already: take another name for the line")],
    ),
    ("member.segments.exists(s, true)", &[("member.segments", "is a list of texts, where `order.lines` is wanted")]),
    (
        "order.lines.all(a, order.lines.all(b, true))",
        &[("order.lines.all(b, true)", "a macro cannot stand where each line is looked at already")],
    ),
    (
        "order.lines.all(l, l.size > 1) || l.amount > 1",
        &[
            ("l.size", "`line` has no `size`; it has sku, category, brand, kind, quantity, amount, attributes"),
            ("l", "`l` is unknown; there is order, member, event, now"),
        ],
    ),
    (
        "line.amount > 1 && order.lines.all(l, true)",
        &[("order.lines.all(l, true)", "a macro cannot stand where each line is looked at already")],
    ),
    (
        "line.amount > event.attributes.stars",
        &[("event", "there is no `event` where this condition stands; there is order, line, member, now")],
    ),
    ("line.sku == 'a", &[("'a", r#"a text ends on its line with '; a new line in it is written \n"#)]),
    ("member.tier == 'glod'", &[("'glod'", "there is no tier `glod`; there is silver, gold")]),
    (
        "member.tier >= 'gold'",
        &[("member.tier >= 'gold'", "codes have no order: compare them with `==`, `!=` or `in`")],
    ),
    ("member.tier in ['gold', 'bronze', '']", &[("'bronze'", "there is no tier `bronze`; there is silver, gold")]),
    ("'vips' in member.segments", &[("'vips'", "there is no list of members `vips`; there is staff, vip, press")]),
    ("'' in member.segments", &[("''", "there is no list of members ``; there is staff, vip, press")]),
    ("line.kind == 'tax'", &[("'tax'", "there is no kind of line `tax`; there is product, shipping")]),
    ("member.arms.colour == 'a'", &[("member.arms.colour", "there is no experiment `colour`")]),
    ("member.arms == 1", &[("member.arms == 1", "the arms of all experiments and a number do not compare")]),
    (
        "event.attributes.sars > 1",
        &[("event.attributes.sars", "the attribute `sars` is not declared in [attributes.event.review_written]")],
    ),
    ("1 in [order.total]", &[("order.total", "an item is a number here, written out")]),
    ("1 in ['a']", &[("'a'", "an item is a number here, written out")]),
    ("true in [true]", &[("true", "is true or false: a list has numbers, texts or dates")]),
    ("1 in 2", &[("2", "is a number, where a list is wanted")]),
    (
        "[1] == [1]",
        &[
            ("[1]", "a list stands on the right of `in`, and nowhere else"),
            ("[1]", "a list stands on the right of `in`, and nowhere else"),
        ],
    ),
    ("true + 1 > 1", &[("true + 1", "works on numbers, and + on texts; not on true or false and a number")]),
    ("'a' - 'b' == 'a'", &[("'a' - 'b'", "works on numbers, and + on texts; not on a text and a text")]),
    ("!1", &[("1", "is a number, where true or false is wanted")]),
    ("-'a' == 1", &[("'a'", "is a text, where a number is wanted")]),
    ("true ? 1 : 'a'", &[("true ? 1 : 'a'", "is either a number or a text: both are to be one")]),
    ("1 ? true : false", &[("1", "is a number, where true or false is wanted")]),
    ("order.total.x == 1", &[("order.total.x", "a number has no fields")]),
    ("member.attributes == 1", &[("member.attributes == 1", "all attributes and a number do not compare")]),
    ("true ? true", &[("", "ends too early: `:` is missing")]),
    (
        "date(now.date) == now.date",
        &[("date(now.date)", r#"a date is written as date("2026-12-01"), and has to exist"#)],
    ),
    ("'a'.startsWith('a',)", &[(")", "a value should stand here, not `)`")]),
];

#[test]
fn every_mistake_is_named_with_its_place() {
    let world = World::new();
    for (text, wanted) in MISTAKES {
        let scope = if text.contains("line.") { world.lines() } else { world.scope() };
        let mistakes = read(text, &scope).unwrap_err();
        let found: Vec<_> = mistakes.iter().map(|m| (&text[m.at..m.at + m.len], m.message.as_str())).collect();
        assert_eq!(found, wanted, "{text}");
    }
}
