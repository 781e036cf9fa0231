//! The command line: what can be asked, and which file answers.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::backup::BackupArgs;
use super::export::ExportCommand;
use super::failure::Failure;
use super::import::ImportCommand;
use super::keys::KeysCommand;
use super::program::ProgramCommand;
use super::restore::RestoreArgs;
use super::settings::{Settings, Source};
use super::tokens::TokensCommand;
use super::verify::VerifyArgs;
use super::{
    backup, demo, export, import, keys, log, migrate, openapi, program, restore, schema, serve, terminal, tokens,
    verify,
};

/// Loyalty points and rewards: an exact ledger, programmes that marketers can change, statistics that are honest.
#[derive(Debug, Parser)]
#[command(name = "perennial", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "Configured by environment variables, or a TOML file named by PERENNIAL_CONFIG. Without \
DATABASE_URL a private Postgres is started.\nExit codes: 0 done, 1 failed, 2 usage or configuration.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database's schema up to date
    Migrate,
    /// Answer the API until interrupted
    Serve,
    /// Print the API's OpenAPI document
    Openapi,
    /// Print the JSON Schema of a programme's document
    Schema,
    /// Create, list and show programmes; validate, compare and publish their documents
    #[command(subcommand)]
    Program(ProgramCommand),
    /// Import members, past orders or balances from a CSV file
    #[command(subcommand)]
    Import(ImportCommand),
    /// Write members, orders or entries to a CSV file
    #[command(subcommand)]
    Export(ExportCommand),
    /// Serve a programme with real history; made on the first run
    Demo,
    /// Issue, list and revoke API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Change the keys that members' tokens are signed with
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Prove the ledger: every law of it over every row; exit code 1 says that one is broken
    Verify(VerifyArgs),
    /// Back up the private database into a new directory
    #[command(after_help = backup::HELP)]
    Backup(BackupArgs),
    /// Restore the private database from a backup, and prove it
    #[command(after_help = restore::HELP)]
    Restore(RestoreArgs),
}

/// Does what the command line asks; the exit code is 0 when done, 1 when it failed, 2 for usage or configuration.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    match answer(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal::complain(&failure.to_string());
            failure.exit_code()
        }
    }
}

async fn answer(command: Command) -> Result<(), Failure> {
    let settings = Settings::read(&Source::of_process())?;
    log::start(&settings);
    match command {
        Command::Migrate => migrate::run(&settings).await,
        Command::Serve => serve::run(&settings).await,
        Command::Openapi => {
            openapi::run();
            Ok(())
        }
        Command::Schema => {
            schema::run();
            Ok(())
        }
        Command::Program(command) => program::run(&settings, command).await,
        Command::Import(command) => import::run(&settings, command).await,
        Command::Export(command) => export::run(&settings, command).await,
        Command::Demo => demo::run(&settings).await,
        Command::Keys(command) => keys::run(&settings, command).await,
        Command::Tokens(command) => tokens::run(&settings, command).await,
        Command::Verify(args) => verify::run(&settings, &args).await,
        Command::Backup(args) => backup::run(&settings, &args).await,
        Command::Restore(args) => restore::run(&settings, &args).await,
    }
}
