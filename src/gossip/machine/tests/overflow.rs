//! What becomes of messages that find no place in a neighbour's queue.

use std::collections::BTreeSet;
use std::time::Duration;

use super::rig::Rig;
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::gossip::{GossipConfig, NotPublished};
use crate::wire::codec::decode;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// 100 Mbit/s in bytes.
const LINE: u64 = 12_500_000;

/// Three in a row, of which the middle one has a line of 100 Mbit/s.
fn row(config: &GossipConfig) -> Rig {
    let mut rig = Rig::new(3, config);
    (0..3).for_each(|node| rig.subscribe(node, TopicOptions::default()));
    rig.connect(0, 1);
    rig.connect(1, 2);
    rig.lines.insert(1, LINE);
    rig.run_for(3 * SECOND);
    rig
}

fn publish_many(rig: &mut Rig, count: u32, size: usize) {
    for number in 0..count {
        let mut text = vec![0; size];
        text[..4].copy_from_slice(&number.to_le_bytes());
        rig.publish(0, &text);
    }
}

/// Messages that a node was delivered, each counted once.
fn delivered_to(rig: &Rig, node: usize) -> usize {
    let delivered = rig.delivered.iter().filter(|(_, to, _)| *to == node);
    let delivered: BTreeSet<_> = delivered.map(|(.., message)| &message.data).collect();
    delivered.len()
}

/// Ids that one node told another one in frames of a kind.
fn ids_told(rig: &Rig, from: usize, to: usize, kind: u8) -> usize {
    let frames = rig.sent.iter();
    let frames = frames.filter(|sent| (sent.from, sent.to, sent.frame.kind) == (from, to, kind));
    let ids = frames.map(|sent| match kind {
        wire::IHAVE => decode::<wire::IHave>(&sent.frame.body).unwrap().ids,
        _ => decode::<wire::IWant>(&sent.frame.body).unwrap().ids,
    });
    ids.map(|ids| ids.into_vec().len()).sum()
}

/// What overflows between two members of a mesh comes by no other way.
#[test]
fn what_found_no_place_is_announced_when_there_is_room() {
    let mut rig = row(&GossipConfig::default());
    // More than a mebibyte, while nothing is read.
    rig.paused.push(2);
    publish_many(&mut rig, 100, 16_000);
    rig.run_for(Duration::from_millis(500));
    rig.paused.clear();
    rig.tell(1, Input::Writable(Link(2)));
    rig.run_for(3 * SECOND);
    assert_eq!(delivered_to(&rig, 2), 100);
    assert!(ids_told(&rig, 2, 1, wire::IWANT) > 30);
}

/// A program may publish as much at once as may wait for a seal; its line takes 100 Mbit/s.
#[test]
fn a_burst_of_eight_mebibytes_arrives_and_costs_its_publisher_nothing() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.lines.insert(0, LINE);
    rig.run_for(SECOND);
    publish_many(&mut rig, 8_192, 1_000);
    rig.run_for(3 * SECOND);
    assert_eq!(delivered_to(&rig, 1), 8_192);
    assert_eq!(
        ids_told(&rig, 1, 0, wire::IWANT),
        0,
        "own messages need no asking"
    );
    assert_eq!(rig.nodes[0].waiting(Link(1)), 0);
}

/// Who passes it on has no place for most of it, and tells of it when there is.
#[test]
fn a_burst_of_eight_mebibytes_passes_a_slow_line_and_costs_nobody_anything() {
    for max_announced in [2_500, 5_000] {
        let mut config = GossipConfig::default();
        config.queue.max_announced = max_announced;
        let mut rig = row(&config);
        publish_many(&mut rig, 8_192, 1_000);
        rig.run_for(6 * SECOND);
        assert_eq!(delivered_to(&rig, 2), 8_192);
        assert!(ids_told(&rig, 2, 1, wire::IWANT) > 5_000);
        assert!(rig.faults.is_empty(), "{:?}", rig.faults);
        for (node, other) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
            let score = rig.nodes[node].score(Link(other)).unwrap();
            assert_eq!(score.behaviour, 0.0, "{node} of {other}");
        }
    }
}

