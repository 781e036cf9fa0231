//! Rate limits, and the headers that say how much is left.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::platform::web::codes;
use crate::platform::web::problem::Problem;

/// How often each credential may call; refilled evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// Requests per second; 0 is no limit at all.
    pub per_second: u32,
    /// Requests that may come at once after a quiet time; taken as `per_second` when less.
    pub burst: u32,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self { per_second: 2_000, burst: 4_000 }
    }
}

/// Counts the requests of each `K`, in this process.
pub struct RateLimit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    per_second: u32,
    burst: u32,
    policy: HeaderValue,
}

/// What is left after a request; `edge` tells it in headers.
#[derive(Clone, Debug)]
pub struct RateState {
    remaining: u32,
    reset_s: u32,
    policy: HeaderValue,
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// A limit; `None` when the settings want none.
    pub fn new(settings: RateSettings) -> Option<Self> {
        let per_second = NonZeroU32::new(settings.per_second)?;
        let burst = per_second.max(NonZeroU32::new(settings.burst).unwrap_or(per_second));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::hashmap(quota).with_middleware::<StateInformationMiddleware>();
        let window_s = burst.get().div_ceil(per_second.get());
        let policy = HeaderValue::from_str(&format!("\"key\";q={burst};w={window_s}")).ok()?;
        Some(Self { limiter, per_second: per_second.get(), burst: burst.get(), policy })
    }

    /// Counts one request.
    ///
    /// # Errors
    /// What is left, and a problem with `Retry-After`, when it is one too many.
    pub fn check(&self, key: &K) -> Result<RateState, (RateState, Problem)> {
        match self.limiter.check_key(key) {
            Ok(snapshot) => Ok(self.state(snapshot.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                // Up, not down: who comes back too early is refused once more.
                let retry_s = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
                let problem = Problem::of(&codes::RATE_LIMITED)
                    .detail(format!("at most {} requests per second", self.per_second))
                    .header(RETRY_AFTER, HeaderValue::from(retry_s))
                    .with("retry_after_s", retry_s);
                Err((self.state(0), problem))
            }
        }
    }

    /// Counts one more request of a call that is worth several; how long to wait first when it is one too many.
    pub fn wait(&self, key: &K) -> Option<Duration> {
        let refused = self.limiter.check_key(key).err();
        refused.map(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets who has been quiet for so long that it makes no difference.
    pub fn forget_idle(&self) {
        self.limiter.retain_recent();
    }

    fn state(&self, remaining: u32) -> RateState {
        let reset_s = self.burst.saturating_sub(remaining).div_ceil(self.per_second);
        RateState { remaining, reset_s, policy: self.policy.clone() }
    }
}

impl RateState {
    /// Writes `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(RATE_LIMIT_POLICY, self.policy.clone());
        let state = format!("\"key\";r={};t={}", self.remaining, self.reset_s);
        if let Ok(state) = HeaderValue::from_str(&state) {
            headers.insert(RATE_LIMIT, state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_in_and_the_next_one_is_told_when_to_come_back() {
        let limit = RateLimit::new(RateSettings { per_second: 1, burst: 2 }).unwrap();
        assert_eq!(limit.check(&"a").unwrap().remaining, 1);
        assert_eq!(limit.check(&"a").unwrap().remaining, 0);
        let (state, problem) = limit.check(&"a").unwrap_err();
        assert_eq!(problem.kind(), &codes::RATE_LIMITED);
        assert_eq!(problem.response(None).headers().get(RETRY_AFTER).unwrap(), "1");
        let mut headers = HeaderMap::new();
        state.write(&mut headers);
        assert_eq!(headers.get("ratelimit").unwrap(), "\"key\";r=0;t=2");
        assert_eq!(headers.get("ratelimit-policy").unwrap(), "\"key\";q=2;w=2");
        assert_eq!(limit.check(&"b").unwrap().remaining, 1, "others are not touched");
    }

    #[test]
    fn a_call_that_is_worth_several_is_told_how_long_to_wait() {
        let limit = RateLimit::new(RateSettings { per_second: 1, burst: 2 }).unwrap();
        assert!(limit.check(&"a").is_ok());
        assert_eq!(limit.wait(&"a"), None);
        let wait = limit.wait(&"a").unwrap();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(limit.check(&"a").is_err(), "what it took is taken");
    }

    #[test]
    fn zero_is_no_limit() {
        assert!(RateLimit::<u8>::new(RateSettings { per_second: 0, burst: 5 }).is_none());
    }
}
