//! Links are chosen by source.

use std::time::Duration;

use super::rig::Rig;
use crate::gossip::GossipConfig;
use crate::gossip::machine::Link;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// Payloads sent for each delivery of the last ten of many messages.
fn copies(config: &GossipConfig) -> f64 {
    let mut rig = Rig::all_connected(20, config);
    rig.run_for(SECOND * 2);
    for round in 0..30_u8 {
        rig.publish(0, &[round; 2_000]);
        rig.run_for(Duration::from_millis(500));
    }
    let (since, before) = (rig.now, rig.delivered.len());
    for round in 30..40_u8 {
        rig.publish(1, &[round; 2_000]);
        rig.publish(0, &[round + 100; 2_000]);
        rig.run_for(Duration::from_millis(500));
    }
    let delivered = rig.delivered.len() - before;
    assert_eq!(delivered, 20 * 19);
    rig.count(wire::MESSAGE, since) as f64 / delivered as f64
}

#[test]
fn a_message_comes_over_few_links_once_they_are_chosen() {
    let plain = copies(&GossipConfig::plain());
    let by_source = copies(&GossipConfig::default());
    assert!(by_source < plain / 2.0, "{by_source} copies, plain {plain}");
}

#[test]
fn a_message_is_pulled_from_the_next_announcer_when_the_first_falls_silent() {
    let mut rig = Rig::all_connected(12, &GossipConfig::default());
    rig.run_for(SECOND * 2);
    for round in 0..20_u8 {
        rig.publish(0, &[round; 2_000]);
        rig.run_for(Duration::from_millis(300));
    }
    // A fifth is there, and says nothing any more.
    rig.silent = vec![3, 4];
    let before = rig.now;
    rig.publish(0, &[77; 2_000]);
    rig.run_for(SECOND * 2);
    let expected: Vec<_> = (1..12).filter(|node| ![3, 4].contains(node)).collect();
    assert_eq!(rig.receivers(&[77; 2_000]), expected);
    let latest = rig.delivered.iter().map(|(at, ..)| *at).max().unwrap();
    assert!(latest.since(before) < Duration::from_millis(600));
}

/// Fifty seals a second make clumps of twenty messages: more than a trial has, before the member has heard that
/// it is asked. Members have no long record that would hide it.
#[test]
fn of_a_fast_publisher_members_are_tried_with_few_copies_and_none_is_blamed() {
    let mut rig = Rig::all_connected(5, &GossipConfig::default());
    rig.run_for(SECOND);
    for round in 0..20_u32 {
        rig.publish(0, &round.to_le_bytes());
        rig.run_for(SECOND / 10);
    }
    let (since, before) = (rig.now, rig.delivered.len());
    for round in 1_000..9_000_u32 {
        rig.publish(0, &round.to_le_bytes());
        rig.run_for(SECOND / 1_000);
    }
    let copies = rig.count(wire::MESSAGE, since) as f64 / (rig.delivered.len() - before) as f64;
    assert!((1.9..2.2).contains(&copies), "{copies} copies a delivery");
    for node in 0..5 {
        for other in (0..5).filter(|other| *other != node) {
            let score = rig.nodes[node].score(Link(other as u64)).unwrap();
            assert_eq!(score.lost, 0.0, "{node} of {other}: {score:?}");
        }
    }
}
