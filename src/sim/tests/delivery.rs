use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use super::{bind, is_silent, millis, receive, send};
use crate::sim::raw_quinn::{address, ip};
use crate::sim::{LinkProfile, Net, Verdict, WALL_CLOCK_START};

#[tokio::test(start_paused = true)]
async fn whole_millisecond_latency_is_exact() {
    let net = Net::new(1);
    net.set_link(
        ip("10.0.0.1"),
        ip("10.0.0.2"),
        LinkProfile::with_latency(millis(63)),
    );
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:2"));
    for round in 0..100 {
        let before = net.now();
        send(&a, address("10.0.0.2:2"), b"there");
        assert_eq!(
            receive(&b).await,
            (address("10.0.0.1:1"), b"there".to_vec())
        );
        send(&b, address("10.0.0.1:1"), b"back");
        assert_eq!(receive(&a).await, (address("10.0.0.2:2"), b"back".to_vec()));
        assert_eq!(net.now().since(before), millis(126), "round {round}");
    }
}

#[tokio::test(start_paused = true)]
async fn directions_of_a_link_differ_when_told() {
    let net = Net::new(1);
    let (left, right) = (ip("10.0.0.1"), ip("10.0.0.2"));
    net.set_link_one_way(left, right, LinkProfile::with_latency(millis(5)));
    net.set_link_one_way(right, left, LinkProfile::with_latency(millis(40)));
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:2"));
    send(&a, address("10.0.0.2:2"), b"x");
    receive(&b).await;
    assert_eq!(net.now().0, 5_000);
    send(&b, address("10.0.0.1:1"), b"y");
    receive(&a).await;
    assert_eq!(net.now().0, 45_000);
}

#[tokio::test(start_paused = true)]
async fn later_datagram_on_a_faster_link_arrives_first() {
    let net = Net::new(1);
    net.set_link(
        ip("10.0.0.1"),
        ip("10.0.0.3"),
        LinkProfile::with_latency(millis(100)),
    );
    net.set_link(
        ip("10.0.0.2"),
        ip("10.0.0.3"),
        LinkProfile::with_latency(millis(1)),
    );
    let slow = bind(&net, address("10.0.0.1:1"));
    let fast = bind(&net, address("10.0.0.2:1"));
    let receiver = bind(&net, address("10.0.0.3:1"));
    send(&slow, address("10.0.0.3:1"), b"slow");
    tokio::time::sleep(millis(50)).await;
    send(&fast, address("10.0.0.3:1"), b"fast");
    assert_eq!(receive(&receiver).await.1, b"fast");
    assert_eq!(net.now().0, 51_000);
    assert_eq!(receive(&receiver).await.1, b"slow");
    assert_eq!(net.now().0, 100_000);
}

#[tokio::test(start_paused = true)]
async fn simultaneous_datagrams_arrive_in_the_order_of_sending() {
    let net = Net::new(1);
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:1"));
    for number in 0..=255_u8 {
        send(&a, address("10.0.0.2:1"), &[number]);
    }
    for number in 0..=255_u8 {
        assert_eq!(receive(&b).await.1, [number]);
    }
}

#[tokio::test(start_paused = true)]
async fn partition_cuts_both_ways_until_healed() {
    let net = Net::new(1);
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:1"));
    let bystander = bind(&net, address("10.0.0.3:1"));
    net.partition(&[ip("10.0.0.1")], &[ip("10.0.0.2")]);
    send(&a, address("10.0.0.2:1"), b"cut");
    send(&b, address("10.0.0.1:1"), b"cut");
    send(&a, address("10.0.0.3:1"), b"open");
    assert_eq!(receive(&bystander).await.1, b"open");
    tokio::time::sleep(millis(1000)).await;
    assert!(is_silent(&a).await && is_silent(&b).await);
    assert_eq!(
        net.counters(ip("10.0.0.1"), ip("10.0.0.2"))
            .blocked
            .datagrams,
        1
    );
    net.heal();
    send(&a, address("10.0.0.2:1"), b"healed");
    assert_eq!(receive(&b).await.1, b"healed");
}

#[tokio::test(start_paused = true)]
async fn killed_host_is_silent_and_its_restart_finds_the_port_free() {
    let net = Net::new(1);
    let old = bind(&net, address("10.0.0.1:7"));
    let peer = bind(&net, address("10.0.0.2:7"));
    net.kill(ip("10.0.0.1"));
    send(&old, address("10.0.0.2:7"), b"from the dead");
    send(&peer, address("10.0.0.1:7"), b"to the dead");
    tokio::time::sleep(millis(1000)).await;
    assert!(is_silent(&old).await && is_silent(&peer).await);
    assert_eq!(
        net.counters(ip("10.0.0.2"), ip("10.0.0.1"))
            .unclaimed
            .datagrams,
        1
    );

    let restarted = bind(&net, address("10.0.0.1:7"));
    drop(old);
    send(&peer, address("10.0.0.1:7"), b"to the living");
    assert_eq!(receive(&restarted).await.1, b"to the living");
}

