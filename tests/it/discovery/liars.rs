//! Nodes that name addresses of others: whoever is named is not flooded.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use cretoai_network::discovery::Key;
use cretoai_network::identity::PeerId;
use cretoai_network::node::P2PNode;
use cretoai_network::p2p::Reachability;
use cretoai_network::sim::Net;
use cretoai_network::wire::Address;
use cretoai_network::wire::codec::{List, SharedList, encode};
use cretoai_network::wire::message::discovery::{Contact, MAX_CONTACTS, NODES, Nodes, PROTOCOL};
use cretoai_network::wire::message::identify::HELLO_REPLY;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::support::waiting;
use crate::support::attacker::{A_DIAL, Attacker, framed, introduce, introduction};
use crate::support::nodes::{PORT, in_virtual_time, quiet_net};
use crate::support::peer::Peer;

const NODE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(7, 7, 7, 7));
const LIAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(5, 5, 5, 5));
const HONEST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(4, 4, 4, 4));
const VICTIM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

/// How long the attack lasts.
const ATTACK: Duration = Duration::from_secs(120);

/// As many contacts as a reply holds, new ones each time but for the one that is sought, all at the victim's host.
fn lie(number: u32, sought: PeerId) -> Bytes {
    let contact = |index: usize| {
        let name = [
            number.to_le_bytes(),
            u32::try_from(index).unwrap().to_le_bytes(),
        ];
        let port = |offset: usize| u16::try_from(1_000 + 4 * index + offset).unwrap();
        let addresses = (0..4).map(|offset| Address::from(SocketAddr::new(VICTIM, port(offset))));
        Contact {
            peer: match index {
                0 => sought,
                _ => PeerId::from_bytes(*Key::of_value(name.as_flattened()).as_bytes()),
            },
            addresses: SharedList::truncated(addresses),
        }
    };
    let contacts = List::truncated((0..MAX_CONTACTS).map(contact));
    framed(NODES, &encode(&Nodes { contacts })).freeze()
}

/// Says that it is a server, and answers every question with lies.
async fn answer(connection: quinn::Connection) {
    let listens = [SocketAddr::new(LIAR, PORT).into()];
    let mine = introduction(&listens, &[PROTOCOL]);
    let introducing = connection.clone();
    let hello = mine.clone();
    tokio::spawn(async move { introduce(&introducing, &hello).await });
    let mut number = 0;
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        number += 1;
        // A request that is given up meanwhile is answered to nobody.
        let request = receive.read_to_end(1 << 16).await.unwrap_or_default();
        let answer = match request.first() {
            Some(1) => framed(HELLO_REPLY, &encode(&mine)).freeze(),
            _ => lie(number, sought(&request)),
        };
        _ = send.write_all(&answer).await;
        _ = send.finish();
    }
}

/// What a FIND_NODE asks for: its body ends with the number of contacts, after the target.
fn sought(request: &[u8]) -> PeerId {
    let target = request
        .len()
        .checked_sub(33)
        .and_then(|start| request.get(start..start + 32));
    let target = target.and_then(|target| target.try_into().ok());
    PeerId::from_bytes(target.unwrap_or([0; 32]))
}

#[test]
fn a_victim_named_again_and_again_gets_a_bounded_number_of_datagrams() {
    under_attack(91, async |node, number| {
        let key = Key::of_value(&number.to_le_bytes());
        _ = node.discovery().closest_peers(key).await;
    });
}

/// E22: the program wants to reach somebody, and the liar says that it lives at the victim's.
#[test]
fn a_victim_named_as_the_place_of_those_that_are_sought_gets_a_bounded_number_of_datagrams() {
    under_attack(92, async |node, number| {
        // Some it seeks again and again, others once; many at once, since each is sought for ten seconds.
        let mut searches = JoinSet::new();
        for place in 0..16_u32 {
            let name = if place % 2 == 0 {
                [place, 0]
            } else {
                [place, number]
            };
            let key = Key::of_value(name.map(u32::to_le_bytes).as_flattened());
            let node = node.clone();
            searches.spawn(async move { node.connect(PeerId::from_bytes(*key.as_bytes())).await });
        }
        assert!(searches.join_all().await.iter().all(Result::is_err));
    });
}

/// The budget of its host is spent by lookups that the liar leads there, and the program still reaches it.
#[test]
fn attack_naming_a_host_again_and_again_does_not_keep_the_program_from_whom_it_seeks_there() {
    in_virtual_time(async {
        let net = quiet_net(93);
        let serving = serve_lies(&net);
        let honest = Peer::start_with(&net, HONEST, 3, waiting());
        let mut config = waiting();
        // In nobody's table, so that whom it seeks does not come to it.
        config.reachability = Reachability::Private;
        config.bootstrap_nodes = vec![SocketAddr::new(LIAR, PORT).into(), honest.address()];
        let node = Peer::start_with(&net, NODE, 1, config).node;
        sleep(Duration::from_secs(3)).await;
        let mut config = waiting();
        config.bootstrap_nodes = vec![honest.address()];
        let host = Peer::start_with(&net, VICTIM, 4, config);
        let sought = host.node.peer_id();
        let spend = async |from: u32| {
            for number in from..from + 10 {
                let key = Key::of_value(&number.to_le_bytes());
                _ = node.discovery().closest_peers(key).await;
            }
        };
        spend(0).await;
        sleep(Duration::from_secs(3)).await;
        spend(10).await;
        assert!(!node.swarm().is_connected(&sought));
        let before = node.discovery().stats().await.unwrap().requests_not_dialled;
        assert!(before > 0, "there was no attack");
        assert_eq!(node.connect(sought).await, Ok(sought));
        serving.abort();
    });
}

/// A node that lies, on its host.
fn serve_lies(net: &Net) -> JoinHandle<()> {
    let liar = Attacker::at(net, SocketAddr::new(LIAR, PORT), 2);
    tokio::spawn(async move {
        while let Ok(connection) = liar.accept().await {
            tokio::spawn(answer(connection));
        }
    })
}

/// A node that knows nobody but a liar does something again and again.
fn under_attack(seed: u64, act: impl AsyncFn(&P2PNode, u32) + 'static) {
    in_virtual_time(async move {
        let net = quiet_net(seed);
        let serving = serve_lies(&net);
        let mut config = waiting();
        config.bootstrap_nodes = vec![SocketAddr::new(LIAR, PORT).into()];
        let node = Peer::start_with(&net, NODE, 1, config);
        let discovery = node.node.discovery();
        let mut asked = 0_u32;
        let attack = async {
            loop {
                asked += 1;
                act(&node.node, asked).await;
                sleep(Duration::from_millis(100)).await;
            }
        };
        _ = timeout(ATTACK, attack).await;
        let stats = discovery.stats().await.unwrap();
        let sent = net.counters(NODE, VICTIM).sent.datagrams;
        println!("{asked} lookups, {stats:?}: {sent} datagrams to the victim");
        // A lookup stops to believe the liar after eight contacts that are not there.
        assert!(
            stats.requests_not_dialled > 50,
            "there was no attack: {stats:?}"
        );
        // Once for lookups, and once for what the program seeks.
        let dials = 2 * (8 + ATTACK.as_secs() / 10 + 1);
        assert!(sent <= dials * A_DIAL, "{sent} datagrams");
        assert_eq!(net.counters(NODE, VICTIM).delivered.datagrams, 0);
        serving.abort();
    });
}
