//! The keys that access tokens are signed with: Ed25519, a file each in a directory of their own, the newest in use.
//!
//! Whoever holds such a file can sign as anybody, so the files are no part of a backup of the database. All processes of
//! a deployment read the same directory; a new key signs only when each of them has read it.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{NaiveDateTime, TimeDelta};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use pem::Pem;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::kernel::clock::Instant;
use crate::platform::auth::session::claims::{ACCESS_S, AUDIENCE, Claims, ISSUER};

/// How old a key is before it signs, in seconds: every process has read it by then, which reads them much more often.
const SIGNS_AFTER_S: i64 = 120;
/// How long a key that signs no more is kept, in seconds: longer than what it signed is good.
const KEPT_S: i64 = 4 * ACCESS_S;
/// How the time in a file's name is written.
const NAMED: &str = "%Y%m%dT%H%M%SZ";
const PEM_TAG: &str = "PRIVATE KEY";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The directory cannot be read or written.
    #[error("{path}: {error}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is no key.
    #[error("{0}: expected an Ed25519 key as PKCS #8 in PEM, named by the time at which it was made")]
    NotAKey(PathBuf),
    /// A key cannot be made.
    #[error("no key can be made")]
    NotMade,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that was made.
    pub made: String,
    /// The ones that were thrown away.
    pub gone: Vec<String>,
}

/// The public halves, as RFC 7517 writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = KeySet)]
pub struct KeySet {
    /// One for each key that may have signed a token that is good.
    pub keys: Vec<PublicKey>,
}

/// A public key (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PublicKey)]
pub struct PublicKey {
    /// What tokens call it.
    pub kid: String,
    /// Its family, `OKP`.
    pub kty: &'static str,
    /// The curve, `Ed25519`.
    pub crv: &'static str,
    /// The algorithm, `EdDSA`.
    pub alg: &'static str,
    /// What it is for, `sig`.
    #[serde(rename = "use")]
    pub used_for: &'static str,
    /// The key, as base64url.
    pub x: String,
}

struct Key {
    public: PublicKey,
    since: Instant,
    file: PathBuf,
    signs: EncodingKey,
    checks: DecodingKey,
}

/// The keys of a deployment.
#[derive(Clone)]
pub struct Keyring {
    directory: Arc<Path>,
    /// Oldest first; never none.
    keys: Arc<ArcSwap<Vec<Key>>>,
}

impl Keyring {
    /// Reads the keys of a directory, and makes the first one where there are none.
    ///
    /// # Errors
    /// When the directory cannot be read or written, or a file in it is no key.
    pub fn open(directory: &Path, now: Instant) -> Result<Self, KeyringError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| KeyringError::Directory { path: directory.to_owned(), error })?;
        let mut keys = read(directory)?;
        if keys.is_empty() {
            make(directory, now)?;
            keys = read(directory)?;
        }
        Ok(Self { directory: directory.into(), keys: Arc::new(ArcSwap::from_pointee(keys)) })
    }

    /// Reads the directory again; what was read before stays where that fails.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub fn reread(&self) -> Result<(), KeyringError> {
        let keys = read(&self.directory)?;
        if !keys.is_empty() {
            self.keys.store(Arc::new(keys));
        }
        Ok(())
    }

    /// Makes another key, which signs in a while, and throws those away that have signed nothing that is still good.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub fn rotate(&self, now: Instant) -> Result<Rotated, KeyringError> {
        let made = make(&self.directory, now)?;
        let keys = read(&self.directory)?;
        let signing = signing(&keys, now);
        let mut gone = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            // It signed until the next one did.
            let replaced = keys.get(place.saturating_add(1)).map(|next| next.since + TimeDelta::seconds(SIGNS_AFTER_S));
            let over = replaced.is_some_and(|at| at + TimeDelta::seconds(KEPT_S) <= now);
            if over && signing.is_some_and(|signing| signing.public.kid != key.public.kid) {
                fs::remove_file(&key.file)
                    .map_err(|error| KeyringError::Directory { path: key.file.clone(), error })?;
                gone.push(key.public.kid.clone());
            }
        }
        self.reread()?;
        Ok(Rotated { made, gone })
    }

    /// Signs claims; `None` when there is no key to do it with.
    pub(super) fn sign(&self, claims: &Claims, now: Instant) -> Option<String> {
        let keys = self.keys.load();
        let key = signing(&keys, now)?;
        let header = Header { kid: Some(key.public.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &key.signs).ok()
    }

    /// What a token claims, if one of the keys signed it, by the one algorithm there is; its times are not looked at.
    pub(super) fn check(&self, token: &str) -> Option<Claims> {
        let kid = decode_header(token).ok()?.kid?;
        let keys = self.keys.load();
        let key = keys.iter().find(|key| key.public.kid == kid)?;
        let mut wants = Validation::new(Algorithm::EdDSA);
        wants.set_issuer(&[ISSUER]);
        wants.set_audience(&[AUDIENCE]);
        // Postgres's clock decides, which the caller asks.
        (wants.validate_exp, wants.validate_nbf) = (false, false);
        decode::<Claims>(token, &key.checks, &wants).ok().map(|token| token.claims)
    }

    /// What others check tokens with.
    pub(super) fn public(&self) -> KeySet {
        KeySet { keys: self.keys.load().iter().map(|key| key.public.clone()).collect() }
    }
}

