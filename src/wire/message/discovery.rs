//! Discovery (protocol 4): Kademlia. Who is near a key, who holds a record, please hold this one.
//!
//! Whoever asks opens a bidirectional stream, sends one request frame and ends its side; the other
//! answers with one response frame. The three questions change nothing and may travel before the
//! handshake is confirmed; [`STORE`] and [`HAND_OFF`] may not. A node that is overloaded resets the
//! stream with `BUSY`, one that does not know a kind of record answers `UNSUPPORTED`.

use crate::crypto::{SIGNATURE_BYTES, VERIFYING_KEY_BYTES};
use crate::identity::PeerId;
use crate::wire::Address;
use crate::wire::codec::{List, Payload, SharedList, wire_message};
use crate::wire::frame::{FrameRule, FrameRules};

/// Number of the protocol.
pub const PROTOCOL: u32 = super::protocol::DISCOVERY;

/// Which nodes are near a key? Answered by [`NODES`].
pub const FIND_NODE: u8 = 0x01;

/// The record under a key, or else the nodes near a key. Answered by [`VALUE`] or [`NODES`].
pub const FIND_VALUE: u8 = 0x02;

/// Who provides a key, and which nodes are near a key? Answered by [`PROVIDERS`].
pub const GET_PROVIDERS: u8 = 0x03;

/// Please hold these records. Answered by [`STORED`].
pub const STORE: u8 = 0x04;

/// The records that the asker should hold from now on. Answered by [`HANDED_OFF`].
pub const HAND_OFF: u8 = 0x05;

/// Nodes near the target.
pub const NODES: u8 = 0x11;

/// The record that was looked for, and nodes near the target.
pub const VALUE: u8 = 0x12;

/// Providers of the key, and nodes near the target.
pub const PROVIDERS: u8 = 0x13;

/// What became of each record of a [`STORE`].
pub const STORED: u8 = 0x14;

/// Records near the asker.
pub const HANDED_OFF: u8 = 0x15;

/// Most contacts in a reply: twice a bucket, because with a third of them dead a reply of 20 names
/// too few live ones to find the exact neighbourhood of a key.
pub const MAX_CONTACTS: usize = 40;

/// Most addresses of a contact: IPv4 and IPv6, direct and over a relay.
pub const MAX_CONTACT_ADDRESSES: usize = 4;

/// Most providers in a reply: more than anybody dials, few enough for one reply.
pub const MAX_PROVIDERS: usize = 32;

/// Most records of a [`STORE`] or a [`HANDED_OFF`]: at 64 a message, storing records in bulk costs
/// next to nothing beside finding the nodes.
pub const MAX_RECORDS: usize = 64;

/// Largest body of a record, whatever its kind; each kind has a limit of its own below this.
pub const MAX_RECORD_BODY: usize = 64 << 10;

/// Largest value of an immutable or a mutable record.
pub const MAX_VALUE: usize = 16 << 10;

/// Longest salt of a mutable record.
pub const MAX_SALT: usize = 64;

/// Largest contact: an id and four addresses, each an IPv6 host with its port behind a relay: 85 bytes.
const MAX_CONTACT: u32 = 32 + 1 + MAX_CONTACT_ADDRESSES as u32 * (17 + 3 + 65);

/// Largest answer that names nodes.
const MAX_NODES_BODY: u32 = 1 + MAX_CONTACTS as u32 * MAX_CONTACT;

/// Largest record of any kind: its number, the length of its body and the body. The largest mutable
/// one takes 23 703 bytes: 16 384 of value, 64 of salt and 7 255 of the rest.
const MAX_RECORD: u32 = 3 + 5 + MAX_RECORD_BODY as u32;

/// A record and the nodes.
const MAX_VALUE_BODY: u32 = MAX_RECORD + MAX_NODES_BODY;

/// The providers and the nodes.
const MAX_PROVIDERS_BODY: u32 = 1 + MAX_PROVIDERS as u32 * MAX_CONTACT + MAX_NODES_BODY;

