CREATE TABLE logins (
    lane smallint NOT NULL,
    member_id uuid NOT NULL,
    program_id uuid NOT NULL,
    password_hash text,
    failures integer NOT NULL,
    failed_at timestamptz,
    reset_hash bytea,
    reset_expires_at timestamptz,
    CONSTRAINT logins_pkey PRIMARY KEY (lane, member_id),
    CONSTRAINT logins_password_hash_shape CHECK (password_hash ~ '^\$argon2id\$' AND char_length(password_hash) <= 200),
    CONSTRAINT logins_failures_check CHECK (failures >= 0 AND (failures = 0) = (failed_at IS NULL)),
    CONSTRAINT logins_reset_hash_length CHECK (octet_length(reset_hash) = 32),
    CONSTRAINT logins_reset_whole CHECK ((reset_hash IS NULL) = (reset_expires_at IS NULL))
);
COMMENT ON TABLE logins IS 'By what members sign in themselves. Written by platform/auth.';
COMMENT ON COLUMN logins.password_hash IS 'Argon2id as a PHC string, with its salt and cost. NULL: no password yet.';
COMMENT ON COLUMN logins.failures IS 'Wrong passwords since the last good one; after some of them nobody comes in for a while, which grows.';
COMMENT ON COLUMN logins.reset_hash IS 'SHA-256 of the 32 bytes of the one reset token that is good, which are stored nowhere.';
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE logins');
