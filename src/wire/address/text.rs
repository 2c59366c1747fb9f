//! The text form of addresses.

use std::fmt;
use std::str::{FromStr, Split};

use super::{Address, AddressError, Component, DnsName, Host, Route};
use crate::identity::PeerId;

impl Address {
    /// Longest text that is looked at, in bytes. The longest address, relayed and behind a DNS name of
    /// 253 characters, has 403; rounded up.
    pub const MAX_TEXT_LEN: usize = 512;
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.len() > Self::MAX_TEXT_LEN {
            return Err(AddressError::TooLong {
                limit: Self::MAX_TEXT_LEN,
            });
        }
        if text.is_empty() {
            return Err(AddressError::Missing(Component::Slash));
        }
        let body = text
            .strip_prefix('/')
            .ok_or(AddressError::Unexpected(Component::Slash))?;
        let mut parts = Parts(body.split('/'));
        let host = parts.host()?;
        parts.keyword("udp", Component::Udp)?;
        let port = parts.value(Component::Port, parse_port)?;
        parts.keyword("quic-v1", Component::Quic)?;
        let route = parts.route()?;
        Ok(Self { host, port, route })
    }
}

/// The words between the slashes.
struct Parts<'a>(Split<'a, char>);

impl<'a> Parts<'a> {
    fn next(&mut self, expected: Component) -> Result<&'a str, AddressError> {
        self.0.next().ok_or(AddressError::Missing(expected))
    }

    fn keyword(&mut self, word: &str, component: Component) -> Result<(), AddressError> {
        if self.next(component)? == word {
            Ok(())
        } else {
            Err(AddressError::Unexpected(component))
        }
    }

    fn value<T>(
        &mut self,
        component: Component,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, AddressError> {
        parse(self.next(component)?).ok_or(AddressError::Invalid(component))
    }

    fn host(&mut self) -> Result<Host, AddressError> {
        match self.next(Component::HostKind)? {
            "ip4" => self.value(Component::Ip4, |word| word.parse().ok().map(Host::Ip4)),
            "ip6" => self.value(Component::Ip6, parse_ip6),
            "dns4" => self.dns_name().map(Host::Dns4),
            "dns6" => self.dns_name().map(Host::Dns6),
            _ => Err(AddressError::Unexpected(Component::HostKind)),
        }
    }

    fn dns_name(&mut self) -> Result<DnsName, AddressError> {
        self.value(Component::DnsName, |word| word.parse().ok())
    }

    fn peer_id(&mut self) -> Result<PeerId, AddressError> {
        self.value(Component::PeerId, |word| word.parse().ok())
    }

    fn route(&mut self) -> Result<Route, AddressError> {
        match self.0.next() {
            None => return Ok(Route::Anyone),
            Some("p2p") => {}
            Some(_) => return Err(AddressError::Unexpected(Component::P2p)),
        }
        let first = self.peer_id()?;
        match self.0.next() {
            None => return Ok(Route::Peer(first)),
            Some("p2p-circuit") => {}
            Some(_) => return Err(AddressError::Unexpected(Component::Circuit)),
        }
        self.keyword("p2p", Component::P2p)?;
        let target = self.peer_id()?;
        match self.0.next() {
            None => Ok(Route::Relayed {
                relay: first,
                target,
            }),
            Some(_) => Err(AddressError::Unexpected(Component::End)),
        }
    }
}

fn parse_ip6(word: &str) -> Option<Host> {
    let ip: std::net::Ipv6Addr = word.parse().ok()?;
    ip.to_ipv4_mapped().is_none().then_some(Host::Ip6(ip))
}

/// The standard parser also takes a plus sign and leading zeros, which have another text.
fn parse_port(word: &str) -> Option<u16> {
    let plain = word == "0" || word.starts_with(|first| matches!(first, '1'..='9'));
    word.parse().ok().filter(|_| plain)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip4(ip) => write!(f, "/ip4/{ip}")?,
            Host::Ip6(ip) => write!(f, "/ip6/{ip}")?,
            Host::Dns4(name) => write!(f, "/dns4/{name}")?,
            Host::Dns6(name) => write!(f, "/dns6/{name}")?,
        }
        write!(f, "/udp/{}/quic-v1", self.port)?;
        match self.route {
            Route::Anyone => Ok(()),
            Route::Peer(peer) => write!(f, "/p2p/{peer}"),
            Route::Relayed { relay, target } => {
                write!(f, "/p2p/{relay}/p2p-circuit/p2p/{target}")
            }
        }
    }
}
