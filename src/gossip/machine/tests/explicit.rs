//! Explicit peers, and what the program thinks of neighbours.

use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::gossip::score::MAX_COUNT;
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

fn opinion(rig: &mut Rig, node: usize, of: usize, value: f64) {
    let link = Link(of as u64);
    rig.tell(node, Input::Opinion { link, value });
}

/// Node 0 and 1 have an agreement; the others are neighbours of node 0 as any.
fn agreed(config: &GossipConfig, others: usize) -> Rig {
    let mut rig = Rig::new(2 + others, config);
    for node in 0..2 + others {
        rig.subscribe(node, TopicOptions::default());
    }
    for other in 1..2 + others {
        rig.connect(0, other);
    }
    rig.tell(0, Input::Explicit(Link(1)));
    rig.tell(1, Input::Explicit(Link(0)));
    rig.run_for(SECOND * 2);
    rig
}

#[test]
fn explicit_peers_are_in_no_mesh_and_get_everything_at_once() {
    for config in [GossipConfig::plain(), GossipConfig::default()] {
        let mut rig = agreed(&config, 3);
        assert!(rig.nodes[1].mesh(&topic()).next().is_none());
        assert!(!rig.nodes[0].mesh(&topic()).any(|link| link == Link(1)));
        for round in 0..30_u8 {
            let text = [round; 100];
            let from = [1, 2][round as usize % 2];
            rig.publish(from, &text);
            // One hop, or two, and the time in which a message is sealed.
            rig.run_for(Duration::from_millis(80));
            let receivers = rig.receivers(&text);
            let agreed = [0, 1].into_iter().filter(|node| *node != from);
            assert!(
                agreed.into_iter().all(|node| receivers.contains(&node)),
                "{round}"
            );
        }
        assert_eq!(rig.faults, []);
    }
}

#[test]
fn who_becomes_explicit_leaves_the_meshes() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 1);
    rig.tell(0, Input::Explicit(Link(1)));
    rig.run_for(SECOND * 100);
    for node in 0..2 {
        assert!(rig.nodes[node].mesh(&topic()).next().is_none(), "{node}");
    }
}

#[test]
fn a_graft_of_an_explicit_peer_is_answered_by_prune_and_costs_nothing() {
    let mut rig = agreed(&GossipConfig::default(), 0);
    let since = rig.now;
    for _ in 0..20 {
        let topics = List::truncated([0]);
        rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
    }
    rig.run_for(SECOND);
    assert_eq!(rig.count(wire::PRUNE, since), 20);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    assert_eq!(rig.nodes[0].score(Link(1)).unwrap().behaviour, 0.0);
}

#[test]
fn no_score_shuts_an_explicit_peer_out_as_it_does_others() {
    let mut rig = agreed(&GossipConfig::default(), 1);
    for of in [1, 2] {
        opinion(&mut rig, 0, of, -10_000.0);
    }
    rig.publish(0, b"from here");
    rig.publish(1, b"from the explicit one");
    rig.publish(2, b"from the other one");
    rig.run_for(SECOND * 3);
    assert_eq!(rig.receivers(b"from here"), [1]);
    assert_eq!(rig.receivers(b"from the explicit one"), [0]);
    assert!(rig.receivers(b"from the other one").is_empty());
}

/// The modes that it asks for are wishes of somebody who does not know of the agreement.
#[test]
fn an_explicit_peer_gets_what_it_asked_to_be_silent_about() {
    let mut rig = agreed(&GossipConfig::default(), 1);
    let publisher = super::rig::key(2).hash().into();
    let mode = wire::Mode::Silent;
    let changes = List::truncated([wire::ModeChange { publisher, mode }]);
    rig.forge(1, 0, wire::MODES, &wire::Modes { topic: 0, changes });
    rig.publish(2, b"said");
    rig.run_for(Duration::from_millis(80));
    assert_eq!(rig.receivers(b"said"), [0, 1]);
}

#[test]
fn an_agreement_ends_with_the_connection() {
    let mut rig = agreed(&GossipConfig::default(), 0);
    rig.disconnect(0, 1);
    rig.run_for(SECOND * 70);
    rig.connect(0, 1);
    rig.run_for(SECOND * 2);
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 1);
}

#[test]
fn what_the_program_thinks_of_a_neighbour_takes_it_out_of_meshes_and_back() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    opinion(&mut rig, 0, 1, -30.0);
    rig.run_for(SECOND * 62);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    let score = rig.nodes[0].score(Link(1)).unwrap();
    assert_eq!(score.application, -30.0);
    let others = score.earned + score.lost + score.colocation + score.behaviour + score.slow;
    assert_eq!(score.total(), others - 30.0);
    opinion(&mut rig, 0, 1, 0.0);
    rig.run_for(SECOND * 62);
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 1);
}

#[test]
fn an_opinion_is_bounded_and_a_number() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    let thought = |rig: &mut Rig, value| {
        opinion(rig, 0, 1, value);
        rig.nodes[0].score(Link(1)).unwrap().application
    };
    assert_eq!(thought(&mut rig, 7.0), 7.0);
    assert_eq!(thought(&mut rig, f64::NAN), 7.0);
    assert_eq!(thought(&mut rig, f64::INFINITY), MAX_COUNT);
    assert_eq!(thought(&mut rig, -1e300), -MAX_COUNT);
    opinion(&mut rig, 0, 9, 5.0);
    assert_eq!(rig.nodes[0].score(Link(9)), None, "nobody");
}
