//! A simulated UDP socket, as quinn sees it.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};

use super::net::{Outgoing, Shared};

/// Receive buffer of a socket, in bytes of payload; what arrives beyond it is dropped, as a kernel
/// does. The size that our real sockets ask for.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct SimSocket {
    shared: Arc<Shared>,
    mailbox: Arc<Mailbox>,
}

/// The receiving half of a socket, which the network fills.
#[derive(Debug)]
pub(super) struct Mailbox {
    pub(super) address: SocketAddr,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) from: SocketAddr,
    pub(super) contents: Bytes,
    pub(super) ecn: Option<EcnCodepoint>,
}

#[derive(Debug, Default)]
struct Inner {
    arrivals: VecDeque<Arrival>,
    bytes: usize,
    reader: Option<Waker>,
    dead: bool,
}

impl Mailbox {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            inner: Mutex::default(),
        }
    }

    /// False if the receive buffer is full.
    pub(super) fn put(&self, arrival: Arrival) -> bool {
        let mut inner = self.lock();
        let bytes = inner.bytes + arrival.contents.len();
        if bytes > RECEIVE_BUFFER_BYTES {
            return false;
        }
        inner.bytes = bytes;
        inner.arrivals.push_back(arrival);
        if let Some(reader) = inner.reader.take() {
            reader.wake();
        }
        true
    }

    /// The socket's process is gone: nothing is received or sent any more.
    pub(super) fn die(&self) {
        *self.lock() = Inner {
            dead: true,
            ..Inner::default()
        };
    }

    fn is_dead(&self) -> bool {
        self.lock().dead
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimSocket {
    pub(super) fn new(shared: Arc<Shared>, mailbox: Arc<Mailbox>) -> Self {
        Self { shared, mailbox }
    }
}

impl AsyncUdpSocket for SimSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.mailbox.is_dead() {
            return Ok(());
        }
        let segment = transmit
            .segment_size
            .unwrap_or(transmit.contents.len())
            .max(1);
        for contents in transmit.contents.chunks(segment) {
            let outgoing = Outgoing {
                from: self.mailbox.address,
                to: transmit.destination,
                contents: Bytes::copy_from_slice(contents),
                ecn: transmit.ecn,
            };
            self.shared.send(outgoing, false);
        }
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.mailbox.lock();
        let mut received = 0;
        for (buffer, meta) in bufs.iter_mut().zip(meta) {
            let Some(arrival) = inner.arrivals.pop_front() else {
                break;
            };
            inner.bytes -= arrival.contents.len();
            *meta = fill(buffer, &arrival, self.mailbox.address);
            received += 1;
        }
        if received == 0 {
            inner.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(received))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.mailbox.address)
    }

    /// Links drop what exceeds their MTU, so that path MTU discovery works as on real networks.
    fn may_fragment(&self) -> bool {
        false
    }
}

/// Copies what fits, as `recvmsg` truncates a datagram that is larger than the buffer.
fn fill(buffer: &mut [u8], arrival: &Arrival, local: SocketAddr) -> RecvMeta {
    let len = arrival.contents.len().min(buffer.len());
    buffer[..len].copy_from_slice(&arrival.contents[..len]);
    RecvMeta {
        addr: arrival.from,
        len,
        stride: len,
        ecn: arrival.ecn,
        dst_ip: Some(local.ip()),
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let address = self.mailbox.address;
        let bound = state.mailboxes.get(&address);
        // After a kill, another socket may have bound the port.
        if bound.is_some_and(|mailbox| Arc::ptr_eq(mailbox, &self.mailbox)) {
            state.mailboxes.remove(&address);
        }
    }
}

/// Sending never blocks: a link that is full drops.
#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
