//! Neighbours that ask to be sent everything.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attacks::{forged, now_ms};
use super::rig::{Rig, key, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::policy::IpGroup;
use crate::wire::codec::List;
use crate::wire::message::gossip::{self as wire, Mode, ModeChange};

/// A publisher that dialled node 0, and neighbours that ask for all that it says: the last `dialled` of them were
/// dialled by node 0. Which of them are in no mesh.
fn crowd(askers: usize, dialled: usize) -> (Rig, Vec<usize>) {
    let config = GossipConfig::default();
    let mut rig = Rig::new(2, &config);
    (0..2).for_each(|node| rig.subscribe(node, TopicOptions::default()));
    rig.connect(1, 0);
    let all = 2..2 + askers;
    for other in all.clone() {
        rig.silent.push(other);
        let link = Link(other as u64);
        let group = IpGroup::Local;
        let is_outbound = other >= all.end - dialled;
        let connected = Input::Connected {
            link,
            group,
            is_outbound,
        };
        rig.tell(0, connected);
        let topics = List::truncated([*topic().as_bytes()]);
        rig.forge(other, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    }
    rig.run_for(Duration::from_secs(2));
    for other in all.clone() {
        let publisher = key(1).hash().into();
        let mode = Mode::Eager;
        let changes = List::truncated([ModeChange { publisher, mode }]);
        rig.forge(other, 0, wire::MODES, &wire::Modes { topic: 0, changes });
    }
    let mesh: BTreeSet<_> = rig.nodes[0].mesh(&topic()).collect();
    let outside = all.filter(|other| !mesh.contains(&Link(*other as u64)));
    (rig, outside.collect())
}

/// To whom node 0 passes a message on, and whom it tells of it.
fn served(rig: &mut Rig) -> (BTreeSet<usize>, BTreeSet<usize>) {
    rig.silent.push(1);
    let since = rig.now;
    forged(1, 0, b"wanted by all", now_ms(rig)).send(rig);
    let to = |kind| {
        let sent = rig
            .sent
            .iter()
            .filter(|one| one.at >= since && one.from == 0);
        let sent = sent.filter(|one| one.frame.kind == kind);
        sent.map(|one| one.to).collect()
    };
    (to(wire::MESSAGE), to(wire::IHAVE))
}

#[test]
fn attack_of_those_that_ask_for_everything_as_many_are_sent_it_as_a_mesh_has() {
    let most = GossipConfig::default().mesh_n_high;
    let (mut rig, outside) = crowd(200, 0);
    assert!(outside.len() > 100);
    let (sent, told) = served(&mut rig);
    let outside: BTreeSet<_> = outside.into_iter().collect();
    assert_eq!(sent.intersection(&outside).count(), most);
    let others: BTreeSet<_> = outside.difference(&sent).copied().collect();
    assert!(others.is_subset(&told), "they are told of it");
}

#[test]
fn as_many_as_a_mesh_has_are_all_served() {
    let (mut rig, outside) = crowd(20, 0);
    assert!(outside.len() <= GossipConfig::default().mesh_n_high);
    let (sent, _) = served(&mut rig);
    assert!(outside.iter().all(|other| sent.contains(other)));
}

/// An attacker does not choose them.
#[test]
fn those_that_a_node_dialled_are_served_first() {
    let (mut rig, outside) = crowd(200, 30);
    let dialled: BTreeSet<_> = outside.into_iter().filter(|other| *other >= 172).collect();
    assert!(dialled.len() >= 18);
    let (sent, _) = served(&mut rig);
    let most = GossipConfig::default().mesh_n_high;
    assert_eq!(sent.intersection(&dialled).count(), most);
}
