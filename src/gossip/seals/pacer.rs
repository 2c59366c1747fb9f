//! When a node signs, and how many messages at a time.
//!
//! Signing whatever came while the last signature was computed forms no groups (1 000 messages a second
//! would take 971 seals). So seals are rationed: 16 at once, then 50 a second.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use crate::crypto::{
    ContentDigest, KeyHash, Leaf, LeafInput, MAX_SEAL_LEAVES, SealBody, Suite, VerifyingKey,
};
use crate::gossip::{NotPublished, PublicationId, SealingConfig, TopicHash};
use crate::policy::{Micros, TokenBucket};

/// Topics whose counters are remembered; as many as links are chosen for. About 1 MB.
pub const MAX_TOPICS_OF_PUBLISHER: usize = 4_096;

/// Bytes that wait for a seal: with the default pace, what goes out in 20 ms at 1.6 GB/s. One message
/// waits whatever its length.
pub const MAX_WAITING_BYTES: usize = 32 << 20;

/// A message that waits for its seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The program's number for it.
    pub publication: PublicationId,
    /// Milliseconds since 1970-01-01 UTC, by this node's clock.
    pub timestamp_ms: u64,
    /// What it says.
    pub data: Bytes,
}

/// A list to be signed, and its messages in the order of their leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// To be signed.
    pub body: SealBody,
    /// One a leaf.
    pub messages: Vec<Pending>,
}

/// Numbers this node's messages and groups them into seals.
///
/// A message that finds a token is sealed at once. Otherwise it waits for the next token, or until its
/// topic has 1 024 waiting. The topic that waits for the longest time takes the token: with one topic a
/// message waits 20 ms at most, with as many as wait together 20 ms for each. Full lists have
/// tokens of their own, in the same number, so that a publisher makes at most 100 seals a second and
/// 32 at once, which is what receivers admit of one publisher (100 and 64). Beyond 102 400 messages a
/// second messages pile up and [`push`](Self::push) refuses.
///
/// Counters begin at 0 in each topic and never come again in one epoch, even for a topic that was
/// forgotten; then there may be a gap.
///
/// After each `push`, call [`poll`](Self::poll) until it gives nothing, and again at
/// [`next`](Self::next). Time is monotonic.
#[derive(Debug, Clone)]
pub struct Pacer {
    author: Author,
    config: SealingConfig,
    tokens: TokenBucket,
    /// For lists of [`MAX_SEAL_LEAVES`] alone.
    full_tokens: TokenBucket,
    topics: BTreeMap<TopicHash, Topic>,
    /// Topics with waiting messages, in the order of their turns.
    turns: BTreeMap<u64, TopicHash>,
    /// Those of the turns that have a full list.
    full: BTreeSet<u64>,
    next_serial: u64,
    /// Where the counters of a topic begin that is not remembered.
    first_counter: u64,
    waiting: usize,
    waiting_bytes: usize,
}

#[derive(Debug, Clone)]
struct Author {
    network: [u8; 32],
    suite: Suite,
    publisher: KeyHash,
    epoch: u64,
}

#[derive(Debug, Clone)]
struct Topic {
    /// Counter of the next message to come.
    next_counter: u64,
    /// When the last message came, by serial.
    last_used: u64,
    /// Since when messages wait, by serial.
    turn: Option<u64>,
    queue: VecDeque<Waiting>,
}

#[derive(Debug, Clone)]
struct Waiting {
    leaf: Leaf,
    message: Pending,
}

impl Pacer {
    /// For a publisher that begins an epoch now.
    #[must_use]
    pub fn new(
        config: SealingConfig,
        network: [u8; 32],
        key: &VerifyingKey,
        epoch: u64,
        now: Micros,
    ) -> Self {
        let author = Author {
            network,
            suite: key.suite(),
            publisher: key.hash(),
            epoch,
        };
        let tokens = TokenBucket::new(config.burst, config.per_second, now);
        Self {
            author,
            config,
            full_tokens: tokens.clone(),
            tokens,
            topics: BTreeMap::new(),
            turns: BTreeMap::new(),
            full: BTreeSet::new(),
            next_serial: 0,
            first_counter: 0,
            waiting: 0,
            waiting_bytes: 0,
        }
    }

    /// Takes a message and gives its leaf, which is its id. It is numbered from now on.
    ///
    /// # Errors
    /// [`NotPublished::Busy`] if as many messages, bytes or topics wait as may.
    pub fn push(&mut self, topic: TopicHash, message: Pending) -> Result<Leaf, NotPublished> {
        let bytes = self.waiting_bytes.saturating_add(message.data.len());
        let is_too_long = bytes > MAX_WAITING_BYTES && self.waiting > 0;
        if self.waiting >= self.config.max_waiting || is_too_long {
            return Err(NotPublished::Busy);
        }
        self.remember(topic)?;
        let entry = self.topics.get_mut(&topic).ok_or(NotPublished::Busy)?;
        let counter = entry.next_counter;
        // 2^64 messages are never reached; if they were, no counter would come twice.
        entry.next_counter = counter.checked_add(1).ok_or(NotPublished::Busy)?;

        let leaf = self.author.leaf(&topic, counter, &message);
        entry.queue.push_back(Waiting { leaf, message });
        entry.last_used = self.next_serial;
        self.waiting = self.waiting.saturating_add(1);
        self.waiting_bytes = bytes;
        self.enlist(topic);
        Ok(leaf)
    }

