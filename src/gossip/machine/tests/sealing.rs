//! What this node says, sealed.

use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::{GossipConfig, NotPublished};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_burst_of_messages_shares_seals_and_a_key_goes_to_each_neighbour_once() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    let since = rig.now;
    for round in 0..1_000_u32 {
        rig.publish(0, &round.to_le_bytes());
        rig.run_for(Duration::from_millis(1));
    }
    rig.run_for(SECOND);
    assert_eq!(rig.delivered.len(), 1_000);
    assert_eq!(rig.count(wire::KEY, since), 1);
    let seals = rig.count(wire::SEAL, since);
    // The burst of 16, and one each 20 ms.
    assert!(
        (50..=70).contains(&seals),
        "{seals} seals for 1 000 messages in 1 s"
    );
}

#[test]
fn messages_arrive_in_the_order_of_their_counters_between_two() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    for round in 0..100_u32 {
        rig.publish(0, &round.to_le_bytes());
    }
    rig.run_for(SECOND * 2);
    let counters = rig
        .delivered
        .iter()
        .map(|(_, _, one)| one.source.unwrap().counter);
    assert_eq!(counters.collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
}

#[test]
fn the_longest_message_is_published_and_a_longer_one_is_not() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.publish(0, &vec![1; wire::MAX_LARGE]);
    rig.publish(0, &vec![1; wire::MAX_LARGE + 1]);
    rig.run_for(5 * SECOND);
    assert_eq!(rig.receivers(&vec![1; wire::MAX_LARGE]), [1]);
    let limit = wire::MAX_LARGE;
    let refused = rig.published.iter().find(|(id, _)| id.0 == 1).unwrap();
    assert_eq!(refused.1, Err(NotPublished::TooLong { limit }));
}

#[test]
fn a_message_that_says_nothing_arrives() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.publish(0, b"");
    rig.run_for(SECOND);
    assert_eq!(rig.receivers(b""), [1, 2]);
}

#[test]
fn a_new_connection_begins_with_empty_tables() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.publish(0, b"before");
    rig.run_for(SECOND);
    rig.disconnect(0, 1);
    rig.run_for(SECOND);
    rig.connect(0, 1);
    rig.run_for(SECOND);
    assert!(rig.nodes[0].mesh(&topic()).next().is_some());
    rig.publish(0, b"after");
    rig.run_for(SECOND);
    assert_eq!(rig.receivers(b"after"), [1]);
    assert_eq!(rig.faults, []);
}
