//! Where the server's programs are on this system.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ClusterError;

/// The oldest major version of Postgres that will do.
const MAJOR_MIN: u32 = 15;

/// A directory with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The directory.
    pub directory: PathBuf,
    /// Their major version.
    pub major: u32,
}

/// The binaries to use: those of version `made_by` when there is data already, else the newest.
///
/// An explicit choice is taken or refused, never replaced by another.
///
/// # Errors
/// `NoBinaries`, with what to install.
pub fn find(chosen: Option<&Path>, made_by: Option<u32>) -> Result<Binaries, ClusterError> {
    let places = chosen.map_or_else(candidates, |path| vec![path.to_owned()]);
    let found: Vec<Binaries> = places.iter().filter_map(|directory| inspect(directory)).collect();
    let fits = |b: &&Binaries| made_by.map_or(b.major >= MAJOR_MIN, |major| b.major == major);
    match found.iter().filter(fits).max_by_key(|b| b.major) {
        Some(binaries) => Ok(binaries.clone()),
        None => Err(missing(chosen, made_by, &found)),
    }
}

fn missing(chosen: Option<&Path>, made_by: Option<u32>, found: &[Binaries]) -> ClusterError {
    let wanted = made_by.map_or(format!("Postgres {MAJOR_MIN} or later"), |major| format!("Postgres {major}"));
    let why = if made_by.is_some() { " (the data on disk is of that version)" } else { "" };
    let place = chosen.map_or(String::from("on this system"), |path| format!("in PG_BIN={}", path.display()));
    let others: Vec<String> = found.iter().map(|b| format!("{} in {}", b.major, b.directory.display())).collect();
    let instead = if others.is_empty() { String::new() } else { format!(", only {}", others.join(", ")) };
    ClusterError::NoBinaries {
        found: format!("no server binaries of {wanted}{why} {place}{instead}"),
        advice: advice(),
    }
}

/// What to type, for the package manager that this system has.
fn advice() -> String {
    let known = [
        ("apt-get", "apt-get install postgresql"),
        ("dnf", "dnf install postgresql-server"),
        ("apk", "apk add postgresql16"),
        ("pacman", "pacman -S postgresql"),
        ("zypper", "zypper install postgresql-server"),
        ("brew", "brew install postgresql@17"),
    ];
    let path = search_path();
    let present = known.iter().find(|(manager, _)| path.iter().any(|directory| directory.join(manager).is_file()));
    present.map_or(String::from("install the Postgres server"), |(_, command)| format!("install it: `{command}`"))
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn candidates() -> Vec<PathBuf> {
    let mut places = Vec::new();
    // Debian, the Postgres project's RPMs, Alpine, Homebrew on both of its prefixes.
    for (parent, prefix, tail) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/libexec", "postgresql", ""),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        places.extend(children(Path::new(parent), prefix).into_iter().map(|child| child.join(tail)));
    }
    places.extend(bindir_of_pg_config());
    places.extend(search_path());
    places
}

fn children(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let starts = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(prefix));
    fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()).filter(starts).collect()
}

fn bindir_of_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

fn inspect(directory: &Path) -> Option<Binaries> {
    let complete = ["postgres", "initdb", "pg_ctl"].iter().all(|name| directory.join(name).is_file());
    if !complete {
        return None;
    }
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let major = major_of(&String::from_utf8(output.stdout).ok()?)?;
    Some(Binaries { directory: directory.to_owned(), major })
}

/// The major version in `postgres (PostgreSQL) 17beta1 (Debian …)`.
fn major_of(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_releases_and_betas() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("mysqld 8.0"), None);
    }

    #[test]
    fn a_chosen_directory_without_binaries_is_refused_with_advice() {
        let error = find(Some(Path::new("/nonexistent")), None).unwrap_err();
        assert!(error.is_configuration());
        let text = error.to_string();
        assert!(text.contains("Postgres 15 or later in PG_BIN=/nonexistent"), "{text}");
        assert!(text.contains("DATABASE_URL"), "{text}");
    }

    #[test]
    fn data_of_another_version_is_named() {
        let found = [Binaries { directory: PathBuf::from("/usr/lib/postgresql/17/bin"), major: 17 }];
        let text = missing(None, Some(15), &found).to_string();
        assert!(text.contains("no server binaries of Postgres 15 (the data on disk is of that version)"), "{text}");
        assert!(text.contains("only 17 in /usr/lib/postgresql/17/bin"), "{text}");
    }
}
