//! The socket that quinn gets.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::control::Shared;
use super::packet::{Kind, kind};
use super::table::{Leg, SocketId, Source, home_leg};
use super::virtual_address::{as_ipv6, bare, canonical, for_family};

/// A socket below quinn, with its address family.
#[derive(Clone)]
pub(super) struct Attached {
    socket: Arc<dyn AsyncUdpSocket>,
    is_ipv6: bool,
}

impl Attached {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>) -> io::Result<Self> {
        let is_ipv6 = socket.local_addr()?.is_ipv6();
        Ok(Self { socket, is_ipv6 })
    }
}

/// A home socket and any further ones, under one mapping of addresses.
pub(crate) struct PathSocket {
    home: Attached,
    shared: Arc<Shared>,
    /// Whether a source address that quinn asks for is one of the home socket's. quinn remembers
    /// the address at which it accepted a connection, and a later home may not have it.
    keeps_source: bool,
    /// The socket that the next receive begins with, so that a busy one cannot starve the others.
    next: AtomicUsize,
}

impl PathSocket {
    pub(super) fn first(home: Attached, shared: Arc<Shared>) -> Self {
        Self {
            home,
            shared,
            keeps_source: true,
            next: AtomicUsize::new(0),
        }
    }

    pub(super) fn rehomed(home: Attached, shared: Arc<Shared>) -> Self {
        Self {
            home,
            shared,
            keeps_source: false,
            next: AtomicUsize::new(0),
        }
    }

    /// The leg of a packet to `address`, and the attached socket if it is not the home socket.
    fn route(&self, address: SocketAddrV6) -> Option<(Leg, Option<Attached>)> {
        if self.shared.is_plain() {
            return home_leg(address.into()).map(|leg| (leg, None));
        }
        let state = self.shared.lock();
        let leg = state.table.route(address)?;
        if leg.socket == SocketId::HOME {
            return Some((leg, None));
        }
        let socket = state.socket(leg.socket)?.clone();
        Some((leg, Some(socket)))
    }

    /// Whether a transmission keeps to the limit on what goes to unproven addresses. Handshake
    /// packets come before others in a batch, so its first byte tells.
    fn may_send(&self, address: SocketAddrV6, transmit: &Transmit<'_>) -> bool {
        if kind(transmit.contents) != Kind::LongHeader {
            return true;
        }
        let bytes = transmit.contents.len();
        self.shared.amplification().may_send(address, bytes)
    }

