//! How long an announced message is waited for.

use std::time::Duration;

use super::rig::Rig;
use crate::gossip::GossipConfig;
use crate::gossip::machine::Link;
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

/// Bytes of a message that is not large.
const SHORT: usize = 40;

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Node 0, to which these have brought a message of a size each. All speak, until now, and say nothing more unless
/// the test does.
fn brought_by(bringers: &[usize], bytes: usize) -> Rig {
    let mut rig = Rig::all_connected(4, &GossipConfig::default());
    rig.run_for(millis(1_000));
    for from in bringers {
        rig.publish(*from, &vec![7; bytes]);
        rig.run_for(millis(300));
        assert!(rig.nodes[0].neighbours[&Link(*from as u64)].brings(rig.now));
    }
    rig.silent.extend([1, 2, 3]);
    speak(&mut rig, &[1, 2, 3], millis(600));
    rig
}

/// For a time neighbours say something every ten milliseconds that nothing follows from.
fn speak(rig: &mut Rig, all: &[usize], span: Duration) {
    let end = rig.now + span;
    while rig.now < end {
        for from in all {
            let ids = List::truncated([[5; 32]]);
            rig.forge(*from, 0, wire::IDONTWANT, &wire::IDontWant { ids });
        }
        rig.run_for(millis(10));
    }
}

/// After how many milliseconds node 0 asks for what node 1 announces now.
fn asks_after(rig: &mut Rig) -> Option<u64> {
    let since = rig.now;
    let ids = List::truncated([[9; 32]]);
    rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    (1..=30).find(|_| {
        rig.run_for(millis(1));
        rig.count(wire::IWANT, since) > 0
    })
}

#[test]
fn while_all_who_bring_messages_speak_what_is_announced_is_waited_for() {
    let mut rig = brought_by(&[1, 2, 3], SHORT);
    assert_eq!(asks_after(&mut rig), Some(20));
}

#[test]
fn once_somebody_who_brought_messages_is_silent_what_is_announced_is_asked_for_sooner() {
    let mut rig = brought_by(&[1, 2, 3], SHORT);
    speak(&mut rig, &[1, 2], millis(100));
    assert_eq!(asks_after(&mut rig), Some(20));
    let mut rig = brought_by(&[1, 2, 3], SHORT);
    speak(&mut rig, &[1, 2], millis(120));
    assert_eq!(asks_after(&mut rig), Some(10));
}

#[test]
fn of_who_brought_nothing_no_word_is_missed() {
    let mut rig = brought_by(&[1, 2], SHORT);
    speak(&mut rig, &[1, 2], millis(200));
    assert_eq!(asks_after(&mut rig), Some(20));
}

#[test]
fn of_who_brought_nothing_for_ten_seconds_no_word_is_missed() {
    let mut rig = brought_by(&[2, 3], SHORT);
    speak(&mut rig, &[1, 2], millis(9_000));
    assert_eq!(asks_after(&mut rig), Some(10));
    let mut rig = brought_by(&[2, 3], SHORT);
    speak(&mut rig, &[1, 2], millis(10_000));
    assert_eq!(asks_after(&mut rig), Some(20));
}

#[test]
fn a_large_message_is_waited_for_whoever_is_silent() {
    let mut rig = brought_by(&[1, 2, 3], 14_000);
    speak(&mut rig, &[1, 2], millis(200));
    assert_eq!(asks_after(&mut rig), Some(20));
}

#[test]
fn a_node_that_was_held_up_does_not_take_its_neighbours_for_silent() {
    let mut rig = brought_by(&[1, 2, 3], SHORT);
    rig.run_for(millis(200));
    assert_eq!(asks_after(&mut rig), Some(20));
}
