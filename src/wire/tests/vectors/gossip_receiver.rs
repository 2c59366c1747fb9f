//! A receiver of gossip, as the chapter describes it and no more: without clock, back-off, quotas or a
//! program. It gives the golden vectors of whole streams their verdicts.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::hex;
use crate::crypto::{
    ContentDigest, Label, LeafInput, RustCrypto, SealBody, Signature, Suite, VerifyingKey,
    derive_key,
};
use crate::wire::codec::{WireType, decode};
use crate::wire::message::gossip::{
    GRAFT, IHAVE, IHave, KEY, Key, MESSAGE, MODES, Message, Modes, PRUNE, Prune, RECEIVER_READS,
    SEAL, SUBSCRIBE, Seal, Subscribe, Topics, UNSIGNED, UNSUBSCRIBE, Unsigned, WAKE,
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
}

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
    messages: Vec<Json>,
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
        let index = usize::try_from(message.seal).map_err(|_| Fault::UnknownOrdinal)?;
        let (seal, body, key) = self.seals.get(index).ok_or(Fault::UnknownOrdinal)?;
        let listed = body.leaf(message.index).ok_or(Fault::NotInSeal)?;
        let counter = body.counter(message.index).ok_or(Fault::NotInSeal)?;
        let mut topics = OWN.iter();
        let topic = topics.find(|(name, _)| blake3::hash(name.as_bytes()) == *body.topic());
        let name = match topic {
            Some((_, Own::Unsigned)) => return Err(Fault::WrongTopic),
            Some((name, Own::Sealed)) => *name,
            _ => return Ok(()),
        };
        if self.seen.contains(&listed.0) {
            return Ok(());
        }
        let network = network();
        let input = LeafInput {
            network: network.as_bytes(),
            topic: body.topic(),
            publisher: body.publisher(),
            epoch: body.epoch(),
            counter,
            timestamp_ms: message.timestamp_ms,
            content: ContentDigest::of(message.data.as_bytes()),
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
            "timestamp_ms": message.timestamp_ms.to_string(),
        });
        self.deliver(name, listed.0, source, message.data.as_bytes());
        Ok(())
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
        self.deliver(name, id, Json::Null, data);
        Ok(())
    }

    fn deliver(&mut self, topic: &str, id: [u8; 32], source: Json, data: &[u8]) {
        if self.seen.insert(id) {
            let (id, data) = (hex(&id), hex(data));
            let message = json!({ "topic": topic, "id": id, "source": source, "data": data });
            self.messages.push(message);
        }
    }
}
