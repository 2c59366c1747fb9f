//! Whole streams of gossip, whose frames refer to each other.

use bytes::{Bytes, BytesMut};

use super::Vectors;
use super::gossip_control::topic;
use super::gossip_receiver::{Fault, Receiver, network};
use super::records::owner;
use crate::crypto::{
    CHUNK_BYTES, ContentDigest, Label, LeafInput, SIGNATURE_BYTES, SignedInput, Suite,
    VerifyingKey, subtree_hashes,
};
use crate::wire::NetworkId;
use crate::wire::codec::{List, WireType, encode};
use crate::wire::frame::encode_frame;
use crate::wire::message::gossip::{
    ChunkRange, GRAFT, HAVE, Have, IHAVE, IHave, KEY, Key, LARGE, Large, MESSAGE, MODES, Message,
    Modes, PRUNE, Prune, SEAL, SUBSCRIBE, Seal, Subscribe, Topics, UNSIGNED, UNSUBSCRIBE, Unsigned,
    WAKE,
};

const EPOCH: u64 = 1_700_000_000_000;
const TIMESTAMP_MS: u64 = EPOCH + 5;

/// A stream that is written.
#[derive(Default)]
struct Stream(BytesMut);

impl Stream {
    fn and<T: WireType>(mut self, kind: u8, message: &T) -> Self {
        encode_frame(kind, &encode(message), &mut self.0);
        self
    }

    fn key(self) -> Self {
        let key = *owner().public_key().as_bytes();
        let suite = Suite::MlDsa87.byte();
        self.and(KEY, &Key { suite, key })
    }

    fn sealed(self, seal: &Seal) -> Self {
        self.and(SEAL, seal)
    }

    /// So many topics, the same ones each time.
    fn subscribed(self, count: usize) -> Self {
        let topics = (0..count).map(|number| *blake3::hash(&number.to_le_bytes()).as_bytes());
        let topics = topics.collect::<Vec<_>>().try_into().unwrap();
        self.and(SUBSCRIBE, &Subscribe { topics })
    }

    fn unsubscribed(self, topic: u64) -> Self {
        self.and(UNSUBSCRIBE, &ordinal(topic))
    }

    fn message(self, seal: u64, index: u16, data: &[u8]) -> Self {
        let message = Message {
            seal,
            index,
            timestamp_ms: TIMESTAMP_MS,
            data: Bytes::copy_from_slice(data).try_into().unwrap(),
        };
        self.and(MESSAGE, &message)
    }

    fn header(self, index: u16, header: &Large) -> Self {
        let header = header.clone();
        self.and(LARGE, &Large { index, ..header })
    }

    /// Chunks of the long message that this node has.
    fn have(self, first: u16, count: u16) -> Self {
        let has = list_of(ChunkRange { first, count });
        let (message, offers) = (leaf(&topic(), 0, &long()), vec![].try_into().unwrap());
        self.and(
            HAVE,
            &Have {
                message,
                has,
                offers,
            },
        )
    }

    fn unsigned(self, topic: u64, data: &[u8]) -> Self {
        let data = Bytes::copy_from_slice(data).try_into().unwrap();
        self.and(UNSIGNED, &Unsigned { topic, data })
    }
}

fn leaf(topic: &[u8; 32], counter: u64, data: &[u8]) -> [u8; 32] {
    let network = network();
    let input = LeafInput {
        network: network.as_bytes(),
        topic,
        publisher: VerifyingKey::ml_dsa_87(owner().public_key().as_bytes()).hash(),
        epoch: EPOCH,
        counter,
        timestamp_ms: TIMESTAMP_MS,
        content: ContentDigest::of(data),
    };
    input.leaf().0
}

/// A seal under key 0 that is signed, whatever it lists.
fn signed(network: &str, topic: [u8; 32], first: u64, leaves: Vec<[u8; 32]>) -> Seal {
    let publisher = VerifyingKey::ml_dsa_87(owner().public_key().as_bytes()).hash();
    let input = SignedInput::new(Label::Seal, NetworkId::of(network).as_bytes())
        .array(publisher.as_bytes())
        .array(&topic)
        .u64(EPOCH)
        .u64(first)
        .u16(u16::try_from(leaves.len()).unwrap())
        .hash_of(leaves.as_flattened());
    Seal {
        key: 0,
        topic,
        epoch: EPOCH,
        first,
        leaves: leaves.try_into().unwrap(),
        signature: *owner().sign(input.as_bytes()).unwrap().as_bytes(),
    }
}

/// A seal of messages on the topic `name`, the first with counter 0.
fn seal(name: &str, messages: &[&[u8]]) -> Seal {
    let topic = *blake3::hash(name.as_bytes()).as_bytes();
    let leaves = (0..)
        .zip(messages)
        .map(|(counter, data)| leaf(&topic, counter, data));
    signed("test", topic, 0, leaves.collect())
}

/// A message of three chunks.
fn long() -> Vec<u8> {
    vec![7; 2 * CHUNK_BYTES + 1]
}

