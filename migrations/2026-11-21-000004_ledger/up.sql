CREATE TABLE lanes (
    lane smallint NOT NULL,
    head bigint NOT NULL,
    digest bytea NOT NULL,
    moment timestamptz NOT NULL,
    CONSTRAINT lanes_pk PRIMARY KEY (lane),
    CONSTRAINT lanes_head_check CHECK (lane >= 0 AND head >= 0)
) WITH (fillfactor = 10);
COMMENT ON TABLE lanes IS 'One row a lane: its lock, the head of its journal, its last moment. Their number is fixed when the database is created. Written by loyalty/ledger/save.';

INSERT INTO lanes (lane, head, digest, moment)
SELECT lane, 0, '\x', '1970-01-01T00:00:00Z'
FROM generate_series(0, current_setting('perennial.lanes')::integer - 1) AS lane;

CREATE TABLE accounts (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    program_id uuid NOT NULL,
    status smallint NOT NULL,
    seq bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    changes_at timestamptz,
    enrolled_on date NOT NULL,
    decided_by integer NOT NULL,
    order_count integer NOT NULL,
    last_order_on date,
    figures bigint [] NOT NULL,
    expires_on date [] NOT NULL,
    lot_ids bigint [] NOT NULL,
    lot_wallets smallint [] NOT NULL,
    lot_remaining bigint [] NOT NULL,
    lot_available_at timestamptz [] NOT NULL,
    lot_expires_on date [] NOT NULL,
    CONSTRAINT accounts_pk PRIMARY KEY (lane, member_id),
    CONSTRAINT accounts_figures_check CHECK (0 <= ALL (figures)),
    CONSTRAINT accounts_lots_check CHECK (0 < ALL (lot_remaining)),
    CONSTRAINT accounts_seq_check CHECK (seq >= 1 AND order_count >= 0)
) WITH (fillfactor = 50);
COMMENT ON TABLE accounts IS 'One row a member: figures by wallet slot (spendable, held, pending, debt, earned, reversed, spent, expired) and the open lots, soonest-expiring first; a fold of postings. 9999-12-31 is a lot that ends by inactivity. Written by loyalty/ledger/save.';

CREATE TABLE members (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    external_id text,
    email text,
    phone text,
    card text,
    name text,
    birthday date,
    locale text,
    attributes text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT members_pk PRIMARY KEY (lane, member_id)
);
COMMENT ON TABLE members IS 'The profile of each member: all personal data but the directory''s. Written by loyalty/ledger/save.';

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

CREATE TABLE journal (
    lane smallint NOT NULL,
    number bigint NOT NULL,
    moment timestamptz NOT NULL,
    members uuid [] NOT NULL,
    seqs bigint [] NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT journal_pk PRIMARY KEY (lane, number),
    CONSTRAINT journal_digest_check CHECK (octet_length(digest) = 32)
);
COMMENT ON TABLE journal IS 'Append-only: one row a commit and lane, gapless, with a digest over its postings that chains. Written by loyalty/ledger/save.';

CREATE TABLE directory (
    program_id uuid NOT NULL,
    kind smallint NOT NULL,
    value text COLLATE "C" NOT NULL,
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    CONSTRAINT directory_pk PRIMARY KEY (program_id, kind, value)
);
COMMENT ON TABLE directory IS 'What is unique in a programme: references (kind 1) and identities, with the member and posting that took it. Written by loyalty/ledger/save.';

CREATE TABLE counters (
    program_id uuid NOT NULL,
    rule text NOT NULL,
    period text NOT NULL,
    used bigint NOT NULL,
    used_max bigint,
    CONSTRAINT counters_pk PRIMARY KEY (program_id, rule, period),
    CONSTRAINT counters_used_check CHECK (used >= 0 AND (used_max IS NULL OR used <= used_max))
) WITH (fillfactor = 50);
COMMENT ON TABLE counters IS 'Stock and budgets by business period: how much is used, and of how much. Written by loyalty/ledger/save.';

CREATE TABLE due (
    lane smallint NOT NULL,
    day date NOT NULL,
    member_id uuid NOT NULL,
    CONSTRAINT due_pk PRIMARY KEY (lane, day, member_id)
);
COMMENT ON TABLE due IS 'On this UTC day something changes by itself for this member; a hint for jobs, never a truth. Written by loyalty/ledger/jobs.';

CREATE TABLE followers (
    follower text NOT NULL,
    lane smallint NOT NULL,
    number bigint NOT NULL,
    CONSTRAINT followers_pk PRIMARY KEY (follower, lane)
);
COMMENT ON TABLE followers IS 'How far each follower has read the journal of each lane. Written by platform/journal.';

SELECT perennial_grant('SELECT, UPDATE', 'TABLE lanes');
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE accounts');
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE members');
SELECT perennial_grant('SELECT, INSERT', 'TABLE postings');
SELECT perennial_grant('UPDATE (texts)', 'TABLE postings');
SELECT perennial_grant('SELECT, INSERT', 'TABLE journal');
SELECT perennial_grant('SELECT, INSERT, DELETE', 'TABLE directory');
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE counters');
SELECT perennial_grant('SELECT, INSERT, DELETE', 'TABLE due');
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE followers');
