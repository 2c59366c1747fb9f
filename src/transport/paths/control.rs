//! The handle by which connections get and change their paths.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use quinn::AsyncUdpSocket;
use thiserror::Error;
use tokio::sync::watch;

use super::amplification::Amplification;
use super::path::Path;
use super::socket::{Attached, PathSocket};
use super::table::{AddPathError, Leg, PathId, SocketId, Table, UnknownPath};
use super::virtual_address::{bare, canonical};

/// Sockets beside the home socket. A host rarely has more than four interfaces; each is polled for
/// every batch of datagrams.
pub(crate) const MAX_ATTACHED: usize = 8;

/// Why a socket was not attached.
#[derive(Debug, Error)]
pub enum AttachError {
    /// Eight sockets are attached.
    #[error("{MAX_ATTACHED} sockets are attached")]
    TooMany,
    /// The kernel may hand over more datagrams in one batch than quinn's buffers were sized for
    /// when the endpoint began: the rest of each batch would be cut off.
    #[error("the socket receives larger batches than the endpoint's first socket")]
    LargerBatches,
    /// The socket has no local address.
    #[error("the socket has no local address")]
    Unbound(#[from] io::Error),
}

/// Datagrams that did not pass, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathCounters {
    /// Received with a first byte below 0x40.
    pub not_quic: u64,
    /// Received on an attached socket from an address that is not proven there.
    pub unproven: u64,
    /// Received from an address that is reserved for virtual ones.
    pub reserved: u64,
    /// Not sent: no connection has this virtual address, or the socket lacks its address family.
    pub unroutable: u64,
    /// Not sent: the socket was full or failed.
    pub refused: u64,
    /// Not sent: more than three times what came from an address that is not proven.
    pub amplifying: u64,
}

/// Control of the paths below one endpoint. Clones share them.
///
/// Addresses that this handle calls virtual are those that quinn takes and gives.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    shared: Arc<Shared>,
}

impl Paths {
    /// The paths over `home`, and the socket to give to quinn.
    pub(crate) fn new(home: Arc<dyn AsyncUdpSocket>) -> io::Result<(Self, PathSocket)> {
        let shared = Arc::new(Shared::new(home.max_receive_segments()));
        let socket = PathSocket::first(Attached::new(home)?, Arc::clone(&shared));
        Ok((Self { shared }, socket))
    }

    /// A socket for quinn's `rebind_abstract` whose home is `home`: paths and virtual addresses
    /// stay as they are, and what went over the old home socket goes over the new one.
    pub(crate) fn rehome(&self, home: Arc<dyn AsyncUdpSocket>) -> Result<PathSocket, AttachError> {
        self.shared.check_batches(&home)?;
        Ok(PathSocket::rehomed(
            Attached::new(home)?,
            Arc::clone(&self.shared),
        ))
    }

    /// What to dial so that quinn reaches `real` over the home socket.
    ///
    /// Usually the address itself; an allocated one if the connection that began there has moved
    /// away. `None` for addresses that are reserved for virtual ones: no peer can have them.
    pub(crate) fn virtual_address_for(&self, real: SocketAddr) -> Option<SocketAddr> {
        let address = self
            .shared
            .change(|state| state.table.address_to_dial(canonical(real)));
        address.map(SocketAddr::V6)
    }

    /// The path by which packets to `address` go now.
    pub(crate) fn path_of(&self, address: SocketAddr) -> Option<Path> {
        self.shared.lock().path_of(bare(address))
    }

    /// A handshake that is accepted at `address` may have been begun by anybody: no more than three
    /// times what came is sent there, until [`lift`](Self::lift).
    pub(crate) fn limit(&self, address: SocketAddr) {
        self.shared.amplification().limit(bare(address));
    }

    /// The peer has proved that it receives at `address`, or is dialled.
    pub(crate) fn lift(&self, address: SocketAddr) {
        self.shared.amplification().lift(bare(address));
    }

