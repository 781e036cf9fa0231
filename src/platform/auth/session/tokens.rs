//! How sessions begin, go on and end, and who is let in by a token of one.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::result::Error as QueryError;
use diesel_async::AsyncConnection;
use moka::future::Cache;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant as Started;

use crate::kernel::clock::Instant;
use crate::kernel::id::{LaneCount, MemberId, ProgramId};
use crate::kernel::scope::{Principal, ProgramScope};
use crate::platform::audit::{Action, record};
use crate::platform::auth::session::claims::{ACCESS_S, Claims, SESSION_IDLE_D, SESSION_LONGEST_D};
use crate::platform::auth::session::keyring::{KeySet, Keyring};
use crate::platform::auth::session::refresh::RefreshToken;
use crate::platform::auth::session::store::{
    Session, SessionKey, clock, delete_session, delete_sessions, find_alive, insert_session, lock_session,
    refresh_session,
};
use crate::platform::db::{Db, DbError};
use crate::platform::entropy::{NoEntropy, secret, uuid_v7};
use crate::platform::web::problem::Problem;
use crate::platform::web::rate::{RateLimit, RateSettings, RateState};

/// How long a session is believed to go on without asking the database, in seconds: how late its end is noticed by
/// another process at most.
pub const SESSION_CACHE_S: u64 = 5;
/// On how many devices a member can be signed in; one more ends the one that was quiet for longest.
pub const SESSIONS_PER_MEMBER_MAX: i64 = 20;
/// The most tokens, and the most sessions, that are remembered.
const REMEMBERED_MAX: u64 = 100_000;

/// What somebody who signed in gets.
#[derive(Debug)]
pub struct Tokens {
    /// Whose they are.
    pub member: MemberId,
    /// A signed token, good for [`ACCESS_S`].
    pub access: String,
    /// What the next ones are asked for with.
    pub refresh: RefreshToken,
    /// When the session is over unless it is refreshed.
    pub expires_at: Instant,
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The refresh token is wrong, used, or of a session that is over.
    #[error("the refresh token is not valid")]
    NotValid,
    /// The process has no keys to sign with.
    #[error("there are no keys to sign tokens with")]
    NoKeys,
    /// No randomness, so no secret.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl From<QueryError> for SessionError {
    fn from(error: QueryError) -> Self {
        Self::Db(error.into())
    }
}

/// A session that went on when it was last looked at.
#[derive(Clone, Copy, Debug)]
struct Looked {
    program: ProgramId,
    /// Postgres's clock then,
    at: Instant,
    /// and when that was.
    since: Started,
}

impl Looked {
    /// Postgres's clock now, without asking it.
    fn now(self) -> Instant {
        TimeDelta::from_std(self.since.elapsed()).map_or(self.at, |passed| self.at + passed)
    }
}

/// The sessions of all members. One a process, as `web::Data<Sessions>`.
pub struct Sessions {
    db: Db,
    lanes: LaneCount,
    keyring: Option<Keyring>,
    /// Tokens that one of the keys signed, by their digest.
    signed: Cache<[u8; 32], Arc<Claims>>,
    /// `None`: it is over.
    looked: Cache<SessionKey, Option<Looked>>,
    rate: Option<RateLimit<MemberId>>,
}

impl Sessions {
    /// The sessions of a database. Without keys nobody is signed in.
    pub fn new(db: Db, lanes: LaneCount, keyring: Option<Keyring>, rate: RateSettings) -> Self {
        let signed = Cache::builder().max_capacity(REMEMBERED_MAX);
        let signed = signed.time_to_live(Duration::from_secs(ACCESS_S.unsigned_abs())).build();
        let looked = Cache::builder().max_capacity(REMEMBERED_MAX);
        let looked = looked.time_to_live(Duration::from_secs(SESSION_CACHE_S)).build();
        Self { db, lanes, keyring, signed, looked, rate: RateLimit::new(rate) }
    }

    /// Begins a session of a member, whom the caller knows to be one of the programme.
    ///
    /// # Errors
    /// `NoKeys`, or when the database fails.
    pub async fn begin(&self, scope: &ProgramScope, member: MemberId) -> Result<Tokens, SessionError> {
        let keyring = self.keyring()?;
        let key = SessionKey { member, session: uuid_v7() };
        let refresh = RefreshToken::new(member, key.session, secret()?);
        let mut conn = self.db.conn().await?;
        let lanes = self.lanes;
        let session = conn.transaction(async |conn| {
            let at = clock(conn).await?;
            delete_sessions(conn, lanes, (scope, member), SESSIONS_PER_MEMBER_MAX - 1, at).await?;
            let (program, secret, expires_at) = (scope.program(), refresh.hash(), ends_at(at, at));
            let session = Session { program, secret, created_at: at, refreshed_at: at, expires_at };
            insert_session(conn, lanes, key, &session).await?;
            Ok::<_, SessionError>(session)
        });
        tokens(keyring, key, refresh.clone(), &session.await?)
    }