    fn send_home(&self, leg: Leg, transmit: &Transmit<'_>) -> io::Result<()> {
        let src_ip = transmit.src_ip.filter(|_| self.keeps_source);
        let Some(redirected) = redirect(transmit, leg.real, src_ip, self.home.is_ipv6) else {
            count(&self.shared.counters.unroutable);
            return Ok(());
        };
        match self.home.socket.try_send(&redirected) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                // quinn would end the connection for what one destination's route did.
                count(&self.shared.counters.refused);
                Ok(())
            }
            result => result,
        }
    }

    /// Never blocks: a packet that the socket does not take is lost, as on any full path.
    fn send_attached(&self, socket: &Attached, leg: Leg, transmit: &Transmit<'_>) {
        let Some(redirected) = redirect(transmit, leg.real, None, socket.is_ipv6) else {
            count(&self.shared.counters.unroutable);
            return;
        };
        if socket.socket.try_send(&redirected).is_err() {
            count(&self.shared.counters.refused);
        }
    }

    fn poll_home(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = std::task::ready!(self.home.socket.poll_recv(cx, bufs, meta))?;
        self.map_sources(SocketId::HOME, bufs, meta, received);
        Poll::Ready(Ok(received))
    }

    fn poll_attached(
        &self,
        (id, socket): &(SocketId, Attached),
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<usize> {
        for _ in 0..RECEIVE_ATTEMPTS {
            match socket.socket.poll_recv(cx, bufs, meta) {
                Poll::Ready(Ok(received)) => {
                    self.map_sources(*id, bufs, meta, received);
                    return Poll::Ready(received);
                }
                Poll::Ready(Err(_)) => {}
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    /// Replaces real sources by virtual ones. What quinn must not see gets length zero, which quinn
    /// skips: taking it out would mean moving the buffers behind it.
    fn map_sources(
        &self,
        socket: SocketId,
        bufs: &[IoSliceMut<'_>],
        meta: &mut [RecvMeta],
        received: usize,
    ) {
        let mut state = self.shared.lock();
        for (buffer, meta) in bufs.iter().zip(meta).take(received) {
            let leg = Leg {
                socket,
                real: canonical(meta.addr),
            };
            // A batch comes from one source. It is mapped by its first datagram; a handshake packet
            // and a later one of the same size in one batch may lose the second to this, which
            // QUIC repeats, where splitting batches would cost every receive.
            let first = &buffer[..meta.len.min(meta.stride).min(buffer.len())];
            match state.table.source(leg, first) {
                Source::Peer(address) => {
                    if kind(first) == Kind::LongHeader {
                        self.shared.amplification().received(address, meta.len);
                    }
                    meta.addr = address.into();
                    let is_home = socket == SocketId::HOME;
                    meta.dst_ip = meta.dst_ip.filter(|_| is_home).map(as_ipv6);
                }
                refused => {
                    meta.len = 0;
                    self.count_refused(refused);
                }
            }
        }
    }

    fn count_refused(&self, source: Source) {
        match source {
            Source::Unproven => count(&self.shared.counters.unproven),
            Source::Reserved => count(&self.shared.counters.reserved),
            Source::NotQuic => count(&self.shared.counters.not_quic),
            Source::Peer(_) => {}
        }
    }
}

/// Errors that an attached socket may report in a row before it is left alone until another wake-up:
/// each is an ICMP message about some destination, of which a kernel queues only a few.
const RECEIVE_ATTEMPTS: usize = 8;

impl AsyncUdpSocket for PathSocket {
    /// Writability is that of the home socket; the others never block.
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.home.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let address = bare(transmit.destination);
        if !self.may_send(address, transmit) {
            count(&self.shared.counters.amplifying);
            return Ok(());
        }
        match self.route(address) {
            Some((leg, None)) => self.send_home(leg, transmit),
            Some((leg, Some(socket))) => {
                self.send_attached(&socket, leg, transmit);
                Ok(())
            }
            None => {
                count(&self.shared.counters.unroutable);
                Ok(())
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.shared.register_reader(cx.waker());
        let attached = Arc::clone(&self.shared.lock().snapshot);
        let sockets = attached.len() + 1;
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for turn in 0..sockets {
            match (first.wrapping_add(turn) % sockets).checked_sub(1) {
                None => {
                    if let ready @ Poll::Ready(_) = self.poll_home(cx, bufs, meta) {
                        return ready;
                    }
                }
                Some(index) => {
                    let polled = self.poll_attached(&attached[index], cx, bufs, meta);
                    if let Poll::Ready(received) = polled {
                        return Poll::Ready(Ok(received));
                    }
                }
            }
        }
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(bare(self.home.socket.local_addr()?).into())
    }

    fn max_transmit_segments(&self) -> usize {
        let home = self.home.socket.max_transmit_segments();
        if self.shared.is_plain() {
            return home;
        }
        let attached = Arc::clone(&self.shared.lock().snapshot);
        let least = attached
            .iter()
            .map(|(_, socket)| socket.socket.max_transmit_segments())
            .min();
        least.map_or(home, |least| least.min(home))
    }

    fn max_receive_segments(&self) -> usize {
        self.shared.max_receive_segments
    }

    fn may_fragment(&self) -> bool {
        let attached = Arc::clone(&self.shared.lock().snapshot);
        self.home.socket.may_fragment()
            || attached
                .iter()
                .any(|(_, socket)| socket.socket.may_fragment())
    }
}

impl fmt::Debug for PathSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathSocket")
            .field("paths", &self.shared)
            .finish_non_exhaustive()
    }
}

/// `transmit`, to a real address over a socket of the given family; `None` if that cannot be.
fn redirect<'a>(
    transmit: &Transmit<'a>,
    real: SocketAddr,
    src_ip: Option<IpAddr>,
    is_ipv6: bool,
) -> Option<Transmit<'a>> {
    let src_ip = src_ip.map(|ip| SocketAddr::new(ip, 0));
    Some(Transmit {
        destination: for_family(real, is_ipv6)?,
        src_ip: src_ip
            .and_then(|ip| for_family(ip, is_ipv6))
            .map(|ip| ip.ip()),
        ..transmit.clone()
    })
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
