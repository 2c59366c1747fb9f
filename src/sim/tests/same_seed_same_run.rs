use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::millis;
use crate::sim::raw_quinn::{Credential, SERVER_NAME, address, ip};
use crate::sim::{LinkCounters, LinkProfile, Net, Verdict, runtime};

type Log = Vec<(u64, SocketAddr, SocketAddr, usize)>;

/// Two real endpoints exchange 300 KB each way over a bad link.
fn run(seed: u64) -> (Log, LinkCounters, u64) {
    runtime().unwrap().block_on(async {
        let net = Net::new(seed);
        let log = Arc::new(Mutex::new(Log::new()));
        let tap = Arc::clone(&log);
        net.set_tap(move |d| {
            tap.lock()
                .unwrap()
                .push((d.at.0, d.from, d.to, d.contents.len()));
            Verdict::Pass
        });
        net.set_default_profile(LinkProfile {
            jitter: millis(3),
            loss: 0.02,
            reorder: 0.01,
            rate_bits_per_s: Some(20_000_000),
            ..LinkProfile::with_latency(millis(25))
        });
        exchange(&net).await;
        let finished = net.now().0;
        let entries = std::mem::take(&mut *log.lock().unwrap());
        (
            entries,
            net.counters(ip("10.0.0.1"), ip("10.0.0.2")),
            finished,
        )
    })
}

async fn exchange(net: &Net) {
    let credential = Credential::generate();
    let endpoint = |own: &str| {
        let environment = net.host(ip(own));
        let socket = environment.sockets.bind(address("0.0.0.0:4433")).unwrap();
        credential.endpoint(&environment, socket)
    };
    let (dialler, acceptor) = (endpoint("10.0.0.1"), endpoint("10.0.0.2"));
    let echo = tokio::spawn(async move {
        let connection = acceptor.accept().await.unwrap().await.unwrap();
        let (mut send, mut receive) = connection.accept_bi().await.unwrap();
        let data = receive.read_to_end(1 << 20).await.unwrap();
        send.write_all(&data).await.unwrap();
        send.finish().unwrap();
        connection.closed().await;
    });
    let connecting = dialler
        .connect(address("10.0.0.2:4433"), SERVER_NAME)
        .unwrap();
    let connection = connecting.await.unwrap();
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    let data: Vec<u8> = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    send.write_all(&data).await.unwrap();
    send.finish().unwrap();
    assert!(receive.read_to_end(1 << 20).await.unwrap() == data);
    connection.close(0_u32.into(), b"");
    echo.await.unwrap();
}

#[test]
fn real_quic_over_a_bad_link_repeats_exactly() {
    let (first, counters, finished) = run(7);
    assert!(
        counters.lost.datagrams > 0,
        "the link lost nothing: the test shows nothing"
    );
    assert!(first.len() > 500);
    let (second, repeated_counters, repeated_finish) = run(7);
    assert_eq!(first.len(), second.len());
    for (i, (a, b)) in first.iter().zip(&second).enumerate() {
        assert_eq!(a, b, "datagram {i}");
    }
    assert_eq!(counters, repeated_counters);
    assert_eq!(finished, repeated_finish);
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(7).0, run(8).0);
}
