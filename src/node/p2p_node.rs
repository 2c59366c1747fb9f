//! The node: what an application holds.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::lock::IdentityLock;
use super::mdns_task::MdnsTask;
use super::messages::{Inbox, Messages};
use super::{NodeBuilder, ValidConfig};
use crate::identity::{Keypair, PeerId};
use crate::p2p::{
    DialFailure, EventStream, Handler, InboundRequest, Origin, OutboundRequest, PeerEntry,
    Protocol, Refusal, RegisterError, Reply, RequestError, SendError, Shape, Swarm,
};
use crate::wire::message::{VERSION, ping, request};
use crate::wire::{Address, StreamHeader};

/// The version under which [`P2PNode::handle`] and [`P2PNode::messages`] register a protocol;
/// applications with several versions register at the [`Swarm`].
const VERSIONS: &[u16] = &[VERSION];

/// A running node. Clones share it; it stops when the last one is dropped.
#[derive(Debug, Clone)]
pub struct P2PNode(Arc<Node>);

#[derive(Debug)]
struct Node {
    swarm: Swarm,
    config: ValidConfig,
    mdns: Option<MdnsTask>,
    _lock: Option<IdentityLock>,
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
        lock: Option<IdentityLock>,
        mdns: Option<MdnsTask>,
    ) -> Self {
        Self(Arc::new(Node {
            swarm,
            config,
            mdns,
            _lock: lock,
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
    /// a name nothing is remembered for a faster return.
    ///
    /// # Errors
    /// See [`DialFailure`].
    pub async fn dial(&self, address: &Address) -> Result<PeerId, DialFailure> {
        self.0
            .swarm
            .dial(address.peer_id(), std::slice::from_ref(address))
            .await
    }

    /// Connects to a peer at the addresses that the peer book knows.
    ///
    /// # Errors
    /// See [`DialFailure`]; [`DialFailure::NoAddress`] if none is known.
    pub async fn connect(&self, peer: PeerId) -> Result<PeerId, DialFailure> {
        let swarm = &self.0.swarm;
        let addresses = swarm.with_book(|book, now| book.addresses_for_dial(now.mono, &peer));
        swarm.dial(Some(peer), &addresses).await
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
            Some(peer) => self.0.swarm.dial_and_ping(peer, address).await?,
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
        let outbound = OutboundRequest {
            protocol,
            version: VERSION,
            kind: request::REQUEST,
            body: body.into(),
            requests: request::ACCEPTOR_READS,
            responses: request::DIALLER_READS,
        };
        let deadline = self.0.config.get().request_timeout;
        let reply = self.0.swarm.request(peer, &outbound, deadline).await?;
        Ok(reply.body)
    }

    /// Answers the requests of confirmed peers in an application's protocol (number 0x40 and up).
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn handle<F, R>(&self, protocol: u32, answer: F) -> Result<(), RegisterError>
    where
        F: Fn(PeerId, Bytes) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Bytes, Refusal>> + Send + 'static,
    {
        let handler = move |inbound: InboundRequest| {
            let answer = match inbound.origin {
                Origin::Confirmed(peer) => Ok(answer(peer, inbound.body)),
                Origin::Provisional(_) | Origin::Anonymous(_) => Err(Refusal::Refused),
            };
            async move {
                Ok(Reply {
                    kind: request::RESPONSE,
                    body: answer?.await?,
                })
            }
        };
        let shape = Shape::Request {
            requests: request::ACCEPTOR_READS,
            responses: request::DIALLER_READS,
        };
        self.0.swarm.register(
            application(protocol, shape),
            Handler::Request(Arc::new(handler)),
        )
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

    /// Receives the one-way messages of an application's protocol (number 0x40 and up).
    ///
    /// # Errors
    /// See [`RegisterError`].
    pub fn messages(&self, protocol: u32) -> Result<Messages, RegisterError> {
        let (inbox, messages) = Inbox::new(self.0.config.queue_limit());
        let handler = Handler::Ordered(Arc::new(inbox));
        self.0
            .swarm
            .register(application(protocol, Shape::Ordered), handler)?;
        Ok(messages)
    }

    /// What happens, from now on. A slow reader is told how much it lost; the node never waits.
    #[must_use]
    pub fn events(&self) -> EventStream {
        self.0.swarm.events()
    }

    /// The connections underneath, for protocols of other shapes.
    #[must_use]
    pub fn swarm(&self) -> &Swarm {
        &self.0.swarm
    }

    /// Says goodbye to all peers and stops.
    pub async fn shutdown(&self) {
        if let Some(mdns) = &self.0.mdns {
            mdns.stop();
        }
        self.0.swarm.shutdown().await;
    }
}

fn application(number: u32, shape: Shape) -> Protocol {
    Protocol {
        number,
        versions: VERSIONS,
        shape,
        early_frames: &[],
        anonymous: false,
    }
}

// A ping is the one request of the stack that travels early; its protocol must exist.
const _: () = assert!(ping::PROTOCOL < crate::p2p::FIRST_APPLICATION_PROTOCOL);
