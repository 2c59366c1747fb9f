//! Observations that say nothing, or nothing new.

use bytes::{Bytes, BytesMut};
use cretoai_network::p2p::SwarmEvent;
use cretoai_network::wire::frame::encode_frame;
use cretoai_network::wire::message::observed::{self, Observed};
use cretoai_network::wire::{Address, codec};
use quinn::Connection;

use crate::support::attacker::Attacker;
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
