//! What a dial to told addresses costs in the end, by how it went.

use super::*;
use crate::p2p::probing::Budget;
use crate::policy::{PROBE_BURST, PROBE_EVERY};

/// How many of a host's probes are left; they are taken.
fn left(swarm: &Swarm, host: u8) -> u32 {
    let socket = SocketAddr::new(ip(host), PORT);
    let take = || swarm.affordable(Budget::Sought, &peer(99), &[socket.into()]);
    let taken = (0..=PROBE_BURST).take_while(|_| !take().addresses.is_empty());
    u32::try_from(taken.count()).unwrap()
}

/// Dials a peer at told addresses, and settles what it cost.
async fn dial_told(swarm: &Swarm, to: &PeerId, told: &[Address]) -> Result<PeerId, DialFailure> {
    let affordable = swarm.affordable(Budget::Sought, to, told);
    assert_eq!(affordable.addresses, told);
    let outcome = swarm.dial(Some(*to), &affordable.addresses).await;
    swarm.settle(&affordable, to, &outcome);
    outcome
}

#[test]
fn a_dial_that_reaches_its_peer_costs_nothing_there_and_a_probe_at_each_other_host() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = (start(&net, 1), start(&net, 2));
        let outcome = dial_told(&alice, &peer(2), &[address(9, 2), address(2, 2)]).await;
        assert_eq!(outcome, Ok(peer(2)));
        assert_eq!(left(&alice, 9), PROBE_BURST - 1);
        assert_eq!(left(&alice, 2), PROBE_BURST);
    });
}

#[test]
fn attack_a_dial_that_reaches_somebody_else_stays_charged() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _carol) = (start(&net, 1), start(&net, 3));
        let outcome = dial_told(&alice, &peer(2), &[address(3, 2)]).await;
        assert!(outcome.unwrap_err().is_other_identity());
        assert_eq!(left(&alice, 3), PROBE_BURST - 1);
    });
}

/// The dial lasts until one probe more may be sent: of the eight that were taken, one is back.
#[test]
fn attack_a_dial_that_reaches_nobody_stays_charged() {
    in_virtual_time(async {
        assert_eq!(CONNECTION_TIMEOUT, PROBE_EVERY);
        let net = quiet_net();
        let alice = start(&net, 1);
        let victim = [address(9, 2)];
        for _ in 1..PROBE_BURST {
            alice.affordable(Budget::Sought, &peer(2), &victim);
        }
        let outcome = dial_told(&alice, &peer(2), &victim).await;
        assert!(outcome.unwrap_err().is_unreachable());
        assert_eq!(left(&alice, 9), 1);
    });
}

#[test]
fn a_dial_that_did_not_begin_costs_nothing() {
    in_virtual_time(async {
        let net = quiet_net();
        let alice = start(&net, 1);
        alice.ban(peer(2), Duration::from_secs(600));
        let outcome = dial_told(&alice, &peer(2), &[address(9, 2), address(2, 2)]).await;
        assert_eq!(outcome, Err(DialFailure::Banned));
        assert_eq!(left(&alice, 9), PROBE_BURST);
        assert_eq!(left(&alice, 2), PROBE_BURST);
    });
}

/// Of a peer that two places are named for the first may be a black hole, and a dial there lasts for ten seconds.
#[test]
fn attack_an_address_that_swallows_everything_does_not_keep_a_peer_from_being_reached_at_another() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, _bob) = (start(&net, 1), start(&net, 2));
        let told = [address(9, 2)];
        let first = alice.dial(Some(peer(2)), &told);
        let second = async {
            sleep(Duration::from_secs(1)).await;
            elapsed(alice.dial(Some(peer(2)), &[address(2, 2)])).await
        };
        let (first, (second, took)) = tokio::join!(first, second);
        assert_eq!((first, second), (Ok(peer(2)), Ok(peer(2))));
        assert_round_trips(took, 1);
    });
}

/// The dial that it joined was almost over.
#[test]
fn who_joins_a_dial_late_has_as_much_time_for_its_own_address() {
    in_virtual_time(async {
        let net = quiet_net();
        let (alice, bob) = (start(&net, 1), start(&net, 2));
        bob.shutdown().await;
        let swallowing = [address(9, 2)];
        let first = alice.dial(Some(peer(2)), &swallowing);
        let (alice, net) = (&alice, &net);
        let second = async move {
            sleep(CONNECTION_TIMEOUT - Duration::from_secs(1)).await;
            alice.dial(Some(peer(2)), &[address(8, 2)]).await
        };
        let comes = async move {
            sleep(CONNECTION_TIMEOUT + Duration::from_secs(1)).await;
            start(net, 8)
        };
        let ((first, took), second, _) = tokio::join!(elapsed(first), second, comes);
        assert_eq!(first, Err(DialFailure::TimedOut));
        assert!(
            took <= CONNECTION_TIMEOUT + Duration::from_millis(200),
            "{took:?}"
        );
        assert_ne!(
            second,
            Err(DialFailure::TimedOut),
            "somebody was there in its time"
        );
    });
}
