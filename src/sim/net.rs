//! The network: hosts, links, partitions, and the one task that delivers.

// Virtual time is the only clock here, and it is this file that makes it pass.
#![allow(clippy::disallowed_methods)]

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use quinn::udp::EcnCodepoint;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::link::Link;
use super::profile::{LinkCounters, LinkProfile};
use super::socket::{Arrival, Mailbox};
use super::{hop, host};
use crate::policy::Micros;
use crate::transport::environment::Environment;

/// An in-memory UDP network in virtual time. Clones share it.
///
/// Addresses are in canonical form everywhere: an IPv4-mapped IPv6 address is its IPv4 address.
#[derive(Debug, Clone)]
pub struct Net {
    shared: Arc<Shared>,
}

/// A datagram on its way, as the tap sees it.
#[derive(Debug, Clone)]
pub struct Datagram {
    /// When it was sent, since the network began.
    pub at: Micros,
    /// Claimed source.
    pub from: SocketAddr,
    /// Destination.
    pub to: SocketAddr,
    /// UDP payload.
    pub contents: Bytes,
    /// Whether [`Net::inject`] made it rather than a socket.
    pub injected: bool,
    pub(super) ecn: Option<EcnCodepoint>,
}

/// What a tap decides about a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The link treats it by its profile.
    Pass,
    /// It is lost.
    Drop,
}

impl Net {
    /// A network without hosts, whose links all have the default profile.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime: the network delivers from a task.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shared = Arc::new(Shared {
            seed,
            origin: now(),
            state: Mutex::new(State::new(seed)),
            earlier_event: Arc::new(Notify::new()),
        });
        let earlier_event = Arc::clone(&shared.earlier_event);
        tokio::spawn(deliver_when_due(Arc::downgrade(&shared), earlier_event));
        Self { shared }
    }

    /// The environment of the host at `ip`. After [`kill`](Self::kill), a second call is the host
    /// restarted: it draws other randomness and finds its ports free.
    #[must_use]
    pub fn host(&self, ip: IpAddr) -> Environment {
        host::environment(&self.shared, ip.to_canonical())
    }

    /// Time since the network began: the monotonic clock of every host.
    #[must_use]
    pub fn now(&self) -> Micros {
        Micros::default() + self.shared.elapsed()
    }

    /// The profile of every link that has none of its own, existing ones included.
    pub fn set_default_profile(&self, profile: LinkProfile) {
        self.shared.lock().default_profile = profile;
    }

    /// The profile of both directions between `a` and `b`.
    pub fn set_link(&self, a: IpAddr, b: IpAddr, profile: LinkProfile) {
        self.set_link_one_way(a, b, profile);
        self.set_link_one_way(b, a, profile);
    }

    /// The profile of the direction `from` → `to`. Datagrams under way keep their due time.
    pub fn set_link_one_way(&self, from: IpAddr, to: IpAddr, profile: LinkProfile) {
        let mut state = self.shared.lock();
        let pair = (from.to_canonical(), to.to_canonical());
        state.own_profiles.insert(pair, profile);
    }

    /// Cuts every link between a host of `left` and a host of `right`, both ways, until
    /// [`heal`](Self::heal). Datagrams under way still arrive.
    pub fn partition(&self, left: &[IpAddr], right: &[IpAddr]) {
        let canonical = |side: &[IpAddr]| side.iter().map(IpAddr::to_canonical).collect();
        self.shared
            .lock()
            .partitions
            .push((canonical(left), canonical(right)));
    }

    /// Ends all partitions.
    pub fn heal(&self) {
        self.shared.lock().partitions.clear();
    }

    /// Kills the host's process: its sockets fall silent both ways and their ports are free.
    /// Nobody is told; what it had sent still arrives.
    pub fn kill(&self, ip: IpAddr) {
        let ip = ip.to_canonical();
        let mut state = self.shared.lock();
        for mailbox in state
            .mailboxes
            .values()
            .filter(|mailbox| mailbox.address.ip() == ip)
        {
            mailbox.die();
        }
        state.mailboxes.retain(|address, _| address.ip() != ip);
    }

    /// What became of the datagrams sent `from` → `to` so far.
    #[must_use]
    pub fn counters(&self, from: IpAddr, to: IpAddr) -> LinkCounters {
        let pair = (from.to_canonical(), to.to_canonical());
        self.shared
            .lock()
            .links
            .get(&pair)
            .map(|link| link.counters)
            .unwrap_or_default()
    }

    /// Shows every datagram to `tap` when it is sent, before its link sees it; replaces an earlier
    /// tap. The tap may call the network, also [`inject`](Self::inject) (and then sees the result).
    pub fn set_tap(&self, tap: impl Fn(&Datagram) -> Verdict + Send + Sync + 'static) {
        self.shared.lock().tap = Some(Arc::new(tap));
    }

    /// Sends a datagram with a forged source. It travels the link `from` → `to`.
    pub fn inject(&self, from: SocketAddr, to: SocketAddr, contents: impl Into<Bytes>) {
        self.shared.send(
            Outgoing {
                from,
                to,
                contents: contents.into(),
                ecn: None,
            },
            true,
        );
    }
}

/// What a socket hands to the network.
pub(super) struct Outgoing {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) contents: Bytes,
    pub(super) ecn: Option<EcnCodepoint>,
}

