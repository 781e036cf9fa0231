//! The posting engine of a command: as many lanes as the database has, as many writers as the settings say.

use super::failure::Failure;
use super::settings::Settings;
use crate::loyalty::ledger::post::{Ledger, WriterCount};
use crate::loyalty::ledger::store::count_lanes;
use crate::loyalty::ledger::writer::Pace;
use crate::loyalty::program::timelines::Timelines;
use crate::platform::db::Db;

/// Starts it.
///
/// # Errors
/// When the database does not answer.
pub async fn start(settings: &Settings, db: &Db) -> Result<Ledger, Failure> {
    start_at(settings, db, Pace::serving()).await
}

/// Starts it at another pace.
///
/// # Errors
/// When the database does not answer.
pub async fn start_at(settings: &Settings, db: &Db, pace: Pace) -> Result<Ledger, Failure> {
    let lanes = count_lanes(&*db.conn().await?).await?;
    let writers = WriterCount(u16::try_from(settings.writers).unwrap_or(u16::MAX));
    Ok(Ledger::start_at(db, lanes, Timelines::default(), writers, pace))
}
