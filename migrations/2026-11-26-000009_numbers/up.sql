-- squawk-ignore-file ban-drop-table, ban-drop-view, renaming-table, renaming-object
-- No process of the version before may work meanwhile: it would not know the new columns.
-- Entries and movements as one array of numbers each. The table is written anew, so that the new columns stand where
-- the old ones stood and nothing of those is left in the rows.
DROP VIEW entries;
DROP VIEW lot_moves;

ALTER TABLE postings RENAME TO postings_by_column;
ALTER TABLE postings_by_column RENAME CONSTRAINT postings_pk TO postings_by_column_pk;

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
    entries bigint [] NOT NULL,
    move_lots bigint [] NOT NULL,
    moves bigint [] NOT NULL,
    document text NOT NULL,
    texts text,
    CONSTRAINT postings_pk PRIMARY KEY (lane, member_id, seq),
    CONSTRAINT postings_seq_check CHECK (seq >= 1),
    CONSTRAINT postings_hash_check CHECK (octet_length(hash) = 16)
);
COMMENT ON TABLE postings IS 'Append-only: everything that one command did to one member. Entries and movements over lots are numbers, for people in the views entries and lot_moves; texts alone may be blanked. Written by loyalty/ledger/save.';
COMMENT ON COLUMN postings.entries IS 'Six numbers an entry: kind, wallet slot, points with the sign of the kind, what could be spent after it, when it is available in microseconds since 1970, its last day counted from 0001-01-01. 9223372036854775807: at no time.';
COMMENT ON COLUMN postings.move_lots IS 'The lot of each movement.';
COMMENT ON COLUMN postings.moves IS 'Two more numbers of each movement: the place of its entry from 0, points with the sign of the entry.';

INSERT INTO postings
SELECT p.lane, p.member_id, p.seq, p.reference, p.kind, p.hash, p.effective_at, p.recorded_at, p.version, p.cause, p.imported, p.paid,
    p.currency, p.items, p.orders,
    ARRAY(
        SELECT n.number
        FROM unnest(p.entry_kinds, p.entry_wallets, p.entry_points, p.entry_after, p.entry_available_at, p.entry_expires_on)
        WITH ORDINALITY AS e (kind, wallet, points, after, available_at, expires_on, entry)
        CROSS JOIN LATERAL unnest(ARRAY[
            e.kind, e.wallet, e.points, e.after,
            coalesce((extract(EPOCH FROM e.available_at) * 1000000)::bigint, 9223372036854775807),
            coalesce(e.expires_on - '0001-01-01'::date + 1, 9223372036854775807)
        ]) WITH ORDINALITY AS n (number, place)
        ORDER BY e.entry, n.place
    ),
    p.move_lots,
    ARRAY(
        SELECT n.number
        FROM unnest(p.move_entries, p.move_points) WITH ORDINALITY AS m (entry, points, move)
        CROSS JOIN LATERAL unnest(ARRAY[m.entry, m.points]) WITH ORDINALITY AS n (number, place)
        ORDER BY m.move, n.place
    ),
    p.document, p.texts
FROM postings_by_column AS p;

DROP TABLE postings_by_column;

CREATE VIEW entries AS
SELECT p.lane, p.member_id, p.seq, (e.first / 6)::smallint AS entry, p.reference, p.effective_at, p.recorded_at,
    p.entries[e.first]::smallint AS kind, p.entries[e.first + 1]::smallint AS wallet, p.entries[e.first + 2] AS points,
    p.entries[e.first + 3] AS after,
    '1970-01-01T00:00:00Z'::timestamptz + nullif(p.entries[e.first + 4], 9223372036854775807) * interval '1 microsecond' AS available_at,
    '0001-01-01'::date + (nullif(p.entries[e.first + 5], 9223372036854775807) - 1)::integer AS expires_on
FROM postings AS p
CROSS JOIN LATERAL generate_series(1, cardinality(p.entries), 6) AS e (first);
COMMENT ON VIEW entries IS 'Each entry of each posting as a row, for whoever reads with SQL.';

CREATE VIEW lot_moves AS
SELECT p.lane, p.member_id, p.seq, p.moves[2 * m.move - 1]::smallint AS entry, m.lot, p.moves[2 * m.move] AS points
FROM postings AS p
CROSS JOIN LATERAL unnest(p.move_lots) WITH ORDINALITY AS m (lot, move);
COMMENT ON VIEW lot_moves IS 'Each movement over a lot as a row.';

SELECT perennial_grant('SELECT, INSERT', 'TABLE postings');
SELECT perennial_grant('UPDATE (texts)', 'TABLE postings');
SELECT perennial_grant('SELECT', 'TABLE entries');
SELECT perennial_grant('SELECT', 'TABLE lot_moves');
