//! Where somebody wants to be told.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::platform::webhooks::address::Reach;

/// The longest address, in characters.
pub const URL_CHARS_MAX: usize = 2_000;

/// An address that may be told something, as far as it says itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUrl(Url);

impl HookUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// What it has to be.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "an absolute URL")?;
        let bare = url.host_str().ok_or("a URL with a host")?;
        let bare = bare.trim_start_matches('[').trim_end_matches(']');
        let address: Option<IpAddr> = bare.parse().ok();
        let local = bare == "localhost" || address.is_some_and(|address| address.is_loopback());
        if text.chars().count() > URL_CHARS_MAX {
            return Err("at most 2000 characters");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL without a user in it: deliveries are signed");
        }
        if address.is_some_and(|address| !reach.has(address)) || (local && reach == Reach::Public) {
            return Err("an address that is public");
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if local => Ok(Self(url)),
            _ => Err("https"),
        }
    }

    /// As it is asked.
    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_over_tls_are_told() {
        let public = |text: &str| HookUrl::parse(text, Reach::Public);
        assert!(public("https://hooks.example/x?y=1").is_ok());
        assert!(public("https://1.1.1.1/x").is_ok());
        for (text, wants) in [
            ("/x", "an absolute URL"),
            ("mailto:a@b.example", "a URL with a host"),
            ("http://hooks.example/x", "https"),
            ("ftp://hooks.example/x", "https"),
            ("https://ana:secret@hooks.example/", "a URL without a user in it: deliveries are signed"),
            ("https://127.0.0.1/", "an address that is public"),
            ("https://[::1]/", "an address that is public"),
            ("https://[::ffff:10.0.0.1]/", "an address that is public"),
            ("https://0x7f000001/", "an address that is public"),
            ("https://2130706433/", "an address that is public"),
            ("https://169.254.169.254/latest", "an address that is public"),
            ("https://localhost/", "an address that is public"),
            ("http://localhost:8080/", "an address that is public"),
        ] {
            assert_eq!(public(text), Err(wants), "{text}");
        }
        assert!(HookUrl::parse("http://127.0.0.1:9000/x", Reach::Loopback).is_ok());
        assert!(HookUrl::parse("http://localhost:9000/x", Reach::Loopback).is_ok());
        assert_eq!(HookUrl::parse("http://hooks.example/", Reach::Loopback), Err("https"));
        assert_eq!(HookUrl::parse("https://10.0.0.1/", Reach::Loopback), Err("an address that is public"));
    }
}
