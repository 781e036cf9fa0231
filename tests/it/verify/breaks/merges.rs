//! Postings of merges, and of what came along with them, changed by hand.

use perennial::loyalty::ledger::verify::law::Law;

use super::{Break, change};

/// Returns of an order that another account made.
const RETURNS: &str = "kind = 3 AND NOT EXISTS (SELECT FROM postings AS o WHERE o.member_id = t.member_id \
    AND o.reference = split_part(t.reference, '/', 1))";

/// Sales of such accounts.
const MERGED_SALES: &str = "kind = 2 AND EXISTS (\
    SELECT FROM accounts AS a WHERE a.member_id = t.member_id AND a.merged_into IS NOT NULL)";

/// All of them.
pub const BREAKS: &[Break] = &[
    change("postings", "row of a merge removed", "kind = 15", "DELETE FROM postings WHERE ctid = $row", Law::Sequence),
    change("postings", "row of a merge removed", "kind = 14", "DELETE FROM postings WHERE ctid = $row", Law::Sequence),
    change(
        "postings",
        "document",
        "kind = 14",
        r#"SET document = regexp_replace(document, '"into":"[^"]*"', '"into":"0198c0de-0000-7000-8000-000000000000"')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 15",
        r#"SET document = regexp_replace(document, '"from":"[^"]*"', '"from":"0198c0de-0000-7000-8000-000000000000"')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 14",
        r#"SET document = regexp_replace(document, '"orders":\d+', '"orders":98765')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 15",
        r#"SET document = regexp_replace(document, '"orders":\d+', '"orders":98765')"#,
        Law::Fold,
    ),
    change(
        "postings",
        "document",
        r#"kind = 14 AND document ~ '"debt":[1-9]'"#,
        r#"SET document = regexp_replace(document, '"debt":[1-9]\d*', '"debt":0')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        r#"kind = 14 AND document ~ '"spendable":[1-9]'"#,
        r#"SET document = regexp_replace(document, '"spendable":[1-9]', '"spendable":98765')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        r#"kind = 14 AND document ~ 'active_until'"#,
        r#"SET document = regexp_replace(document, '"active_until":"[^"]*"', '"active_until":"2039-01-01"')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 15",
        r#"SET document = regexp_replace(document, '"spent":\d+', '"spent":98765')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 15",
        r#"SET document = regexp_replace(document, '"branch":\d+', '"branch":98765')"#,
        Law::Merges,
    ),
    change(
        "postings",
        "document",
        "kind = 15",
        r#"SET document = regexp_replace(document, '"depth":\d+', '"depth":7')"#,
        Law::Fold,
    ),
    change(
        "postings",
        "entry of a merge",
        "kind = 15 AND cardinality(move_lots) > 0",
        "SET entries[6] = CASE WHEN entries[6] = 9223372036854775807 THEN 741000 ELSE entries[6] - 1 END",
        Law::Merges,
    ),
    change(
        "postings",
        "entry of a merge",
        "kind = 15 AND cardinality(move_lots) > 0",
        "SET entries[5] = 0",
        Law::Merges,
    ),
    change(
        "postings",
        "lot of a merge",
        "kind = 15 AND cardinality(move_lots) > 0",
        "SET move_lots[1] = move_lots[1] + 256",
        Law::Merges,
    ),
    change(
        "postings",
        "lot of a merge",
        "kind = 14 AND cardinality(move_lots) > 0",
        "SET entries[3] = entries[3] - 1, moves[2] = moves[2] - 1",
        Law::Merges,
    ),
    change(
        "postings",
        "row after a merge",
        "kind = 14",
        "INSERT INTO postings SELECT (jsonb_populate_record(t, jsonb_build_object('seq', seq + 1, 'kind', 7))).* FROM postings AS t WHERE ctid = $row",
        Law::Merges,
    ),
    change("postings", "kind", "kind = 14", "SET kind = 7", Law::Fold),
    change(
        "postings",
        "return of what came along",
        RETURNS,
        r#"SET document = regexp_replace(document, '"money":"\d+', '"money":"98765')"#,
        Law::Returns,
    ),
    change(
        "postings",
        "return of what came along",
        r#"kind = 3 AND reference LIKE '%/return:three' AND document ~ '"forgiven":0'"#,
        r#"SET document = regexp_replace(document, '"forgiven":0', '"forgiven":98765')"#,
        Law::Returns,
    ),
    change("accounts", "status of a merged one", "merged_into IS NOT NULL", "SET status = 1", Law::Fold),
    change("postings", "order before a merge", MERGED_SALES, "SET orders = orders + 1", Law::Merges),
];
