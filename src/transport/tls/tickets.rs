//! The acceptor's half of resumption: session states, looked up by the ticket a peer presents.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::StoresServerSessions;

use super::fifo_store::{Age, Capacity, FifoStore};
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
    per_group: Capacity,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    states: FifoStore<Vec<u8>, State>,
    groups: HashMap<IpGroup, Held>,
}

#[derive(Debug)]
struct State {
    session: Vec<u8>,
    group: IpGroup,
    bytes: usize,
}

/// What one group holds.
#[derive(Debug, Default)]
struct Held {
    ages: BTreeSet<Age>,
    bytes: usize,
}

impl TicketStore {
    /// A store for `max_peers` peers.
    pub(crate) fn new(max_peers: usize) -> Self {
        let capacity = Capacity {
            entries: max_peers.saturating_mul(TICKETS_PER_PEER),
            bytes: MAX_BYTES,
        };
        let per_group = Capacity {
            entries: (capacity.entries / GROUP_SHARE).max(1),
            bytes: capacity.bytes / GROUP_SHARE,
        };
        let inner = Inner {
            states: FifoStore::new(capacity),
            groups: HashMap::new(),
        };
        Self {
            per_group,
            inner: Mutex::new(inner),
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
        let inner = self.lock();
        (inner.states.len(), inner.states.bytes())
    }

    fn put(&self, key: Vec<u8>, session: Vec<u8>, group: IpGroup) {
        let bytes = key.len() + session.len();
        let mut inner = self.lock();
        inner.make_room_in(group, bytes, self.per_group);
        let (age, gone) = inner.states.insert(
            key,
            State {
                session,
                group,
                bytes,
            },
            bytes,
        );
        inner.hold(group, age, bytes);
        for (age, state) in gone {
            inner.forget(age, &state);
        }
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut inner = self.lock();
        let (age, state) = inner.states.remove(key)?;
        inner.forget(age, &state);
        Some(state.session)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.lock()
            .states
            .get(key)
            .map(|state| state.session.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Removes the oldest tickets of a group until one more of `bytes` is within its share.
    fn make_room_in(&mut self, group: IpGroup, bytes: usize, share: Capacity) {
        while let Some(held) = self.groups.get(&group)
            && (held.ages.len() >= share.entries || held.bytes + bytes > share.bytes)
            && let Some(oldest) = held.ages.first().copied()
        {
            match self.states.remove_age(oldest) {
                Some(state) => self.forget(oldest, &state),
                None => return,
            }
        }
    }

    fn hold(&mut self, group: IpGroup, age: Age, bytes: usize) {
        if group.is_local() {
            return;
        }
        let held = self.groups.entry(group).or_default();
        held.ages.insert(age);
        held.bytes += bytes;
    }

    fn forget(&mut self, age: Age, state: &State) {
        if let Some(held) = self.groups.get_mut(&state.group)
            && held.ages.remove(&age)
        {
            held.bytes -= state.bytes;
            if held.ages.is_empty() {
                self.groups.remove(&state.group);
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
