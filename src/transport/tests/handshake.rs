//! How many round trips a handshake takes.

use super::*;

async fn connect_and_ask(credential: Credential) -> (Duration, Duration) {
    let net = quiet_net(1);
    let (alice, bob) = (keypair(1), keypair(2));
    let dialler = bind(net.host(ip(1)), &alice, credential);
    let acceptor = Arc::new(bind(net.host(ip(2)), &bob, credential));
    spawn_echo(acceptor.clone());
    let start = Instant::now();
    let connection = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
    let connected = start.elapsed();
    assert_eq!(ask(&connection, b"hello").await, b"hello"[..]);
    (connected, start.elapsed())
}

#[test]
fn first_contact_with_raw_keys_takes_one_round_trip_and_the_first_reply_two() {
    let (connected, replied) = in_virtual_time(connect_and_ask(Credential::RawPublicKey));
    assert_round_trips(connected, 1);
    assert_round_trips(replied, 2);
}

#[test]
fn first_contact_with_certificates_takes_at_most_two_round_trips() {
    let (connected, _) = in_virtual_time(connect_and_ask(Credential::X509));
    assert!(
        connected <= LATENCY * 4 + TICKS,
        "connected after {connected:?}"
    );
}

#[test]
fn a_request_on_an_open_connection_takes_one_round_trip() {
    in_virtual_time(async {
        let net = quiet_net(2);
        let (alice, bob) = (keypair(1), keypair(2));
        let dialler = bind(net.host(ip(1)), &alice, Credential::RawPublicKey);
        let acceptor = Arc::new(bind(net.host(ip(2)), &bob, Credential::RawPublicKey));
        spawn_echo(acceptor.clone());
        let connection = dial(&dialler, address_of(2), bob.peer_id()).await.unwrap();
        ask(&connection, b"first").await;
        let (_, took) = elapsed(ask(&connection, b"second")).await;
        assert_round_trips(took, 1);
    });
}
