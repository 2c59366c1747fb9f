//! What will happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::line::LineId;
use super::node::NodeId;
use crate::policy::Micros;

/// What happens at a moment. What it needs lies in the queue of the line or the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// The first that is under way on a line arrives.
    Arrival(LineId),
    /// The first that waits at a node's uplink has left.
    Written(NodeId),
    /// A node's core is done with its first job.
    Worked(NodeId),
    /// The program of a node has judged the first message that waits for it.
    Judged(NodeId),
    /// A machine's timer.
    Timer(NodeId),
    /// The program of a node publishes the first message that it was told to.
    Published(NodeId),
    /// The handshake of a connection is done at its dialler; this is its line from there.
    Dialled(LineId),
}

/// Events of one queue by time; those of one moment in the order in which they were planned.
///
/// There are tens of millions of them in a run: they are 24 bytes each, and of each queue of a line or a
/// node only the first element is planned.
#[derive(Debug, Default)]
struct Queue(BinaryHeap<Reverse<(Micros, u64, Event)>>);

impl Queue {
    fn next(&self) -> Option<Micros> {
        let Reverse((at, ..)) = self.0.peek()?;
        Some(*at)
    }

    fn pop_until(&mut self, end: Micros) -> Option<(Micros, Event)> {
        self.next().filter(|at| *at <= end)?;
        let Reverse((at, _, event)) = self.0.pop()?;
        Some((at, event))
    }
}

/// All events: those that concern one node alone, by node, and the others.
#[derive(Debug, Default)]
pub(super) struct Events {
    own: Vec<Queue>,
    shared: Queue,
    planned: u64,
}

impl Events {
    pub(super) fn plan(&mut self, at: Micros, node: NodeId, event: Event) {
        if self.own.len() <= node.index() {
            self.own.resize_with(node.index() + 1, Queue::default);
        }
        self.own[node.index()]
            .0
            .push(Reverse((at, self.planned, event)));
        self.planned += 1;
    }

    pub(super) fn plan_shared(&mut self, at: Micros, event: Event) {
        self.shared.0.push(Reverse((at, self.planned, event)));
        self.planned += 1;
    }

    /// When the next event is that concerns one node.
    pub(super) fn next(&self) -> Option<Micros> {
        self.own.iter().filter_map(Queue::next).min()
    }

    /// When the next event is that concerns several.
    pub(super) fn next_shared(&self) -> Option<Micros> {
        self.shared.next()
    }

    pub(super) fn pop_shared(&mut self, end: Micros) -> Option<(Micros, Event)> {
        self.shared.pop_until(end)
    }

    pub(super) fn pop(&mut self, node: NodeId, end: Micros) -> Option<(Micros, Event)> {
        self.own.get_mut(node.index())?.pop_until(end)
    }
}
