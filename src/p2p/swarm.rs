//! The swarm: all connections of a node, and the protocols on them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::builtin;
use super::framing::{FrameReader, FrameWriter};
pub(super) use super::inner::Inner;
use super::inner::Kept;
use super::link::Link;
use super::protocol::{Handler, Protocol, RegisterError, Reply};
use super::serve::StreamGuard;
use super::service::{StackProtocols, Task};
use super::{
    AddError, AddressSource, BanReason, Counts, DialFailure, EventHub, EventStream, Hold,
    OutboundRequest, PeerBook, PeerEntry, Reachability, RequestError, SendError, SwarmConfig,
    SwarmEvent, SwarmMetrics,
};
use crate::identity::{Keypair, PeerId};
use crate::policy::Now;
use crate::transport::QuicTransport;
use crate::transport::environment::Environment;
use crate::wire::{Address, ErrorCode, StreamHeader};

/// All connections of a node; clones share them. When the last clone is dropped the node stops
/// without a farewell; [`shutdown`](Self::shutdown) is the polite way.
#[derive(Debug, Clone)]
pub struct Swarm(Arc<Handle>);

#[derive(Debug)]
struct Handle(Arc<Inner>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.stop_now();
    }
}

/// A handle that does not keep its swarm running.
#[derive(Debug, Clone)]
pub struct WeakSwarm(Weak<Handle>);

impl WeakSwarm {
    /// The swarm, unless its last handle was dropped. It runs at least as long as what this returns:
    /// not to be kept for longer than a step.
    #[must_use]
    pub fn upgrade(&self) -> Option<Swarm> {
        self.0.upgrade().map(Swarm)
    }
}

/// What a swarm has before its first task runs.
#[derive(Debug, Default)]
pub struct Setup {
    /// Protocols of applications: a peer that is connected in the first moment finds them.
    pub protocols: Vec<(Protocol, Handler)>,
    /// Protocols of the stack that rooms above serve.
    pub(crate) stack: StackProtocols,
    /// Where events go; its readers miss none. By default a hub of
    /// [`SwarmConfig::event_backlog`].
    pub events: Option<EventHub>,
    /// Kept until [`Swarm::shutdown`] has closed the sockets, or until the last handle is dropped.
    pub keep: Option<Kept>,
}

impl Swarm {
    /// Starts the tasks of a swarm over bound transports, one for each listening address.
    ///
    /// # Errors
    /// [`RegisterError`] of a protocol of the setup.
    pub fn start(
        config: SwarmConfig,
        keypair: Keypair,
        transports: Vec<QuicTransport>,
        environment: Environment,
        setup: Setup,
    ) -> Result<Self, RegisterError> {
        let Setup {
            protocols,
            stack,
            events,
            keep,
        } = setup;
        let events = (events, keep);
        let inner = Inner::new(config, keypair, transports, environment, events);
        let swarm = Self(Arc::new(Handle(Arc::new(inner))));
        let tasks = swarm.prepare(protocols, stack)?;
        swarm.begin(tasks);
        Ok(swarm)
    }

    /// Makes the swarm ready to be asked; what its services do of their own accord.
    fn prepare(
        &self,
        protocols: Vec<(Protocol, Handler)>,
        stack: StackProtocols,
    ) -> Result<Vec<Task>, RegisterError> {
        let inner = self.inner();
        let has_public_address = inner
            .listen_addresses()
            .iter()
            .any(Address::is_globally_routable);
        let is_public = inner.reachability() == Reachability::Public;
        inner.book().set_public(is_public || has_public_address);
        builtin::register(inner)?;
        let services = stack.make(self);
        for (protocol, handler) in services.protocols {
            inner.protocols.register_stack(protocol, handler)?;
        }
        for (protocol, handler) in protocols {
            inner.protocols.register(protocol, handler)?;
        }
        Ok(services.tasks)
    }

    /// Starts the tasks.
    fn begin(&self, services: Vec<Task>) {
        let inner = self.inner();
        for index in 0..inner.transports.all().len() {
            inner.spawn(super::accept::run(inner.clone(), index));
            inner.spawn(super::housekeeping::watch_paths(inner.clone(), index));
        }
        inner.spawn(super::housekeeping::run(inner.clone()));
        for task in services {
            inner.spawn(task);
        }
    }

    /// A handle that does not keep the swarm running.
    #[must_use]
    pub fn downgrade(&self) -> WeakSwarm {
        WeakSwarm(Arc::downgrade(&self.0))
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
        self.running()?;
        super::dial::dial(self.inner(), peer, addresses).await
    }

