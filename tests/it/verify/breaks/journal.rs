//! Journal, lanes, directory, counters and followers, changed by hand.

use perennial::loyalty::ledger::verify::law::Law;

use super::{Break, NO_MEMBER, NO_PROGRAM, OTHER_LANE, change};

/// Directory rows of references.
const REFERENCES: &str = "kind = 1";
/// Directory rows of identities.
const IDENTITIES: &str = "kind BETWEEN 2 AND 5";

/// All of them.
pub const BREAKS: &[Break] = &[
    change("journal", "lane", "true", "SET lane = 77", Law::Lanes),
    change("journal", "lane", "true", "SET lane = 77", Law::Coverage),
    change("journal", "number", "true", "SET number = number + 100000", Law::Numbers),
    change("journal", "moment", "true", "SET moment = moment + interval '1 microsecond'", Law::Digests),
    change("journal", "members", "true", "SET members[1] = gen_random_uuid()", Law::Coverage),
    change("journal", "members", "true", "SET members = members || members", Law::Readable),
    change("journal", "seqs", "true", "SET seqs[1] = seqs[1] + 1000", Law::Coverage),
    change("journal", "seqs", "true", "SET seqs = seqs || seqs, members = members || members", Law::Coverage),
    change("journal", "digest", "true", "SET digest = sha256(digest)", Law::Digests),
    change("journal", "row removed", "true", "DELETE FROM journal WHERE ctid = $row", Law::Coverage),
    change(
        "journal",
        "row removed",
        "number < (SELECT head FROM lanes AS o WHERE o.lane = t.lane)",
        "DELETE FROM journal WHERE ctid = $row",
        Law::Numbers,
    ),
    change(
        "journal",
        "row removed",
        "number = (SELECT head FROM lanes AS o WHERE o.lane = t.lane)",
        "DELETE FROM journal WHERE ctid = $row",
        Law::Heads,
    ),
    change(
        "journal",
        "row added",
        "number = (SELECT head FROM lanes AS o WHERE o.lane = t.lane)",
        "INSERT INTO journal SELECT (jsonb_populate_record(t, jsonb_build_object('number', number + 1))).* FROM journal AS t WHERE ctid = $row",
        Law::Heads,
    ),
    change("lanes", "lane", "true", "SET lane = 50", Law::Lanes),
    change("lanes", "head", "true", "SET head = head + 1", Law::Heads),
    change("lanes", "digest", "true", "SET digest = sha256(digest)", Law::Heads),
    change("lanes", "moment", "true", "SET moment = moment - interval '1 microsecond'", Law::Moments),
    change("lanes", "row removed", "true", "DELETE FROM lanes WHERE ctid = $row", Law::Lanes),
    change(
        "lanes",
        "row added",
        "true",
        "INSERT INTO lanes SELECT (jsonb_populate_record(t, jsonb_build_object('lane', 4))).* FROM lanes AS t WHERE ctid = $row",
        Law::Lanes,
    ),
    change("directory", "program_id", REFERENCES, NO_PROGRAM, Law::References),
    change("directory", "program_id", IDENTITIES, NO_PROGRAM, Law::Identities),
    change("directory", "kind", REFERENCES, "SET kind = 9", Law::References),
    change("directory", "kind", IDENTITIES, "SET kind = kind + 4", Law::Identities),
    change("directory", "value", REFERENCES, "SET value = value || 'x'", Law::References),
    change("directory", "value", IDENTITIES, "SET value = value || 'x'", Law::Identities),
    change("directory", "lane", REFERENCES, OTHER_LANE, Law::References),
    change("directory", "lane", IDENTITIES, OTHER_LANE, Law::Identities),
    change("directory", "member_id", REFERENCES, NO_MEMBER, Law::References),
    change("directory", "member_id", IDENTITIES, NO_MEMBER, Law::Identities),
    change("directory", "seq", REFERENCES, "SET seq = seq + 1", Law::References),
    change("directory", "seq", IDENTITIES, "SET seq = seq + 1000", Law::Identities),
    change("directory", "seq", IDENTITIES, "SET seq = 0", Law::Identities),
    change("directory", "row removed", REFERENCES, "DELETE FROM directory WHERE ctid = $row", Law::References),
    change("directory", "row removed", IDENTITIES, "DELETE FROM directory WHERE ctid = $row", Law::Identities),
    change(
        "directory",
        "row added",
        REFERENCES,
        "INSERT INTO directory SELECT (jsonb_populate_record(t, jsonb_build_object('value', 'order:never'))).* FROM directory AS t WHERE ctid = $row",
        Law::References,
    ),
    change(
        "directory",
        "row added",
        IDENTITIES,
        "INSERT INTO directory SELECT (jsonb_populate_record(t, jsonb_build_object('value', 'nobody'))).* FROM directory AS t WHERE ctid = $row",
        Law::Identities,
    ),
    change("counters", "used", "used > 0", "SET used = used - 1", Law::Counters),
    change("counters", "rule", "used > 0", "SET rule = 'other'", Law::Counters),
    change("counters", "period", "used > 0", "SET period = '1999-01'", Law::Counters),
    change("counters", "row removed", "used > 0", "DELETE FROM counters WHERE ctid = $row", Law::Counters),
    change("counters", "program_id", "true", NO_PROGRAM, Law::Programs),
    change(
        "counters",
        "row added",
        "true",
        "INSERT INTO counters SELECT (jsonb_populate_record(t, jsonb_build_object('rule', 'other', 'used', 5))).* FROM counters AS t WHERE ctid = $row",
        Law::Counters,
    ),
    change("followers", "number", "true", "SET number = 1000000", Law::Followers),
    change("followers", "lane", "true", "SET lane = 60", Law::Followers),
    change("followers", "row added", "true", "INSERT INTO followers VALUES ('stranger', 61, 0)", Law::Followers),
];
