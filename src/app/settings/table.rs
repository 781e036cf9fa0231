//! All settings: the one list that the reader, the error messages and README's table come from.

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: &'static str,
    /// What holds when it is not set: the value itself, or, in brackets, a description of it.
    pub default: &'static str,
    /// What is accepted.
    pub expected: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether its value is never shown.
    pub secret: bool,
}

impl Setting {
    /// Its key in the file: `PERENNIAL_LOG_FORMAT` is `log_format` there.
    pub fn key(&self) -> String {
        self.name.trim_start_matches("PERENNIAL_").to_ascii_lowercase()
    }
}

/// Where the file is; it can't say so itself.
pub const CONFIG: Setting = Setting {
    name: "PERENNIAL_CONFIG",
    default: "(none)",
    expected: "a readable TOML file of the settings below, each by its lower-case name without PERENNIAL_",
    purpose: "a file with settings; the environment goes before it",
    secret: false,
};
/// The operator's database.
pub const DATABASE_URL: Setting = Setting {
    name: "DATABASE_URL",
    default: "(a private Postgres in PERENNIAL_HOME)",
    expected: "postgres://user:password@host:port/database",
    purpose: "the database, Postgres 15 or later",
    secret: true,
};
/// The private cluster's place.
pub const HOME: Setting = Setting {
    name: "PERENNIAL_HOME",
    default: "($XDG_DATA_HOME/perennial or ~/.local/share/perennial, as root /var/lib/perennial)",
    expected: "an absolute path",
    purpose: "the directory of the private Postgres",
    secret: false,
};
/// The private cluster's programs.
pub const PG_BIN: Setting = Setting {
    name: "PG_BIN",
    default: "(the newest that is found)",
    expected: "a directory with postgres, initdb and pg_ctl",
    purpose: "the server programs of the private Postgres",
    secret: false,
};
/// The keys of members' tokens.
pub const TOKEN_KEYS: Setting = Setting {
    name: "PERENNIAL_TOKEN_KEYS",
    default: "(token-keys in PERENNIAL_HOME)",
    expected: "an absolute path",
    purpose: "the directory of the keys that members' access tokens are signed with, one for all processes",
    secret: false,
};
/// The API's address.
pub const LISTEN: Setting = Setting {
    name: "PERENNIAL_LISTEN",
    default: "127.0.0.1:8080",
    expected: "address:port, such as 0.0.0.0:8080",
    purpose: "where the API is answered",
    secret: false,
};
/// What is logged.
pub const LOG: Setting = Setting {
    name: "PERENNIAL_LOG",
    default: "info,actix_server=warn",
    expected: "a level or filter, such as info or perennial=debug,warn",
    purpose: "what is logged",
    secret: false,
};
/// How it is logged.
pub const LOG_FORMAT: Setting = Setting {
    name: "PERENNIAL_LOG_FORMAT",
    default: "text",
    expected: "text or json",
    purpose: "how it is logged",
    secret: false,
};
/// Lanes of a new database.
pub const LANES: Setting = Setting {
    name: "PERENNIAL_LANES",
    default: "8",
    expected: "a number from 1 to 1024",
    purpose: "shares that members are spread over; only a database that is migrated for the first time asks",
    secret: false,
};
/// The pool's size.
pub const POOL_SIZE: Setting = Setting {
    name: "PERENNIAL_POOL_SIZE",
    default: "16",
    expected: "a number from 1 to 1000",
    purpose: "database connections for short statements",
    secret: false,
};
/// Writers of postings.
pub const WRITERS: Setting = Setting {
    name: "PERENNIAL_WRITERS",
    default: "(the number of cores, at most PERENNIAL_LANES)",
    expected: "a number from 1 to 256",
    purpose: "database connections that write postings",
    secret: false,
};
/// How often a credential may call.
pub const RATE_PER_S: Setting = Setting {
    name: "PERENNIAL_RATE_PER_S",
    default: "2000",
    expected: "a number from 0 to 1000000",
    purpose: "requests that one API key may send a second, twice as many after a quiet one; 0 is no limit",
    secret: false,
};
/// Proxies before the server.
pub const PROXIES: Setting = Setting {
    name: "PERENNIAL_PROXIES",
    default: "0",
    expected: "a number from 0 to 10",
    purpose: "proxies of yours before the server, each of which adds to X-Forwarded-For: tries to sign in are limited by address",
    secret: false,
};
/// Where webhooks may lead.
pub const WEBHOOKS: Setting = Setting {
    name: "PERENNIAL_WEBHOOKS",
    default: "public",
    expected: "public or loopback",
    purpose: "where webhooks may lead: to public addresses over https, or, for development, to this machine as well",
    secret: false,
};
/// Patience at the end.
pub const SHUTDOWN_S: Setting = Setting {
    name: "PERENNIAL_SHUTDOWN_S",
    default: "30",
    expected: "seconds, from 0 to 3600",
    purpose: "how long accepted requests may take after a signal to stop",
    secret: false,
};

/// All of them, in the order of README's table.
pub const SETTINGS: &[Setting] = &[
    DATABASE_URL,
    HOME,
    PG_BIN,
    TOKEN_KEYS,
    CONFIG,
    LISTEN,
    LOG,
    LOG_FORMAT,
    LANES,
    POOL_SIZE,
    WRITERS,
    RATE_PER_S,
    PROXIES,
    WEBHOOKS,
    SHUTDOWN_S,
];