    /// Counts the changes of any connection's current path.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changes.subscribe()
    }

    /// Uses a further socket. It serves proven paths only: a new connection is accepted at the home
    /// socket, because the answer to a stranger leaves by that one.
    pub(crate) fn attach_socket(
        &self,
        socket: Arc<dyn AsyncUdpSocket>,
    ) -> Result<SocketId, AttachError> {
        self.shared.check_batches(&socket)?;
        let attached = Attached::new(socket)?;
        let id = self.shared.change(|state| state.attach(attached))?;
        // The endpoint's driver waits on the sockets it knew; let it register with this one.
        self.shared.wake_reader();
        Ok(id)
    }

    /// Stops using an attached socket and removes the paths over it. A connection that was sending
    /// by one of them falls back to its oldest remaining path.
    pub(crate) fn detach_socket(&self, socket: SocketId) {
        self.shared.change(|state| state.detach(socket));
        self.shared.announce();
    }

    /// Gives a connection a further path. The caller has proven that `real`, reached through
    /// `socket`, is the peer of `address`.
    pub(crate) fn add_path(
        &self,
        address: SocketAddr,
        socket: SocketId,
        real: SocketAddr,
    ) -> Result<PathId, AddPathError> {
        let leg = Leg {
            socket,
            real: canonical(real),
        };
        self.shared.change(|state| {
            if socket != SocketId::HOME && !state.attached.contains_key(&socket) {
                return Err(AddPathError::UnknownSocket);
            }
            state.table.add(bare(address), leg)
        })
    }

    /// Sends by `path` from now on; the peer decides for itself.
    pub(crate) fn switch(&self, address: SocketAddr, path: PathId) -> Result<(), UnknownPath> {
        self.shared
            .change(|state| state.table.switch(bare(address), path))?;
        self.shared.announce();
        Ok(())
    }

    /// The paths of a connection, in the order in which they were added.
    pub(crate) fn paths(&self, address: SocketAddr) -> Vec<(PathId, Path)> {
        let (_, legs) = self.shared.lock().table.paths(bare(address));
        legs.into_iter()
            .map(|(path, leg)| (path, Path::direct(leg.real)))
            .collect()
    }

    /// Which of [`paths`](Self::paths) is the current one.
    pub(crate) fn current(&self, address: SocketAddr) -> PathId {
        self.shared.lock().table.paths(bare(address)).0
    }

    /// Forgets the paths of `address`; to be called when its last connection has ended.
    pub(crate) fn release(&self, address: SocketAddr) {
        self.shared
            .change(|state| state.table.release(bare(address)));
    }

    /// What did not pass.
    pub(crate) fn counters(&self) -> PathCounters {
        self.shared.counters.read()
    }

    /// Virtual addresses that take state.
    #[cfg(all(test, feature = "sim"))]
    pub(crate) fn table_len(&self) -> usize {
        self.shared.lock().table.len()
    }
}

/// What the handle and the sockets share.
pub(super) struct Shared {
    state: Mutex<State>,
    amplification: Mutex<Amplification>,
    /// No tables and no attached sockets: packets pass without a look at `state`.
    is_plain: AtomicBool,
    pub(super) counters: Counters,
    changes: watch::Sender<u64>,
    reader: Mutex<Option<Waker>>,
    /// Batches for which quinn sized its receive buffers; it asks only once.
    pub(super) max_receive_segments: usize,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) table: Table,
    attached: BTreeMap<SocketId, Attached>,
    /// `attached` as the receiving side iterates over it.
    pub(super) snapshot: Arc<[(SocketId, Attached)]>,
    last_socket: u32,
}

impl Shared {
    fn new(max_receive_segments: usize) -> Self {
        Self {
            state: Mutex::default(),
            amplification: Mutex::default(),
            is_plain: AtomicBool::new(true),
            counters: Counters::default(),
            changes: watch::Sender::new(0),
            reader: Mutex::default(),
            max_receive_segments,
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain.load(Ordering::Acquire)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn amplification(&self) -> MutexGuard<'_, Amplification> {
        self.amplification
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register_reader(&self, waker: &Waker) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        if !reader.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *reader = Some(waker.clone());
        }
    }

    fn wake_reader(&self) {
        let reader = self
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let is_plain = state.table.len() == 0 && state.attached.is_empty();
        self.is_plain.store(is_plain, Ordering::Release);
        result
    }

    fn announce(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn check_batches(&self, socket: &Arc<dyn AsyncUdpSocket>) -> Result<(), AttachError> {
        if socket.max_receive_segments() > self.max_receive_segments {
            return Err(AttachError::LargerBatches);
        }
        Ok(())
    }
}

impl State {
    pub(super) fn socket(&self, id: SocketId) -> Option<&Attached> {
        self.attached.get(&id)
    }

    fn attach(&mut self, socket: Attached) -> Result<SocketId, AttachError> {
        if self.attached.len() >= MAX_ATTACHED {
            return Err(AttachError::TooMany);
        }
        self.last_socket += 1;
        let id = SocketId(self.last_socket);
        self.attached.insert(id, socket);
        self.take_snapshot();
        Ok(id)
    }

    fn detach(&mut self, socket: SocketId) {
        if self.attached.remove(&socket).is_some() {
            self.take_snapshot();
            self.table.remove_socket(socket);
        }
    }

    fn take_snapshot(&mut self) {
        self.snapshot = self
            .attached
            .iter()
            .map(|(id, socket)| (*id, socket.clone()))
            .collect();
    }

    fn path_of(&self, address: SocketAddrV6) -> Option<Path> {
        self.table.route(address).map(|leg| Path::direct(leg.real))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Paths")
            .field("bound", &state.table.len())
            .field("attached", &state.attached.len())
            .field("counters", &self.counters.read())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) not_quic: AtomicU64,
    pub(super) unproven: AtomicU64,
    pub(super) reserved: AtomicU64,
    pub(super) unroutable: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) amplifying: AtomicU64,
}

impl Counters {
    fn read(&self) -> PathCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PathCounters {
            not_quic: read(&self.not_quic),
            unproven: read(&self.unproven),
            reserved: read(&self.reserved),
            unroutable: read(&self.unroutable),
            refused: read(&self.refused),
            amplifying: read(&self.amplifying),
        }
    }
}