/// More is under way than finds a place, all the time; the line takes 500 Mbit/s.
#[test]
fn whoever_publishes_more_than_finds_a_place_for_a_while_loses_nothing() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.lines.insert(0, 5 * LINE);
    rig.run_for(SECOND);
    let (start, mut published) = (rig.now, 0_u32);
    while rig.now.since(start) < 3 * SECOND {
        while published as usize - rig.delivered.len() < 2_048 {
            let mut text = vec![0; 1_024];
            text[..4].copy_from_slice(&published.to_le_bytes());
            rig.publish(0, &text);
            published += 1;
        }
        rig.run_for(Duration::from_millis(1));
    }
    rig.run_for(SECOND);
    assert_eq!(rig.delivered.len(), published as usize);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    for (node, other) in [(0, Link(1)), (1, Link(0))] {
        let score = rig.nodes[node].score(other).unwrap();
        assert!(score.total() >= 0.0, "{node}: {score:?}");
    }
}

/// Half of what is said fits through the line, for six times as long as anything is held.
#[test]
fn whoever_publishes_more_than_its_line_carries_is_refused_and_loses_nothing_of_the_rest() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.lines.insert(0, LINE / 10);
    rig.run_for(SECOND);
    for round in 0..25_000_u32 {
        let mut text = vec![0; 2_500];
        text[..4].copy_from_slice(&round.to_le_bytes());
        rig.publish(0, &text);
        rig.run_for(SECOND / 1_000);
    }
    rig.run_for(30 * SECOND);
    let (taken, refused): (Vec<_>, Vec<_>) = rig
        .published
        .iter()
        .partition(|(_, outcome)| outcome.is_ok());
    println!(
        "{} taken, {} refused, {} delivered",
        taken.len(),
        refused.len(),
        delivered_to(&rig, 1)
    );
    assert!(taken.len() > 10_000, "{}", taken.len());
    let busy = |outcome: &Result<_, _>| *outcome == Err(NotPublished::Busy);
    assert!(!refused.is_empty() && refused.iter().all(|(_, outcome)| busy(outcome)));
    assert_eq!(delivered_to(&rig, 1), taken.len());
}

/// How long it takes until the neighbours that read have what fills the queues of those that do not.
fn held_up(reading: usize, stuck: usize) -> Duration {
    let mut rig = Rig::new(1 + reading + stuck, &GossipConfig::default());
    for node in 0..=reading + stuck {
        rig.subscribe(node, TopicOptions::default());
        if node > 0 {
            rig.connect(node, 0);
        }
    }
    rig.run_for(SECOND);
    rig.stuck = (1 + reading..=reading + stuck).collect();
    let start = rig.now;
    publish_many(&mut rig, 5_000, 1_000);
    rig.run_for(6 * SECOND);
    for node in 1..=reading {
        assert_eq!(delivered_to(&rig, node), 5_000, "{node}");
    }
    let last = rig.delivered.iter().map(|(at, ..)| *at).max().unwrap();
    last.since(start)
}

/// Half of them, or as many as a mesh needs, are enough to go on.
#[test]
fn attack_neighbours_that_read_nothing_hold_up_nobody() {
    let low = GossipConfig::default().mesh_n_low;
    for (reading, stuck) in [(2, 1), (1, 1), (low, low + 1), (low, 40)] {
        let took = held_up(reading, stuck);
        assert!(
            took < SECOND / 2,
            "{reading} read, {stuck} do not: {took:?}"
        );
    }
}

/// Who reads nothing for three seconds does not count any more.
#[test]
fn where_hardly_anybody_reads_what_is_said_waits_until_those_who_do_not_are_out() {
    let low = GossipConfig::default().mesh_n_low;
    for (reading, stuck) in [(1, 2), (low - 1, low)] {
        let took = held_up(reading, stuck);
        let waits = SECOND * 2..SECOND * 5;
        assert!(
            waits.contains(&took),
            "{reading} read, {stuck} do not: {took:?}"
        );
    }
}

/// Nothing else may happen on the link until then.
#[test]
fn what_may_not_be_announced_any_more_is_at_the_next_heartbeat() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(3 * SECOND);
    rig.publish(0, b"said");
    rig.run_for(SECOND / 10);
    let id = rig.published[0].1.unwrap().id;
    let parcel = rig.nodes[0].store.held(&id).unwrap().clone();
    let neighbour = rig.nodes[0].neighbours.get_mut(&Link(1)).unwrap();
    neighbour.outbox.miss(&parcel);
    assert_eq!(ids_told(&rig, 0, 1, wire::IHAVE), 0);
    rig.run_for(GossipConfig::default().heartbeat_interval);
    assert_eq!(ids_told(&rig, 0, 1, wire::IHAVE), 1);
}