type Tap = Arc<dyn Fn(&Datagram) -> Verdict + Send + Sync>;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) seed: u64,
    pub(super) origin: Instant,
    state: Mutex<State>,
    earlier_event: Arc<Notify>,
}

pub(super) struct State {
    seed: u64,
    default_profile: LinkProfile,
    own_profiles: BTreeMap<(IpAddr, IpAddr), LinkProfile>,
    links: BTreeMap<(IpAddr, IpAddr), Link>,
    partitions: Vec<(Vec<IpAddr>, Vec<IpAddr>)>,
    pub(super) mailboxes: BTreeMap<SocketAddr, Arc<Mailbox>>,
    pub(super) incarnations: BTreeMap<IpAddr, u64>,
    /// Ordered by due time, then by the order of sending: the one order of events of a run.
    under_way: BTreeMap<(Duration, u64), Datagram>,
    sequence: u64,
    tap: Option<Tap>,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.origin)
    }

    pub(super) fn send(&self, outgoing: Outgoing, injected: bool) {
        let elapsed = self.elapsed();
        let datagram = hop::outbound(Datagram {
            at: Micros::default() + elapsed,
            from: canonical(outgoing.from),
            to: canonical(outgoing.to),
            contents: outgoing.contents,
            injected,
            ecn: outgoing.ecn,
        });
        // The tap runs without the lock, because it may call the network.
        let tap = self.lock().tap.clone();
        let verdict = tap.map_or(Verdict::Pass, |tap| tap(&datagram));
        if self.lock().accept(elapsed, datagram, verdict) {
            self.earlier_event.notify_one();
        }
    }

    fn deliver_due(&self) -> Option<Instant> {
        let elapsed = self.elapsed();
        let mut state = self.lock();
        while let Some(entry) = state.under_way.first_entry() {
            let (due, _) = *entry.key();
            if due > elapsed {
                return Some(self.origin + due);
            }
            let datagram = entry.remove();
            state.deliver(hop::inbound(datagram));
        }
        None
    }
}

impl State {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            default_profile: LinkProfile::default(),
            own_profiles: BTreeMap::new(),
            links: BTreeMap::new(),
            partitions: Vec::new(),
            mailboxes: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            under_way: BTreeMap::new(),
            sequence: 0,
            tap: None,
        }
    }

    /// Puts the datagram on its link; true if it is now the next to arrive.
    fn accept(&mut self, now: Duration, datagram: Datagram, verdict: Verdict) -> bool {
        let bytes = datagram.contents.len();
        let (from, to) = (datagram.from.ip(), datagram.to.ip());
        let blocked = self.is_cut(from, to);
        let link = self.link(from, to);
        if blocked || verdict == Verdict::Drop {
            link.counters.sent.count(bytes);
            let reason = if blocked {
                &mut link.counters.blocked
            } else {
                &mut link.counters.lost
            };
            reason.count(bytes);
            return false;
        }
        let Some(due) = link.carry(now, bytes) else {
            return false;
        };
        let key = (due, self.sequence);
        self.sequence += 1;
        self.under_way.insert(key, datagram);
        self.under_way
            .first_key_value()
            .is_some_and(|(first, _)| *first == key)
    }

    fn deliver(&mut self, datagram: Datagram) {
        let bytes = datagram.contents.len();
        let (from, to) = (datagram.from, datagram.to);
        let arrival = Arrival {
            from,
            contents: datagram.contents,
            ecn: datagram.ecn,
        };
        let accepted = self.mailboxes.get(&to).map(|mailbox| mailbox.put(arrival));
        let counters = &mut self.link(from.ip(), to.ip()).counters;
        match accepted {
            Some(true) => counters.delivered.count(bytes),
            Some(false) => counters.unread.count(bytes),
            None => counters.unclaimed.count(bytes),
        }
    }

    fn link(&mut self, from: IpAddr, to: IpAddr) -> &mut Link {
        let pair = (from, to);
        let profile = *self
            .own_profiles
            .get(&pair)
            .unwrap_or(&self.default_profile);
        let seed = self.seed;
        let link = self
            .links
            .entry(pair)
            .or_insert_with(|| Link::new(seed, from, to, profile));
        link.profile = profile;
        link
    }

    fn is_cut(&self, from: IpAddr, to: IpAddr) -> bool {
        self.partitions.iter().any(|(left, right)| {
            left.contains(&from) && right.contains(&to)
                || left.contains(&to) && right.contains(&from)
        })
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("mailboxes", &self.mailboxes.len())
            .field("links", &self.links.len())
            .field("under_way", &self.under_way.len())
            .finish_non_exhaustive()
    }
}

/// The one delivery task. It ends with the last handle on the network.
async fn deliver_when_due(shared: Weak<Shared>, earlier_event: Arc<Notify>) {
    while let Some(next) = shared.upgrade().map(|shared| shared.deliver_due()) {
        match next {
            Some(due) => tokio::select! {
                biased;
                () = tokio::time::sleep_until(due) => {}
                () = earlier_event.notified() => {}
            },
            None => earlier_event.notified().await,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.earlier_event.notify_one();
    }
}

/// tokio's clock, paused: virtual time.
fn now() -> Instant {
    Instant::now()
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
