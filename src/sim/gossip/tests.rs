//! The model itself: a simulator that lies is worse than none.

mod attackers;
mod counting;
mod flood;
mod lines;
mod lives;
mod numbers;
mod passing;
mod probe;
mod processors;
mod runs;
mod shipped;
mod sybils;
mod uplinks;

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::gossip::{Input, Link, Output};
use crate::policy::Micros;
use crate::wire::codec::{List, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{self as wire, Topics};
use flood::Flood;
use probe::{Log, Probe};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A model in which a packet takes 25 ms, and nothing is left to chance.
fn exact() -> NetworkModel {
    NetworkModel {
        spread: 0,
        jitter: 0,
        ..NetworkModel::default()
    }
}

/// A world of probes that are all connected with the first, and what they see. Its clock stands at a
/// second.
fn star(seed: u64, model: NetworkModel, probes: u32) -> (World, Vec<Log>) {
    let mut world = World::new(seed, model);
    let mut logs = Vec::new();
    for number in 0..probes {
        let log = Log::default();
        let probe = |_| Box::new(Probe::new(&log)) as Box<dyn Machine>;
        world.add(Role::Honest, &Settings::default(), &probe);
        logs.push(log);
        if number > 0 {
            world.connect(NodeId(0), NodeId(number));
        }
    }
    world.run_until(Micros(1_000_000));
    logs.iter().for_each(Log::clear);
    (world, logs)
}

/// A frame that a node may send, of so many bytes in all.
fn frame(bytes: usize) -> Bytes {
    // The length takes one byte, two or four, the type one.
    let head = match bytes {
        0..=64 => 2,
        65..=16_385 => 3,
        _ => 5,
    };
    let mut out = BytesMut::new();
    encode_frame(wire::MESSAGE, &vec![0; bytes - head], &mut out);
    assert_eq!(out.len(), bytes);
    out.freeze()
}

fn graft() -> Bytes {
    let mut out = BytesMut::new();
    let topics = List::truncated([0]);
    encode_frame(wire::GRAFT, &encode(&Topics { topics }), &mut out);
    out.freeze()
}

fn batch(frames: &[Bytes]) -> Bytes {
    frames.concat().into()
}

/// A node sends a batch.
fn send(world: &mut World, from: u32, link: u64, frames: Bytes) {
    let link = Link(link);
    world.emit(NodeId(from), Output::Send { link, frames });
}

/// A world of nodes that flood, each connected with the next ones of a ring.
fn ring(seed: u64, model: NetworkModel, nodes: u32, dials: u32) -> World {
    let mut world = World::new(seed, model);
    for _ in 0..nodes {
        world.add(Role::Honest, &Settings::default(), &Flood::build);
    }
    for node in 0..nodes {
        for step in 1..=dials {
            world.connect(NodeId(node), NodeId((node + step) % nodes));
        }
    }
    world.run_until(Micros(1_000_000));
    world.take_traffic();
    world
}

/// No honest node is refused gossip by another.
fn assert_nobody_is_distrusted(scenario: &Scenario, outcome: &Outcome) {
    let threshold = scenario.settings.score.thresholds.gossip;
    println!("the lowest score is {:.1}", outcome.lowest_score);
    assert!(outcome.lowest_score >= threshold, "{threshold}");
}
