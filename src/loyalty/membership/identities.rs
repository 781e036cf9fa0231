//! Who is meant: identities looked up once and remembered, since the posting checks them again under its lock.

use moka::future::Cache;

use crate::kernel::id::MemberId;
use crate::kernel::scope::ProgramScope;
use crate::loyalty::members::model::Identity;
use crate::loyalty::membership::store::find_owner;
use crate::platform::db::{Db, DbError};

/// The most identities that a process remembers.
const IDENTITIES_MAX: u64 = 200_000;

/// What this process knows of who owns which identity. May be out of date: a posting says `MemberMoved` then.
#[derive(Clone)]
pub struct Identities {
    known: Cache<Identity, MemberId>,
}

impl Default for Identities {
    fn default() -> Self {
        Self { known: Cache::new(IDENTITIES_MAX) }
    }
}

impl Identities {
    /// Who owns an identity, as far as it is known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, db: &Db, scope: &ProgramScope, identity: &Identity) -> Result<Option<MemberId>, DbError> {
        if let Some(member) = self.known.get(identity).await {
            return Ok(Some(member));
        }
        let found = find_owner(&*db.conn().await?, scope, identity).await?;
        if let Some(member) = found {
            self.known.insert(identity.clone(), member).await;
        }
        Ok(found)
    }

    /// Who owns an identity, if this process knows.
    pub async fn known(&self, identity: &Identity) -> Option<MemberId> {
        self.known.get(identity).await
    }

    /// Remembers who owns an identity.
    pub async fn remember(&self, identity: Identity, member: MemberId) {
        self.known.insert(identity, member).await;
    }

    /// Who owns an identity, asked anew.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_again(
        &self,
        db: &Db,
        scope: &ProgramScope,
        identity: &Identity,
    ) -> Result<Option<MemberId>, DbError> {
        self.known.invalidate(identity).await;
        self.find(db, scope, identity).await
    }
}
