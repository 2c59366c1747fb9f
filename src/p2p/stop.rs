//! How a swarm ends.
//!
//! ```text
//!  no more attempts, dials, messages ─► queues empty and acknowledged ─► connections closed
//!      ─► farewell on the wire ─► tasks ended ─► handlers, events, sockets gone ─► stopped
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::swarm::Inner;
use crate::wire::ErrorCode;

/// How long stopping waits for what is queued, and then again for the farewell to reach the peers:
/// ten round trips, or three probe timeouts, on a path of 300 ms.
const FAREWELL: Duration = Duration::from_secs(3);

impl Inner {
    /// Begins to stop if nobody did, and waits until it is done. The work is done by a task of its
    /// own: it comes to its end also if the caller is a handler, which ends with its swarm.
    pub(super) async fn shut_down(self: &Arc<Self>) {
        if self.closing.raise_first() {
            let inner = self.clone();
            let work = async move { inner.run_down().await };
            self.environment.runtime.spawn(Box::pin(work));
        }
        self.stopped.raised().await;
    }

    async fn run_down(&self) {
        for transport in self.transports.all() {
            transport.stop_accepting();
        }
        // What is left at the deadline is lost, and said to be.
        let _ = timeout(FAREWELL, self.empty_outboxes()).await;
        self.close_transports();
        let farewell = async {
            self.empty_outboxes().await;
            for transport in self.transports.all() {
                transport.wait_idle().await;
            }
        };
        let _ = timeout(FAREWELL, farewell).await;
        self.stopping.raise();
        // A handler that does not yield cannot be ended from outside.
        let _ = timeout(FAREWELL, self.tasks.ended()).await;
        self.release().await;
        self.stopped.raise();
    }

    /// Lets the outboxes finish what is queued and waits for their ends. Once their connections are
    /// closed they end at once.
    async fn empty_outboxes(&self) {
        loop {
            let outboxes = self.outboxes.iter();
            // In the order of their keys: that of the map differs from run to run.
            let outboxes: BTreeMap<_, _> = outboxes
                .map(|outbox| (*outbox.key(), outbox.value().clone()))
                .collect();
            if outboxes.is_empty() {
                return;
            }
            for outbox in outboxes.values() {
                outbox.seal();
            }
            for outbox in outboxes.values() {
                outbox.ended().await;
            }
        }
    }

    fn close_transports(&self) {
        for transport in self.transports.all() {
            transport.close(ErrorCode::Shutdown);
        }
    }

    /// Gives back all that outlives the tasks, and waits until the system has the ports: a
    /// connection or a stream that the program still holds keeps its own.
    async fn release(&self) {
        self.table.clear();
        self.connections().forget_links();
        self.protocols.close();
        self.close_events();
        let transports = self.transports.take();
        let closed: Vec<_> = transports
            .iter()
            .filter_map(|transport| transport.sockets_closed())
            .collect();
        drop(transports);
        let all_closed = async {
            for sockets in closed {
                sockets.wait().await;
            }
        };
        let _ = timeout(FAREWELL, all_closed).await;
        self.drop_kept();
    }

    /// Stops without a farewell, and without waiting.
    pub(super) fn stop_now(&self) {
        self.closing.raise();
        self.stopping.raise();
        self.close_transports();
        self.table.clear();
        self.connections().forget_links();
        self.protocols.close();
        self.close_events();
        drop(self.transports.take());
        self.drop_kept();
        self.stopped.raise();
    }
}
