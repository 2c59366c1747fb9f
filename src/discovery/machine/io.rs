//! What goes into the machine and what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::discovery::record::{PendingSignature, RecordFault};
use crate::discovery::{ContactFault, Key, Scope};
use crate::identity::PeerId;
use crate::policy::IpGroup;
use crate::wire::Violation;
use crate::wire::message::discovery::{Contact, Record};

/// Number of a request of this node to a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Number of a request of a peer to this node, given by the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Number of a signature to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u64);

/// Number of something that the program asked for, given by the edge. Numbers from
/// [`FIRST_INTERNAL`](Self::FIRST_INTERNAL) on are the machine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

impl OperationId {
    /// From here on the numbers are the machine's own; the edge uses those below.
    pub const FIRST_INTERNAL: u64 = 1 << 63;
}

/// What the machine is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A connection with a peer is confirmed; its round-trip time is `rtt`.
    Connected {
        /// Who.
        peer: PeerId,
        /// Round-trip time of the connection.
        rtt: Duration,
    },
    /// A connected peer said who it is, or said it anew.
    Met {
        /// The peer, with the addresses that others may be told: those where a dial reached it, or
        /// that it named itself on the host from which it was seen to connect.
        contact: Contact,
        /// Whether it answers queries.
        is_server: bool,
    },
    /// The last connection with a peer is gone. It stays in the table.
    Disconnected(PeerId),
    /// A peer asks.
    Request {
        /// Under this number the answer is given.
        id: RequestId,
        /// Who asks.
        asker: Asker,
        /// Type of the frame.
        kind: u8,
        /// Its body.
        body: Bytes,
    },
    /// A peer answered.
    Answer {
        /// What it answered.
        call: CallId,
        /// From where it is reached.
        scope: Scope,
        /// Type of the frame.
        kind: u8,
        /// Its body.
        body: Bytes,
    },
    /// A request has no answer.
    Failed {
        /// Which.
        call: CallId,
        /// Why.
        why: CallFailure,
    },
    /// A signature was verified.
    Verified {
        /// Which.
        check: CheckId,
        /// Whether it is valid.
        is_valid: bool,
    },
    /// A peer misbehaved so much, in whatever protocol, that it has no place in the table for a
    /// while. Reputation never does more: it orders no eviction.
    Veto(PeerId),
    /// The program asks for something.
    Start {
        /// Under this number it is answered.
        operation: OperationId,
        /// What.
        command: Command,
    },
    /// The program does not wait any more.
    Cancel(OperationId),
    /// Something that the program published is not to be published any more.
    Unpublish {
        /// Kind of the record.
        kind: u16,
        /// Key of the record.
        key: Key,
    },
    /// Whether this node has a public address: then it keeps no private ones of others.
    Public(bool),
    /// Whether this node answers queries, as it does from the start: if not, it holds nothing for
    /// others and takes nothing over from its neighbours.
    Serving(bool),
    /// The time that [`poll_timeout`](super::Kademlia::poll_timeout) named has come.
    Timer,
}

/// Who asks this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Whom the handshake names.
    pub peer: PeerId,
    /// Whether it is confirmed: if not, the request may be somebody's replay, is charged to the IP
    /// group alone and teaches nothing.
    pub is_confirmed: bool,
    /// Where it comes from; the relay's, behind a relay.
    pub group: IpGroup,
    /// From where it is reached.
    pub scope: Scope,
}

/// Why a request to a peer has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// It could not be reached, or the connection ended: nobody's fault.
    Unreachable,
    /// None of its addresses leads anywhere from here: nothing was sent.
    NoAddress,
    /// It is there and has no time: nobody's fault.
    Busy,
    /// It is there and does not do this.
    Refused,
    /// It is there and does not know this kind of record; others it does.
    Unsupported,
    /// The edge would not dial its addresses now: too many dials to one host failed.
    NotDialled,
    /// At its address answers another peer. `group` is the address's.
    OtherIdentity {
        /// IP group of the address.
        group: IpGroup,
    },
    /// It belongs to another network.
    OtherNetwork,
    /// Its answer broke the rules of framing; the edge has recorded the fault.
    Malformed,
}