/// The header of a message under seal 0.
fn header_of(data: &[u8]) -> Large {
    Large {
        seal: 0,
        index: 0,
        timestamp_ms: TIMESTAMP_MS,
        length: u32::try_from(data.len()).unwrap(),
        chunks: subtree_hashes(data).try_into().unwrap(),
    }
}

fn list_of<T: WireType, const MAX: usize>(element: T) -> List<T, MAX> {
    vec![element].try_into().unwrap()
}

/// A topic that is not among those of [`Stream::subscribed`].
fn another() -> Subscribe {
    let topics = list_of([7; 32]);
    Subscribe { topics }
}

fn ordinal(topic: u64) -> Topics {
    let topics = list_of(topic);
    Topics { topics }
}

fn ihave(topic: u64) -> IHave {
    let ids = list_of([7; 32]);
    IHave { topic, ids }
}

#[rustfmt::skip]
fn valid_streams() -> Vec<(&'static str, Stream)> {
    let start = || Stream::default().key();
    let two = seal("topic", &[b"hello", b"world"]);
    let last = signed("test", topic(), u64::MAX - 1, vec![leaf(&topic(), u64::MAX - 1, b"x")]);
    vec![
        ("one sealed message", start().sealed(&seal("topic", &[b"hello"])).message(0, 0, b"hello")),
        ("two messages of one seal, the later first", start().sealed(&two).message(0, 1, b"world").message(0, 0, b"hello")),
        ("a message twice, from a seal sent twice", start().sealed(&two).sealed(&two).message(1, 0, b"hello").message(0, 0, b"hello")),
        ("last counter", start().sealed(&last).message(0, 0, b"x")),
        ("a sealed message on a topic that was unsubscribed", start().sealed(&seal("gone", &[b"hello"])).message(0, 0, b"hello")),
        ("a sealed message on a topic never heard of", start().sealed(&seal("", &[b"hello"])).message(0, 0, b"hello")),
        ("an unsigned message", Stream::default().unsigned(1, b"hello")),
        ("an unsigned message on a topic that was unsubscribed", Stream::default().unsigned(2, b"hello")),
        ("an announcement on a topic that was unsubscribed", Stream::default().and(IHAVE, &ihave(2))),
        ("128 subscriptions, one given back, one more", Stream::default().subscribed(128).unsubscribed(127).and(SUBSCRIBE, &another())),
        ("a subscription repeated under a new ordinal", Stream::default().subscribed(128).subscribed(128)),
        ("a subscription given back twice", Stream::default().subscribed(1).unsubscribed(0).unsubscribed(0)),
        ("empty", Stream::default()),
    ]
}

#[rustfmt::skip]
fn long_streams() -> Vec<(&'static str, Stream)> {
    let (one, header) = (seal("topic", &[&long()]), header_of(&long()));
    let start = || Stream::default().key().sealed(&one);
    let both = seal("topic", &[&long(), b"hello"]);
    let gone = Stream::default().key().sealed(&seal("gone", &[&long()]));
    vec![
        ("the header of a long message", start().header(0, &header)),
        ("a header twice, and a short message of the same seal", Stream::default().key().sealed(&both).header(0, &header).header(0, &header).message(0, 1, b"hello")),
        ("chunks of a long message", start().header(0, &header).have(0, 3).have(2, 1)),
        ("chunks before their header, whatever they are", start().have(3, 1).have(0, 0).header(0, &header)),
        ("a header on a topic that was unsubscribed, whatever it says", gone.header(0, &Large { length: 0, ..header })),
    ]
}

#[rustfmt::skip]
fn refused_long_streams() -> Vec<(&'static str, Stream, Fault)> {
    use Fault::{FalseChunks, InvalidHeader, InvalidSignature, NotInSeal, UnknownOrdinal, WrongTopic};
    let (one, header) = (seal("topic", &[&long()]), header_of(&long()));
    let start = || Stream::default().key().sealed(&one);
    let with = |change: &dyn Fn(&mut Large)| {
        let mut header = header.clone();
        change(&mut header);
        start().header(0, &header)
    };
    let mut forged = one.clone();
    forged.signature = [0; SIGNATURE_BYTES];
    let short = seal("topic", &[&[7; 16_384]]);
    let open = seal("open", &[&long()]);
    vec![
        ("header before its seal", Stream::default().key().header(0, &header), UnknownOrdinal),
        ("header behind the last leaf", start().header(1, &header), NotInSeal),
        ("header of a message that fits its frame", Stream::default().key().sealed(&short).header(0, &header_of(&[7; 16_384])), InvalidHeader),
        ("header of more than 32 MiB", with(&|header| header.length = (32 << 20) + 1), InvalidHeader),
        ("header without hashes", with(&|header| header.chunks = vec![].try_into().unwrap()), InvalidHeader),
        ("header with another length in as many chunks", with(&|header| header.length += 1), NotInSeal),
        ("header with the hash of another chunk", with(&|header| header.chunks = vec![[7; 32]; 3].try_into().unwrap()), NotInSeal),
        ("header with another time", with(&|header| header.timestamp_ms += 1), NotInSeal),
        ("header on an unsigned topic", Stream::default().key().sealed(&open).header(0, &header), WrongTopic),
        ("header under a signature of zeros", Stream::default().key().sealed(&forged).header(0, &header), InvalidSignature),
        ("an empty range of chunks", start().header(0, &header).have(1, 0), FalseChunks),
        ("a chunk behind the last one", start().header(0, &header).have(3, 1), FalseChunks),
        ("a range that reaches beyond the last chunk", start().header(0, &header).have(0, 4), FalseChunks),
        ("a range that reaches beyond all numbers", start().header(0, &header).have(u16::MAX, u16::MAX), FalseChunks),
    ]
}

