//! Rewards and their vouchers, changed by hand.

use perennial::loyalty::ledger::verify::law::Law;

use super::{Break, NO_MEMBER, NO_PROGRAM, OTHER_LANE, change};

/// Directory rows of vouchers.
const VOUCHERS: &str = "kind = 6";

/// All of them.
pub const BREAKS: &[Break] = &[
    change("directory", "program_id", VOUCHERS, NO_PROGRAM, Law::Vouchers),
    change("directory", "kind", VOUCHERS, "SET kind = 9", Law::Vouchers),
    change("directory", "value", VOUCHERS, "SET value = value || 'X'", Law::Vouchers),
    change("directory", "lane", VOUCHERS, OTHER_LANE, Law::Vouchers),
    change("directory", "member_id", VOUCHERS, NO_MEMBER, Law::Vouchers),
    change("directory", "seq", VOUCHERS, "SET seq = seq + 1", Law::Vouchers),
    change("directory", "row removed", VOUCHERS, "DELETE FROM directory WHERE ctid = $row", Law::Vouchers),
    change("counters", "used", "rule LIKE '%.stock'", "SET used = used + 1", Law::Counters),
    change(
        "postings",
        "document",
        "kind = 19",
        r#"SET document = regexp_replace(document, '"points":\d+', '"points":7')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 19",
        r#"SET document = regexp_replace(document, '"spendable":\d+', '"spendable":98765')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 19",
        r#"SET document = regexp_replace(document, '"expires_on":"[^"]*"', '"expires_on":"2039-01-01"')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 19",
        r#"SET document = regexp_replace(document, '"reward":"[^"]*"', '"reward":"hug"')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 20",
        r#"SET document = regexp_replace(document, '"used_for":"[^"]*"', '"used_for":"another"')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 21",
        r#"SET document = regexp_replace(document, '"voucher":"[^"]*"', '"voucher":"ANOTHER"')"#,
        Law::Vouchers,
    ),
    change(
        "postings",
        "document",
        "kind = 22",
        r#"SET document = regexp_replace(document, '"points":\d+', '"points":7')"#,
        Law::Vouchers,
    ),
    change("postings", "kind", "kind = 22", "SET kind = 7", Law::Documents),
    change("postings", "kind", "kind = 21", "SET kind = 20", Law::Vouchers),
];
