//! API keys: `prn_<id>_<secret>`, of which only the secret's hash is kept.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::kernel::clock::Instant;
use crate::kernel::id::ProgramId;
use crate::platform::auth::scopes::Scopes;
use crate::platform::entropy::SECRET_BYTES;
use crate::platform::web::text::Text;

/// The most characters of a key's name.
pub const KEY_NAME_CHARS_MAX: usize = 100;
const KEY_ID_CHARS: usize = 16;
const PREFIX: &str = "prn_";

/// What people call a key.
pub type KeyName = Text<KEY_NAME_CHARS_MAX>;

/// The public half of a key: 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; KEY_ID_CHARS]);

/// SHA-256 of a key's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretHash(pub(super) [u8; 32]);

/// A whole key as it is presented; does not print.
pub struct KeyToken {
    id: KeyId,
    secret: [u8; SECRET_BYTES],
}

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public half.
    pub id: KeyId,
    /// The programme it lets in to.
    pub program: ProgramId,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was issued.
    pub created_at: Instant,
    /// Who issued it.
    pub created_by: String,
    /// The first instant at which it is refused.
    pub expires_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Instant>,
    /// The key that a rotation made of it.
    pub successor: Option<KeyId>,
}

/// Whether a key lets anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody revoked it.
    Revoked,
}

impl ApiKey {
    /// Whether it lets anybody in at an instant.
    pub fn status(&self, at: Instant) -> KeyStatus {
        if self.revoked_at.is_some() {
            KeyStatus::Revoked
        } else if self.expires_at.is_some_and(|end| end <= at) {
            KeyStatus::Expired
        } else {
            KeyStatus::Active
        }
    }
}

impl KeyId {
    /// Reads an id; `None` unless it is 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; KEY_ID_CHARS] = text.as_bytes().try_into().ok()?;
        id.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')).then_some(Self(id))
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        // Always ASCII, by construction.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SecretHash {
    /// What is stored of a secret. A slow hash would buy nothing: 256 random bits cannot be guessed.
    pub(super) fn of(secret: &[u8; SECRET_BYTES]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// A stored one; `None` when it is no SHA-256.
    pub(super) fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Whether both are one; the time it takes says nothing.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl KeyToken {
    /// A token of an id's 8 random bytes and a secret.
    pub fn new(id: [u8; KEY_ID_CHARS / 2], secret: [u8; SECRET_BYTES]) -> Self {
        let mut digits = [b'0'; KEY_ID_CHARS];
        // The length fits, so this cannot fail.
        let _ = hex::encode_to_slice(id, &mut digits);
        Self { id: KeyId(digits), secret }
    }

    /// Reads `prn_<id>_<secret>`; `None` when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, digits) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let mut secret = [0; SECRET_BYTES];
        hex::decode_to_slice(digits, &mut secret).ok()?;
        Some(Self { id: KeyId::parse(id)?, secret })
    }

    /// The public half.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What is stored of the secret.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// The whole key, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, hex::encode(self.secret))
    }
}

impl fmt::Debug for KeyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_secret_alone() {
        let token = KeyToken::new([0xab; 8], [7; 32]);
        let shown = token.reveal();
        assert_eq!(shown.len(), 4 + 16 + 1 + 64);
        let read = KeyToken::parse(&shown).unwrap();
        assert_eq!(read.id(), token.id());
        assert!(token.hash().is(&read.hash()));
        assert!(!token.hash().is(&KeyToken::new([0xab; 8], [8; 32]).hash()));
        assert!(!format!("{token:?}").contains("0707"), "a secret never prints");
    }

    #[test]
    fn what_only_looks_like_a_key_is_none() {
        let good = KeyToken::new([1; 8], [2; 32]).reveal();
        let upper = good.replacen("0101", "01AB", 1);
        for bad in ["", "prn_", "prn__", &good[1..], &good[..good.len() - 1], &format!("{good}0"), &upper, "prn_é_é"]
        {
            assert!(KeyToken::parse(bad).is_none(), "{bad}");
        }
    }
}
