CREATE TABLE sessions (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    session_id uuid NOT NULL,
    program_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (lane, member_id, session_id),
    CONSTRAINT sessions_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT sessions_times CHECK (refreshed_at >= created_at AND expires_at >= refreshed_at)
);
COMMENT ON TABLE sessions IS 'Where members are signed in: a row for each device. Written by platform/auth. A row that is gone is a session that is over, and with it all its tokens.';
COMMENT ON COLUMN sessions.secret_hash IS 'SHA-256 of the 32 bytes of the one refresh token that is good, which are stored nowhere.';
COMMENT ON COLUMN sessions.expires_at IS 'First instant at which it is over, unless it is refreshed before.';
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE sessions');