/// Largest bulk of records: 22 of the largest mutable ones, 64 of less than 8 KiB. Whoever fills a
/// message stops at this limit or at [`MAX_RECORDS`], whichever comes first.
pub const MAX_BULK_BODY: u32 = 512 << 10;

const DEFINED: &[u8] = &[
    FIND_NODE,
    FIND_VALUE,
    GET_PROVIDERS,
    STORE,
    HAND_OFF,
    NODES,
    VALUE,
    PROVIDERS,
    STORED,
    HANDED_OFF,
];

const fn rule(kind: u8, max_body: u32) -> FrameRule {
    FrameRule { kind, max_body }
}

/// What the asked side reads.
pub const ACCEPTOR_READS: FrameRules = FrameRules {
    legal: &[
        rule(FIND_NODE, 33),
        rule(FIND_VALUE, 67),
        rule(GET_PROVIDERS, 64),
        rule(STORE, MAX_BULK_BODY),
        rule(HAND_OFF, 33),
    ],
    defined: DEFINED,
};

/// What is read in answer to a request of this type.
#[must_use]
pub const fn reads_after(request: u8) -> FrameRules {
    const NODES_ONLY: &[FrameRule] = &[rule(NODES, MAX_NODES_BODY)];
    const VALUE_OR_NODES: &[FrameRule] =
        &[rule(VALUE, MAX_VALUE_BODY), rule(NODES, MAX_NODES_BODY)];
    const PROVIDERS_ONLY: &[FrameRule] = &[rule(PROVIDERS, MAX_PROVIDERS_BODY)];
    const STORED_ONLY: &[FrameRule] = &[rule(STORED, 1 + MAX_RECORDS as u32)];
    const HANDED_OFF_ONLY: &[FrameRule] = &[rule(HANDED_OFF, MAX_BULK_BODY)];
    let legal = match request {
        FIND_NODE => NODES_ONLY,
        FIND_VALUE => VALUE_OR_NODES,
        GET_PROVIDERS => PROVIDERS_ONLY,
        STORE => STORED_ONLY,
        HAND_OFF => HANDED_OFF_ONLY,
        _ => &[],
    };
    FrameRules {
        legal,
        defined: DEFINED,
    }
}

/// What may come back at all, for the side that answers.
pub const DIALLER_READS: FrameRules = FrameRules {
    legal: &[
        rule(NODES, MAX_NODES_BODY),
        rule(VALUE, MAX_VALUE_BODY),
        rule(PROVIDERS, MAX_PROVIDERS_BODY),
        rule(STORED, 1 + MAX_RECORDS as u32),
        rule(HANDED_OFF, MAX_BULK_BODY),
    ],
    defined: DEFINED,
};

/// Requests that may be served before the handshake is confirmed: repeating them changes nothing.
pub const EARLY_FRAMES: &[u8] = &[FIND_NODE, FIND_VALUE, GET_PROVIDERS];

wire_message! {
    /// Body of [`FIND_NODE`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct FindNode {
        /// The key.
        pub target: [u8; 32],
        /// Most contacts that the asker wants; more than [`MAX_CONTACTS`] are never sent. 0 asks
        /// only for a sign of life.
        pub want: u8,
    }
}

wire_message! {
    /// Body of [`FIND_VALUE`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct FindValue {
        /// Towards this key the reply names nodes. It differs from `key` when the asker walks
        /// through the surroundings of `key`.
        pub target: [u8; 32],
        /// Kind of the record.
        pub kind: u16,
        /// Key of the record.
        pub key: [u8; 32],
    }
}

wire_message! {
    /// Body of [`GET_PROVIDERS`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct GetProviders {
        /// Towards this key the reply names nodes.
        pub target: [u8; 32],
        /// The key whose providers are wanted.
        pub key: [u8; 32],
    }
}

wire_message! {
    /// Body of [`STORE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Store {
        /// The records; each is judged on its own.
        pub records: List<Record, MAX_RECORDS>,
    }
}

wire_message! {
    /// Body of [`HAND_OFF`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct HandOff {
        /// Go on behind this key, in the order of keys; absent the first time.
        pub after: Option<[u8; 32]>,
    }
}

