//! Gossip (protocol 5): who wants which topic, who sends whose messages at once, and the messages.
//!
//! One unidirectional stream in each direction. Frames refer to what went before on their stream: a
//! topic that the receiver subscribed to, by the [ordinal](TopicOrdinal) of its subscription on *its*
//! stream; a key and a seal by the ordinals of the [`KEY`] and the [`SEAL`] that carried them on this
//! one. A new stream begins with empty tables in both directions.

use std::time::Duration;

use crate::crypto::{CHUNK_BYTES, MAX_SEAL_LEAVES, SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::identity::PeerId;
use crate::wire::codec::{List, Payload, wire_message};
use crate::wire::frame::{FrameRule, FrameRules};
use crate::wire::message::discovery::Contact;

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::GOSSIP;

/// The sender wants the messages of these topics.
pub const SUBSCRIBE: u8 = 0x01;

/// The sender wants them no more.
pub const UNSUBSCRIBE: u8 = 0x02;

/// The sender takes the receiver into its mesh.
pub const GRAFT: u8 = 0x03;

/// The sender takes the receiver out of its mesh, or does not take it in.
pub const PRUNE: u8 = 0x04;

/// The sender has these messages.
pub const IHAVE: u8 = 0x05;

/// The sender asks for these messages.
pub const IWANT: u8 = 0x06;

/// The sender needs nobody to send it these messages.
pub const IDONTWANT: u8 = 0x07;

/// How the sender wants the messages of these publishers from the receiver.
pub const MODES: u8 = 0x08;

/// For [`AWAKE`] the sender wants every message announced that it asked to keep silent about.
pub const WAKE: u8 = 0x09;

/// The key of a publisher.
pub const KEY: u8 = 0x10;

/// A signature over a list of messages.
pub const SEAL: u8 = 0x11;

/// A message that a seal lists.
pub const MESSAGE: u8 = 0x12;

/// A message of a topic whose messages are not signed.
pub const UNSIGNED: u8 = 0x13;

/// The header of a message that a seal lists and that is longer than [`MAX_DATA`]. What it says is
/// asked for in chunks ([`chunks`](super::chunks)).
pub const LARGE: u8 = 0x14;

/// The sender has these chunks of a message, and offers some.
pub const HAVE: u8 = 0x15;

/// How long a [`WAKE`] lasts: long enough to find links that bring what the chosen ones do not.
pub const AWAKE: Duration = Duration::from_secs(3);

/// Most topics of one frame; a subscriber of more sends several.
pub const MAX_TOPICS: usize = 128;

/// Most peers that a [`PRUNE`] names: twice a mesh, as GossipSub v1.1.
pub const MAX_EXCHANGED: usize = 16;

/// Most ids of an [`IHAVE`] or an [`IWANT`]; who has more to say sends several.
pub const MAX_IDS: usize = 1_024;

/// Most ids of an [`IDONTWANT`]: those of a few arrivals together.
pub const MAX_UNWANTED: usize = 64;

/// Most changes of a [`MODES`].
pub const MAX_CHANGES: usize = 256;

/// Longest message on this stream: one that takes longer than about a millisecond on a fast line
/// would hold up the small ones behind it.
pub const MAX_DATA: usize = 16 * 1_024;

/// Longest message of all: its header has as many hashes as a message on this stream has room for.
pub const MAX_LARGE: usize = 32 << 20;

/// Most chunks of a message.
pub const MAX_CHUNKS: usize = MAX_LARGE / CHUNK_BYTES;

/// Most ranges of a list of a [`HAVE`]; who has more holes sends several.
pub const MAX_RANGES: usize = 64;

/// Keys of the past to which a [`SEAL`] may refer.
pub const KEY_WINDOW: u64 = 1_024;

/// Seals of the past to which a [`MESSAGE`] may refer.
pub const SEAL_WINDOW: u64 = 256;

/// Leaves of the past to which a [`MESSAGE`] may refer: of the last [`SEAL_WINDOW`] seals those count
/// that together list no more, the newest first. 2 MiB, where 256 of the longest lists would be 8 MiB
/// that a receiver holds for each neighbour; 64 of them are what the fastest publisher lists in more
/// than half a second.
pub const SEAL_WINDOW_LEAVES: u64 = 64 * MAX_SEAL_LEAVES as u64;

const INTEGER: u32 = 9;
const HASH: u32 = 32;

/// Topics behind their number.
const TOPICS_BODY: u32 = 1 + MAX_TOPICS as u32 * HASH;

/// Ordinals behind their number.
const ORDINALS_BODY: u32 = 1 + MAX_TOPICS as u32 * INTEGER;

/// Contacts of 373 bytes at most (chapter 5), behind their number.
const PRUNE_BODY: u32 = INTEGER + 5 + 1 + MAX_EXCHANGED as u32 * 373;

const IHAVE_BODY: u32 = INTEGER + IDS_BODY;

/// Ids behind their number, of two bytes and a marker: it can be more than 250.
const IDS_BODY: u32 = 3 + MAX_IDS as u32 * HASH;

const UNWANTED_BODY: u32 = 1 + MAX_UNWANTED as u32 * HASH;
const MODES_BODY: u32 = INTEGER + 3 + MAX_CHANGES as u32 * (HASH + 1);
const KEY_BODY: u32 = 1 + VERIFYING_KEY_BYTES as u32;
const SEAL_BODY: u32 =
    INTEGER + HASH + 2 * INTEGER + 3 + MAX_SEAL_LEAVES as u32 * HASH + SIGNATURE_BYTES as u32;
const MESSAGE_BODY: u32 = INTEGER + 3 + INTEGER + 3 + MAX_DATA as u32;
const UNSIGNED_BODY: u32 = INTEGER + 3 + MAX_DATA as u32;
const LARGE_BODY: u32 = INTEGER + 3 + INTEGER + 5 + 3 + MAX_CHUNKS as u32 * HASH;

/// Two lists of ranges of two integers of at most three bytes, behind their number.
const HAVE_BODY: u32 = HASH + 2 * (1 + MAX_RANGES as u32 * 6);

const fn rule(kind: u8, max_body: u32) -> FrameRule {
    FrameRule { kind, max_body }
}

/// What the receiver of a stream reads.
pub const RECEIVER_READS: FrameRules = FrameRules {
    legal: &[
        rule(SUBSCRIBE, TOPICS_BODY),
        rule(UNSUBSCRIBE, ORDINALS_BODY),
        rule(GRAFT, ORDINALS_BODY),
        rule(PRUNE, PRUNE_BODY),
        rule(IHAVE, IHAVE_BODY),
        rule(IWANT, IDS_BODY),
        rule(IDONTWANT, UNWANTED_BODY),
        rule(MODES, MODES_BODY),
        rule(WAKE, ORDINALS_BODY),
        rule(KEY, KEY_BODY),
        rule(SEAL, SEAL_BODY),
        rule(MESSAGE, MESSAGE_BODY),
        rule(UNSIGNED, UNSIGNED_BODY),
        rule(LARGE, LARGE_BODY),
        rule(HAVE, HAVE_BODY),
    ],
    defined: &[
        SUBSCRIBE,
        UNSUBSCRIBE,
        GRAFT,
        PRUNE,
        IHAVE,
        IWANT,
        IDONTWANT,
        MODES,
        WAKE,
        KEY,
        SEAL,
        MESSAGE,
        UNSIGNED,
        LARGE,
        HAVE,
    ],
};

/// The number of a subscription on its stream, counted from 0 over all [`SUBSCRIBE`]s; never used
/// again. Frames to a peer name topics by the ordinals of *its* subscriptions.
pub type TopicOrdinal = u64;

/// The name of a message: its leaf, or, on an unsigned topic, the hash of what it says.
pub type MessageId = [u8; 32];

wire_message! {
    /// The body of [`SUBSCRIBE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Subscribe {
        /// BLAKE3 of each topic's name; each takes the next ordinal.
        pub topics: List<[u8; 32], MAX_TOPICS>,
    }
}

