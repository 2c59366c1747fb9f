// In virtual time a sleep is how a test lets the network run, and it is exact.
#![allow(clippy::disallowed_methods)]

mod delivery;
mod link;
mod same_seed_same_run;

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use quinn::AsyncUdpSocket;
use quinn::udp::{RecvMeta, Transmit};

use super::Net;

pub(super) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(super) fn bind(net: &Net, address: SocketAddr) -> Arc<dyn AsyncUdpSocket> {
    net.host(address.ip()).sockets.bind(address).unwrap()
}

pub(super) fn send(socket: &Arc<dyn AsyncUdpSocket>, to: SocketAddr, contents: &[u8]) {
    let transmit = Transmit {
        destination: to,
        ecn: None,
        contents,
        segment_size: None,
        src_ip: None,
    };
    socket.try_send(&transmit).unwrap();
}

/// The next datagram: its source and contents.
pub(super) async fn receive(socket: &Arc<dyn AsyncUdpSocket>) -> (SocketAddr, Vec<u8>) {
    let mut buffer = vec![0; 2048];
    let mut meta = [RecvMeta::default()];
    let mut buffers = [std::io::IoSliceMut::new(&mut buffer)];
    let received = std::future::poll_fn(|cx| socket.poll_recv(cx, &mut buffers, &mut meta))
        .await
        .unwrap();
    assert_eq!(received, 1);
    buffer.truncate(meta[0].len);
    (meta[0].addr, buffer)
}

/// Whether nothing has arrived so far.
pub(super) async fn is_silent(socket: &Arc<dyn AsyncUdpSocket>) -> bool {
    let mut buffer = vec![0; 2048];
    let mut meta = [RecvMeta::default()];
    std::future::poll_fn(|cx| {
        let mut buffers = [std::io::IoSliceMut::new(&mut buffer)];
        Poll::Ready(socket.poll_recv(cx, &mut buffers, &mut meta).is_pending())
    })
    .await
}
