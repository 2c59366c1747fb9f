//! Which virtual address stands for which real ones. Pure: no sockets, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::net::{SocketAddr, SocketAddrV6};

use thiserror::Error;

use super::newcomers::Newcomers;
use super::packet::{IdPrefix, Kind, destination, kind};
use super::virtual_address::{allocated, bare, canonical, is_reserved};

/// A socket below quinn. The home socket has the number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub(super) u32);

impl SocketId {
    /// The socket that serves every connection without further paths.
    pub(crate) const HOME: Self = Self(0);
}

/// A path of one connection. Ids are never used twice for the same virtual address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PathId(pub(super) u32);

impl PathId {
    /// The path on which the connection began.
    pub(crate) const FIRST: Self = Self(0);
}

/// One hop below quinn: a socket of ours and a real address, in canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leg {
    pub(super) socket: SocketId,
    pub(super) real: SocketAddr,
}

/// Why a path was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddPathError {
    /// No connection has this virtual address, or the real one is reserved for virtual ones.
    #[error("the address is not that of a peer")]
    UnknownAddress,
    /// No such socket is attached.
    #[error("the socket is not attached")]
    UnknownSocket,
    /// The path leads to another connection.
    #[error("the path belongs to another connection")]
    Taken,
    /// The connection has four paths.
    #[error("the connection has {MAX_PATHS} paths")]
    TooManyPaths,
    /// 4 096 connections have further paths.
    #[error("{MAX_BOUND} connections have further paths")]
    TooManyConnections,
}

/// The virtual address has no path of that id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such path")]
pub struct UnknownPath;

/// Paths of a connection: IPv4, IPv6, a relay, and one of these being replaced.
pub(crate) const MAX_PATHS: usize = 4;

/// Connections with further paths, four times the default number of peers: about 2 MB.
pub(crate) const MAX_BOUND: usize = 4096;

/// Connection ids remembered of a connection, more than the five that quinn gives to a peer at a
/// time. Forged packets from a proven address can displace them, for as long as the forger keeps up;
/// then only packets from an address shared with a newcomer go astray.
pub(super) const MAX_HEARD: usize = 8;

/// Where a received packet comes from, in quinn's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Hand it to quinn under this address.
    Peer(SocketAddrV6),
    /// A further socket received it from an address that is not proven on it.
    Unproven,
    /// Its source is one of our virtual addresses: forged, or a clash of private networks.
    Reserved,
    /// Not QUIC: probes and relayed packets will be taken here.
    NotQuic,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    bindings: BTreeMap<SocketAddrV6, Binding>,
    /// The virtual address that short-header packets from a leg belong to.
    owners: BTreeMap<Leg, SocketAddrV6>,
    newcomers: Newcomers,
    allocated: u64,
}

#[derive(Debug)]
struct Binding {
    legs: BTreeMap<PathId, Leg>,
    current: PathId,
    next: PathId,
    /// Connection ids on which packets were received, the latest last.
    heard: VecDeque<IdPrefix>,
}

impl Binding {
    fn hear(&mut self, id: IdPrefix) {
        if self.heard.back() == Some(&id) {
            return;
        }
        self.heard.retain(|known| *known != id);
        if self.heard.len() >= MAX_HEARD {
            self.heard.pop_front();
        }
        self.heard.push_back(id);
    }

    fn current_leg(&self) -> Option<Leg> {
        self.legs.get(&self.current).copied()
    }
}

impl Table {
    /// Where a packet to `address` goes now; `None` if no connection can have this address.
    pub(super) fn route(&self, address: SocketAddrV6) -> Option<Leg> {
        if let Some(binding) = self.bindings.get(&address) {
            return binding.current_leg();
        }
        if let Some(leg) = self.newcomers.leg_of(address) {
            return Some(leg);
        }
        home_leg(address.into())
    }

    /// As whose packet quinn must see a datagram received at `leg`.
    pub(super) fn source(&mut self, leg: Leg, datagram: &[u8]) -> Source {
        if is_reserved(leg.real) {
            return Source::Reserved;
        }
        let address = match kind(datagram) {
            Kind::Other => return Source::NotQuic,
            Kind::LongHeader => self.address_for_new(leg),
            Kind::ShortHeader => self.address_of_established(leg, datagram),
        };
        address.map_or(Source::Unproven, Source::Peer)
    }

    /// The virtual address for a new connection with `real` over the home socket.
    pub(super) fn address_to_dial(&mut self, real: SocketAddr) -> Option<SocketAddrV6> {
        self.address_for_new(home_leg(real)?)
    }

    /// Adds a proven path, or finds it again.
    pub(super) fn add(&mut self, address: SocketAddrV6, leg: Leg) -> Result<PathId, AddPathError> {
        let first = self.route(address).ok_or(AddPathError::UnknownAddress)?;
        if is_reserved(leg.real) {
            return Err(AddPathError::UnknownAddress);
        }
        if self.owners.get(&leg).is_some_and(|owner| *owner != address) {
            return Err(AddPathError::Taken);
        }
        if !self.bindings.contains_key(&address) {
            self.bind(address, first)?;
        }
        let binding = self
            .bindings
            .get_mut(&address)
            .ok_or(AddPathError::UnknownAddress)?;
        if let Some((known, _)) = binding.legs.iter().find(|(_, known)| **known == leg) {
            return Ok(*known);
        }
        if binding.legs.len() >= MAX_PATHS {
            return Err(AddPathError::TooManyPaths);
        }
        let path = binding.next;
        binding.next = PathId(path.0.saturating_add(1));
        binding.legs.insert(path, leg);
        self.owners.insert(leg, address);
        Ok(path)
    }

