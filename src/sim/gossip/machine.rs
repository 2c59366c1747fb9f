//! What may stand in a node's place.

use std::fmt;

use crate::gossip::{Gossip, GossipConfig, Input, Link, Output, ScoreConfig, Setup, TopicHash};
use crate::policy::{Micros, Now};

/// A gossip machine, an attacker, or whatever a test puts in its place.
///
/// It is handed inputs, then its outputs are drained, then it is asked for its timeout.
pub trait Machine: fmt::Debug {
    /// Takes an input.
    fn handle(&mut self, now: Now, input: Input);

    /// Takes what comes at once, in this order.
    fn handle_all(&mut self, now: Now, inputs: Vec<Input>) {
        for input in inputs {
            self.handle(now, input);
        }
    }

    /// The next thing that it wants done.
    fn poll_output(&mut self) -> Option<Output>;

    /// When it is to be told the time.
    fn poll_timeout(&self) -> Option<Micros>;

    /// The neighbours in its mesh of a topic.
    fn mesh(&self, topic: &TopicHash) -> Vec<Link>;

    /// The score of a neighbour; none if nobody is judged here.
    fn score(&self, _link: Link) -> Option<f64> {
        None
    }

    /// Bytes that wait for a neighbour.
    fn waiting(&self, _link: Link) -> usize {
        0
    }
}

/// Makes the machine of a node that starts.
pub type Build<'a> = &'a dyn Fn(Setup) -> Box<dyn Machine>;

impl Machine for Gossip {
    fn handle(&mut self, now: Now, input: Input) {
        Self::handle(self, now, input);
    }

    fn handle_all(&mut self, now: Now, inputs: Vec<Input>) {
        Self::handle_all(self, now, inputs);
    }

    fn poll_output(&mut self) -> Option<Output> {
        Self::poll_output(self)
    }

    fn poll_timeout(&self) -> Option<Micros> {
        Self::poll_timeout(self)
    }

    fn mesh(&self, topic: &TopicHash) -> Vec<Link> {
        Self::mesh(self, topic).collect()
    }

    fn score(&self, link: Link) -> Option<f64> {
        Some(Self::score(self, link)?.total())
    }

    fn waiting(&self, link: Link) -> usize {
        Self::waiting(self, link)
    }
}

/// The machine that ships.
#[must_use]
pub fn shipped(setup: Setup) -> Box<dyn Machine> {
    Box::new(Gossip::new(setup))
}

/// How the machines of a run work, and how they judge their neighbours. The default ships.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How they work.
    pub gossip: GossipConfig,
    /// How they judge.
    pub score: ScoreConfig,
}

impl Settings {
    /// Plain GossipSub v1.1: the control arm.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            gossip: GossipConfig::plain(),
            score: ScoreConfig::plain(),
        }
    }
}