/// What the program may ask for.
#[derive(Debug, Clone)]
pub enum Command {
    /// Enter the network through these peers and the table. Ends with [`Outcome::Bootstrapped`].
    Bootstrap {
        /// Peers to begin with, beside those of the table.
        seeds: Vec<Contact>,
    },
    /// Reach a peer. Ends with [`Outcome::Peer`].
    FindPeer(PeerId),
    /// The nodes nearest to a key. Ends with [`Outcome::Closest`].
    Closest(Key),
    /// A record. Ends with [`Outcome::Record`].
    Get {
        /// Its kind.
        kind: u16,
        /// Its key.
        key: Key,
        /// Whether to take disjoint paths from the start.
        is_hardened: bool,
    },
    /// Store a record of this node, and keep it stored. Ends with [`Outcome::Stored`] as soon as it
    /// is safe; the rest of its holders follow.
    Put(Record),
    /// Store many records of this node together, which costs far less than one by one, and keep them
    /// stored. Records that cannot be published are left out. Ends with [`Outcome::Published`].
    PutMany(Vec<Record>),
    /// Who provides a key. Ends with [`Outcome::Providers`].
    Providers {
        /// The key.
        key: Key,
        /// As many are enough.
        limit: usize,
        /// Whether only those count that answer a request now.
        only_live: bool,
    },
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The table holds this many nodes now.
    Bootstrapped {
        /// Nodes in the table.
        contacts: usize,
    },
    /// Where the peer is.
    Peer {
        /// What others say, if anybody knows it.
        contact: Option<Contact>,
        /// Whether it answered a request of this node during the search.
        has_answered: bool,
    },
    /// The nearest nodes that answered, nearest first.
    Closest(Vec<Contact>),
    /// The record, if it was found.
    Record(Option<Record>),
    /// This many nodes hold the record so far.
    Stored {
        /// Acknowledged replicas.
        replicas: usize,
    },
    /// All nodes have been asked to hold the records.
    Published {
        /// Records that at least [`K`](crate::discovery::K) nodes hold, or all there are.
        complete: usize,
        /// Records that fewer hold.
        incomplete: usize,
        /// Records that were left out.
        rejected: usize,
    },
    /// The providers that were found.
    Providers(Vec<Contact>),
    /// The command cannot be carried out.
    Rejected(Rejection),
}

/// Why a command cannot be carried out: the caller's mistake, or a limit of this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The record is not what its kind demands.
    #[error("the record is not valid")]
    InvalidRecord,
    /// The kind of record is not known here.
    #[error("the kind of record is not known")]
    UnknownKind,
    /// As many commands are under way as may be.
    #[error("too many operations are under way")]
    TooMany,
    /// This node publishes as many records as it may.
    #[error("too many records are published")]
    TooManyPublications,
    /// A later version of the record is published already.
    #[error("a later version of the record is published")]
    Superseded,
}

/// What the machine wants done, or tells.
#[derive(Debug, Clone)]
pub enum Output {
    /// Send a request to a peer, over its connection or a new one.
    Call {
        /// Answer under this number.
        call: CallId,
        /// Whom.
        contact: Contact,
        /// Type of the request frame.
        kind: u8,
        /// Its body.
        body: Bytes,
    },
    /// Nobody waits for this answer any more.
    Abandon(CallId),
    /// Answer a request.
    Reply {
        /// Which.
        id: RequestId,
        /// The frame, or why there is none.
        reply: Result<ReplyFrame, Refuse>,
    },
    /// Verify a signature, off this thread.
    Verify {
        /// Answer under this number.
        check: CheckId,
        /// What.
        signature: Box<PendingSignature>,
    },
    /// A peer broke the rules.
    Fault {
        /// Who.
        peer: PeerId,
        /// What it did.
        fault: Fault,
    },
    /// A command came to its end.
    Done {
        /// Which.
        operation: OperationId,
        /// What came of it.
        outcome: Outcome,
    },
    /// Something happened.
    Event(Event),
}

/// A response frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyFrame {
    /// Type of the frame.
    pub kind: u8,
    /// Its body.
    pub body: Bytes,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuse {
    /// Too much to do.
    Busy,
    /// A kind of record that is not known here.
    Unsupported,
    /// Not before the handshake is confirmed.
    Early,
    /// The body is malformed; the asker's fault.
    Violation(Violation),
}

/// What a peer did wrong, beyond the rules of framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its answer does not decode.
    Malformed(Violation),
    /// It told an address that its own rules forbid.
    ForbiddenAddress(ContactFault),
    /// Three times, at an address in another network each, answered somebody else than it told.
    WrongAddresses,
    /// A record that is not what its kind demands.
    InvalidRecord(RecordFault),
    /// It stored a version that was superseded. Told once a minute at most: a node that was away
    /// does this once.
    StaleRecord,
    /// The answer does not fit the question.
    Incoherent,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A node entered the table.
    Added(PeerId),
    /// A node left the table.
    Removed(PeerId),
    /// A lookup is over.
    Looked(Looked),
    /// More ids stand around a key than chance and the network's size allow: somebody tries to
    /// surround it.
    Alarm {
        /// The key.
        target: Key,
        /// Ids above the quota.
        over_quota: usize,
    },
    /// The nodes around a key stand closer together than expected: the search was extended.
    Suspicious {
        /// The key.
        target: Key,
    },
    /// The holders of a record are complete.
    Replicated {
        /// Kind of the record.
        kind: u16,
        /// Its key.
        key: Key,
        /// Acknowledged replicas.
        replicas: usize,
    },
    /// A record that this node published has expired: its owner has to sign a new one.
    Expired {
        /// Kind of the record.
        kind: u16,
        /// Its key.
        key: Key,
    },
}

/// What a lookup came to, for those who measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// Where it went.
    pub target: Key,
    /// Requests in the chain to the nearest node that answered, the one to it included.
    pub hops: u8,
    /// Requests sent.
    pub requests: usize,
    /// When the nearest node had answered.
    pub nearest_after: Duration,
    /// When it was over.
    pub over_after: Duration,
    /// Ids above the density quota within the distance of the k-th accepted node.
    pub over_quota: usize,
    /// Whether the nodes stand closer together than chance allows.
    pub is_suspicious: bool,
}
