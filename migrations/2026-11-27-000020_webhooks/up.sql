CREATE TABLE webhooks (
    program_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    url text NOT NULL,
    events text [] NOT NULL,
    enabled boolean NOT NULL,
    secret bytea NOT NULL,
    old_secret bytea,
    old_secret_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT webhooks_pkey PRIMARY KEY (program_id, webhook_id),
    CONSTRAINT webhooks_program_id_fkey FOREIGN KEY (program_id) REFERENCES programs (program_id),
    CONSTRAINT webhooks_url_length CHECK (char_length(url) <= 2000),
    CONSTRAINT webhooks_secret_length CHECK (octet_length(secret) = 32 AND octet_length(old_secret) = 32),
    CONSTRAINT webhooks_old_secret_whole CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
);
COMMENT ON TABLE webhooks IS 'Who is told of what happens. Written by platform/webhooks.';
COMMENT ON COLUMN webhooks.events IS 'Of which types; empty: of all.';
COMMENT ON COLUMN webhooks.secret IS 'What deliveries are signed with: it has to be there as it is.';
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE webhooks');

CREATE TABLE webhook_deliveries (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    event smallint NOT NULL,
    webhook_id uuid NOT NULL,
    program_id uuid NOT NULL,
    type text NOT NULL,
    payload text NOT NULL,
    created_at timestamptz NOT NULL,
    status smallint NOT NULL,
    tries integer NOT NULL,
    next_at timestamptz NOT NULL,
    answered smallint,
    trouble text,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (lane, member_id, seq, event, webhook_id),
    CONSTRAINT webhook_deliveries_status_check CHECK (status BETWEEN 0 AND 2),
    CONSTRAINT webhook_deliveries_tries_check CHECK (tries >= 0),
    CONSTRAINT webhook_deliveries_trouble_length CHECK (char_length(trouble) <= 200)
);
COMMENT ON TABLE webhook_deliveries IS 'What was told to whom, or waits to be: kept for a while. Written by platform/webhooks.';
COMMENT ON COLUMN webhook_deliveries.event IS 'Which of the events of the posting, from 0.';
COMMENT ON COLUMN webhook_deliveries.status IS '0 waits, 1 was delivered, 2 was given up.';
COMMENT ON COLUMN webhook_deliveries.next_at IS 'When it is tried next; of one that was delivered or given up, when that was.';
COMMENT ON COLUMN webhook_deliveries.answered IS 'The last HTTP status, if there was an answer.';
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, next_at) WHERE status = 0;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, created_at);
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE webhook_deliveries');
