CREATE TABLE days (
    lane smallint NOT NULL,
    program_id uuid NOT NULL,
    done_through date NOT NULL,
    next_member uuid,
    CONSTRAINT days_pk PRIMARY KEY (lane, program_id)
);
COMMENT ON TABLE days IS 'Through which local day the birthdays and anniversaries of a lane''s members were looked at, and, of the next day, after which member to go on; work done, never a truth. Written by loyalty/membership/days.';
SELECT perennial_grant('SELECT, INSERT, UPDATE', 'TABLE days');
