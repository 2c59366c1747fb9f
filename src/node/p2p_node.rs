//! The node: what an application holds.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::mdns_task::MdnsTask;
use super::{Messages, NodeBuilder, ValidConfig, application};
use crate::identity::{Keypair, PeerId};
use crate::p2p::{
    AddError, AddressSource, Budget, DialFailure, EventStream, OutboundRequest, PeerEntry, Refusal,
    RegisterError, RequestError, SendError, Swarm, SwarmMetrics,
};
use crate::services::discovery::Discovery;
use crate::services::gossip::GossipProtocol;
use crate::wire::message::{VERSION, ping, request};
use crate::wire::{Address, StreamHeader};

/// An address that the book knows has this long before discovery is asked as well: a handshake whose
/// first packet is lost takes no longer.
const HEAD_START: Duration = Duration::from_millis(1_500);

/// A running node. Clones share it; it stops when the last one is dropped.
#[derive(Debug, Clone)]
pub struct P2PNode(Arc<Node>);

#[derive(Debug)]
struct Node {
    swarm: Swarm,
    config: ValidConfig,
    discovery: Discovery,
    gossip: GossipProtocol,
    mdns: Option<MdnsTask>,
}

impl P2PNode {
    /// A node with this identity, to be configured and spawned.
    #[must_use]
    pub fn builder(keypair: Keypair) -> NodeBuilder {
        NodeBuilder::new(keypair)
    }

    pub(super) fn new(
        swarm: Swarm,
        config: ValidConfig,
        discovery: Discovery,
        gossip: GossipProtocol,
        mdns: Option<MdnsTask>,
    ) -> Self {
        Self(Arc::new(Node {
            swarm,
            config,
            discovery,
            gossip,
            mdns,
        }))
    }

    /// This node's identity.
    #[must_use]
    pub fn peer_id(&self) -> PeerId {
        self.0.swarm.local_peer()
    }

    /// Where this node listens, with its identity.
    #[must_use]
    pub fn listen_addresses(&self) -> Vec<Address> {
        self.0.swarm.listen_addresses()
    }

    /// Connects to whom an address names, or to whoever answers there if it names nobody. Without
    /// a name nothing is remembered for a faster return. The node does not close the connection for
    /// being idle.
    ///
    /// # Errors
    /// See [`DialFailure`].
    pub async fn dial(&self, address: &Address) -> Result<PeerId, DialFailure> {
        self.dial_and_keep(address.peer_id(), std::slice::from_ref(address))
            .await
    }

    /// Connects to a peer, wherever it is: at the addresses that the peer book knows, or else at those
    /// that discovery finds, which is asked as soon as those of the book keep it waiting. The node does
    /// not close the connection for being idle.
    ///
    /// # Errors
    /// See [`DialFailure`]; [`DialFailure::NoAddress`] if none is known or found.
    pub async fn connect(&self, peer: PeerId) -> Result<PeerId, DialFailure> {
        let swarm = &self.0.swarm;
        let _held = swarm.hold(peer);
        let known = swarm.with_book(|book, now| book.addresses_for_dial(now.mono, &peer));
        let mut dialling = pin!(self.dial_affordable(peer, &known));
        let early = timeout(HEAD_START, &mut dialling).await;
        let mut searching = pin!(self.search_and_dial(peer));
        let outcome = match early {
            Ok(outcome) => outcome,
            Err(_) => tokio::select! {
                outcome = &mut dialling => outcome,
                found = &mut searching => return match found {
                    Some(Ok(peer)) => Ok(peer),
                    // What discovery found is no better than what the book says.
                    Some(Err(_)) | None => dialling.await,
                },
            },
        };
        let failure = match outcome {
            Err(failure) if is_worth_a_search(failure) => failure,
            outcome => return outcome,
        };
        let found = searching.await.unwrap_or(Err(failure));
        if found.is_err() && swarm.is_connected(&peer) {
            // It came by itself: a client, whom nobody can tell about.
            swarm.keep(&peer);
            return Ok(peer);
        }
        found
    }

    /// `None` if nobody knows where the peer is.
    async fn search_and_dial(&self, peer: PeerId) -> Option<Result<PeerId, DialFailure>> {
        let found = self.0.discovery.find_peer(peer).await.ok()?;
        Some(self.dial_affordable(peer, &found).await)
    }

