//! Messages of others, as they come from the streams.

use std::sync::Arc;

use bytes::Bytes;

use super::parcel::{Content, Parcel, Proof};
use super::publish::unsigned_id;
use super::store::{Offered, State};
use super::{Fault, Gossip, Link, TopicHash};
use crate::crypto::Leaf;
use crate::gossip::replay::Judgement;
use crate::gossip::seals::{self, SealState, SharedSeal};
use crate::wire::Violation;
use crate::wire::codec::{WireType, decode, keep};
use crate::wire::message::gossip::{self as wire, MessageId};

/// Seals under which one message waits to be proven: one is true, and a few may be forged. Further ones
/// are not looked at.
const MAX_OFFERED: usize = 4;

/// Bytes of messages of one neighbour whose seals are not verified yet, with the place that each takes: a seal
/// waits a second at most, in which an honest neighbour sends less than this under new seals.
pub(super) const MAX_UNPROVEN_BYTES: usize = 4 << 20;

impl Gossip {
    pub(super) fn on_message(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: wire::Message = self.decode_sealed(link, body)?;
        let Some(neighbour) = self.neighbours.get(&link) else {
            return Ok(());
        };
        let seal = neighbour.received.seal(frame.seal)?.clone();
        let hash = TopicHash::from_bytes(*seal.body().topic());
        let leaf = self.leaf(link, &seal, frame.index)?;
        let check = |gossip: &mut Self| {
            let listed = seals::check_message(&gossip.network, &seal, &frame);
            if listed.is_err() {
                gossip.score.invalid(link, hash);
            }
            listed
        };
        if self.counts(link, &leaf.0) || self.is_of_other_size(&leaf.0, frame.data.as_bytes()) {
            // Nobody has credit for a message that it does not have.
            check(self)?;
        }
        if let Some(sources) = &mut self.sources {
            sources.sent(&(hash, seal.publisher()), link);
        }
        if !self.is_wanted(link, &leaf.0, &hash)? {
            return Ok(());
        }
        let proof = Proof {
            listed: check(self)?,
            index: frame.index,
        };
        let parcel = Parcel {
            id: leaf.0,
            topic: hash,
            proof: Some(proof),
            content: Content::Whole(keep(frame.data.into_bytes(), body.len())),
        };
        self.arrived(link, parcel.shared());
        Ok(())
    }

    /// The leaf to which a frame refers: who passes one on that is not there cannot have looked.
    pub(super) fn leaf(
        &mut self,
        link: Link,
        seal: &SharedSeal,
        index: u16,
    ) -> Result<Leaf, Fault> {
        let leaf = seal.body().leaf(index);
        if leaf.is_none() {
            let topic = TopicHash::from_bytes(*seal.body().topic());
            self.score.invalid(link, topic);
        }
        leaf.ok_or(Fault::NotInSeal)
    }

    pub(super) fn on_unsigned(&mut self, link: Link, body: &Bytes) -> Result<(), Fault> {
        let frame: wire::Unsigned = decode(body).inspect_err(|_| {
            let ordinal = first_number(body);
            let topic = ordinal.and_then(|ordinal| self.ours(link, ordinal).ok().flatten());
            self.undecodable(link, topic);
        })?;
        let Some(topic) = self.ours(link, frame.topic)? else {
            return Ok(());
        };
        if !self.topics.get(&topic).is_some_and(|one| one.is_unsigned()) {
            return Err(Fault::WrongTopic);
        }
        let data = frame.data.into_bytes();
        let id = unsigned_id(&self.network, &topic, &data);
        if self.is_repeated(link, &id, &topic) {
            return Ok(());
        }
        let parcel = Parcel {
            id,
            topic,
            proof: None,
            content: Content::Whole(keep(data, body.len())),
        };
        self.arrived(link, parcel.shared());
        Ok(())
    }

    /// The frame of a sealed message, or of a header.
    pub(super) fn decode_sealed<T: WireType>(
        &mut self,
        link: Link,
        body: &Bytes,
    ) -> Result<T, Violation> {
        decode(body).inspect_err(|_| {
            let received = self.neighbours.get(&link).map(|one| &one.received);
            let seal = received.zip(first_number(body));
            let seal = seal.and_then(|(received, ordinal)| received.seal(ordinal).ok());
            self.undecodable(link, seal.map(SharedSeal::topic));
        })
    }

    /// A neighbour sent a message that does not decode, on a topic if that much can be read of it.
    fn undecodable(&mut self, link: Link, topic: Option<TopicHash>) {
        match topic {
            Some(topic) => self.score.invalid(link, topic),
            None => self.score.misbehaved(link, 1),
        }
    }

    /// Whether a sealed message is new, and of a topic that this node subscribed to.
    pub(super) fn is_wanted(
        &mut self,
        link: Link,
        id: &MessageId,
        topic: &TopicHash,
    ) -> Result<bool, Fault> {
        if self.is_repeated(link, id, topic) {
            return Ok(false);
        }
        match self.topics.get(topic) {
            Some(topic) if topic.is_subscribed() && topic.is_unsigned() => Err(Fault::WrongTopic),
            Some(topic) => Ok(topic.is_subscribed()),
            None => Ok(false),
        }
    }

    /// Whether a message is here with another content: who echoes a name has less to send than who brings the message.
    fn is_of_other_size(&self, id: &MessageId, data: &[u8]) -> bool {
        let state = self.store.get(id).map(|entry| &entry.state);
        let Some(State::Held(parcel) | State::Waiting(parcel, _)) = state else {
            return false;
        };
        matches!(&parcel.content, Content::Whole(known) if known.len() != data.len())
    }

