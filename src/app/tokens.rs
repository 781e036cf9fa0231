//! `perennial tokens`: the keys that members' access tokens are signed with.

use clap::Subcommand;

use super::database::Database;
use super::failure::Failure;
use super::program::COMMAND_POOL;
use super::settings::Settings;
use super::terminal::say;
use crate::platform::auth::session::{Keyring, KeyringError, clock};
use crate::platform::db::Db;

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make another key; it signs in two minutes, and nobody is signed out. Keys that have signed nothing that is still good
    /// are thrown away
    Rotate,
}

/// Does it.
///
/// # Errors
/// `Configuration` where the directory of the keys cannot be used.
pub async fn run(settings: &Settings, command: TokensCommand) -> Result<(), Failure> {
    match command {
        TokensCommand::Rotate => {
            Database::with(settings, COMMAND_POOL, async |db| {
                let now = clock(&mut *db.conn().await?).await?;
                let rotated = open(settings, db).await?.rotate(now)?;
                say(&format!("made {}", rotated.made));
                for kid in rotated.gone {
                    say(&format!("threw away {kid}"));
                }
                Ok(())
            })
            .await
        }
    }
}

/// The keys of this deployment; the first one is made where there are none.
///
/// # Errors
/// `Configuration` where the directory cannot be used.
pub(super) async fn open(settings: &Settings, db: &Db) -> Result<Keyring, Failure> {
    let missing = || Failure::Configuration("PERENNIAL_TOKEN_KEYS: has to be set".to_owned());
    let directory = settings.token_keys.as_ref().ok_or_else(missing)?;
    let now = clock(&mut *db.conn().await?).await?;
    Ok(Keyring::open(directory, now)?)
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        Self::Configuration(format!("PERENNIAL_TOKEN_KEYS: {error}"))
    }
}
