-- The role itself stays: other databases of the cluster may use it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'perennial_app') THEN
        REVOKE ALL ON TABLE __diesel_schema_migrations FROM perennial_app;
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM perennial_app', current_schema());
    END IF;
END
$$;
DROP FUNCTION perennial_grant (text, text);
