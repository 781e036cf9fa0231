//! How members sign in with a password, and get one.

use chrono::TimeDelta;
use diesel::result::Error as QueryError;
use diesel_async::{AsyncConnection, AsyncPgConnection};

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId};
use crate::kernel::scope::{Principal, ProgramScope};
use crate::platform::auth::login::knock::{KnockRules, Knocks};
use crate::platform::auth::login::password::{Hasher, Password, TooBusy};
use crate::platform::auth::login::reset::ResetToken;
use crate::platform::auth::login::store::{Login, delete_login, lock_login, save_login};
use crate::platform::auth::session::clock;
use crate::platform::db::{Db, DbError};
use crate::platform::entropy::{NoEntropy, secret};

/// How long a reset token is good, in seconds.
pub const RESET_S: i64 = 60 * 60;
/// After so many wrong passwords one after the other nobody comes in for a while.
const FREE_TRIES: i32 = 5;
/// How long that while is at first, in seconds; it doubles with each further wrong one,
const WAIT_S: i64 = 2;
/// up to this.
const WAIT_S_MAX: i64 = 15 * 60;

/// A reset token, and until when it is good.
#[derive(Debug)]
pub struct Reset {
    /// The token.
    pub token: ResetToken,
    /// The first instant at which it is not good.
    pub expires_at: Instant,
}

/// Why nobody is signed in, or no password set.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The password is not the member's, or there were too many wrong ones just now: which, is not told.
    #[error("wrong e-mail or password")]
    Wrong,
    /// The reset token is wrong, used or over.
    #[error("the reset token is not valid")]
    NotValid,
    /// Too many sign in at once.
    #[error("too many sign in at once")]
    Busy,
    /// No randomness, so no secret.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<QueryError> for LoginError {
    fn from(error: QueryError) -> Self {
        Self::Db(error.into())
    }
}

impl From<TooBusy> for LoginError {
    fn from(TooBusy: TooBusy) -> Self {
        Self::Busy
    }
}

/// The logins of all members. One a process, as `web::Data<Logins>`.
pub struct Logins {
    db: Db,
    lanes: LaneCount,
    hasher: Hasher,
    pub(super) knocks: Knocks,
}

impl Logins {
    /// The logins of a database.
    pub fn new(db: Db, lanes: LaneCount, knocks: KnockRules) -> Self {
        Self { db, lanes, hasher: Hasher::new(), knocks: Knocks::new(knocks) }
    }

    /// Frees what the rate limit remembers of addresses that have been quiet; call it now and then.
    pub fn forget_idle(&self) {
        self.knocks.forget_idle();
    }

    /// The scope of somebody who is about to sign in to a programme.
    pub fn visitor(program: ProgramId) -> ProgramScope {
        ProgramScope::new(program, Principal::Visitor)
    }

