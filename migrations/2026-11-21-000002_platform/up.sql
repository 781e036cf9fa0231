-- Who may come in, and who did what.

CREATE TABLE api_keys (
    key_id text NOT NULL,
    program_id uuid NOT NULL,
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    successor_id text,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_key_id_shape CHECK (key_id ~ '^[0-9a-f]{16}$'),
    CONSTRAINT api_keys_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT api_keys_scopes_length CHECK (char_length(scopes) BETWEEN 1 AND 1000),
    CONSTRAINT api_keys_secret_hash_length CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT api_keys_expires_after_created CHECK (expires_at >= created_at)
);
COMMENT ON TABLE api_keys IS 'Credentials of machines. Written by platform/auth. Rows are never deleted: audit_log and postings name their ids.';
COMMENT ON COLUMN api_keys.scopes IS 'Names of scopes in alphabetical order, separated by blanks.';
COMMENT ON COLUMN api_keys.secret_hash IS 'SHA-256 of the 32 bytes of the secret, which are stored nowhere.';
COMMENT ON COLUMN api_keys.expires_at IS 'First instant at which the key is refused; a rotation brings it forward to the end of the overlap.';
COMMENT ON COLUMN api_keys.last_used_at IS 'Recorded about once a minute.';
COMMENT ON COLUMN api_keys.successor_id IS 'The key that a rotation made of this one.';
CREATE INDEX api_keys_by_program ON api_keys (program_id, created_at, key_id);

CREATE TABLE audit_log (
    program_id uuid NOT NULL,
    audit_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    principal text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (program_id, audit_id),
    CONSTRAINT audit_log_action_shape CHECK (action ~ '^[a-z_]+\.[a-z_]+$' AND char_length(action) <= 64),
    CONSTRAINT audit_log_detail_is_json CHECK (detail::json IS NOT NULL)
);
COMMENT ON TABLE audit_log IS 'Who changed what, append-only. Written by platform/audit in the transaction of the change itself.';
COMMENT ON COLUMN audit_log.at IS 'Postgres''s clock at the start of the transaction.';
COMMENT ON COLUMN audit_log.action IS 'The room and what was done there, such as api_key.issued.';
COMMENT ON COLUMN audit_log.subject IS 'The id or code of what was changed.';
COMMENT ON COLUMN audit_log.detail IS 'A JSON object with what is worth knowing; never a secret.';
CREATE INDEX audit_log_by_time ON audit_log (program_id, at, audit_id);
CREATE INDEX audit_log_by_action ON audit_log (program_id, action, at, audit_id);
CREATE INDEX audit_log_by_principal ON audit_log (program_id, principal, at, audit_id);

SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE api_keys');
SELECT perennial_grant('SELECT, INSERT', 'TABLE audit_log');
