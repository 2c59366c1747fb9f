//! Attacks of the list that only a network shows.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use cretoai_network::gossip::TopicHash;
use cretoai_network::identity::PeerId;
use cretoai_network::services::gossip::SubscribeOptions;
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use cretoai_network::wire::codec::{List, SharedList};
use cretoai_network::wire::message::discovery::Contact;
use cretoai_network::wire::message::gossip::{self as wire, Prune, Subscribe, Topics};
use tokio::time::{Instant, sleep};

use super::support::{HEADER, TOPIC, frame, gossiping, next, say, subscribe_all};
use crate::support::attacker::{A_DIAL, Attacker};
use crate::support::nodes::{PORT, address, in_virtual_time, ip, peer, quiet_net, spawn_with};
use crate::support::peer::Peer;

const ATTACKER: u16 = 66;
const NODE: IpAddr = IpAddr::V4(Ipv4Addr::new(7, 7, 7, 7));
const TELLER: IpAddr = IpAddr::V4(Ipv4Addr::new(5, 5, 5, 5));
const VICTIM: IpAddr = IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9));

/// Contacts that a PRUNE may carry.
const NAMED: u16 = 16;

fn subscription() -> Vec<u8> {
    let topics = List::truncated([*TopicHash::of(TOPIC).as_bytes()]);
    frame(wire::SUBSCRIBE, &Subscribe { topics })
}

/// Sixteen strangers, others in each round, where the test says, and that the node may be taken in again.
fn recommendation(round: u16, place: impl Fn(u16) -> SocketAddr) -> Vec<u8> {
    let contact = |number: u16| {
        let mut name = [0x77; 32];
        name[..4].copy_from_slice(&[round.to_be_bytes(), number.to_be_bytes()].concat());
        Contact {
            peer: PeerId::from_bytes(name),
            addresses: SharedList::truncated([Address::from(place(number))]),
        }
    };
    let prune = Prune {
        topic: 0,
        backoff_s: 0,
        peers: List::truncated((0..NAMED).map(contact)),
    };
    let topics = List::truncated([0]);
    let graft = frame(wire::GRAFT, &Topics { topics });
    [graft, frame(wire::PRUNE, &prune)].concat()
}

/// Ports of the victim.
fn at_the_victim(number: u16) -> SocketAddr {
    SocketAddr::new(VICTIM, 1_000 + number)
}

/// Datagrams that a victim got in a minute in which an attacker, of whom the program thinks so much, named it
/// a thousand times.
async fn datagrams_to_victim(net: &Net, points: f64) -> u64 {
    name_for_a_minute(net, points, |_, number| at_the_victim(number)).await;
    net.counters(NODE, VICTIM).sent.datagrams
}

/// For a minute an attacker of whom the program thinks so much takes a node into its mesh and sends it away, and
/// names sixteen others each time.
async fn name_for_a_minute(net: &Net, points: f64, place: impl Fn(u16, u16) -> SocketAddr) {
    let victim = Peer::start_with(net, NODE, 1, gossiping());
    let gossip = victim.node.gossip();
    let options = SubscribeOptions::default();
    let _subscription = gossip.subscribe(TOPIC, options).await.unwrap();
    gossip
        .set_application_score(peer(ATTACKER), points)
        .await
        .unwrap();
    let attacker = Attacker::at(net, SocketAddr::new(TELLER, PORT), ATTACKER);
    let connection = attacker.dial(SocketAddr::new(NODE, PORT)).await.unwrap();
    let mut stream = connection.open_uni().await.unwrap();
    let begin = [&HEADER[..], &subscription()].concat();
    stream.write_all(&begin).await.unwrap();
    for round in 0..60 {
        let recommendation = recommendation(round, |number| place(round, number));
        stream.write_all(&recommendation).await.unwrap();
        sleep(Duration::from_secs(1)).await;
    }
}

