//! What waits for a neighbour becomes frames.

use bytes::{Bytes, BytesMut};

use super::{Outbox, Priority, Queued, cost};
use crate::gossip::config::QueueConfig;
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::parcel::{Content, Proof};
use crate::gossip::seals::Reference;
use crate::policy::Micros;
use crate::wire::codec::{List, Payload, WireType, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{
    self as wire, IDontWant, IHave, IWant, MAX_CHANGES, MAX_IDS, MAX_UNWANTED, MessageId,
    ModeChange, Modes,
};

impl Outbox {
    pub(super) fn write_control(&mut self, theirs: &Subscriptions, out: &mut BytesMut) {
        self.control_bytes = 0;
        for frame in self.frames.drain(..) {
            out.extend_from_slice(&frame);
        }
        for (hash, changes) in std::mem::take(&mut self.modes) {
            let Some(topic) = theirs.ordinal(&hash) else {
                continue;
            };
            let changes: Vec<_> = changes.into_iter().collect();
            for part in changes.chunks(MAX_CHANGES) {
                let changes = part.iter();
                let changes = changes.map(|(publisher, mode)| ModeChange {
                    publisher: *publisher,
                    mode: *mode,
                });
                let changes = List::truncated(changes);
                write_frame(wire::MODES, &Modes { topic, changes }, out);
            }
        }
        for part in std::mem::take(&mut self.wanted).chunks(MAX_IDS) {
            let ids = List::truncated(part.iter().copied());
            write_frame(wire::IWANT, &IWant { ids }, out);
            self.asked.extend(part);
        }
        // Within a topic in the order in which they were announced.
        self.announcements.sort_by_key(|(topic, _)| *topic);
        for ids in self.announcements.chunk_by(|one, next| one.0 == next.0) {
            let Some(topic) = ids.first().and_then(|(topic, _)| theirs.ordinal(topic)) else {
                continue;
            };
            for part in ids.chunks(MAX_IDS) {
                let ids = List::truncated(part.iter().map(|(_, id)| *id));
                write_frame(wire::IHAVE, &IHave { topic, ids }, out);
            }
        }
        self.announcements.clear();
        for part in std::mem::take(&mut self.unwanted).chunks(MAX_UNWANTED) {
            let ids = List::truncated(part.iter().copied());
            write_frame(wire::IDONTWANT, &IDontWant { ids }, out);
        }
    }

    pub(super) fn write_messages(
        &mut self,
        now: Micros,
        theirs: &Subscriptions,
        config: &QueueConfig,
        is_needless: impl Fn(&MessageId) -> bool,
        out: &mut BytesMut,
    ) {
        while out.len() < config.batch {
            let (queued, max_age) = match self.own.pop_front() {
                Some(queued) => (queued, config.max_age_own),
                None => match self.forwarded.pop_front() {
                    Some(queued) => (queued, config.max_age_forwarded),
                    None => break,
                },
            };
            let Queued {
                parcel,
                since,
                priority,
            } = queued;
            self.message_bytes = self.message_bytes.saturating_sub(cost(&parcel));
            if priority != Priority::Asked && is_needless(&parcel.id) {
                continue;
            }
            let Some(topic) = theirs.ordinal(&parcel.topic) else {
                continue;
            };
            let is_answer = priority == Priority::Asked;
            if is_answer && !self.answers.has_room(now) {
                self.answers.put_back(parcel.id);
                continue;
            }
            if now.since(since) > max_age {
                self.miss(&parcel);
                continue;
            }
            let before = out.len();
            match (&parcel.proof, &parcel.content) {
                (Some(proof), content) => self.write_sealed(proof, content, out),
                (None, Content::Whole(data)) => {
                    let data = payload(data);
                    write_frame(wire::UNSIGNED, &wire::Unsigned { topic, data }, out);
                }
                // Only a seal makes a header.
                (None, Content::Outline(_)) => {}
            }
            if is_answer {
                // With its key and its seal, which are longer than most messages.
                self.answers.charge(now, out.len() - before);
            }
        }
    }

    /// The key and the seal go before the first message that needs them on this stream.
    fn write_sealed(&mut self, proof: &Proof, content: &Content, out: &mut BytesMut) {
        let seal = match self.sent.seal(proof.seal()) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                let key = self.write_key(proof, out);
                let body = proof.seal().body();
                let frame = wire::Seal {
                    key,
                    topic: *body.topic(),
                    epoch: body.epoch(),
                    first: body.first_counter(),
                    leaves: List::truncated(body.leaves().iter().copied()),
                    signature: *proof.seal().seal().signature().as_bytes(),
                };
                write_frame(wire::SEAL, &frame, out);
                ordinal
            }
        };
        let (index, timestamp_ms) = (proof.index, proof.listed.timestamp_ms());
        match content {
            Content::Whole(data) => {
                let message = wire::Message {
                    seal,
                    index,
                    timestamp_ms,
                    data: payload(data),
                };
                write_frame(wire::MESSAGE, &message, out);
            }
            Content::Outline(outline) => {
                let large = wire::Large {
                    seal,
                    index,
                    timestamp_ms,
                    length: outline.length(),
                    chunks: List::truncated(outline.chunks().iter().copied()),
                };
                write_frame(wire::LARGE, &large, out);
            }
        }
    }

    fn write_key(&mut self, proof: &Proof, out: &mut BytesMut) -> u64 {
        let key = proof.seal().key();
        match self.sent.key(proof.seal().publisher()) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                let (suite, key) = (key.suite().byte(), *key.as_bytes());
                write_frame(wire::KEY, &wire::Key { suite, key }, out);
                ordinal
            }
        }
    }
}

pub(super) fn write_frame<T: WireType>(kind: u8, body: &T, out: &mut BytesMut) {
    encode_frame(kind, &encode(body), out);
}

/// A message that is held is never longer than a message may be.
fn payload<const MAX: usize>(data: &Bytes) -> Payload<MAX> {
    Payload::try_from(data.clone()).unwrap_or_default()
}
