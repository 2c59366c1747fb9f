//! What a node says and hears in topics.

mod flood;
mod news;

use std::sync::Arc;
use std::time::Duration;

use cretoai_network::node::P2PNode;
use tokio::time::{Instant, sleep};

use self::flood::Flood;
use self::news::News;
use super::{Reply, Trouble, to_micros};
use crate::demo::dag::Replica;

/// Bytes of a message of [`News`] and [`Flood`]: numbers, and zeros.
const MESSAGE_BYTES: usize = 256;

/// How often the neighbours are counted.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long neighbours may take to be in a topic: a mesh stands within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// The topics of the demonstration.
pub(super) struct Topics {
    node: P2PNode,
    pub(super) dag: Arc<Replica>,
    pub(super) news: News,
    pub(super) flood: Flood,
}

impl Topics {
    pub(super) async fn join(node: &P2PNode) -> Result<Self, Trouble> {
        Ok(Self {
            node: node.clone(),
            dag: Replica::join(node).await?,
            news: News::listen(node).await?,
            flood: Flood::listen(node).await?,
        })
    }

    /// Waits until so many neighbours are in each topic.
    pub(super) async fn wait_for(&self, neighbours: usize) -> Result<(), Trouble> {
        let start = Instant::now();
        while self.neighbours().await? < neighbours {
            if start.elapsed() > PATIENCE {
                return Err("the neighbours do not come to the topics".into());
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// In the topic that has the fewest.
    async fn neighbours(&self) -> Result<usize, Trouble> {
        let gossip = self.node.gossip();
        let news = gossip.neighbours(news::TOPIC).await?.len();
        let flood = gossip.neighbours(flood::TOPIC).await?.len();
        Ok(self.dag.neighbours().await?.min(news).min(flood))
    }
}

/// A message that begins with these numbers.
fn message(numbers: &[u64]) -> Vec<u8> {
    let mut message: Vec<_> = numbers.iter().flat_map(|one| one.to_le_bytes()).collect();
    message.resize(MESSAGE_BYTES, 0);
    message
}

/// The number at this place of a message that is intact.
fn number_at(message: &[u8], place: usize) -> Option<u64> {
    let bytes = message.chunks_exact(8).nth(place)?.try_into().ok()?;
    let is_intact = message.len() == MESSAGE_BYTES;
    is_intact.then_some(u64::from_le_bytes(bytes))
}
