//! Messages with which members are audited.

use std::ops::Range;
use std::time::Duration;

use super::rig::{LATENCY, Rig};
use crate::gossip::machine::TopicOptions;
use crate::gossip::machine::expected::AUDIT;
use crate::gossip::score::{ScoreSnapshot, TopicScore};
use crate::gossip::{GossipConfig, machine::Link};
use crate::wire::codec::List;
use crate::wire::message::gossip::{GRAFT, PRUNE, Prune, Topics};

const UNSIGNED: TopicOptions = TopicOptions {
    is_unsigned: true,
    is_judged: false,
};

/// Three in a row: the last one hears from the one in the midst alone.
fn chain(config: &GossipConfig, options: TopicOptions) -> Rig {
    let mut rig = Rig::new(3, config);
    for node in 0..3 {
        rig.subscribe(node, options);
    }
    rig.connect(1, 0);
    rig.connect(2, 1);
    rig.run_for(Duration::from_secs(3));
    rig
}

/// How long messages of the first took to the last, in the order in which they were published.
fn say(rig: &mut Rig, count: u32) -> Vec<Duration> {
    let mut spans = Vec::new();
    for number in 0..count {
        let since = rig.now;
        rig.publish(0, &number.to_le_bytes());
        rig.run_for(Duration::from_millis(700));
        let last = rig.delivered.iter().rfind(|(_, node, _)| *node == 2);
        let (at, ..) = last.expect("something is delivered");
        assert!(*at > since, "{number} is not there after 0.7 s");
        spans.push(at.since(since));
    }
    spans
}

/// Some messages come that much later, and no others.
fn assert_waits(rig: &mut Rig, audit: Duration) {
    let spans = say(rig, 200);
    let longest = spans.iter().max().unwrap();
    let quick = Duration::from_millis(60);
    let late = spans.iter().filter(|span| **span > quick).count();
    println!("{late} of {} were late, {longest:?} at most", spans.len());
    assert!(late > 0, "nobody was audited");
    assert!(late < 30, "{late} were late");
    assert!(*longest <= LATENCY * 2 + audit + Duration::from_millis(10));
    assert!(rig.faults.is_empty());
}

#[test]
fn the_end_of_a_chain_waits_for_an_audit_and_no_longer() {
    let config = GossipConfig::default();
    assert_waits(&mut chain(&config, TopicOptions::default()), AUDIT);
}

#[test]
fn on_an_unsigned_topic_the_end_of_a_chain_waits_for_the_window_of_what_is_owed() {
    let window = TopicScore::unsigned().mesh_deliveries.window;
    assert_waits(&mut chain(&GossipConfig::default(), UNSIGNED), window);
}

/// The audit, the window of what is owed and a heartbeat end at once.
#[test]
fn a_node_that_was_held_up_passes_on_what_it_audited_all_the_same() {
    let mut rig = chain(&GossipConfig::default(), TopicOptions::default());
    for number in 0..100_u32 {
        let text = number.to_le_bytes();
        rig.publish(0, &text);
        rig.run_for(Duration::from_millis(100));
        rig.now = rig.now + Duration::from_millis(1_200);
        rig.run_for(Duration::from_millis(100));
        assert_eq!(rig.receivers(&text), [1, 2], "{number}");
    }
}

/// Who waits for the others to send and has always been told is found out all the same.
#[test]
fn attack_14_who_sends_nothing_and_is_always_told_is_out_of_the_mesh() {
    let mut rig = Rig::all_connected(8, &GossipConfig::default());
    rig.run_for(Duration::from_secs(3));
    rig.mute.push(1);
    talk(&mut rig, 0..1_500, 50);
    assert_is_out(&rig, 1, 2..8);
}

/// The first node publishes messages so many milliseconds apart.
fn talk(rig: &mut Rig, numbers: Range<u32>, millis: u64) {
    for number in numbers {
        rig.publish(0, &number.to_le_bytes());
        rig.run_for(Duration::from_millis(millis));
    }
}

