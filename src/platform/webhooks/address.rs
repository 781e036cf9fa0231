//! Which addresses are told anything: none inside, so that nobody reaches through us what they cannot reach themselves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// Where deliveries may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses, over TLS.
    Public,
    /// To this machine as well, plainly: for development.
    Loopback,
}

impl Reach {
    /// Whether an address may be told something.
    pub fn has(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self == Self::Loopback && address.is_loopback())
            || match address {
                IpAddr::V4(address) => is_public_v4(address),
                IpAddr::V6(address) => is_public_v6(address),
            }
    }
}

/// Source: the IANA special-purpose address registries; what is not globally reachable is not public.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast();
    let shared = a == 100 && b & 0xC0 == 64;
    let benchmarking = a == 198 && b & 0xFE == 18;
    let protocols = (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99);
    !(special || shared || benchmarking || protocols || a == 0 || a >= 240)
}

/// Global unicast alone, without what leads to an address of version 4 (NAT64, 6to4, Teredo) or is for documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let unicast = a & 0xE000 == 0x2000;
    let protocols = a == 0x2001 && b < 0x0200;
    let documents = (a, b) == (0x2001, 0x0DB8) || (a == 0x3FFF && b < 0x1000);
    unicast && !protocols && !documents && a != 0x2002
}

/// Resolves names to addresses that may be told something. What is connected to is what was looked at: a name that leads
/// elsewhere a moment later leads nowhere.
pub(super) struct Resolver(pub(super) Reach);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            let good: Vec<SocketAddr> = found.into_iter().filter(|address| reach.has(address.ip())).collect();
            if good.is_empty() {
                return Err("the name leads to no public address".into());
            }
            let addresses: Addrs = Box::new(good.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_is_reached() {
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!Reach::Public.has(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(Reach::Public.has(outside.parse().unwrap()), "{outside}");
        }
        assert!(Reach::Loopback.has("127.0.0.1".parse().unwrap()) && Reach::Loopback.has("::1".parse().unwrap()));
        assert!(!Reach::Loopback.has("10.0.0.1".parse().unwrap()));
    }
}
