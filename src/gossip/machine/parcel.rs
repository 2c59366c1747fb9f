//! Messages on their way through a node.

use std::sync::Arc;

use bytes::Bytes;

use super::io::{Header, Message, Source};
use crate::gossip::TopicHash;
use crate::gossip::large::Outline;
use crate::gossip::seals::{Listed, SharedSeal};
use crate::identity::PeerId;
use crate::wire::message::gossip::MessageId;

/// Bytes that a message takes in memory beside what it says.
pub(super) const PLACE_BYTES: usize = 256;

/// A topic and who publishes in it: for each of these links are chosen.
pub(super) type Class = (TopicHash, PeerId);

/// A message that is here. Links and queues share it.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) id: MessageId,
    pub(super) topic: TopicHash,
    /// None on an unsigned topic.
    pub(super) proof: Option<Proof>,
    pub(super) content: Content,
}

/// What a message says.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// All of it.
    Whole(Bytes),
    /// Too much for a frame: this is its header.
    Outline(Arc<Outline>),
}

impl Content {
    /// Bytes that go into its frame.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Whole(data) => data.len(),
            Self::Outline(outline) => outline.chunks().as_flattened().len(),
        }
    }
}

/// Who says that a message is whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) listed: Listed,
    /// Which leaf of the seal.
    pub(super) index: u16,
}

impl Proof {
    pub(super) fn seal(&self) -> &SharedSeal {
        self.listed.seal()
    }
}

impl Parcel {
    /// For everybody in this node who holds it.
    pub(super) fn shared(self) -> Arc<Self> {
        let parcel = Arc::new(self);
        #[cfg(feature = "scale")]
        return parcel.pooled();
        #[cfg(not(feature = "scale"))]
        parcel
    }

    /// One parcel for all machines of a simulation. What is listed in another seal, or its header, is another.
    #[cfg(feature = "scale")]
    fn pooled(self: Arc<Self>) -> Arc<Self> {
        let (proof, is_header) = (self.proof.clone(), self.is_header());
        let is_same = |held: &Self| held.proof == proof && held.is_header() == is_header;
        crate::gossip::pool::pooled(self.id, self, is_same)
    }

    /// Bytes that it takes in memory: one that says nothing takes room, too.
    pub(super) fn cost(&self) -> usize {
        PLACE_BYTES + self.content.bytes()
    }

    /// Whether it is the header of a long message.
    pub(super) const fn is_header(&self) -> bool {
        matches!(self.content, Content::Outline(_))
    }

    /// The message as the program sees it; none if this is its header alone.
    pub(super) fn message(&self) -> Option<Message> {
        let Content::Whole(data) = &self.content else {
            return None;
        };
        Some(Message {
            id: self.id,
            topic: self.topic,
            source: self.source(),
            data: data.clone(),
        })
    }

    /// The header as the program sees it, if it is one.
    pub(super) fn header(&self) -> Option<Header> {
        let Content::Outline(outline) = &self.content else {
            return None;
        };
        Some(Header {
            id: self.id,
            topic: self.topic,
            source: self.source()?,
            length: outline.length(),
        })
    }

    /// Who said it, if that is known.
    pub(super) fn source(&self) -> Option<Source> {
        let proof = self.proof.as_ref()?;
        let body = proof.seal().body();
        Some(Source {
            publisher: proof.seal().publisher(),
            epoch: body.epoch(),
            counter: proof.listed.counter(),
            timestamp_ms: proof.listed.timestamp_ms(),
        })
    }

    /// The class that chooses its links.
    pub(super) fn class(&self) -> Option<Class> {
        let proof = self.proof.as_ref()?;
        Some((self.topic, proof.seal().publisher()))
    }
}

#[cfg(all(test, feature = "scale"))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::gossip::Sharing;
    use crate::gossip::seals::testing::{List, NETWORK, key, message, signature};

    /// The message with counter 3, in a seal with a signature of its own and in that place of its list.
    fn parcel(sign: u8, first: u64, content: Content) -> Arc<Parcel> {
        let body = List::of(first, 4).body(&key(1));
        let seal = SharedSeal::new(&NETWORK, body.with_signature(signature(sign)), key(1)).unwrap();
        let listed = message(&seal, 3, 0);
        let parcel = Parcel {
            id: listed.leaf().0,
            topic: seal.topic(),
            proof: Some(Proof {
                listed,
                index: u16::try_from(3 - first).unwrap(),
            }),
            content,
        };
        parcel.shared()
    }

    fn whole() -> Content {
        Content::Whole(Bytes::from_static(b"what it says"))
    }

    #[test]
    fn machines_share_a_message_of_one_seal_and_no_other() {
        let _sharing = Sharing::begin();
        let first = parcel(1, 0, whole());
        assert!(Arc::ptr_eq(&first, &parcel(1, 0, whole())));
        let outline = Outline::of(&Bytes::from(vec![7; 1 << 17])).unwrap();
        let others = [
            parcel(2, 0, whole()),
            parcel(1, 1, whole()),
            parcel(1, 0, Content::Outline(Arc::new(outline))),
        ];
        for other in others {
            assert_eq!(other.id, first.id);
            assert!(!Arc::ptr_eq(&first, &other), "{other:?}");
        }
    }
}
