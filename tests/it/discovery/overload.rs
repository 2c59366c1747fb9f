//! More requests than a node will answer.

use std::time::Duration;

use cretoai_network::p2p::RequestError;
use cretoai_network::wire::ErrorCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::support::{ask, network};
use crate::support::nodes::{address, in_virtual_time, peer, quiet_net, spawn};

/// Rate at which one peer is answered for as long as it likes; see `ServingConfig`.
const RATE: u64 = 64;

/// Requests sent at `factor` times the rate for ten seconds: how many were answered, refused as too
/// many, and lost in another way.
async fn answered(seed: u64, factor: u64) -> (u64, u64, u64) {
    let net = quiet_net(seed);
    let _nodes = network(&net, 3).await;
    let asking = spawn(&net, 9);
    asking.dial(&address(1)).await.unwrap();
    let (mut requests, start) = (JoinSet::new(), Instant::now());
    for number in 0..10 * RATE * factor {
        let at = start + Duration::from_micros(number * 1_000_000 / (RATE * factor));
        let asking = asking.clone();
        requests.spawn(async move {
            sleep_until(at).await;
            ask(&asking, peer(1)).await
        });
    }
    let mut counts = (0, 0, 0);
    while let Some(reply) = requests.join_next().await {
        match reply.unwrap() {
            Ok(_) => counts.0 += 1,
            Err(RequestError::Refused(ErrorCode::Busy) | RequestError::Busy) => counts.1 += 1,
            Err(_) => counts.2 += 1,
        }
    }
    assert_eq!(asking.reputation(&peer(1)), 0);
    counts
}

#[test]
fn under_tenfold_overload_a_node_answers_as_much_as_it_can_and_says_busy_to_the_rest() {
    in_virtual_time(async {
        let (peak, refused, lost) = answered(71, 1).await;
        assert_eq!((refused, lost), (0, 0));
        let (goodput, refused, lost) = answered(72, 10).await;
        println!("peak {peak}, under tenfold load {goodput}, busy {refused}, lost {lost}");
        assert!(goodput * 10 >= peak * 8, "{goodput} of {peak}");
        assert_eq!(goodput + refused, 10 * 10 * RATE, "{lost} without a word");
    });
}

#[test]
fn a_node_under_load_still_works_for_itself() {
    in_virtual_time(async {
        let net = quiet_net(73);
        let nodes = network(&net, 10).await;
        let flooding = spawn(&net, 20);
        flooding.dial(&address(1)).await.unwrap();
        let flood = tokio::spawn(async move {
            let mut requests = JoinSet::new();
            for _ in 0..5_000 {
                let flooding = flooding.clone();
                requests.spawn(async move { ask(&flooding, peer(1)).await });
                sleep(Duration::from_micros(200)).await;
            }
        });
        for other in 2..=10 {
            nodes[0].discovery().find_peer(peer(other)).await.unwrap();
        }
        flood.abort();
    });
}
