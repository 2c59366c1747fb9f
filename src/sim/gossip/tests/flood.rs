//! The simplest machine that does something: it sends every message to all its neighbours, sealed alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::crypto::{SealBody, Suite, VerifyingKey};
use crate::gossip::{
    CheckId, Message, PublicationId, Published, Setup, SharedSeal, SigningId, Source, TopicHash,
};
use crate::identity::PeerId;
use crate::policy::Now;
use crate::wire::codec::decode;
use crate::wire::message::gossip::{self as wire, MessageId};

/// What a neighbour's stream and the one to it have named so far.
#[derive(Debug, Default)]
struct Stream {
    keys: Vec<VerifyingKey>,
    seals: Vec<SharedSeal>,
    keys_sent: Vec<PeerId>,
    seals_sent: u64,
}

#[derive(Debug, Clone)]
struct Heard {
    seal: SharedSeal,
    timestamp_ms: u64,
    data: Bytes,
    from: Option<Link>,
}

#[derive(Debug)]
pub(super) struct Flood {
    setup: Setup,
    topic: TopicHash,
    streams: BTreeMap<Link, Stream>,
    seen: BTreeSet<MessageId>,
    unsigned: BTreeMap<SigningId, (PublicationId, SealBody, u64, Bytes)>,
    unverified: BTreeMap<CheckId, Heard>,
    next: u64,
    outputs: VecDeque<Output>,
}

impl Flood {
    pub(super) fn build(setup: Setup) -> Box<dyn Machine> {
        Box::new(Self {
            setup,
            topic: TopicHash::of(""),
            streams: BTreeMap::new(),
            seen: BTreeSet::new(),
            unsigned: BTreeMap::new(),
            unverified: BTreeMap::new(),
            next: 0,
            outputs: VecDeque::new(),
        })
    }

    fn publish(&mut self, now: Now, id: PublicationId, data: Bytes) {
        let (key, epoch) = (self.setup.key.hash(), self.setup.epoch);
        let leaf = *blake3::hash(&data).as_bytes();
        let topic = *self.topic.as_bytes();
        let body = SealBody::new(Suite::MlDsa87, key, topic, epoch, self.next, vec![leaf]).unwrap();
        let signing = SigningId(self.next);
        self.next += 1;
        self.seen.insert(leaf);
        let waiting = (id, body.clone(), now.wall.0, data);
        self.unsigned.insert(signing, waiting);
        self.outputs.push_back(Output::Sign { id: signing, body });
    }

    fn frame(&mut self, link: Link, kind: u8, body: &Bytes) {
        let stream = self.streams.get_mut(&link).unwrap();
        match kind {
            wire::KEY => {
                let key: wire::Key = decode(body).unwrap();
                stream.keys.push(VerifyingKey::ml_dsa_87(&key.key));
            }
            wire::SEAL => {
                let seal: wire::Seal = decode(body).unwrap();
                let key = stream.keys[usize::try_from(seal.key).unwrap()].clone();
                let leaves = seal.leaves.to_vec();
                let (topic, epoch, first) = (seal.topic, seal.epoch, seal.first);
                let body =
                    SealBody::new(Suite::MlDsa87, key.hash(), topic, epoch, first, leaves).unwrap();
                let signature = Box::new(seal.signature).into();
                let seal = body.with_signature(signature);
                stream
                    .seals
                    .push(SharedSeal::new(&[0; 32], seal, key).unwrap());
            }
            wire::MESSAGE => self.message(link, body),
            _ => {}
        }
    }

    fn message(&mut self, link: Link, body: &Bytes) {
        let stream = &self.streams[&link];
        let message: wire::Message = decode(body).unwrap();
        let seal = stream.seals[usize::try_from(message.seal).unwrap()].clone();
        if !self.seen.insert(seal.body().leaves()[0]) {
            return;
        }
        let id = CheckId(self.next);
        self.next += 1;
        let heard = Heard {
            seal: seal.clone(),
            timestamp_ms: message.timestamp_ms,
            data: message.data.into_bytes(),
            from: Some(link),
        };
        self.unverified.insert(id, heard);
        self.outputs.push_back(Output::Verify { id, seal });
    }

    fn deliver(&mut self, heard: &Heard) {
        let body = heard.seal.body();
        self.outputs.push_back(Output::Deliver(Message {
            id: body.leaves()[0],
            topic: self.topic,
            source: Some(Source {
                publisher: body.publisher().into(),
                epoch: body.epoch(),
                counter: body.first_counter(),
                timestamp_ms: heard.timestamp_ms,
            }),
            data: heard.data.clone(),
        }));
    }

    fn forward(&mut self, heard: &Heard) {
        let publisher = heard.seal.publisher();
        for (link, stream) in &mut self.streams {
            if heard.from == Some(*link) {
                continue;
            }
            let mut frames = BytesMut::new();
            let sent = stream.keys_sent.iter().position(|one| *one == publisher);
            let key = sent.unwrap_or_else(|| {
                let key = wire::Key {
                    suite: Suite::MlDsa87.byte(),
                    key: *heard.seal.key().as_bytes(),
                };
                encode_frame(wire::KEY, &encode(&key), &mut frames);
                stream.keys_sent.push(publisher);
                stream.keys_sent.len() - 1
            });
            let body = heard.seal.body();
            let seal = wire::Seal {
                key: key as u64,
                topic: *body.topic(),
                epoch: body.epoch(),
                first: body.first_counter(),
                leaves: List::truncated(body.leaves().iter().copied()),
                signature: *heard.seal.seal().signature().as_bytes(),
            };
            encode_frame(wire::SEAL, &encode(&seal), &mut frames);
            let message = wire::Message {
                seal: stream.seals_sent,
                index: 0,
                timestamp_ms: heard.timestamp_ms,
                data: heard.data.clone().try_into().unwrap(),
            };
            stream.seals_sent += 1;
            encode_frame(wire::MESSAGE, &encode(&message), &mut frames);
            let (link, frames) = (*link, frames.freeze());
            self.outputs.push_back(Output::Send { link, frames });
        }
    }
}

impl Machine for Flood {
    fn handle(&mut self, now: Now, input: Input) {
        match input {
            Input::Subscribe { topic, .. } => self.topic = topic,
            Input::Connected { link, .. } => {
                self.streams.insert(link, Stream::default());
            }
            Input::Disconnected(link) => {
                self.streams.remove(&link);
            }
            Input::Publish { id, data, .. } => self.publish(now, id, data),
            Input::Signed { id, signature } => {
                let (publication, body, timestamp_ms, data) = self.unsigned.remove(&id).unwrap();
                let id = body.leaves()[0];
                let seal = body.with_signature(signature.unwrap());
                let key = self.setup.key.clone();
                let heard = Heard {
                    seal: SharedSeal::new(&[0; 32], seal, key).unwrap(),
                    timestamp_ms,
                    data,
                    from: None,
                };
                self.forward(&heard);
                let neighbours = self.streams.len();
                let outcome = Ok(Published { id, neighbours });
                self.outputs.push_back(Output::Published {
                    publication,
                    outcome,
                });
            }
            Input::Verified { id, is_valid } => {
                let heard = self.unverified.remove(&id).unwrap();
                assert!(is_valid, "nobody forges here");
                self.deliver(&heard);
                self.forward(&heard);
            }
            Input::Frame { link, kind, body } => self.frame(link, kind, &body),
            _ => {}
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Micros> {
        None
    }

    fn mesh(&self, _: &TopicHash) -> Vec<Link> {
        self.streams.keys().copied().collect()
    }
}
