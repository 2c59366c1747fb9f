//! What goes into the machine and what comes out.

use bytes::Bytes;

use crate::crypto::{SealBody, Signature};
use crate::gossip::TopicHash;
use crate::gossip::seals::SharedSeal;
use crate::identity::PeerId;
use crate::policy::IpGroup;
use crate::wire::Violation;
use crate::wire::message::discovery::Contact;
use crate::wire::message::gossip::MessageId;

/// A neighbour, as the edge numbers it. The same neighbour keeps its number when it comes back within
/// the time in which its score is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(pub u64);

/// Number of a signature to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningId(pub u64);

/// Number of a seal to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub u64);

/// Number of a neighbour's question for a chunk, given by the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// Number of something that the program published, given by the edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId(pub u64);

/// What a neighbour says that is asked for a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkAnswer {
    /// This is it. An answer that is no chunk comes to an empty one, and fits nowhere.
    Given(Bytes),
    /// It does not give it, or is lost.
    Refused,
    /// Nothing within [`CHUNK_DEADLINE`](crate::gossip::CHUNK_DEADLINE).
    RanOut,
}

/// What the machine is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A neighbour is there and speaks gossip; its streams, both ways, begin now.
    Connected {
        /// Under this number.
        link: Link,
        /// Where it is.
        group: IpGroup,
        /// Whether this node dialled it.
        is_outbound: bool,
    },
    /// Messages are always exchanged with a neighbour, for as long as it is there: outside the meshes, and
    /// whatever its score is (GossipSub v1.1, explicit peering agreements). To be told after
    /// [`Connected`](Self::Connected).
    Explicit(Link),
    /// What the program thinks of a neighbour until it says something else, or the neighbour is gone: P5 of
    /// its score. Beyond [`MAX_COUNT`](crate::gossip::score::MAX_COUNT) it counts as that; what is no
    /// number is ignored.
    Opinion {
        /// Of whom.
        link: Link,
        /// What.
        value: f64,
    },
    /// A neighbour is gone, and with it what was queued for it.
    Disconnected(Link),
    /// Where others may find a neighbour, for those that leave this node's mesh.
    Reachable {
        /// Which.
        link: Link,
        /// Where.
        contact: Contact,
    },
    /// A frame of a neighbour's stream, in order.
    Frame {
        /// Whose.
        link: Link,
        /// Type of the frame.
        kind: u8,
        /// Its body.
        body: Bytes,
    },
    /// What was [sent](Output::Send) to a neighbour is written: it takes more.
    Writable(Link),
    /// A signature that was asked for, or none if the backend failed.
    Signed {
        /// Which.
        id: SigningId,
        /// The signature.
        signature: Option<Signature>,
    },
    /// A seal was verified.
    Verified {
        /// Which.
        id: CheckId,
        /// Whether its signature is valid.
        is_valid: bool,
    },
    /// The program judged a message.
    Judged {
        /// Which.
        id: MessageId,
        /// How.
        verdict: Verdict,
    },
    /// The program wants the messages of a topic.
    Subscribe {
        /// Which.
        topic: TopicHash,
        /// How.
        options: TopicOptions,
    },
    /// The program wants them no more.
    Unsubscribe(TopicHash),
    /// The program says something.
    Publish {
        /// Under this number it is answered.
        id: PublicationId,
        /// Where. A topic to which the program did not subscribe is sealed.
        topic: TopicHash,
        /// What.
        data: Bytes,
    },
    /// What came of an [`AskChunk`](Output::AskChunk).
    Chunk {
        /// Who was asked.
        link: Link,
        /// For a chunk of which message.
        message: MessageId,
        /// Which chunk.
        index: u16,
        /// What the neighbour said.
        answer: ChunkAnswer,
    },
    /// A neighbour asks for a chunk; answered by [`Output::GiveChunk`] before anything else happens.
    ChunkAsked {
        /// Under this number.
        ask: AskId,
        /// Who.
        link: Link,
        /// Of which message.
        message: MessageId,
        /// Which chunk.
        index: u16,
    },
    /// A neighbour misbehaved so much, in whatever protocol, that it has no place in a mesh
    /// for as long as a pruned one stays away.
    Veto(Link),
    /// The time that `poll_timeout` named has come.
    Timer,
}

/// What the program says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is passed on.
    Accept,
    /// It is dropped; nobody is to blame.
    Ignore,
    /// It is dropped; who brought it ought to have known. By the default score each neighbour that did leaves
    /// the mesh of the topic for ten minutes, and others where its record does not outweigh it. It loses ten points
    /// of reputation: by default five such messages in a row close its connection, and ten ban it. Of a long
    /// message, at its end, its publisher alone is to blame.
    Reject,
}

/// How a topic is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicOptions {
    /// Messages carry no signature and no publisher; anybody may have said them.
    pub is_unsigned: bool,
    /// The program judges each message before it is passed on.
    pub is_judged: bool,
}