#[tokio::test(start_paused = true)]
async fn restarted_host_draws_other_randomness_and_the_same_in_every_run() {
    let draw = |environment: crate::transport::environment::Environment| {
        let mut bytes = [0; 32];
        environment.entropy.fill(&mut bytes).unwrap();
        bytes
    };
    let run = |seed| {
        let net = Net::new(seed);
        let first = draw(net.host(ip("10.0.0.1")));
        net.kill(ip("10.0.0.1"));
        [
            first,
            draw(net.host(ip("10.0.0.1"))),
            draw(net.host(ip("10.0.0.2"))),
        ]
    };
    let drawn = run(1);
    assert_eq!(drawn, run(1));
    assert_ne!(drawn, run(2));
    assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[1] != drawn[2]);
}

#[tokio::test(start_paused = true)]
async fn ports_are_given_out_in_order_and_refused_when_taken() {
    let net = Net::new(1);
    let host = net.host(ip("10.0.0.1"));
    let first = host.sockets.bind(address("0.0.0.0:0")).unwrap();
    let second = host.sockets.bind(address("[::]:0")).unwrap();
    assert_eq!(first.local_addr().unwrap(), address("10.0.0.1:49152"));
    assert_eq!(second.local_addr().unwrap(), address("10.0.0.1:49153"));
    let taken = host.sockets.bind(address("10.0.0.1:49152"));
    assert_eq!(taken.unwrap_err().kind(), ErrorKind::AddrInUse);
    let foreign = host.sockets.bind(address("10.0.0.2:1"));
    assert_eq!(foreign.unwrap_err().kind(), ErrorKind::AddrNotAvailable);
    drop(first);
    let again = host.sockets.bind(address("10.0.0.1:0")).unwrap();
    assert_eq!(again.local_addr().unwrap(), address("10.0.0.1:49152"));
}

#[tokio::test(start_paused = true)]
async fn tap_sees_every_datagram_and_may_drop_it() {
    let net = Net::new(1);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    net.set_tap(move |datagram| {
        log.lock()
            .unwrap()
            .push((datagram.at.0, datagram.contents.to_vec(), datagram.injected));
        if datagram.contents[..] == *b"second" {
            Verdict::Drop
        } else {
            Verdict::Pass
        }
    });
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:1"));
    send(&a, address("10.0.0.2:1"), b"first");
    send(&a, address("10.0.0.2:1"), b"second");
    net.inject(address("6.6.6.6:6"), address("10.0.0.2:1"), &b"forged"[..]);
    assert_eq!(
        receive(&b).await,
        (address("10.0.0.1:1"), b"first".to_vec())
    );
    assert_eq!(
        receive(&b).await,
        (address("6.6.6.6:6"), b"forged".to_vec())
    );
    assert!(is_silent(&b).await);
    let expected = [
        (&b"first"[..], false),
        (b"second", false),
        (b"forged", true),
    ]
    .map(|(contents, injected)| (0, contents.to_vec(), injected));
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn tap_may_replay_into_the_network() {
    let net = Net::new(1);
    let replayer = net.clone();
    net.set_tap(move |datagram| {
        if !datagram.injected {
            replayer.inject(datagram.from, datagram.to, datagram.contents.clone());
        }
        Verdict::Pass
    });
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:1"));
    send(&a, address("10.0.0.2:1"), b"twice");
    assert_eq!(receive(&b).await.1, b"twice");
    assert_eq!(receive(&b).await.1, b"twice");
}

#[tokio::test(start_paused = true)]
async fn clocks_of_all_hosts_follow_virtual_time() {
    let net = Net::new(1);
    let clocks = [
        net.host(ip("10.0.0.1")).clock,
        net.host(ip("fd00::1")).clock,
    ];
    tokio::time::sleep(millis(90_061)).await;
    for clock in clocks {
        let now = clock.now();
        assert_eq!(now.mono.0, 90_061_000);
        assert_eq!(now.wall.since(WALL_CLOCK_START), millis(90_061));
    }
}

#[tokio::test(start_paused = true)]
async fn counters_account_for_every_datagram() {
    let net = Net::new(9);
    let (left, right) = (ip("10.0.0.1"), ip("10.0.0.2"));
    let profile = LinkProfile {
        loss: 0.2,
        rate_bits_per_s: Some(1_000_000),
        queue_bytes: 20_000,
        ..LinkProfile::default()
    };
    net.set_link(left, right, profile);
    let a = bind(&net, address("10.0.0.1:1"));
    let b = bind(&net, address("10.0.0.2:1"));
    for _ in 0..200 {
        send(&a, address("10.0.0.2:1"), &[0; 500]);
    }
    tokio::time::sleep(millis(10_000)).await;
    let counters = net.counters(left, right);
    assert_eq!(counters.sent.bytes, 200 * 500);
    assert_eq!(counters.overflowed.datagrams, 160);
    let accounted =
        counters.delivered.datagrams + counters.lost.datagrams + counters.overflowed.datagrams;
    assert_eq!(accounted, counters.sent.datagrams);
    for _ in 0..counters.delivered.datagrams {
        receive(&b).await;
    }
    assert!(is_silent(&b).await);
}
