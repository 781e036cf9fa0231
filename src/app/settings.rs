//! Configuration: the environment, and one optional TOML file. All mistakes are told together.

mod source;
mod table;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use tracing_subscriber::EnvFilter;

pub use source::Source;
pub use table::{SETTINGS, Setting};

use crate::kernel::id::LaneCount;
use crate::platform::db::embedded::ClusterPlace;
use crate::platform::db::{DatabaseUrl, PoolSize};
use crate::platform::web::rate::RateSettings;
use crate::platform::webhooks::address::Reach;
use source::Reader;

/// Everything that an operator can set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the data is.
    pub database: Place,
    /// The directory of this host's own files, if one is known; with a database elsewhere it may not be there yet.
    pub home: Option<PathBuf>,
    /// The directory of the keys that members' tokens are signed with, if one is known.
    pub token_keys: Option<PathBuf>,
    /// The address of the API.
    pub listen: SocketAddr,
    /// Which events are logged, as `tracing` filters are written.
    pub log_filter: String,
    /// How they are logged.
    pub log_format: LogFormat,
    /// Lanes of a database that is migrated for the first time.
    pub lanes: LaneCount,
    /// Connections for short statements.
    pub pool_size: PoolSize,
    /// Posting writers, each with a connection of its own.
    pub writers: usize,
    /// How often one API key may call.
    pub rate: RateSettings,
    /// How many proxies of the operator's stand before the server.
    pub proxies: usize,
    /// Where webhooks may lead.
    pub webhooks: Reach,
    /// How long accepted requests may take after a signal, in seconds.
    pub shutdown_s: u64,
}

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A server of the operator's.
    Url(DatabaseUrl),
    /// A private cluster.
    Private(ClusterPlace),
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Its name, where it was set.
    pub name: String,
    /// Its value, unless that is a secret.
    pub value: Option<String>,
    /// What is wrong with it, or would have been right.
    pub problem: String,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        for Mistake { name, value, problem } in &self.0 {
            match value {
                Some(value) => write!(f, "\n  {name} = {value:?}: {problem}")?,
                None => write!(f, "\n  {name}: {problem}")?,
            }
        }
        Ok(())
    }
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn read(source: &Source) -> Result<Self, Mistakes> {
        let mut reader = Reader::new(source);
        let url = reader.optional(&table::DATABASE_URL, |text| text.parse().ok());
        let pg_bin = reader.optional(&table::PG_BIN, |text| Some(PathBuf::from(text)));
        let home = reader.optional(&table::HOME, absolute).or_else(|| default_home(source));
        let beside = || home.as_ref().map(|home| home.join("token-keys"));
        let token_keys = reader.optional(&table::TOKEN_KEYS, absolute).or_else(beside);
        let listen = reader.fixed(&table::LISTEN, |text| text.parse().ok());
        let log_filter = reader.fixed(&table::LOG, filter);
        let log_format = reader.fixed(&table::LOG_FORMAT, format_of);
        let lanes = reader.fixed(&table::LANES, |text| text.parse().ok().filter(|n| (1..=LANES_MAX).contains(n)));
        let pool_size = reader.fixed(&table::POOL_SIZE, |text| bounded(text, POOL_MAX));
        let writers = reader.optional(&table::WRITERS, |text| bounded(text, WRITERS_MAX));
        let per_s: Option<u32> = reader.fixed(&table::RATE_PER_S, |text| text.parse().ok().filter(|n| *n <= RATE_MAX));
        let proxies = reader.fixed(&table::PROXIES, |text| text.parse().ok().filter(|n| *n <= PROXIES_MAX));
        let webhooks = reader.fixed(&table::WEBHOOKS, reach_of);
        let shutdown_s = reader.fixed(&table::SHUTDOWN_S, |text| text.parse().ok().filter(|s| *s <= SHUTDOWN_MAX_S));
        if url.is_none() && home.is_none() {
            reader.missing(&table::HOME);
        }
        let mistakes = reader.finish();
        match (listen, log_filter, log_format, lanes, pool_size, per_s, (proxies, webhooks), shutdown_s) {
            (
                Some(listen),
                Some(log_filter),
                Some(log_format),
                Some(lanes),
                Some(pool),
                Some(per_s),
                (Some(proxies), Some(webhooks)),
                Some(shutdown_s),
            ) if mistakes.is_empty() => {
                let place = ClusterPlace { home: home.clone().unwrap_or_default(), pg_bin, settings: Vec::new() };
                Ok(Self {
                    database: url.map_or(Place::Private(place), Place::Url),
                    home,
                    token_keys,
                    listen,
                    log_filter,
                    log_format,
                    lanes: LaneCount(lanes),
                    pool_size: PoolSize(pool),
                    writers: writers.unwrap_or_else(|| default_writers(lanes)),
                    rate: RateSettings { per_second: per_s, burst: per_s.saturating_mul(2) },
                    proxies,
                    webhooks,
                    shutdown_s,
                })
            }
            _ => Err(Mistakes(mistakes)),
        }
    }
}

