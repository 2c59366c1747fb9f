//! How long it takes to meet a peer for the first time.

use std::time::Duration;

use cretoai_network::node::P2PConfig;
use cretoai_network::sim::LinkProfile;
use cretoai_network::transport::Credential;

use crate::support::nodes::{
    LATENCY, ROUND_TRIP, TICKS, address, assert_round_trips, config, elapsed, in_virtual_time,
    net_with, peer, quiet_net, spawn, spawn_with,
};

/// Seeds of each distribution: the 99th percentile is then the fifth worst.
const SEEDS: u64 = 500;

/// The longest that one lost flight costs: quinn's first probe timeout is three times its initial
/// estimate of the round trip, 333 ms.
const FIRST_PROBE: Duration = Duration::from_millis(999);

/// Time until the dial is confirmed, and until the first reply.
async fn meet(seed: u64, profile: LinkProfile, config: P2PConfig) -> (Duration, Duration) {
    let net = net_with(seed, profile);
    let dialler = spawn_with(&net, 1, config.clone());
    let _acceptor = spawn_with(&net, 2, config);
    let first_reply = async {
        let (connected, after) = elapsed(dialler.dial(&address(2))).await;
        connected.unwrap();
        dialler.ping(peer(2)).await.unwrap();
        after
    };
    elapsed(first_reply).await
}

#[test]
fn a_first_contact_is_connected_after_one_round_trip_and_answered_after_two() {
    let profile = LinkProfile::with_latency(LATENCY);
    let (connected, replied) = in_virtual_time(meet(1, profile, config()));
    assert_round_trips(connected, 1);
    assert_round_trips(replied, 2);
}

#[test]
fn a_first_contact_with_certificates_is_connected_after_at_most_two_round_trips() {
    let profile = LinkProfile::with_latency(LATENCY);
    let certificates = P2PConfig {
        credential: Credential::X509,
        ..config()
    };
    let (connected, replied) = in_virtual_time(meet(2, profile, certificates));
    assert!(connected <= ROUND_TRIP * 2 + TICKS, "{connected:?}");
    assert!(replied <= connected + ROUND_TRIP * 2 + TICKS, "{replied:?}");
}

#[test]
fn both_ends_count_the_connection_within_two_round_trips() {
    in_virtual_time(async {
        let net = quiet_net(3);
        let (dialler, acceptor) = (spawn(&net, 1), spawn(&net, 2));
        dialler.dial(&address(2)).await.unwrap();
        assert_eq!(dialler.peers(), [peer(2)]);
        tokio::time::sleep(LATENCY + TICKS).await;
        assert_eq!(acceptor.peers(), [peer(1)]);
    });
}

/// Percentiles of first contact over [`SEEDS`] runs, printed as a row of the table in
/// `docs/PERFORMANCE.md`.
fn distribution(name: &str, profile: LinkProfile) -> Distribution {
    let mut runs: Vec<_> = (0..SEEDS)
        .map(|seed| in_virtual_time(meet(seed, profile, config())))
        .collect();
    let connected = percentiles(runs.iter().map(|run| run.0).collect());
    let replied = percentiles(runs.drain(..).map(|run| run.1).collect());
    println!(
        "| {name} | {} | {} | {} | {} |",
        connected.0.as_millis(),
        connected.1.as_millis(),
        replied.0.as_millis(),
        replied.1.as_millis(),
    );
    Distribution { connected, replied }
}

/// The median and the 99th percentile.
struct Distribution {
    connected: (Duration, Duration),
    replied: (Duration, Duration),
}

fn percentiles(mut values: Vec<Duration>) -> (Duration, Duration) {
    values.sort_unstable();
    let at = |percent: usize| values[(values.len() - 1) * percent / 100];
    (at(50), at(99))
}

#[test]
fn one_percent_of_loss_costs_a_first_contact_at_most_one_probe_timeout_in_99_of_100() {
    let lossy = LinkProfile {
        loss: 0.01,
        ..LinkProfile::with_latency(LATENCY)
    };
    let found = distribution("1 % loss", lossy);
    assert_round_trips(found.connected.0, 1);
    assert_round_trips(found.replied.0, 2);
    let worst = ROUND_TRIP * 2 + FIRST_PROBE + TICKS;
    assert!(found.connected.1 <= worst, "{:?}", found.connected.1);
    assert!(
        found.replied.1 <= worst + ROUND_TRIP,
        "{:?}",
        found.replied.1
    );
}

#[test]
fn jitter_of_10_ms_costs_a_first_contact_no_further_round_trip() {
    let jitter = Duration::from_millis(10);
    let jittery = LinkProfile {
        jitter,
        ..LinkProfile::with_latency(LATENCY)
    };
    let found = distribution("± 10 ms jitter", jittery);
    // Each way is at most `jitter` longer.
    assert!(
        found.connected.1 <= ROUND_TRIP + jitter * 2 + TICKS,
        "{:?}",
        found.connected.1
    );
    let two = ROUND_TRIP * 2 + jitter * 4 + TICKS;
    assert!(found.replied.1 <= two, "{:?}", found.replied.1);
}
