//! Attacks 6 and 34: numbers that are added to clocks, and clocks that jump.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::attacks::{forged, now_ms, pair};
use super::rig::{Rig, sign, topic};
use crate::gossip::machine::topic::{MAX_BACKOFF, Topic, Why};
use crate::gossip::machine::{Gossip, Input, Link, Output, PublicationId, TopicOptions};
use crate::gossip::{Event, GossipConfig};
use crate::policy::{Micros, Now, UnixMillis};
use crate::wire::codec::List;
use crate::wire::frame::FrameDecoder;
use crate::wire::message::gossip as wire;

const HOUR: Duration = Duration::from_secs(3_600);

proptest! {
    #[test]
    fn attack_6_no_span_locks_out_for_more_than_an_hour(now: u64, millis: u64) {
        let (mut topic, now) = (Topic::default(), Micros(now));
        topic.avoid(Link(1), now, Duration::from_millis(millis));
        topic.send_away(Link(1), now, Duration::from_millis(millis), Why::Unwanted);
        prop_assert!(!topic.is_avoided(Link(1), now + MAX_BACKOFF));
        prop_assert!(!topic.is_sent_away(Link(1), now + HOUR));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// Whatever numbers a neighbour says, at whatever time: nothing overflows, and time goes on.
    #[test]
    fn attack_6_no_number_of_a_neighbour_overflows(
        now: u64, backoff_s: u32, timestamp_ms: u64, epoch: u64, first: u64, index: u16,
    ) {
        let mut rig = pair();
        rig.now = Micros(now.max(rig.now.0));
        let peers = List::new();
        rig.forge(1, 0, wire::PRUNE, &wire::Prune { topic: 0, backoff_s, peers });
        let mut said = forged(1, 0, b"numbers", now_ms(&rig));
        (said.seal.epoch, said.seal.first) = (epoch, first);
        (said.message.timestamp_ms, said.message.index) = (timestamp_ms, index);
        said.send(&mut rig);
        rig.tell(0, Input::Timer);
        prop_assert!(rig.receivers(b"numbers").is_empty());
    }
}

/// Two nodes meet ten seconds before the end of their clocks, and one is heard until a second before it.
#[test]
fn attack_34_a_clock_near_its_end_stops_nothing() {
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.now = Micros(u64::MAX) - Duration::from_secs(10);
    for node in 0..2 {
        rig.subscribe(node, TopicOptions::default());
    }
    rig.connect(1, 0);
    for text in [&b"early"[..], b"later", b"last words"] {
        rig.run_for(Duration::from_secs(2));
        rig.publish(0, text);
        rig.run_for(Duration::from_secs(1));
        assert_eq!(rig.receivers(text), [1]);
    }
    assert_eq!(rig.faults, []);
}

/// A machine says something at a time of its own: the frames for its only neighbour, and what else comes of it.
fn say_at(node: &mut Gossip, time: Now, text: &'static [u8]) -> (Vec<Bytes>, Vec<Output>) {
    let (id, topic) = (PublicationId(1), topic());
    let data = Bytes::from_static(text);
    node.handle(time, Input::Publish { id, topic, data });
    let (mut batches, mut others) = (Vec::new(), Vec::new());
    while let Some(output) = node.poll_output() {
        match output {
            Output::Sign { id, body } => {
                let signature = Some(sign(&body));
                node.handle(time, Input::Signed { id, signature });
            }
            Output::Send { link, frames } => {
                batches.push(frames);
                node.handle(time, Input::Writable(link));
            }
            other => others.push(other),
        }
    }
    (batches, others)
}

/// What it says is heard unless its wall clock is at the end, too: then it comes from too far in the future.
#[test]
fn attack_34_a_clock_at_its_very_end_stops_nothing() {
    for (is_wall_right, receivers) in [(true, &[1][..]), (false, &[])] {
        let mut rig = Rig::all_connected(2, &GossipConfig::default());
        rig.run_for(Duration::from_secs(1));
        let wall = if is_wall_right {
            rig.time().wall
        } else {
            UnixMillis(u64::MAX)
        };
        let time = Now {
            mono: Micros(u64::MAX),
            wall,
        };
        for _ in 0..3 {
            rig.nodes[0].handle(time, Input::Timer);
        }
        rig.silent.push(0);
        assert_eq!(rig.nodes[0].mesh(&topic()).count(), 1);
        let (batches, others) = say_at(&mut rig.nodes[0], time, b"last words");
        let is_published = |one: &Output| {
            let Output::Published { outcome, .. } = one else {
                return false;
            };
            outcome.is_ok_and(|published| published.neighbours == 1)
        };
        assert_eq!(others.iter().filter(|one| is_published(one)).count(), 1);
        for mut frames in batches {
            let mut decoder = FrameDecoder::new();
            while let Some(frame) = decoder.decode(&mut frames, wire::RECEIVER_READS).unwrap() {
                let (link, kind, body) = (Link(0), frame.kind, frame.body);
                rig.tell(1, Input::Frame { link, kind, body });
            }
        }
        rig.run_for(Duration::from_millis(10));
        assert_eq!(rig.receivers(b"last words"), receivers);
        assert_eq!(rig.faults, []);
    }
}

/// A machine that slept has one heartbeat to make up for and not five thousand, and its mesh stays.
#[test]
fn attack_34_a_heartbeat_that_comes_an_hour_late_is_one_heartbeat() {
    let mut rig = Rig::all_connected(4, &GossipConfig::default());
    rig.run_for(Duration::from_secs(2));
    let beats = rig.nodes[0].beats.count();
    rig.now = rig.now + HOUR;
    rig.tell(0, Input::Timer);
    assert_eq!(rig.nodes[0].beats.count(), beats + 1);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 3);
    rig.publish(1, b"good morning");
    rig.run_for(Duration::from_secs(1));
    assert_eq!(rig.receivers(b"good morning"), [0, 2, 3]);
}

/// The wall clock of one node is set back and forth; only what it says meanwhile is not heard.
#[test]
fn attack_34_a_wall_clock_that_jumps_ends_no_membership() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(Duration::from_secs(2));
    for wall in [0, u64::MAX, 1] {
        let (mono, wall) = (rig.now, UnixMillis(wall));
        rig.nodes[0].handle(Now { mono, wall }, Input::Timer);
        rig.run_for(Duration::from_secs(2));
    }
    let is_pruned = |event: &Event| matches!(event, Event::Pruned(..));
    assert!(!rig.happened.iter().any(|(_, event)| is_pruned(event)));
    rig.publish(0, b"in time");
    rig.run_for(Duration::from_secs(1));
    assert_eq!(rig.receivers(b"in time"), [1, 2]);
    rig.subscribe(0, TopicOptions::default());
    assert_eq!(rig.faults, []);
}
