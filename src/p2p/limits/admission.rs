use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use super::LimitsConfig;
use super::handshakes::{Handshakes, Holder};
use crate::identity::PeerId;
use crate::p2p::duplicates::MAX_CONNECTIONS_PER_PEER;
use crate::policy::{IpGroup, Micros, Quota, QuotaExceeded};

/// Confirmed connections above `max_peers`: peers that return after a restart while their old
/// connection still counts. A full node must let those in. Handshakes in progress take none of this
/// room, or 64 forged packets would lock a full node.
const RETURN_SLACK: u32 = 64;

/// Unfinished dials of this node. Apart from every other limit: neither strangers' handshakes nor
/// peers can stop it from dialling, and dials to dead addresses refuse nobody. At 61 KiB each as
/// much memory as the largest permitted number of unfinished handshakes from outside.
pub const MAX_UNFINISHED_DIALS: u32 = 1_024;

/// Connections counted for one peer. One more than it may keep, for the newest to arrive before the
/// oldest loser is closed in its favour.
const PER_PEER: usize = MAX_CONNECTIONS_PER_PEER + 1;

/// Where a connection comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Straight from this address.
    Direct(IpAddr),
    /// Through this relay. Its address says nothing about the peer behind it.
    Relayed(PeerId),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(_) => f.write_str("Direct([redacted])"),
            Self::Relayed(relay) => write!(f, "Relayed({relay:?})"),
        }
    }
}

/// What to do with a handshake that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admit {
    /// Accept it; give the permit back with [`Admission::release`] when the connection is gone.
    Accept(PermitId),
    /// Answer with a Retry packet: the address must be proven first.
    Retry,
    /// Answer with `CONNECTION_REFUSED`.
    Refuse(RefuseReason),
    /// Drop it without an answer.
    Ignore,
}

/// Which limit a connection met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Error)]
pub enum RefuseReason {
    /// No further peer fits.
    #[error("the node has all the peers it takes")]
    Full,
    /// Connections from one address.
    #[error("too many connections from one address")]
    PerIp,
    /// Connections from one IP group, or through one relay.
    #[error("too many connections from one network")]
    PerGroup,
    /// Connections with one peer.
    #[error("too many connections with one peer")]
    PerPeer,
    /// Handshakes a second from one IP group.
    #[error("handshakes from one network come too fast")]
    Rate,
    /// Unfinished handshakes: from outside in total or from one IP group, or dials of this node.
    #[error("too many unfinished handshakes")]
    Unconfirmed,
}

/// The right to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermitId(u64);

/// How much of the limits is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Permits given: connections and handshakes, both directions.
    pub connections: usize,
    /// Incoming handshakes that are not confirmed.
    pub unconfirmed: u32,
    /// Dials of this node that are not confirmed.
    pub dialing: u32,
    /// Peers with a confirmed connection.
    pub peers: usize,
    /// Sources whose handshake rate is remembered.
    pub sources: usize,
}

/// Gives out the right to connect, and takes it back.
///
/// An incoming handshake asks [`admit`](Self::admit) before it is accepted, a dial asks
/// [`dial`](Self::dial); [`confirm`](Self::confirm) names the peer once its handshake proved it.
pub struct Admission {
    limits: LimitsConfig,
    max_peers: u32,
    permits: BTreeMap<PermitId, Permit>,
    next: u64,
    unconfirmed: u32,
    dialing: u32,
    unconfirmed_by_holder: Quota<Holder>,
    by_ip: Quota<IpAddr>,
    by_holder: Quota<Holder>,
    by_peer: Quota<PeerId>,
    handshakes: Handshakes,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
struct Permit {
    incoming: bool,
    ip: Option<IpAddr>,
    holder: Option<Holder>,
    peer: Option<PeerId>,
}

impl Admission {
    /// Nothing is connected yet. The limits must have passed [`LimitsConfig::validate`].
    #[must_use]
    pub fn new(limits: LimitsConfig, max_peers: u32) -> Self {
        let per_peer = u32::try_from(PER_PEER).unwrap_or(u32::MAX);
        Self {
            limits,
            max_peers,
            permits: BTreeMap::new(),
            next: 0,
            unconfirmed: 0,
            dialing: 0,
            unconfirmed_by_holder: Quota::new(limits.unconfirmed_per_group, u32::MAX),
            by_ip: Quota::new(limits.per_ip, u32::MAX),
            by_holder: Quota::new(limits.per_group, u32::MAX),
            by_peer: Quota::new(per_peer, u32::MAX),
            handshakes: Handshakes::new(&limits),
        }
    }

