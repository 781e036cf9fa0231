CREATE TABLE programs (
    program_id uuid NOT NULL,
    code text NOT NULL,
    currency text NOT NULL,
    timezone text NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT programs_pk PRIMARY KEY (program_id),
    CONSTRAINT programs_code_unique UNIQUE (code),
    CONSTRAINT programs_version_check CHECK (version >= 1)
);
COMMENT ON TABLE programs IS 'One row a tenant, with the number of its newest version. Written by loyalty/program.';

CREATE TABLE program_versions (
    program_id uuid NOT NULL,
    version integer NOT NULL,
    starts timestamptz NOT NULL,
    document text NOT NULL,
    author text NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT program_versions_pk PRIMARY KEY (program_id, version),
    CONSTRAINT program_versions_program_fk FOREIGN KEY (program_id) REFERENCES programs (program_id)
);
COMMENT ON TABLE program_versions IS 'The published versions of each programme''s document, never changed. Written by loyalty/program.';

CREATE TABLE program_wallets (
    program_id uuid NOT NULL,
    code text NOT NULL,
    slot smallint NOT NULL,
    CONSTRAINT program_wallets_pk PRIMARY KEY (program_id, code),
    CONSTRAINT program_wallets_slot_unique UNIQUE (program_id, slot),
    CONSTRAINT program_wallets_slot_check CHECK (slot BETWEEN 0 AND 7),
    CONSTRAINT program_wallets_program_fk FOREIGN KEY (program_id) REFERENCES programs (program_id)
);
COMMENT ON TABLE program_wallets IS 'Where a wallet''s figures stand in accounts; kept for ever. Written by loyalty/program.';

SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE programs');
SELECT perennial_grant('SELECT, INSERT', 'TABLE program_versions');
SELECT perennial_grant('SELECT, INSERT', 'TABLE program_wallets');