wire_message! {
    /// The body of [`UNSUBSCRIBE`], with the sender's own ordinals, and of [`GRAFT`] and [`WAKE`],
    /// with the receiver's.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Topics {
        /// Which subscriptions.
        pub topics: List<TopicOrdinal, MAX_TOPICS>,
    }
}

wire_message! {
    /// The body of [`PRUNE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Prune {
        /// The receiver's subscription.
        pub topic: TopicOrdinal,
        /// Seconds in which the receiver shall not come back.
        pub backoff_s: u32,
        /// Others in the topic that the receiver may try.
        pub peers: List<Contact, MAX_EXCHANGED>,
    }
}

wire_message! {
    /// The body of [`IHAVE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IHave {
        /// The receiver's subscription.
        pub topic: TopicOrdinal,
        /// Messages that the sender holds and sends to who asks.
        pub ids: List<MessageId, MAX_IDS>,
    }
}

wire_message! {
    /// The body of [`IWANT`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IWant {
        /// Messages that the receiver announced.
        pub ids: List<MessageId, MAX_IDS>,
    }
}

wire_message! {
    /// The body of [`IDONTWANT`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IDontWant {
        /// Messages that the sender has.
        pub ids: List<MessageId, MAX_UNWANTED>,
    }
}

wire_message! {
    /// How one end wants the messages of a publisher from the other.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Mode {
        /// Not at all, for others bring them.
        Silent = 0,
        /// Announced by [`IHAVE`] as soon as they are there.
        Lazy = 1,
        /// Sent as soon as they are there.
        Eager = 2,
    }
}

