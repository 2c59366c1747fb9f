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
    /// The handshake of a connection is done at its dialler; this is its line from there.
    Dialled(LineId),
}

/// Events by time; those of one moment in the order in which they were planned.
///
/// There are tens of millions of them in a run: they are 24 bytes each, and of each queue only the
/// first element is planned.
#[derive(Debug, Default)]
pub(super) struct Events {
    heap: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    planned: u64,
}

impl Events {
    pub(super) fn plan(&mut self, at: Micros, event: Event) {
        self.heap.push(Reverse((at, self.planned, event)));
        self.planned += 1;
    }

    pub(super) fn pop_until(&mut self, end: Micros) -> Option<(Micros, Event)> {
        let Reverse((at, ..)) = *self.heap.peek()?;
        if at > end {
            return None;
        }
        let Reverse((at, _, event)) = self.heap.pop()?;
        Some((at, event))
    }
}