    /// Dials a peer at addresses that others may have named, as far as their hosts may be bothered.
    async fn dial_affordable(
        &self,
        peer: PeerId,
        addresses: &[Address],
    ) -> Result<PeerId, DialFailure> {
        let swarm = &self.0.swarm;
        if swarm.is_connected(&peer) {
            return self.dial_and_keep(Some(peer), addresses).await;
        }
        let affordable = swarm.affordable(Budget::Sought, &peer, addresses);
        let outcome = self.dial_and_keep(Some(peer), &affordable.addresses).await;
        swarm.settle(&affordable, &peer, &outcome);
        outcome
    }

    async fn dial_and_keep(
        &self,
        peer: Option<PeerId>,
        addresses: &[Address],
    ) -> Result<PeerId, DialFailure> {
        let swarm = &self.0.swarm;
        // From before the dial, so that nobody closes the connection before it is kept.
        let _held = peer.map(|peer| swarm.hold(peer));
        let connected = swarm.dial(peer, addresses).await?;
        swarm.keep(&connected);
        Ok(connected)
    }

    /// Remembers an address of a peer, as told by the program; an identity in the address must be
    /// the peer's. [`connect`](Self::connect) tries it.
    ///
    /// # Errors
    /// See [`AddError`].
    pub fn add_address(&self, peer: PeerId, address: &Address) -> Result<(), AddError> {
        self.0.swarm.with_book(|book, now| {
            book.add_address(now.mono, peer, address, AddressSource::Configured)
        })
    }

    /// Disconnects a peer and talks to it no more for `span`.
    pub fn ban(&self, peer: PeerId, span: Duration) {
        self.0.swarm.ban(peer, span);
    }

    /// Ends a ban; false if there was none.
    pub fn unban(&self, peer: &PeerId) -> bool {
        self.0.swarm.unban(peer)
    }

    /// The peer's reputation, 0 down to −100.
    #[must_use]
    pub fn reputation(&self, peer: &PeerId) -> i32 {
        self.0.swarm.reputation(peer)
    }

    /// How often each kind of event happened, whoever reads the events.
    #[must_use]
    pub fn metrics(&self) -> SwarmMetrics {
        self.0.swarm.metrics()
    }

    /// Closes the connection with a peer; false if there was none.
    pub fn disconnect(&self, peer: &PeerId) -> bool {
        self.0.swarm.disconnect(peer)
    }

