//! Making vertices and publishing them, but not quite all.

use std::sync::Arc;
use std::time::Duration;

use cretoai_network::services::gossip::GossipError;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::{MAX_PARENTS, PAYLOAD_BYTES, Reference, Replica, Vertex, VertexId};

/// Every tenth vertex is not published: all others meet its name in the next one, and have to ask for it.
const WITHHOLD_EVERY: u32 = 10;

/// Vertices that wait for their signature, each for 20 ms at most while neighbours read.
const PUBLISHED_AT_ONCE: usize = 256;

/// What one node makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) vertices: u32,
    /// Time between two of them.
    pub(crate) pace: Duration,
    /// Of the payloads, and of the choice of parents.
    pub(crate) seed: u64,
}

/// What one node has made.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) ids: Vec<VertexId>,
    /// How many of them were not published.
    pub(crate) withheld: u64,
}

impl Workload {
    /// Makes vertices, each on this node's last one and some tips of others. `progress` hears of each.
    pub(crate) async fn run(
        self,
        replica: &Arc<Replica>,
        mut progress: impl FnMut(u32),
    ) -> Result<Made, GossipError> {
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        let mut pace = interval(self.pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut publishing = JoinSet::new();
        let (mut made, mut last) = (Made::default(), None);
        for number in 0..self.vertices {
            pace.tick().await;
            let parents = choose_parents(last, replica.tips(), &mut rng);
            let mut payload = [0; PAYLOAD_BYTES];
            rng.fill_bytes(&mut payload);
            let vertex = Vertex::new(replica.author(), parents, payload);
            replica.add_own(vertex.clone());
            last = Some(vertex.reference());
            made.ids.push(vertex.id());
            if is_withheld(number, self.vertices) {
                made.withheld += 1;
            } else {
                if publishing.len() >= PUBLISHED_AT_ONCE {
                    published(publishing.join_next().await)?;
                }
                let replica = Arc::clone(replica);
                publishing.spawn(async move { replica.publish(&vertex).await.map(drop) });
            }
            progress(number);
        }
        while let Some(outcome) = publishing.join_next().await {
            published(Some(outcome))?;
        }
        Ok(made)
    }
}

/// A publication that did not come to its end says nothing: the runtime ends.
fn published(
    outcome: Option<Result<Result<(), GossipError>, tokio::task::JoinError>>,
) -> Result<(), GossipError> {
    match outcome {
        Some(Ok(outcome)) => outcome,
        Some(Err(_)) => Err(GossipError::Stopped),
        None => Ok(()),
    }
}

/// The node's own last vertex, so that its last one stands on all, and some tips of others.
fn choose_parents(
    own: Option<Reference>,
    tips: Vec<Reference>,
    rng: &mut ChaCha20Rng,
) -> Vec<Reference> {
    let mut others: Vec<_> = tips.into_iter().filter(|tip| Some(*tip) != own).collect();
    let mut parents: Vec<_> = own.into_iter().collect();
    while parents.len() < MAX_PARENTS && !others.is_empty() {
        let index = below(others.len(), rng);
        parents.push(others.swap_remove(index));
    }
    parents
}

/// The last one never is: nothing would ever name it.
const fn is_withheld(number: u32, vertices: u32) -> bool {
    number % WITHHOLD_EVERY == WITHHOLD_EVERY - 1 && number + 1 < vertices
}

/// A number below `bound`, which is small: the bias of the remainder does not matter here.
fn below(bound: usize, rng: &mut ChaCha20Rng) -> usize {
    let draw = usize::try_from(rng.next_u32()).unwrap_or_default();
    draw % bound.max(1)
}
