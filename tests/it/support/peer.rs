//! A node together with what it tells.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::identity::PeerId;
use cretoai_network::node::{P2PConfig, P2PNode};
use cretoai_network::p2p::{EventStream, SwarmEvent};
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use tokio::time::timeout;

use super::nodes::{PORT, config, keypair, peer};

/// An application's protocol whose answer is the question.
pub(crate) const ECHO: u32 = 0x41;

/// How long a test waits for an event before it says that it never came.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node with its events from the first on.
pub(crate) struct Peer {
    pub(crate) node: P2PNode,
    pub(crate) events: Events,
    ip: IpAddr,
}

impl Peer {
    /// Starts the node with the identity `number` on the host `ip`. It answers [`ECHO`].
    pub(crate) fn start(net: &Net, ip: IpAddr, number: u16) -> Self {
        Self::start_with(net, ip, number, config())
    }

    pub(crate) fn start_with(net: &Net, ip: IpAddr, number: u16, config: P2PConfig) -> Self {
        let node = P2PNode::builder(keypair(number))
            .config(config)
            .environment(net.host(ip))
            .spawn()
            .unwrap();
        node.handle(ECHO, |_, body: Bytes| async move { Ok(body) })
            .unwrap();
        let events = Events(node.events());
        Self { node, events, ip }
    }

    pub(crate) fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.ip, PORT)
    }

    /// The node's address with its identity.
    pub(crate) fn address(&self) -> Address {
        Address::from(self.socket()).with_peer_id(self.node.peer_id())
    }

    /// Whether there is a confirmed connection with the node of this number.
    pub(crate) fn is_connected(&self, number: u16) -> bool {
        self.node.swarm().is_connected(&peer(number))
    }

    pub(crate) fn reputation(&self, peer: &PeerId) -> i32 {
        self.node.swarm().reputation(peer)
    }
}

/// What a node tells.
pub(crate) struct Events(EventStream);

impl Events {
    /// The first event from now on that `pick` takes; others are passed over.
    pub(crate) async fn until<T>(&mut self, pick: impl Fn(&SwarmEvent) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.0.next().await.unwrap().unwrap();
                if let Some(found) = pick(&event.what) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, search)
            .await
            .expect("the event never came")
    }

    /// All that happened and was not looked at yet.
    pub(crate) fn drain(&mut self) -> Vec<SwarmEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.0.try_next() {
            events.push(event.unwrap().what);
        }
        events
    }
}

/// Lets virtual time pass.
pub(crate) async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
}
