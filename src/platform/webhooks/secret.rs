//! What deliveries are signed with. Source: Standard Webhooks 1.0.0, symmetric signatures.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;

use crate::platform::entropy::SECRET_BYTES;

const PREFIX: &str = "whsec_";
/// The name of the signature's kind: HMAC with SHA-256.
const KIND: &str = "v1";

/// A secret that a receiver shares with us; does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct HookSecret([u8; SECRET_BYTES]);

impl HookSecret {
    /// A secret of random bytes.
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// A stored one; `None` when it is of another length.
    pub(super) fn stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// As it is stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As the receiver gets it, once: `whsec_…`.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(self.0))
    }

    /// The signature of a delivery: of its id, the second at which it is sent, and the body.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp_s}.{body}").as_bytes());
        format!("{KIND},{}", BASE64.encode(tag))
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_signed_as_the_standard_says() {
        // openssl: printf 'evt_1.1700000000.{}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…07 -binary | base64
        let secret = HookSecret::new([7; SECRET_BYTES]);
        assert_eq!(secret.sign("evt_1", 1_700_000_000, "{}"), "v1,a1DASGgVAakARPzCBfaKZ61ux1lULadh72WCLbrcpuA=");
        assert_eq!(secret.reveal(), "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        assert!(!format!("{secret:?}").contains("Bwc"));
    }
}