    /// Goes on with a session: the token that is presented is used up by it. One that was used up before, or never was one
    /// of the session, ends it: somebody else has it, too.
    ///
    /// # Errors
    /// `NotValid`, `NoKeys`, or when the database fails.
    pub async fn refresh(&self, presented: &RefreshToken) -> Result<Tokens, SessionError> {
        let keyring = self.keyring()?;
        let key = SessionKey { member: presented.member, session: presented.session };
        let refresh = RefreshToken::new(key.member, key.session, secret()?);
        let mut conn = self.db.conn().await?;
        let lanes = self.lanes;
        let session = conn.transaction(async |conn| {
            let Some(session) = lock_session(conn, lanes, key).await? else { return Ok(None) };
            let at = clock(conn).await?;
            if session.expires_at <= at || !session.secret.is(&presented.hash()) {
                delete_session(conn, lanes, key).await?;
                if session.expires_at > at {
                    let scope = ProgramScope::new(session.program, Principal::Member(key.member));
                    let detail = json!({ "member": key.member });
                    record(conn, &scope, Action("session.reused"), &key.session.to_string(), &detail).await?;
                }
                return Ok(None);
            }
            let expires_at = ends_at(session.created_at, at);
            let next = Session { secret: refresh.hash(), refreshed_at: at, expires_at, ..session };
            refresh_session(conn, lanes, key, &next).await?;
            Ok::<_, SessionError>(Some(next))
        });
        match session.await? {
            Some(session) => tokens(keyring, key, refresh.clone(), &session),
            None => {
                self.looked.invalidate(&key).await;
                Err(SessionError::NotValid)
            }
        }
    }

    /// Ends the session of a refresh token; of one that is none any more nothing is told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&self, presented: &RefreshToken) -> Result<(), SessionError> {
        let key = SessionKey { member: presented.member, session: presented.session };
        let mut conn = self.db.conn().await?;
        let lanes = self.lanes;
        conn.transaction(async |conn| {
            let session = lock_session(conn, lanes, key).await?;
            if session.is_some_and(|session| session.secret.is(&presented.hash())) {
                delete_session(conn, lanes, key).await?;
            }
            Ok::<_, SessionError>(())
        })
        .await?;
        self.looked.invalidate(&key).await;
        Ok(())
    }

    /// Ends all sessions of a member.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_all(&self, scope: &ProgramScope, member: MemberId) -> Result<(), SessionError> {
        let mut conn = self.db.conn().await?;
        let at = clock(&mut conn).await?;
        for session in delete_sessions(&mut conn, self.lanes, (scope, member), 0, at).await? {
            self.looked.invalidate(&SessionKey { member, session }).await;
        }
        Ok(())
    }

    /// What others check tokens with; empty where nothing is signed.
    pub(super) fn public_keys(&self) -> KeySet {
        self.keyring.as_ref().map_or_else(|| KeySet { keys: Vec::new() }, Keyring::public)
    }

    /// Reads the keys again, and frees what the rate limit remembers of those who have been quiet; call it now and then.
    pub fn keep_up(&self) {
        if let Some(Err(error)) = self.keyring.as_ref().map(Keyring::reread) {
            tracing::warn!(%error, "the keys of tokens were not read again");
        }
        if let Some(rate) = &self.rate {
            rate.forget_idle();
        }
    }

    /// Who is signed in by an access token, if it is good.
    ///
    /// # Errors
    /// 503 when the database cannot be asked.
    pub(super) async fn find(&self, token: &str) -> Result<Option<(ProgramScope, MemberId)>, Problem> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let claims = match self.signed.get(&digest).await {
            Some(claims) => claims,
            None => {
                let Some(claims) = self.keyring.as_ref().and_then(|keyring| keyring.check(token)) else {
                    return Ok(None);
                };
                let claims = Arc::new(claims);
                self.signed.insert(digest, Arc::clone(&claims)).await;
                claims
            }
        };
        let key = SessionKey { member: claims.sub, session: claims.sid };
        // Of all who wait for the answer, one asks.
        let looked = self.looked.entry(key).or_try_insert_with(self.look(key)).await?.into_value();
        let good = |looked: &Looked| looked.program == claims.program && claims.good_for_s(looked.now()).is_some();
        Ok(looked.filter(good).map(|looked| {
            let scope = ProgramScope::new(looked.program, Principal::Member(key.member));
            (scope, key.member)
        }))
    }

    /// Counts a request of a member; `None` when there is no limit.
    pub(super) fn count(&self, member: MemberId) -> Option<Result<RateState, (RateState, Problem)>> {
        self.rate.as_ref().map(|rate| rate.check(&member))
    }

    async fn look(&self, key: SessionKey) -> Result<Option<Looked>, DbError> {
        let since = Started::now();
        let found = find_alive(&mut *self.db.conn().await?, self.lanes, key).await?;
        Ok(found.map(|(program, at)| Looked { program, at, since }))
    }

    /// Asked before anything is done: without keys a session would begin, or use up a token, for nothing.
    fn keyring(&self) -> Result<&Keyring, SessionError> {
        self.keyring.as_ref().ok_or(SessionError::NoKeys)
    }
}

fn tokens(
    keyring: &Keyring,
    key: SessionKey,
    refresh: RefreshToken,
    session: &Session,
) -> Result<Tokens, SessionError> {
    let claims = Claims::new(session.program, key.member, key.session, session.refreshed_at);
    let access = keyring.sign(&claims, session.refreshed_at).ok_or(SessionError::NoKeys)?;
    Ok(Tokens { member: key.member, access, refresh, expires_at: session.expires_at })
}

fn ends_at(created_at: Instant, at: Instant) -> Instant {
    (at + TimeDelta::days(SESSION_IDLE_D)).min(created_at + TimeDelta::days(SESSION_LONGEST_D))
}