const LANES_MAX: i16 = 1024;
const RATE_MAX: u32 = 1_000_000;
const POOL_MAX: usize = 1_000;
const WRITERS_MAX: usize = 256;
const PROXIES_MAX: usize = 10;
const SHUTDOWN_MAX_S: u64 = 3_600;

fn bounded(text: &str, max: usize) -> Option<usize> {
    text.parse().ok().filter(|n| (1..=max).contains(n))
}

fn absolute(text: &str) -> Option<PathBuf> {
    Path::new(text).is_absolute().then(|| PathBuf::from(text))
}

fn filter(text: &str) -> Option<String> {
    EnvFilter::builder().parse(text).is_ok().then(|| text.to_owned())
}

fn format_of(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn reach_of(text: &str) -> Option<Reach> {
    match text {
        "public" => Some(Reach::Public),
        "loopback" => Some(Reach::Loopback),
        _ => None,
    }
}

fn default_home(source: &Source) -> Option<PathBuf> {
    if source.root {
        return Some(PathBuf::from("/var/lib/perennial"));
    }
    let data = source.variable("XDG_DATA_HOME").and_then(absolute);
    let local = || source.variable("HOME").and_then(absolute).map(|home| home.join(".local/share"));
    data.or_else(local).map(|data| data.join("perennial"))
}

fn default_writers(lanes: i16) -> usize {
    let cores = available_parallelism().map_or(1, NonZeroUsize::get);
    cores.min(usize::from(lanes.unsigned_abs())).max(1)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Source::of_variables(variables))
    }

    #[test]
    fn a_home_is_all_that_is_needed() {
        let settings = read(&[("HOME", "/home/ana")]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.lanes, LaneCount(8));
        let Place::Private(place) = settings.database else { panic!("not private") };
        assert_eq!(place.home, PathBuf::from("/home/ana/.local/share/perennial"));
    }

    #[test]
    fn every_default_of_the_table_is_one_that_the_reader_takes() {
        for setting in SETTINGS.iter().filter(|setting| !setting.default.starts_with('(')) {
            assert!(read(&[("HOME", "/home/ana"), (setting.name, setting.default)]).is_ok(), "{}", setting.name);
        }
    }

    #[test]
    fn all_mistakes_are_told_together_and_secrets_are_not() {
        let error = read(&[
            ("DATABASE_URL", "mysql://ana:s3cret@db/shop"),
            ("PERENNIAL_LISTEN", "8080"),
            ("PERENNIAL_LANES", "0"),
            ("PERENNIAL_HOME", "data"),
            ("PERENNIAL_LOG_FORMAT", "xml"),
            ("PERENNIAL_LISTN", "127.0.0.1:80"),
        ])
        .unwrap_err();
        insta::assert_snapshot!(error, @r#"
        the configuration is wrong:
          PERENNIAL_LISTN: there is no such setting
          DATABASE_URL: expected postgres://user:password@host:port/database
          PERENNIAL_HOME = "data": expected an absolute path
          PERENNIAL_LISTEN = "8080": expected address:port, such as 0.0.0.0:8080
          PERENNIAL_LOG_FORMAT = "xml": expected text or json
          PERENNIAL_LANES = "0": expected a number from 1 to 1024
        "#);
    }

    #[test]
    fn nowhere_to_keep_data_is_a_mistake() {
        let error = read(&[]).unwrap_err();
        assert_eq!(error.0.len(), 1, "{error}");
        assert!(read(&[("DATABASE_URL", "postgres://db/shop")]).is_ok());
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_has_mistakes_too() {
        let path = std::env::temp_dir().join(format!("perennial-settings-{}.toml", process::id()));
        let config = path.to_str().unwrap();
        fs::write(&path, "lanes = 3\nlisten = \"127.0.0.1:1\"\n").unwrap();
        let settings = read(&[("HOME", "/h"), ("PERENNIAL_CONFIG", config), ("PERENNIAL_LISTEN", "[::1]:2")]).unwrap();
        assert_eq!(settings.lanes, LaneCount(3));
        assert_eq!(settings.listen.to_string(), "[::1]:2");

        fs::write(&path, "lanes = true\nlistne = \"x\"\ndatabase_url = \"nonsense s3cret\"\n").unwrap();
        let error = read(&[("HOME", "/h"), ("PERENNIAL_CONFIG", config)]).unwrap_err();
        assert_eq!(error.0.len(), 3, "{error}");
        fs::write(&path, "lanes = 3\ndatabase_url = \"s3cret\n").unwrap();
        let broken = read(&[("HOME", "/h"), ("PERENNIAL_CONFIG", config)]).unwrap_err();
        assert!(broken.to_string().contains("line 2"), "{broken}");
        assert!(!format!("{error}{broken}").contains("s3cret"), "{error} {broken}");
        fs::remove_file(&path).unwrap();
        let error = read(&[("HOME", "/h"), ("PERENNIAL_CONFIG", config)]).unwrap_err();
        assert!(error.to_string().contains("PERENNIAL_CONFIG"), "{error}");
    }
}