    /// Sends by `path` from now on.
    pub(super) fn switch(
        &mut self,
        address: SocketAddrV6,
        path: PathId,
    ) -> Result<Leg, UnknownPath> {
        let Some(binding) = self.bindings.get_mut(&address) else {
            let first = self.route(address).filter(|_| path == PathId::FIRST);
            return first.ok_or(UnknownPath);
        };
        let leg = *binding.legs.get(&path).ok_or(UnknownPath)?;
        binding.current = path;
        Ok(leg)
    }

    /// The paths of a connection, the current one marked by its id.
    pub(super) fn paths(&self, address: SocketAddrV6) -> (PathId, Vec<(PathId, Leg)>) {
        if let Some(binding) = self.bindings.get(&address) {
            let legs = binding
                .legs
                .iter()
                .map(|(path, leg)| (*path, *leg))
                .collect();
            return (binding.current, legs);
        }
        let only = self.route(address).map(|leg| (PathId::FIRST, leg));
        (PathId::FIRST, only.into_iter().collect())
    }

    /// Forgets everything about a virtual address.
    pub(super) fn release(&mut self, address: SocketAddrV6) {
        if let Some(binding) = self.bindings.remove(&address) {
            for leg in binding.legs.values() {
                self.disown(*leg, address);
            }
        }
        self.newcomers.remove(address);
    }

    /// Removes the paths over a socket. A connection whose current path was one of them sends by
    /// its oldest remaining one; the addresses of such connections are returned.
    pub(super) fn remove_socket(&mut self, socket: SocketId) {
        self.owners.retain(|leg, _| leg.socket != socket);
        for binding in self.bindings.values_mut() {
            binding.legs.retain(|_, leg| leg.socket != socket);
            if binding.current_leg().is_some() {
                continue;
            }
            if let Some((oldest, _)) = binding.legs.first_key_value() {
                binding.current = *oldest;
            }
        }
        self.bindings.retain(|_, binding| !binding.legs.is_empty());
    }

    /// Addresses that take state: bound ones and newcomers.
    pub(super) fn len(&self) -> usize {
        self.bindings.len() + self.newcomers.len()
    }

    fn bind(&mut self, address: SocketAddrV6, first: Leg) -> Result<(), AddPathError> {
        if self.bindings.len() >= MAX_BOUND {
            return Err(AddPathError::TooManyConnections);
        }
        let legs = BTreeMap::from([(PathId::FIRST, first)]);
        let binding = Binding {
            legs,
            current: PathId::FIRST,
            next: PathId(1),
            heard: VecDeque::new(),
        };
        self.bindings.insert(address, binding);
        // A newcomer's own leg belongs to the older connection; its packets are told by their ids.
        self.owners.entry(first).or_insert(address);
        Ok(())
    }

    fn disown(&mut self, leg: Leg, address: SocketAddrV6) {
        if self.owners.get(&leg) == Some(&address) {
            self.owners.remove(&leg);
        }
    }

    /// The address for handshake packets at a leg. A bare one whenever it is free or means the same
    /// thing, so that strangers, forged ones too, take no state.
    fn address_for_new(&mut self, leg: Leg) -> Option<SocketAddrV6> {
        if let Some(known) = self.newcomers.at(leg) {
            return Some(known);
        }
        let bare = bare(leg.real);
        let owner = self.owners.get(&leg);
        let bare_is_free = leg.socket == SocketId::HOME
            && self
                .bindings
                .get(&bare)
                .is_none_or(|binding| binding.current_leg() == Some(leg));
        if bare_is_free && owner.is_none_or(|owner| *owner == bare) {
            return Some(bare);
        }
        if leg.socket != SocketId::HOME && owner.is_none() {
            return None;
        }
        let address = if bare_is_free { bare } else { self.allocate() };
        self.newcomers.insert(leg, address);
        Some(address)
    }

    /// Where an older connection and a newcomer share a leg, packets on ids that were never heard
    /// of are the newcomer's: the older connection had time to be heard.
    fn address_of_established(&mut self, leg: Leg, packet: &[u8]) -> Option<SocketAddrV6> {
        let newcomer = self.newcomers.at(leg);
        let Some(owner) = self.owners.get(&leg) else {
            let is_home = leg.socket == SocketId::HOME;
            return newcomer.or_else(|| is_home.then(|| bare(leg.real)));
        };
        let (id, binding) = (destination(packet)?, self.bindings.get_mut(owner)?);
        match newcomer {
            Some(newcomer) if !binding.heard.contains(&id) => Some(newcomer),
            _ => {
                binding.hear(id);
                Some(*owner)
            }
        }
    }

    fn allocate(&mut self) -> SocketAddrV6 {
        self.allocated += 1;
        allocated(self.allocated)
    }
}

/// The way that takes no state; `None` for addresses that are reserved for virtual ones.
pub(super) fn home_leg(real: SocketAddr) -> Option<Leg> {
    (!is_reserved(real)).then(|| Leg {
        socket: SocketId::HOME,
        real: canonical(real),
    })
}
