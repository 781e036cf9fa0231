//! The demo's API key: issued once, and kept in a file that only its owner reads.

use std::fs::{OpenOptions, create_dir_all, read_to_string};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::app::failure::Failure;
use crate::app::keys::give;
use crate::kernel::scope::ProgramScope;
use crate::platform::auth::{KeyName, KeyStatus, KeyToken, NewKey, Scopes, list_all_keys};
use crate::platform::db::Db;

const FILE: &str = "demo.key";
const OWNER_ONLY: u32 = 0o600;

/// The key that is kept, if it still opens the demo, else a new one; and where it is kept.
///
/// # Errors
/// When there are too many keys, or the file cannot be written.
pub async fn of(db: &Db, scope: &ProgramScope, home: Option<&Path>) -> Result<(String, Option<PathBuf>), Failure> {
    let path = home.map(|home| home.join(FILE));
    if let Some(kept) = path.as_ref().and_then(|path| read_to_string(path).ok())
        && opens(db, scope, kept.trim()).await?
    {
        return Ok((kept.trim().to_owned(), path));
    }
    let name = KeyName::parse("demo").ok_or_else(|| Failure::Work("the key's name is broken".to_owned()))?;
    let key = give(db, scope, &NewKey { name, scopes: Scopes::all(), expires_at: None }).await?;
    if let Some(path) = &path {
        keep(path, &key).map_err(|e| Failure::Work(format!("{} cannot be written: {e}", path.display())))?;
    }
    Ok((key, path))
}

async fn opens(db: &Db, scope: &ProgramScope, key: &str) -> Result<bool, Failure> {
    let Some(token) = KeyToken::parse(key) else { return Ok(false) };
    let mut conn = db.conn().await?;
    let keys = list_all_keys(&mut conn, scope).await?;
    Ok(keys
        .iter()
        .any(|(key, now)| key.id == token.id() && key.status(*now) == KeyStatus::Active && key.scopes == Scopes::all()))
}

fn keep(path: &Path, key: &str) -> std::io::Result<()> {
    if let Some(home) = path.parent() {
        create_dir_all(home)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(path)?;
    // One that was there before keeps its mode otherwise.
    file.set_permissions(PermissionsExt::from_mode(OWNER_ONLY))?;
    writeln!(file, "{key}")
}
