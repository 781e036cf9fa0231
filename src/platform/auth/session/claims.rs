//! What an access token says, and for how long it does.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::clock::Instant;
use crate::kernel::id::{MemberId, ProgramId};

/// How long an access token is good, in seconds.
pub const ACCESS_S: i64 = 15 * 60;
/// After how many days without a refresh a session is over.
pub const SESSION_IDLE_D: i64 = 60;
/// After how many days a session is over however often it is refreshed.
pub const SESSION_LONGEST_D: i64 = 365;
/// Who signs.
pub const ISSUER: &str = "perennial";
/// For whom it is: members call this API with it.
pub const AUDIENCE: &str = "perennial:member";

/// The claims of an access token (RFC 7519); times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed it: [`ISSUER`].
    pub iss: String,
    /// For whom: [`AUDIENCE`].
    pub aud: String,
    /// The member.
    pub sub: MemberId,
    /// The programme.
    pub program: ProgramId,
    /// The session.
    pub sid: Uuid,
    /// When it was signed,
    pub iat: i64,
    /// from when on it is good,
    pub nbf: i64,
    /// and the first second at which it is not.
    pub exp: i64,
}

impl Claims {
    /// Those of a token that is signed now.
    pub fn new(program: ProgramId, member: MemberId, session: Uuid, now: Instant) -> Self {
        let iat = now.timestamp();
        let (iss, aud) = (ISSUER.to_owned(), AUDIENCE.to_owned());
        let exp = iat.saturating_add(ACCESS_S);
        Self { iss, aud, sub: member, program, sid: session, iat, nbf: iat, exp }
    }

    /// For how many more seconds it is good; `None` when it is not, or not yet.
    pub fn good_for_s(&self, now: Instant) -> Option<i64> {
        let now = now.timestamp();
        let lasts = self.exp.saturating_sub(self.iat);
        let good = self.nbf <= now && now < self.exp && (1..=ACCESS_S).contains(&lasts);
        good.then(|| self.exp.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_a_quarter_of_an_hour_and_no_longer() {
        let at = |second: i64| Instant::from_timestamp(1_800_000_000 + second, 0).unwrap();
        let (program, member) = (ProgramId(Uuid::from_u128(1)), MemberId(Uuid::from_u128(2)));
        let claims = Claims::new(program, member, Uuid::from_u128(3), at(0));
        assert_eq!(claims.good_for_s(at(-1)), None);
        assert_eq!((claims.good_for_s(at(0)), claims.good_for_s(at(899))), (Some(900), Some(1)));
        assert_eq!(claims.good_for_s(at(900)), None);
        let longer = Claims { exp: claims.exp + 1, ..claims };
        assert_eq!(longer.good_for_s(at(0)), None, "nobody here signs for longer");
    }
}
