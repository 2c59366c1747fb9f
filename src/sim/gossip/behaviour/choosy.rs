//! Forwards some messages and not others.

use std::collections::VecDeque;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::gossip::{Input, Link, Message, Output, TopicHash, Verdict};
use crate::identity::PeerId;
use crate::policy::{Micros, Now};
use crate::sim::gossip::{Machine, dice};

/// Which messages an attacker drops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Choice {
    /// Those of one publisher.
    Of(PeerId),
    /// This share of all, at random.
    Share(f64),
}

/// An honest machine whose program has no use for some messages, so that they are neither passed on
/// nor announced; it takes all of them.
#[derive(Debug)]
pub struct Choosy {
    inner: Box<dyn Machine>,
    drops: Choice,
    rng: ChaCha8Rng,
    now: Now,
    /// Verdicts for messages that the machine asked about; as many as it does between two inputs.
    verdicts: VecDeque<Input>,
}

impl Choosy {
    /// Drops these; chance comes from `seed`.
    #[must_use]
    pub fn new(inner: Box<dyn Machine>, drops: Choice, seed: [u8; 32]) -> Self {
        Self {
            inner,
            drops,
            rng: ChaCha8Rng::from_seed(seed),
            now: Now::default(),
            verdicts: VecDeque::new(),
        }
    }

    fn judge(&mut self, message: &Message) -> Verdict {
        let is_dropped = match self.drops {
            Choice::Of(target) => message
                .source
                .is_some_and(|source| source.publisher == target),
            Choice::Share(dropped) => dice::share(&mut self.rng) < dropped,
        };
        if is_dropped {
            Verdict::Ignore
        } else {
            Verdict::Accept
        }
    }
}

impl Machine for Choosy {
    fn handle(&mut self, now: Now, mut input: Input) {
        self.now = now;
        if let Input::Subscribe { options, .. } = &mut input {
            options.is_judged = true;
        }
        self.inner.handle(now, input);
    }

    fn poll_output(&mut self) -> Option<Output> {
        loop {
            match self.inner.poll_output() {
                Some(Output::Judge(message)) => {
                    let (id, verdict) = (message.id, self.judge(&message));
                    self.verdicts.push_back(Input::Judged { id, verdict });
                }
                Some(output) => return Some(output),
                None => {
                    let verdict = self.verdicts.pop_front()?;
                    self.inner.handle(self.now, verdict);
                }
            }
        }
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.inner.poll_timeout()
    }

    fn mesh(&self, topic: &TopicHash) -> Vec<Link> {
        self.inner.mesh(topic)
    }
}
