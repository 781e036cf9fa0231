//! A password, and the one slow thing that is done with it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// No password is shorter, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// No password is longer, in characters.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// How long a password may wait for its turn, in seconds.
const TURN_WAIT_S: u64 = 5;

/// A password as it was sent: any characters, 8 to 128 of them. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&text.chars().count());
        // The text itself stands in no message.
        let wants = format!("must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters");
        if fits { Ok(Self(text)) } else { Err(D::Error::custom(wants)) }
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .min_length(Some(PASSWORD_CHARS_MIN))
            .max_length(Some(PASSWORD_CHARS_MAX))
            .into()
    }
}

impl ToSchema for Password {}

/// Nobody's turn came in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooBusy;

/// Works passwords out, a few at a time, so that whoever settles orders meanwhile has the other cores.
#[derive(Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    /// What is compared with where there is nothing to compare with: it takes as long.
    nobodys: Arc<str>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let turns = Arc::new(Semaphore::new(cores.div_ceil(2)));
        Self { turns, nobodys: hash("nobody's password").unwrap_or_default().into() }
    }

    /// What is kept of a password.
    pub(super) async fn hash(&self, password: &Password) -> Result<String, TooBusy> {
        let password = password.clone();
        self.in_turn(move || hash(&password.0)).await?.ok_or(TooBusy)
    }

    /// Whether it is the password of which `kept` was kept; of nobody it is none, which takes as long.
    pub(super) async fn is(&self, password: &Password, kept: Option<String>) -> Result<bool, TooBusy> {
        let (password, nobodys) = (password.clone(), Arc::clone(&self.nobodys));
        self.in_turn(move || {
            let is = is(&password.0, kept.as_deref().unwrap_or(&nobodys));
            is && kept.is_some()
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, TooBusy> {
        let turn = timeout(Duration::from_secs(TURN_WAIT_S), Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(TooBusy)?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| TooBusy)
    }
}

/// Argon2id with OWASP's parameters: 19 MiB, 2 passes, 1 lane, and a salt of its own.
fn hash(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

fn is(password: &str, kept: &str) -> bool {
    PasswordHash::new(kept).is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_is_kept_nowhere() {
        let password = |text: &str| serde_json::from_value::<Password>(text.into()).unwrap();
        let hasher = Hasher::new();
        let kept = hasher.hash(&password("correct horse")).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !kept.contains("horse"), "{kept}");
        assert_ne!(kept, hasher.hash(&password("correct horse")).await.unwrap(), "each has a salt of its own");
        assert_eq!(hasher.is(&password("correct horse"), Some(kept.clone())).await, Ok(true));
        assert_eq!(hasher.is(&password("Correct horse"), Some(kept)).await, Ok(false));
        assert_eq!(hasher.is(&password("nobody's password"), None).await, Ok(false), "nobody comes in as nobody");
        assert!(!format!("{:?}", password("correct horse")).contains("horse"));
        for bad in ["", "seven77", &"x".repeat(129)] {
            let refused = serde_json::from_value::<Password>(bad.into()).unwrap_err().to_string();
            assert_eq!(refused, "must have 8 to 128 characters");
        }
    }
}
