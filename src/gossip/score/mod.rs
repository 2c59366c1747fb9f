//! The score of each neighbour: P1 to P7 of GossipSub v1.1 (section "Peer Scoring") and slowness.
//!
//! # Formula
//!
//! ```text
//! topic(t) = weight(t) (w1 P1 + w2 P2 + w3 P3 + w3b P3b + w4 P4)
//! score    = min(topic_cap, sum of the positive topic(t)) + sum of the negative topic(t)
//!          + w5 P5 + w6 P6 + w7 P7 + w8 slow
//!
//! where P3 and P3b take at most deficit_cap off the sum
//! ```
//!
//! | | value | weight |
//! | --- | --- | --- |
//! | P1 | time in the mesh in quanta, capped | ≥ 0 |
//! | P2 | messages brought first, capped, decaying | ≥ 0 |
//! | P3 | square of the deficit of a member, see below | < 0 |
//! | P3b | squares of the deficits with which it left the mesh, decaying | < 0 |
//! | P4 | square of the number of invalid messages, decaying | < 0 |
//! | P5 | what the program says | ≥ 0 |
//! | P6 | square of the surplus of links from its network, which every one of them pays | ≤ 0 |
//! | P7 | square of the misbehaviour beyond a threshold, decaying | < 0 |
//! | slow | messages that it did not take, beyond a threshold, capped, decaying | ≤ 0 |
//!
//! Beside P3, three things differ from v1.1. In the first two a neighbour hides behind its virtues there:
//!
//! * The cap holds for what topics earn, not for the sum. A cap on the sum lets the hundred topics of
//!   which one is a good member pay for anything on the next one.
//! * A neighbour that goes keeps every penalty, even if its score is positive: else it would lay down
//!   its failures on one topic behind its record on another.
//! * What it does not bring costs a neighbour the meshes, and not the rest: a node that has one link, or is the end
//!   of a chain, has nothing to bring there on any of its topics, and would hear of nothing any more.
//!
//! The slow-peer term is not in v1.1; here it has a limit, so that who is slow leaves the meshes and
//! goes on hearing of messages.
//!
//! # Rule
//!
//! A neighbour joins the mesh of a topic, and stays in it, only while [`ScoreBoard::deserves_mesh`]:
//! its score is not negative, **and** its score on that topic is not negative. The second half is what
//! v1.1 lacks: without it, a member that forwards nothing on one topic lives on what it earns on others
//! (CVE-2022-47547; arXiv 2212.05197 and 2311.08859 prove it for a well-known set). The machine prunes
//! by this rule at every heartbeat, and grafts nobody who does not meet it.
//!
//! # Silence does not pay
//!
//! For a member that brings nothing on topic t, P2 and the deliveries of P3 decay to zero, so that
//!
//! ```text
//! topic(t) -> weight (w1 P1 - |w3| P3(nothing) - |w3b| P3b - |w4| P4)
//!         <= weight (w1 cap1 - |w3| P3(nothing)),
//! ```
//!
//! where `P3(nothing)` is the square of the threshold, or 1 for a share. With the rule, which no other
//! topic enters, `w1 cap1 < |w3| P3(nothing)` is sufficient for it to leave; it is necessary, as the
//! bound is reached by a member without failures. [`ScoreConfig::validate`] asks for it on every topic,
//! the unnamed ones included, and [`TopicScore::silence`] says how long it takes. Sets that switch P3
//! off for quiet topics are refused for it; the shares below make that unnecessary.
//!
//! Once out, P3b keeps such a neighbour out until it decayed to zero, or until it brings messages from
//! outside. What happens then is the same again: the time in the mesh is the bound, the time outside
//! is [`MeshFailure`]'s.
//!
//! # What a member owes
//!
//! **[`Deliveries::Expected`]**, in the sets that ship. Most links are asked to keep silent about most
//! publishers, and an honest silent one must not pay for it; and where everybody sends everything at once,
//! whoever is farther away than others never comes first, and must not pay either. A member owes a share of
//! what was expected of it: with `E` such messages and `B` brought, the deficit is `1 - B / (share E)`, if
//! positive, from `E >= evidence` on. Both counters decay with time, but `E` not below the evidence: a busy
//! topic is judged by the last half minute, a quiet one by the last messages however long ago.
//!
//! **[`Deliveries::Absolute`]**, v1.1, for sets of one's own: `threshold` messages, decayed, first or within
//! the window after the first. The window must be shorter than a round trip, or an echo is a delivery, and then
//! an honest member far away brings nothing in time. On a topic on which less is said nobody can bring them, and
//! v1.1 would empty its mesh; so nobody is in deficit until this node itself received `traffic` messages on the
//! topic, decayed alike, during the membership. A silent member of a topic too quiet for that is not found.
//!
//! The machine tells each expectation once, when it is [settled](ScoreBoard::expected):
//!
//! 1. A message is expected of a link if, when this node first saw it, the link was asked to send this
//!    publisher's messages at once.
//! 2. It is [`Kept`](Expectation::Kept) when the link itself sends it before the window ends, first or
//!    later; an announcement or an answer to a request keeps nothing.
//! 3. It is [`Broken`](Expectation::Broken) when the window ends without it.
//! 4. It is neither, and not told, if this node sent or announced the message to the link, or refused
//!    it, and it did not come all the same: an honest link then sends nothing. That this node had to ask for
//!    the message changes nothing: who announces what nobody else has would have all others blamed.
//! 5. Nothing is expected of messages that honest links may have dropped: those near the limits of time,
//!    and of publishers that said two things under one counter; and of a publisher for whom no links are
//!    chosen yet four messages at once.
//!
//! Why it is safe for the honest: who is never asked owes nothing, and the window is long enough for a
//! lost packet to be repeated and for a message to be fetched that did not come by itself. Where even
//! so one message in twenty stays away, the chance that the fewest messages that are judged look like
//! less than the share is about 2e-9.
//!
//! Why it is safe against others: messages that nobody asked for raise no share, and one link's
//! deliveries excuse no other. Evidence stays when a membership ends before it suffices, even across
//! connections, so that short memberships add up. And no topic is too quiet to be judged in the end.
//!
//! It finds nobody who is never asked. So the machine must ask: every member of a mesh is asked for some
//! publishers from time to time; and a part of the messages, chosen by a hash that neighbours do not
//! know, is sent, announced and refused to those who were asked for it only after 300 ms, which excuses
//! nobody, or rule 4 would excuse a link that is always second. Which publishers a link withholds, a share does
//! not see: that is what the choice of links by source is for.
//!
//! Where the mesh alone decides, in a plain one and on topics without signatures, rule 4 would excuse everybody.
//! There nothing is expected but what members are audited with once the mesh had the time to settle: one message
//! in sixteen, drawn for each member apart, so that a message is withheld from hardly more than one of them. The
//! window begins when the message is accepted, is longer by what that took, and the member is told when it ends,
//! for what comes afterwards may be an echo. An honest member that has other links has the message from them by
//! then, and sends it, as it was told of nothing. That it withholds the message, too, for it audits this node,
//! happens to one in sixteen: the share leaves room for that. Who is the first to bring it has brought it, or a
//! bridge between two crowds, which has nothing else, would owe: who says a third of all that is said itself need
//! pass nothing on.

