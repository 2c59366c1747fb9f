use thiserror::Error;

use crate::wire::Violation;

/// Why a record is refused: what its sender did wrong. None of its values carries bytes of the
/// record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum RecordFault {
    /// The body is not a message of its kind.
    #[error("the record is malformed: {0}")]
    Malformed(#[from] Violation),
    /// The body is longer than its kind allows.
    #[error("the record is too large for its kind")]
    TooLarge,
    /// The signature suite is not known here.
    #[error("the record is signed with an unknown suite")]
    WrongSuite,
    /// The signature is not the owner's. Found at the edge, not by a check.
    #[error("the signature of the record is not valid")]
    BadSignature,
    /// It was given in answer to a question for another key.
    #[error("the record belongs under another key")]
    WrongKey,
    /// Its signed end is not after now.
    #[error("the record has expired")]
    Expired,
    /// Its signed end is later than its kind allows, counted from when it was made.
    #[error("the record expires later than its kind allows")]
    ExpiresTooLate,
    /// Its signed end is not after the moment when it was made.
    #[error("the record expires before it was made")]
    ExpiresBeforeCreated,
    /// It was made later than now, by more than clocks may differ.
    #[error("the record was made in the future")]
    NotYetValid,
    /// It asks to be held for longer than its kind allows.
    #[error("the record asks for a longer life than its kind allows")]
    LifetimeTooLong,
}

impl RecordFault {
    /// Whether its sender is to blame: no other clock and no later version of the protocol explains it.
    #[must_use]
    pub const fn blames_sender(self) -> bool {
        !self.may_be_clock_skew() && !matches!(self, Self::WrongSuite)
    }

    /// Whether clocks that differ, or a record that ended on its way, explain it: reason enough to
    /// refuse the record, none to think ill of its sender.
    #[must_use]
    pub const fn may_be_clock_skew(self) -> bool {
        matches!(self, Self::Expired | Self::NotYetValid)
    }
}
