//! How often an address that others named is dialled, whoever names it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Micros, is_globally_routable};

/// Dials to one host that may fail at once: a host that runs a handful of nodes and restarts is found
/// again by one lookup.
pub const PROBE_BURST: u32 = 8;

/// After that one dial may fail in so much time. A dial that nobody answers is about 20 datagrams: a
/// host that is named again and again gets two of them a second from each node.
pub const PROBE_EVERY: Duration = Duration::from_secs(10);

/// Hosts that are counted. Of more, the one that is nearest to a full budget is forgotten: it loses
/// the least by it.
pub const MAX_PROBED: usize = 4_096;

/// Whose budget a dial takes from: a host on the Internet has one address, and any of its ports may
/// be named to hit it; behind a private address, many nodes share one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Host(IpAddr),
    Socket(SocketAddr),
}

/// Dials to addresses that others named, limited by host. Nobody can have this node flood a stranger
/// by naming its address: a dial takes a token, and only one that succeeds gives it back.
#[derive(Debug, Clone, Default)]
pub struct ProbeBudget {
    /// When each budget will be full again.
    full_at: BTreeMap<Target, Micros>,
    /// The same, the soonest first.
    order: BTreeSet<(Micros, Target)>,
}

impl ProbeBudget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a token for a dial to `address`; false if there is none.
    pub fn try_take(&mut self, now: Micros, address: SocketAddr) -> bool {
        let target = Target::of(address);
        let full_at = self.full_at.get(&target).copied().unwrap_or(now).max(now);
        let after = full_at + PROBE_EVERY;
        if after.since(now) > PROBE_EVERY * PROBE_BURST {
            return false;
        }
        self.set(target, after);
        self.forget(now);
        true
    }

    /// Gives the token of a dial back, because it reached whom it was to reach.
    pub fn give_back(&mut self, address: SocketAddr) {
        let target = Target::of(address);
        if let Some(full_at) = self.full_at.get(&target).copied() {
            self.set(target, full_at - PROBE_EVERY);
        }
    }

    /// Hosts whose budget is not known to be full.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether nothing is spent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }

    fn set(&mut self, target: Target, full_at: Micros) {
        if let Some(before) = self.full_at.insert(target, full_at) {
            self.order.remove(&(before, target));
        }
        self.order.insert((full_at, target));
    }

    fn forget(&mut self, now: Micros) {
        while let Some(&(full_at, target)) = self.order.first()
            && (full_at <= now || self.full_at.len() > MAX_PROBED)
        {
            self.order.pop_first();
            self.full_at.remove(&target);
        }
    }
}

impl Target {
    fn of(address: SocketAddr) -> Self {
        let ip = address.ip().to_canonical();
        if is_globally_routable(ip) {
            Self::Host(ip)
        } else {
            Self::Socket(SocketAddr::new(ip, address.port()))
        }
    }
}
