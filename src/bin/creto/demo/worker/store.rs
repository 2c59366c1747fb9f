//! The node's graph, filled by one-way messages and, where they left gaps, by requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::{Messages, P2PNode};
use cretoai_network::p2p::{Refusal, RegisterError};
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;

use super::Holding;
use crate::demo::dag::{Graph, Insertion, Vertex, VertexId};

/// Application protocol of vertices sent one way.
pub(super) const VERTICES: u32 = 0x40;

/// Application protocol in which a missing vertex is asked for.
const FETCH: u32 = 0x41;

/// A parent that is missing is mostly on its way on another stream: asked for only after this.
const GRACE: Duration = Duration::from_millis(20);

/// Wait before all peers are asked once more.
const RETRY: Duration = Duration::from_millis(50);

/// Rounds through all peers before a vertex is given up, and counted as lost.
const ROUNDS: u32 = 100;

/// Requests at once: half of what one peer serves.
const FETCHES: usize = 32;

pub(super) struct Store {
    node: P2PNode,
    graph: Mutex<Graph>,
    grown: Notify,
    fetches: Semaphore,
    fetched: AtomicU64,
}

impl Store {
    /// An empty graph that grows by what arrives at `node`.
    pub(super) fn serve(node: &P2PNode) -> Result<Arc<Self>, RegisterError> {
        let store = Arc::new(Self {
            node: node.clone(),
            graph: Mutex::default(),
            grown: Notify::new(),
            fetches: Semaphore::new(FETCHES),
            fetched: AtomicU64::new(0),
        });
        tokio::spawn(store.clone().receive(node.messages(VERTICES)?));
        let asked = Arc::downgrade(&store);
        node.handle(FETCH, move |_, id| {
            let answer = asked.upgrade().and_then(|store| store.find(&id));
            async move { answer.ok_or(Refusal::Refused) }
        })?;
        Ok(store)
    }

    pub(super) fn tips(&self) -> Vec<VertexId> {
        self.graph().tips().collect()
    }

    /// Adds a vertex whose parents are all held.
    pub(super) fn add_own(&self, vertex: Vertex) {
        self.graph().insert(vertex);
        self.grown.notify_waiters();
    }

    /// Waits until so many vertices are held.
    pub(super) async fn wait_for(&self, vertices: usize) {
        loop {
            let grown = self.grown.notified();
            if self.graph().held() >= vertices {
                return;
            }
            grown.await;
        }
    }

    pub(super) fn holding(&self) -> Holding {
        let graph = self.graph();
        Holding {
            vertices: graph.held(),
            waiting: graph.waiting(),
            fetched: self.fetched.load(Ordering::Relaxed),
            digest: graph.digest().to_string(),
        }
    }

    async fn receive(self: Arc<Self>, mut messages: Messages) {
        while let Some(message) = messages.next().await {
            // Only the author sends a vertex unasked.
            let vertex = Vertex::decode(&message.payload);
            if let Some(vertex) = vertex.ok().filter(|one| one.author() == message.from) {
                self.take(vertex, message.from);
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
                    tokio::spawn(self.clone().fetch(id, from));
                }
            }
            Insertion::Known | Insertion::Full => {}
        }
    }

    async fn fetch(self: Arc<Self>, id: VertexId, first: PeerId) {
        sleep(GRACE).await;
        for _ in 0..ROUNDS {
            let others = self.node.peers().into_iter().filter(|peer| *peer != first);
            for peer in std::iter::once(first).chain(others) {
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
    }

    async fn ask(&self, peer: PeerId, id: VertexId) -> Option<Vertex> {
        let _permit = self.fetches.acquire().await.ok()?;
        let body = Bytes::copy_from_slice(id.as_bytes());
        let reply = self.node.request(peer, FETCH, body).await.ok()?;
        let vertex = Vertex::decode(&reply).ok()?;
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
