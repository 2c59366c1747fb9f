//! Which connections exist, and which of several with one peer is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::duplicates::{Input as DuplicatesInput, Output as DuplicatesOutput};
use super::hold::Holds;
use super::link::Link;
use super::{Admission, BanList, ConnectionId, Duplicates, ReputationLedger, SwarmConfig};
use crate::identity::PeerId;
use crate::policy::Micros;

/// The state of a swarm that changes when connections come and go; behind one short lock.
#[derive(Debug)]
pub(super) struct Connections {
    local: PeerId,
    next_id: u64,
    peers: BTreeMap<PeerId, PeerState>,
    pub(super) admission: Admission,
    pub(super) reputation: ReputationLedger,
    pub(super) bans: BanList,
    pub(super) holds: Holds,
}

#[derive(Debug)]
struct PeerState {
    duplicates: Duplicates,
    /// Confirmed connections, oldest first; at most a handful.
    links: Vec<Arc<Link>>,
    /// The earliest moment at which a timer task will look at `duplicates`.
    armed: Option<Micros>,
}

/// What has to be done after a change, outside the lock.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) probe: Vec<Arc<Link>>,
    pub(super) close: Vec<Arc<Link>>,
    /// The connection that new streams go to changed to this one.
    pub(super) current: Option<Arc<Link>>,
    /// Look again at this moment.
    pub(super) timer: Option<Micros>,
    /// The last connection with the peer is gone.
    pub(super) gone: bool,
}

impl Connections {
    pub(super) fn new(local: PeerId, config: &SwarmConfig) -> Self {
        Self {
            local,
            next_id: 0,
            peers: BTreeMap::new(),
            admission: Admission::new(config.limits, config.max_peers),
            reputation: ReputationLedger::new(config.reputation),
            bans: BanList::new(),
            holds: Holds::default(),
        }
    }

    /// A number for a new connection: later ones are greater.
    pub(super) fn next_id(&mut self) -> ConnectionId {
        self.next_id += 1;
        ConnectionId(self.next_id)
    }

    /// Peers with a confirmed connection.
    pub(super) fn peers(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    /// All confirmed connections, in the order of their peers.
    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.peers
            .values()
            .flat_map(|state| state.links.iter().cloned())
            .collect()
    }

    /// Lets go of all connections, at the end of the swarm.
    pub(super) fn forget_links(&mut self) {
        self.peers.clear();
        self.holds.let_all_go();
    }

    /// The confirmed connections with one peer, oldest first.
    pub(super) fn links_of(&self, peer: &PeerId) -> Vec<Arc<Link>> {
        self.peers
            .get(peer)
            .map(|state| state.links.clone())
            .unwrap_or_default()
    }

    /// One of them.
    pub(super) fn link_of(&self, peer: &PeerId, id: ConnectionId) -> Option<Arc<Link>> {
        self.peers.get(peer)?.link(id)
    }

    /// See [`Duplicates::is_ours_to_close`].
    pub(super) fn is_ours_to_close(&self, peer: &PeerId, id: ConnectionId) -> bool {
        let state = self.peers.get(peer);
        state.is_some_and(|state| state.duplicates.is_ours_to_close(id))
    }

    /// Holds the connection with a peer as long as it lasts; false if there is none.
    pub(super) fn keep(&mut self, peer: &PeerId) -> bool {
        let is_connected = self.peers.contains_key(peer);
        if is_connected {
            self.holds.keep(*peer);
        }
        is_connected
    }

    /// The connections with a peer that nobody needs: none if the peer is held, if a stream is open on
    /// one of them, or if they are about to end anyway.
    pub(super) fn idle_links(&self, peer: &PeerId) -> Vec<Arc<Link>> {
        let links = self.links_of(peer);
        let is_idle = |link: &Arc<Link>| link.open_streams() == 0;
        let lives = |link: &Arc<Link>| link.connection.close_reason().is_none();
        if self.holds.is_held(peer) || !links.iter().all(is_idle) || !links.iter().any(lives) {
            return Vec::new();
        }
        links
    }

    /// A confirmed connection joins.
    pub(super) fn add(&mut self, now: Micros, peer: PeerId, link: &Arc<Link>) -> Effects {
        let local = self.local;
        let state = self.peers.entry(peer).or_insert_with(|| PeerState {
            duplicates: Duplicates::new(local, peer),
            links: Vec::new(),
            armed: None,
        });
        state.links.push(link.clone());
        state.duplicates.handle(
            now,
            DuplicatesInput::Confirmed {
                connection: link.id,
                direction: link.direction,
                rtt: link.connection.rtt(),
            },
        );
        let contested = state.links.len() > 1;
        for link in &state.links {
            link.set_contested(contested);
            let streams = (link.id, link.open_streams());
            state.duplicates.handle(now, streams_input(streams));
        }
        state.effects()
    }

    /// A confirmed connection ended.
    pub(super) fn remove(&mut self, now: Micros, peer: PeerId, id: ConnectionId) -> Effects {
        let Some(state) = self.peers.get_mut(&peer) else {
            return Effects::default();
        };
        state.duplicates.handle(now, DuplicatesInput::Closed(id));
        state.links.retain(|link| link.id != id);
        if let [only] = &state.links[..] {
            only.set_contested(false);
        }
        let mut effects = state.effects();
        if state.links.is_empty() {
            self.peers.remove(&peer);
            self.holds.let_go(&peer);
            effects.gone = true;
        }
        effects
    }

    /// The moment came at which a timer was to look.
    pub(super) fn timer(&mut self, now: Micros, peer: PeerId) -> Effects {
        let Some(state) = self.peers.get_mut(&peer) else {
            return Effects::default();
        };
        state.armed = None;
        state.duplicates.handle(now, DuplicatesInput::Timer);
        state.effects()
    }

    /// A packet arrived on a connection that was asked for a sign of life.
    pub(super) fn heard(&mut self, now: Micros, peer: PeerId, id: ConnectionId) -> Effects {
        let Some(state) = self.peers.get_mut(&peer) else {
            return Effects::default();
        };
        state.duplicates.handle(now, DuplicatesInput::Packet(id));
        state.effects()
    }

    /// The number of streams open on a connection changed.
    pub(super) fn streams(&mut self, now: Micros, peer: PeerId, link: &Link) -> Effects {
        let Some(state) = self.peers.get_mut(&peer) else {
            return Effects::default();
        };
        state
            .duplicates
            .handle(now, streams_input((link.id, link.open_streams())));
        state.effects()
    }
}

fn streams_input((connection, open): (ConnectionId, u32)) -> DuplicatesInput {
    DuplicatesInput::Streams { connection, open }
}

impl PeerState {
    /// Collects what the rule wants done.
    fn effects(&mut self) -> Effects {
        let mut effects = Effects::default();
        while let Some(output) = self.duplicates.poll_output() {
            match output {
                DuplicatesOutput::Probe(id) => effects.probe.extend(self.link(id)),
                DuplicatesOutput::Close(id) => effects.close.extend(self.link(id)),
                DuplicatesOutput::Surviving { connection, .. } => {
                    effects.current = self.link(connection);
                }
            }
        }
        let due = self.duplicates.poll_timeout();
        if let Some(due) = due
            && self.armed.is_none_or(|armed| due < armed)
        {
            self.armed = Some(due);
            effects.timer = Some(due);
        }
        effects
    }

    fn link(&self, id: ConnectionId) -> Option<Arc<Link>> {
        self.links.iter().find(|link| link.id == id).cloned()
    }
}
