CREATE TABLE program_codes (
    program_id uuid NOT NULL,
    kind smallint NOT NULL,
    code text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    CONSTRAINT program_codes_pk PRIMARY KEY (program_id, kind, code),
    CONSTRAINT program_codes_slot_unique UNIQUE (program_id, kind, slot),
    CONSTRAINT program_codes_slot_check CHECK (slot >= 0)
);
COMMENT ON TABLE program_codes IS 'What stands in accounts for parts of a programme, for ever: earning rules that count by member (kind 1), tiers (kind 2). Written by loyalty/program.';
SELECT perennial_grant('SELECT, INSERT', 'TABLE program_codes');

ALTER TABLE accounts ADD COLUMN usage bigint [];
COMMENT ON COLUMN accounts.usage IS 'What the member has had of rules with a cap, two numbers for each rule and calendar period: its name, which is the rule''s slot times 2^40, the kind of period times 2^36 and its first day counted from 0001-01-01, and the points. NULL: nothing.';

CREATE VIEW used_caps AS
SELECT a.lane, a.member_id, (a.usage[u.first] >> 40)::integer AS slot, (a.usage[u.first] >> 36 & 15)::smallint AS cycle,
    CASE
        WHEN (a.usage[u.first] >> 36 & 15) > 0
            THEN '0001-01-01'::date + (a.usage[u.first] & 68719476735)::integer - 1
    END AS first_day,
    a.usage[u.first + 1] AS points
FROM accounts AS a
CROSS JOIN LATERAL generate_series(1, cardinality(a.usage), 2) AS u (first);
COMMENT ON VIEW used_caps IS 'What each member has had of each rule with a cap in each period, as a row.';
SELECT perennial_grant('SELECT', 'TABLE used_caps');