    /// Decides about an incoming handshake before any work is done for it. `proven` says whether a
    /// Retry or an address token has shown that the sender receives at its address.
    pub fn admit(&mut self, now: Micros, source: Source, proven: bool) -> Admit {
        let permit = self.permit(source);
        if let Err(reason) = self.fits(&permit) {
            return Admit::Refuse(reason);
        }
        let verdict = if proven {
            self.admit_proven(now, &permit)
        } else {
            self.admit_unproven(now, &permit)
        };
        verdict.unwrap_or_else(|| Admit::Accept(self.grant(permit)))
    }

    /// The right to dial.
    ///
    /// # Errors
    /// [`RefuseReason::Full`] when the node has all the connections it takes,
    /// [`RefuseReason::Unconfirmed`] when [`MAX_UNFINISHED_DIALS`] are under way.
    pub fn dial(&mut self) -> Result<PermitId, RefuseReason> {
        let permit = Permit {
            incoming: false,
            ip: None,
            holder: None,
            peer: None,
        };
        self.fits(&permit)?;
        if self.dialing >= MAX_UNFINISHED_DIALS {
            return Err(RefuseReason::Unconfirmed);
        }
        Ok(self.grant(permit))
    }

    /// The handshake is confirmed and proved `peer`. After an error the permit is still held: close
    /// the connection, then release it.
    ///
    /// # Errors
    /// [`RefuseReason::Full`] for a new peer when `max_peers` are connected; a peer that is connected
    /// already may replace its connection, as long as not all the room for that is taken.
    /// [`RefuseReason::PerPeer`] when it has too many.
    pub fn confirm(&mut self, permit: PermitId, peer: PeerId) -> Result<(), RefuseReason> {
        let is_full = self.is_full();
        let Some(found) = self.permits.get_mut(&permit) else {
            return Ok(());
        };
        if found.peer.is_some() {
            return Ok(());
        }
        let is_new = self.by_peer.held(&peer) == 0;
        if is_full || is_new && self.by_peer.keys() >= self.max_peers as usize {
            return Err(RefuseReason::Full);
        }
        self.by_peer
            .try_acquire(peer)
            .map_err(|_: QuotaExceeded| RefuseReason::PerPeer)?;
        found.peer = Some(peer);
        let confirmed = *found;
        self.end_handshake(&confirmed);
        Ok(())
    }

    /// Gives a permit back; once is enough, more does no harm.
    pub fn release(&mut self, permit: PermitId) {
        let Some(permit) = self.permits.remove(&permit) else {
            return;
        };
        match permit.peer {
            Some(peer) => _ = self.by_peer.release(&peer),
            None => self.end_handshake(&permit),
        }
        if let Some(ip) = permit.ip {
            self.by_ip.release(&ip);
        }
        if let Some(holder) = permit.holder {
            self.by_holder.release(&holder);
        }
    }

