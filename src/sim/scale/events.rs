//! What will happen, in order.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::NodeId;
use crate::discovery::Input;
use crate::policy::Micros;

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: Micros,
    number: u64,
    pub(super) node: NodeId,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// A machine is told something.
    Input(Input),
    /// A machine's timer.
    Timer,
    /// The handshake of a connection that this node dials is confirmed.
    Connected(NodeId),
}

/// Events by time; those of one moment in the order in which they were planned.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    heap: BinaryHeap<Reverse<Event>>,
    next: u64,
}

impl Events {
    pub(super) fn plan(&mut self, at: Micros, node: NodeId, what: What) {
        let number = self.next;
        self.next += 1;
        self.heap.push(Reverse(Event {
            at,
            number,
            node,
            what,
        }));
    }

    pub(super) fn pop_until(&mut self, end: Micros) -> Option<Event> {
        let next = self.heap.peek()?;
        if next.0.at > end {
            return None;
        }
        self.heap.pop().map(|Reverse(event)| event)
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}
