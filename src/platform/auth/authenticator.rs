//! Credential → programme: one cached look-up, one hash.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use moka::future::Cache;
use tokio::time::sleep;

use crate::kernel::scope::{Principal, ProgramScope};
use crate::platform::auth::error::{CREDENTIAL_INVALID, CREDENTIAL_MISSING};
use crate::platform::auth::key::{KeyId, KeyToken};
use crate::platform::auth::scopes::Scopes;
use crate::platform::auth::store::{KnownKey, bump_last_use, find_known};
use crate::platform::db::{Db, DbError};
use crate::platform::web::problem::Problem;
use crate::platform::web::rate::{RateLimit, RateSettings, RateState};

/// How long a key is believed without asking the database, in seconds: how late a revocation or expiry is noticed
/// by another process at most.
pub const KEY_CACHE_S: u64 = 5;
/// The most keys, known and unknown, that are remembered.
const KEY_CACHE_ENTRIES_MAX: u64 = 10_000;

const CHALLENGE: &str = "Bearer realm=\"perennial\"";
const CHALLENGE_INVALID: &str = "Bearer realm=\"perennial\", error=\"invalid_token\"";

/// Lets callers in. One a process, as `web::Data<Authenticator>`.
pub struct Authenticator {
    db: Db,
    known: Cache<KeyId, Option<Arc<KnownKey>>>,
    rate: Option<RateLimit<KeyId>>,
}

/// Somebody who was let in, before it is known what for.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) scope: ProgramScope,
    pub(super) scopes: Scopes,
    pub(super) id: KeyId,
}

impl Authenticator {
    /// An authenticator over the database's keys.
    pub fn new(db: Db, rate: RateSettings) -> Self {
        let known =
            Cache::builder().max_capacity(KEY_CACHE_ENTRIES_MAX).time_to_live(Duration::from_secs(KEY_CACHE_S)).build();
        Self { db, known, rate: RateLimit::new(rate) }
    }

    /// Forgets a key at once, in this process.
    pub(super) async fn forget(&self, id: KeyId) {
        self.known.invalidate(&id).await;
    }

    /// Frees what the rate limit remembers of those who have been quiet; call it now and then.
    pub fn forget_idle(&self) {
        if let Some(rate) = &self.rate {
            rate.forget_idle();
        }
    }

    /// Checks an `Authorization` header.
    ///
    /// # Errors
    /// 401 without a good key, 503 when the database cannot be asked.
    pub(super) async fn admit(&self, header: Option<&str>) -> Result<Admitted, Problem> {
        let presented = header.ok_or_else(missing)?;
        let token = bearer(presented).and_then(KeyToken::parse).ok_or_else(invalid)?;
        let (known, fresh) = self.find(token.id()).await?;
        // Before it is looked at: an unknown id costs the same time as a wrong secret.
        let hash = token.hash();
        let known = known.filter(|known| known.hash.is(&hash)).ok_or_else(invalid)?;
        if fresh {
            self.record_use(token.id()).await;
        }
        let principal = Principal::Key(token.id().as_str().to_owned());
        Ok(Admitted { scope: ProgramScope::new(known.program, principal), scopes: known.scopes, id: token.id() })
    }

    /// Counts a request of somebody who was let in; `None` when there is no limit.
    pub(super) fn count(&self, id: KeyId) -> Option<Result<RateState, (RateState, Problem)>> {
        self.rate.as_ref().map(|rate| rate.check(&id))
    }

    /// Counts one more request for a call that is worth several, waiting for its turn instead of refusing it.
    pub async fn count_more(&self, id: KeyId) {
        while let Some(wait) = self.rate.as_ref().and_then(|rate| rate.wait(&id)) {
            sleep(wait).await;
        }
    }

    /// The key, and whether this call asked the database.
    async fn find(&self, id: KeyId) -> Result<(Option<Arc<KnownKey>>, bool), Problem> {
        if let Some(known) = self.known.get(&id).await {
            return Ok((known, false));
        }
        // Of all who wait for the answer, one is the first: it alone writes the use down.
        let entry = self.known.entry(id).or_try_insert_with(self.read(id)).await?;
        let fresh = entry.is_fresh();
        Ok((entry.into_value(), fresh))
    }

    async fn read(&self, id: KeyId) -> Result<Option<Arc<KnownKey>>, DbError> {
        let mut conn = self.db.conn().await?;
        Ok(find_known(&mut conn, id).await?.map(Arc::new))
    }

    // A read-only standby cannot write it down, and a caller does not care.
    async fn record_use(&self, id: KeyId) {
        let recorded = async { Ok::<_, DbError>(bump_last_use(&mut *self.db.conn().await?, id).await?) };
        if let Err(error) = recorded.await {
            tracing::warn!(key.id = %id, error = error.chain(), "the last use of a key was not recorded");
        }
    }
}

pub(super) fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn missing() -> Problem {
    Problem::of(&CREDENTIAL_MISSING).header(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))
}

fn invalid() -> Problem {
    Problem::of(&CREDENTIAL_INVALID).header(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE_INVALID))
}
