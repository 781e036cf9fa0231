//! An operator with a database and a directory, at the command line.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::panicking;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::{Home, TestDb, perennial, said};

/// Somebody with a database of their own.
pub struct Operator {
    pub home: Home,
    pub test: TestDb,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
}

impl Drop for Operator {
    /// Whatever the test did, the ledger holds.
    fn drop(&mut self) {
        if !panicking() {
            let output = self.run(&["verify"]);
            assert!(output.status.success(), "{}", said(&output));
        }
    }
}

impl Operator {
    pub async fn new() -> Self {
        Self { home: Home::new(), test: TestDb::new().await }
    }

    /// The program on that database.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = perennial(self.home.path());
        command.env("DATABASE_URL", self.test.text()).args(args);
        command
    }

    /// Runs a command.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What a command that succeeds says on standard output.
    pub fn out(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Writes a file, and says where.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Where a file of that name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// How many rows there are: `postings WHERE kind = 2`.
    pub async fn count(&self, what: &str) -> i64 {
        let mut conn = self.test.db.conn().await.unwrap();
        let row: CountRow = sql_query(format!("SELECT count(*) FROM {what}")).get_result(&mut conn).await.unwrap();
        row.count
    }

    /// One text that a statement answers.
    pub async fn text(&self, expression: &str) -> String {
        let mut conn = self.test.db.conn().await.unwrap();
        let row: TextRow =
            sql_query(format!("SELECT ({expression})::text AS text")).get_result(&mut conn).await.unwrap();
        row.text.unwrap_or_default()
    }
}
