//! A UDP socket whose end can be waited for.

use std::convert::Infallible;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::sync::mpsc;

/// Lives as long as something holds a socket that was made with it.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    _sender: mpsc::Sender<Infallible>,
}

/// Tells when the sockets of an endpoint are closed.
#[derive(Debug)]
pub struct SocketsClosed(mpsc::Receiver<Infallible>);

impl SocketsClosed {
    /// Waits until the system has the ports back: until the last connection of the endpoint has
    /// ended, here and on the wire, and nobody holds it any more.
    pub async fn wait(mut self) {
        // Nothing is ever sent: this ends with the last sender.
        let _ = self.0.recv().await;
    }
}

/// A new hold, and who waits for the end of all that it is given to.
pub(super) fn hold() -> (Hold, SocketsClosed) {
    let (sender, receiver) = mpsc::channel(1);
    (Hold { _sender: sender }, SocketsClosed(receiver))
}

/// quinn keeps a socket in its endpoint, in each connection and in each poller; only the drop of
/// the last of them closes it. In each struct the socket is dropped before its hold.
#[derive(Debug)]
pub(super) struct HeldSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    hold: Hold,
}

#[derive(Debug)]
struct HeldPoller {
    poller: Pin<Box<dyn UdpPoller>>,
    _hold: Hold,
}

impl HeldSocket {
    pub(super) fn new(socket: Arc<dyn AsyncUdpSocket>, hold: Hold) -> Arc<Self> {
        Arc::new(Self { socket, hold })
    }
}

impl AsyncUdpSocket for HeldSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(HeldPoller {
            poller: self.socket.clone().create_io_poller(),
            _hold: self.hold.clone(),
        })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_recv(context, buffers, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

impl UdpPoller for HeldPoller {
    fn poll_writable(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poller.as_mut().poll_writable(context)
    }
}