wire_message! {
    /// Body of [`NODES`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Nodes {
        /// Nearest first.
        pub contacts: List<Contact, MAX_CONTACTS>,
    }
}

wire_message! {
    /// Body of [`VALUE`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Value {
        /// The record, of the kind that was asked for.
        pub record: Record,
        /// Nodes near the target, nearest first.
        pub contacts: List<Contact, MAX_CONTACTS>,
    }
}

wire_message! {
    /// Body of [`PROVIDERS`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Providers {
        /// Drawn at random if there are more.
        pub providers: List<Contact, MAX_PROVIDERS>,
        /// Nodes near the target, nearest first.
        pub contacts: List<Contact, MAX_CONTACTS>,
    }
}

wire_message! {
    /// Body of [`STORED`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Stored {
        /// One for each record, in their order.
        pub outcomes: List<StoreOutcome, MAX_RECORDS>,
    }
}

wire_message! {
    /// Body of [`HANDED_OFF`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct HandedOff {
        /// Records to whose nearest nodes the asker belongs, in the order of their keys.
        pub records: List<Record, MAX_RECORDS>,
        /// Ask again behind this key for the rest; absent if there is none.
        pub next: Option<[u8; 32]>,
    }
}

wire_message! {
    /// A node and where it may be reached.
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Contact {
        /// Who.
        pub peer: PeerId,
        /// IP hosts, best first: direct ones without a peer id, relayed ones with `peer` as target.
        pub addresses: SharedList<Address, MAX_CONTACT_ADDRESSES>,
    }
}

wire_message! {
    /// A record of any kind, its body still closed: a kind that the receiver does not know is
    /// passed over.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Record {
        /// Number of the kind.
        pub kind: u16,
        /// What the kind says.
        pub body: Payload<MAX_RECORD_BODY>,
    }
}

wire_message! {
    /// What became of a record.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum StoreOutcome {
        /// It is held; or it was already, and lives on.
        Stored = 0,
        /// A later version is held, or is remembered.
        Superseded = 1,
        /// The kind is not known here.
        Unsupported = 2,
        /// There is no room for it, or for more of this sender.
        Full = 3,
        /// It is not what its kind demands.
        Invalid = 4,
    }
}

wire_message! {
    /// Body of a record of kind [`kind::IMMUTABLE`]: its key is `KDF(IMMUTABLE_KEY, value)`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ImmutableRecord {
        /// The value.
        pub value: Payload<MAX_VALUE>,
    }
}

wire_message! {
    /// Body of a record of kind [`kind::MUTABLE`]: its key is `KDF(MUTABLE_KEY, owner ‖ salt)`, with
    /// the owner's name, the hash of suite and public key.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct MutableRecord {
        /// Signature suite.
        pub suite: u8,
        /// The owner's public key.
        pub public_key: [u8; VERIFYING_KEY_BYTES],
        /// Tells records of one owner apart.
        pub salt: Payload<MAX_SALT>,
        /// The higher one supersedes.
        pub sequence: u64,
        /// Milliseconds since 1970-01-01 UTC.
        pub created: u64,
        /// Milliseconds since 1970-01-01 UTC; at most 48 h after `created`.
        pub expires: u64,
        /// The value.
        pub value: Payload<MAX_VALUE>,
        /// Over the label, the network, the owner, the hash of the salt, the three numbers and the
        /// hash of the value.
        pub signature: [u8; SIGNATURE_BYTES],
    }
}

wire_message! {
    /// Body of a record of kind [`kind::PROVIDER`]: the sender of the STORE provides the key.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ProviderRecord {
        /// What is provided.
        pub key: [u8; 32],
        /// Seconds from its receipt on; 0 takes it back.
        pub lifetime: u32,
    }
}

/// Numbers of the kinds of records.
pub mod kind {
    /// [`ImmutableRecord`](super::ImmutableRecord).
    pub const IMMUTABLE: u16 = 1;
    /// [`MutableRecord`](super::MutableRecord).
    pub const MUTABLE: u16 = 2;
    /// [`ProviderRecord`](super::ProviderRecord).
    pub const PROVIDER: u16 = 3;
}