    /// Sends a request that is safe to repeat to a peer that may not be connected. The connection
    /// stays, and the peer is held meanwhile.
    ///
    /// If a ticket allows it, the request goes to the first address in the first flight, and again on
    /// the connection if it did not get through; the other addresses are tried when that dial fails or
    /// takes its time. Without a ticket, all are tried as [`dial`](Self::dial) does, and then the
    /// request is sent.
    ///
    /// # Errors
    /// See [`DialFailure`] and [`RequestError`].
    pub async fn dial_and_request(
        &self,
        peer: PeerId,
        addresses: &[Address],
        request: &OutboundRequest,
    ) -> Result<Reply, DialFailure> {
        self.running()?;
        let _held = self.hold(peer);
        super::first_flight::dial_and_request(self.inner(), peer, addresses, request).await
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
            .dial_and_request(
                peer,
                std::slice::from_ref(address),
                &builtin::ping_request(nonce),
            )
            .await?;
        Ok(builtin::check_pong(&reply, nonce)?)
    }

    /// Closes the connection with `peer`, whoever holds it, and [keeps](Self::keep) it no more; false if
    /// there was none.
    pub fn disconnect(&self, peer: &PeerId) -> bool {
        self.inner().connections().holds.let_go(peer);
        self.inner().close_peer(peer, ErrorCode::Shutdown)
    }

    /// Holds `peer`: as long as the guard lives no service closes the connection with it for being
    /// idle. To be taken before a dial, so that nothing comes between.
    pub fn hold(&self, peer: PeerId) -> Hold {
        Hold::new(self.inner(), peer)
    }

    /// Holds the connection with `peer` for as long as it lasts: until the last connection with the
    /// peer is gone, or [`disconnect`](Self::disconnect). False if there is none.
    pub fn keep(&self, peer: &PeerId) -> bool {
        self.inner().connections().keep(peer)
    }

    /// Whether somebody holds `peer`, or keeps its connection.
    #[must_use]
    pub fn is_held(&self, peer: &PeerId) -> bool {
        self.inner().connections().holds.is_held(peer)
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
    /// disconnects is told by [`MessagesUnsent`](super::SwarmEvent::MessagesUnsent).
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        peer: PeerId,
        header: StreamHeader,
        message: Bytes,
    ) -> Result<(), SendError> {
        if self.inner().is_stopping() {
            return Err(SendError::NotConnected(message));
        }
        self.inner().send(peer, header, message).await
    }

    /// Opens this node's stream of an ordered protocol. It belongs to the peer's current
    /// connection; when [`SwarmEvent`](super::SwarmEvent) tells of a newer one, finish it and open the next.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn open_ordered(
        &self,
        peer: PeerId,
        header: StreamHeader,
    ) -> Result<FrameWriter, RequestError> {
        let (link, guard) = self.counted_link(&peer, header.protocol)?;
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
        let (link, guard) = self.counted_link(&peer, header.protocol)?;
        let halves = link.connection.open_bi().await;
        let (send, receive) = halves.map_err(RequestError::Disconnected)?;
        let writer = FrameWriter::new(send, header).counted(guard.clone());
        Ok((writer, FrameReader::new(receive).counted(guard)))
    }

    /// The connection for a new stream, unless the peer has said that it does not speak the
    /// protocol: asking again would cost this node reputation there.
    fn counted_link(
        &self,
        peer: &PeerId,
        protocol: u32,
    ) -> Result<(Arc<Link>, Arc<StreamGuard>), RequestError> {
        let inner = self.inner();
        let link = inner.link(peer).ok_or(RequestError::NotConnected)?;
        if let Some(code) = link.refusal(protocol) {
            return Err(RequestError::Refused(code));
        }
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
        self.inner().subscribe()
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

    /// The transports, for their counters and for [`QuicTransport::rebind`]; none after
    /// [`shutdown`](Self::shutdown), which waits for the socket of one that is still held.
    #[must_use]
    pub fn transports(&self) -> Vec<Arc<QuicTransport>> {
        self.inner().transports.all()
    }

    /// Whether the swarm is stopping or has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.inner().is_stopping()
    }

    /// Stops: dials and accepts no more, sends the one-way messages that are queued (at most 3 s; the rest is told as
    /// [`MessagesUnsent`](super::SwarmEvent::MessagesUnsent)), tells all peers goodbye (at most 3 s more) and ends all
    /// tasks. Requests in hand are cut off: wait for their answers before. Afterwards the readers of events have come to their end, the handlers are dropped and
    /// the ports are free, whatever clones of the swarm exist; only a connection, a stream or a
    /// transport that the program still holds keeps its port.
    pub async fn shutdown(&self) {
        self.inner().shut_down().await;
    }

    fn running(&self) -> Result<(), DialFailure> {
        if self.inner().is_stopping() {
            return Err(DialFailure::Stopped);
        }
        Ok(())
    }

    pub(super) fn inner(&self) -> &Arc<Inner> {
        &self.0.0
    }
}
