mod behaviour;
mod bounds;
mod colocation;
mod config;
mod farming;
mod honest;
mod model;
mod retained;
mod silent;
mod terms;
mod world;

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::*;
use crate::gossip::{Link, TopicHash};
use crate::policy::{IpGroup, Micros};

use world::{Member, World};

const A: Link = Link(1);
const B: Link = Link(2);

fn topic(number: u64) -> TopicHash {
    TopicHash::of(&format!("topic {number}"))
}

/// A network of its own for each link.
fn group(link: Link) -> IpGroup {
    let [.., a, b] = link.0.to_be_bytes();
    IpGroup::V4([8, a, b])
}

fn at(seconds: u64) -> Micros {
    Micros(0) + Duration::from_secs(seconds)
}

/// The sets that ship, the first one once more with nothing but topics without signatures, and one that counts
/// deliveries as v1.1 does.
fn sets() -> [(&'static str, ScoreConfig); 4] {
    [
        ("default", ScoreConfig::default()),
        ("unsigned", unsigned()),
        ("plain", ScoreConfig::plain()),
        ("counting", counting()),
    ]
}

fn unsigned() -> ScoreConfig {
    ScoreConfig {
        default_topic: TopicScore::unsigned(),
        ..ScoreConfig::default()
    }
}

/// The plain set with the absolute rule of v1.1: 20 messages of 200, within 10 ms after the first.
fn counting() -> ScoreConfig {
    let mut topic = TopicScore::plain();
    topic.mesh_deliveries = MeshDeliveries {
        weight: -0.1,
        decay: 0.9,
        cap: 100.0,
        window: Duration::from_millis(10),
        rule: Deliveries::Absolute {
            threshold: 20.0,
            traffic: 200.0,
            activation: Duration::from_secs(5),
        },
    };
    topic.mesh_failure = MeshFailure {
        weight: -0.1,
        decay: 0.98,
    };
    ScoreConfig {
        default_topic: topic,
        unsigned_topic: topic,
        ..ScoreConfig::plain()
    }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// From 0 to 1.
fn drawn(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

/// A board at its first heartbeat, with A and B connected.
fn board(config: ScoreConfig) -> ScoreBoard {
    let mut board = ScoreBoard::new(config);
    board.decay(Micros(0));
    board.connected(Micros(0), A, group(A));
    board.connected(Micros(0), B, group(B));
    board
}

/// A member that was asked for as many messages as are judged, and brought none; or, where deliveries
/// count absolutely, sat through as many. Says when.
fn fall_silent(board: &mut ScoreBoard, link: Link, topic: TopicHash) -> Micros {
    board.grafted(Micros(0), link, topic);
    for _ in 0..300 {
        board.first_delivery(Link(9), topic);
    }
    for _ in 0..32 {
        board.expected(link, topic, Expectation::Broken);
    }
    // Past the activation, with most of the traffic left.
    let now = match board.config().topic(&topic).mesh_deliveries.rule {
        Deliveries::Absolute { activation, .. } => Micros(1) + activation,
        Deliveries::Expected { .. } => Micros(1),
    };
    board.decay(now);
    for _ in 0..300 {
        board.first_delivery(Link(9), topic);
    }
    now
}