    /// What is used now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            connections: self.permits.len(),
            unconfirmed: self.unconfirmed,
            dialing: self.dialing,
            peers: self.by_peer.keys(),
            sources: self.handshakes.len(),
        }
    }

    /// Who is charged. Addresses that are not globally routable belong to no group; each is a holder
    /// of its own if they are limited at all.
    fn permit(&self, source: Source) -> Permit {
        let (ip, holder) = match source {
            Source::Relayed(relay) => (None, Some(Holder::Relay(relay))),
            Source::Direct(ip) => match IpGroup::of(ip) {
                IpGroup::Local if self.limits.limit_local => {
                    (Some(ip), Some(Holder::LocalAddress(ip)))
                }
                IpGroup::Local => (None, None),
                group => (Some(ip), Some(Holder::Group(group))),
            },
        };
        Permit {
            incoming: true,
            ip,
            holder,
            peer: None,
        }
    }

    /// Whether no further connection can be confirmed. Handshakes under way do not count: they have
    /// limits of their own.
    fn is_full(&self) -> bool {
        let unfinished = self.unconfirmed.saturating_add(self.dialing) as usize;
        let most = self.max_peers.saturating_add(RETURN_SLACK) as usize;
        self.permits.len().saturating_sub(unfinished) >= most
    }

    fn fits(&self, permit: &Permit) -> Result<(), RefuseReason> {
        if self.is_full() {
            return Err(RefuseReason::Full);
        }
        if permit
            .ip
            .is_some_and(|ip| self.by_ip.held(&ip) >= self.limits.per_ip)
        {
            return Err(RefuseReason::PerIp);
        }
        let of_holder = permit
            .holder
            .map_or(0, |holder| self.by_holder.held(&holder));
        if of_holder >= self.limits.per_group {
            Err(RefuseReason::PerGroup)
        } else {
            Ok(())
        }
    }

    fn admit_proven(&mut self, now: Micros, permit: &Permit) -> Option<Admit> {
        let per_group = self.limits.unconfirmed_per_group;
        if self.unconfirmed >= self.limits.unconfirmed || self.pending(permit) >= per_group {
            return Some(Admit::Refuse(RefuseReason::Unconfirmed));
        }
        let in_time = self.try_begin(now, permit, true);
        (!in_time).then_some(Admit::Refuse(RefuseReason::Rate))
    }

    fn admit_unproven(&mut self, now: Micros, permit: &Permit) -> Option<Admit> {
        if self.unconfirmed >= self.limits.unconfirmed {
            return Some(Admit::Ignore);
        }
        let per_group = self.limits.unconfirmed_per_group.div_ceil(2);
        if self.unconfirmed >= self.limits.retry_above || self.pending(permit) >= per_group {
            return Some(Admit::Retry);
        }
        let in_time = self.try_begin(now, permit, false);
        (!in_time).then_some(Admit::Retry)
    }

    fn pending(&self, permit: &Permit) -> u32 {
        permit
            .holder
            .map_or(0, |holder| self.unconfirmed_by_holder.held(&holder))
    }

    fn try_begin(&mut self, now: Micros, permit: &Permit, proven: bool) -> bool {
        permit
            .holder
            .is_none_or(|holder| self.handshakes.try_begin(now, holder, proven))
    }

    /// Counts the permit everywhere. The limits were checked, so no quota refuses.
    fn grant(&mut self, permit: Permit) -> PermitId {
        let unfinished = self.unfinished(&permit);
        *unfinished = unfinished.saturating_add(1);
        if let Some(ip) = permit.ip {
            _ = self.by_ip.try_acquire(ip);
        }
        if let Some(holder) = permit.holder {
            _ = self.by_holder.try_acquire(holder);
            _ = self.unconfirmed_by_holder.try_acquire(holder);
        }
        self.next = self.next.saturating_add(1);
        let id = PermitId(self.next);
        self.permits.insert(id, permit);
        id
    }

    fn end_handshake(&mut self, permit: &Permit) {
        let unfinished = self.unfinished(permit);
        *unfinished = unfinished.saturating_sub(1);
        if let Some(holder) = permit.holder {
            self.unconfirmed_by_holder.release(&holder);
        }
    }

    /// Where a handshake counts until it is confirmed.
    const fn unfinished(&mut self, permit: &Permit) -> &mut u32 {
        if permit.incoming {
            &mut self.unconfirmed
        } else {
            &mut self.dialing
        }
    }
}
