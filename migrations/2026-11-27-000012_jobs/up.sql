CREATE TABLE jobs (
    program_id uuid NOT NULL,
    job_id uuid NOT NULL,
    kind text NOT NULL,
    request text NOT NULL,
    status smallint NOT NULL,
    tries smallint NOT NULL,
    done bigint NOT NULL,
    total bigint NOT NULL,
    outcome text,
    principal text NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    beat_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT jobs_pk PRIMARY KEY (program_id, job_id),
    CONSTRAINT jobs_kind_shape CHECK (kind ~ '^[a-z_]+$' AND char_length(kind) <= 64),
    CONSTRAINT jobs_status_check CHECK (status BETWEEN 1 AND 5),
    CONSTRAINT jobs_running_check CHECK ((status = 2) <= (beat_at IS NOT NULL)),
    CONSTRAINT jobs_ended_check CHECK ((status >= 3) = (ended_at IS NOT NULL)),
    CONSTRAINT jobs_outcome_is_json CHECK (coalesce(outcome, '{}')::json IS NOT NULL)
);
COMMENT ON TABLE jobs IS 'Long work that somebody asked for and comes back to. Written by platform/jobs, which also deletes what ended long ago.';
COMMENT ON COLUMN jobs.kind IS 'What is done, such as preview.';
COMMENT ON COLUMN jobs.request IS 'What it is done on: JSON, as the work itself reads it.';
COMMENT ON COLUMN jobs.status IS '1 waiting, 2 running, 3 done, 4 failed, 5 cancelled.';
COMMENT ON COLUMN jobs.tries IS 'How often a process took it. Who was overtaken by another no longer writes.';
COMMENT ON COLUMN jobs.done IS 'How much of total is done, in units of the work''s own.';
COMMENT ON COLUMN jobs.outcome IS 'JSON: the result of what is done, the problem of what failed.';
COMMENT ON COLUMN jobs.beat_at IS 'When the process that runs it said that it still does; long ago: it is gone, and another may take it.';
CREATE INDEX jobs_open ON jobs (created_at) WHERE ended_at IS NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
SELECT perennial_grant('SELECT, INSERT, UPDATE, DELETE', 'TABLE jobs');
