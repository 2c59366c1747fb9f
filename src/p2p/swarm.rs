//! The swarm: all connections of a node, and the protocols on them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use tokio::sync::watch;
use tokio::time::Instant;

use super::builtin;
use super::connections::Connections;
use super::dials::Dials;
use super::framing::{FrameReader, FrameWriter};
use super::link::Link;
use super::metrics::Counters;
use super::outbox::Outbox;
use super::protocol::{Handler, Protocol, RegisterError, Reply};
use super::registry::Registry;
use super::serve::StreamGuard;
use super::signal::Signal;
use super::within::runs_through;
use super::{
    AddError, AddressSource, BanReason, Counts, DialFailure, EventHub, EventStream,
    OutboundRequest, PeerBook, PeerEntry, Reachability, RequestError, SendError, SwarmConfig,
    SwarmEvent, SwarmMetrics,
};
use crate::identity::{Keypair, PeerId};
use crate::policy::Now;
use crate::transport::QuicTransport;
use crate::transport::environment::Environment;
use crate::wire::{Address, ErrorCode, StreamHeader};

/// How long shutting down waits for the farewell to reach the peers: three probe timeouts on a
/// path of 300 ms round trip.
const FAREWELL: Duration = Duration::from_secs(3);

/// All connections of a node; clones share them. When the last clone is dropped the node stops
/// without a farewell; [`shutdown`](Self::shutdown) is the polite way.
#[derive(Debug, Clone)]
pub struct Swarm(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What the tasks of a swarm share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: SwarmConfig,
    pub(super) keypair: Keypair,
    pub(super) environment: Environment,
    pub(super) transports: Vec<QuicTransport>,
    /// The connection that new streams to a peer go to.
    pub(super) table: DashMap<PeerId, Arc<Link>>,
    pub(super) outboxes: DashMap<(PeerId, u32), Arc<Outbox>>,
    pub(super) protocols: Registry,
    pub(super) dials: Dials,
    connections: Mutex<Connections>,
    book: Mutex<PeerBook>,
    events: EventHub,
    counters: Counters,
    reachability: watch::Sender<Reachability>,
    stopping: Arc<Signal>,
}

impl Swarm {
    /// Starts the tasks of a swarm over bound transports, one for each listening address.
    ///
    /// # Errors
    /// [`RegisterError`] cannot occur with the protocols of the stack; it is passed on as a bug.
    pub fn start(
        config: SwarmConfig,
        keypair: Keypair,
        transports: Vec<QuicTransport>,
        environment: Environment,
    ) -> Result<Self, RegisterError> {
        let inner = Arc::new(Inner {
            keypair: keypair.clone(),
            transports,
            table: DashMap::new(),
            outboxes: DashMap::new(),
            protocols: Registry::default(),
            dials: Dials::default(),
            connections: Mutex::new(Connections::new(keypair.peer_id(), &config)),
            book: Mutex::new(PeerBook::new()),
            reachability: watch::Sender::new(config.reachability),
            events: EventHub::new(config.event_backlog),
            counters: Counters::default(),
            stopping: Arc::default(),
            config,
            environment,
        });
        let has_public_address = inner
            .listen_addresses()
            .iter()
            .any(Address::is_globally_routable);
        let is_public = inner.reachability() == Reachability::Public;
        inner.book().set_public(is_public || has_public_address);
        builtin::register(&inner)?;
        for index in 0..inner.transports.len() {
            inner.spawn(super::accept::run(inner.clone(), index));
            inner.spawn(super::housekeeping::watch_paths(inner.clone(), index));
        }
        inner.spawn(super::housekeeping::run(inner.clone()));
        Ok(Self(Arc::new(Handle(inner))))
    }

    /// This node's identity.
    #[must_use]
    pub fn local_peer(&self) -> PeerId {
        self.inner().keypair.peer_id()
    }

    /// Where this node listens.
    #[must_use]
    pub fn listen_addresses(&self) -> Vec<Address> {
        self.inner().listen_addresses()
    }

    /// Whether strangers can dial this node, and every change of it.
    #[must_use]
    pub fn reachability(&self) -> watch::Receiver<Reachability> {
        self.inner().reachability.subscribe()
    }

