//! Where the database is: a secret.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};

use super::error::DbError;

/// How long one address may take to answer at all, in seconds, unless the URL says otherwise.
const CONNECT_TIMEOUT_S: u64 = 4;
/// When a silent connection is asked whether its other end lives, in seconds; Linux would wait for two hours.
const KEEPALIVE_IDLE_S: u64 = 10;
/// Between two such questions, in seconds.
const KEEPALIVE_INTERVAL_S: u64 = 5;
/// After how many of them without an answer the other end is gone.
const KEEPALIVE_RETRIES: u32 = 3;
/// How long what was sent may stay without an acknowledgement, in seconds: a host without power says nothing.
const UNACKNOWLEDGED_MAX_S: u64 = 20;
/// What the driver takes for `keepalives_idle` when nobody says anything, in seconds.
const DRIVER_KEEPALIVE_IDLE_S: u64 = 2 * 60 * 60;

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

    /// For opening a connection, nothing else: one attempt for each host, in their order.
    pub(super) fn attempts(&self) -> Vec<Config> {
        let hosts = self.0.get_hosts();
        let plain = self.0.get_hostaddrs().is_empty() && self.0.get_load_balance_hosts() == LoadBalanceHosts::Disable;
        let ports = self.0.get_ports();
        if hosts.len() == 1 || !plain || ports.len() > 1 && ports.len() != hosts.len() {
            return vec![self.0.clone()];
        }
        let port = |n: usize| ports.get(n).or(ports.first()).copied();
        hosts.iter().enumerate().map(|(n, host)| self.of_host(host, port(n))).collect()
    }

    /// The same connection to one of the hosts: the driver's configuration cannot drop the others.
    fn of_host(&self, host: &Host, port: Option<u16>) -> Config {
        let (all, mut one) = (&self.0, Config::new());
        match host {
            Host::Tcp(name) => one.host(name),
            Host::Unix(path) => one.host_path(path),
        };
        port.map(|port| one.port(port));
        all.get_user().map(|user| one.user(user));
        all.get_password().map(|password| one.password(password));
        all.get_dbname().map(|name| one.dbname(name));
        all.get_options().map(|options| one.options(options));
        all.get_application_name().map(|name| one.application_name(name));
        all.get_connect_timeout().map(|limit| one.connect_timeout(*limit));
        all.get_tcp_user_timeout().map(|limit| one.tcp_user_timeout(*limit));
        all.get_keepalives_interval().map(|interval| one.keepalives_interval(interval));
        all.get_keepalives_retries().map(|retries| one.keepalives_retries(retries));
        one.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
        one.ssl_mode(all.get_ssl_mode()).ssl_negotiation(all.get_ssl_negotiation());
        one.channel_binding(all.get_channel_binding()).target_session_attrs(all.get_target_session_attrs());
        one
    }
}

fn named(mut config: Config) -> Config {
    if config.get_application_name().is_none() {
        config.application_name("perennial");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S));
    }
    if config.get_keepalives_idle() == Duration::from_secs(DRIVER_KEEPALIVE_IDLE_S) {
        config.keepalives_idle(Duration::from_secs(KEEPALIVE_IDLE_S));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(KEEPALIVE_INTERVAL_S));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(KEEPALIVE_RETRIES);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(UNACKNOWLEDGED_MAX_S));
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
    fn several_hosts_are_as_many_attempts_that_differ_in_nothing_else() {
        let text = "postgres://ana:s3cret@one,two:7/shop?target_session_attrs=read-write&connect_timeout=2\
            &keepalives_idle=9&options=-c%20work_mem%3D1MB&application_name=till&channel_binding=disable&sslmode=disable";
        let url: DatabaseUrl = text.parse().unwrap();
        let alone = |host: &str| text.replace("one,two:7", host).parse::<DatabaseUrl>().unwrap().0;
        assert_eq!(url.attempts(), [alone("one"), alone("two:7")]);
        let one: DatabaseUrl = "host=/run/postgresql port=7 user=ana".parse().unwrap();
        assert_eq!(one.attempts(), std::slice::from_ref(&one.0));
        let any: DatabaseUrl = "postgres://one,two/shop?load_balance_hosts=random".parse().unwrap();
        assert_eq!(any.attempts(), std::slice::from_ref(&any.0), "the driver shuffles");
    }

    #[test]
    fn another_database_keeps_the_server() {
        let url: DatabaseUrl = "postgres://ana@db.example/shop".parse().unwrap();
        assert_eq!(url.with_database("other").database(), Some("other"));
    }
}
