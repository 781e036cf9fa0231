ALTER TABLE accounts VALIDATE CONSTRAINT accounts_merged_check;
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_branches_check;