/// None of these has the other one in its mesh.
fn assert_is_out(rig: &Rig, other: u64, mut nodes: Range<usize>) {
    let topic = super::rig::topic();
    let with_it = nodes.find(|node| {
        let mut mesh = rig.nodes[*node].mesh(&topic);
        mesh.any(|link| link == Link(other))
    });
    assert_eq!(with_it, None, "{other} at {:?}", rig.now);
}

/// Where the mesh alone decides, with links by source and without.
fn meshes() -> [(GossipConfig, TopicOptions); 2] {
    let plain = TopicOptions::default();
    [
        (GossipConfig::default(), UNSIGNED),
        (GossipConfig::plain(), plain),
    ]
}

/// It has nothing to bring, leaves the mesh, and hears of everything at heartbeats.
#[test]
fn the_end_of_a_chain_loses_nothing_when_it_is_taken_for_silent() {
    for (config, options) in meshes() {
        let mut rig = chain(&config, options);
        talk(&mut rig, 0..1_500, 25);
        let topic = super::rig::topic();
        assert!(rig.nodes[1].mesh(&topic).all(|link| link == Link(0)));
        rig.run_for(Duration::from_secs(4));
        for number in 0..1_500_u32 {
            assert_eq!(rig.receivers(&number.to_le_bytes()), [1, 2], "{number}");
        }
    }
}

/// Whoever needs longer than the window to judge a message has its neighbours send it later as well, and those who
/// are farther from the publisher once more so.
#[test]
fn where_programs_judge_slowly_nobody_is_taken_for_silent() {
    for (config, options) in meshes() {
        let options = TopicOptions {
            is_judged: true,
            ..options
        };
        let mut rig = Rig::new(10, &config);
        rig.judging_takes = Duration::from_millis(600);
        for node in 0..10 {
            rig.subscribe(node, options);
            let others = 0..if node > 5 { node } else { node.min(1) };
            others
                .filter(|other| node < 6 || *other > 0)
                .for_each(|other| rig.connect(node, other));
        }
        rig.run_for(Duration::from_secs(3));
        for number in 0..1_200_u32 {
            rig.publish(0, &number.to_le_bytes());
            rig.run_for(Duration::from_millis(60));
            assert_nobody_owes(&rig, 0..10);
        }
    }
}

/// It hears from one neighbour alone at first, and has nothing to bring to that one.
#[test]
fn a_newcomer_that_finds_its_other_neighbours_later_is_not_taken_for_silent() {
    for (config, options) in meshes() {
        let mut rig = Rig::new(10, &config);
        let mut links = Vec::new();
        for node in 0..10 {
            rig.subscribe(node, options);
            links.extend((0..node).map(|other| (node, other)));
        }
        let (late, early): (Vec<_>, Vec<_>) = links
            .into_iter()
            .partition(|(node, other)| *node == 9 && *other != 1);
        early
            .iter()
            .for_each(|(node, other)| rig.connect(*node, *other));
        talk(&mut rig, 0..800, 5);
        late.iter()
            .for_each(|(node, other)| rig.connect(*node, *other));
        talk(&mut rig, 800..2_000, 5);
        assert_nobody_owes(&rig, 0..10);
    }
}

/// Five nodes on each side of one link, over which all comes that the others say: it brings nothing of what comes from
/// the near side.
#[test]
fn a_bridge_between_two_crowds_stays_in_the_mesh() {
    for (config, options) in meshes() {
        let mut rig = Rig::new(10, &config);
        for node in 0..10 {
            rig.subscribe(node, options);
            let crowd = if node < 5 { 0..node } else { 5..node };
            crowd.for_each(|other| rig.connect(node, other));
        }
        rig.connect(5, 4);
        rig.run_for(Duration::from_secs(3));
        for number in 0..2_400_u32 {
            rig.publish([0, 9][number as usize % 2], &number.to_le_bytes());
            rig.run_for(Duration::from_millis(25));
        }
        let topic = super::rig::topic();
        assert!(rig.nodes[4].mesh(&topic).any(|link| link == Link(5)));
        assert!(rig.nodes[5].mesh(&topic).any(|link| link == Link(4)));
    }
}

