use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;

use super::addresses::{AddressRecord, Addresses, MAX_ADDRESSES_TOLD};
use super::book::Audience;
use super::record::Moment;
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::identify::{Identify, Roles, SupportedProtocol};
use crate::wire::{Address, Sensitive};

/// Tags of the application on one peer.
pub const MAX_TAGS: usize = 16;

/// Longest key of a tag, in bytes.
pub const MAX_TAG_KEY: usize = 64;

/// Longest value of a tag, in bytes. With all tags at their longest a full book takes 80 MiB; only
/// the node's own application can fill them.
pub const MAX_TAG_VALUE: usize = 256;

/// Why a tag was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TagError {
    /// The peer is not in the book.
    #[error("the peer is not known")]
    UnknownPeer,
    /// The key is empty or too long; its length in bytes.
    #[error("a tag's key has 1 to {MAX_TAG_KEY} bytes, not {0}")]
    KeyLength(usize),
    /// The value is too long; its length in bytes.
    #[error("a tag's value has at most {MAX_TAG_VALUE} bytes, not {0}")]
    ValueLength(usize),
    /// The peer has all the tags it may have.
    #[error("a peer has at most {MAX_TAGS} tags")]
    TooMany,
}

/// What is known of one peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerEntry {
    peer: PeerId,
    pub(super) addresses: Addresses,
    pub(super) connected: bool,
    seen_at: Option<Sensitive<IpAddr>>,
    known_since: Micros,
    last_seen: Moment,
    pub(super) rtt: Option<Duration>,
    agent: Box<str>,
    protocols: Box<[SupportedProtocol]>,
    roles: Roles,
    pub(super) tags: BTreeMap<String, Vec<u8>>,
}

impl PeerEntry {
    pub(super) fn new(now: Micros, peer: PeerId) -> Self {
        Self {
            peer,
            addresses: Addresses::default(),
            connected: false,
            seen_at: None,
            known_since: now,
            last_seen: Moment::default(),
            rtt: None,
            agent: Box::default(),
            protocols: Box::default(),
            roles: Roles::default(),
            tags: BTreeMap::new(),
        }
    }

    /// Where it may be reached.
    pub fn addresses(&self) -> impl Iterator<Item = AddressRecord> {
        self.addresses.iter().map(|record| record.unpack(self.peer))
    }

    /// From which IP address it held a confirmed direct connection last.
    #[must_use]
    pub const fn seen_at(&self) -> Option<Sensitive<IpAddr>> {
        self.seen_at
    }

    /// Whether a confirmed connection exists.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.connected
    }

    /// When it last was connected, or said something.
    #[must_use]
    pub fn last_seen(&self) -> Option<Micros> {
        self.last_seen.get()
    }

    /// When it was entered.
    #[must_use]
    pub const fn known_since(&self) -> Micros {
        self.known_since
    }

    /// Round-trip time of the last ping.
    #[must_use]
    pub const fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// Name and version of its software, as it says; empty if it did not say.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The protocols that it accepts, as it says.
    #[must_use]
    pub fn protocols(&self) -> &[SupportedProtocol] {
        &self.protocols
    }

    /// What it does for others, as it says.
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// A tag of the application.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&[u8]> {
        self.tags.get(key).map(Vec::as_slice)
    }

    /// All tags, by key.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    pub(super) const fn see(&mut self, now: Micros) {
        self.last_seen = Moment::at(now);
    }

    pub(super) fn see_at(&mut self, ip: IpAddr) {
        self.seen_at = Some(Sensitive::new(ip.to_canonical()));
    }

    pub(super) fn identified(&mut self, identify: &Identify) {
        self.agent = identify.agent.as_str().into();
        self.protocols = identify.protocols[..].into();
        self.roles = identify.roles;
    }

    pub(super) fn addresses_for_dial(&self, now: Micros) -> Vec<Address> {
        let ranked = self.addresses.ranked().into_iter();
        ranked
            .filter(|record| record.retry_at() <= now)
            .map(|record| record.address(self.peer))
            .collect()
    }

    pub(super) fn addresses_to_tell(&self, audience: Audience) -> Vec<Address> {
        let seen_at = self.seen_at.map(Sensitive::into_inner);
        let ranked = self.addresses.ranked().into_iter();
        ranked
            .filter(|record| record.is_tellable(seen_at))
            .filter(|record| audience == Audience::Local || record.is_globally_routable())
            .take(MAX_ADDRESSES_TOLD)
            .map(|record| record.address(self.peer))
            .collect()
    }

    pub(super) fn set_tag(&mut self, key: &str, value: &[u8]) -> Result<(), TagError> {
        if key.is_empty() || key.len() > MAX_TAG_KEY {
            return Err(TagError::KeyLength(key.len()));
        }
        if value.len() > MAX_TAG_VALUE {
            return Err(TagError::ValueLength(value.len()));
        }
        if self.tags.len() >= MAX_TAGS && !self.tags.contains_key(key) {
            return Err(TagError::TooMany);
        }
        self.tags.insert(key.to_owned(), value.to_vec());
        Ok(())
    }

    /// Whether it is never evicted.
    pub(super) fn is_protected(&self) -> bool {
        self.connected || self.addresses.has_configured()
    }

    /// How much is lost with it: see the order in [`PeerBook`](super::PeerBook).
    pub(super) fn standing(&self) -> Standing {
        match (self.addresses.has_worked(), self.addresses.has_failed()) {
            (true, false) => Standing::Proven,
            (true, true) => Standing::Lost,
            (false, true) => Standing::NeverReached,
            (false, false) if self.last_seen().is_some() => Standing::Visitor,
            (false, false) => Standing::Untried,
        }
    }
}

/// Classes of peers in the order of their eviction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    NeverReached,
    Untried,
    /// It came to us; whether it can be reached nobody knows. Identities cost nothing, so that no
    /// number of visits displaces a peer that a dial of ours reached.
    Visitor,
    Lost,
    Proven,
}
