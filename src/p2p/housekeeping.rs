//! What a swarm does from time to time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::builtin::tell_observed;
use super::link::{Link, kind_of};
use super::swarm::Inner;
use super::{Direction, SwarmEvent};

/// How often the paths of all connections are compared with what they were. QUIC's own migration
/// tells nobody; a peer whose address changed hears of it within a second.
const PERIOD: Duration = Duration::from_secs(1);

/// Runs until the swarm stops.
pub(super) async fn run(inner: Arc<Inner>) {
    loop {
        sleep(PERIOD).await;
        inner.connections().bans.expire(inner.now().mono);
        inner.compare_paths();
    }
}

/// Reports the switches below one transport at once.
pub(super) async fn watch_paths(inner: Arc<Inner>, index: usize) {
    let Some(transport) = inner.transports.get(index) else {
        return;
    };
    let mut changes = transport.path_changes();
    while changes.changed().await.is_ok() {
        inner.compare_paths();
    }
}

impl Inner {
    fn compare_paths(self: &Arc<Self>) {
        let links = self.connections().links();
        for link in links {
            self.compare_path(&link);
        }
    }

    /// Reports a change of path, to the application and, where QUIC migrated, to the peer.
    fn compare_path(self: &Arc<Self>, link: &Arc<Link>) {
        let Some(peer) = link.confirmed() else {
            return;
        };
        let Some(path) = link.changed_path() else {
            return;
        };
        let kind = kind_of(&path);
        self.emit(SwarmEvent::PathChanged { peer, path: kind });
        if link.direction == Direction::Incoming {
            self.spawn(tell_observed(self.clone(), link.clone()));
        }
    }
}
