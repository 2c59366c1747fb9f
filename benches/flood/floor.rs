//! What quinn-proto alone spends on an Initial packet that leads to no connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{EndpointConfig, ServerConfig};
use quinn_proto::{DatagramEvent, Endpoint, Incoming};
use rustls::server::ResolvesServerCertUsingSni;

use crate::forged::Forged;

/// Packets measured each way: half a second at most.
const PACKETS: usize = 10_000;

/// Microseconds for a packet that is ignored: its keys, and the look into its header.
pub(crate) fn ignored(forged: &Forged) -> f64 {
    micros_each(forged, |endpoint, incoming| endpoint.ignore(incoming))
}

/// Microseconds for a packet that is answered with a Retry.
pub(crate) fn retried(forged: &Forged) -> f64 {
    let mut answer = Vec::new();
    micros_each(forged, |endpoint, incoming| {
        answer.clear();
        let transmit = endpoint.retry(incoming, &mut answer).unwrap();
        assert_eq!(transmit.size, answer.len());
    })
}

fn micros_each(forged: &Forged, mut decide: impl FnMut(&mut Endpoint, Incoming)) -> f64 {
    let mut endpoint = endpoint();
    let packets: Vec<&Bytes> = forged.first_packets().take(PACKETS).collect();
    let from = SocketAddr::from((Ipv4Addr::new(20, 0, 0, 1), 1_024));
    let mut answer = Vec::new();
    let start = Instant::now();
    for packet in &packets {
        let packet = BytesMut::from(&packet[..]);
        let event = endpoint.handle(Instant::now(), from, None, None, packet, &mut answer);
        let Some(DatagramEvent::NewConnection(incoming)) = event else {
            unreachable!("each packet begins a connection of its own")
        };
        decide(&mut endpoint, incoming);
    }
    start.elapsed().as_secs_f64() * 1e6 / packets.len() as f64
}

/// An acceptor that never gets so far as to need a certificate.
fn endpoint() -> Endpoint {
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_protocol_versions(&[&rustls::version::TLS13])
    .unwrap()
    .with_no_client_auth()
    .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
    let crypto = Arc::new(QuicServerConfig::try_from(tls).unwrap());
    let server = Arc::new(ServerConfig::with_crypto(crypto));
    Endpoint::new(
        Arc::new(EndpointConfig::default()),
        Some(server),
        false,
        None,
    )
}
