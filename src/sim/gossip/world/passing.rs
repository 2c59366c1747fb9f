//! Time passes.

use std::time::Duration;

use super::World;
use crate::gossip::{Input, PublicationId};
use crate::policy::Micros;
use crate::sim::gossip::NodeId;
use crate::sim::gossip::events::Event;

impl World {
    /// Lets time pass.
    ///
    /// Nothing that a node does reaches another before the least time that a packet takes. For so long each
    /// node is run by itself, one after the other: what a machine needs is in the processor's cache then,
    /// which makes a world of 200 nodes a third faster. What concerns two nodes at once happens between
    /// these spans.
    pub fn run_until(&mut self, end: Micros) {
        loop {
            let (next, shared) = (self.events.next(), self.events.next_shared());
            let moment = next.into_iter().chain(shared).min();
            let Some(moment) = moment.filter(|at| *at <= end) else {
                break;
            };
            if let Some((at, event)) = self.events.pop_shared(moment) {
                self.now = at;
                self.happen(event);
            } else {
                let last = shared.map_or(end, |shared| end.min(shared - JUST_BEFORE));
                self.run_each(moment, last.min(self.alone_until(moment)));
            }
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        self.run_until(self.now + span);
    }

    /// Until when nothing reaches a node that another one does from `moment` on.
    fn alone_until(&self, moment: Micros) -> Micros {
        let nearest = self
            .nearest
            .map(|nearest| self.model.least_transit(nearest));
        (moment + nearest.unwrap_or(Duration::MAX) - JUST_BEFORE).max(moment)
    }

    fn run_each(&mut self, from: Micros, end: Micros) {
        let is_moment = from == end;
        for node in self.nodes() {
            while let Some((at, event)) = self.events.pop(node, end) {
                self.now = at;
                self.happen(event);
            }
        }
        self.now = end;
        // Where packets take time, nobody was told of something too late.
        let is_late = self.events.next().is_some_and(|at| at <= end);
        debug_assert!(!is_late || is_moment, "an event in a span that is over");
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrival(line) => self.arrive(line),
            Event::Written(node) => self.written(node),
            Event::Worked(node) => self.worked(node),
            Event::Judged(node) => self.judged(node),
            Event::Timer(node) => self.timer(node),
            Event::Published(node) => self.published(node),
            Event::Dialled(line) => self.dialled(line),
        }
    }

    /// A node publishes the first message that it was told to.
    fn published(&mut self, node: NodeId) {
        let now = self.now;
        let publishing = &mut self.nodes[node.index()].publishing;
        if let Some((_, number)) = publishing.pop_front_if(|(at, _)| *at <= now) {
            self.say(node, number);
        }
    }

    pub(super) fn say(&mut self, node: NodeId, number: u64) {
        let (id, topic) = (PublicationId(number), self.topic);
        let data = self.ledger.text(number);
        self.tell(node, Input::Publish { id, topic, data });
    }
}

/// A span of the clock's smallest step.
const JUST_BEFORE: Duration = Duration::from_micros(1);