/// The budget of a host does not see it.
#[test]
fn attack_7_of_a_thousand_hosts_that_are_recommended_a_few_are_dialled() {
    in_virtual_time(async {
        let net = quiet_net(84);
        let host = |round: u16, number: u16| {
            let [_, low] = round.to_be_bytes();
            let host = Ipv4Addr::new(9, 9, low, number as u8 + 1);
            SocketAddr::new(host.into(), PORT)
        };
        name_for_a_minute(&net, 100.0, host).await;
        let all = (0..60).flat_map(|round| (0..NAMED).map(move |number| host(round, number)));
        let sent = all.filter(|to| net.counters(NODE, to.ip()).sent.datagrams > 0);
        let dialled = sent.count();
        assert!(
            (1..=usize::from(NAMED)).contains(&dialled),
            "{dialled} hosts"
        );
    });
}

/// A stranger on the Internet has this node look at nothing of its own network.
#[test]
fn attack_7_private_addresses_that_a_stranger_recommends_are_not_dialled() {
    in_virtual_time(async {
        let net = quiet_net(85);
        let host = |_, number: u16| {
            let host = Ipv4Addr::new(192, 168, 0, number as u8 + 1);
            SocketAddr::new(host.into(), PORT)
        };
        name_for_a_minute(&net, 100.0, host).await;
        for number in 0..NAMED {
            let to = host(0, number).ip();
            assert_eq!(net.counters(NODE, to).sent.datagrams, 0, "{to}");
        }
    });
}

#[test]
fn attack_7_a_victim_that_is_recommended_again_and_again_gets_a_bounded_number_of_datagrams() {
    in_virtual_time(async {
        let sent = datagrams_to_victim(&quiet_net(81), 100.0).await;
        // What one host may cost: eight dials at once, and one every ten seconds.
        let dials = 8 + 60 / 10 + 1;
        println!("{sent} datagrams");
        assert!(sent > 0, "there was no attack");
        assert!(sent <= dials * A_DIAL, "{sent} datagrams");
    });
}

#[test]
fn attack_7_what_somebody_without_merit_recommends_is_not_dialled() {
    in_virtual_time(async {
        assert_eq!(datagrams_to_victim(&quiet_net(82), 0.0).await, 0);
    });
}

/// Attackers that begin something and do not go on: a stream without its header, one with half a frame, one
/// whose frame has an end that never comes.
#[test]
fn attack_15_streams_that_stay_half_open_hold_up_nobody() {
    in_virtual_time(async {
        let net = quiet_net(83);
        let nodes = [
            spawn_with(&net, 1, gossiping()),
            spawn_with(&net, 2, gossiping()),
        ];
        nodes[1].dial(&address(1)).await.unwrap();
        let mut held = Vec::new();
        let half = frame(
            wire::SUBSCRIBE,
            &Subscribe {
                topics: List::truncated([[3; 32]; 8]),
            },
        );
        for (number, said) in (0..).zip([
            vec![HEADER[0]],
            HEADER.to_vec(),
            [&HEADER[..], &half[..1]].concat(),
            [&HEADER[..], &half[..half.len() - 1]].concat(),
        ]) {
            let attacker = Attacker::new(&net, ATTACKER + number);
            let connection = attacker.dial(SocketAddr::new(ip(1), PORT)).await.unwrap();
            let mut stream = connection.open_uni().await.unwrap();
            stream.write_all(&said).await.unwrap();
            held.push((attacker, connection, stream));
        }
        let mut subscriptions = subscribe_all(&nodes, &SubscribeOptions::default()).await;
        for number in 0..20 {
            let began = Instant::now();
            say(&nodes[0], &format!("message {number}")).await;
            next(&mut subscriptions[1]).await;
            assert!(
                began.elapsed() < Duration::from_millis(200),
                "message {number}"
            );
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(nodes[0].gossip().neighbours(TOPIC).await.unwrap().len(), 1);
        drop(held);
    });
}
