//! Who is whose neighbour, and the shortest paths between them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use super::dice;
use super::node::NodeId;
use super::world::World;
use crate::policy::Micros;

/// Dials are spread over this time, so that heartbeats are, too.
const DIAL_WITHIN: Duration = Duration::from_secs(1);

/// Draws for each neighbour that is looked for.
const MOST_DRAWS: usize = 64;

/// Has each of these nodes dial so many others of them, at random, within a second of `from`, over
/// links whose latency is multiplied by what `factor` says of the two. Nobody is dialled twice by the
/// same, or by whom it dialled itself.
pub(super) fn connect_randomly(
    world: &mut World,
    nodes: &[NodeId],
    dials: usize,
    from: Micros,
    factor: impl Fn(NodeId, NodeId) -> f64,
) {
    let mut pairs = BTreeSet::new();
    for dialler in nodes {
        let mut left = dials.min(nodes.len() / 2);
        // Where nearly all are neighbours, the last to dial may find nobody left.
        for _ in 0..dials * MOST_DRAWS {
            if left == 0 {
                break;
            }
            let listener = nodes[dice::below(world.places(), nodes.len())];
            let pair = (*dialler.min(&listener), *dialler.max(&listener));
            if listener == *dialler || !pairs.insert(pair) {
                continue;
            }
            left -= 1;
            let factor = factor(*dialler, listener);
            connect_soon(world, *dialler, listener, from, factor);
        }
    }
}

/// Has one node dial another at a moment within a second of `from`, over a link whose latency is
/// multiplied by `factor`.
pub(super) fn connect_soon(
    world: &mut World,
    dialler: NodeId,
    listener: NodeId,
    from: Micros,
    factor: f64,
) {
    let at = from + dice::span(world.places(), DIAL_WITHIN);
    let latency = world.draw_latency().mul_f64(factor);
    world.connect_at(at, dialler, listener, latency);
}

/// How long a packet without jitter takes from a node to every other, over all links of honest nodes
/// that run: no algorithm is faster. None where no path leads.
#[must_use]
pub fn shortest_paths(world: &World, from: NodeId) -> Vec<Option<Duration>> {
    let mut shortest = vec![None; world.nodes().count()];
    let mut heap = BinaryHeap::from([Reverse((Duration::ZERO, from))]);
    while let Some(Reverse((length, node))) = heap.pop() {
        if shortest[node.index()].is_some() {
            continue;
        }
        shortest[node.index()] = Some(length);
        for (neighbour, latency) in world.neighbours(node) {
            if shortest[neighbour.index()].is_none() && world.is_counted(neighbour) {
                heap.push(Reverse((length + latency, neighbour)));
            }
        }
    }
    shortest
}
