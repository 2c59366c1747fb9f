//! Which vertices are passed on.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use cretoai_network::identity::PeerId;
use cretoai_network::services::gossip::{Message, MessageValidator, Verdict};

use super::{Graph, Vertex};

/// [`judge`] with the graph of this node.
#[derive(Debug)]
pub(super) struct Rules(pub(super) Arc<Mutex<Graph>>);

impl MessageValidator for Rules {
    fn validate(&self, message: &Message) -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        let publisher = message.source.map(|source| source.publisher);
        let graph = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(ready(judge(&graph, publisher, &message.data)))
    }
}

/// Judges what somebody published.
///
/// A vertex that is bad in itself (malformed, too many parents, one twice, one that is not below it,
/// another's) is rejected: every honest neighbour sees that, so that the one who brought it is to blame.
/// One that puts a known parent where it is not is only ignored: a neighbour that does not have the parent
/// cannot know. Unknown parents speak against nothing: they are fetched.
pub(super) fn judge(graph: &Graph, publisher: Option<PeerId>, data: &[u8]) -> Verdict {
    match Vertex::decode(data) {
        Ok(vertex) if Some(vertex.author()) != publisher => Verdict::Reject,
        Ok(vertex) if graph.contradicts(&vertex) => Verdict::Ignore,
        Ok(_) => Verdict::Accept,
        Err(_) => Verdict::Reject,
    }
}
