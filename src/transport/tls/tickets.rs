//! The acceptor's half of resumption: session states, looked up by the ticket a peer presents.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::server::StoresServerSessions;

use super::fifo_store::{Capacity, FifoStore};
use crate::policy::IpGroup;

/// Tickets kept for each peer slot: a peer that comes back by another address or that lost its
/// newest ticket still finds an older one.
const TICKETS_PER_PEER: usize = 4;

/// Upper bound of the store. A state holds the peer's key and takes about 2.8 KB, so this is
/// about 6 000 peers.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Share of the store that one IP group may fill, as a divisor: a single network must not be able
/// to flush everybody else's tickets.
const GROUP_SHARE: usize = 8;

/// All tickets that a node issued and that were not used yet. A ticket serves once.
#[derive(Debug)]
pub(crate) struct TicketStore {
    per_group: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    states: FifoStore<Vec<u8>, State>,
    groups: HashMap<IpGroup, usize>,
}

#[derive(Debug)]
struct State {
    session: Vec<u8>,
    group: IpGroup,
}

impl TicketStore {
    /// A store for `max_peers` peers.
    pub(crate) fn new(max_peers: usize) -> Self {
        let capacity = Capacity {
            entries: max_peers.saturating_mul(TICKETS_PER_PEER),
            bytes: MAX_BYTES,
        };
        let states = FifoStore::new(capacity);
        Self {
            per_group: (capacity.entries / GROUP_SHARE).max(1),
            inner: Mutex::new(Inner {
                states,
                groups: HashMap::new(),
            }),
        }
    }

    /// The store as one connection from `group` sees it. Addresses without a group (loopback,
    /// private) are bounded by the whole store alone.
    pub(super) fn view(self: &Arc<Self>, group: IpGroup) -> TicketView {
        TicketView {
            store: self.clone(),
            group,
        }
    }

    /// Entries and bytes in use.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.states.len(), inner.states.bytes())
    }

    fn put(&self, key: Vec<u8>, session: Vec<u8>, group: IpGroup) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !group.is_local() {
            inner.make_room_in(group, self.per_group);
            *inner.groups.entry(group).or_default() += 1;
        }
        let bytes = key.len() + session.len();
        let evicted = inner.states.insert(key, State { session, group }, bytes);
        for state in evicted {
            inner.forget(state.group);
        }
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let state = inner.states.remove(key)?;
        inner.forget(state.group);
        Some(state.session)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.states.get(key).map(|state| state.session.clone())
    }
}

impl Inner {
    fn make_room_in(&mut self, group: IpGroup, limit: usize) {
        if self.groups.get(&group).is_none_or(|held| *held < limit) {
            return;
        }
        if let Some(key) = self.states.oldest_where(|state| state.group == group) {
            self.states.remove(&key);
            self.forget(group);
        }
    }

    fn forget(&mut self, group: IpGroup) {
        if let Some(held) = self.groups.get_mut(&group) {
            *held -= 1;
            if *held == 0 {
                self.groups.remove(&group);
            }
        }
    }
}

/// A connection's view of the [`TicketStore`], given to rustls as its session storage.
#[derive(Debug)]
pub(super) struct TicketView {
    store: Arc<TicketStore>,
    group: IpGroup,
}

impl StoresServerSessions for TicketView {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.store.put(key, value, self.group);
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.store.get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.store.take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}
