CREATE TABLE reviews (
    program_id uuid NOT NULL,
    lane smallint NOT NULL,
    version integer NOT NULL,
    reviewed_to uuid,
    CONSTRAINT reviews_pk PRIMARY KEY (lane, program_id),
    CONSTRAINT reviews_version_check CHECK (version >= 1)
);
COMMENT ON TABLE reviews IS 'Up to which version the tiers of a lane''s members are written down, and, while the next is looked at, after which member; work done, never a truth. Written by loyalty/ledger/reviews.';
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE reviews');
