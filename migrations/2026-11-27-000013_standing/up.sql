ALTER TABLE accounts ADD COLUMN standing bigint [];
COMMENT ON COLUMN accounts.standing IS 'The tiers of the member, seven numbers for each: 0 that was earned, 1 that was given, 2 of the past; its slot; since when in microseconds since 1970; its last day counted from 0001-01-01, of the past its end in microseconds; the day on which it falls, and to which slot, -1 to none; the posting that it is of, 0 of none. 9223372036854775807: at no time. NULL: there are none.';

CREATE VIEW member_tiers AS
SELECT a.lane, a.member_id, n.numbers[1]::smallint AS kind, n.numbers[2]::integer AS slot, c.code AS tier,
    '1970-01-01T00:00:00Z'::timestamptz + n.numbers[3] * interval '1 microsecond' AS since,
    CASE
        WHEN n.numbers[1] < 2 THEN '0001-01-01'::date + (nullif(n.numbers[4], 9223372036854775807) - 1)::integer
    END AS last_day,
    CASE
        WHEN n.numbers[1] = 2 THEN '1970-01-01T00:00:00Z'::timestamptz + n.numbers[4] * interval '1 microsecond'
    END AS ended_at,
    '0001-01-01'::date + (nullif(n.numbers[5], 9223372036854775807) - 1)::integer AS falls_on,
    nullif(n.numbers[6], -1)::integer AS falls_to,
    nullif(n.numbers[7], 0) AS seq
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT a.standing[f:f + 6] AS numbers FROM generate_series(1, cardinality(a.standing), 7) AS f
) AS n
LEFT JOIN program_codes AS c ON c.program_id = a.program_id AND c.kind = 2 AND c.slot = n.numbers[2];
COMMENT ON VIEW member_tiers IS 'Each tier that each member has earned (kind 0), was given (1) or was in before (2), as a row.';
SELECT perennial_grant('SELECT', 'TABLE member_tiers');