    /// The connected peers, in the order of their ids.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerId> {
        self.0.swarm.connected_peers()
    }

    /// What the peer book knows about a peer.
    #[must_use]
    pub fn peer(&self, peer: &PeerId) -> Option<PeerEntry> {
        self.0.swarm.with_book(|book, _| book.get(peer).cloned())
    }

    /// Measures the round trip to a connected peer.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn ping(&self, peer: PeerId) -> Result<Duration, RequestError> {
        self.0
            .swarm
            .ping(peer, self.0.config.get().request_timeout)
            .await
    }

    /// Measures the time to the first answer of a peer that may not be connected: with a ticket
    /// from an earlier meeting the ping travels in the first flight.
    ///
    /// # Errors
    /// See [`DialFailure`].
    pub async fn dial_and_ping(&self, address: &Address) -> Result<Duration, DialFailure> {
        let start = Instant::now();
        match address.peer_id() {
            Some(peer) => {
                let swarm = &self.0.swarm;
                let _held = swarm.hold(peer);
                swarm.dial_and_ping(peer, address).await?;
                swarm.keep(&peer);
            }
            None => {
                let peer = self.dial(address).await?;
                self.ping(peer).await?;
            }
        }
        Ok(start.elapsed())
    }

    /// Asks a connected peer in an application's protocol.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request(
        &self,
        peer: PeerId,
        protocol: u32,
        body: impl Into<Bytes>,
    ) -> Result<Bytes, RequestError> {
        let deadline = self.0.config.get().request_timeout;
        self.request_within(peer, protocol, body, deadline).await
    }

    /// Asks a connected peer in an application's protocol, and waits for the answer at most for
    /// `deadline` instead of the time that the configuration names.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn request_within(
        &self,
        peer: PeerId,
        protocol: u32,
        body: impl Into<Bytes>,
        deadline: Duration,
    ) -> Result<Bytes, RequestError> {
        let outbound = OutboundRequest {
            protocol,
            version: VERSION,
            kind: request::REQUEST,
            body: body.into(),
            requests: request::ACCEPTOR_READS,
            responses: request::DIALLER_READS,
        };
        let reply = self.0.swarm.request(peer, &outbound, deadline).await?;
        Ok(reply.body)
    }

    /// Answers the requests of confirmed peers in an application's protocol (number 0x40 and up).
    /// A peer that asks before gets `UNKNOWN_PROTOCOL`; [`NodeBuilder::handle`] is never late.
    ///
    /// The node owns `answer` until it is shut down: an `answer` that owned a clone of the node in
    /// turn would keep it running when the program has dropped its own. Let it have what it needs
    /// of the node in another way, such as a channel.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn handle<F, R>(&self, protocol: u32, answer: F) -> Result<(), RegisterError>
    where
        F: Fn(PeerId, Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
    {
        let (protocol, handler) = application::answering(protocol, answer);
        self.0.swarm.register(protocol, handler)
    }

    /// Sends a one-way message to a connected peer, waiting for room in its queue. Messages of one
    /// protocol to one peer arrive in order, each at most once.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(
        &self,
        peer: PeerId,
        protocol: u32,
        message: impl Into<Bytes>,
    ) -> Result<(), SendError> {
        let header = StreamHeader {
            protocol,
            version: VERSION,
        };
        self.0.swarm.send(peer, header, message.into()).await
    }

    /// Receives the one-way messages of an application's protocol (number 0x40 and up). A peer that
    /// sends before is refused; [`NodeBuilder::messages`] is never late.
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn messages(&self, protocol: u32) -> Result<Messages, RegisterError> {
        let limit = self.0.config.get().queue_limit();
        let ((protocol, handler), messages) = application::receiving(protocol, limit);
        self.0.swarm.register(protocol, handler)?;
        Ok(messages)
    }

    /// What happens, from now on. A slow reader is told how much it lost; the node never waits.
    #[must_use]
    pub fn events(&self) -> EventStream {
        self.0.swarm.events()
    }

    /// Peers, roles and records of the whole network.
    #[must_use]
    pub fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    /// Topics: what is said in one, all others who subscribe to it get. Every call fails if
    /// [`P2PConfig::enable_gossip`](super::P2PConfig::enable_gossip) is off.
    #[must_use]
    pub fn gossip(&self) -> &GossipProtocol {
        &self.0.gossip
    }

    /// The connections underneath, for protocols of other shapes.
    #[must_use]
    pub fn swarm(&self) -> &Swarm {
        &self.0.swarm
    }

    /// Stops: says what was published to those who read it (at most 60 s, and 3 s in which nobody takes any of
    /// it), dials and accepts no more, sends the one-way messages that are queued (requests in hand
    /// are cut off; at most 3 s; the rest is told as
    /// [`SwarmEvent::MessagesUnsent`](crate::p2p::SwarmEvent::MessagesUnsent)), says goodbye to all
    /// peers (at most 3 s more) and ends. Afterwards [`Messages`] and [`EventStream`]s come to their
    /// end, and the ports and the identity are free, whatever clones of the node exist; only a
    /// connection, a stream or a transport that the program still holds keeps its port.
    pub async fn shutdown(&self) {
        if let Some(mdns) = &self.0.mdns {
            mdns.stop();
        }
        self.0.discovery.save().await;
        self.0.gossip.close().await;
        self.0.swarm.shutdown().await;
    }
}

/// Whether the peer may be found where nobody looked yet: not if it was reached, or this node will not
/// have it.
const fn is_worth_a_search(failure: DialFailure) -> bool {
    matches!(
        failure,
        DialFailure::NoAddress | DialFailure::TimedOut | DialFailure::Transport(_)
    )
}

// A ping is the one request of the stack that travels early; its protocol must exist.
const _: () = assert!(ping::PROTOCOL < crate::p2p::FIRST_APPLICATION_PROTOCOL);
