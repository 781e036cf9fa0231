ALTER TABLE postings RENAME TO postings_by_number;
ALTER TABLE postings_by_number RENAME CONSTRAINT postings_pk TO postings_by_number_pk;

CREATE TABLE postings (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    reference text NOT NULL,
    kind smallint NOT NULL,
    hash bytea NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    version integer NOT NULL,
    cause text NOT NULL,
    imported boolean NOT NULL,
    paid numeric(20, 4),
    currency text NOT NULL,
    items integer NOT NULL,
    orders smallint NOT NULL,
    entry_kinds smallint [] NOT NULL,
    entry_wallets smallint [] NOT NULL,
    entry_points bigint [] NOT NULL,
    entry_after bigint [] NOT NULL,
    entry_available_at timestamptz [] NOT NULL,
    entry_expires_on date [] NOT NULL,
    move_entries smallint [] NOT NULL,
    move_lots bigint [] NOT NULL,
    move_points bigint [] NOT NULL,
    document text NOT NULL,
    texts text,
    CONSTRAINT postings_pk PRIMARY KEY (lane, member_id, seq),
    CONSTRAINT postings_seq_check CHECK (seq >= 1),
    CONSTRAINT postings_hash_check CHECK (octet_length(hash) = 16)
);
COMMENT ON TABLE postings IS 'Append-only: everything that one command did to one member. Entries and lot movements are parallel arrays with the sign of the entry; texts alone may be blanked. Written by loyalty/ledger/save.';

INSERT INTO postings
SELECT p.lane, p.member_id, p.seq, p.reference, p.kind, p.hash, p.effective_at, p.recorded_at, p.version, p.cause, p.imported, p.paid,
    p.currency, p.items, p.orders,
    ARRAY(SELECT e.kind FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT e.wallet FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT e.points FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT e.after FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT e.available_at FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT e.expires_on FROM entries AS e WHERE (e.lane, e.member_id, e.seq) = (p.lane, p.member_id, p.seq) ORDER BY e.entry),
    ARRAY(SELECT p.moves[n]::smallint FROM generate_series(1, cardinality(p.moves), 2) AS n),
    p.move_lots,
    ARRAY(SELECT p.moves[n] FROM generate_series(2, cardinality(p.moves), 2) AS n),
    p.document, p.texts
FROM postings_by_number AS p;

DROP VIEW entries;
DROP VIEW lot_moves;
DROP TABLE postings_by_number;

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

SELECT perennial_grant('SELECT, INSERT', 'TABLE postings');
SELECT perennial_grant('UPDATE (texts)', 'TABLE postings');
SELECT perennial_grant('SELECT', 'TABLE entries');
SELECT perennial_grant('SELECT', 'TABLE lot_moves');
