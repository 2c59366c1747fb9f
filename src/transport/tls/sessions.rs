//! The dialler's half of resumption: TLS tickets and address tokens, one of each a peer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName as RustlsName;

use super::ServerName;
use super::fifo_store::{Capacity, FifoStore};

/// Peers remembered for each peer slot: as many as the acceptor's store has tickets.
const PEERS_PER_SLOT: usize = 4;

/// What one session is counted as: the peer's key of 2.6 KB (7.4 KB in a certificate, counted as
/// if it were two), ticket, secret and transport parameters. rustls does not tell the true size.
const SESSION_BYTES: usize = 3 * 1024;

/// Upper bound of each store, the same as for the acceptor's tickets.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What this node may present to peers that it met before.
#[derive(Debug)]
pub(crate) struct ResumptionStores {
    sessions: Mutex<FifoStore<String, Tls13ClientSessionValue>>,
    tokens: Mutex<FifoStore<String, Bytes>>,
}

impl ResumptionStores {
    pub(crate) fn new(max_peers: usize) -> Self {
        let capacity = Capacity {
            entries: max_peers.saturating_mul(PEERS_PER_SLOT),
            bytes: MAX_BYTES,
        };
        Self {
            sessions: Mutex::new(FifoStore::new(capacity)),
            tokens: Mutex::new(FifoStore::new(capacity)),
        }
    }

    /// Whether a dial under this name has something to show, so that its ClientHello needs no
    /// padding: a ticket makes the answer short, a token lifts the amplification limit.
    pub(super) fn knows(&self, name: &ServerName) -> bool {
        self.has_ticket(name) || lock(&self.tokens).get(name.as_str()).is_some()
    }

    /// Whether there is a ticket under this name. It may have expired.
    pub(crate) fn has_ticket(&self, name: &ServerName) -> bool {
        lock(&self.sessions).get(name.as_str()).is_some()
    }

    /// Entries and bytes of the session store.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let sessions = lock(&self.sessions);
        (sessions.len(), sessions.bytes())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientSessionStore for ResumptionStores {
    fn set_kx_hint(&self, _name: RustlsName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _name: &RustlsName<'_>) -> Option<NamedGroup> {
        Some(NamedGroup::X25519MLKEM768)
    }

    fn set_tls12_session(&self, _name: RustlsName<'static>, _value: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _name: &RustlsName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _name: &RustlsName<'static>) {}

    fn insert_tls13_ticket(&self, name: RustlsName<'static>, value: Tls13ClientSessionValue) {
        let name = name.to_str();
        if ServerName::may_cache(&name) {
            lock(&self.sessions).insert(name.into_owned(), value, SESSION_BYTES);
        }
    }

    fn take_tls13_ticket(&self, name: &RustlsName<'static>) -> Option<Tls13ClientSessionValue> {
        let (_, session) = lock(&self.sessions).remove(&*name.to_str())?;
        Some(session)
    }
}

impl quinn::TokenStore for ResumptionStores {
    fn insert(&self, name: &str, token: Bytes) {
        if ServerName::may_cache(name) {
            let bytes = name.len() + token.len();
            lock(&self.tokens).insert(name.to_owned(), token, bytes);
        }
    }

    fn take(&self, name: &str) -> Option<Bytes> {
        lock(&self.tokens).remove(name).map(|(_, token)| token)
    }
}