    /// Lets a member set a password who proves by a token to be the one; an earlier token is good no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn offer_reset(&self, scope: &ProgramScope, member: MemberId) -> Result<Reset, LoginError> {
        let token = ResetToken::new(member, secret()?);
        let (mut conn, lanes) = (self.db.conn().await?, self.lanes);
        conn.transaction(async |conn| {
            let expires_at = clock(conn).await? + TimeDelta::seconds(RESET_S);
            let login = own(conn, lanes, (scope.program(), member)).await?;
            let login = login.unwrap_or_else(|| Login::new(scope.program()));
            save_login(conn, lanes, member, &Login { reset: Some((token.hash(), expires_at)), ..login }).await?;
            Ok::<_, LoginError>(Reset { token: token.clone(), expires_at })
        })
        .await
    }

    /// Sets the password of whoever has the token, which is used up by it; the programme.
    ///
    /// # Errors
    /// `NotValid`, `Busy`, or when the database fails.
    pub async fn reset(&self, presented: &ResetToken, password: &Password) -> Result<ProgramScope, LoginError> {
        let member = presented.member;
        // Before a password is worked out for it, which is what somebody without a token might be after.
        let login = self.redeemed(presented, None).await?;
        let kept = self.hasher.hash(password).await?;
        self.redeemed(presented, Some(kept)).await?;
        Ok(ProgramScope::new(login.program, Principal::Member(member)))
    }

    /// Whether a password is the member's, or nobody's where there is no such member; how long it takes says nothing of that.
    ///
    /// # Errors
    /// `Wrong`, `Busy`, or when the database fails.
    pub async fn check(
        &self,
        scope: &ProgramScope,
        member: Option<MemberId>,
        password: &Password,
    ) -> Result<MemberId, LoginError> {
        let (mut conn, lanes) = (self.db.conn().await?, self.lanes);
        let found = match member {
            Some(member) => {
                let at = clock(&mut conn).await?;
                let login = own(&mut conn, lanes, (scope.program(), member)).await?;
                login.filter(|login| waits_until(login).is_none_or(|until| until <= at)).map(|login| (member, login))
            }
            None => None,
        };
        // Nobody holds a connection while a password is worked out.
        drop(conn);
        let kept = found.as_ref().and_then(|(_, login)| login.password.clone());
        let is = self.hasher.is(password, kept).await?;
        let Some((member, _)) = found else { return Err(LoginError::Wrong) };
        if self.note(scope, member, is).await? { Ok(member) } else { Err(LoginError::Wrong) }
    }

    /// Sets another password.
    ///
    /// # Errors
    /// `Busy`, or when the database fails.
    pub async fn set(&self, scope: &ProgramScope, member: MemberId, password: &Password) -> Result<(), LoginError> {
        let kept = self.hasher.hash(password).await?;
        let (mut conn, lanes) = (self.db.conn().await?, self.lanes);
        conn.transaction(async |conn| {
            let login = own(conn, lanes, (scope.program(), member)).await?;
            let login = login.unwrap_or_else(|| Login::new(scope.program()));
            save_login(conn, lanes, member, &Login { password: Some(kept.clone()), ..login }).await?;
            Ok::<_, LoginError>(())
        })
        .await
    }

    /// Forgets the password of a member, and every token to set one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, scope: &ProgramScope, member: MemberId) -> Result<(), LoginError> {
        let mut conn = self.db.conn().await?;
        Ok(delete_login(&mut conn, self.lanes, (scope, member)).await?)
    }

    /// The login of whoever has the token; with a password it gets that, and the token is used up.
    async fn redeemed(&self, presented: &ResetToken, kept: Option<String>) -> Result<Login, LoginError> {
        let (mut conn, lanes, member) = (self.db.conn().await?, self.lanes, presented.member);
        conn.transaction(async |conn| {
            let login = lock_login(conn, lanes, member).await?.ok_or(LoginError::NotValid)?;
            let at = clock(conn).await?;
            let good = |(hash, expires_at): (_, Instant)| at < expires_at && presented.hash().is(&hash);
            if !login.reset.is_some_and(good) {
                return Err(LoginError::NotValid);
            }
            if let Some(kept) = &kept {
                let set = Login { password: Some(kept.clone()), ..Login::new(login.program) };
                save_login(conn, lanes, member, &set).await?;
            }
            Ok(login)
        })
        .await
    }

    /// Counts a wrong password, or forgets those before a good one; whether the member comes in. Not after too many wrong ones
    /// that were tried at the same time: whoever tries many at once has no more tries.
    async fn note(&self, scope: &ProgramScope, member: MemberId, is: bool) -> Result<bool, LoginError> {
        let (mut conn, lanes) = (self.db.conn().await?, self.lanes);
        conn.transaction(async |conn| {
            let Some(login) = own(conn, lanes, (scope.program(), member)).await? else { return Ok(false) };
            let at = clock(conn).await?;
            if waits_until(&login).is_some_and(|until| until > at) {
                return Ok(false);
            }
            if is && login.failures == 0 {
                return Ok(true);
            }
            let (failures, failed_at) = if is { (0, None) } else { (login.failures.saturating_add(1), Some(at)) };
            save_login(conn, lanes, member, &Login { failures, failed_at, ..login }).await?;
            Ok::<_, LoginError>(is)
        })
        .await
    }
}

/// A login of the programme.
async fn own(
    conn: &mut AsyncPgConnection,
    lanes: LaneCount,
    (program, member): (ProgramId, MemberId),
) -> Result<Option<Login>, QueryError> {
    Ok(lock_login(conn, lanes, member).await?.filter(|login| login.program == program))
}

/// Until when nobody comes in after too many wrong passwords.
fn waits_until(login: &Login) -> Option<Instant> {
    let over = u32::try_from(login.failures.saturating_sub(FREE_TRIES)).ok()?;
    let wait = WAIT_S.saturating_mul(2_i64.saturating_pow(over)).min(WAIT_S_MAX);
    login.failed_at.map(|failed_at| failed_at + TimeDelta::seconds(wait))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_wait_grows_with_each_wrong_password_and_ends_growing() {
        let at = |second: i64| Instant::from_timestamp(1_800_000_000 + second, 0).unwrap();
        let waits = |failures: i32| {
            let failed_at = (failures > 0).then(|| at(0));
            let login = Login { failures, failed_at, ..Login::new(ProgramId(Uuid::nil())) };
            waits_until(&login).map(|until| (until - at(0)).num_seconds())
        };
        assert_eq!([0, 1, 4].map(waits), [None; 3]);
        assert_eq!([5, 6, 7, 13].map(waits), [Some(2), Some(4), Some(8), Some(512)]);
        assert_eq!([14, 100, i32::MAX].map(waits), [Some(900); 3]);
    }
}
