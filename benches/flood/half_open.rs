//! Diallers of one network who prove their addresses and then fall silent.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cretoai_network::identity::Keypair;
use cretoai_network::node::P2PNode;
use cretoai_network::sim::{Datagram, Verdict};
use cretoai_network::transport::{QuicTransport, TransportConfig};
use cretoai_network::wire::{Address, NetworkId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::honest::{Dials, dial};
use crate::scene::{Scene, keypair, spawn};

/// Attacking hosts of the network; the honest neighbour is none of them.
const HOSTS: u8 = 250;

/// Time for a Retry and the second flight, many round trips long.
const SILENT_AFTER: Duration = Duration::from_millis(100);

/// The attack.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    keypair: Keypair,
    dials_each: u32,
    target: Address,
    neighbour: P2PNode,
    retries_answered: Arc<AtomicU64>,
}

impl HalfOpen {
    pub(crate) fn prepare(scene: &Scene, dials: u32) -> Self {
        let retries_answered = Arc::new(AtomicU64::new(0));
        let (count, node) = (retries_answered.clone(), scene.socket);
        // Nothing but a Retry reaches the attackers, so that no handshake goes on.
        scene.net.set_tap(move |datagram| {
            if datagram.to == node && is_attacker(datagram.from.ip()) && is_with_token(datagram) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            let withheld = is_attacker(datagram.to.ip()) && !is_retry(datagram);
            if withheld {
                Verdict::Drop
            } else {
                Verdict::Pass
            }
        });
        Self {
            keypair: keypair(),
            dials_each: dials / u32::from(HOSTS),
            target: scene.address(),
            neighbour: spawn(scene.net.host(host(HOSTS + 1))),
            retries_answered,
        }
    }

    /// All dials, host after host, evenly over `span`.
    pub(crate) async fn run(&self, scene: &Scene, span: Duration) {
        let start = Instant::now();
        let pause = span / u32::from(HOSTS);
        let mut hosts = JoinSet::new();
        for number in 1..=HOSTS {
            sleep_until(start + pause * u32::from(number - 1)).await;
            hosts.spawn(self.knock(scene, host(number)));
        }
        hosts.join_all().await;
    }

    /// How the honest neighbour's dials go, one a second.
    pub(crate) async fn neighbour(&self, span: Duration) -> Dials {
        let start = Instant::now();
        let mut outcomes = Vec::new();
        while start.elapsed() < span {
            outcomes.push(dial(&self.neighbour, &self.target).await);
            sleep(Duration::from_secs(1)).await;
        }
        Dials::of(outcomes)
    }

    /// Packets with a token that arrived, in flights of three.
    pub(crate) fn retries_answered(&self) -> f64 {
        self.retries_answered.load(Ordering::Relaxed) as f64 / 3.0
    }

    fn knock(&self, scene: &Scene, ip: IpAddr) -> impl Future<Output = ()> + Send + 'static {
        let (net, target, dials) = (scene.net.clone(), scene.socket, self.dials_each);
        let network = NetworkId::of("creto");
        let config = TransportConfig::default();
        let transport = QuicTransport::bind(config, &self.keypair, network, net.host(ip)).unwrap();
        async move {
            let dialing: Vec<_> = (0..dials)
                .map(|_| transport.dial(target, None).unwrap())
                .collect();
            sleep(SILENT_AFTER).await;
            net.kill(ip);
            drop(dialing);
        }
    }
}

fn host(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(30, 0, 7, number))
}

fn is_attacker(ip: IpAddr) -> bool {
    ip != host(HOSTS + 1) && matches!(ip, IpAddr::V4(ip) if ip.octets()[..3] == [30, 0, 7])
}

/// A long header of type 3 (RFC 9000, section 17.2.5).
fn is_retry(datagram: &Datagram) -> bool {
    datagram
        .contents
        .first()
        .is_some_and(|first| first & 0xf0 == 0xf0)
}

/// An Initial packet whose token has any length but zero.
fn is_with_token(datagram: &Datagram) -> bool {
    let packet = &datagram.contents;
    let skip = |at: usize| packet.get(at).map(|length| at + 1 + usize::from(*length));
    let token_length = skip(5).and_then(skip).and_then(|at| packet.get(at));
    packet.first().is_some_and(|first| first & 0xf0 == 0xc0)
        && token_length.is_some_and(|length| *length != 0)
}
