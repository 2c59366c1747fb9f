//! Why dials fail, and what that says.

use super::{RefuseReason, RequestError};
use crate::transport::{CloseReason, DialError, HandshakeFailure};
use crate::wire::ErrorCode;

/// Why a dial led to no connected peer. Of several addresses that failed, the most telling failure is
/// named: that the peer belongs to another network, then that somebody else answered, then whatever
/// else went wrong, last silence; of those that say as much, the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DialFailure {
    /// No address, or none that this node can dial.
    #[error("no address that can be dialled")]
    NoAddress,
    /// The handshake failed.
    #[error(transparent)]
    Transport(#[from] DialError),
    /// No answer within the connection timeout.
    #[error("no answer in time")]
    TimedOut,
    /// The address belongs to this node itself.
    #[error("the address belongs to this node itself")]
    OwnIdentity,
    /// The peer is banned for now.
    #[error("the peer is banned")]
    Banned,
    /// A limit of this node.
    #[error(transparent)]
    Limit(RefuseReason),
    /// The peer's identity could not be read.
    #[error("the peer's identity could not be read")]
    NoIdentity,
    /// The connection was made, the request on it failed.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The node dials as many peers at once as it may.
    #[error("too many dials under way")]
    TooMany,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopped,
}

/// How much a failure says about a peer that has several addresses, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Telling {
    Nothing,
    Silence,
    SomethingElse,
    OtherIdentity,
    OtherNetwork,
}

impl DialFailure {
    /// Whether it is known before anything is sent.
    #[must_use]
    pub(crate) const fn is_before_sending(self) -> bool {
        use DialFailure::{Banned, NoAddress, Stopped, TooMany};
        matches!(self, NoAddress | Banned | TooMany | Stopped)
    }

    /// Whether nobody answered in time: the peer may be away, or the way to it.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::TimedOut | Self::Transport(DialError::Failed(CloseReason::TimedOut))
        )
    }

    /// Whether somebody else than the peer that was dialled proved to be at the address.
    #[must_use]
    pub const fn is_other_identity(&self) -> bool {
        matches!(
            self.handshake(),
            // The same alert from the other end would be a claim of somebody who proved nothing.
            Some((HandshakeFailure::WrongPeer, false))
        )
    }

    /// Whether the end at the address speaks for another network. It proved no identity: the refusal
    /// comes before the credentials, from whoever answers at the address.
    #[must_use]
    pub const fn is_other_network(&self) -> bool {
        matches!(self.handshake(), Some((HandshakeFailure::WrongNetwork, _)))
    }

    /// What failed in the handshake, and whether the peer found the fault.
    const fn handshake(&self) -> Option<(HandshakeFailure, bool)> {
        match self {
            Self::Transport(DialError::Failed(CloseReason::Handshake { failure, by_peer })) => {
                Some((*failure, *by_peer))
            }
            _ => None,
        }
    }

    /// Whether the address is to blame: nobody answers there, or somebody else does.
    pub(super) const fn is_of_address(&self) -> bool {
        matches!(
            self,
            Self::TimedOut
                | Self::NoIdentity
                | Self::Transport(DialError::Failed(_) | DialError::NoIdentity)
        )
    }

    /// Of two failures to reach one peer the one to tell; `later` if they say as much.
    pub(super) fn or_more_telling(self, later: Self) -> Self {
        if self.telling() > later.telling() {
            self
        } else {
            later
        }
    }

    const fn telling(&self) -> Telling {
        if self.is_other_network() {
            Telling::OtherNetwork
        } else if self.is_other_identity() {
            Telling::OtherIdentity
        } else if self.is_unreachable() {
            Telling::Silence
        } else if matches!(self, Self::NoAddress) {
            Telling::Nothing
        } else {
            Telling::SomethingElse
        }
    }

    /// The code with which a connection that was refused for this reason is closed.
    pub(super) const fn code(&self) -> ErrorCode {
        match self {
            Self::Banned => ErrorCode::Banned,
            Self::Limit(_) => ErrorCode::Limit,
            Self::OwnIdentity | Self::NoIdentity => ErrorCode::WrongIdentity,
            _ => ErrorCode::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: DialFailure = DialFailure::TimedOut;
    const RESET: DialFailure = DialFailure::Transport(DialError::Failed(CloseReason::Reset));

    const fn handshake(failure: HandshakeFailure, by_peer: bool) -> DialFailure {
        DialFailure::Transport(DialError::Failed(CloseReason::Handshake {
            failure,
            by_peer,
        }))
    }

    const OTHER_IDENTITY: DialFailure = handshake(HandshakeFailure::WrongPeer, false);
    const OTHER_NETWORK: DialFailure = handshake(HandshakeFailure::WrongNetwork, true);

    /// What the predicates say: unreachable, other identity, other network.
    fn said(failure: DialFailure) -> (bool, bool, bool) {
        (
            failure.is_unreachable(),
            failure.is_other_identity(),
            failure.is_other_network(),
        )
    }

    #[test]
    fn each_predicate_holds_for_its_failures_alone() {
        let timed_out = DialFailure::Transport(DialError::Failed(CloseReason::TimedOut));
        for failure in [SILENCE, timed_out] {
            assert_eq!(said(failure), (true, false, false));
        }
        assert_eq!(said(OTHER_IDENTITY), (false, true, false));
        for by_peer in [false, true] {
            let failure = handshake(HandshakeFailure::WrongNetwork, by_peer);
            assert_eq!(said(failure), (false, false, true));
        }
        for failure in [
            RESET,
            DialFailure::NoAddress,
            DialFailure::OwnIdentity,
            DialFailure::Banned,
            DialFailure::TooMany,
            DialFailure::Stopped,
            DialFailure::Request(RequestError::Deadline),
            handshake(HandshakeFailure::BadSignature, false),
        ] {
            assert_eq!(said(failure), (false, false, false), "{failure}");
        }
    }

    #[test]
    fn an_alert_from_a_stranger_proves_no_other_identity() {
        let claimed = handshake(HandshakeFailure::WrongPeer, true);
        assert_eq!(said(claimed), (false, false, false));
    }

    #[test]
    fn the_most_telling_failure_is_told_and_the_later_of_equals() {
        let in_order = [
            DialFailure::NoAddress,
            SILENCE,
            RESET,
            OTHER_IDENTITY,
            OTHER_NETWORK,
        ];
        for (index, more) in in_order.into_iter().enumerate() {
            for less in in_order.into_iter().take(index) {
                assert_eq!(less.or_more_telling(more), more);
                assert_eq!(more.or_more_telling(less), more);
            }
        }
        let refused = DialFailure::Transport(DialError::Failed(CloseReason::Refused));
        assert_eq!(RESET.or_more_telling(refused), refused);
        assert_eq!(refused.or_more_telling(RESET), RESET);
    }
}