    /// The next list to be signed, if there is one whose time has come.
    pub fn poll(&mut self, now: Micros) -> Option<Batch> {
        let first = *self.turns.first_key_value()?.0;
        if self.tokens.try_take(1, now) {
            return self.take(first);
        }
        let first = *self.full.first()?;
        if !self.full_tokens.try_take(1, now) {
            return None;
        }
        if self.turns.len() == 1 && self.full_tokens.available(now) > 0 {
            self.restart(now);
        }
        self.take(first)
    }

    /// When there is something to [`poll`](Self::poll), if nothing is pushed before.
    #[must_use]
    pub fn next(&mut self, now: Micros) -> Option<Micros> {
        self.turns.first_key_value()?;
        let token = self.tokens.ready_at(1, now);
        let full_token = match self.full.first() {
            Some(_) => self.full_tokens.ready_at(1, now),
            None => None,
        };
        [token, full_token].into_iter().flatten().min()
    }

    /// When the message was said that has waited for the longest time.
    #[must_use]
    pub fn oldest_ms(&self) -> Option<u64> {
        let (_, topic) = self.turns.first_key_value()?;
        let oldest = self.topics.get(topic)?.queue.front()?;
        Some(oldest.message.timestamp_ms)
    }

    /// Messages that wait for a seal.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Makes sure that a topic has a counter.
    fn remember(&mut self, topic: TopicHash) -> Result<(), NotPublished> {
        if self.topics.contains_key(&topic) {
            return Ok(());
        }
        if self.topics.len() >= MAX_TOPICS_OF_PUBLISHER {
            self.forget_one()?;
        }
        let new = Topic {
            next_counter: self.first_counter,
            last_used: self.next_serial,
            turn: None,
            queue: VecDeque::new(),
        };
        self.topics.insert(topic, new);
        Ok(())
    }

    /// Forgets the topic that was silent for the longest time. Should it come back, its counters go on
    /// behind those of all that were forgotten.
    fn forget_one(&mut self) -> Result<(), NotPublished> {
        let silent = self.topics.iter().filter(|(_, one)| one.queue.is_empty());
        let oldest = silent.min_by_key(|(_, one)| one.last_used);
        let (topic, used) = oldest
            .map(|(topic, one)| (*topic, one.next_counter))
            .ok_or(NotPublished::Busy)?;
        self.topics.remove(&topic);
        self.first_counter = self.first_counter.max(used);
        Ok(())
    }

    /// Gives a topic with waiting messages a turn, if it has none.
    fn enlist(&mut self, topic: TopicHash) {
        let Some(entry) = self.topics.get_mut(&topic) else {
            return;
        };
        if entry.queue.is_empty() {
            return;
        }
        let serial = self.next_serial;
        self.next_serial = serial.saturating_add(1);
        let turn = *entry.turn.get_or_insert(serial);
        self.turns.insert(turn, topic);
        if entry.queue.len() >= MAX_SEAL_LEAVES {
            self.full.insert(turn);
        }
    }

    /// A full list went out between two tokens, and no other topic waits: the next token is counted from
    /// now, so that a full list and the few messages behind it do not make two seals of one. Not when
    /// tokens are short, and every one is needed.
    fn restart(&mut self, now: Micros) {
        let SealingConfig {
            burst, per_second, ..
        } = self.config;
        self.tokens = TokenBucket::new(burst, per_second, now);
        self.tokens.try_take(burst, now);
    }

    /// Takes a list off the topic whose turn this is. What it leaves waits for another turn, behind the
    /// other topics.
    fn take(&mut self, turn: u64) -> Option<Batch> {
        let topic = self.turns.remove(&turn)?;
        self.full.remove(&turn);
        let entry = self.topics.get_mut(&topic)?;
        entry.turn = None;
        let first = entry.next_counter.checked_sub(entry.queue.len() as u64)?;
        let count = entry.queue.len().min(MAX_SEAL_LEAVES);
        let (mut leaves, mut messages) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for waiting in entry.queue.drain(..count) {
            self.waiting = self.waiting.saturating_sub(1);
            self.waiting_bytes = self
                .waiting_bytes
                .saturating_sub(waiting.message.data.len());
            leaves.push(waiting.leaf.0);
            messages.push(waiting.message);
        }
        self.enlist(topic);
        let body = self.author.list(&topic, first, leaves)?;
        Some(Batch { body, messages })
    }
}

impl Author {
    fn leaf(&self, topic: &TopicHash, counter: u64, message: &Pending) -> Leaf {
        let input = LeafInput {
            network: &self.network,
            topic: topic.as_bytes(),
            publisher: self.publisher,
            epoch: self.epoch,
            counter,
            timestamp_ms: message.timestamp_ms,
            content: ContentDigest::of(&message.data),
        };
        input.leaf()
    }

    /// `None` for an empty list, one that is too long, and one beyond the last counter: none of which
    /// is ever asked for.
    fn list(&self, topic: &TopicHash, first: u64, leaves: Vec<[u8; 32]>) -> Option<SealBody> {
        let Self {
            suite,
            publisher,
            epoch,
            ..
        } = *self;
        SealBody::new(suite, publisher, *topic.as_bytes(), epoch, first, leaves).ok()
    }
}
