//! Making vertices and sending them to all peers, but not quite.

use std::time::Duration;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::time::{MissedTickBehavior, interval};

use super::store::{Store, VERTICES};
use super::{Reply, Trouble, say};
use crate::demo::dag::{MAX_PARENTS, PAYLOAD_BYTES, Vertex, VertexId};

/// Time between two vertices of a node: five nodes make 2 500 a second.
const PACE: Duration = Duration::from_millis(2);

/// Every tenth vertex is withheld from one peer, which then has to ask for it.
const WITHHOLD_EVERY: u32 = 10;

/// Progress is told after so many vertices.
const PROGRESS_EVERY: u32 = 50;

pub(super) async fn run(
    node: &P2PNode,
    store: &Store,
    count: u32,
    seed: u64,
) -> Result<Reply, Trouble> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let peers = node.peers();
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ids: Vec<VertexId> = Vec::new();
    let mut withheld = 0;
    for sequence in 0..count {
        pace.tick().await;
        let parents = choose_parents(ids.last().copied(), store.tips(), &mut rng);
        let mut payload = [0; PAYLOAD_BYTES];
        rng.fill_bytes(&mut payload);
        let vertex = Vertex::new(node.peer_id(), sequence, parents, payload);
        ids.push(vertex.id());
        let encoded = Bytes::from(vertex.encode());
        store.add_own(vertex);
        let left_out = withheld_from(sequence, count, &peers, &mut rng);
        withheld += u64::from(left_out.is_some());
        for peer in peers.iter().filter(|peer| Some(**peer) != left_out) {
            node.send(*peer, VERTICES, encoded.clone()).await?;
        }
        if sequence % PROGRESS_EVERY == 0 {
            say(&Reply::Progress {
                done: sequence.into(),
            })?;
        }
    }
    let ids = ids.iter().map(ToString::to_string).collect();
    Ok(Reply::Produce { ids, withheld })
}

/// The node's own last vertex, so that its last one stands on all, and some tips of others.
fn choose_parents(
    own: Option<VertexId>,
    tips: Vec<VertexId>,
    rng: &mut ChaCha20Rng,
) -> Vec<VertexId> {
    let mut others: Vec<_> = tips.into_iter().filter(|tip| Some(*tip) != own).collect();
    let mut parents: Vec<_> = own.into_iter().collect();
    while parents.len() < MAX_PARENTS && !others.is_empty() {
        let index = below(others.len(), rng);
        parents.push(others.swap_remove(index));
    }
    parents
}

/// Who does not get this vertex. The last one goes to everybody: nothing would ever name it.
fn withheld_from(
    sequence: u32,
    count: u32,
    peers: &[PeerId],
    rng: &mut ChaCha20Rng,
) -> Option<PeerId> {
    let is_due = sequence % WITHHOLD_EVERY == WITHHOLD_EVERY - 1 && sequence + 1 < count;
    if !is_due || peers.is_empty() {
        return None;
    }
    peers.get(below(peers.len(), rng)).copied()
}

/// A number below `bound`, which is small: the bias of the remainder does not matter here.
fn below(bound: usize, rng: &mut ChaCha20Rng) -> usize {
    let draw = usize::try_from(rng.next_u32()).unwrap_or_default();
    draw % bound.max(1)
}
