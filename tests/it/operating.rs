//! docs/operating.md, done word by word: its commands are one script, on servers of the test's own.

use std::env::{split_paths, temp_dir, vars_os};
use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};

use perennial::platform::db::embedded::{ClusterPlace, Tools};
use rustix::process::geteuid;

use crate::harness::said;

/// What a shop does between the lines: before the line that begins so.
const MEANWHILE: [(&str, &str); 4] = [
    ("DATABASE_URL=postgres://perennial_serve@$PRIMARY/perennial perennial verify --write-heads", "join c-1"),
    ("cp -a", "join c-2\nUNTIL=$(asks $PRIMARY perennial 'SELECT clock_timestamp()')\njoin c-3\narchived"),
    ("pg_basebackup --dbname=postgres://replicator@$PRIMARY --pgdata=\"$STANDBY_DATA\"", "is 2 $RESTORED_HOST"),
    ("pg_ctl -D \"$PGDATA\" -m immediate", "is 1 $PRIMARY restored\njoin c-4\nis 4 $STANDBY"),
];

/// The words of [`MEANWHILE`].
const WORDS: &str = r#"
asks() { psql -At "postgres://postgres@$1/$2" -c "$3"; }
join() {
    printf 'member\n%s\n' "$1" >members.csv
    DATABASE_URL=postgres://perennial@$PRIMARY/perennial perennial import members members.csv --program acme
}
archived() {
    local segment
    segment=$(asks $PRIMARY postgres 'SELECT pg_walfile_name(pg_switch_wal())')
    until [ -f "$WAL_ARCHIVE/$segment" ]; do sleep 0.1; done
}
is() {
    local found
    for _ in $(seq 100); do
        found=$(asks $2 ${3:-perennial} 'SELECT count(*) FROM accounts')
        [ "$found" != "$1" ] || return 0
        sleep 0.1
    done
    echo "$found members in ${3:-perennial} of $2, not $1"; return 1
}
"#;

/// Starts every server on a socket of its own, as if each had a host of its own.
const PG_CTL: &str = r#"#!/bin/sh
previous=
for word; do
    [ "$previous" != -D ] || data="$word"
    previous="$word"
done
mkdir -p "$data-run"
exec REAL/pg_ctl "$@" -o "-c listen_addresses= -c unix_socket_directories=$data-run -c fsync=off"
"#;

/// Ends at the first statement that fails.
const PSQL: &str = "#!/bin/sh\nexec REAL/psql -X -v ON_ERROR_STOP=1 \"$@\"\n";

/// The servers that the page makes.
const SERVERS: [&str; 3] = ["primary", "standby", "restored"];

/// A server, and an empty directory to work in.
struct Desk {
    root: PathBuf,
    programs: PathBuf,
    account: Option<(u32, u32)>,
}

impl Desk {
    /// Starts a server; `None`, said aloud, where a program of the page is not installed.
    fn prepare() -> Option<Self> {
        let tools = Tools::of(&ClusterPlace::default()).unwrap();
        for name in ["psql", "pg_dump", "pg_restore", "pg_basebackup"] {
            if tools.program(name).is_none() {
                eprintln!("SKIPPED: the page wants {name}, which is not installed");
                return None;
            }
        }
        let id = |what| {
            let output = Command::new("id").args([what, "postgres"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        };
        let account = geteuid().is_root().then(|| (id("-u"), id("-g")));
        let programs = tools.program("psql").unwrap().parent().unwrap().to_owned();
        let desk = Self { root: temp_dir().join(format!("perennial-desk-{}", process::id())), programs, account };
        for path in [desk.root.clone(), desk.root.join("bin"), desk.root.join("archive")] {
            DirBuilder::new().mode(0o755).create(&path).unwrap();
            if let Some((uid, gid)) = account {
                chown(&path, Some(uid), Some(gid)).unwrap();
            }
        }
        for (name, script) in [("pg_ctl", PG_CTL), ("psql", PSQL)] {
            let path = desk.root.join("bin").join(name);
            fs::write(&path, script.replace("REAL", desk.programs.to_str().unwrap())).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        // A copy, as the server's user may not get to where it was built.
        fs::copy(env!("CARGO_BIN_EXE_perennial"), desk.root.join("bin/perennial")).unwrap();
        let begin = "initdb --no-sync -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 -D \"$PGDATA\" \
            && pg_ctl -D \"$PGDATA\" -l \"$PGDATA.log\" start";
        let output = desk.shell(begin);
        assert!(output.status.success(), "{}", said(&output));
        Some(desk)
    }

    /// Runs a script as the server's user.
    fn shell(&self, script: &str) -> Output {
        let mut bash = Command::new("bash");
        for (name, _) in vars_os().filter(|(name, _)| {
            [&b"PG"[..], b"PERENNIAL_", b"DATABASE_URL"].iter().any(|start| name.as_bytes().starts_with(start))
        }) {
            bash.env_remove(name);
        }
        let host = |name: &str| self.root.join(format!("{name}-run")).to_str().unwrap().replace('/', "%2F");
        let old = vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| path).unwrap_or_default();
        let path = [self.root.join("bin"), self.programs.clone()].into_iter().chain(split_paths(&old));
        bash.env("PATH", std::env::join_paths(path).unwrap()).env("HOME", &self.root).env("PERENNIAL_LOG", "error");
        for (name, server) in
            [("PRIMARY", "primary"), ("STANDBY", "standby"), ("REPLICA", "standby"), ("RESTORED_HOST", "restored")]
        {
            bash.env(name, host(server));
        }
        for (name, directory) in [
            ("PGDATA", "primary"),
            ("STANDBY_DATA", "standby"),
            ("RESTORED", "restored"),
            ("BASE", "base"),
            ("WAL_ARCHIVE", "archive"),
        ] {
            bash.env(name, self.root.join(directory));
        }
        if let Some((uid, gid)) = self.account {
            bash.uid(uid).gid(gid);
        }
        bash.current_dir(&self.root).args(["-euo", "pipefail", "-c", script]).output().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        for server in SERVERS {
            let _ = self.shell(&format!("pg_ctl -D {} -m immediate stop", self.root.join(server).display()));
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The commands of the page, with what happens between them.
fn script(page: &str, archive: &Path) -> String {
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split_once("```").unwrap().0);
    let mut meanwhile = MEANWHILE.iter().peekable();
    let mut script = WORDS.to_owned();
    for line in blocks.flat_map(str::lines) {
        if let Some((_, work)) = meanwhile.next_if(|(line_begins, _)| line.starts_with(line_begins)) {
            script.extend([work, "\n"]);
        }
        // In SQL a shell's variable is no variable.
        script.extend([&*line.replace("$WAL_ARCHIVE", archive.to_str().unwrap()), "\n"]);
    }
    assert_eq!(meanwhile.next(), None, "the page has other lines");
    script
}

#[test]
fn the_page_on_operating_is_true() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md")).unwrap();
    let Some(desk) = Desk::prepare() else { return };
    let output = desk.shell(&script(&page, &desk.root.join("archive")));
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    assert_eq!(said.matches("every law holds").count(), 6, "{said}");
    assert!(!said.contains("not enforced"), "{said}");
}