    /// Adds a protocol.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn register(&self, protocol: Protocol, handler: Handler) -> Result<(), RegisterError> {
        self.inner().protocols.register(protocol, handler)
    }

    /// Connects to `peer` at one of `addresses`, tried in this order, each a little after the one
    /// before. Returns at once if the peer is connected; joins a dial to the same peer that is
    /// under way. Without `peer`, whoever answers is accepted.
    ///
    /// # Errors
    /// See [`DialFailure`].
    pub async fn dial(
        &self,
        peer: Option<PeerId>,
        addresses: &[Address],
    ) -> Result<PeerId, DialFailure> {
        super::dial::dial(self.inner(), peer, addresses).await
    }

    /// Sends a request that is safe to repeat to a peer that may not be connected, in the first
    /// flight if a ticket allows it. The connection stays.
    ///
    /// # Errors
    /// See [`DialFailure`] and [`RequestError`].
    pub async fn dial_and_request(
        &self,
        peer: PeerId,
        address: &Address,
        request: &OutboundRequest,
    ) -> Result<Reply, DialFailure> {
        super::dial::dial_and_request(self.inner(), peer, address, request).await
    }

    /// Measures the round trip to a connected peer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn ping(&self, peer: PeerId, deadline: Duration) -> Result<Duration, RequestError> {
        let inner = self.inner();
        let nonce = inner.nonce()?;
        let start = Instant::now();
        let reply = inner
            .request(peer, &builtin::ping_request(nonce), deadline)
            .await?;
        builtin::check_pong(&reply, nonce)?;
        let rtt = start.elapsed();
        inner.book().measured(inner.now().mono, peer, rtt);
        Ok(rtt)
    }

    /// Pings a peer that may not be connected, in the first flight if a ticket allows it.
    ///
    /// # Errors
    /// See [`DialFailure`].
    pub async fn dial_and_ping(&self, peer: PeerId, address: &Address) -> Result<(), DialFailure> {
        let nonce = self.inner().nonce()?;
        let reply = self
            .dial_and_request(peer, address, &builtin::ping_request(nonce))
            .await?;
        Ok(builtin::check_pong(&reply, nonce)?)
    }

    /// Closes the connection with `peer`; false if there was none.
    pub fn disconnect(&self, peer: &PeerId) -> bool {
        self.inner().close_peer(peer, ErrorCode::Shutdown)
    }

    /// Sends a request and waits for the answer, at most `deadline`.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request(
        &self,
        peer: PeerId,
        request: &OutboundRequest,
        deadline: Duration,
    ) -> Result<Reply, RequestError> {
        self.inner().request(peer, request, deadline).await
    }

    /// Queues a one-way message, waiting for room in the peer's queue. Messages of one protocol to
    /// one peer arrive in order, each at most once; how many were not sent when the peer
    /// disconnects is told by [`SwarmEvent::MessagesUnsent`].
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        peer: PeerId,
        header: StreamHeader,
        message: Bytes,
    ) -> Result<(), SendError> {
        self.inner().send(peer, header, message).await
    }

    /// Opens this node's stream of an ordered protocol. It belongs to the peer's current
    /// connection; when [`SwarmEvent`] tells of a newer one, finish it and open the next.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn open_ordered(
        &self,
        peer: PeerId,
        header: StreamHeader,
    ) -> Result<FrameWriter, RequestError> {
        let (link, guard) = self.counted_link(&peer)?;
        let stream = link.connection.open_uni().await;
        let stream = stream.map_err(RequestError::Disconnected)?;
        Ok(FrameWriter::new(stream, header).counted(guard))
    }

    /// Opens a stream of a raw protocol. The header goes out with the first flush.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn open_raw(
        &self,
        peer: PeerId,
        header: StreamHeader,
    ) -> Result<(FrameWriter, FrameReader), RequestError> {
        let (link, guard) = self.counted_link(&peer)?;
        let halves = link.connection.open_bi().await;
        let (send, receive) = halves.map_err(RequestError::Disconnected)?;
        let writer = FrameWriter::new(send, header).counted(guard.clone());
        Ok((writer, FrameReader::new(receive).counted(guard)))
    }

    fn counted_link(&self, peer: &PeerId) -> Result<(Arc<Link>, Arc<StreamGuard>), RequestError> {
        let inner = self.inner();
        let link = inner.link(peer).ok_or(RequestError::NotConnected)?;
        let guard = StreamGuard::new(inner.clone(), link.clone());
        Ok((link, Arc::new(guard)))
    }

    /// Whether there is a confirmed connection with `peer`.
    #[must_use]
    pub fn is_connected(&self, peer: &PeerId) -> bool {
        self.inner().table.contains_key(peer)
    }

    /// The connected peers, in the order of their ids.
    #[must_use]
    pub fn connected_peers(&self) -> Vec<PeerId> {
        self.inner().connections().peers()
    }

    /// The transport connection that new streams to `peer` go to.
    #[must_use]
    pub fn connection(&self, peer: &PeerId) -> Option<crate::transport::Connection> {
        self.inner().link(peer).map(|link| link.connection.clone())
    }

    /// Reads or changes the peer book, under its short lock.
    pub fn with_book<T>(&self, use_it: impl FnOnce(&mut PeerBook, Now) -> T) -> T {
        let now = self.inner().now();
        use_it(&mut self.inner().book(), now)
    }

    /// Notes where somebody on the local network says that `peer` is. What was not known before is
    /// told by [`SwarmEvent::PeerAnnounced`]. It is a claim: the handshake proves who answers.
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn announce(&self, peer: PeerId, address: &Address) -> Result<(), AddError> {
        let named = address.clone().with_peer_id(peer);
        let is_news = self.with_book(|book, now| {
            let knows = |entry: &PeerEntry| entry.addresses().any(|one| one.address == named);
            let is_news = !book.get(&peer).is_some_and(knows);
            book.add_address(now.mono, peer, address, AddressSource::Mdns)?;
            Ok(is_news)
        })?;
        if is_news {
            self.inner().emit(SwarmEvent::PeerAnnounced { peer });
        }
        Ok(())
    }

    /// The peer's reputation, 0 down to −100.
    #[must_use]
    pub fn reputation(&self, peer: &PeerId) -> i32 {
        let now = self.inner().now().mono;
        self.inner().connections().reputation.score(now, peer)
    }

    /// Disconnects `peer` and talks to it no more for `span`.
    pub fn ban(&self, peer: PeerId, span: Duration) {
        self.inner().ban(peer, span, BanReason::Requested);
    }

    /// Ends a ban.
    pub fn unban(&self, peer: &PeerId) -> bool {
        self.inner().connections().bans.unban(peer)
    }

    /// A stream of what happens. A reader that lags behind is told how much it lost; it never
    /// holds up the node.
    #[must_use]
    pub fn events(&self) -> EventStream {
        self.inner().events.subscribe()
    }

    /// How often each kind of event happened, whoever reads the events.
    #[must_use]
    pub fn metrics(&self) -> SwarmMetrics {
        self.inner().counters.read()
    }

    /// How many connections and handshakes there are, those included that will be closed in favour
    /// of another with the same peer.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner().connections().admission.counts()
    }

    /// The transports, for their counters and for [`QuicTransport::rebind`].
    #[must_use]
    pub fn transports(&self) -> &[QuicTransport] {
        &self.inner().transports
    }

    /// Tells all peers goodbye and stops.
    pub async fn shutdown(&self) {
        let inner = self.inner();
        inner.stop();
        let farewell = async {
            for transport in &inner.transports {
                transport.wait_idle().await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0.0
    }
}

impl Inner {
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

    pub(super) fn emit(&self, event: SwarmEvent) {
        self.counters.count(&event);
        self.events.emit(self.now().mono, event);
    }

    /// The connection that new streams to `peer` go to.
    pub(super) fn link(&self, peer: &PeerId) -> Option<Arc<Link>> {
        self.table.get(peer).map(|link| link.clone())
    }

    pub(super) fn listen_addresses(&self) -> Vec<Address> {
        let sockets = self
            .transports
            .iter()
            .filter_map(|transport| transport.local_address().ok());
        sockets
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
        self.environment.runtime.spawn(Box::pin(async move {
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

    /// The transport whose socket is of the family of `address`.
    pub(super) fn transport_for(&self, address: SocketAddr) -> Option<&QuicTransport> {
        self.transports.iter().find(|transport| {
            transport
                .local_address()
                .is_ok_and(|local| local.is_ipv4() == address.is_ipv4())
        })
    }

    fn nonce(&self) -> Result<u64, RequestError> {
        let mut nonce = [0; 8];
        self.environment.entropy.fill(&mut nonce)?;
        Ok(u64::from_le_bytes(nonce))
    }

    fn stop(&self) {
        self.stopping.raise();
        for transport in &self.transports {
            transport.close(ErrorCode::Shutdown);
        }
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
        self.stopping.is_raised()
    }
}
