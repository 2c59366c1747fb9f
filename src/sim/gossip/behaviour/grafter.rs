//! Wants to be in every mesh and does nothing there.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::gossip::{Input, Link, Output, TopicHash};
use crate::policy::{Micros, Now};
use crate::sim::gossip::{Machine, dice};
use crate::wire::codec::{List, WireType, decode, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{self as wire, Prune, Subscribe, TopicOrdinal, Topics};

/// The only subscription that a node of the simulation makes.
const TOPIC: TopicOrdinal = 0;

/// It waits so much longer than it was told to before it grafts again, at most: the attackers of
/// `gossipsub-hardening` do the same.
const PATIENCE: Duration = Duration::from_secs(15);

/// An attacker without a machine. It subscribes to what its neighbours do, grafts itself into their
/// meshes, does so again when it may, and drops all that it is sent.
#[derive(Debug)]
pub struct Grafter {
    topic: Option<TopicHash>,
    rng: ChaCha8Rng,
    /// Whom it grafts when: one entry a neighbour that pruned it.
    again: BTreeSet<(Micros, Link)>,
    outputs: VecDeque<Output>,
}

impl Grafter {
    /// Chance comes from `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            topic: None,
            rng: ChaCha8Rng::from_seed(seed),
            again: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    fn say<T: WireType>(&mut self, link: Link, kind: u8, message: &T) {
        let mut frames = BytesMut::new();
        encode_frame(kind, &encode(message), &mut frames);
        let frames = frames.freeze();
        self.outputs.push_back(Output::Send { link, frames });
    }

    /// It was pruned, and comes back.
    fn wait(&mut self, now: Micros, link: Link, body: &Bytes) {
        let Ok(prune) = decode::<Prune>(body) else {
            return;
        };
        let told = Duration::from_secs(prune.backoff_s.into());
        let wait = told + dice::span(&mut self.rng, PATIENCE);
        self.again.retain(|(_, other)| *other != link);
        self.again.insert((now + wait, link));
    }

    fn graft(&mut self, link: Link) {
        let topics = List::truncated([TOPIC]);
        self.say(link, wire::GRAFT, &Topics { topics });
    }
}

impl Machine for Grafter {
    fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Subscribe { topic, .. } => self.topic = Some(topic),
            Input::Connected { link, .. } => {
                let topics = self.topic.iter().map(|topic| *topic.as_bytes());
                let topics = List::truncated(topics);
                self.say(link, wire::SUBSCRIBE, &Subscribe { topics });
            }
            Input::Disconnected(gone) => self.again.retain(|(_, link)| *link != gone),
            Input::Frame { link, kind, body } => match kind {
                wire::SUBSCRIBE => self.graft(link),
                wire::PRUNE => self.wait(now.mono, link, &body),
                _ => {}
            },
            Input::Timer => {
                while let Some((at, link)) = self.again.first().copied()
                    && at <= now.mono
                {
                    self.again.pop_first();
                    self.graft(link);
                }
            }
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Micros> {
        self.again.first().map(|(at, _)| *at)
    }

    fn mesh(&self, _: &TopicHash) -> Vec<Link> {
        Vec::new()
    }
}
