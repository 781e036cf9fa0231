ALTER TABLE accounts ADD COLUMN segments bigint CONSTRAINT accounts_segments_check CHECK (segments > 0);
COMMENT ON COLUMN accounts.segments IS 'The lists that the member is in, a bit for each: 2 to the power of its slot. NULL: none.';
-- The column is new, so no row is in it yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX accounts_segments ON accounts (lane, member_id) WHERE segments IS NOT NULL;

CREATE VIEW segment_members AS
SELECT a.program_id, a.lane, a.member_id, c.code AS segment
FROM accounts AS a
JOIN program_codes AS c ON c.program_id = a.program_id AND c.kind = 3 AND (a.segments >> c.slot & 1) = 1
WHERE a.segments IS NOT NULL;
COMMENT ON VIEW segment_members IS 'Which member is in which list, as a row each.';
SELECT perennial_grant('SELECT', 'TABLE segment_members');
