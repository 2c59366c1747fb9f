use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio::time::timeout;

use super::*;
use crate::crypto::AwsLc;
use crate::identity::Keypair;
use crate::node::{P2PConfig, P2PNode};
use crate::p2p::{AddressSource, EventStream, SwarmEvent};

/// For everything that happens on loopback at once.
const PATIENCE: Duration = Duration::from_secs(10);

fn node() -> P2PNode {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = P2PConfig {
        listen_addresses: vec![loopback.into()],
        connection_timeout: Duration::from_millis(300),
        ..P2PConfig::default()
    };
    let keypair = Keypair::generate(Arc::new(AwsLc)).unwrap();
    P2PNode::builder(keypair).config(config).spawn().unwrap()
}

fn watch(node: &P2PNode) -> mpsc::Sender<Discovery> {
    let (sender, receiver) = mpsc::channel(8);
    let rng = ChaCha20Rng::seed_from_u64(1);
    tokio::spawn(follow(node.swarm().clone(), receiver, rng));
    sender
}

fn discovery(of: &P2PNode) -> Discovery {
    Discovery {
        peer: of.peer_id(),
        address: of.listen_addresses().remove(0),
    }
}

/// Where nobody answers for as long as the socket lives.
fn silent() -> (UdpSocket, Address) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap().into();
    (socket, address)
}

async fn wait_for(events: &mut EventStream, wanted: impl Fn(&SwarmEvent) -> bool) {
    let found = async {
        loop {
            let event = events.next().await.unwrap().unwrap();
            if wanted(&event.what) {
                return;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap();
}

#[tokio::test]
async fn an_announced_peer_is_noted_told_of_and_connected() {
    let (here, there) = (node(), node());
    let mut events = here.events();
    let announcements = watch(&here);
    announcements.send(discovery(&there)).await.unwrap();
    let peer = there.peer_id();
    wait_for(&mut events, |event| {
        *event == SwarmEvent::PeerAnnounced { peer }
    })
    .await;
    wait_for(
        &mut events,
        |event| matches!(event, SwarmEvent::PeerConnected { peer: who, .. } if *who == peer),
    )
    .await;
    let entry = here.peer(&peer).unwrap();
    assert!(
        entry
            .addresses()
            .any(|one| one.source >= AddressSource::Mdns)
    );
}

#[tokio::test]
async fn a_repeated_announcement_is_no_news() {
    let (here, there) = (node(), node());
    let mut events = here.events();
    let found = discovery(&there);
    for _ in 0..3 {
        here.swarm().announce(found.peer, &found.address).unwrap();
    }
    let mut news = 0;
    while let Some(event) = events.try_next() {
        news += u32::from(matches!(
            event.unwrap().what,
            SwarmEvent::PeerAnnounced { .. }
        ));
    }
    assert_eq!(news, 1);
}

#[tokio::test]
async fn a_dial_that_failed_is_repeated_after_a_wait_and_a_good_address_still_works() {
    let (here, there) = (node(), node());
    let mut events = here.events();
    let announcements = watch(&here);
    let peer = there.peer_id();
    let (_socket, address) = silent();
    let address = address.with_peer_id(peer);
    announcements
        .send(Discovery { peer, address })
        .await
        .unwrap();
    let is_failure = |event: &SwarmEvent| matches!(event, SwarmEvent::DialFailed { peer: Some(who), .. } if *who == peer);
    wait_for(&mut events, is_failure).await;
    wait_for(&mut events, is_failure).await;
    let failures = here
        .peer(&peer)
        .unwrap()
        .addresses()
        .next()
        .unwrap()
        .failures();
    assert!(failures >= 1);
    announcements.send(discovery(&there)).await.unwrap();
    wait_for(&mut events, |event| {
        matches!(event, SwarmEvent::PeerConnected { .. })
    })
    .await;
}

#[tokio::test]
async fn an_announced_public_address_is_neither_kept_nor_dialled() {
    let here = node();
    let peer = node().peer_id();
    let public = SocketAddr::from(([8, 8, 8, 8], 9_000));
    let mut candidates = Candidates::default();
    let address = Address::from(public).with_peer_id(peer);
    note_discovery(here.swarm(), &mut candidates, &Discovery { peer, address });
    assert!(here.peer(&peer).is_none());
    assert_eq!(candidates.in_order(), []);
}

#[tokio::test]
async fn no_more_than_four_announced_peers_are_dialled_at_once() {
    let here = node();
    let (_socket, address) = silent();
    let mut candidates = Candidates::default();
    let mut dials = JoinSet::new();
    for (announced, dialled) in (1..=5_u8).zip([1, 2, 3, 4, 4]) {
        let peer = PeerId::from_bytes([announced; 32]);
        let address = address.clone().with_peer_id(peer);
        note_discovery(here.swarm(), &mut candidates, &Discovery { peer, address });
        start_dials(here.swarm(), &mut candidates, &mut dials);
        assert_eq!(dials.len(), dialled);
    }
}

#[test]
fn candidates_are_bounded_and_only_those_that_failed_give_way() {
    let peer = |number: u8| PeerId::from_bytes([number; 32]);
    let mut candidates = Candidates::default();
    for number in 0..127 {
        candidates.announced(peer(number));
    }
    candidates.announced(peer(127));
    assert_eq!(candidates.0.len(), 128);
    candidates.announced(peer(128));
    assert_eq!(candidates.0.len(), 128);
    assert!(!candidates.0.contains_key(&peer(128)));
    candidates.dialled(peer(5), true);
    candidates.announced(peer(128));
    assert_eq!(candidates.0.len(), 128);
    assert!(candidates.0.contains_key(&peer(128)));
    assert!(!candidates.0.contains_key(&peer(5)));
}

#[test]
fn those_that_failed_least_are_dialled_first() {
    let peer = |number: u8| PeerId::from_bytes([number; 32]);
    let mut candidates = Candidates::default();
    for number in [1, 2, 3] {
        candidates.announced(peer(number));
    }
    candidates.dialled(peer(1), true);
    candidates.dialling(peer(2));
    assert_eq!(candidates.in_order(), [peer(3), peer(1)]);
    candidates.dialled(peer(2), false);
    candidates.dialled(peer(1), false);
    assert_eq!(candidates.in_order(), [peer(1), peer(2), peer(3)]);
}
