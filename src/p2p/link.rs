//! One connection as the swarm keeps it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::signal::Signal;
use super::{
    ConfirmedEvidence, ConnectionId, Direction, Leniency, Origin, PathKind, PermitId, Standing,
};
use crate::identity::PeerId;
use crate::policy::{Micros, TokenBucket};
use crate::transport::{CloseReason, Connection, Path};
use crate::wire::ErrorCode;

/// Watched streams of one connection that may be reset: 400 KB in quinn. After that, requests are not
/// given up when their peer does.
const MAX_WATCHED_RESETS: u32 = 4096;

/// Introductions and observations that a peer may send at once, and a second after that. An honest one
/// sends one of each, and another when an address changes.
const NOTICE_BURST: u32 = 8;
const NOTICES_PER_SECOND: u32 = 1;

/// Protocols remembered as not spoken by one peer: as many as this node can speak itself.
const MAX_UNSPOKEN: usize = super::MAX_PROTOCOLS;

/// A connection with what the swarm knows about it. It starts provisional if a peer dialled us.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: ConnectionId,
    pub(super) connection: Connection,
    pub(super) direction: Direction,
    pub(super) permit: PermitId,
    pub(super) leniency: Mutex<Leniency>,
    /// Requests of this peer that may still be taken in hand.
    serving: OnceLock<Semaphore>,
    /// Who is at the other end, once the handshake is confirmed and the connection is counted.
    peer: OnceLock<PeerId>,
    open_streams: AtomicU32,
    waiting: AtomicU32,
    /// Streams whose end was watched and that were then reset.
    watched_resets: AtomicU32,
    /// What the peer may make known about itself and this node.
    notices: Mutex<TokenBucket>,
    /// Requests served before the handshake was confirmed.
    served_early: AtomicU32,
    /// Protocols that the peer does not speak, with the code it said so. Asking again would cost
    /// this node reputation there.
    unspoken: Mutex<BTreeMap<u32, ErrorCode>>,
    /// The path when it was last looked at.
    last_path: Mutex<Path>,
    /// How often the peer was told where it is seen.
    observations: AtomicU64,
    /// The newest that the peer told about us.
    newest_heard: Mutex<Option<u64>>,
    /// Whether another connection with the same peer exists, so that streams must be counted out.
    /// Set before the count is read, as the count is changed before this is read: sequentially
    /// consistent, so that no stream opened at that moment is overlooked by both.
    contested: AtomicBool,
    /// Whether new streams go to another connection with the same peer.
    retired: Signal,
}

impl Link {
    pub(super) fn new(
        id: ConnectionId,
        connection: Connection,
        direction: Direction,
        permit: PermitId,
        now: Micros,
    ) -> Self {
        Self {
            id,
            direction,
            permit,
            leniency: Mutex::new(Leniency::default()),
            serving: OnceLock::new(),
            peer: OnceLock::new(),
            open_streams: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            watched_resets: AtomicU32::new(0),
            notices: Mutex::new(TokenBucket::new(NOTICE_BURST, NOTICES_PER_SECOND, now)),
            served_early: AtomicU32::new(0),
            unspoken: Mutex::default(),
            last_path: Mutex::new(connection.path()),
            observations: AtomicU64::new(0),
            newest_heard: Mutex::new(None),
            contested: AtomicBool::new(false),
            connection,
            retired: Signal::default(),
        }
    }

    /// Whether the other end has it, too.
    pub(super) fn is_held(&self) -> bool {
        self.direction == Direction::Incoming || self.connection.is_held_by_acceptor()
    }

    pub(super) fn confirm(&self, peer: PeerId) {
        // A link is confirmed once; the handshake cannot prove two identities.
        let _ = self.peer.set(peer);
    }

    pub(super) fn confirmed(&self) -> Option<PeerId> {
        self.peer.get().copied()
    }

    /// Where a stream comes from: early data counts as provisional even if the handshake was
    /// confirmed meanwhile. `None` while nobody is known.
    pub(super) fn origin(&self, early: bool) -> Option<Origin> {
        match self.confirmed() {
            Some(peer) if !early => Some(Origin::Confirmed(peer)),
            _ => self.connection.peer_id().map(Origin::Provisional),
        }
    }

    /// How far what arrives on a stream of this link can be held against the peer.
    pub(super) fn standing(&self, origin: Origin) -> Standing {
        match origin {
            Origin::Confirmed(peer) => Standing::Confirmed {
                peer,
                path: kind_of(&self.connection.path()),
            },
            Origin::Provisional(peer) => Standing::Provisional(peer),
            Origin::Anonymous(_) => Standing::Anonymous,
        }
    }

    /// What shows that bytes of a stream of `protocol` are the peer's own, if that is certain. What came as early data may
    /// be somebody else's replay, whenever a fault is found in it; and what was still in the buffers when this node
    /// closed the connection is let go.
    pub(super) fn evidence(&self, early: bool, protocol: u32) -> Option<ConfirmedEvidence> {
        let is_let_go = self.connection.close_reason() == Some(CloseReason::Local);
        let origin = self.origin(early).filter(|_| !is_let_go)?;
        self.standing(origin).evidence(protocol)
    }

