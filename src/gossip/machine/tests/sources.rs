//! Links are chosen by source.

use std::time::Duration;

use super::rig::Rig;
use crate::gossip::GossipConfig;
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
