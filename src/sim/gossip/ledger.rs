//! What was published, and whom it reached.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::histogram::Histogram;
use super::node::{Node, NodeId, Role};
use crate::gossip::Message;
use crate::policy::Micros;

/// The shortest message: its number in front and behind.
pub(super) const SHORTEST: usize = 2 * NUMBER_BYTES;

const NUMBER_BYTES: usize = size_of::<u64>();

/// Fills a message.
const FILLER: u8 = 0xa7;

/// A node counts as up this long after it started: its mesh stands after a second.
const SETTLED: Duration = Duration::from_secs(2);

/// A node that stops this soon after a message was published need not have got it.
const GRACE: Duration = Duration::from_secs(5);

/// A message of a publisher that stops this soon may never have left it.
const LEFT: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Publication {
    at: Micros,
    publisher: NodeId,
    stage: usize,
    /// Its machine took it.
    is_taken: bool,
    bytes: usize,
    /// One bit a node: it was delivered there.
    delivered: Box<[u64]>,
}

/// What happened to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    First,
    Repeated,
    /// It was delivered in a life of which the node knows nothing.
    Relived,
    /// A node's own message.
    Own,
    /// Nobody published it.
    Foreign,
}

/// Whom the messages of a time reached, and how fast.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Messages.
    pub published: u64,
    /// Messages that their machines refused to publish.
    pub refused: u64,
    /// Deliveries that should be: one for each message and honest node that was up when it was
    /// published and a while before and after, but for its publisher.
    pub expected: u64,
    /// Of these, those that were not.
    pub missing: u64,
    /// From publication to delivery, at honest nodes that were up when it was published.
    pub latency: Histogram,
}

impl Reach {
    /// Adds what another time counted.
    pub fn merge(&mut self, other: &Self) {
        self.published += other.published;
        self.refused += other.refused;
        self.expected += other.expected;
        self.missing += other.missing;
        self.latency.merge(&other.latency);
    }
}

/// All publications of a run, by number. A message carries its number.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    publications: Vec<Publication>,
    latency: Vec<Histogram>,
    /// What is published now belongs to this stage of the run.
    pub(super) stage: usize,
}

impl Ledger {
    /// Enters a message of so many bytes; its number.
    pub(super) fn publish(
        &mut self,
        at: Micros,
        publisher: NodeId,
        nodes: usize,
        bytes: usize,
    ) -> u64 {
        let number = self.publications.len() as u64;
        let bytes = bytes.max(SHORTEST);
        self.publications.push(Publication {
            at,
            publisher,
            stage: self.stage,
            is_taken: true,
            bytes,
            delivered: vec![0; nodes.div_ceil(64)].into(),
        });
        number
    }

    /// What a message says.
    pub(super) fn text(&self, number: u64) -> Bytes {
        let publication = usize::try_from(number)
            .ok()
            .and_then(|number| self.publications.get(number));
        let bytes = publication.map_or(SHORTEST, |publication| publication.bytes);
        let mut data = BytesMut::with_capacity(bytes);
        data.put_u64(number);
        data.put_bytes(FILLER, bytes - SHORTEST);
        data.put_u64(number);
        data.freeze()
    }

    /// A machine did not take what it was told to publish.
    pub(super) fn refuse(&mut self, number: u64) {
        if let Some(publication) = self.find(number) {
            publication.is_taken = false;
        }
    }

    /// A node delivers a message to its program.
    pub(super) fn deliver(
        &mut self,
        now: Micros,
        id: NodeId,
        message: &Message,
        nodes: &[Node],
    ) -> Delivery {
        let Some(publication) = number_of(&message.data).and_then(|number| self.find(number))
        else {
            return Delivery::Foreign;
        };
        let publisher = &nodes[publication.publisher.index()].identity.peer;
        let says = message
            .source
            .is_none_or(|source| source.publisher == *publisher);
        if !says || message.data.len() != publication.bytes {
            return Delivery::Foreign;
        }
        if publication.publisher == id {
            return Delivery::Own;
        }
        let Some(word) = publication.delivered.get_mut(id.index() / 64) else {
            return Delivery::Foreign;
        };
        let bit = 1 << (id.index() % 64);
        let was_delivered = *word & bit != 0;
        *word |= bit;
        let (at, stage) = (publication.at, publication.stage);
        if was_delivered {
            let is_same_life = nodes[id.index()].has_run_since(at);
            return if is_same_life {
                Delivery::Repeated
            } else {
                Delivery::Relived
            };
        }
        if nodes[id.index()].ran(before(at), now) {
            self.latency(stage).record(now.since(at));
        }
        Delivery::First
    }

    fn find(&mut self, number: u64) -> Option<&mut Publication> {
        self.publications.get_mut(usize::try_from(number).ok()?)
    }

    fn latency(&mut self, stage: usize) -> &mut Histogram {
        if self.latency.len() <= stage {
            self.latency.resize_with(stage + 1, Histogram::default);
        }
        &mut self.latency[stage]
    }

    /// Whom the messages of a stage reached.
    pub(super) fn reach(&self, stage: usize, nodes: &[Node]) -> Reach {
        let mut reach = Reach {
            latency: self.latency.get(stage).cloned().unwrap_or_default(),
            ..Reach::default()
        };
        let of_stage = |one: &&Publication| one.stage == stage;
        for publication in self.publications.iter().filter(of_stage) {
            reach.published += 1;
            if publication.is_taken {
                publication.count(nodes, &mut reach);
            } else {
                reach.refused += 1;
            }
        }
        reach
    }

    /// Messages that did not reach a node that was up: who said it and when, and which node. At most
    /// so many of them.
    pub(super) fn missing(&self, most: usize, nodes: &[Node]) -> Vec<(NodeId, Micros, NodeId)> {
        let taken = self.publications.iter().filter(|one| one.is_taken);
        let missing = taken.flat_map(|one| {
            let missed = one.expected(nodes).filter(|node| !one.was_delivered(*node));
            missed.map(|node| (one.publisher, one.at, node))
        });
        missing.take(most).collect()
    }
}

impl Publication {
    fn count(&self, nodes: &[Node], reach: &mut Reach) {
        for node in self.expected(nodes) {
            reach.expected += 1;
            reach.missing += u64::from(!self.was_delivered(node));
        }
    }

    /// The nodes that should have it.
    fn expected<'a>(&'a self, nodes: &'a [Node]) -> impl Iterator<Item = NodeId> + 'a {
        let publisher = &nodes[self.publisher.index()];
        let is_out = publisher.ran(self.at, self.at + LEFT);
        let numbered = (0..).map(NodeId).zip(nodes).filter(move |_| is_out);
        let expected = numbered.filter(|(id, node)| {
            let was_up = node.ran(before(self.at), self.at + GRACE);
            *id != self.publisher && node.role == Role::Honest && was_up
        });
        expected.map(|(id, _)| id)
    }

    fn was_delivered(&self, node: NodeId) -> bool {
        let word = self.delivered.get(node.index() / 64);
        word.is_some_and(|word| word >> (node.index() % 64) & 1 == 1)
    }
}

/// When a node had to be there that is up at this moment.
fn before(at: Micros) -> Micros {
    at - SETTLED
}

/// The number of the publication that a message repeats.
fn number_of(data: &Bytes) -> Option<u64> {
    let front = data.first_chunk::<NUMBER_BYTES>()?;
    let back = data.last_chunk::<NUMBER_BYTES>()?;
    (front == back).then(|| u64::from_be_bytes(*front))
}
