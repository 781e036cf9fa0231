DROP VIEW held_discounts;

CREATE OR REPLACE VIEW holds AS
SELECT a.lane, a.member_id, h.numbers[1] AS opened_in, h.numbers[2]::smallint AS wallet,
    '1970-01-01T00:00:00Z'::timestamptz + h.numbers[3] * interval '1 microsecond' AS ends_at, h.numbers[4] AS owed,
    h.numbers[5] AS lot, h.numbers[6] AS points
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT a.holds[n:n + 6] AS numbers FROM generate_series(1, cardinality(a.holds), 7) AS n
) AS h;

COMMENT ON COLUMN accounts.holds IS 'Open holds, oldest first, seven numbers for each lot that they took from: the posting that opened the hold, its wallet slot, its end in microseconds since 1970, what a return is owed of it, the lot, its points, the lot''s last day counted from 0001-01-01.';
