//! Meshes form, keep their size, and carry messages.

use std::net::SocketAddr;
use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Event, Input, Link, TopicOptions};
use crate::identity::PeerId;
use crate::wire::codec::{List, SharedList, decode};
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_mesh_stands_within_a_second_of_the_first_neighbour() {
    let mut rig = Rig::all_connected(4, &GossipConfig::plain());
    rig.run_for(SECOND);
    for node in 0..4 {
        assert_eq!(rig.nodes[node].mesh(&topic()).count(), 3, "node {node}");
    }
}

#[test]
fn every_mesh_holds_between_low_and_high_and_both_ends_agree() {
    let config = GossipConfig::plain();
    let mut rig = Rig::all_connected(30, &config);
    rig.run_for(SECOND * 10);
    for node in 0..30 {
        let mesh: Vec<_> = rig.nodes[node].mesh(&topic()).collect();
        assert!(
            (config.mesh_n_low..=config.mesh_n_high).contains(&mesh.len()),
            "node {node} has {}",
            mesh.len()
        );
        for link in mesh {
            let other = usize::try_from(link.0).unwrap();
            let mut back = rig.nodes[other].mesh(&topic());
            assert!(
                back.any(|one| one == Link(node as u64)),
                "{node} and {other}"
            );
        }
    }
}

#[test]
fn a_message_reaches_everybody_once() {
    for config in [GossipConfig::plain(), GossipConfig::default()] {
        let mut rig = Rig::all_connected(30, &config);
        rig.run_for(SECOND * 2);
        rig.publish(3, b"hello");
        rig.run_for(SECOND * 2);
        let others: Vec<_> = (0..30).filter(|node| *node != 3).collect();
        assert_eq!(rig.receivers(b"hello"), others);
        assert!(rig.published[0].1.unwrap().neighbours > 0);
        assert_eq!(rig.faults, []);
    }
}

#[test]
fn who_does_not_subscribe_publishes_through_its_fanout() {
    let mut rig = Rig::new(12, &GossipConfig::plain());
    for node in 0..12 {
        if node > 0 {
            rig.subscribe(node, TopicOptions::default());
        }
        for other in 0..node {
            rig.connect(node, other);
        }
    }
    rig.run_for(SECOND * 2);
    rig.publish(0, b"from outside");
    rig.run_for(SECOND * 2);
    assert_eq!(rig.receivers(b"from outside"), (1..12).collect::<Vec<_>>());
}

