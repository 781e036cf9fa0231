//! Accounts and profiles, changed by hand.

use perennial::loyalty::ledger::verify::law::Law;

use super::{Break, NO_MEMBER, NO_PROGRAM, OTHER_LANE, OTHER_PROGRAM, change};

/// Rows with open holds.
const HOLDS: &str = "holds IS NOT NULL";
/// Rows with lots.
const LOTS: &str = "cardinality(lot_ids) > 0";
/// Accounts that have had something of a rule with a cap.
const USAGE: &str = "usage IS NOT NULL";

/// Accounts that hold a tier.
const STANDING: &str = "standing[1] = 0";

/// Accounts that were merged into another.
const MERGED: &str = "merged_into IS NOT NULL";

/// All of them.
pub const BREAKS: &[Break] = &[
    change("accounts", "lane", "true", OTHER_LANE, Law::Lanes),
    change("accounts", "member_id", "true", NO_MEMBER, Law::Sequence),
    change("accounts", "program_id", "true", OTHER_PROGRAM, Law::References),
    change("accounts", "program_id", "true", NO_PROGRAM, Law::Programs),
    change("accounts", "status", "true", "SET status = 1 - status", Law::Fold),
    change("accounts", "status", "true", "SET status = 7", Law::Readable),
    change("accounts", "seq", "true", "SET seq = seq + 1", Law::Sequence),
    change("accounts", "moved_at", "true", "SET moved_at = moved_at + interval '1 microsecond'", Law::Fold),
    change("accounts", "changes_at", "changes_at IS NOT NULL", "SET changes_at = NULL", Law::Schedule),
    change(
        "accounts",
        "changes_at",
        "true",
        "SET changes_at = coalesce(changes_at, now()) + interval '1 day'",
        Law::Schedule,
    ),
    change("accounts", "enrolled_on", "true", "SET enrolled_on = enrolled_on - 1", Law::Fold),
    change("accounts", "decided_by", "true", "SET decided_by = decided_by + 1", Law::Fold),
    change("accounts", "order_count", "merged_into IS NULL", "SET order_count = order_count + 1", Law::Fold),
    change(
        "accounts",
        "last_order_on",
        "last_order_on IS NOT NULL",
        "SET last_order_on = last_order_on + 1",
        Law::Fold,
    ),
    change("accounts", "last_order_on", "last_order_on IS NOT NULL", "SET last_order_on = NULL", Law::Fold),
    change("accounts", "figures", "cardinality(figures) > 0", "SET figures[1] = figures[1] + 1", Law::Figures),
    change("accounts", "figures", "cardinality(figures) > 0", "SET figures[2] = figures[2] + 1", Law::Figures),
    change("accounts", "figures", "cardinality(figures) > 0", "SET figures[3] = figures[3] + 1", Law::Figures),
    change(
        "accounts",
        "figures",
        "cardinality(figures) > 16",
        "SET figures[20] = figures[20] + 1, figures[17] = figures[17] + 1",
        Law::Figures,
    ),
    change(
        "accounts",
        "figures",
        "cardinality(figures) > 0",
        "SET figures[5] = figures[5] + 1, figures[6] = figures[6] + 1",
        Law::Fold,
    ),
    change(
        "accounts",
        "figures",
        "cardinality(figures) > 0",
        "SET figures[7] = figures[7] + 1, figures[8] = greatest(figures[8] - 1, 0)",
        Law::Fold,
    ),
    change("accounts", "figures", "cardinality(figures) > 0", "SET figures = figures[2:]", Law::Readable),
    change(
        "accounts",
        "expires_on",
        "array_remove(expires_on, NULL) <> '{}'",
        "SET expires_on = ARRAY(SELECT d + 1 FROM unnest(expires_on) AS d)",
        Law::Fold,
    ),
    change("accounts", "lot_ids", LOTS, "SET lot_ids[1] = lot_ids[1] + 1", Law::Fold),
    change("accounts", "lot_ids", LOTS, "SET lot_ids = lot_ids[2:]", Law::Readable),
    change("accounts", "lot_wallets", LOTS, "SET lot_wallets[1] = lot_wallets[1] + 1", Law::Figures),
    change("accounts", "lot_remaining", LOTS, "SET lot_remaining[1] = lot_remaining[1] + 1", Law::Figures),
    change(
        "accounts",
        "lot_available_at",
        LOTS,
        "SET lot_available_at[1] = CASE WHEN lot_available_at[1] IS NULL THEN now() END",
        Law::Figures,
    ),
    change(
        "accounts",
        "lot_expires_on",
        LOTS,
        "SET lot_expires_on[1] = coalesce(lot_expires_on[1], '2031-01-01') - 1",
        Law::Fold,
    ),
    change(
        "accounts",
        "order of the lots",
        "cardinality(lot_ids) > 1",
        "SET lot_ids = lot_ids[2:] || lot_ids[1], lot_wallets = lot_wallets[2:] || lot_wallets[1], lot_remaining = lot_remaining[2:] || lot_remaining[1], lot_available_at = lot_available_at[2:] || lot_available_at[1], lot_expires_on = lot_expires_on[2:] || lot_expires_on[1]",
        Law::LotOrder,
    ),
    change("accounts", "holds", HOLDS, "SET holds = NULL", Law::Figures),
    change("accounts", "holds", HOLDS, "SET holds[1] = holds[1] + 1", Law::Holds),
    change("accounts", "holds", HOLDS, "SET holds[2] = holds[2] + 1", Law::Figures),
    change("accounts", "holds", HOLDS, "SET holds[3] = holds[3] - 1000000", Law::Schedule),
    change("accounts", "holds", HOLDS, "SET holds[4] = holds[4] - 1", Law::Holds),
    change("accounts", "holds", HOLDS, "SET holds[5] = holds[5] + 1", Law::Holds),
    change("accounts", "holds", HOLDS, "SET holds[6] = holds[6] + 1", Law::Figures),
    change("accounts", "holds", HOLDS, "SET holds[7] = 700000", Law::Holds),
    change("accounts", "holds", HOLDS, "SET holds[4] = -1", Law::Readable),
    change("accounts", "usage", USAGE, "SET usage = NULL", Law::Fold),
    change(
        "accounts",
        "usage",
        USAGE,
        "SET usage[cardinality(usage) - 1] = usage[cardinality(usage) - 1] + 1099511627776",
        Law::Fold,
    ),
    change("accounts", "usage", USAGE, "SET usage[2] = usage[2] + 1", Law::Fold),
    change("accounts", "usage", USAGE, "SET usage = usage[2:]", Law::Readable),
    change("accounts", "standing", STANDING, "SET standing = NULL", Law::Fold),
    change("accounts", "standing", STANDING, "SET standing[2] = (standing[2] + 1) % 4", Law::Fold),
    change("accounts", "standing", STANDING, "SET standing[3] = standing[3] + 1", Law::Fold),
    change("accounts", "standing", STANDING, "SET standing[4] = 740000", Law::Fold),
    change("accounts", "standing", STANDING, "SET standing[7] = standing[7] + 1", Law::Fold),
    change("accounts", "standing", STANDING, "SET standing = standing[2:]", Law::Readable),
    change("accounts", "standing", STANDING, "SET standing[1] = 7", Law::Readable),
    change("accounts", "segments", "true", "SET segments = 1", Law::Fold),
    change("accounts", "merged_into", MERGED, "SET merged_into = member_id", Law::Fold),
    change("accounts", "merged_into", MERGED, "SET merged_into = NULL, merged_branch = NULL", Law::Fold),
    change("accounts", "merged_branch", MERGED, "SET merged_branch = merged_branch + 1", Law::Fold),
    change("accounts", "branches", "branches IS NOT NULL", "SET branches = branches + 1", Law::Fold),
    change("accounts", "alias_depth", "alias_depth IS NOT NULL", "SET alias_depth = alias_depth + 1", Law::Fold),
    change("accounts", "row removed", "true", "DELETE FROM accounts WHERE ctid = $row", Law::Sequence),
    change(
        "accounts",
        "row added",
        "true",
        "INSERT INTO accounts SELECT (jsonb_populate_record(t, jsonb_build_object('member_id', gen_random_uuid()))).* FROM accounts AS t WHERE ctid = $row",
        Law::Sequence,
    ),
    change("members", "lane", "true", OTHER_LANE, Law::Lanes),
    change("members", "member_id", "true", NO_MEMBER, Law::Profiles),
    change(
        "members",
        "external_id",
        "external_id IS NOT NULL",
        "SET external_id = external_id || 'x'",
        Law::Identities,
    ),
    change("members", "external_id", "external_id IS NOT NULL", "SET external_id = NULL", Law::Identities),
    change("members", "email", "email IS NOT NULL", "SET email = 'x' || email", Law::Identities),
    change("members", "phone", "phone IS NOT NULL", "SET phone = NULL", Law::Identities),
    change("members", "card", "card IS NOT NULL", "SET card = card || '1'", Law::Identities),
    change("members", "attributes", "true", "SET attributes = '[]'", Law::Readable),
    change("members", "changed_at", "true", "SET changed_at = changed_at + interval '1 second'", Law::Profiles),
    change("members", "row removed", "true", "DELETE FROM members WHERE ctid = $row", Law::Profiles),
    change(
        "members",
        "row added",
        "true",
        "INSERT INTO members SELECT (jsonb_populate_record(t, jsonb_build_object('member_id', gen_random_uuid()))).* FROM members AS t WHERE ctid = $row",
        Law::Profiles,
    ),
];
