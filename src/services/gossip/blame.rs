//! What the faults of the machine are to the swarm's reputation.

use crate::gossip::Fault as Found;
use crate::p2p::{Fault, Severity};
use crate::wire::ErrorCode;

/// The code with which the stream ends that brought a fault.
pub(super) const fn code(found: Found) -> ErrorCode {
    match found {
        Found::Malformed(violation) => violation.code(),
        _ => ErrorCode::Malformed,
    }
}

/// Numbers of gossip's faults in events; never reused.
///
/// | number | severity | what |
/// | --- | --- | --- |
/// | – | stream | malformed: a violation of the wire format |
/// | 1 | stream | an ordinal that names nothing |
/// | 2 | stream | not a key |
/// | 3 | stream | a seal that nobody can have made |
/// | 4 | ban | a seal with an invalid signature: it cost a verification |
/// | 5 | stream | a message that its seal does not list |
/// | 6 | stream | a message that is signed differently from its topic |
/// | 7 | grave | too many subscriptions |
/// | 8 | stream | a message that was rejected |
/// | 9 | stream | a header that fits no message |
/// | 10 | stream | a chunk of something else |
/// | 11 | stream | chunks that do not exist |
///
/// All but 8 end the streams of gossip.
pub(super) const fn fault(found: Found) -> Fault {
    let (number, severity) = match found {
        Found::Malformed(violation) => return Fault::Wire(violation),
        Found::UnknownOrdinal => (1, Severity::Stream),
        Found::InvalidKey => (2, Severity::Stream),
        Found::InvalidSeal => (3, Severity::Stream),
        Found::InvalidSignature => (4, Severity::Ban),
        Found::NotInSeal => (5, Severity::Stream),
        Found::WrongTopic => (6, Severity::Stream),
        Found::TooManySubscriptions => (7, Severity::Grave),
        Found::Rejected => (8, Severity::Stream),
        Found::InvalidHeader => (9, Severity::Stream),
        Found::ForgedChunk => (10, Severity::Stream),
        Found::FalseChunks => (11, Severity::Stream),
    };
    Fault::Protocol { number, severity }
}
