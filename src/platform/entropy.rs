//! The one place for randomness: ids and secrets.

use uuid::Uuid;

/// The bits of a secret that somebody has to guess, in bytes: 256 bits.
pub const SECRET_BYTES: usize = 32;

/// The operating system has no randomness to give.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct NoEntropy(#[from] getrandom::Error);

/// A new UUID v7. Its time part is the host's and orders nothing: it keeps ids of one hour together in an index.
#[expect(clippy::disallowed_methods, reason = "this is the place that the lint points to")]
pub fn uuid_v7() -> Uuid {
    Uuid::now_v7()
}

/// A new secret of [`SECRET_BYTES`].
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn secret() -> Result<[u8; SECRET_BYTES], NoEntropy> {
    random()
}

/// New random bytes, for ids that must not be guessed from their neighbours.
///
/// # Errors
/// When the operating system has no randomness to give.
pub fn random<const N: usize>() -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_ids_do_not_repeat() {
        assert_ne!(secret().unwrap(), secret().unwrap());
        assert_ne!(uuid_v7(), uuid_v7());
        assert_eq!(uuid_v7().get_version_num(), 7);
    }
}
