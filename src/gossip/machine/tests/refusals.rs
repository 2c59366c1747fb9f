//! Messages that are refused: by this node, and by its neighbours.

use std::time::Duration;

use super::attacks::{Forged, forged, now_ms};
use super::rig::Rig;
use super::scripted::{ask, members, node_with, pass_heartbeat, told};
use crate::gossip::GossipConfig;
use crate::gossip::machine::expected::AUDIT;
use crate::gossip::machine::{Input, Link};
use crate::policy::Micros;
use crate::wire::codec::{List, decode};
use crate::wire::message::gossip::{self as wire, Mode};

/// The shortest message that is refused, and one that is a byte shorter.
const LONG: &[u8] = &[7; 1_024];
const SHORT: &[u8] = &[7; 1_023];

/// In which it is passed on.
const A_MOMENT: Duration = Duration::from_millis(20);

/// A node with four members in its mesh, that want the messages of the first one in as many ways, and a neighbour
/// outside it.
fn four() -> Rig {
    let mut rig = node_with(&GossipConfig::default(), 5);
    ask(&mut rig, 2, 1, Mode::Silent);
    ask(&mut rig, 3, 1, Mode::Lazy);
    // Of the last one, which leaves the mesh, nothing is expected.
    let prune = wire::Prune {
        topic: 0,
        backoff_s: 60,
        peers: List::new(),
    };
    rig.forge(5, 0, wire::PRUNE, &prune);
    ask(&mut rig, 5, 1, Mode::Silent);
    assert_eq!(members(&rig), [1, 2, 3, 4]);
    rig
}

fn refuse(rig: &mut Rig, from: usize, ids: impl IntoIterator<Item = [u8; 32]>) {
    let ids = List::truncated(ids);
    rig.forge(from, 0, wire::IDONTWANT, &wire::IDontWant { ids });
}

/// A message of the first neighbour, under a seal of its own.
fn message(rig: &Rig, counter: u64) -> Forged {
    let mut one = forged(1, counter, b"said", now_ms(rig));
    (one.seal.key, one.message.seal) = (counter, counter);
    one
}

#[test]
fn a_message_of_a_kibibyte_is_refused_of_members_that_would_send_it_and_are_not_told() {
    for (text, refused) in [(SHORT, &[][..]), (LONG, &[2])] {
        let mut rig = four();
        let since = rig.now;
        let said = forged(1, 0, text, now_ms(&rig));
        said.send(&mut rig);
        rig.run_for(AUDIT);
        assert_eq!(told(&rig, wire::MESSAGE, since), [4]);
        assert_eq!(told(&rig, wire::IHAVE, since), [3]);
        assert_eq!(told(&rig, wire::IDONTWANT, since), refused);
        let frames = rig.sent.iter();
        let frames = frames.filter(|one| one.frame.kind == wire::IDONTWANT);
        for one in frames {
            let frame: wire::IDontWant = decode(&one.frame.body).unwrap();
            assert_eq!(&*frame.ids, [said.seal.leaves[0]]);
        }
    }
}

/// Nobody has it to send.
#[test]
fn a_message_of_this_node_is_refused_of_nobody() {
    let config = GossipConfig {
        flood_publish: false,
        ..GossipConfig::default()
    };
    let mut rig = node_with(&config, 4);
    ask(&mut rig, 2, 0, Mode::Silent);
    let since = rig.now;
    rig.publish(0, LONG);
    rig.run_for(AUDIT);
    assert_eq!(told(&rig, wire::MESSAGE, since), [1, 3, 4]);
    assert!(told(&rig, wire::IDONTWANT, since).is_empty());
}

#[test]
fn a_message_that_a_member_refused_is_sent_to_the_others() {
    for config in [GossipConfig::plain(), GossipConfig::default()] {
        let mut rig = node_with(&config, 3);
        let (said, other) = (message(&rig, 0), message(&rig, 1));
        refuse(&mut rig, 2, [said.seal.leaves[0]]);
        for (one, receivers) in [(said, &[3][..]), (other, &[2, 3])] {
            let since = rig.now;
            one.send(&mut rig);
            rig.run_for(AUDIT);
            assert_eq!(told(&rig, wire::MESSAGE, since), receivers);
        }
    }
}

/// It was put in line before.
#[test]
fn a_message_that_is_refused_while_it_waits_is_not_sent() {
    for (is_refused, sent) in [(false, 1), (true, 0)] {
        let mut rig = node_with(&GossipConfig::plain(), 2);
        rig.paused.push(2);
        rig.publish(0, b"takes the line");
        rig.run_for(A_MOMENT);
        let said = message(&rig, 0);
        said.send(&mut rig);
        if is_refused {
            refuse(&mut rig, 2, [said.seal.leaves[0]]);
        }
        let since = rig.now;
        rig.tell(0, Input::Writable(Link(2)));
        assert_eq!(told(&rig, wire::MESSAGE, since).len(), sent);
    }
}

/// That in which it is said counts for one.
#[test]
fn a_refusal_counts_for_three_heartbeats() {
    let config = GossipConfig::plain();
    let mut rig = node_with(&config, 3);
    pass_heartbeat(&mut rig);
    let messages = [0, 1].map(|counter| message(&rig, counter));
    let ids = messages.each_ref().map(|one| one.seal.leaves[0]);
    refuse(&mut rig, 2, ids);
    let receivers = |rig: &mut Rig, one: &Forged| {
        let since: Micros = rig.now;
        one.send(rig);
        told(rig, wire::MESSAGE, since)
    };
    rig.run_for(config.heartbeat_interval * 3 - A_MOMENT);
    assert_eq!(rig.nodes[0].refusals(), 2);
    assert_eq!(receivers(&mut rig, &messages[0]), [3]);
    rig.run_for(A_MOMENT);
    assert_eq!(rig.nodes[0].refusals(), 0);
    assert_eq!(receivers(&mut rig, &messages[1]), [2, 3]);
}
