//! Forgets a person everywhere: in this order, so that nobody acts for it meanwhile, and so that whoever was interrupted can
//! begin again.

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::ledger::error::LedgerRefusal;
use crate::loyalty::ledger::post::Ledger;
use crate::loyalty::ledger::queue::PostError;
use crate::loyalty::membership::store::with_merged;
use crate::loyalty::personal::erase::EraseMember;
use crate::loyalty::personal::store::blank_texts;
use crate::platform::auth::login::{LoginError, Logins};
use crate::platform::auth::session::{SessionError, Sessions};
use crate::platform::db::{Db, DbError};
use crate::platform::webhooks::deliveries::store::forget_member;

/// Why somebody is not forgotten, or not in full: it is asked for again.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// Signing the member out failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Forgetting its password did.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The ledger did not take it.
    #[error("the erasure was not posted")]
    Post(#[from] PostError<LedgerRefusal>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Who forgets.
#[derive(Clone, Copy)]
pub struct Forgetful<'a> {
    /// The database,
    pub db: &'a Db,
    /// the engine,
    pub ledger: &'a Ledger,
    /// the sessions
    pub sessions: &'a Sessions,
    /// and the passwords of members.
    pub logins: &'a Logins,
}

impl Forgetful<'_> {
    /// Forgets a member who goes on, with all who were merged into it. Answers whose accounts they were.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn forget(self, scope: &ProgramScope, member: MemberId) -> Result<Vec<MemberId>, ForgetError> {
        let lanes = self.ledger.lanes();
        let mut all = {
            let conn = self.db.conn().await?;
            with_merged(&conn, member, lanes).await.map_err(DbError::from)?
        };
        // Who goes on last: as long as it is there, all of them are found.
        all.reverse();
        for member in &all {
            self.sessions.end_all(scope, *member).await?;
            self.logins.forget(scope, *member).await?;
            self.ledger.post(scope, EraseMember { program: scope.program(), member: *member }).await?;
            let conn = self.db.conn().await?;
            blank_texts(&conn, *member, lanes).await.map_err(DbError::from)?;
            forget_member(&conn, member.lane(lanes), *member).await.map_err(DbError::from)?;
        }
        Ok(all)
    }
}
