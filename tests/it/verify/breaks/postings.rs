//! Postings, changed by hand.

use perennial::loyalty::ledger::verify::law::Law;

use super::{Break, NO_MEMBER, OTHER_LANE, change};

/// Postings with entries.
const ENTRIES: &str = "cardinality(entries) > 0";
/// Postings that award to a lot of its own.
const AWARDS: &str = "entries[1] IN (1, 9, 11) AND cardinality(moves) > 0";

/// The same, of accounts that are there: where one went into another, the merge says first what is not so.
const KEPT_ENTRIES: &str = "cardinality(entries) > 0 AND NOT EXISTS (\
    SELECT FROM accounts AS a WHERE a.member_id = t.member_id AND a.merged_into IS NOT NULL)";
/// Postings of accounts that are there.
const KEPT: &str =
    "NOT EXISTS (SELECT FROM accounts AS a WHERE a.member_id = t.member_id AND a.merged_into IS NOT NULL)";

/// All of them.
pub const BREAKS: &[Break] = &[
    change("postings", "lane", "true", OTHER_LANE, Law::Lanes),
    change("postings", "lane", "true", OTHER_LANE, Law::Coverage),
    change("postings", "member_id", "true", NO_MEMBER, Law::Coverage),
    change("postings", "seq", "true", "SET seq = seq + 1000", Law::Sequence),
    change("postings", "reference", "true", "SET reference = reference || 'x'", Law::References),
    change("postings", "kind", "kind IN (2, 3, 4, 5, 6)", "SET kind = 7", Law::Documents),
    change(
        "postings",
        "kind",
        "kind = 12 AND seq = (SELECT max(seq) FROM postings AS o WHERE o.member_id = t.member_id)",
        "SET kind = 7",
        Law::Fold,
    ),
    change("postings", "kind", "kind = 13", "SET kind = 12", Law::Status),
    change("postings", "kind", "true", "SET kind = 99", Law::Readable),
    change("postings", "hash", "true", "SET hash = decode(md5(hash), 'hex')", Law::Digests),
    change(
        "postings",
        "effective_at",
        "kind = 2",
        "SET effective_at = effective_at + interval '1 day'",
        Law::Documents,
    ),
    change(
        "postings",
        "effective_at",
        "true",
        "SET effective_at = effective_at + interval '1 microsecond'",
        Law::Digests,
    ),
    change("postings", "recorded_at", "true", "SET recorded_at = recorded_at + interval '1 microsecond'", Law::Digests),
    change("postings", "version", "kind = 2", "SET version = version + 1", Law::Documents),
    change("postings", "version", "true", "SET version = version + 1", Law::Digests),
    change("postings", "cause", "true", "SET cause = cause || 'x'", Law::Digests),
    change("postings", "imported", "true", "SET imported = NOT imported", Law::Digests),
    change("postings", "paid", "kind = 2", "SET paid = paid + 0.01", Law::Documents),
    change("postings", "paid", "kind = 3", "SET paid = paid + 0.01", Law::Returns),
    change("postings", "paid", "kind = 2", "SET paid = NULL", Law::Documents),
    change("postings", "currency", "true", "SET currency = 'CHF'", Law::Documents),
    change("postings", "currency", "true", "SET currency = 'XYZ'", Law::Readable),
    change("postings", "items", "kind <> 3", "SET items = items + 1", Law::Documents),
    change("postings", "items", "kind = 3", "SET items = items + 1", Law::Returns),
    change("postings", "orders", KEPT, "SET orders = orders + 1", Law::Fold),
    change(
        "postings",
        "entries",
        ENTRIES,
        "SET entries[1] = CASE WHEN entries[1] IN (1, 9) THEN 11 ELSE 1 END",
        Law::Digests,
    ),
    change("postings", "entries", ENTRIES, "SET entries[1] = 77", Law::Readable),
    change("postings", "entries", KEPT_ENTRIES, "SET entries[2] = entries[2] + 1", Law::Fold),
    change("postings", "entries", KEPT_ENTRIES, "SET entries[3] = entries[3] + sign(entries[3])::bigint", Law::Fold),
    change("postings", "entries", ENTRIES, "SET entries[3] = -entries[3]", Law::Readable),
    change(
        "postings",
        "entries",
        "cardinality(moves) > 0 AND entries[1] NOT IN (6, 19, 20)",
        "SET entries[3] = entries[3] + sign(entries[3])::bigint",
        Law::Movements,
    ),
    change("postings", "entries", ENTRIES, "SET entries[4] = entries[4] + 1", Law::After),
    change(
        "postings",
        "entries",
        AWARDS,
        "SET entries[5] = CASE WHEN entries[5] = 9223372036854775807 THEN 0 ELSE 9223372036854775807 END",
        Law::After,
    ),
    change(
        "postings",
        "entries",
        AWARDS,
        "SET entries[6] = CASE WHEN entries[6] = 9223372036854775807 THEN 741000 ELSE entries[6] - 1 END",
        Law::Digests,
    ),
    change(
        "postings",
        "moves",
        "moves[1] <> moves[cardinality(moves) - 1] AND sign(moves[2]) = sign(moves[cardinality(moves)])",
        "SET moves[1] = moves[cardinality(moves) - 1]",
        Law::Movements,
    ),
    change("postings", "moves", "cardinality(moves) > 0", "SET moves[1] = 99", Law::Readable),
    // A merge may bring a lot of any name: that of one is among those of merges.
    change(
        "postings",
        "move_lots",
        "kind <> 15 AND cardinality(moves) > 0",
        "SET move_lots[1] = move_lots[1] + 100",
        Law::Lots,
    ),
    change(
        "postings",
        "moves",
        "cardinality(moves) > 0",
        "SET moves[2] = moves[2] + sign(moves[2])::bigint",
        Law::Movements,
    ),
    change(
        "postings",
        "cap of an order",
        r#"kind = 2 AND document ~ '"rule":"double"[^}]*"cut_by":"cap"'"#,
        r#"SET document = replace(document, '"rule":"double"', '"rule":"base"')"#,
        Law::Caps,
    ),
    change(
        "postings",
        "budget of an order",
        r#"kind = 2 AND document ~ '"rule":"more"[^}]*"cut_by":"budget"'"#,
        r#"SET document = replace(document, '"rule":"more"', '"rule":"base"')"#,
        Law::Counters,
    ),
    change(
        "postings",
        "tier of an order",
        r#"kind = 2 AND document LIKE '%"rule":"tier:%'"#,
        r#"SET document = regexp_replace(document, '"rule":"tier:[a-z]*"', '"rule":"tier:bronze"')"#,
        Law::Tiers,
    ),
    change(
        "postings",
        "cap of a return",
        r#"kind = 3 AND document LIKE '%"given_back"%'"#,
        r#"SET document = regexp_replace(document, '"given_back":\[[^]]*\]', '"given_back":[]')"#,
        Law::Returns,
    ),
    change(
        "postings",
        "cap of a merge",
        r#"kind = 14 AND document LIKE '%"used"%'"#,
        r#"SET document = regexp_replace(document, '"used":\[[^]]*\]', '"used":[]')"#,
        Law::Caps,
    ),
    change(
        "postings",
        "tier of an order",
        r#"kind = 2 AND document LIKE '%"after":"silver"%'"#,
        r#"SET document = replace(document, '"after":"silver"', '"after":"gold"')"#,
        Law::Tiers,
    ),
    change(
        "postings",
        "tier before an order",
        r#"kind = 2 AND document ~ '"tier":{[^}]*"was"'"#,
        r#"SET document = regexp_replace(document, ',"was":{[^}]*}', '')"#,
        Law::Tiers,
    ),
    change(
        "postings",
        "tier of a catch-up",
        r#"kind = 5 AND document LIKE '%"tier"%'"#,
        r#"SET document = '{}'"#,
        Law::Tiers,
    ),
    change(
        "postings",
        "tiers of a merge",
        r#"kind = 14 AND document LIKE '%"standing"%'"#,
        r#"SET document = regexp_replace(document, '("standing":.*?"since":")2', '\11')"#,
        Law::Tiers,
    ),
    change("postings", "document", "kind <> 5", "SET document = '{}'", Law::Documents),
    change("postings", "document", "true", "SET document = left(document, -1)", Law::Documents),
    change("postings", "document", "kind = 5", "SET document = '{\"x\":1}'", Law::Documents),
    change("postings", "document", "true", "SET document = document || ' '", Law::Digests),
    change(
        "postings",
        "row removed",
        "seq < (SELECT max(seq) FROM postings AS o WHERE o.member_id = t.member_id)",
        "DELETE FROM postings WHERE ctid = $row",
        Law::Sequence,
    ),
    change("postings", "row removed", "true", "DELETE FROM postings WHERE ctid = $row", Law::Coverage),
    change(
        "postings",
        "row removed",
        "seq = (SELECT max(seq) FROM postings AS o WHERE o.member_id = t.member_id)",
        "DELETE FROM postings WHERE ctid = $row",
        Law::Sequence,
    ),
    change(
        "postings",
        "row added",
        "seq = (SELECT max(seq) FROM postings AS o WHERE o.member_id = t.member_id)",
        "INSERT INTO postings SELECT (jsonb_populate_record(t, jsonb_build_object('seq', seq + 1))).* FROM postings AS t WHERE ctid = $row",
        Law::Coverage,
    ),
    change(
        "postings",
        "row added",
        "kind <> 5 AND seq = (SELECT max(seq) FROM postings AS o WHERE o.member_id = t.member_id)",
        "INSERT INTO postings SELECT (jsonb_populate_record(t, jsonb_build_object('seq', seq + 1))).* FROM postings AS t WHERE ctid = $row",
        Law::References,
    ),
];
