//! Where the database is: a secret.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;

use super::error::DbError;

/// How long one attempt to connect may take, in seconds, unless the URL says otherwise.
const CONNECT_TIMEOUT_S: u64 = 10;

/// A parsed connection string; may hold a password, so nothing of it is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Config);

impl DatabaseUrl {
    /// A database reached through the Unix socket in `directory`, as `user`, without a password.
    pub fn socket(directory: &Path, user: &str, database: &str) -> Self {
        let mut config = Config::new();
        config.host_path(directory).user(user).dbname(database);
        Self(named(config))
    }

    /// Another database of the same server, with the same credentials.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        let mut config = self.0.clone();
        config.dbname(database);
        Self(config)
    }

    /// The name of the database, where the URL has one.
    pub fn database(&self) -> Option<&str> {
        self.0.get_dbname()
    }

    /// For opening a connection, nothing else.
    pub(super) fn config(&self) -> &Config {
        &self.0
    }
}

fn named(mut config: Config) -> Config {
    if config.get_application_name().is_none() {
        config.application_name("perennial");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S));
    }
    config
}

impl FromStr for DatabaseUrl {
    type Err = DbError;

    /// Reads `postgres://user:password@host:port/database`, or `key=value` pairs.
    fn from_str(text: &str) -> Result<Self, DbError> {
        // The parser's own message may quote a part of the text, hence of a password: it is dropped.
        let config: Config = text.trim().parse().map_err(|_| DbError::Url)?;
        if config.get_hosts().is_empty() {
            return Err(DbError::Url);
        }
        Ok(Self(named(config)))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_url_is_printed() {
        let url: DatabaseUrl = "postgres://ana:s3cret@db.example/shop".parse().unwrap();
        assert_eq!(format!("{url:?}"), "DatabaseUrl(hidden)");
        let error = "postgres://ana:p@h/shop?s3cret=1".parse::<DatabaseUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("cret"));
    }

    #[test]
    fn a_url_without_a_host_is_refused() {
        assert!(matches!("".parse::<DatabaseUrl>(), Err(DbError::Url)));
        assert!(matches!("shop".parse::<DatabaseUrl>(), Err(DbError::Url)));
    }

    #[test]
    fn another_database_keeps_the_server() {
        let url: DatabaseUrl = "postgres://ana@db.example/shop".parse().unwrap();
        assert_eq!(url.with_database("other").database(), Some("other"));
    }
}
