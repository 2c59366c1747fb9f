//! What a machine does without scores.

use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::{Event, Gossip, Link, TopicOptions};
use crate::gossip::score::{ScoreBoard, ScoreConfig};

const NODES: usize = 8;

/// The one that reads nothing.
const STUCK: usize = NODES - 1;

const EVERY: Duration = Duration::from_millis(100);

/// Whatever a neighbour does, its score is zero.
fn off() -> ScoreConfig {
    let mut score = ScoreConfig::default();
    score.default_topic.weight = 0.0;
    score.unsigned_topic.weight = 0.0;
    score.application_weight = 0.0;
    score.colocation.weight = 0.0;
    score.behaviour.weight = 0.0;
    score.slow.weight = 0.0;
    score
}

fn unscored(config: &GossipConfig) -> Rig {
    let mut rig = Rig::new(NODES, config);
    for node in 0..NODES {
        rig.nodes[node].score = ScoreBoard::new(off());
        rig.subscribe(node, TopicOptions::default());
        for other in 0..node {
            rig.connect(node, other);
        }
    }
    rig
}

/// How many of the others have it in their mesh.
fn with_it(rig: &Rig) -> usize {
    let others = rig.nodes.iter().take(STUCK);
    let has = |node: &&Gossip| {
        let mut mesh = node.mesh(&topic());
        mesh.any(|link| link == Link(STUCK as u64))
    };
    others.filter(has).count()
}

#[test]
fn who_reads_nothing_is_out_of_all_meshes_within_five_seconds_without_scores_and_nobody_else_is() {
    for config in [GossipConfig::plain(), GossipConfig::default()] {
        let mut rig = unscored(&config);
        rig.run_for(Duration::from_secs(2));
        rig.stuck.push(STUCK);
        rig.happened.clear();
        let start = rig.now;
        for round in 0.. {
            assert!(rig.now.since(start) <= Duration::from_secs(5));
            let with_it = with_it(&rig);
            if rig.now.since(start) < config.queue.slow_reader {
                assert_eq!(with_it, STUCK, "it may be reading");
            }
            if with_it == 0 {
                break;
            }
            rig.publish(0, &[round; 2_000]);
            rig.run_for(EVERY);
        }
        let link = Link(STUCK as u64);
        for node in 0..STUCK {
            let of_node = rig.happened.iter().filter(|(one, _)| *one == node);
            let events: Vec<_> = of_node.map(|(_, event)| event.clone()).collect();
            let expected = [
                Event::Stalls(link),
                Event::Pruned(link, topic()),
                Event::SlowReader(link),
            ];
            assert_eq!(events, expected, "node {node}");
            for other in (0..NODES).filter(|other| *other != node) {
                let score = rig.nodes[node].score(Link(other as u64)).unwrap();
                assert_eq!(score.total(), 0.0, "{node} of {other}");
            }
        }
    }
}