fn with_suite(suite: u8) -> Key {
    let key = *owner().public_key().as_bytes();
    Key { suite, key }
}

#[rustfmt::skip]
fn refused_ordinals() -> Vec<(&'static str, Stream, Fault)> {
    use Fault::{TooManySubscriptions, UnknownOrdinal};
    let empty = Stream::default;
    let prune = Prune {
        topic: 3,
        backoff_s: 60,
        peers: vec![].try_into().unwrap(),
    };
    let modes = Modes {
        topic: 3,
        changes: vec![].try_into().unwrap(),
    };
    vec![
        ("own ordinal that was never named", empty().unsubscribed(0), UnknownOrdinal),
        ("graft of an ordinal that was never named", empty().and(GRAFT, &ordinal(3)), UnknownOrdinal),
        ("wake of an ordinal that was never named", empty().and(WAKE, &ordinal(3)), UnknownOrdinal),
        ("prune of an ordinal that was never named", empty().and(PRUNE, &prune), UnknownOrdinal),
        ("announcement on an ordinal that was never named", empty().and(IHAVE, &ihave(3)), UnknownOrdinal),
        ("modes on an ordinal that was never named", empty().and(MODES, &modes), UnknownOrdinal),
        ("unsigned message on an ordinal that was never named", empty().unsigned(3, b"hello"), UnknownOrdinal),
        ("seal before its key", empty().sealed(&seal("topic", &[b"hello"])), UnknownOrdinal),
        ("message before its seal", empty().key().message(0, 0, b"hello"), UnknownOrdinal),
        ("129 subscriptions", empty().subscribed(128).and(SUBSCRIBE, &another()), TooManySubscriptions),
    ]
}

#[rustfmt::skip]
fn refused_messages() -> Vec<(&'static str, Stream, Fault)> {
    use Fault::{InvalidKey, InvalidSeal, InvalidSignature, NotInSeal, WrongTopic};
    let start = || Stream::default().key();
    let one = seal("topic", &[b"hello"]);
    let own_leaf = leaf(&topic(), 0, b"hello");
    let mut forged = one.clone();
    forged.signature = [0; SIGNATURE_BYTES];
    let elsewhere = signed("main", topic(), 0, vec![own_leaf]);
    let overflow = signed("test", topic(), u64::MAX, vec![own_leaf]);
    let twice = signed("test", topic(), 0, vec![own_leaf; 2]);
    let none = signed("test", topic(), 0, vec![]);
    vec![
        ("key of suite 0", Stream::default().and(KEY, &with_suite(0)), InvalidKey),
        ("key of suite 2", Stream::default().and(KEY, &with_suite(2)), InvalidKey),
        ("seal without leaves", start().sealed(&none), InvalidSeal),
        ("seal with a leaf twice", start().sealed(&twice), InvalidSeal),
        ("seal without a counter after the last", start().sealed(&overflow), InvalidSeal),
        ("index behind the last leaf", start().sealed(&one).message(0, 1, b"hello"), NotInSeal),
        ("other data than sealed", start().sealed(&one).message(0, 0, b"hullo"), NotInSeal),
        ("sealed message on an unsigned topic", start().sealed(&seal("open", &[b"hello"])).message(0, 0, b"hello"), WrongTopic),
        ("unsigned message on a sealed topic", Stream::default().unsigned(0, b"hello"), WrongTopic),
        ("signature of zeros", start().sealed(&forged).message(0, 0, b"hello"), InvalidSignature),
        ("signature for another network", start().sealed(&elsewhere).message(0, 0, b"hello"), InvalidSignature),
    ]
}

#[test]
fn streams() {
    let mut vectors = Vectors::new(
        "hex: what follows the header on a gossip stream that ends there, on the network `test`. The \
         receiver has subscribed on its own stream to `topic` (0, sealed), to `open` (1, unsigned) and \
         to `gone` (2), and unsubscribed from `gone`. value: the messages, and headers of long ones, that \
         it gets, in order. Checks that need the time are left out.",
    );
    for (name, Stream(bytes)) in valid_streams().into_iter().chain(long_streams()) {
        let messages = Receiver::default().read(&bytes).unwrap();
        vectors.valid(name, &bytes, messages.into());
    }
    let refused = refused_ordinals().into_iter().chain(refused_messages());
    for (name, Stream(bytes), fault) in refused.chain(refused_long_streams()) {
        let found = Receiver::default().read(&bytes).unwrap_err();
        assert_eq!(found, fault, "{name}");
        vectors.invalid_with(name, &bytes, &format!("{fault:?}"), fault.code());
    }
    vectors.check("gossip_stream.json");
}
