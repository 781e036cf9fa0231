//! The rules, each with a query for what breaks it, and with something that does.

/// One rule of the schema.
pub struct Law {
    /// What is not allowed, and why or what instead.
    pub rule: &'static str,
    /// A query with one column, `line`, that names each offender.
    pub offenders: &'static str,
    /// Statements that make one offender each.
    pub offences: &'static [&'static str],
}

/// Tables (`t`) of the schema, diesel's own left out.
macro_rules! tables {
    () => {
        "pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema() \
         AND t.relkind IN ('r', 'p') AND t.relname !~ '^__' "
    };
}

/// The columns (`a`) of the tables.
macro_rules! columns {
    () => {
        concat!(tables!(), "JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped ")
    };
}

/// The rules.
pub const LAWS: &[Law] = &[
    Law {
        rule: "lane, member_id lead the key, else lane, else program_id, so that one member's rows sit together",
        offenders: concat!(
            "WITH keys AS (SELECT t.relname AS name, \
                ARRAY(SELECT a.attname::text FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum > 0 \
                    AND NOT a.attisdropped) AS columns, \
                ARRAY(SELECT a.attname::text FROM pg_index AS i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, at) \
                    JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum \
                    WHERE i.indrelid = t.oid AND i.indisprimary ORDER BY k.at) AS key FROM ",
            tables!(),
            ") SELECT name || ' (' || array_to_string(key, ', ') || ')' AS line FROM keys WHERE CASE \
                WHEN name = 'due' THEN key[1] <> 'lane' \
                WHEN name = 'directory' THEN key[1] <> 'program_id' \
                WHEN name = 'followers' THEN key <> ARRAY['follower', 'lane'] \
                WHEN name = 'api_keys' THEN key <> ARRAY['key_id'] \
                WHEN 'member_id' = ANY (columns) THEN key[1:2] <> ARRAY['lane', 'member_id'] \
                WHEN 'lane' = ANY (columns) THEN key[1] <> 'lane' \
                ELSE key[1] <> 'program_id' END IS NOT FALSE"
        ),
        offences: &[
            "CREATE TABLE bad (lane smallint, member_id uuid, PRIMARY KEY (member_id, lane))",
            "CREATE TABLE bad (lane smallint, number bigint, PRIMARY KEY (number))",
            "CREATE TABLE bad (id bigint PRIMARY KEY)",
            "CREATE TABLE bad (program_id uuid)",
        ],
    },
    Law {
        rule: "what is unique in a sharded table contains its lane",
        offenders: concat!(
            "SELECT i.indexrelid::regclass::text AS line FROM ",
            columns!(),
            "JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisunique \
             WHERE a.attname = 'lane' AND t.relname <> 'directory' AND NOT a.attnum = ANY (i.indkey)"
        ),
        offences: &["CREATE UNIQUE INDEX bad ON members (email)"],
    },
    Law {
        rule: "the tables of every order have no index but their key, save of rows that no ordinary order is in: each costs a tenth of an order",
        offenders: concat!(
            "SELECT i.indexrelid::regclass::text AS line FROM ",
            tables!(),
            "JOIN pg_index AS i ON i.indrelid = t.oid AND NOT i.indisprimary \
             WHERE i.indpred IS NULL AND t.relname IN ('lanes', 'accounts', 'postings', 'journal', 'directory', 'counters')"
        ),
        offences: &["CREATE INDEX bad ON postings (lane, reference)"],
    },
    Law {
        rule: "a foreign key stays within its shard: it contains the lane, or no lane is involved",
        offenders: concat!(
            "SELECT c.conname || ' of ' || t.relname AS line FROM ",
            columns!(),
            "JOIN pg_constraint AS c ON c.conrelid = t.oid AND c.contype = 'f' WHERE a.attname = 'lane' AND NOT a.attnum = ANY (c.conkey)"
        ),
        offences: &[
            "ALTER TABLE accounts ADD CONSTRAINT bad FOREIGN KEY (program_id) REFERENCES programs (program_id)",
        ],
    },
    Law {
        rule: "times are timestamptz: any other kind has no zone, or no day",
        offenders: concat!(
            "SELECT t.relname || '.' || a.attname AS line FROM ",
            columns!(),
            "WHERE a.atttypid IN ('timestamp'::regtype, 'timestamp[]'::regtype, 'time'::regtype, 'time[]'::regtype, \
             'timetz'::regtype, 'timetz[]'::regtype)"
        ),
        offences: &["ALTER TABLE members ADD at timestamp", "ALTER TABLE members ADD at time []"],
    },
    Law {
        rule: "points are bigint",
        offenders: concat!(
            "SELECT t.relname || '.' || a.attname AS line FROM ",
            columns!(),
            "WHERE a.attname ~ '(^|_)(points|figures|remaining|after|balance)$|^used(_max)?$' \
             AND a.atttypid NOT IN ('bigint'::regtype, 'bigint[]'::regtype)"
        ),
        offences: &["ALTER TABLE accounts ADD points integer", "ALTER TABLE members ADD lot_points numeric []"],
    },
    Law {
        rule: "what is left of points has a CHECK where it is state, so that no program can make it negative",
        offenders: concat!(
            "SELECT t.relname || '.' || a.attname AS line FROM ",
            columns!(),
            "WHERE a.atttypid IN ('bigint'::regtype, 'bigint[]'::regtype) \
             AND a.attname ~ '(^|_)(points|figures|remaining|balance)$|^used$' AND t.relname <> 'postings' \
             AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = t.oid AND c.contype = 'c' AND a.attnum = ANY (c.conkey))"
        ),
        offences: &[
            "ALTER TABLE accounts ADD points bigint",
            "ALTER TABLE accounts DROP CONSTRAINT accounts_figures_check",
        ],
    },
    Law {
        rule: "money is numeric, beside its currency; no figure is a float",
        offenders: concat!(
            "SELECT t.relname || '.' || a.attname AS line FROM ",
            columns!(),
            "WHERE a.atttypid IN ('real'::regtype, 'real[]'::regtype, 'float8'::regtype, 'float8[]'::regtype, 'money'::regtype) \
             OR a.atttypid IN ('numeric'::regtype, 'numeric[]'::regtype) AND NOT EXISTS (SELECT FROM pg_attribute AS c \
                WHERE c.attrelid = t.oid AND c.attname = 'currency' AND c.attnotnull)"
        ),
        offences: &["ALTER TABLE accounts ADD share real", "ALTER TABLE counters ADD paid numeric(20, 4)"],
    },
    Law {
        rule: "no trigger and no rule: what is written stands in the statement",
        offenders: concat!(
            "SELECT g.tgname || ' of ' || t.relname AS line FROM ",
            tables!(),
            "JOIN pg_trigger AS g ON g.tgrelid = t.oid AND NOT g.tgisinternal \
             UNION ALL SELECT r.rulename || ' of ' || t.relname FROM ",
            tables!(),
            "JOIN pg_rewrite AS r ON r.ev_class = t.oid"
        ),
        offences: &[
            "CREATE TRIGGER bad BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "CREATE RULE bad AS ON DELETE TO members DO INSTEAD NOTHING",
        ],
    },
    Law {
        rule: "no sequence, identity or serial: ids come in as values",
        offenders: "SELECT c.oid::regclass::text AS line FROM pg_class AS c \
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'",
        offences: &[
            "CREATE TABLE bad (program_id uuid PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY)",
            "ALTER TABLE accounts ADD n bigserial",
        ],
    },
    Law {
        rule: "no volatile default, and on a sharded table none at all",
        offenders: concat!(
            "SELECT t.relname || '.' || a.attname AS line FROM ",
            columns!(),
            "JOIN pg_attrdef AS d ON d.adrelid = t.oid AND d.adnum = a.attnum \
             WHERE EXISTS (SELECT FROM pg_attribute AS l WHERE l.attrelid = t.oid AND l.attname = 'lane') \
             OR EXISTS (SELECT FROM regexp_matches(d.adbin::text, ':funcid (\\d+)', 'g') AS f (id) \
                JOIN pg_proc AS p ON p.oid = f.id[1]::oid WHERE p.provolatile = 'v')"
        ),
        offences: &[
            "ALTER TABLE api_keys ALTER created_at SET DEFAULT clock_timestamp()",
            "ALTER TABLE accounts ALTER status SET DEFAULT 1",
        ],
    },
    Law {
        rule: "tables and views have a comment",
        offenders: "SELECT c.relname::text AS line FROM pg_class AS c WHERE c.relnamespace = current_schema()::regnamespace \
            AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname !~ '^__' AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''",
        offences: &["CREATE VIEW bad AS SELECT 1 AS one", "COMMENT ON TABLE accounts IS NULL"],
    },
    Law {
        rule: "what is append-only is so for the application; texts alone may be blanked",
        offenders: concat!(
            "SELECT t.relname || ': ' || p.privilege AS line FROM ",
            tables!(),
            "CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS p (privilege) \
             WHERE t.relname IN ('postings', 'journal', 'audit_log', 'program_versions', 'program_wallets') \
             AND has_table_privilege('perennial_app', t.oid, p.privilege) \
             UNION ALL SELECT t.relname || '.' || a.attname FROM ",
            columns!(),
            "WHERE t.relname IN ('postings', 'journal', 'audit_log', 'program_versions', 'program_wallets') \
             AND NOT (t.relname = 'postings' AND a.attname = 'texts') \
             AND NOT has_table_privilege('perennial_app', t.oid, 'UPDATE') \
             AND has_column_privilege('perennial_app', t.oid, a.attnum, 'UPDATE')"
        ),
        offences: &[
            "GRANT UPDATE ON postings TO perennial_app",
            "GRANT DELETE ON journal TO PUBLIC",
            "GRANT TRUNCATE ON audit_log TO perennial_app",
            "GRANT UPDATE (document) ON postings TO perennial_app",
        ],
    },
    Law {
        rule: "the application empties no table, hangs nothing on one, and can read all",
        offenders: "SELECT c.relname || ': ' || p.privilege AS line FROM pg_class AS c \
            CROSS JOIN unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'SELECT']) AS p (privilege) \
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') \
            AND has_table_privilege('perennial_app', c.oid, p.privilege) <> (p.privilege = 'SELECT')",
        offences: &["GRANT TRUNCATE ON due TO perennial_app", "REVOKE SELECT ON lots FROM perennial_app"],
    },
    Law {
        rule: "the application's role makes nothing, owns nothing, and cannot become more",
        offenders: "SELECT 'it may create in ' || n.nspname AS line FROM pg_namespace AS n \
            WHERE n.nspname = current_schema() AND has_schema_privilege('perennial_app', n.oid, 'CREATE') \
            UNION ALL SELECT 'it may create schemas' WHERE has_database_privilege('perennial_app', current_database(), 'CREATE') \
            UNION ALL SELECT 'it owns ' || c.relname FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner \
            WHERE r.rolname = 'perennial_app' \
            UNION ALL SELECT 'it has attributes' FROM pg_roles WHERE rolname = 'perennial_app' \
            AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication OR rolcanlogin) \
            UNION ALL SELECT 'it is a member of ' || m.roleid::regrole FROM pg_auth_members AS m \
            WHERE m.member = 'perennial_app'::regrole",
        offences: &[
            "GRANT CREATE ON SCHEMA public TO perennial_app",
            "ALTER VIEW lots OWNER TO perennial_app",
            "GRANT pg_read_all_data TO perennial_app",
        ],
    },
];
