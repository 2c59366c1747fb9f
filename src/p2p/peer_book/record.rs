//! How an address is kept: in as little room as it needs, since there may be a hundred thousand.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::num::NonZeroU64;

use rand_core::Rng;

use super::addresses::{AddressRecord, AddressSource, RETRY_BASE, RETRY_CAP};
use crate::identity::PeerId;
use crate::policy::{Backoff, Micros};
use crate::wire::Address;
use crate::wire::address::{Host, Route};

/// A moment or none, in the room of a moment: its microseconds plus one. The last moment that there
/// is counts as the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(Option<NonZeroU64>);

impl Moment {
    pub(super) const fn at(moment: Micros) -> Self {
        Self(Some(NonZeroU64::MIN.saturating_add(moment.0)))
    }

    pub(super) fn get(self) -> Option<Micros> {
        self.0.map(|number| Micros(number.get() - 1))
    }
}

/// One address of a peer, without the peer: it stands in the entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    host: Host,
    /// The relay through which the peer is reached; most are reached without.
    relay: Option<Box<PeerId>>,
    port: u16,
    source: AddressSource,
    /// Whether the peer itself named it, whoever else did.
    named_by_peer: bool,
    failures: u32,
    last_success: Moment,
    last_named: Micros,
    retry_at: Micros,
}

// A full book has 131 072 of them: another eight bytes would cost a mebibyte.
const _: () = assert!(size_of::<Record>() <= 64);

/// What is kept when there are too many, the best last: configured ones, ones that worked, then by
/// source, few failures, and how lately it was named.
pub(super) type Worth = (bool, Moment, AddressSource, Reverse<u32>, Micros);

/// The order of dialling: what worked last comes first, then what was never tried by trust of its
/// source, then what failed least. The endpoint decides between equals.
pub(super) type Rank<'a> = (
    Reverse<Moment>,
    u32,
    Reverse<AddressSource>,
    (&'a Host, u16, Option<&'a PeerId>),
);

impl Record {
    pub(super) fn new(now: Micros, address: &Address, source: AddressSource) -> Self {
        Self {
            host: address.host().clone(),
            relay: relay_of(address).map(Box::new),
            port: address.port(),
            source,
            named_by_peer: source == AddressSource::Identified,
            failures: 0,
            last_success: Moment::default(),
            last_named: now,
            retry_at: now,
        }
    }

    /// The address with the peer's id.
    pub(super) fn address(&self, peer: PeerId) -> Address {
        let route = match self.relay.as_deref() {
            None => Route::Peer(peer),
            Some(&relay) => Route::Relayed {
                relay,
                target: peer,
            },
        };
        Address::new(self.host.clone(), self.port, route)
    }

    pub(super) fn unpack(&self, peer: PeerId) -> AddressRecord {
        AddressRecord {
            address: self.address(peer),
            source: self.source,
            last_success: self.last_success.get(),
            last_named: self.last_named,
            retry_at: self.retry_at,
            failures: self.failures,
        }
    }

    /// Whether it is this address, whose peer is the entry's.
    pub(super) fn is(&self, address: &Address) -> bool {
        self.host == *address.host()
            && self.port == address.port()
            && self.relay.as_deref().copied() == relay_of(address)
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) const fn retry_at(&self) -> Micros {
        self.retry_at
    }

    pub(super) fn has_worked(&self) -> bool {
        self.last_success.get().is_some()
    }

    pub(super) fn is_configured(&self) -> bool {
        self.source == AddressSource::Configured
    }

    pub(super) fn is_globally_routable(&self) -> bool {
        Address::new(self.host.clone(), self.port, Route::Anyone).is_globally_routable()
    }

    pub(super) fn worth(&self) -> Worth {
        (
            self.is_configured(),
            self.last_success,
            self.source,
            Reverse(self.failures),
            self.last_named,
        )
    }

    pub(super) fn rank(&self) -> Rank<'_> {
        (
            Reverse(self.last_success),
            self.failures,
            Reverse(self.source),
            (&self.host, self.port, self.relay.as_deref()),
        )
    }

    /// Whether others may be sent there: see
    /// [`addresses_to_tell`](super::PeerBook::addresses_to_tell).
    pub(super) fn is_tellable(&self, seen_at: Option<IpAddr>) -> bool {
        let ip = match self.host {
            Host::Ip4(ip) => IpAddr::V4(ip),
            Host::Ip6(ip) => IpAddr::V6(ip),
            Host::Dns4(_) | Host::Dns6(_) => return false,
        };
        let is_where_it_claims = self.relay.is_some() || seen_at == Some(ip);
        self.has_worked() || (self.named_by_peer && is_where_it_claims)
    }

    pub(super) fn named(&mut self, now: Micros, source: AddressSource) {
        self.source = self.source.max(source);
        self.last_named = self.last_named.max(now);
        self.named_by_peer |= source == AddressSource::Identified;
    }

    pub(super) fn succeeded(&mut self, now: Micros) {
        self.last_success = Moment::at(now);
        self.retry_at = now;
        self.failures = 0;
    }

    pub(super) fn failed<R: Rng + ?Sized>(&mut self, now: Micros, rng: &mut R) {
        let mut backoff = Backoff::resumed(RETRY_BASE, RETRY_CAP, self.failures);
        self.retry_at = now + backoff.next_delay(rng);
        self.failures = backoff.failures();
    }
}

const fn relay_of(address: &Address) -> Option<PeerId> {
    match address.route() {
        Route::Relayed { relay, .. } => Some(relay),
        Route::Anyone | Route::Peer(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_as_it_was_and_none_as_none() {
        assert_eq!(Moment::default().get(), None);
        for number in [0, 1, u64::MAX - 1] {
            assert_eq!(Moment::at(Micros(number)).get(), Some(Micros(number)));
        }
        let last = Moment::at(Micros(u64::MAX)).get();
        assert_eq!(last, Some(Micros(u64::MAX - 1)));
        assert!(Moment::default() < Moment::at(Micros(0)));
    }

    #[test]
    fn an_address_comes_back_as_it_was() {
        let peer = PeerId::from_bytes([1; 32]);
        let relay = PeerId::from_bytes([2; 32]);
        for text in [
            "/ip4/11.0.0.1/udp/9000/quic-v1",
            "/ip6/2a00::1/udp/9000/quic-v1",
            "/dns4/example.org/udp/9000/quic-v1",
        ] {
            let direct: Address = text.parse().unwrap();
            let direct = direct.with_peer_id(peer);
            let relayed = direct.clone().with_peer_id(relay).through(peer).unwrap();
            let kept =
                [&direct, &relayed].map(|one| Record::new(Micros(1), one, AddressSource::Told));
            assert_eq!(kept[0].address(peer), direct);
            assert_eq!(kept[1].address(peer), relayed);
            assert!(kept[0].is(&direct) && !kept[0].is(&relayed) && kept[1].is(&relayed));
        }
    }
}
