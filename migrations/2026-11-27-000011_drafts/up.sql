CREATE TABLE program_drafts (
    program_id uuid NOT NULL,
    revision integer NOT NULL,
    based_on integer NOT NULL,
    document text,
    author text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT program_drafts_pk PRIMARY KEY (program_id),
    CONSTRAINT program_drafts_program_fk FOREIGN KEY (program_id) REFERENCES programs (program_id),
    CONSTRAINT program_drafts_revision_check CHECK (revision >= 1)
);
COMMENT ON TABLE program_drafts IS 'What is being written for the next version of each programme. Written by loyalty/program.';
COMMENT ON COLUMN program_drafts.revision IS 'Grows with each change, for ever: what an editor has seen is never taken for another draft.';
COMMENT ON COLUMN program_drafts.based_on IS 'The version that it changes.';
COMMENT ON COLUMN program_drafts.document IS 'JSON as it was sent, mistakes and all. NULL: there is no draft.';
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE program_drafts');
