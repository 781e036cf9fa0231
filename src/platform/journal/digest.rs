//! The chain of digests: who changes, drops or adds a row breaks it.

use sha2::{Digest as _, Sha256};

use crate::kernel::clock::Instant;
use crate::kernel::id::Lane;

/// The head of a chain: 32 bytes, or none at all before the first row.
pub type Digest = Vec<u8>;

/// The digest of a journal row: SHA-256 over the one before it, the row's place and time, and what it covers.
pub fn chain(previous: &[u8], lane: Lane, number: i64, moment: Instant, covered: &[Vec<u8>]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(lane.0.to_be_bytes());
    hash.update(number.to_be_bytes());
    hash.update(moment.timestamp_micros().to_be_bytes());
    for bytes in covered {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    }
    hash.finalize().to_vec()
}
