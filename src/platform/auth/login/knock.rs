//! The extractor that handlers for everybody take where somebody tries to come in: how often an address may.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::platform::auth::login::Logins;
use crate::platform::web::codes;
use crate::platform::web::problem::Problem;
use crate::platform::web::rate::{RateLimit, RateSettings};

const FORWARDED_FOR: &str = "x-forwarded-for";
/// The bits of an address of version 6 that one household shares.
const SHARED_BITS: u32 = 64;

/// How often an address may try to come in.
#[derive(Clone, Copy, Debug)]
pub struct KnockRules {
    /// How often.
    pub rate: RateSettings,
    /// How many proxies of the operator's stand before the server: what they say of addresses is believed, and nothing else.
    pub proxies: usize,
}

impl Default for KnockRules {
    /// Twenty at once, then one a second.
    fn default() -> Self {
        Self { rate: RateSettings { per_second: 1, burst: 20 }, proxies: 0 }
    }
}

/// Counts who tries to come in, by address.
pub(super) struct Knocks {
    limit: Option<RateLimit<IpAddr>>,
    proxies: usize,
}

impl Knocks {
    pub(super) fn new(rules: KnockRules) -> Self {
        Self { limit: RateLimit::new(rules.rate), proxies: rules.proxies }
    }

    pub(super) fn forget_idle(&self) {
        if let Some(limit) = &self.limit {
            limit.forget_idle();
        }
    }
}

/// Somebody who may try.
#[derive(Clone, Copy, Debug)]
pub struct Knock;

impl FromRequest for Knock {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(knock(request))
    }
}

fn knock(request: &HttpRequest) -> Result<Knock, Problem> {
    let logins = request
        .app_data::<Data<Logins>>()
        .ok_or_else(|| Problem::of(&codes::INTERNAL).because("the application has no Data<Logins>"))?;
    let knocks = &logins.knocks;
    let peer = request.peer_addr().map(|address| address.ip());
    let told = request.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let address = address_of(peer, told, knocks.proxies);
    let (Some(limit), Some(address)) = (&knocks.limit, address) else { return Ok(Knock) };
    match limit.check(&household(address)) {
        Ok(state) => {
            request.extensions_mut().insert(state);
            Ok(Knock)
        }
        Err((state, problem)) => {
            request.extensions_mut().insert(state);
            Err(problem)
        }
    }
}

/// Who calls: the peer, or, behind proxies, whom the first of those that are believed saw. What stands before that anybody can
/// have written.
fn address_of<'a>(peer: Option<IpAddr>, told: impl Iterator<Item = &'a str>, proxies: usize) -> Option<IpAddr> {
    let Some(place) = proxies.checked_sub(1) else { return peer };
    let told: Vec<&str> = told.flat_map(|line| line.split(',')).map(str::trim).collect();
    told.iter().rev().nth(place).and_then(|text| text.parse().ok()).or(peer)
}

fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> SHARED_BITS << SHARED_BITS)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proxies_say_is_believed_as_far_as_there_are_any() {
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        let of = |told: &[&str], proxies| address_of(Some(peer), told.iter().copied(), proxies).unwrap().to_string();
        assert_eq!(of(&["1.1.1.1"], 0), "10.0.0.1");
        assert_eq!(of(&["6.6.6.6, 1.1.1.1"], 1), "1.1.1.1");
        assert_eq!(of(&["6.6.6.6", "1.1.1.1, 10.0.0.2"], 2), "1.1.1.1");
        assert_eq!(of(&[], 1), "10.0.0.1");
        assert_eq!(of(&["nonsense"], 1), "10.0.0.1");
        let same = |a: &str, b: &str| household(a.parse().unwrap()) == household(b.parse().unwrap());
        assert!(same("2a00:1450::1", "2a00:1450::2:1") && !same("2a00:1450::1", "2a00:1450:0:1::1"));
        assert!(same("::ffff:1.1.1.1", "1.1.1.1") && !same("1.1.1.1", "1.1.1.2"));
    }
}
