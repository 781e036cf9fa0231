//! Refresh tokens: `prs_<member>_<session>_<secret>`, of which only the secret's hash is kept.

use std::fmt;

use uuid::Uuid;

use crate::kernel::id::MemberId;
use crate::platform::auth::key::SecretHash;
use crate::platform::entropy::SECRET_BYTES;

const PREFIX: &str = "prs_";

/// A whole refresh token; does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// Whose it is.
    pub member: MemberId,
    /// Of which session.
    pub session: Uuid,
    secret: [u8; SECRET_BYTES],
}

impl RefreshToken {
    /// A token of a session.
    pub fn new(member: MemberId, session: Uuid, secret: [u8; SECRET_BYTES]) -> Self {
        Self { member, session, secret }
    }

    /// Reads a token; `None` when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split('_');
        let (member, session, digits) = (parts.next()?, parts.next()?, parts.next()?);
        let id = |text: &str| (text.len() == 32).then(|| Uuid::try_parse(text).ok()).flatten();
        let mut secret = [0; SECRET_BYTES];
        hex::decode_to_slice(digits, &mut secret).ok()?;
        parts.next().is_none().then_some(())?;
        Some(Self { member: MemberId(id(member)?), session: id(session)?, secret })
    }

    /// What is stored of the secret: it is random, so a slow hash would buy nothing.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.secret)
    }

    /// The whole token, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}_{}", self.member.0.simple(), self.session.simple(), hex::encode(self.secret))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_read_as_it_was_shown_and_never_prints() {
        let token = RefreshToken::new(MemberId(Uuid::from_u128(7)), Uuid::from_u128(9), [7; 32]);
        let shown = token.reveal();
        assert_eq!(RefreshToken::parse(&shown), Some(token.clone()));
        assert!(!format!("{token:?}").contains("0707"));
        for bad in ["", "prs_", "prs___", &shown[1..], &shown[..shown.len() - 1], &format!("{shown}_"), "prs_é_é_é"]
        {
            assert_eq!(RefreshToken::parse(bad), None, "{bad}");
        }
    }
}
