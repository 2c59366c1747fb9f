//! One node in a process of its own.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::deliveries::{Deliveries, message};
use crate::node::{Node, wait_for};
use crate::usage::used;
use crate::{Failure, runtime};

/// How often a publisher looks which messages are due.
const TICK: Duration = Duration::from_millis(1);

/// Seconds that publishing may take, as a multiple of what it should.
const LATE: f64 = 1.05;

/// Its commands: `dial ADDRESS`; `wait NEIGHBOURS`; `publish NUMBER MESSAGES PER_SECOND`, answered when
/// they are; `count`, by the messages that came; `used`, by seconds of processor time and
/// mebibytes in memory.
pub(crate) struct Single<N> {
    runtime: Runtime,
    node: Arc<Mutex<N>>,
    deliveries: Arc<Deliveries>,
    size: usize,
}

impl<N: Node> Single<N> {
    pub(crate) fn start(size: usize) -> Result<Self, Failure> {
        let (runtime, deliveries) = (runtime()?, Deliveries::of(size));
        let node = runtime.block_on(N::start(deliveries.clone()))?;
        Ok(Self {
            runtime,
            node: Arc::new(Mutex::new(node)),
            deliveries,
            size,
        })
    }

    /// Where the node listens.
    pub(crate) fn address(&self) -> String {
        self.node.blocking_lock().address()
    }

    pub(crate) fn answer(&self, words: &[&str]) -> Result<String, Failure> {
        match words {
            ["dial", address] => {
                let dial = async { self.node.lock().await.dial(address).await };
                self.runtime.block_on(dial)?;
                Ok("dialled".to_owned())
            }
            ["wait", neighbours] => {
                let neighbours = neighbours.parse()?;
                let wait = async { wait_for(&*self.node.lock().await, neighbours).await };
                self.runtime.block_on(wait)?;
                Ok("ready".to_owned())
            }
            ["publish", publisher, messages, per_second] => {
                let publishing = publish(
                    self.node.clone(),
                    self.size,
                    publisher.parse()?,
                    messages.parse()?,
                    per_second.parse()?,
                );
                self.runtime.block_on(self.runtime.spawn(publishing))??;
                Ok("published".to_owned())
            }
            ["count"] => Ok(self.deliveries.count().to_string()),
            ["used"] => Ok(used()),
            _ => Err("no such command".into()),
        }
    }
}

/// Publishes messages at an even pace. Fails when it falls behind.
async fn publish<N: Node>(
    node: Arc<Mutex<N>>,
    size: usize,
    publisher: u32,
    messages: u64,
    per_second: f64,
) -> Result<(), Failure> {
    let mut node = node.lock().await;
    let (start, mut next) = (Instant::now(), 0);
    let latest = messages as f64 / per_second * LATE;
    while next < messages {
        let due = (start.elapsed().as_secs_f64() * per_second) as u64;
        while next < due.min(messages) {
            if start.elapsed().as_secs_f64() > latest {
                return Err(format!("publishing fell behind after {next} of {messages}").into());
            }
            node.publish(message(publisher, next, size)).await?;
            next += 1;
        }
        sleep_until(Instant::now() + TICK).await;
    }
    node.published().await
}
