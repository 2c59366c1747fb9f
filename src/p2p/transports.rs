//! The transports of a swarm, one for each listening address.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::transport::QuicTransport;

/// The transports, until the swarm stops: a socket lives as long as the transport on it.
#[derive(Debug)]
pub(super) struct Transports(RwLock<Vec<Arc<QuicTransport>>>);

/// How well a socket suits a dial; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fitness {
    /// Of the same family and bound to no interface: the system chooses the way out.
    Unbound,
    /// Of the same family; both ends are on the loopback, or neither.
    SameSide,
    /// An IPv6 socket bound to no interface, which carries IPv4 as mapped addresses unless the
    /// system keeps the families apart.
    Mapped,
    /// Of the same family, but one end is on the loopback: leads to this host at most.
    OtherSide,
}

impl Transports {
    pub(super) fn new(transports: Vec<QuicTransport>) -> Self {
        Self(RwLock::new(transports.into_iter().map(Arc::new).collect()))
    }

    /// All of them, in the order of the configuration; none once the swarm has stopped.
    pub(super) fn all(&self) -> Vec<Arc<QuicTransport>> {
        let transports = self.0.read().unwrap_or_else(PoisonError::into_inner);
        transports.clone()
    }

    pub(super) fn get(&self, index: usize) -> Option<Arc<QuicTransport>> {
        let transports = self.0.read().unwrap_or_else(PoisonError::into_inner);
        transports.get(index).cloned()
    }

    /// The transport from which `remote` is dialled; of several that suit alike, the first.
    pub(super) fn for_dial(&self, remote: SocketAddr) -> Option<Arc<QuicTransport>> {
        let all = self.all().into_iter();
        let suited = all.filter_map(|transport| {
            let local = transport.local_address().ok()?;
            Some((fitness(local, remote)?, transport))
        });
        let best = suited.min_by_key(|(fitness, _)| *fitness);
        best.map(|(_, transport)| transport)
    }

    /// Takes them out.
    pub(super) fn take(&self) -> Vec<Arc<QuicTransport>> {
        let mut transports = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut transports)
    }
}

fn fitness(local: SocketAddr, remote: SocketAddr) -> Option<Fitness> {
    let (from, to) = (local.ip(), remote.ip().to_canonical());
    if from.is_ipv4() != to.is_ipv4() {
        return (from.is_ipv6() && from.is_unspecified()).then_some(Fitness::Mapped);
    }
    Some(if from.is_unspecified() {
        Fitness::Unbound
    } else if from.is_loopback() == to.is_loopback() {
        Fitness::SameSide
    } else {
        Fitness::OtherSide
    })
}