/// The newest key that every process has read, or the first of all.
fn signing(keys: &[Key], now: Instant) -> Option<&Key> {
    let known = |key: &&Key| key.since + TimeDelta::seconds(SIGNS_AFTER_S) <= now;
    keys.iter().rev().find(known).or_else(|| keys.first())
}

/// The keys of a directory, oldest first; of other files nothing is thought.
fn read(directory: &Path) -> Result<Vec<Key>, KeyringError> {
    let failed = |error| KeyringError::Directory { path: directory.to_owned(), error };
    let mut keys = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_some_and(|extension| extension == "pem") {
            let text = fs::read(&file).map_err(|error| KeyringError::Directory { path: file.clone(), error })?;
            keys.push(key_of(&file, &text).ok_or_else(|| KeyringError::NotAKey(file.clone()))?);
        }
    }
    keys.sort_by(|a: &Key, b| (a.since, &a.public.kid).cmp(&(b.since, &b.public.kid)));
    Ok(keys)
}

fn key_of(file: &Path, text: &[u8]) -> Option<Key> {
    let named = file.file_stem()?.to_str()?;
    let since = NaiveDateTime::parse_from_str(named.split('-').next()?, NAMED).ok()?.and_utc();
    let pem = pem::parse(text).ok().filter(|pem| pem.tag() == PEM_TAG)?;
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pem.contents()).ok()?;
    let public = pair.public_key().as_ref();
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    let checks = DecodingKey::from_ed_components(&x).ok()?;
    let signs = EncodingKey::from_ed_der(pem.contents());
    let (kty, crv, alg, used_for) = ("OKP", "Ed25519", "EdDSA", "sig");
    let public = PublicKey { kid: kid_of(public), kty, crv, alg, used_for, x };
    Some(Key { public, since, file: file.to_owned(), signs, checks })
}

/// The first half of the key's SHA-256.
fn kid_of(public: &[u8]) -> String {
    let digest = Sha256::digest(public);
    hex::encode(digest.get(..16).unwrap_or_default())
}

/// Makes a key, in a file that nobody else can read.
fn make(directory: &Path, now: Instant) -> Result<String, KeyringError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| KeyringError::NotMade)?;
    let document = pair.to_pkcs8().map_err(|_| KeyringError::NotMade)?;
    let text = pem::encode(&Pem::new(PEM_TAG, document.as_ref()));
    let kid = kid_of(pair.public_key().as_ref());
    let path = directory.join(format!("{}-{kid}.pem", now.format(NAMED)));
    // Under another name first: whoever reads meanwhile sees a whole key or none.
    let beside = path.with_extension("new");
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    let written = written.and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| KeyringError::Directory { path, error })?;
    Ok(kid)
}

#[cfg(test)]
mod tests {
    use std::env::temp_dir;

    use uuid::Uuid;

    use crate::kernel::id::{MemberId, ProgramId};
    use crate::platform::entropy::uuid_v7;

    use super::*;

    struct Place(PathBuf);

    impl Drop for Place {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn place() -> Place {
        Place(temp_dir().join(format!("perennial-keys-{}", uuid_v7())))
    }

    fn at(second: i64) -> Instant {
        Instant::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn claims() -> Claims {
        Claims::new(ProgramId(Uuid::from_u128(1)), MemberId(Uuid::from_u128(2)), Uuid::from_u128(3), at(0))
    }

    #[test]
    fn a_new_key_signs_when_everybody_knows_it_and_the_old_one_checks_what_it_signed() {
        let place = place();
        let keyring = Keyring::open(&place.0, at(0)).unwrap();
        let elsewhere = Keyring::open(&place.0, at(0)).unwrap();
        let old = keyring.sign(&claims(), at(0)).unwrap();
        assert_eq!(elsewhere.check(&old), Some(claims()));
        assert_eq!(keyring.rotate(at(1_000)).unwrap().gone, Vec::<String>::new());
        let kid = |token: &str| decode_header(token).unwrap().kid;
        assert_eq!(kid(&keyring.sign(&claims(), at(1_119)).unwrap()), kid(&old));
        let new = keyring.sign(&claims(), at(1_120)).unwrap();
        assert_ne!(kid(&new), kid(&old));
        assert_eq!(elsewhere.check(&new), None, "it has not read the new one yet");
        elsewhere.reread().unwrap();
        assert_eq!((elsewhere.check(&new), elsewhere.check(&old)), (Some(claims()), Some(claims())));
        // An hour after it signed for the last time it goes with the next rotation.
        let rotated = keyring.rotate(at(1_120 + KEPT_S)).unwrap();
        assert_eq!((Some(rotated.gone), keyring.check(&old)), (kid(&old).map(|kid| vec![kid]), None));
        assert_eq!(keyring.check(&new), Some(claims()));
        assert_eq!(keyring.public().keys.len(), 2);
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_told_by_its_name() {
        let place = place();
        let keyring = Keyring::open(&place.0, at(0)).unwrap();
        fs::write(place.0.join("20270101T000000Z-x.pem"), "no key").unwrap();
        fs::write(place.0.join("notes.txt"), "nothing").unwrap();
        let wrong = keyring.reread().unwrap_err().to_string();
        assert!(wrong.contains("20270101T000000Z-x.pem"), "{wrong}");
        assert!(keyring.sign(&claims(), at(0)).is_some(), "what was read before stays");
        assert!(matches!(Keyring::open(&place.0.join("notes.txt"), at(0)), Err(KeyringError::Directory { .. })));
    }
}
