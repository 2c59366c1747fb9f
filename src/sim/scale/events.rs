//! What will happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::NodeId;
use crate::discovery::Input;
use crate::policy::Micros;

#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: Micros,
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
    /// A stranger dialled this node.
    Came(NodeId),
    /// It closes its connection.
    Left(NodeId),
}

/// Events by time; those of one moment in the order in which they were planned.
///
/// The heap sorts times and places only: what happens lies still until then.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    heap: BinaryHeap<Reverse<(Micros, u64, usize)>>,
    planned: Vec<Option<(NodeId, What)>>,
    /// Places in `planned` that are free.
    free: Vec<usize>,
    next: u64,
}

impl Events {
    pub(super) fn plan(&mut self, at: Micros, node: NodeId, what: What) {
        let planned = Some((node, what));
        let place = match self.free.pop() {
            Some(place) => {
                self.planned[place] = planned;
                place
            }
            None => {
                self.planned.push(planned);
                self.planned.len() - 1
            }
        };
        self.heap.push(Reverse((at, self.next, place)));
        self.next += 1;
    }

    pub(super) fn pop_until(&mut self, end: Micros) -> Option<Event> {
        let Reverse((at, _, place)) = *self.heap.peek()?;
        if at > end {
            return None;
        }
        self.heap.pop();
        self.free.push(place);
        let (node, what) = self.planned.get_mut(place)?.take()?;
        Some(Event { at, node, what })
    }
}
