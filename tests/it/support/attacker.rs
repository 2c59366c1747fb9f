//! A peer that keeps no rule: plain quinn and rustls on a simulated host, so that it can send
//! whatever bytes it likes.

mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use cretoai_network::sim::Net;
use cretoai_network::wire::codec::{List, decode, encode};
use cretoai_network::wire::frame::encode_frame_head;
use cretoai_network::wire::message::identify::{
    HELLO, HELLO_REPLY, Identify, Roles, SupportedProtocol,
};
use cretoai_network::wire::{Address, ErrorCode, Varint};
use quinn::{
    Connection, ConnectionError, Endpoint, EndpointConfig, ReadError, ReadToEndError, RecvStream,
    SendStream, ZeroRttAccepted,
};

pub(crate) use tls::{Credential, Handshake};

use super::nodes::{PORT, ip, keypair};

/// A name of the form that nodes use; the attacker's verifier does not look at it.
const SERVER_NAME: &str = "attacked.peer.invalid";

/// Largest answer that is read.
const MAX_ANSWER: usize = 4 << 20;

/// Datagrams of one dial that nobody answers: a first flight of three, and what is repeated until the
/// connection timeout of ten seconds.
pub(crate) const A_DIAL: u64 = 24;

/// A quinn endpoint of the attacker's own.
pub(crate) struct Attacker {
    endpoint: Endpoint,
}

impl Attacker {
    /// An attacker with the host and the identity `number`, whose handshake is honest.
    pub(crate) fn new(net: &Net, number: u16) -> Self {
        Self::at(net, SocketAddr::new(ip(number), PORT), number)
    }

    /// The same at any address.
    pub(crate) fn at(net: &Net, address: SocketAddr, number: u16) -> Self {
        let credential = Credential::of(&keypair(number));
        Self::with(net, address, &Handshake::with(credential))
    }

    /// An honest identity that takes at most `window` bytes of a stream that it does not read.
    pub(crate) fn with_window(net: &Net, number: u16, window: u32) -> Self {
        let handshake = Handshake {
            window,
            ..Handshake::with(Credential::of(&keypair(number)))
        };
        Self::with(net, SocketAddr::new(ip(number), PORT), &handshake)
    }

    /// An attacker with a handshake of its own making, as a dialler and as an acceptor.
    pub(crate) fn with(net: &Net, address: SocketAddr, handshake: &Handshake) -> Self {
        let environment = net.host(address.ip());
        let mut seed = [0; 32];
        environment.entropy.fill(&mut seed).unwrap();
        let mut config = EndpointConfig::default();
        config.rng_seed(Some(seed)).grease_quic_bit(false);
        let socket = environment.sockets.bind(address).unwrap();
        let runtime = Arc::clone(&environment.runtime);
        let server = handshake.server();
        let mut endpoint =
            Endpoint::new_with_abstract_socket(config, server, socket, runtime).unwrap();
        endpoint.set_default_client_config(handshake.client());
        Self { endpoint }
    }

    /// Dials and waits for the handshake as the dialler sees it.
    pub(crate) async fn dial(&self, address: SocketAddr) -> Result<Connection, ConnectionError> {
        self.endpoint.connect(address, SERVER_NAME).unwrap().await
    }

    /// Dials under the ticket of an earlier connection, without waiting for the handshake.
    pub(crate) fn dial_early(&self, address: SocketAddr) -> (Connection, ZeroRttAccepted) {
        let connecting = self.endpoint.connect(address, SERVER_NAME).unwrap();
        let Ok(early) = connecting.into_0rtt() else {
            panic!("there is no ticket");
        };
        early
    }

    /// Accepts one connection and waits for the handshake as the acceptor sees it.
    pub(crate) async fn accept(&self) -> Result<Connection, ConnectionError> {
        self.endpoint.accept().await.unwrap().await
    }
}

/// Opens a bidirectional stream, sends `bytes` and the end, and returns the answer or the code with
/// which the stream was reset.
pub(crate) async fn ask(connection: &Connection, bytes: &[u8]) -> Result<Vec<u8>, ErrorCode> {
    let (_send, receive) = open_bi(connection, bytes, End::Finish).await;
    answer(receive).await
}

/// Whether a stream is finished after its bytes or left open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Finish,
    LeaveOpen,
}

pub(crate) async fn open_bi(
    connection: &Connection,
    bytes: &[u8],
    end: End,
) -> (SendStream, RecvStream) {
    let (mut send, receive) = connection.open_bi().await.unwrap();
    send.write_all(bytes).await.unwrap();
    if end == End::Finish {
        send.finish().unwrap();
    }
    (send, receive)
}

/// Reads a stream to its end, or to the code with which it was reset.
pub(crate) async fn answer(mut receive: RecvStream) -> Result<Vec<u8>, ErrorCode> {
    match receive.read_to_end(MAX_ANSWER).await {
        Ok(bytes) => Ok(bytes),
        Err(ReadToEndError::Read(ReadError::Reset(code))) => Err(code.into_inner().into()),
        Err(other) => panic!("the stream was not reset: {other}"),
    }
}

/// Opens a unidirectional stream, sends `bytes` and leaves it open; returns the code with which the
/// other end stopped it.
pub(crate) async fn tell(connection: &Connection, bytes: &[u8]) -> ErrorCode {
    let mut send = connection.open_uni().await.unwrap();
    send.write_all(bytes).await.unwrap();
    let code = send.stopped().await.unwrap();
    code.expect("the stream was stopped").into_inner().into()
}

/// The code with which the other end closed the connection.
pub(crate) async fn closed_with(connection: &Connection) -> ErrorCode {
    match connection.closed().await {
        ConnectionError::ApplicationClosed(close) => close.error_code.into_inner().into(),
        other => panic!("closed for another reason: {other}"),
    }
}

/// How an attacker introduces itself: as a server that listens at `listens` and speaks these protocols.
pub(crate) fn introduction(listens: &[Address], protocols: &[u32]) -> Identify {
    let protocols = protocols.iter().map(|number| SupportedProtocol {
        number: *number,
        min_version: 1,
        max_version: 1,
    });
    Identify {
        agent: "mallory".parse().unwrap(),
        listen_addresses: List::truncated(listens.to_vec()),
        protocols: List::truncated(protocols),
        roles: Roles::SERVER,
        observed_address: None,
    }
}

/// A frame with its length before it.
pub(crate) fn framed(kind: u8, body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::new();
    encode_frame_head(kind, body.len(), &mut frame);
    frame.extend_from_slice(body);
    frame
}

/// Introduces an attacker; returns the node's introduction.
pub(crate) async fn introduce(connection: &Connection, mine: &Identify) -> Identify {
    let mut hello = BytesMut::from(&[1, 1][..]);
    hello.extend_from_slice(&framed(HELLO, &encode(mine)));
    let reply = ask(connection, &hello).await.unwrap();
    let (_, length) = Varint::decode(&reply).unwrap().unwrap();
    assert_eq!(reply[length], HELLO_REPLY);
    decode(&Bytes::copy_from_slice(&reply[length + 1..])).unwrap()
}
