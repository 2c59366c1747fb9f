//! Nodes that name addresses of others: whoever is named is not flooded.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cretoai_network::discovery::Key;
use cretoai_network::identity::PeerId;
use cretoai_network::wire::Address;
use cretoai_network::wire::codec::{List, SharedList, encode};
use cretoai_network::wire::frame::encode_frame_head;
use cretoai_network::wire::message::discovery::{Contact, MAX_CONTACTS, NODES, Nodes};
use tokio::time::{sleep, timeout};

use super::support::waiting;
use crate::support::attacker::{A_DIAL, Attacker};
use crate::support::nodes::{PORT, in_virtual_time, quiet_net};
use crate::support::peer::Peer;

const NODE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(7, 7, 7, 7));
const LIAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(5, 5, 5, 5));
const VICTIM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

/// How long the attack lasts.
const ATTACK: Duration = Duration::from_secs(120);

/// As many contacts as a reply holds, new ones each time, all at the victim's host.
fn lie(number: u32) -> Bytes {
    let contact = |index: usize| {
        let name = [
            number.to_le_bytes(),
            u32::try_from(index).unwrap().to_le_bytes(),
        ];
        let port = |offset: usize| u16::try_from(1_000 + 4 * index + offset).unwrap();
        let addresses = (0..4).map(|offset| Address::from(SocketAddr::new(VICTIM, port(offset))));
        Contact {
            peer: PeerId::from_bytes(*Key::of_value(name.as_flattened()).as_bytes()),
            addresses: SharedList::truncated(addresses),
        }
    };
    let contacts = List::truncated((0..MAX_CONTACTS).map(contact));
    let body = encode(&Nodes { contacts });
    let mut frame = BytesMut::new();
    encode_frame_head(NODES, body.len(), &mut frame);
    frame.extend_from_slice(&body);
    frame.freeze()
}

/// Answers every request with lies.
async fn answer(connection: quinn::Connection) {
    let mut number = 0;
    while let Ok((mut send, mut receive)) = connection.accept_bi().await {
        number += 1;
        // A request that is given up meanwhile is answered to nobody.
        _ = receive.read_to_end(1 << 16).await;
        _ = send.write_all(&lie(number)).await;
        _ = send.finish();
    }
}

#[test]
fn a_victim_named_again_and_again_gets_a_bounded_number_of_datagrams() {
    in_virtual_time(async {
        let net = quiet_net(91);
        let liar = Attacker::at(&net, SocketAddr::new(LIAR, PORT), 2);
        let serving = tokio::spawn(async move {
            while let Ok(connection) = liar.accept().await {
                tokio::spawn(answer(connection));
            }
        });
        let mut config = waiting();
        config.bootstrap_nodes = vec![SocketAddr::new(LIAR, PORT).into()];
        let node = Peer::start_with(&net, NODE, 1, config);
        let discovery = node.node.discovery();
        let mut asked = 0_u32;
        let attack = async {
            loop {
                asked += 1;
                _ = discovery
                    .closest_peers(Key::of_value(&asked.to_le_bytes()))
                    .await;
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
        let dials = 8 + ATTACK.as_secs() / 10 + 1;
        assert!(sent <= dials * A_DIAL, "{sent} datagrams");
        assert_eq!(net.counters(NODE, VICTIM).delivered.datagrams, 0);
        serving.abort();
    });
}
