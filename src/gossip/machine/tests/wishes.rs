//! What is written down of neighbours' wishes is what they say.

use std::time::Duration;

use super::rig::{Rig, key, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::neighbour::MAX_ASKED;
use crate::gossip::machine::wishes::MAX_WRITTEN;
use crate::gossip::machine::{Gossip, Link};
use crate::identity::PeerId;
use crate::wire::codec::List;
use crate::wire::message::gossip::{self as wire, Mode, ModeChange};

fn stranger(number: usize) -> PeerId {
    PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

/// A neighbour of node 0 says how it wants messages of some publishers.
fn ask(rig: &mut Rig, neighbour: usize, publishers: &[PeerId], mode: Mode) {
    for part in publishers.chunks(wire::MAX_CHANGES) {
        let changes = part.iter().map(|one| ModeChange {
            publisher: *one,
            mode,
        });
        let changes = List::truncated(changes);
        rig.forge(
            neighbour,
            0,
            wire::MODES,
            &wire::Modes { topic: 0, changes },
        );
    }
}

/// A message of this publisher passes node 0.
fn pass(node: &mut Gossip, publisher: PeerId) {
    node.wishes
        .write_down(&(topic(), publisher), &node.neighbours);
}

fn asked(node: &Gossip, publisher: PeerId, link: u64) -> Option<Mode> {
    node.wishes.of(&(topic(), publisher)).by(Link(link))
}

fn are_true(node: &Gossip) -> bool {
    node.wishes.are_true(&node.neighbours)
}

#[test]
fn whoever_changes_its_mind_is_taken_at_its_word() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    let publisher = stranger(0);
    ask(&mut rig, 1, &[publisher], Mode::Lazy);
    pass(&mut rig.nodes[0], publisher);
    assert_eq!(asked(&rig.nodes[0], publisher, 1), Some(Mode::Lazy));
    assert_eq!(asked(&rig.nodes[0], publisher, 2), None);
    ask(&mut rig, 1, &[publisher], Mode::Eager);
    ask(&mut rig, 2, &[publisher], Mode::Silent);
    assert_eq!(asked(&rig.nodes[0], publisher, 1), Some(Mode::Eager));
    assert_eq!(asked(&rig.nodes[0], publisher, 2), Some(Mode::Silent));
    assert!(are_true(&rig.nodes[0]));
}

#[test]
fn what_a_neighbour_asked_for_ends_with_its_subscription_and_with_its_connection() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(Duration::from_secs(1));
    let publisher = stranger(0);
    for neighbour in [1, 2] {
        ask(&mut rig, neighbour, &[publisher], Mode::Eager);
    }
    pass(&mut rig.nodes[0], publisher);
    let topics = List::truncated([0]);
    rig.forge(1, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
    pass(&mut rig.nodes[0], publisher);
    assert_eq!(asked(&rig.nodes[0], publisher, 1), None);
    assert_eq!(asked(&rig.nodes[0], publisher, 2), Some(Mode::Eager));
    // It comes back at once, under the same number.
    rig.connect(2, 0);
    pass(&mut rig.nodes[0], publisher);
    assert_eq!(asked(&rig.nodes[0], publisher, 2), None);
    assert!(are_true(&rig.nodes[0]));
}

#[test]
fn what_gives_way_to_other_wishes_does_not_count_any_more() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    let many: Vec<_> = (0..=MAX_ASKED).map(stranger).collect();
    ask(&mut rig, 1, &many[..MAX_ASKED], Mode::Silent);
    pass(&mut rig.nodes[0], many[0]);
    assert_eq!(asked(&rig.nodes[0], many[0], 1), Some(Mode::Silent));
    ask(&mut rig, 1, &many[MAX_ASKED..], Mode::Silent);
    pass(&mut rig.nodes[0], many[0]);
    assert_eq!(asked(&rig.nodes[0], many[0], 1), None);
}

#[test]
fn attack_messages_of_publishers_without_end_are_written_down_up_to_the_limit() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    for number in 0..=MAX_WRITTEN {
        pass(&mut rig.nodes[0], stranger(number));
        assert_eq!(
            rig.nodes[0].wishes.len(),
            number % MAX_WRITTEN + 1,
            "after {number}"
        );
    }
}

/// As messages come, and not by hand.
#[test]
fn a_message_that_is_passed_on_has_its_wishes_written_down_first() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(Duration::from_secs(1));
    let publisher = PeerId::from(key(1).hash());
    ask(&mut rig, 2, &[publisher], Mode::Silent);
    rig.publish(1, b"hello");
    rig.run_for(Duration::from_millis(100));
    assert_eq!(asked(&rig.nodes[0], publisher, 2), Some(Mode::Silent));
    assert!(are_true(&rig.nodes[0]));
}
