//! Returning peers.

use super::*;

#[test]
fn a_returning_peer_has_its_first_reply_after_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let first = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
        ask(&first, b"tickets arrive with this").await;
        drop(first);

        let dialing = dialler.dial(address_of(2), Some(bob.peer_id())).unwrap();
        let early = dialing.early().expect("a ticket allows early data").clone();
        assert_eq!(early.peer_id(), Some(bob.peer_id()));
        let (answer, took) = elapsed(ask(&early, b"again")).await;
        assert_eq!(answer, b"again"[..]);
        assert_round_trips(took, 1);
        dialing.confirmed().await.unwrap();
    });
}

#[test]
fn a_dial_without_expectation_leaves_nothing_to_resume() {
    in_virtual_time(async {
        let net = quiet_net(4);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let connection = dialler
            .dial(address_of(2), None)
            .unwrap()
            .confirmed()
            .await
            .unwrap();
        assert_eq!(connection.peer_id(), Some(bob.peer_id()));
        ask(&connection, b"x").await;
        assert_eq!(dialler.resumption_usage().sessions, 0);
        assert!(dialler.dial(address_of(2), None).unwrap().early().is_none());
    });
}

#[test]
fn early_data_works_for_the_first_peer_after_a_thousand_others_resumed() {
    in_virtual_time(async {
        let net = quiet_net(5);
        let bob = keypair(2);
        let limits = TransportConfig {
            max_peers: 1000,
            ..config(Credential::RawPublicKey)
        };
        let acceptor = QuicTransport::bind(limits, &bob, network(), net.host(ip(2))).unwrap();
        let acceptor = Arc::new(acceptor);
        spawn_echo(acceptor.clone());
        let mut diallers = Vec::new();
        for number in 0..=1000_u16 {
            // Each in a group of its own: 11.0.0.0/8 is globally routable.
            let [high, low] = number.to_be_bytes();
            let host = IpAddr::V4(Ipv4Addr::new(11, high, low, 1));
            let seed = blake3::hash(&number.to_le_bytes());
            let provider: Arc<dyn Provider> = bob.provider().clone();
            let seed = SigningSeed::from_bytes(seed.as_bytes());
            let keypair = Keypair::from_seed(provider, seed).unwrap();
            let dialler = bind(net.host(host), &keypair, Credential::RawPublicKey);
            ask(
                &dial(&dialler, address_of(2), bob.peer_id()).await.unwrap(),
                b"1",
            )
            .await;
            diallers.push(dialler);
        }
        for dialler in diallers.iter().skip(1) {
            ask(
                &dial(dialler, address_of(2), bob.peer_id()).await.unwrap(),
                b"2",
            )
            .await;
        }
        let usage = acceptor.resumption_usage();
        assert!(usage.ticket_bytes <= 16 << 20, "{usage:?}");
        let dialing = diallers[0]
            .dial(address_of(2), Some(bob.peer_id()))
            .unwrap();
        let early = dialing
            .early()
            .expect("the first peer still has its ticket")
            .clone();
        let (_, took) = elapsed(ask(&early, b"3")).await;
        assert_round_trips(took, 1);
    });
}
