//! Reset tokens: `prp_<member>_<secret>`, of which only the secret's hash is kept.

use std::fmt;

use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::platform::auth::key::SecretHash;
use crate::platform::entropy::SECRET_BYTES;

const PREFIX: &str = "prp_";

/// A whole reset token; does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct ResetToken {
    /// Whose password it sets.
    pub member: MemberId,
    secret: [u8; SECRET_BYTES],
}

impl ResetToken {
    /// A token of a member's.
    pub fn new(member: MemberId, secret: [u8; SECRET_BYTES]) -> Self {
        Self { member, secret }
    }

    /// Reads a token; `None` when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (member, digits) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let mut secret = [0; SECRET_BYTES];
        hex::decode_to_slice(digits, &mut secret).ok()?;
        let member = (member.len() == 32).then(|| Uuid::try_parse(member).ok()).flatten()?;
        Some(Self { member: MemberId(member), secret })
    }

    /// What is stored of the secret: it is random, so a slow hash would buy nothing.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// The whole token, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.member.0.simple(), hex::encode(self.secret))
    }
}

impl fmt::Debug for ResetToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_token_is_read_as_it_was_shown_and_never_prints() {
        let token = ResetToken::new(MemberId(Uuid::from_u128(7)), [7; 32]);
        let shown = token.reveal();
        assert_eq!(ResetToken::parse(&shown), Some(token.clone()));
        assert!(!format!("{token:?}").contains("0707"));
        for bad in ["", "prp_", "prp__", &shown[1..], &shown[..shown.len() - 1], &format!("{shown}_"), "prp_é_é"] {
            assert_eq!(ResetToken::parse(bad), None, "{bad}");
        }
    }
}