    /// Counts a request of this peer that is served. While there are `limit`, those that come wait
    /// in their order. `None` cannot occur: the semaphore is never closed.
    pub(super) async fn serve(&self, limit: u32) -> Option<SemaphorePermit<'_>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let new = || Semaphore::new(limit.min(Semaphore::MAX_PERMITS));
        self.serving.get_or_init(new).acquire().await.ok()
    }

    /// Counts a request that is served early; false once there were `limit`.
    pub(super) fn try_serve_early(&self, limit: u32) -> bool {
        self.served_early.fetch_add(1, Ordering::Relaxed) < limit
    }

    pub(super) fn open_streams(&self) -> u32 {
        self.open_streams.load(Ordering::SeqCst)
    }

    /// Remembers that the peer does not speak a protocol, if that is what its code says.
    pub(super) fn note_refusal(&self, protocol: u32, code: ErrorCode) {
        if !matches!(code, ErrorCode::UnknownProtocol | ErrorCode::UnknownVersion) {
            return;
        }
        let mut unspoken = self.unspoken.lock().unwrap_or_else(PoisonError::into_inner);
        if unspoken.len() < MAX_UNSPOKEN {
            unspoken.insert(protocol, code);
        }
    }

    /// The code with which the peer refused a protocol before.
    pub(super) fn refusal(&self, protocol: u32) -> Option<ErrorCode> {
        let unspoken = self.unspoken.lock().unwrap_or_else(PoisonError::into_inner);
        unspoken.get(&protocol).copied()
    }

    /// The path, if it is another one than at the last call.
    pub(super) fn changed_path(&self) -> Option<Path> {
        let path = self.connection.path();
        let mut last = self
            .last_path
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (std::mem::replace(&mut *last, path) != path).then_some(path)
    }

    /// Number of the next observation that the peer is told.
    pub(super) fn next_observation(&self) -> u64 {
        self.observations.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the end of a response stream may be watched while its request is in hand: quinn keeps
    /// about 100 bytes for each watched stream that is then reset, until the connection ends.
    pub(super) fn may_watch(&self) -> bool {
        self.watched_resets.load(Ordering::Relaxed) < MAX_WATCHED_RESETS
    }

    pub(super) fn count_watched_reset(&self) {
        self.watched_resets.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether what the peer says of itself or of this node may become an event: no peer may push
    /// other events out of their ring.
    pub(super) fn may_notify(&self, now: Micros) -> bool {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.try_take(1, now)
    }

    /// Takes the number of an observation that the peer sent; whether it is newer than all before, on
    /// whichever stream they came.
    pub(super) fn is_news(&self, sequence: u64) -> bool {
        let mut newest = self
            .newest_heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_news = newest.is_none_or(|newest| sequence > newest);
        if is_news {
            *newest = Some(sequence);
        }
        is_news
    }

    pub(super) fn is_contested(&self) -> bool {
        self.contested.load(Ordering::SeqCst)
    }

    pub(super) fn set_contested(&self, contested: bool) {
        self.contested.store(contested, Ordering::SeqCst);
    }

    /// New streams go elsewhere from now on, or here again.
    pub(super) fn set_retired(&self, retired: bool) {
        if retired {
            self.retired.raise();
        } else {
            self.retired.lower();
        }
    }

    /// Waits until new streams go elsewhere.
    pub(super) async fn retired(&self) {
        self.retired.raised().await;
    }

    pub(super) fn leniency<T>(&self, use_it: impl FnOnce(&mut Leniency) -> T) -> T {
        use_it(&mut self.leniency.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a stream; `true` if the swarm must hear of the change.
    pub(super) fn stream_opened(&self) -> bool {
        self.open_streams.fetch_add(1, Ordering::SeqCst);
        self.contested.load(Ordering::SeqCst)
    }

    pub(super) fn stream_closed(&self) -> bool {
        self.open_streams.fetch_sub(1, Ordering::SeqCst);
        self.contested.load(Ordering::SeqCst)
    }

    /// Counts a request that waits for this peer's answer, if there are fewer than `limit`.
    pub(super) fn try_wait(&self, limit: u32) -> Option<Counted<'_>> {
        Counted::below(limit, &self.waiting)
    }
}

/// One of a bounded number of things, counted as long as it lives.
#[derive(Debug)]
pub(super) struct Counted<'a>(&'a AtomicU32);

impl<'a> Counted<'a> {
    fn below(limit: u32, counter: &'a AtomicU32) -> Option<Self> {
        let below = |count| (count < limit).then_some(count + 1);
        counter
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, below)
            .ok()
            .map(|_| Self(counter))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) fn kind_of(path: &Path) -> PathKind {
    match path {
        Path::Direct { .. } => PathKind::Direct,
        Path::Relayed { .. } => PathKind::Relayed,
    }
}
