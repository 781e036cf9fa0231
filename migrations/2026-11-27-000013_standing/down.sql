DROP VIEW member_tiers;
ALTER TABLE accounts DROP COLUMN standing;
