//! A receiver of gossip, as the chapter describes it and no more: without clock, back-off, quotas or a
//! program. It gives the golden vectors of whole streams their verdicts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::hex;
use crate::crypto::{
    ContentDigest, Label, LeafInput, RustCrypto, SealBody, Signature, Suite, VerifyingKey,
    derive_key, root_hash,
};
use crate::wire::codec::{WireType, decode};
use crate::wire::message::gossip::{
    ChunkRange, GRAFT, HAVE, Have, IHAVE, IHave, KEY, Key, LARGE, Large, MAX_DATA, MAX_LARGE,
    MESSAGE, MODES, Message, Modes, PRUNE, Prune, RECEIVER_READS, SEAL, SUBSCRIBE, Seal, Subscribe,
    Topics, UNSIGNED, UNSUBSCRIBE, Unsigned, WAKE,
};
use crate::wire::{ErrorCode, FrameDecoder, NetworkId};

/// The most subscriptions that a peer may have at once.
const MAX_SUBSCRIPTIONS: usize = 128;

/// What the receiver subscribed to on its own stream, in the order of its ordinals.
const OWN: [(&str, Own); 3] = [
    ("topic", Own::Sealed),
    ("open", Own::Unsigned),
    ("gone", Own::Unsubscribed),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Own {
    Sealed,
    Unsigned,
    Unsubscribed,
}

pub(super) fn network() -> NetworkId {
    NetworkId::of("test")
}

/// The faults of the chapter.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    UnknownOrdinal,
    InvalidKey,
    InvalidSeal,
    NotInSeal,
    WrongTopic,
    TooManySubscriptions,
    InvalidSignature,
    InvalidHeader,
    FalseChunks,
}

/// Topic, id and source of a message.
type Proven = (&'static str, [u8; 32], Json);

impl Fault {
    /// What answers it.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidSignature => ErrorCode::Banned,
            _ => ErrorCode::Malformed,
        }
    }
}

/// Reads a stream by the chapter, without clock, back-off, quotas or a program.
#[derive(Default)]
pub(super) struct Receiver {
    named: u64,
    subscribed: BTreeMap<u64, [u8; 32]>,
    keys: Vec<VerifyingKey>,
    seals: Vec<(Seal, SealBody, VerifyingKey)>,
    seen: BTreeSet<[u8; 32]>,
    /// How many chunks the long messages have whose headers are here.
    chunks: BTreeMap<[u8; 32], u32>,
    messages: Vec<Json>,
}

/// What a header says of its message, if it can be one.
pub(super) fn check_header(header: &Large) -> Result<ContentDigest, Fault> {
    let length = header.length as usize;
    if length <= MAX_DATA || length > MAX_LARGE {
        return Err(Fault::InvalidHeader);
    }
    let hash = root_hash(length, &header.chunks).ok_or(Fault::InvalidHeader)?;
    let length = header.length.into();
    Ok(ContentDigest { length, hash })
}

fn read<T: WireType>(body: &Bytes) -> T {
    decode(body).unwrap()
}

/// The receiver's subscription with this number.
fn own(ordinal: u64) -> Result<(&'static str, Own), Fault> {
    let index = usize::try_from(ordinal).map_err(|_| Fault::UnknownOrdinal)?;
    OWN.get(index).copied().ok_or(Fault::UnknownOrdinal)
}

impl Receiver {
    pub(super) fn read(mut self, stream: &[u8]) -> Result<Vec<Json>, Fault> {
        let (mut decoder, mut rest) = (FrameDecoder::new(), Bytes::copy_from_slice(stream));
        while let Some(frame) = decoder.decode(&mut rest, RECEIVER_READS).unwrap() {
            self.frame(frame.kind, &frame.body)?;
        }
        decoder.finish().unwrap();
        Ok(self.messages)
    }

    fn frame(&mut self, kind: u8, body: &Bytes) -> Result<(), Fault> {
        match kind {
            SUBSCRIBE => self.subscribe(&read(body)),
            UNSUBSCRIBE => self.unsubscribe(&read(body)),
            GRAFT | WAKE => {
                let topics = read::<Topics>(body).topics;
                topics.iter().try_for_each(|topic| own(*topic).map(drop))
            }
            PRUNE => own(read::<Prune>(body).topic).map(drop),
            IHAVE => own(read::<IHave>(body).topic).map(drop),
            MODES => own(read::<Modes>(body).topic).map(drop),
            KEY => self.key(&read(body)),
            SEAL => self.seal(read(body)),
            MESSAGE => self.message(&read(body)),
            LARGE => self.header(&read(body)),
            HAVE => self.have(&read(body)),
            UNSIGNED => self.unsigned(&read(body)),
            _ => Ok(()),
        }
    }

    fn subscribe(&mut self, message: &Subscribe) -> Result<(), Fault> {
        for topic in message.topics.iter() {
            self.subscribed.retain(|_, held| held != topic);
            self.subscribed.insert(self.named, *topic);
            self.named += 1;
        }
        let is_within = self.subscribed.len() <= MAX_SUBSCRIPTIONS;
        is_within.then_some(()).ok_or(Fault::TooManySubscriptions)
    }

    fn unsubscribe(&mut self, message: &Topics) -> Result<(), Fault> {
        for ordinal in message.topics.iter() {
            if *ordinal >= self.named {
                return Err(Fault::UnknownOrdinal);
            }
            self.subscribed.remove(ordinal);
        }
        Ok(())
    }

