//! What the tasks of a swarm share.

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use dashmap::DashMap;
use tokio::sync::watch;

use super::connections::Connections;
use super::dials::Dials;
use super::link::Link;
use super::metrics::Counters;
use super::outbox::Outbox;
use super::probing::Budget;
use super::registry::Registry;
use super::signal::Signal;
use super::tasks::Tasks;
use super::transports::Transports;
use super::within::runs_through;
use super::{EventHub, EventStream, PeerBook, Reachability, RequestError, SwarmConfig, SwarmEvent};
use crate::identity::{Keypair, PeerId};
use crate::policy::{Now, ProbeBudget};
use crate::transport::QuicTransport;
use crate::transport::environment::Environment;
use crate::wire::{Address, ErrorCode};

/// Something of which a swarm only needs that it exists.
pub(super) type Kept = Box<dyn std::fmt::Debug + Send + Sync>;

/// What the tasks of a swarm share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: SwarmConfig,
    pub(super) keypair: Keypair,
    pub(super) environment: Environment,
    pub(super) transports: Transports,
    /// The connection that new streams to a peer go to.
    pub(super) table: DashMap<PeerId, Arc<Link>>,
    pub(super) outboxes: DashMap<(PeerId, u32), Arc<Outbox>>,
    pub(super) protocols: Registry,
    pub(super) dials: Dials,
    connections: Mutex<Connections>,
    book: Mutex<PeerBook>,
    told_probes: Mutex<ProbeBudget>,
    sought_probes: Mutex<ProbeBudget>,
    /// `None` once the swarm has stopped, so that those who read events come to their end.
    events: RwLock<Option<EventHub>>,
    pub(super) counters: Counters,
    pub(super) reachability: watch::Sender<Reachability>,
    /// Nothing new is begun.
    pub(super) closing: Signal,
    /// All tasks end.
    pub(super) stopping: Arc<Signal>,
    pub(super) stopped: Signal,
    pub(super) tasks: Arc<Tasks>,
    /// Dropped when the swarm has stopped.
    kept: Mutex<Option<Kept>>,
}

impl Inner {
    pub(super) fn new(
        config: SwarmConfig,
        keypair: Keypair,
        transports: Vec<QuicTransport>,
        environment: Environment,
        (events, keep): (Option<EventHub>, Option<Kept>),
    ) -> Self {
        let events = events.unwrap_or_else(|| EventHub::new(config.event_backlog));
        Self {
            transports: Transports::new(transports),
            table: DashMap::new(),
            outboxes: DashMap::new(),
            protocols: Registry::default(),
            dials: Dials::default(),
            connections: Mutex::new(Connections::new(keypair.peer_id(), &config)),
            book: Mutex::new(PeerBook::new()),
            told_probes: Mutex::default(),
            sought_probes: Mutex::default(),
            reachability: watch::Sender::new(config.reachability),
            events: RwLock::new(Some(events)),
            counters: Counters::default(),
            closing: Signal::default(),
            stopping: Arc::default(),
            stopped: Signal::default(),
            tasks: Arc::default(),
            kept: Mutex::new(keep),
            keypair,
            config,
            environment,
        }
    }

    pub(super) fn now(&self) -> Now {
        self.environment.clock.now()
    }

    pub(super) fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn book(&self) -> MutexGuard<'_, PeerBook> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may be spent on addresses that others named.
    pub(super) fn probes(&self, budget: Budget) -> MutexGuard<'_, ProbeBudget> {
        let budget = match budget {
            Budget::Told => &self.told_probes,
            Budget::Sought => &self.sought_probes,
        };
        budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn emit(&self, event: SwarmEvent) {
        self.counters.count(&event);
        let events = self.events.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(events) = &*events {
            events.emit(self.now().mono, event);
        }
    }

    /// A reader of events; one that is at its end if the swarm has stopped.
    pub(super) fn subscribe(&self) -> EventStream {
        let events = self.events.read().unwrap_or_else(PoisonError::into_inner);
        match &*events {
            Some(events) => events.subscribe(),
            None => EventHub::new(NonZeroUsize::MIN).subscribe(),
        }
    }

    pub(super) fn close_events(&self) {
        let mut events = self.events.write().unwrap_or_else(PoisonError::into_inner);
        *events = None;
    }

    pub(super) fn drop_kept(&self) {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = { kept }.take();
        drop(kept);
    }

    /// The connection that new streams to `peer` go to.
    pub(super) fn link(&self, peer: &PeerId) -> Option<Arc<Link>> {
        self.table.get(peer).map(|link| link.clone())
    }

    /// Whether there is a confirmed connection with `peer` that has not ended.
    pub(super) fn is_connected(&self, peer: &PeerId) -> bool {
        self.link(peer)
            .is_some_and(|link| link.connection.close_reason().is_none())
    }

    pub(super) fn listen_addresses(&self) -> Vec<Address> {
        let transports = self.transports.all();
        let sockets = transports.iter();
        sockets
            .filter_map(|transport| transport.local_address().ok())
            .flat_map(|socket| self.reachable_at(socket))
            .map(|socket| Address::from(socket).with_peer_id(self.keypair.peer_id()))
            .collect()
    }

    /// A socket bound to the unspecified address is reached at every interface of its family.
    fn reachable_at(&self, socket: SocketAddr) -> Vec<SocketAddr> {
        if !socket.ip().is_unspecified() {
            return vec![socket];
        }
        let interfaces = self.environment.sockets.interfaces().into_iter();
        interfaces
            .filter(|ip| ip.is_ipv4() == socket.is_ipv4())
            .map(|ip| SocketAddr::new(ip, socket.port()))
            .collect()
    }

    /// Runs a task until it ends or the swarm stops.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        let counted = self.tasks.begin();
        self.environment.runtime.spawn(Box::pin(async move {
            // The task ends, with all that it holds, before it stops to count.
            let _counted = counted;
            tokio::select! {
                biased;
                () = stopping.raised() => {}
                () = task => {}
            }
        }));
    }

    /// Runs a future here until it has to wait, and the rest of it as a task: most requests never
    /// wait, and a task costs as much as they do.
    pub(super) async fn run(&self, mut future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if !runs_through(future.as_mut()).await {
            self.spawn(future);
        }
    }

    /// The transport from which `address` is dialled.
    pub(super) fn transport_for(&self, address: SocketAddr) -> Option<Arc<QuicTransport>> {
        self.transports.for_dial(address)
    }

    /// Whether a dial to `peer` has a ticket to show, from whichever transport: they share them.
    pub(super) fn may_resume(&self, peer: PeerId) -> bool {
        let transports = self.transports.all();
        transports
            .first()
            .is_some_and(|transport| transport.has_ticket(peer))
    }

    pub(super) fn nonce(&self) -> Result<u64, RequestError> {
        let mut nonce = [0; 8];
        self.environment.entropy.fill(&mut nonce)?;
        Ok(u64::from_le_bytes(nonce))
    }

    /// A peer that does not read is disconnected; nobody waits for it.
    pub(super) fn slow_reader(&self, link: &Link) {
        link.connection.close(ErrorCode::SlowReader);
    }

    pub(super) fn close_peer(&self, peer: &PeerId, code: ErrorCode) -> bool {
        let links = self.connections().links_of(peer);
        for link in &links {
            link.connection.close(code);
        }
        !links.is_empty()
    }

    pub(super) fn reachability(&self) -> Reachability {
        *self.reachability.borrow()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.closing.is_raised()
    }
}
