//! A node's copy of the graph, filled by gossip and, where that left gaps, by requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::{Refusal, RegisterError};
use cretoai_network::services::gossip::{
    GossipError, Published, Received, SubscribeOptions, Subscription,
};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use super::rules::Rules;
use super::{Graph, Insertion, Reference, Vertex, VertexId};

/// Topic of the vertices.
pub(crate) const TOPIC: &str = "dag";

/// Application protocol in which a missing vertex is asked for by its id: the answer is the vertex, or a
/// refusal.
const FETCH: u32 = 0x40;

/// Vertices that wait for their copy: what five nodes make in three seconds, and 4 MiB.
const WAITING_VERTICES: usize = 8_192;

/// A parent that is missing is mostly on its way, by another neighbour: asked for only after this.
const GRACE: Duration = Duration::from_millis(50);

/// How long a peer may take to answer before another one is asked.
const ANSWER: Duration = Duration::from_secs(2);

/// Wait before all peers are asked once more.
const RETRY: Duration = Duration::from_millis(50);

/// Rounds through all peers before a vertex is given up, and with it what stands on it.
const ROUNDS: u32 = 100;

/// Requests at once: half of what one peer serves.
const FETCHES: usize = 32;

pub(crate) struct Replica {
    node: P2PNode,
    graph: Arc<Mutex<Graph>>,
    grown: Notify,
    fetches: Semaphore,
    fetched: AtomicU64,
}

/// What a copy is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    /// Vertices held, with all their ancestors.
    pub(crate) held: usize,
    /// Vertices that wait for an ancestor.
    pub(crate) waiting: usize,
    /// Vertices that came by request.
    pub(crate) fetched: u64,
    /// Equal for two copies exactly if they hold the same vertices.
    pub(crate) digest: blake3::Hash,
}

/// Why a node cannot take part.
#[derive(Debug, Error)]
pub(crate) enum JoinError {
    #[error(transparent)]
    Gossip(#[from] GossipError),
    #[error(transparent)]
    Register(#[from] RegisterError),
}

impl Replica {
    /// An empty copy that grows by what arrives at `node`, and answers those who lack something.
    pub(crate) async fn join(node: &P2PNode) -> Result<Arc<Self>, JoinError> {
        let graph = Arc::new(Mutex::default());
        let options = SubscribeOptions {
            capacity: WAITING_VERTICES,
            validator: Some(Arc::new(Rules(Arc::clone(&graph)))),
            ..SubscribeOptions::default()
        };
        let replica = Arc::new(Self {
            node: node.clone(),
            graph,
            grown: Notify::new(),
            fetches: Semaphore::new(FETCHES),
            fetched: AtomicU64::new(0),
        });
        // The node owns the answer: it must not own the node in turn.
        let asked = Arc::downgrade(&replica);
        node.handle(FETCH, move |_, id| {
            let answer = asked.upgrade().and_then(|replica| replica.find(&id));
            async move { answer.ok_or(Refusal::Refused) }
        })?;
        let subscription = node.gossip().subscribe(TOPIC, options).await?;
        tokio::spawn(Arc::clone(&replica).receive(subscription));
        Ok(replica)
    }

    /// Who this node is.
    pub(crate) fn author(&self) -> PeerId {
        self.node.peer_id()
    }

    /// Neighbours that build the graph, too.
    pub(crate) async fn neighbours(&self) -> Result<usize, GossipError> {
        Ok(self.node.gossip().neighbours(TOPIC).await?.len())
    }

    pub(crate) fn tips(&self) -> Vec<Reference> {
        self.graph().tips().collect()
    }

    /// Adds a vertex of this node, whose parents are all held.
    pub(crate) fn add_own(&self, vertex: Vertex) {
        self.graph().insert(vertex);
        self.grown.notify_waiters();
    }

    /// Tells everybody of a vertex; waits for the signature.
    pub(crate) async fn publish(&self, vertex: &Vertex) -> Result<Published, GossipError> {
        let gossip = self.node.gossip();
        gossip.publish(TOPIC, vertex.encode().into()).await
    }

    /// Waits until so many vertices are held.
    pub(crate) async fn wait_for(&self, vertices: usize) {
        loop {
            let grown = self.grown.notified();
            if self.graph().held() >= vertices {
                return;
            }
            grown.await;
        }
    }

    pub(crate) fn status(&self) -> Status {
        let graph = self.graph();
        Status {
            held: graph.held(),
            waiting: graph.waiting(),
            fetched: self.fetched.load(Ordering::Relaxed),
            digest: graph.digest(),
        }
    }

    async fn receive(self: Arc<Self>, mut subscription: Subscription) {
        while let Some(received) = subscription.next().await {
            // What is lost is missed, and fetched, when others stand on it.
            let Received::Message(message) = received else {
                continue;
            };
            if let (Some(source), Ok(vertex)) = (message.source, Vertex::decode(&message.data)) {
                self.take(vertex, source.publisher);
            }
        }
    }

    /// Adds a vertex, and asks for the parents that are missing: first the one who gave it.
    fn take(self: &Arc<Self>, vertex: Vertex, from: PeerId) {
        let insertion = self.graph().insert(vertex);
        match insertion {
            Insertion::Held { .. } => self.grown.notify_waiters(),
            Insertion::Waiting { fetch } => {
                for id in fetch {
                    tokio::spawn(Arc::clone(self).fetch(id, from));
                }
            }
            Insertion::Known | Insertion::Refused | Insertion::Full => {}
        }
    }

    async fn fetch(self: Arc<Self>, id: VertexId, first: PeerId) {
        sleep(GRACE).await;
        for _ in 0..ROUNDS {
            let mut peers = self.node.peers();
            // Whoever is connected may be asked; the author need not be.
            peers.sort_by_key(|peer| *peer != first);
            for peer in peers {
                if self.graph().has(&id) {
                    return;
                }
                if let Some(vertex) = self.ask(peer, id).await {
                    self.fetched.fetch_add(1, Ordering::Relaxed);
                    return self.take(vertex, peer);
                }
            }
            sleep(RETRY).await;
        }
        self.graph().give_up(&id);
    }

    /// The vertex, if this peer has it: nothing else has its name.
    async fn ask(&self, peer: PeerId, id: VertexId) -> Option<Vertex> {
        let _permit = self.fetches.acquire().await.ok()?;
        let body = Bytes::copy_from_slice(id.as_bytes());
        let reply = self.node.request_within(peer, FETCH, body, ANSWER);
        let vertex = Vertex::decode(&reply.await.ok()?).ok()?;
        (vertex.id() == id).then_some(vertex)
    }

    fn find(&self, id: &[u8]) -> Option<Bytes> {
        let id = VertexId::from_bytes(id.try_into().ok()?);
        self.graph().get(&id).map(|vertex| vertex.encode().into())
    }

    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