wire_message! {
    /// One change of a [`Modes`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ModeChange {
        /// Whose messages.
        pub publisher: PeerId,
        /// How the sender of the frame wants them.
        pub mode: Mode,
    }
}

wire_message! {
    /// The body of [`MODES`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Modes {
        /// The receiver's subscription.
        pub topic: TopicOrdinal,
        /// What is different from now on.
        pub changes: List<ModeChange, MAX_CHANGES>,
    }
}

wire_message! {
    /// The body of [`KEY`]. It takes the next ordinal of keys.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Key {
        /// Number of the signature suite.
        pub suite: u8,
        /// The encoded verification key.
        pub key: [u8; VERIFYING_KEY_BYTES],
    }
}

wire_message! {
    /// The body of [`SEAL`]. It takes the next ordinal of seals.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Seal {
        /// Ordinal of the publisher's key.
        pub key: u64,
        /// BLAKE3 of the topic's name.
        pub topic: [u8; 32],
        /// The publisher's epoch.
        pub epoch: u64,
        /// Counter of the first leaf.
        pub first: u64,
        /// The leaves, in the order of their counters.
        pub leaves: List<[u8; 32], MAX_SEAL_LEAVES>,
        /// The publisher's signature.
        pub signature: [u8; SIGNATURE_BYTES],
    }
}

wire_message! {
    /// The body of [`MESSAGE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Message {
        /// Ordinal of the seal.
        pub seal: u64,
        /// Which of its leaves.
        pub index: u16,
        /// Milliseconds since 1970-01-01 UTC, by the publisher's clock.
        pub timestamp_ms: u64,
        /// What it says.
        pub data: Payload<MAX_DATA>,
    }
}

wire_message! {
    /// The body of [`UNSIGNED`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Unsigned {
        /// The receiver's subscription.
        pub topic: TopicOrdinal,
        /// What it says.
        pub data: Payload<MAX_DATA>,
    }
}

wire_message! {
    /// The body of [`LARGE`]. Its seal, index and timestamp are those of a [`Message`], and it stands for
    /// one wherever messages are announced, asked for and refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Large {
        /// Ordinal of the seal.
        pub seal: u64,
        /// Which of its leaves.
        pub index: u16,
        /// Milliseconds since 1970-01-01 UTC, by the publisher's clock.
        pub timestamp_ms: u64,
        /// Bytes of the message: more than [`MAX_DATA`], at most [`MAX_LARGE`].
        pub length: u32,
        /// The hashes of its chunks: see [`subtree_hashes`](crate::crypto::subtree_hashes).
        pub chunks: List<[u8; 32], MAX_CHUNKS>,
    }
}

wire_message! {
    /// Chunks of a message that follow one another.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ChunkRange {
        /// The first one, counted from 0.
        pub first: u16,
        /// How many.
        pub count: u16,
    }
}

wire_message! {
    /// The body of [`HAVE`]. The sender has the message's header and takes part in spreading the message.
    /// What it names is beside what it named before.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Have {
        /// Which message.
        pub message: MessageId,
        /// Chunks that the sender has, and does not offer yet.
        pub has: List<ChunkRange, MAX_RANGES>,
        /// Chunks that it has and gives to the receiver.
        pub offers: List<ChunkRange, MAX_RANGES>,
    }
}
