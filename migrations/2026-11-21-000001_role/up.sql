-- The application's role: `serve` works under it (SET ROLE), so that append-only tables are append-only for it.
-- A role belongs to the cluster, not to this database: another database, or another process, may have made it already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'perennial_app') THEN
        CREATE ROLE perennial_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role perennial_app was not created: %. /v1/integrity will say so.', SQLERRM;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'perennial_app') THEN
        GRANT perennial_app TO CURRENT_USER;
    END IF;
EXCEPTION
    WHEN unique_violation THEN
        NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'role perennial_app was not granted: %. /v1/integrity will say so.', SQLERRM;
END
$$;

-- Grants privileges to the application's role, or does nothing where the provider forbade that role.
-- Later migrations use it instead of GRANT: perennial_grant('SELECT, INSERT', 'TABLE journal').
CREATE FUNCTION perennial_grant(privileges text, target text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'perennial_app') THEN
        EXECUTE format('GRANT %s ON %s TO perennial_app', privileges, target);
    END IF;
END
$$;
COMMENT ON FUNCTION perennial_grant (text, text) IS 'Used by migrations only; runs with the rights of its caller.';

SELECT perennial_grant('USAGE', 'SCHEMA ' || quote_ident(current_schema()));
SELECT perennial_grant('SELECT', 'TABLE __diesel_schema_migrations');
