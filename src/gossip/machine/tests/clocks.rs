//! Attacks 6 and 34: numbers that are added to clocks, and clocks that jump.

use std::time::Duration;

use proptest::prelude::*;

use super::attacks::{forged, now_ms, pair};
use super::rig::{Rig, topic};
use crate::gossip::machine::topic::{MAX_BACKOFF, Topic, Why};
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::gossip::{Event, GossipConfig};
use crate::policy::{Micros, Now, UnixMillis};
use crate::wire::codec::List;
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

#[test]
fn attack_34_a_clock_at_its_very_end_stops_nothing() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    let time = Now {
        mono: Micros(u64::MAX),
        wall: UnixMillis(u64::MAX),
    };
    for _ in 0..3 {
        rig.nodes[0].handle(time, Input::Timer);
    }
    let id = crate::gossip::PublicationId(1);
    let (topic, data) = (topic(), bytes::Bytes::from_static(b"last words"));
    rig.nodes[0].handle(time, Input::Publish { id, topic, data });
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
