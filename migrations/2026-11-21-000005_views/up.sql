CREATE VIEW entries AS
SELECT p.lane, p.member_id, p.seq, e.entry::smallint - 1 AS entry, p.reference, p.effective_at, p.recorded_at, e.kind, e.wallet, e.points,
    e.after, e.available_at, e.expires_on
FROM postings AS p
CROSS JOIN LATERAL unnest(p.entry_kinds, p.entry_wallets, p.entry_points, p.entry_after, p.entry_available_at, p.entry_expires_on)
WITH ORDINALITY AS e (kind, wallet, points, after, available_at, expires_on, entry);
COMMENT ON VIEW entries IS 'Each entry of each posting as a row, for whoever reads with SQL.';

CREATE VIEW lot_moves AS
SELECT p.lane, p.member_id, p.seq, m.entry, m.lot, m.points
FROM postings AS p
CROSS JOIN LATERAL unnest(p.move_entries, p.move_lots, p.move_points) AS m (entry, lot, points);
COMMENT ON VIEW lot_moves IS 'Each movement over a lot as a row.';

CREATE VIEW lots AS
SELECT a.lane, a.member_id, l.lot, l.wallet, l.remaining, l.available_at, l.expires_on
FROM accounts AS a
CROSS JOIN LATERAL unnest(a.lot_ids, a.lot_wallets, a.lot_remaining, a.lot_available_at, a.lot_expires_on)
AS l (lot, wallet, remaining, available_at, expires_on);
COMMENT ON VIEW lots IS 'Each open lot of each account as a row.';

SELECT perennial_grant('SELECT', 'TABLE entries');
SELECT perennial_grant('SELECT', 'TABLE lot_moves');
SELECT perennial_grant('SELECT', 'TABLE lots');
