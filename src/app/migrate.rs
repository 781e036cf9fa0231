//! `perennial migrate`: brings the schema up to date.

use super::database::Database;
use super::failure::Failure;
use super::settings::Settings;
use super::terminal::say;
use crate::platform::db::migrate;

/// Applies what is missing, and says what it was.
///
/// # Errors
/// When a migration fails, or the database cannot be reached.
pub async fn run(settings: &Settings) -> Result<(), Failure> {
    let database = Database::locate(settings).await?;
    let applied = migrate(database.url(), settings.lanes).await;
    if let Ok(names) = &applied {
        for name in names {
            say(&format!("applied {name}"));
        }
        say(if names.is_empty() { "the schema is up to date already" } else { "the schema is up to date" });
    }
    database.close().await?;
    applied?;
    Ok(())
}
