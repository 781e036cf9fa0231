//! The built program, run as an operator runs it.

use std::env::vars;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::Pid;

/// A command of the program in a home, deaf to the tester's own settings.
pub fn perennial(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    for (name, _) in vars().filter(|(name, _)| name.starts_with("PERENNIAL_") || name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env_remove("DATABASE_URL").env("PERENNIAL_HOME", home).env("PERENNIAL_LISTEN", "127.0.0.1:0");
    command
}

/// What it said on both outputs.
pub fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// Runs a command of the program in a home, with its exit code and what it said.
pub fn ran(home: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = perennial(home).args(args).output().unwrap();
    (output.status.code(), said(&output))
}

/// A running `perennial serve`, killed when dropped.
pub struct Serving {
    child: Child,
    /// Where it answers: `http://127.0.0.1:port`.
    pub address: String,
}

impl Serving {
    /// Runs the command until it says where it answers.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("answers on "), "it said {line:?}");
        let (_, address) = line.trim().split_once("answers on ").unwrap();
        Self { child, address: address.to_owned() }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end; true when it succeeded.
    pub fn ended_well(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
