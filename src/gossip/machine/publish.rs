//! What this node says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::outbox::{Outbox, Priority};
use super::parcel::{Content, Parcel, Proof};
use super::store::State;
use super::topic::Topic;
use super::{Gossip, NotPublished, Output, PublicationId, Published, SigningId, TopicHash};
use crate::crypto::{Label, Signature, derive_key};
use crate::gossip::large::Outline;
use crate::gossip::seals::{Batch, Pending, SharedSeal};
use crate::policy::Micros;
use crate::wire::message::gossip::{MAX_DATA, MAX_LARGE};

/// No more is taken while a message waits for its seal for so long: what is older than two minutes when it
/// comes is not accepted anywhere.
pub(super) const MAX_WAIT_MS: u64 = 10_000;

/// Leaf lists that are being signed.
#[derive(Debug, Default)]
pub(super) struct Signing {
    next: u64,
    batches: BTreeMap<SigningId, Batch>,
}

impl Gossip {
    pub(super) fn publish(&mut self, publication: PublicationId, hash: TopicHash, data: Bytes) {
        let is_unsigned = self.topics.get(&hash).is_some_and(Topic::is_unsigned);
        // Without a seal nothing says what the chunks are.
        let limit = if is_unsigned { MAX_DATA } else { MAX_LARGE };
        if data.len() > limit {
            let refused = NotPublished::TooLong { limit };
            return self.published(publication, Err(refused));
        }
        let topic = self.topics.entry(hash).or_default();
        topic.published = self.now.mono;
        if !topic.is_subscribed() {
            self.fill_fanout(&hash);
        }
        if is_unsigned {
            return self.publish_unsigned(publication, hash, data);
        }
        let waits_since = self.pacer.oldest_ms().unwrap_or(self.now.wall.0);
        if self.now.wall.0.saturating_sub(waits_since) >= MAX_WAIT_MS {
            return self.published(publication, Err(NotPublished::Busy));
        }
        let pending = Pending {
            publication,
            timestamp_ms: self.now.wall.0,
            data,
        };
        if let Err(reason) = self.pacer.push(hash, pending) {
            self.published(publication, Err(reason));
        }
    }

    fn publish_unsigned(&mut self, publication: PublicationId, topic: TopicHash, data: Bytes) {
        let id = unsigned_id(&self.network, &topic, &data);
        if self.store.is_known(&id) {
            return self.published(publication, Err(NotPublished::Duplicate));
        }
        let parcel = Parcel {
            id,
            topic,
            proof: None,
            content: Content::Whole(data),
        };
        self.say(publication, parcel);
    }

    /// Has leaf lists signed whose turn it is, unless there is no room for their messages.
    pub(super) fn seal_waiting(&mut self) {
        while !self.is_congested()
            && let Some(batch) = self.pacer.poll(self.now.mono)
        {
            let id = SigningId(self.signing.next);
            self.signing.next += 1;
            let body = batch.body.clone();
            self.signing.batches.insert(id, batch);
            self.outputs.push_back(Output::Sign { id, body });
        }
    }

    /// When the next list is to be signed. Room is made by neighbours that read: nothing is to be waited for
    /// then.
    pub(super) fn next_seal(&mut self) -> Option<Micros> {
        if self.is_congested() {
            return None;
        }
        self.pacer.next(self.now.mono)
    }

    /// Whether this node says more than its neighbours take: most of them, and all but a few, have no room for
    /// what it has said already, or little, and a list of more is being signed. What it says then waits for its
    /// seal, and the program is refused when too much does.
    ///
    /// As many as a mesh needs are enough to go on, however many others do not read: whoever has many identities
    /// would hold up this node with them.
    fn is_congested(&self) -> bool {
        if self.pacer.waiting() == 0 {
            return false;
        }
        let is_signing = !self.signing.batches.is_empty();
        let little = self.config.queue.max_bytes / 4;
        let has_room =
            |outbox: &Outbox| !outbox.owes_own() && (!is_signing || outbox.bytes() <= little);
        let neighbours = self.neighbours.values();
        let with_room = neighbours.filter(|neighbour| has_room(&neighbour.outbox));
        let with_room = with_room.count();
        with_room < self.config.mesh_n_low && with_room * 2 < self.neighbours.len()
    }

    pub(super) fn signed(&mut self, id: SigningId, signature: Option<Signature>) {
        let Some(batch) = self.signing.batches.remove(&id) else {
            return;
        };
        let topic = TopicHash::from_bytes(*batch.body.topic());
        let seal = signature.and_then(|signature| {
            let seal = batch.body.with_signature(signature);
            SharedSeal::new(&self.network, seal, self.key.clone()).ok()
        });
        let Some(seal) = seal else {
            for pending in batch.messages {
                self.published(pending.publication, Err(NotPublished::Signing));
            }
            return;
        };
        self.seals.add_own(&seal);
        for (index, pending) in (0_u16..).zip(batch.messages) {
            let Some(listed) = seal.own_message(index, pending.timestamp_ms) else {
                continue;
            };
            let mut parcel = Parcel {
                id: listed.leaf().0,
                topic,
                proof: Some(Proof { listed, index }),
                content: Content::Whole(pending.data.clone()),
            };
            if let Some(outline) = Outline::of(&pending.data).map(Arc::new) {
                parcel.content = Content::Outline(outline.clone());
                if !self.seed(&parcel, &outline, &pending.data) {
                    self.published(pending.publication, Err(NotPublished::Busy));
                    continue;
                }
            }
            self.say(pending.publication, parcel);
        }
    }

    /// Spreads a message of this node.
    fn say(&mut self, publication: PublicationId, parcel: Parcel) {
        let (id, parcel) = (parcel.id, Arc::new(parcel));
        if let Some(topic) = self.topics.get_mut(&parcel.topic) {
            topic.sized(parcel.content.bytes());
        }
        if self.store.arrive(id).is_none() {
            return self.published(publication, Err(NotPublished::Duplicate));
        }
        self.store.set(&id, State::Held(parcel.clone()));
        self.remember(&parcel);
        let neighbours = self.pass_on(&parcel, Priority::Own);
        if neighbours == 0 {
            self.unheard.add(parcel.topic, id);
        }
        self.published(publication, Ok(Published { id, neighbours }));
    }

    fn published(&mut self, publication: PublicationId, outcome: Result<Published, NotPublished>) {
        let published = Output::Published {
            publication,
            outcome,
        };
        self.outputs.push_back(published);
    }
}

/// The name of a message on an unsigned topic: whoever says the same says the same message.
pub(super) fn unsigned_id(network: &[u8; 32], topic: &TopicHash, data: &[u8]) -> [u8; 32] {
    derive_key(Label::Unsigned, &[network, topic.as_bytes(), data])
}