    fn key(&mut self, message: &Key) -> Result<(), Fault> {
        Suite::try_from(message.suite).map_err(|_| Fault::InvalidKey)?;
        self.keys.push(VerifyingKey::ml_dsa_87(&message.key));
        Ok(())
    }

    fn seal(&mut self, message: Seal) -> Result<(), Fault> {
        let index = usize::try_from(message.key).map_err(|_| Fault::UnknownOrdinal)?;
        let key = self.keys.get(index).ok_or(Fault::UnknownOrdinal)?.clone();
        let leaves = message.leaves.to_vec();
        if leaves.iter().collect::<BTreeSet<_>>().len() < leaves.len() {
            return Err(Fault::InvalidSeal);
        }
        let (topic, epoch, first) = (message.topic, message.epoch, message.first);
        let body = SealBody::new(key.suite(), key.hash(), topic, epoch, first, leaves);
        self.seals
            .push((message, body.map_err(|_| Fault::InvalidSeal)?, key));
        Ok(())
    }

    fn message(&mut self, message: &Message) -> Result<(), Fault> {
        let data = message.data.as_bytes();
        let place = (message.seal, message.index, message.timestamp_ms);
        let proven = self.sealed(place, || Ok(ContentDigest::of(data)))?;
        if let Some((name, id, source)) = proven {
            let (topic, data) = (name, hex(data));
            self.deliver(
                id,
                json!({ "topic": topic, "id": hex(&id), "source": source, "data": data }),
            );
        }
        Ok(())
    }

    fn header(&mut self, header: &Large) -> Result<(), Fault> {
        let place = (header.seal, header.index, header.timestamp_ms);
        let proven = self.sealed(place, || check_header(header))?;
        if let Some((name, id, source)) = proven {
            let (topic, length) = (name, header.length);
            let chunks: Vec<_> = header.chunks.iter().map(|hash| hex(hash)).collect();
            let count = u32::try_from(chunks.len()).unwrap();
            self.chunks.insert(id, count);
            self.deliver(
                id,
                json!({ "topic": topic, "id": hex(&id), "source": source, "length": length, "chunks": chunks }),
            );
        }
        Ok(())
    }

    fn have(&self, message: &Have) -> Result<(), Fault> {
        let Some(count) = self.chunks.get(&message.message) else {
            return Ok(());
        };
        let is_there = |range: &ChunkRange| {
            let end = u32::from(range.first) + u32::from(range.count);
            range.count > 0 && end <= *count
        };
        let mut ranges = message.has.iter().chain(message.offers.iter());
        let are_there = ranges.all(is_there);
        are_there.then_some(()).ok_or(Fault::FalseChunks)
    }

    /// Topic, id and source of a message that is new and proven; none if it is to be ignored.
    fn sealed(
        &self,
        (seal, index, timestamp_ms): (u64, u16, u64),
        content: impl FnOnce() -> Result<ContentDigest, Fault>,
    ) -> Result<Option<Proven>, Fault> {
        let number = usize::try_from(seal).map_err(|_| Fault::UnknownOrdinal)?;
        let (seal, body, key) = self.seals.get(number).ok_or(Fault::UnknownOrdinal)?;
        let listed = body.leaf(index).ok_or(Fault::NotInSeal)?;
        let counter = body.counter(index).ok_or(Fault::NotInSeal)?;
        let mut topics = OWN.iter();
        let topic = topics.find(|(name, _)| blake3::hash(name.as_bytes()) == *body.topic());
        let name = match topic {
            Some((_, Own::Unsigned)) => return Err(Fault::WrongTopic),
            Some((name, Own::Sealed)) => *name,
            _ => return Ok(None),
        };
        if self.seen.contains(&listed.0) {
            return Ok(None);
        }
        let network = network();
        let input = LeafInput {
            network: network.as_bytes(),
            topic: body.topic(),
            publisher: body.publisher(),
            epoch: body.epoch(),
            counter,
            timestamp_ms,
            content: content()?,
        };
        if input.leaf() != listed {
            return Err(Fault::NotInSeal);
        }
        let seal = body
            .clone()
            .with_signature(Signature::from(Box::new(seal.signature)));
        let verdict = seal.verify(&RustCrypto::new(), network.as_bytes(), key);
        verdict.map_err(|_| Fault::InvalidSignature)?;
        let source = json!({
            "publisher": hex(body.publisher().as_bytes()),
            "epoch": body.epoch().to_string(),
            "counter": counter.to_string(),
            "timestamp_ms": timestamp_ms.to_string(),
        });
        Ok(Some((name, listed.0, source)))
    }

    fn unsigned(&mut self, message: &Unsigned) -> Result<(), Fault> {
        let (name, own) = own(message.topic)?;
        match own {
            Own::Sealed => return Err(Fault::WrongTopic),
            Own::Unsubscribed => return Ok(()),
            Own::Unsigned => {}
        }
        let (network, topic) = (network(), blake3::hash(name.as_bytes()));
        let data = message.data.as_bytes();
        let id = derive_key(
            Label::Unsigned,
            &[network.as_bytes(), topic.as_bytes(), data],
        );
        let message = json!({ "topic": name, "id": hex(&id), "source": null, "data": hex(data) });
        self.deliver(id, message);
        Ok(())
    }

    fn deliver(&mut self, id: [u8; 32], message: Json) {
        if self.seen.insert(id) {
            self.messages.push(message);
        }
    }
}