/// What the machine wants done.
#[derive(Debug, Clone)]
pub enum Output {
    /// Frames for a neighbour's stream, in order. The next ones come after [`Input::Writable`].
    Send {
        /// To whom.
        link: Link,
        /// Encoded frames, one behind the other.
        frames: Bytes,
    },
    /// A leaf list to be signed with the node's key; answered by [`Input::Signed`].
    Sign {
        /// Under this number.
        id: SigningId,
        /// What.
        body: SealBody,
    },
    /// A seal to be verified with its key; answered by [`Input::Verified`].
    Verify {
        /// Under this number.
        id: CheckId,
        /// What.
        seal: SharedSeal,
    },
    /// The program is asked for its opinion; answered by [`Input::Judged`].
    Judge(Message),
    /// The program is asked whether it wants a long message at all; answered by [`Input::Judged`]. When
    /// all of the message is here, it is asked once more.
    JudgeHeader(Header),
    /// A neighbour is to be asked for a chunk; answered by [`Input::Chunk`].
    AskChunk {
        /// Whom.
        link: Link,
        /// Of which message.
        message: MessageId,
        /// Which chunk.
        index: u16,
    },
    /// A chunk for a neighbour that asked, or none.
    GiveChunk {
        /// Which question this answers.
        ask: AskId,
        /// The chunk.
        chunk: Option<Bytes>,
    },
    /// A message for the program, accepted.
    Deliver(Message),
    /// A message of the program is on its way.
    Published {
        /// Which.
        publication: PublicationId,
        /// What came of it.
        outcome: Result<Published, NotPublished>,
    },
    /// Somebody whom a neighbour recommends for a topic that has too few.
    Dial {
        /// Who recommends.
        link: Link,
        /// Whom.
        contact: Contact,
    },
    /// A neighbour is to be let go, and nobody is to blame: it takes nothing of what it has to be told.
    End(Link),
    /// A neighbour did what nobody may.
    Fault {
        /// Who.
        link: Link,
        /// What.
        fault: Fault,
    },
    /// Something that an operator may want to know.
    Event(Event),
}

/// A message as the program sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// Where it was said.
    pub topic: TopicHash,
    /// Who said it, and when by its own clock; nobody knows on an unsigned topic.
    pub source: Option<Source>,
    /// What.
    pub data: Bytes,
}

/// What is known of a long message before it is here: its publisher is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub id: MessageId,
    /// Where it was said.
    pub topic: TopicHash,
    /// Who said it.
    pub source: Source,
    /// Its length in bytes: more than 16 KiB, at most 32 MiB.
    pub length: u32,
}

/// Who said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Who.
    pub publisher: PeerId,
    /// The publisher's epoch.
    pub epoch: u64,
    /// Number of the message in it, on this topic.
    pub counter: u64,
    /// Milliseconds since 1970-01-01 UTC, by the publisher's clock.
    pub timestamp_ms: u64,
}

/// A message that the program published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Its name.
    pub id: MessageId,
    /// For how many neighbours it, or its announcement, was queued.
    pub neighbours: usize,
}

/// Why something was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// Longer than a message may be.
    #[error("a message has at most {limit} bytes")]
    TooLong {
        /// The most.
        limit: usize,
    },
    /// The very same was said on this unsigned topic a short while ago.
    #[error("the same message was published before")]
    Duplicate,
    /// The node says more than it can sign, than its neighbours take, or than finds room; what is said later may be
    /// taken again.
    #[error("too many messages wait to be signed, sent or held")]
    Busy,
    /// The signing backend failed.
    #[error("the message could not be signed")]
    Signing,
}

/// What a neighbour did that no honest one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A body that does not decode.
    #[error(transparent)]
    Malformed(#[from] Violation),
    /// A subscription, key or seal that was never named on this stream, or too long ago.
    #[error("an ordinal that names nothing")]
    UnknownOrdinal,
    /// A key that the suite does not have.
    #[error("not a key")]
    InvalidKey,
    /// A seal without leaves, with a leaf twice, or with counters beyond the last.
    #[error("a seal that nobody can have made")]
    InvalidSeal,
    /// A seal whose signature does not verify: who passed it on had to see that.
    #[error("a seal with an invalid signature")]
    InvalidSignature,
    /// A message that is not in the list of its seal.
    #[error("a message that its seal does not list")]
    NotInSeal,
    /// A sealed message on a topic without signatures, or the reverse.
    #[error("a message that is signed differently from its topic")]
    WrongTopic,
    /// More subscriptions than a peer may have.
    #[error("too many subscriptions")]
    TooManySubscriptions,
    /// A message that the program rejected.
    #[error("a message that was rejected")]
    Rejected,
    /// The header of a long message that cannot be one.
    #[error("a header that fits no message")]
    InvalidHeader,
    /// A chunk that is not what the message's header says: who gives one had to check it.
    #[error("a chunk of something else")]
    ForgedChunk,
    /// Chunks that a message does not have, or more announcements than there is to tell.
    #[error("chunks that do not exist")]
    FalseChunks,
}

impl Fault {
    /// Whether the neighbour is heard all the same: what the program thinks of a message no other node
    /// can know.
    #[must_use]
    pub const fn is_forgiven(&self) -> bool {
        matches!(self, Self::Rejected)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A neighbour joined a topic's mesh.
    Grafted(Link, TopicHash),
    /// A neighbour left a topic's mesh.
    Pruned(Link, TopicHash),
    /// A publisher made two messages with one counter: both seals prove it. Told once a minute of one publisher
    /// in one epoch on one topic.
    Equivocation {
        /// Who.
        publisher: PeerId,
        /// The seals of the two messages.
        seals: [SharedSeal; 2],
    },
    /// The program rejected a long message when all of it was here: no long message of its publisher
    /// is carried for ten minutes.
    Distrusted(PeerId),
    /// A neighbour has not taken what it was handed for a moment. If that goes on it is a slow reader. Told once until it
    /// has caught up.
    Stalls(Link),
    /// A neighbour reads too slowly and is in no mesh any more.
    SlowReader(Link),
}
