//! Every way to break a law by hand that SQL has: table by table, column by column.

mod accounts;
mod documents;
mod journal;
mod merges;
mod postings;
mod vouchers;

use perennial::loyalty::ledger::verify::law::Law;

/// A change of one row that the engine did not make.
pub struct Break {
    /// The table.
    pub table: &'static str,
    /// The column, or what is done to the row.
    pub what: &'static str,
    /// Which rows it can be done to.
    pub of: &'static str,
    /// `SET …`, or a whole statement in which `$row` is the row picked.
    pub by: &'static str,
    /// A law that must be named.
    pub law: Law,
}

const fn change(table: &'static str, what: &'static str, of: &'static str, by: &'static str, law: Law) -> Break {
    Break { table, what, of, by, law }
}

/// A programme that is not the row's.
const OTHER_PROGRAM: &str =
    "SET program_id = (SELECT program_id FROM programs AS o WHERE o.program_id <> t.program_id LIMIT 1)";
const NO_PROGRAM: &str = "SET program_id = gen_random_uuid()";
const NO_MEMBER: &str = "SET member_id = gen_random_uuid()";
const OTHER_LANE: &str = "SET lane = (lane + 1) % 4";

/// All of them.
pub fn breaks() -> Vec<&'static Break> {
    [accounts::BREAKS, postings::BREAKS, documents::BREAKS, merges::BREAKS, journal::BREAKS, vouchers::BREAKS]
        .into_iter()
        .flatten()
        .collect()
}

/// Columns that no law covers, and why.
pub const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("postings", "texts", "free text: an erasure blanks it"),
    ("members", "name", "personal data: an erasure blanks it, and nothing is decided by it"),
    ("members", "birthday", "personal data: an erasure blanks it, and nothing is decided by it"),
    ("members", "locale", "personal data: an erasure blanks it, and nothing is decided by it"),
    ("counters", "used_max", "what the version says, not what postings do; a CHECK holds it above the use"),
    ("followers", "follower", "a name"),
];
