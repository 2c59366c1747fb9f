//! What both sides can do.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use crate::{Deliveries, Failure};

/// The topic of all messages.
pub const TOPIC: &str = "compare";

/// Messages that wait for the program, and in the queues of libp2p: as many as nobody reaches, so that
/// nothing is lost on either side because a queue is short.
pub const QUEUE: usize = 100_000;

/// How long neighbours may take to be in the topic: libp2p's first heartbeat comes after five seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often the neighbours are counted.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A node that listens on loopback and subscribes to [`TOPIC`].
pub trait Node: Sized + Send + 'static {
    /// Starts one; what comes is told to `deliveries`.
    fn start(deliveries: Arc<Deliveries>) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// Where it listens.
    fn address(&self) -> String;

    /// Connects with another one.
    fn dial(&self, address: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// How many others it knows in the topic; none before it is in a mesh.
    fn neighbours(&self) -> impl Future<Output = Result<usize, Failure>> + Send;

    /// Has a message published, without waiting for it to be signed.
    fn publish(&mut self, message: Bytes) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Waits until all that it was to publish is; fails if it is not.
    fn published(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Waits until a node has so many neighbours in the topic.
pub(crate) async fn wait_for(node: &impl Node, neighbours: usize) -> Result<(), Failure> {
    let start = Instant::now();
    while node.neighbours().await? < neighbours {
        if start.elapsed() > PATIENCE {
            return Err("the neighbours do not come to the topic".into());
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