    /// Whether it matters that a neighbour brings a message that is here: it was asked for it, or is audited or
    /// tried; or where the mesh alone decides it may still be. All others bring copies that nobody reads.
    pub(super) fn counts(&self, link: Link, id: &MessageId) -> bool {
        let entry = self.store.get(id);
        let is_waiting = entry.is_some_and(|one| matches!(one.state, State::Waiting(..)));
        self.store.is_known(id)
            && (self.pulls.is_promised(link, id)
                || entry.is_some_and(|one| one.is_audited(link))
                || (is_waiting && self.sources.is_none()))
    }

    /// Whether a message was here before, and proven. Who brings it is known to have it.
    fn is_repeated(&mut self, link: Link, id: &MessageId, topic: &TopicHash) -> bool {
        let was_asked = self.fulfilled(link, id);
        if let Some(entry) = self.store.get_mut(id).filter(|_| !was_asked) {
            entry.sent_by(link);
        }
        if !self.store.is_known(id) {
            return false;
        }
        let now = self.now.mono;
        if self.sighted(link, topic, id, !was_asked)
            && let Some(first) = self.store.get(id).and_then(|entry| entry.first)
        {
            self.score.duplicate(now, link, *topic, first);
        }
        match self.store.get_mut(id).map(|entry| &mut entry.state) {
            Some(State::Waiting(_, from)) if !from.contains(&link) => from.push(link),
            Some(State::Rejected(blamed)) if !blamed.contains(&link) => {
                blamed.push(link);
                // Programs may differ for a moment: that costs score, and is no fault.
                self.score.invalid(link, *topic);
            }
            _ => {}
        }
        true
    }

    /// A message is here, and nothing proves it yet.
    pub(super) fn arrived(&mut self, link: Link, parcel: Arc<Parcel>) {
        let id = parcel.id;
        match self.judgement(&parcel) {
            // It may come again when it is not. Its seal is not looked at, so that nothing is believed of it:
            // neither that it is on its way nor that its neighbour brings messages.
            Some(Judgement::TooNew) => return,
            // Its name says when and by whom it was said: no seal makes it newer, and nobody need ask for it.
            Some(judgement) if judgement.is_final() => return self.store.drop_missing(&id),
            Some(_) | None => {}
        }
        let Some(proof) = &parcel.proof else {
            if self.enters(link, &parcel) {
                self.store
                    .set(&id, State::Waiting(parcel.clone(), vec![link]));
                self.proven(&id);
            }
            return;
        };
        let seal = proof.seal().clone();
        if !self.has_place_beside(link, &parcel) || !self.enters(link, &parcel) {
            return;
        }
        self.put_beside(link, &parcel);
        match self.seals.state(&seal.id()) {
            SealState::Valid => self.prove(&id, &seal.id()),
            SealState::Invalid => self.disprove(&[id], &seal.id(), &[link]),
            SealState::BeingVerified => self.checks.wait(&seal, id, link),
            SealState::Unknown => {
                self.checks.wait(&seal, id, link);
                self.offer(link, &seal);
            }
        }
    }

    /// A message is taken in, unless it was seen and forgotten. Who brings it is known to have it.
    fn enters(&mut self, link: Link, parcel: &Parcel) -> bool {
        let Some(entry) = self.store.arrive(parcel.id) else {
            return false;
        };
        let was_asked = entry.was_asked_of(link);
        if !was_asked {
            entry.sent_by(link);
        }
        self.sighted(link, &parcel.topic, &parcel.id, !was_asked);
        true
    }

    /// Whether a message may be kept with the seal under which it came: not if there are too many beside it
    /// already, or if its neighbour brought too much that is not proven. It may come again.
    fn has_place_beside(&self, link: Link, parcel: &Parcel) -> bool {
        if self.checks.unproven(link) + parcel.cost() > MAX_UNPROVEN_BYTES {
            return false;
        }
        let entry = self.store.get(&parcel.id);
        let Some(State::Unproven(others)) = entry.map(|entry| &entry.state) else {
            return true;
        };
        let seal = parcel.proof.as_ref().map(|proof| proof.seal().id());
        others.len() < MAX_OFFERED || others.iter().any(|other| other.seal() == seal)
    }

    /// Keeps a message with the seal under which it came.
    fn put_beside(&mut self, link: Link, parcel: &Arc<Parcel>) {
        let (id, bytes) = (parcel.id, parcel.cost());
        let seal = parcel.proof.as_ref().map(|proof| proof.seal().id());
        let offered = Offered {
            parcel: parcel.clone(),
            from: vec![link],
        };
        match self.store.get_mut(&id).map(|entry| &mut entry.state) {
            Some(State::Unproven(others)) => {
                if let Some(same) = others.iter_mut().find(|other| other.seal() == seal) {
                    // An answer may come beside what was sent unasked.
                    if !same.from.contains(&link) {
                        same.from.push(link);
                    }
                    return;
                }
                others.push(offered);
            }
            _ => _ = self.store.set(&id, State::Unproven(vec![offered])),
        }
        self.checks.hold(link, bytes);
    }

    pub(super) fn judgement(&self, parcel: &Parcel) -> Option<Judgement> {
        let proof = parcel.proof.as_ref()?;
        Some(self.replay.judge(self.now, &proof.listed))
    }
}

/// The number with which a body begins, if that much of it can be read: its length stands in its first byte.
fn first_number(body: &Bytes) -> Option<u64> {
    const LENGTHS: [usize; 4] = [1, 3, 5, 9];
    let fitting = LENGTHS.into_iter().filter(|length| *length <= body.len());
    fitting
        .filter_map(|length| decode(&body.slice(..length)).ok())
        .next()
}