/// Members come and go: who leaves before it had to send anything has its announcement.
#[test]
fn what_is_withheld_from_a_member_that_leaves_the_mesh_is_announced_to_it() {
    for (config, options) in meshes() {
        let mut rig = chain(&config, options);
        rig.run_for(Duration::from_secs(5));
        let topic = super::rig::topic();
        let mut left = 0;
        for number in 0..400_u32 {
            let text = number.to_le_bytes();
            rig.publish(0, &text);
            rig.run_for(Duration::from_millis(100));
            let is_withheld = rig.receivers(&text) == [1];
            if is_withheld {
                rig.forge(2, 1, PRUNE, &prune());
                left += 1;
            }
            rig.run_for(Duration::from_millis(700));
            assert_eq!(rig.receivers(&text), [1, 2], "{number}");
            if is_withheld {
                // Until it is a member again.
                rig.run_for(Duration::from_secs(1));
                assert!(rig.nodes[1].mesh(&topic).any(|link| link == Link(2)));
            }
        }
        assert!(left > 0, "nothing was withheld from a member");
        assert!(rig.faults.is_empty());
    }
}

/// Each time it has been there for five seconds it leaves, and grafts itself again.
#[test]
fn attack_14_who_comes_and_goes_and_passes_nothing_on_is_out_of_the_mesh() {
    for (config, options) in meshes() {
        let mut rig = all_connected(&config, options);
        rig.mute.push(1);
        for number in 0..1_500_u32 {
            for node in (0..10).filter(|node| *node != 1) {
                match number % 150 {
                    125 => rig.forge(1, node, PRUNE, &prune()),
                    149 => rig.forge(1, node, GRAFT, &graft()),
                    _ => {}
                }
            }
            talk(&mut rig, number..number + 1, 40);
        }
        assert_is_out(&rig, 1, 2..10);
    }
}

fn prune() -> Prune {
    Prune {
        topic: 0,
        backoff_s: 0,
        peers: List::truncated([]),
    }
}

fn graft() -> Topics {
    Topics {
        topics: List::truncated([0]),
    }
}

fn all_connected(config: &GossipConfig, options: TopicOptions) -> Rig {
    let mut rig = Rig::new(10, config);
    for node in 0..10 {
        rig.subscribe(node, options);
        (0..node).for_each(|other| rig.connect(node, other));
    }
    rig.run_for(Duration::from_secs(3));
    rig
}

/// No node has a score below zero for another.
fn assert_nobody_owes(rig: &Rig, nodes: Range<usize>) {
    for node in nodes.clone() {
        for other in nodes.clone().filter(|other| *other != node) {
            let score = rig.nodes[node].score(Link(other as u64));
            let total = score.as_ref().map_or(0.0, ScoreSnapshot::total);
            assert!(total >= 0.0, "{node} of {other}: {score:?}");
        }
    }
}

/// Where the mesh alone decides everybody is told at once: an echo of what a node sent is no delivery.
#[test]
fn attack_14_who_sends_back_what_it_is_sent_and_nothing_else_is_out_of_the_mesh() {
    for config in [GossipConfig::default(), GossipConfig::plain()] {
        let mut rig = all_connected(&config, UNSIGNED);
        rig.mute.extend([1, 2]);
        rig.echoing.push(2);
        talk(&mut rig, 0..1_500, 40);
        assert_is_out(&rig, 1, 3..10);
        assert_is_out(&rig, 2, 3..10);
        let topic = super::rig::topic();
        for node in 3..10 {
            let mesh: Vec<_> = rig.nodes[node].mesh(&topic).collect();
            assert!(mesh.len() >= config.mesh_n_low, "{node} has {mesh:?}");
        }
    }
}
