ALTER TABLE accounts
DROP COLUMN merged_into,
DROP COLUMN merged_branch,
DROP COLUMN branches,
DROP COLUMN alias_depth;
