DROP VIEW segment_members;
DROP INDEX accounts_segments;
ALTER TABLE accounts DROP COLUMN segments;
