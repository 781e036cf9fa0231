COMMENT ON COLUMN accounts.holds IS 'Open holds, oldest first, seven numbers for each lot that they took from: the posting that opened the hold, its wallet slot, its end in microseconds since 1970, what a return is owed of it, the lot, its points, the lot''s last day counted from 0001-01-01. For each discount that they keep the last three are: the programme''s version, below zero, the place of the discount in it, and the business day by which the use counts.';

CREATE OR REPLACE VIEW holds AS
SELECT a.lane, a.member_id, h.numbers[1] AS opened_in, h.numbers[2]::smallint AS wallet,
    '1970-01-01T00:00:00Z'::timestamptz + h.numbers[3] * interval '1 microsecond' AS ends_at, h.numbers[4] AS owed,
    h.numbers[5] AS lot, h.numbers[6] AS points
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT a.holds[n:n + 6] AS numbers FROM generate_series(1, cardinality(a.holds), 7) AS n
) AS h
WHERE h.numbers[5] >= 0;

CREATE VIEW held_discounts AS
SELECT a.lane, a.member_id, h.numbers[1] AS opened_in,
    '1970-01-01T00:00:00Z'::timestamptz + h.numbers[3] * interval '1 microsecond' AS ends_at,
    (-h.numbers[5])::integer AS version, h.numbers[6]::integer AS place, '0001-01-01'::date + (h.numbers[7] - 1)::integer AS used_on
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT a.holds[n:n + 6] AS numbers FROM generate_series(1, cardinality(a.holds), 7) AS n
) AS h
WHERE h.numbers[5] < 0;
COMMENT ON VIEW held_discounts IS 'The uses of discounts that each open hold keeps, as a row: the programme''s version, the place of the discount in it from 0, and the business day by which it counts.';

SELECT perennial_grant('SELECT', 'TABLE held_discounts');
