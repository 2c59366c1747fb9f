//! Datagrams with a forged source, and datagrams that were altered on the way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cretoai_network::sim::{Net, Verdict};

use crate::support::nodes::{assert_round_trips, elapsed, in_virtual_time, ip, peer, quiet_net};
use crate::support::peer::{ECHO, Peer, pass};

/// Forged datagrams of each kind.
const FORGED: u64 = 500;

async fn connected(net: &Net) -> (Peer, Peer) {
    let bob = Peer::start(net, ip(2), 2);
    let alice = Peer::start(net, ip(1), 1);
    alice.node.dial(&bob.address()).await.unwrap();
    alice.node.ping(peer(2)).await.unwrap();
    pass(Duration::from_secs(1)).await;
    (alice, bob)
}

/// Bytes that look random and are the same in every run.
fn noise(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&number.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

#[test]
fn forged_datagrams_in_a_peers_name_neither_disturb_nor_blame_it() {
    in_virtual_time(async {
        let net = quiet_net(1);
        let (alice, mut bob) = connected(&net).await;
        bob.events.drain();
        for number in 0..FORGED {
            let mut datagram = noise(number, 40 + usize::try_from(number).unwrap());
            // Every first byte: short headers, long headers, and what is no QUIC.
            datagram[0] = number.to_le_bytes()[0];
            net.inject(alice.socket(), bob.socket(), datagram.clone());
            net.inject(bob.socket(), alice.socket(), datagram);
        }
        let (answer, took) = elapsed(alice.node.request(peer(2), ECHO, vec![7])).await;
        assert_eq!(answer.unwrap(), [7][..]);
        assert_round_trips(took, 1);
        pass(Duration::from_secs(60)).await;
        assert!(alice.is_connected(2) && bob.is_connected(1));
        assert_eq!(
            (alice.reputation(&peer(2)), bob.reputation(&peer(1))),
            (0, 0)
        );
        assert_eq!(bob.events.drain(), []);
    });
}

#[test]
fn packets_altered_on_the_way_count_as_lost_and_blame_nobody() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (alice, mut bob) = connected(&net).await;
        bob.events.drain();
        let (count, wire) = (AtomicU64::new(0), net.clone());
        net.set_tap(move |datagram| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            if datagram.injected || !noise(number, 1)[0].is_multiple_of(4) {
                return Verdict::Pass;
            }
            let mut altered = datagram.contents.to_vec();
            *altered.last_mut().unwrap() ^= 1;
            wire.inject(datagram.from, datagram.to, altered);
            Verdict::Drop
        });
        for _ in 0..20 {
            let answer = alice.node.request(peer(2), ECHO, vec![7; 8000]).await;
            assert_eq!(answer.unwrap(), vec![7; 8000]);
        }
        assert_eq!(
            (alice.reputation(&peer(2)), bob.reputation(&peer(1))),
            (0, 0)
        );
        assert_eq!(bob.events.drain(), []);
    });
}

#[test]
fn forged_initials_from_many_addresses_do_not_delay_a_peer() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (alice, bob) = connected(&net).await;
        for number in 0..FORGED {
            let source = (ip(1000 + u16::try_from(number).unwrap()), 4000).into();
            let mut datagram = noise(number, 1200);
            // A long header, type Initial, version 1, two connection ids of eight bytes.
            datagram[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
            datagram[14] = 8;
            net.inject(source, bob.socket(), datagram);
        }
        let (answer, took) = elapsed(alice.node.request(peer(2), ECHO, vec![7])).await;
        assert!(answer.is_ok());
        assert_round_trips(took, 1);
        let carol = Peer::start(&net, ip(3), 3);
        let (dialled, took) = elapsed(carol.node.dial(&bob.address())).await;
        assert!(dialled.is_ok());
        assert_round_trips(took, 1);
    });
}
