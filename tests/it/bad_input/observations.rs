//! Observations and introductions that say nothing, or nothing new.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cretoai_network::p2p::SwarmEvent;
use cretoai_network::wire::codec::List;
use cretoai_network::wire::frame::encode_frame;
use cretoai_network::wire::message::identify::{self, Identify, Roles};
use cretoai_network::wire::message::observed::{self, Observed};
use cretoai_network::wire::{Address, ErrorCode, codec};
use quinn::Connection;

use crate::support::attacker::{Attacker, ask};
use crate::support::nodes::{in_virtual_time, ip, keypair, quiet_net};
use crate::support::peer::Peer;

/// Header of a stream of observed addresses: protocol 3, version 1.
const HEADER: [u8; 2] = [3, 1];

fn frame(sequence: u64, address: &str) -> Bytes {
    let address = address.parse().unwrap();
    let body = codec::encode(&Observed { sequence, address });
    let mut out = BytesMut::new();
    encode_frame(observed::OBSERVED, &body, &mut out);
    out.freeze()
}

/// A whole stream of observations.
async fn tell(connection: &Connection, frames: &[Bytes]) {
    let mut stream = connection.open_uni().await.unwrap();
    let bytes = [&HEADER[..], &frames.concat()].concat();
    stream.write_all(&bytes).await.unwrap();
    stream.finish().unwrap();
}

async fn next_observation(peer: &mut Peer) -> Address {
    peer.events
        .until(|event| match event {
            SwarmEvent::ObservedAddress { address, .. } => Some(address.clone()),
            _ => None,
        })
        .await
}

#[test]
fn an_observation_with_an_old_number_a_name_or_a_route_is_ignored() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        let at = |port: u16| format!("/ip4/192.0.2.1/udp/{port}/quic-v1");
        let with_peer = format!("{}/p2p/{}", at(3), keypair(3).peer_id());

        tell(&connection, &[frame(5, &at(1))]).await;
        assert_eq!(next_observation(&mut bob).await.to_string(), at(1));
        let later = [
            frame(5, &at(2)),
            frame(4, &at(2)),
            frame(u64::MAX, &with_peer),
            frame(u64::MAX, "/dns4/example.org/udp/4/quic-v1"),
            frame(6, &at(6)),
        ];
        tell(&connection, &later).await;
        assert_eq!(next_observation(&mut bob).await.to_string(), at(6));
        assert_eq!(bob.reputation(&keypair(66).peer_id()), 0);
    });
}

#[test]
fn a_peer_cannot_flush_the_events_with_observations_or_introductions() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let mut bob = Peer::start(&net, ip(2), 2);
        let mallory = Attacker::new(&net, 66);
        let connection = mallory.dial(bob.socket()).await.unwrap();
        // Eight at once are taken, of both kinds together.
        for hello in 0..7 {
            assert!(
                ask(&connection, &hello_bytes()).await.is_ok(),
                "hello {hello}"
            );
        }
        tell(&connection, &[frame(1, "/ip4/192.0.2.1/udp/1/quic-v1")]).await;
        next_observation(&mut bob).await;
        let flood = (2..1000).map(|sequence| frame(sequence, "/ip4/192.0.2.1/udp/2/quic-v1"));
        tell(&connection, &flood.collect::<Vec<_>>()).await;
        assert_eq!(ask(&connection, &hello_bytes()).await, Err(ErrorCode::Busy));
        let told = bob.events.drain();
        let told = told
            .iter()
            .filter(|event| matches!(event, SwarmEvent::ObservedAddress { .. }));
        assert_eq!(told.count(), 0);
        // A second later there is room for one.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(ask(&connection, &hello_bytes()).await.is_ok());
        assert_eq!(bob.reputation(&keypair(66).peer_id()), 0);
    });
}

/// A whole request of the identify protocol (number 1, version 1) that says next to nothing.
fn hello_bytes() -> Vec<u8> {
    let body = codec::encode(&Identify {
        agent: "mallory".parse().unwrap(),
        listen_addresses: List::new(),
        protocols: List::new(),
        roles: Roles::default(),
        observed_address: None,
    });
    let mut out = BytesMut::from(&[1, 1][..]);
    encode_frame(identify::HELLO, &body, &mut out);
    out.to_vec()
}
