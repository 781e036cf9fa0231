ALTER TABLE accounts
ADD COLUMN merged_into uuid,
ADD COLUMN merged_branch integer,
ADD COLUMN branches integer,
ADD COLUMN alias_depth smallint,
ADD CONSTRAINT accounts_merged_check CHECK (
    (merged_into IS NULL) = (merged_branch IS NULL)
    AND (merged_into IS NULL OR cardinality(lot_ids) = 0 AND holds IS NULL AND order_count = 0)
) NOT VALID,
ADD CONSTRAINT accounts_branches_check CHECK (branches > 1 AND alias_depth >= 1 AND (branches IS NULL) = (alias_depth IS NULL)) NOT VALID;
COMMENT ON COLUMN accounts.merged_into IS 'Of an account that was merged into another: which. It is empty, and its lots went on there, each with merged_branch times 2^40 added to its name.';
COMMENT ON COLUMN accounts.branches IS 'How many branches the names of its lots have: its own, and those of all that were merged into it. NULL: nobody was.';
COMMENT ON COLUMN accounts.alias_depth IS 'How many merges the longest chain of accounts has that leads to it. NULL: there is none.';
