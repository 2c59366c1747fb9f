//! What a swarm does from time to time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::builtin::tell_observed;
use super::link::kind_of;
use super::swarm::Inner;
use super::{ConnectionId, Direction, SwarmEvent};
use crate::transport::Path;

/// How often the paths of all connections are compared with what they were: a peer whose address
/// changed hears of it within a second.
const PERIOD: Duration = Duration::from_secs(1);

/// Runs until the swarm stops.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut paths: BTreeMap<ConnectionId, Watched> = BTreeMap::new();
    loop {
        sleep(PERIOD).await;
        inner.connections().bans.expire(inner.now().mono);
        paths = compare_paths(&inner, &paths);
    }
}

/// The path of a connection when it was last looked at.
struct Watched {
    path: Path,
    /// Changes that the peer was told.
    told: u64,
}

fn compare_paths(
    inner: &Arc<Inner>,
    before: &BTreeMap<ConnectionId, Watched>,
) -> BTreeMap<ConnectionId, Watched> {
    let mut after = BTreeMap::new();
    let links = inner.connections().links();
    for link in links {
        let path = link.connection.path();
        let mut told = 0;
        if let Some(watched) = before.get(&link.id) {
            told = watched.told;
            if let Some(peer) = link.confirmed().filter(|_| watched.path != path) {
                inner.emit(SwarmEvent::PathChanged {
                    peer,
                    path: kind_of(&path),
                });
                if link.direction == Direction::Incoming {
                    inner.spawn(tell_observed(inner.clone(), link.clone(), told));
                    told += 1;
                }
            }
        }
        after.insert(link.id, Watched { path, told });
    }
    after
}
