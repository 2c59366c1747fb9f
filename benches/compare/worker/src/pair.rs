//! Two nodes in one process, one of which publishes.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::deliveries::{Deliveries, message};
use crate::node::{Node, wait_for};
use crate::usage::used;
use crate::{Failure, runtime};

/// Its commands: `flood WINDOW MILLIS` publishes for a while with so many messages under way, and is answered
/// by what was published, what came, and the seconds until the last one did; `latency` publishes one message,
/// and is answered by the microseconds until it came; `used`, by seconds of processor time and mebibytes in
/// memory.
pub(crate) struct Pair<N> {
    runtime: Runtime,
    publisher: Arc<Mutex<N>>,
    _subscriber: N,
    deliveries: Arc<Deliveries>,
    size: usize,
    /// Messages until now.
    published: u64,
}

/// What is published.
#[derive(Debug, Clone, Copy)]
struct Flood {
    first: u64,
    size: usize,
    window: usize,
    span: Duration,
}

impl<N: Node> Pair<N> {
    pub(crate) fn start(size: usize) -> Result<Self, Failure> {
        let (runtime, deliveries) = (runtime()?, Deliveries::of(size));
        let connected = connected(deliveries.clone());
        let (publisher, subscriber) = runtime.block_on(connected)?;
        Ok(Self {
            runtime,
            publisher: Arc::new(Mutex::new(publisher)),
            _subscriber: subscriber,
            deliveries,
            size,
            published: 0,
        })
    }

    pub(crate) fn answer(&mut self, words: &[&str]) -> Result<String, Failure> {
        match words {
            ["flood", window, millis] => self.flood(window.parse()?, millis.parse()?),
            ["latency"] => self.latency(),
            ["used"] => Ok(used()),
            _ => Err("no such command".into()),
        }
    }

    fn flood(&mut self, window: usize, millis: u64) -> Result<String, Failure> {
        let before = self.deliveries.count();
        let flood = flood(
            self.publisher.clone(),
            self.deliveries.clone(),
            Flood {
                first: self.published,
                size: self.size,
                window,
                span: Duration::from_millis(millis),
            },
        );
        let (published, elapsed) = self.runtime.block_on(self.runtime.spawn(flood))??;
        self.published += published;
        let came = self.deliveries.count() - before;
        Ok(format!("{published} {came} {}", elapsed.as_secs_f64()))
    }

    fn latency(&mut self) -> Result<String, Failure> {
        let one = one(
            self.publisher.clone(),
            self.deliveries.clone(),
            self.published,
            self.size,
        );
        let elapsed = self.runtime.block_on(self.runtime.spawn(one))??;
        self.published += 1;
        Ok(elapsed.as_micros().to_string())
    }
}

/// Two that are neighbours; the second tells `deliveries` what comes.
async fn connected<N: Node>(deliveries: Arc<Deliveries>) -> Result<(N, N), Failure> {
    let publisher = N::start(Deliveries::of(0)).await?;
    let subscriber = N::start(deliveries).await?;
    publisher.dial(&subscriber.address()).await?;
    wait_for(&publisher, 1).await?;
    wait_for(&subscriber, 1).await?;
    Ok((publisher, subscriber))
}

/// Publishes for a while and waits until all came; how much that was, and how long it took.
async fn flood<N: Node>(
    publisher: Arc<Mutex<N>>,
    deliveries: Arc<Deliveries>,
    flood: Flood,
) -> Result<(u64, Duration), Failure> {
    let mut publisher = publisher.lock().await;
    deliveries.set_window(flood.window);
    let (start, mut next) = (Instant::now(), flood.first);
    while start.elapsed() < flood.span && deliveries.place().await {
        publisher.publish(message(0, next, flood.size)).await?;
        next += 1;
    }
    let last = deliveries.wait_for(next).await;
    publisher.published().await?;
    Ok((next - flood.first, last - start))
}

/// How long one message is under way.
async fn one<N: Node>(
    publisher: Arc<Mutex<N>>,
    deliveries: Arc<Deliveries>,
    number: u64,
    size: usize,
) -> Result<Duration, Failure> {
    let mut publisher = publisher.lock().await;
    let start = Instant::now();
    publisher.publish(message(0, number, size)).await?;
    let last = deliveries.wait_for(number + 1).await;
    publisher.published().await?;
    if deliveries.count() <= number {
        return Err("a message was lost".into());
    }
    Ok(last - start)
}