#[test]
fn a_pruned_neighbour_is_not_grafted_again_before_its_time() {
    let mut rig = Rig::all_connected(2, &GossipConfig::plain());
    rig.run_for(SECOND);
    let prune = wire::Prune {
        topic: 0,
        backoff_s: 60,
        peers: Default::default(),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
    let since = rig.now;
    rig.run_for(SECOND * 59);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    let grafts = rig
        .sent
        .iter()
        .filter(|one| one.from == 0 && one.at > since);
    assert_eq!(
        grafts.filter(|one| one.frame.kind == wire::GRAFT).count(),
        0
    );
    rig.run_for(SECOND * 3);
    assert!(rig.nodes[0].mesh(&topic()).next().is_some());
}

#[test]
fn who_reads_nothing_is_out_of_all_meshes_within_five_seconds_and_nobody_else_waits() {
    let mut rig = Rig::all_connected(8, &GossipConfig::default());
    rig.run_for(SECOND * 2);
    rig.stuck.push(7);
    // Five seconds.
    for round in 0..50 {
        rig.publish(0, &[round; 2_000]);
        rig.run_for(Duration::from_millis(100));
    }
    let slow = rig
        .happened
        .iter()
        .filter(|(_, event)| *event == Event::SlowReader(Link(7)));
    assert!(slow.count() > 0);
    for node in 0..7 {
        assert!(
            rig.nodes[node].mesh(&topic()).all(|link| link != Link(7)),
            "node {node}"
        );
    }
    for round in 0..50 {
        let receivers = rig.receivers(&[round; 2_000]);
        assert_eq!(receivers, (1..7).collect::<Vec<_>>(), "message {round}");
    }
}

/// Who finds no room in a mesh is told of those who have it.
#[test]
fn who_is_pruned_is_told_of_others_and_nobody_outside_of_private_addresses() {
    let config = GossipConfig::plain();
    for (asker, expected) in [("93.184.216.1:1", 6), ("10.0.0.1:1", 12)] {
        let mut rig = Rig::new(1, &config);
        rig.subscribe(0, TopicOptions::default());
        for other in 1..=12_u8 {
            // Every other one is at a private address.
            let network = if other % 2 == 0 { 10 } else { 93 };
            rig.place(0, other.into(), ([network, 184, other, 1], 9_000).into());
        }
        rig.place(0, 13, asker.parse().unwrap());
        for other in 1..=13 {
            let topics = List::truncated([*topic().as_bytes()]);
            rig.forge(other, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
            let topics = List::truncated([0]);
            rig.forge(other, 0, wire::GRAFT, &wire::Topics { topics });
        }
        rig.run_for(Duration::from_millis(10));
        assert_eq!(rig.nodes[0].mesh(&topic()).count(), config.mesh_n_high);
        let prunes = rig.sent.iter().filter(|one| one.frame.kind == wire::PRUNE);
        let prunes: Vec<_> = prunes.collect();
        assert_eq!(prunes.iter().map(|one| one.to).collect::<Vec<_>>(), [13]);
        let told: wire::Prune = decode(&prunes[0].frame.body).unwrap();
        assert_eq!(told.peers.len(), expected, "{asker}");
    }
}

/// Only somebody with a good name is believed, and only while there is need.
#[test]
fn attack_7_recommendations_of_somebody_without_merit_are_not_followed() {
    let mut rig = Rig::all_connected(2, &GossipConfig::plain());
    rig.run_for(SECOND);
    let contact = |number| Contact {
        peer: PeerId::from_bytes([number; 32]),
        addresses: SharedList::truncated([SocketAddr::from(([93, 184, 1, number], 1)).into()]),
    };
    let prune = wire::Prune {
        topic: 0,
        backoff_s: 1,
        peers: List::truncated((0..16).map(contact)),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
    assert_eq!(rig.recommended, []);
    // With merit it is heard, and a list is never longer than the format allows.
    for round in 0..200_u32 {
        rig.publish(1, &round.to_le_bytes());
        rig.run_for(Duration::from_millis(50));
    }
    rig.forge(1, 0, wire::PRUNE, &prune);
    assert_eq!(rig.recommended.len(), 16);
}

/// Somebody with a good name names others all the time, as a member and as none.
#[test]
fn attack_7_a_neighbour_has_nobody_dialled_but_by_ending_a_membership_and_that_seldom() {
    let mut rig = Rig::all_connected(2, &GossipConfig::plain());
    for round in 0..200_u32 {
        rig.publish(1, &round.to_le_bytes());
        rig.run_for(Duration::from_millis(50));
    }
    rig.silent.push(1);
    rig.run_for(SECOND);
    let contact = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let mut peer = [7; 32];
        peer[..2].copy_from_slice(&[high, low]);
        Contact {
            peer: PeerId::from_bytes(peer),
            addresses: SharedList::truncated([SocketAddr::from(([93, 184, high, low], 1)).into()]),
        }
    };
    let start = rig.now;
    let mut round = 0;
    while rig.now.since(start) < SECOND * 58 {
        let prune = wire::Prune {
            topic: 0,
            backoff_s: 0,
            peers: List::truncated((round * 16..(round + 1) * 16).map(contact)),
        };
        round += 1;
        rig.forge(1, 0, wire::PRUNE, &prune);
        rig.forge(1, 0, wire::PRUNE, &prune);
        rig.run_for(SECOND);
        let topics = List::truncated([0]);
        rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
        assert!(rig.nodes[0].mesh(&topic()).next().is_some(), "{round}");
    }
    assert_eq!(rig.recommended.len(), 16);
}

#[test]
fn whom_the_reputation_rules_out_is_in_no_mesh_and_not_taken_back_for_a_minute() {
    let mut rig = Rig::all_connected(2, &GossipConfig::plain());
    rig.run_for(SECOND);
    rig.tell(0, Input::Veto(Link(1)));
    let topics = List::truncated([0]);
    rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
    rig.run_for(SECOND * 59);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    rig.run_for(SECOND * 3);
    assert!(rig.nodes[0].mesh(&topic()).next().is_some());
}
