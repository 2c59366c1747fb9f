//! Honest nodes, each in a network of its own, that dial and ask for a sign of life.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cretoai_network::node::P2PNode;
use cretoai_network::wire::Address;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, sleep_until};

use crate::scene::{Scene, spawn};

/// Enough that none exceeds the handshakes a second that a node takes from one network.
const DIALLERS: u8 = 192;

/// Longest that an answer is waited for: a hundred round trips.
const ANSWER: Duration = Duration::from_secs(5);

/// The honest nodes.
#[derive(Debug)]
pub(crate) struct Diallers {
    nodes: Vec<P2PNode>,
    target: Address,
}

impl Diallers {
    pub(crate) fn new(scene: &Scene) -> Self {
        let ip = |group| IpAddr::V4(Ipv4Addr::new(11, 0, group, 1));
        Self {
            nodes: (0..DIALLERS)
                .map(|group| spawn(scene.net.host(ip(group))))
                .collect(),
            target: scene.address(),
        }
    }

    /// Handshakes a second when `parallel` of them always run.
    pub(crate) async fn dial_closely(&self, scene: &Scene, parallel: usize, span: Duration) -> f64 {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for turn in 0..parallel {
            let share = self.nodes.iter().skip(turn).step_by(parallel);
            let (nodes, target) = (share.cloned().collect::<Vec<_>>(), self.target.clone());
            let (stop, done) = (stop.clone(), done.clone());
            tasks.spawn(async move {
                for node in nodes.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if dial(node, &target).await.is_some() {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let start = Instant::now();
        sleep(span).await;
        let rate = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        tasks.join_all().await;
        scene.until_idle().await;
        rate
    }

    /// Dials at a fixed rate, however long each takes.
    pub(crate) async fn dial_steadily(&self, per_second: u32, span: Duration) -> Dials {
        let start = Instant::now();
        let pause = Duration::from_secs(1) / per_second;
        let mut tasks = JoinSet::new();
        for (node, turn) in self.nodes.iter().cycle().zip(0..) {
            let due = pause * turn;
            if due >= span {
                break;
            }
            sleep_until(start + due).await;
            let (node, target) = (node.clone(), self.target.clone());
            tasks.spawn(async move { dial(&node, &target).await });
        }
        Dials::of(tasks.join_all().await)
    }
}

/// How dials went.
#[derive(Debug)]
pub(crate) struct Dials {
    tried: usize,
    /// Of those that succeeded, in ascending order.
    times: Vec<Duration>,
}

impl Dials {
    pub(crate) fn of(outcomes: Vec<Option<Duration>>) -> Self {
        let tried = outcomes.len();
        let mut times: Vec<_> = outcomes.into_iter().flatten().collect();
        times.sort_unstable();
        Self { tried, times }
    }

    pub(crate) fn count(&self) -> f64 {
        self.tried as f64
    }

    pub(crate) fn percent(&self) -> f64 {
        100.0 * self.times.len() as f64 / self.tried.max(1) as f64
    }

    /// The time that this share of the dials did not exceed; those that failed are not in it.
    pub(crate) fn millis(&self, share: f64) -> f64 {
        let rank = (share * self.times.len() as f64).ceil() as usize;
        let time = self.times.get(rank.saturating_sub(1));
        time.map_or(f64::INFINITY, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// The time to a connection, if the other end then answers on it: only then has it let us in.
pub(crate) async fn dial(node: &P2PNode, target: &Address) -> Option<Duration> {
    let start = Instant::now();
    let peer = node.dial(target).await.ok()?;
    let took = start.elapsed();
    let answer = node.swarm().ping(peer, ANSWER).await;
    node.disconnect(&peer);
    while node.swarm().is_connected(&peer) {
        yield_now().await;
    }
    answer.is_ok().then_some(took)
}
