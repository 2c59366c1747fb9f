//! Records: what nodes hold for others, and the rules of each kind.
//!
//! [`kind`] finds the rules behind a number; a number without rules is answered `UNSUPPORTED` and is
//! nobody's fault. [`Kind::check`] says whether a body is what its kind demands, all but its
//! signature: that is a [`PendingSignature`], verified at the edge. A record names neither its key
//! nor its sender: both follow from what it says and from the connection it came over.

mod content;
mod fault;
mod kinds;
mod publish;
mod signature;

#[cfg(test)]
mod tests;

use std::time::Duration;

use bytes::Bytes;

use super::Key;
use crate::identity::PeerId;
use crate::policy::{Micros, Now};
use crate::wire::codec::Payload;
use crate::wire::message::discovery::{MAX_RECORD_BODY, Record};

pub use content::{Content, MutableContent};
pub use fault::RecordFault;
pub use kinds::{IMMUTABLE, KINDS, MAX_CLOCK_SKEW, MUTABLE, PROVIDER, kind};
pub use publish::{DraftError, MutableDraft, immutable, provider};
pub use signature::PendingSignature;

/// The rules of one kind of record.
#[derive(Debug)]
pub struct Kind {
    /// Number on the wire.
    pub number: u16,
    /// For logs and metrics.
    pub name: &'static str,
    /// Largest body, in bytes; never above [`MAX_RECORD_BODY`].
    pub max_bytes: u32,
    /// On how many of the nodes nearest to its key a record is held.
    pub replicas: u32,
    /// How long a record lives at most: from its receipt, or, where it is signed, from when its
    /// signature says that it was made.
    pub max_lifetime: Duration,
    /// How many records of this kind a node holds under one key.
    pub slots: usize,
    /// Which record goes when all slots of a key are taken.
    pub eviction: Eviction,
    rules: Rules,
}

/// What a kind demands of a body that is not too large for it.
type Rules = fn(&CheckContext, &Bytes) -> Result<Checked, RecordFault>;

/// Which record goes when all slots of a key are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eviction {
    /// None: the key names the value, so that there is no other.
    Never,
    /// The one of the earlier [`Version`]. The last version is remembered beyond the end of its
    /// record, so that nobody can bring an earlier one back.
    EarlierVersion,
    /// Any, all equally likely: whoever came first has no claim.
    Random,
}

/// What a check needs to know besides the record.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext {
    /// The network's id: a signature holds in one network.
    pub network: [u8; 32],
    /// When the record came.
    pub now: Now,
    /// Who sent it, proven by the connection.
    pub sender: PeerId,
}

/// A record that is what its kind demands, apart from its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Where it is held.
    pub key: Key,
    /// Which of the slots of its key it takes: all zero if there is one, else the provider.
    pub slot: [u8; 32],
    /// Its place among the records of its slot.
    pub version: Version,
    /// When it ends, on the monotonic clock: a signed end is turned into a remaining life once, when
    /// the record comes, and a later jump of the wall clock moves nothing. A record that takes
    /// itself back ends at once.
    pub expires: Micros,
    /// The body: a slice of the message that it came in.
    pub body: Bytes,
    /// What is left to verify before the record may be kept or believed.
    pub signature: Option<PendingSignature>,
}

/// Which of two records of one slot supersedes: the one of the higher sequence, and at the same
/// sequence the one whose value has the larger hash, so that all nodes agree without a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Version {
    /// Counted by the owner; 0 for kinds without versions.
    pub sequence: u64,
    /// BLAKE3 of the value; all zero for kinds without a value.
    pub tie: [u8; 32],
}

impl Kind {
    /// Whether `body` is a record of this kind.
    ///
    /// # Errors
    /// The first [`RecordFault`]; [`RecordFault::TooLarge`] before anything is read.
    pub fn check(&self, context: &CheckContext, body: &Bytes) -> Result<Checked, RecordFault> {
        if body.len() as u64 > u64::from(self.max_bytes) {
            return Err(RecordFault::TooLarge);
        }
        (self.rules)(context, body)
    }

    /// [`check`](Self::check) for a record that was given in answer to a question for `wanted`.
    ///
    /// # Errors
    /// As [`check`](Self::check), and [`RecordFault::WrongKey`] if it belongs under another key.
    pub fn check_answer(
        &self,
        context: &CheckContext,
        body: &Bytes,
        wanted: &Key,
    ) -> Result<Checked, RecordFault> {
        let checked = self.check(context, body)?;
        if checked.key == *wanted {
            Ok(checked)
        } else {
            Err(RecordFault::WrongKey)
        }
    }
}

impl Checked {
    /// How long it lives from `now` on; zero if it ended, or takes itself back.
    #[must_use]
    pub fn lifetime(&self, now: Micros) -> Duration {
        self.expires.since(now)
    }
}

/// The wire form of a body that its kind allows. No kind allows more than the wire does, which the
/// table of kinds proves when it compiles.
pub(super) fn wire_record(kind: &Kind, body: Bytes) -> Record {
    debug_assert!(body.len() <= MAX_RECORD_BODY);
    Record {
        kind: kind.number,
        body: Payload::try_from(body).unwrap_or_default(),
    }
}