mod board;
mod config;
mod counters;
mod decay;
mod deliveries;
mod groups;
mod retained;
mod sets;
mod silence;
mod snapshot;
mod traffic;
mod validate;

#[cfg(test)]
mod tests;

pub use board::ScoreBoard;
pub use config::{
    Behaviour, Colocation, Deliveries, FirstDeliveries, Invalid, MeshDeliveries, MeshFailure,
    ScoreConfig, SlowPeer, Thresholds, TimeInMesh, TopicScore,
};
pub use deliveries::Expectation;
pub use silence::Silence;
pub use snapshot::{ScoreSnapshot, TopicTerms};
pub use validate::{MAX_SILENCE, MAX_TOLERATED, MAX_WEIGHT, ScoreConfigError};

/// Links that are scored: as many peers as a node can be configured for.
pub const MAX_LINKS: usize = 8_192;

/// Topics that are counted for one link, and topics that are scored on their own: twice what a peer
/// subscribes to, so that those it left last are remembered.
pub const MAX_TOPICS: usize = 256;

/// Neighbours that went and whose penalties are remembered. Each of them took a handshake and a
/// penalty within the hour; four times a node's default peers is an attack, in which the worst are
/// worth remembering. A neighbour with a penalty on one topic takes about 1 KiB.
pub const MAX_RETAINED: usize = 1_024;

/// Where counters without a cap of their own stop: squares stay far from what a float loses.
pub const MAX_COUNT: f64 = 1e6;
