//! How long messages wait for a neighbour that does not take them.

use std::time::Duration;

use super::attacks::{forged, now_ms};
use super::outbox::parcel;
use super::rig::topic;
use super::scripted::{node_with, told};
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::outbox::{Outbox, Priority};
use crate::gossip::machine::{Input, Link};
use crate::gossip::{GossipConfig, QueueConfig};
use crate::policy::Micros;
use crate::wire::frame::FrameDecoder;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);
const MICRO: Duration = Duration::from_micros(1);

/// In which a message is proven and passed on.
const A_MOMENT: Duration = Duration::from_millis(20);

/// What becomes of a message that is taken so long after it was put in line: the kinds of the frames.
fn taken_after(age: Duration, priority: Priority) -> Vec<u8> {
    let (config, since) = (QueueConfig::default(), Micros(1_000_000));
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let mut outbox = Outbox::new(&config);
    let message = parcel(1, 4);
    assert!(outbox.put(message.clone(), since, priority, &config));
    let held = |_: &[u8; 32]| Some(message.clone());
    let mut frames = outbox
        .take(since + age, &theirs, &config, |_| false, held)
        .expect("it is sent, or announced");
    let mut decoder = FrameDecoder::new();
    let mut kinds = Vec::new();
    while let Some(frame) = decoder.decode(&mut frames, wire::RECEIVER_READS).unwrap() {
        kinds.push(frame.kind);
    }
    kinds
}

#[test]
fn a_message_that_waited_for_too_long_is_announced_and_not_sent() {
    for (priority, most) in [
        (Priority::Forwarded, SECOND),
        (Priority::Own, 5 * SECOND),
        (Priority::Asked, 5 * SECOND),
    ] {
        for (age, kind) in [
            (most - MICRO, wire::UNSIGNED),
            (most, wire::UNSIGNED),
            (most + MICRO, wire::IHAVE),
        ] {
            let taken = taken_after(age, priority);
            assert_eq!(taken, [kind], "{priority:?} after {age:?}");
        }
    }
}

/// The neighbour reads again in time, or a moment later.
#[test]
fn what_a_node_passes_on_waits_for_a_second() {
    for (waits, kind) in [
        (SECOND - A_MOMENT, wire::MESSAGE),
        (SECOND + A_MOMENT, wire::IHAVE),
    ] {
        let mut rig = node_with(&GossipConfig::plain(), 2);
        rig.paused.push(2);
        rig.publish(0, b"takes the line");
        rig.run_for(A_MOMENT);
        let since = rig.now;
        forged(1, 0, b"said", now_ms(&rig)).send(&mut rig);
        rig.run_for((since + waits).since(rig.now));
        let since = rig.now;
        rig.tell(0, Input::Writable(Link(2)));
        for one in [wire::MESSAGE, wire::IHAVE] {
            let expected = if one == kind { &[2][..] } else { &[] };
            assert_eq!(told(&rig, one, since), expected, "{one} after {waits:?}");
        }
    }
}
