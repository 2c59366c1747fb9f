//! What the process and the node hold while an attack runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::scene::Scene;

/// Bytes of a page of memory on every Linux that this runs on.
const PAGE: u64 = 4096;

/// Looks often, until it is stopped.
#[derive(Debug)]
pub(crate) struct Watch {
    before: u64,
    busy_before: Duration,
    most: Arc<Most>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Most {
    resident: AtomicU64,
    unconfirmed: AtomicU32,
}

/// The highest values seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    before: u64,
    most: u64,
    pub(crate) unconfirmed: u32,
    /// Processor time of the process.
    pub(crate) busy: Duration,
}

impl Watch {
    pub(crate) fn start(scene: &Scene) -> Self {
        let most = Arc::new(Most::default());
        let (node, held) = (scene.node.clone(), most.clone());
        let task = tokio::spawn(async move {
            loop {
                held.resident.fetch_max(resident(), Ordering::Relaxed);
                let unconfirmed = node.swarm().counts().unconfirmed;
                held.unconfirmed.fetch_max(unconfirmed, Ordering::Relaxed);
                sleep(Duration::from_millis(20)).await;
            }
        });
        Self {
            before: resident(),
            busy_before: busy(),
            most,
            task,
        }
    }

    pub(crate) fn stop(self) -> Seen {
        self.task.abort();
        Seen {
            before: self.before,
            most: self.most.resident.load(Ordering::Relaxed),
            unconfirmed: self.most.unconfirmed.load(Ordering::Relaxed),
            busy: busy().saturating_sub(self.busy_before),
        }
    }
}

impl Seen {
    pub(crate) fn growth_mib(&self) -> f64 {
        self.most.saturating_sub(self.before) as f64 / f64::from(1 << 20)
    }
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * PAGE
}

/// Processor time of all threads of this process so far.
fn busy() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanos.sum())
}
