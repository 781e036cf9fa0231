DROP VIEW holds;
ALTER TABLE accounts DROP COLUMN holds;
