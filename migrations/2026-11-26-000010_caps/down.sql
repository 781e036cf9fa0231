DROP VIEW used_caps;
ALTER TABLE accounts DROP COLUMN usage;
DROP TABLE program_codes;
