//! Two raw quinn endpoints with two disjoint paths between them, as a relay and a direct one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::{Connection, Endpoint, TransportConfig};

use super::millis;
use crate::sim::raw_quinn::{Credential, SERVER_NAME, address};
use crate::sim::{LinkProfile, Net};
use crate::transport::paths::{PathId, PathSwitch, Paths, SocketId, path_aware};

/// First path: 120 ms round trip, 50 Mbit/s.
pub(super) const DIALLER: &str = "10.0.0.1:4433";
pub(super) const ACCEPTOR: &str = "10.0.0.2:4433";
/// Second path: 20 ms round trip, 200 Mbit/s.
pub(super) const DIALLER_DIRECT: &str = "10.1.0.1:4433";
pub(super) const ACCEPTOR_DIRECT: &str = "10.1.0.2:4433";

pub(super) struct World {
    pub(super) net: Net,
    pub(super) credential: Credential,
    pub(super) dialler: Node,
    pub(super) acceptor: Node,
}

pub(super) struct Node {
    pub(super) endpoint: Endpoint,
    pub(super) paths: Paths,
    pub(super) direct: SocketId,
}

/// One end of a connection that can change its path.
pub(super) struct End {
    pub(super) connection: Connection,
    pub(super) paths: Paths,
    switch: PathSwitch,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let net = Net::new(seed);
        let link = |a: &str, b: &str, latency, rate| {
            let profile = LinkProfile {
                rate_bits_per_s: Some(rate),
                queue_bytes: usize::try_from(rate / 80).unwrap(), // 100 ms
                ..LinkProfile::with_latency(millis(latency))
            };
            net.set_link(address(a).ip(), address(b).ip(), profile);
        };
        link(DIALLER, ACCEPTOR, 60, 50_000_000);
        link(DIALLER_DIRECT, ACCEPTOR_DIRECT, 10, 200_000_000);
        let credential = Credential::generate();
        let dialler = Node::new(&net, &credential, DIALLER, DIALLER_DIRECT);
        let acceptor = Node::new(&net, &credential, ACCEPTOR, ACCEPTOR_DIRECT);
        Self {
            net,
            credential,
            dialler,
            acceptor,
        }
    }

    /// A connection with both paths at both ends, on the first one.
    pub(super) async fn connect(&self) -> (End, End) {
        let (dialled, accepted) =
            tokio::join!(self.dialler.dial(ACCEPTOR, &self.credential), self.accept());
        dialled.add_path(self.dialler.direct, address(ACCEPTOR_DIRECT));
        accepted.add_path(self.acceptor.direct, address(DIALLER_DIRECT));
        (dialled, accepted)
    }

    pub(super) async fn accept(&self) -> End {
        self.acceptor.accept(&self.credential).await
    }
}

impl Node {
    pub(super) fn new(net: &Net, credential: &Credential, first: &str, direct: &str) -> Self {
        let bind = |own: &str| {
            let environment = net.host(address(own).ip());
            let socket = environment.sockets.bind(address(own)).unwrap();
            (environment, socket)
        };
        let (environment, socket) = bind(first);
        let (paths, socket) = Paths::new(socket).unwrap();
        let endpoint = credential.endpoint(&environment, Arc::new(socket));
        let direct = paths.attach_socket(bind(direct).1).unwrap();
        Self {
            endpoint,
            paths,
            direct,
        }
    }

    pub(super) async fn dial(&self, to: &str, credential: &Credential) -> End {
        let (transport, switch) = transport();
        let mut config = credential.client_config();
        config.transport_config(transport);
        let to = self.paths.virtual_address_for(address(to)).unwrap();
        let connecting = self.endpoint.connect_with(config, to, SERVER_NAME).unwrap();
        End {
            connection: connecting.await.unwrap(),
            paths: self.paths.clone(),
            switch,
        }
    }

    async fn accept(&self, credential: &Credential) -> End {
        let incoming = self.endpoint.accept().await.unwrap();
        let (transport, switch) = transport();
        let mut config = credential.server_config();
        config.transport_config(transport).migration(false);
        let connection = incoming
            .accept_with(Arc::new(config))
            .unwrap()
            .await
            .unwrap();
        End {
            connection,
            paths: self.paths.clone(),
            switch,
        }
    }
}

impl End {
    pub(super) fn add_path(&self, socket: SocketId, real: SocketAddr) -> PathId {
        self.paths
            .add_path(self.connection.remote_address(), socket, real)
            .unwrap()
    }

    /// Switches, tells the congestion controller, and sends one ack-eliciting packet.
    pub(super) fn switch(&self, path: PathId) {
        self.paths
            .switch(self.connection.remote_address(), path)
            .unwrap();
        self.switch.switched_to(path);
        self.connection.send_datagram(vec![0].into()).unwrap();
    }
}

fn transport() -> (Arc<TransportConfig>, PathSwitch) {
    let (factory, switch) = path_aware(Arc::new(CubicConfig::default()));
    let mut transport = TransportConfig::default();
    transport.congestion_controller_factory(factory);
    // Large enough that congestion, not flow control, limits the sender.
    transport.stream_receive_window(2_800_000_u32.into());
    transport.max_idle_timeout(Some(Duration::from_secs(30).try_into().unwrap()));
    transport.keep_alive_interval(Some(Duration::from_secs(5)));
    (Arc::new(transport), switch)
}

/// `length` bytes in which every position can be told from its neighbours.
pub(super) fn pattern(length: usize, salt: u32) -> Vec<u8> {
    (0..length.div_ceil(4) as u32)
        .flat_map(|word| {
            word.wrapping_mul(0x9e37_79b1)
                .wrapping_add(salt)
                .to_le_bytes()
        })
        .take(length)
        .collect()
}

/// Sends `data` on a stream of its own and waits until the other end has all of it.
pub(super) async fn send(connection: Connection, data: Vec<u8>) {
    let mut stream = connection.open_uni().await.unwrap();
    stream.write_all(&data).await.unwrap();
    stream.finish().unwrap();
    assert_eq!(stream.stopped().await.unwrap(), None);
}

pub(super) async fn receive(connection: Connection) -> Vec<u8> {
    let mut stream = connection.accept_uni().await.unwrap();
    stream.read_to_end(64 << 20).await.unwrap()
}
