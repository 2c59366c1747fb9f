use std::time::Duration;

use super::Fault;
use crate::policy::Micros;

/// Unknown things forgiven on one connection. A peer of a later version may speak a handful of
/// protocols that we do not; one that tries more than eight numbers is guessing.
pub const MAX_FORGIVEN: usize = 8;

/// How long the same thing is forgiven after the first time: streams that the peer opened before it
/// heard of the refusal are on their way for a round trip, and a second is longer than any.
pub const REFUSAL_ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Something that a peer of a later version may know and we do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Novelty {
    /// A protocol number.
    Protocol(u64),
    /// A version of a protocol that is spoken here.
    Version {
        /// The protocol.
        protocol: u32,
        /// Its unknown version.
        version: u64,
    },
    /// A kind of record of a protocol that is spoken here.
    RecordKind {
        /// The protocol.
        protocol: u32,
        /// The unknown kind.
        kind: u64,
    },
}

/// What was already forgiven on one connection: the network must be upgradable, so an unknown
/// protocol, version or record kind is answered with its code and is no fault until the peer can
/// have heard of it.
#[derive(Debug, Clone, Default)]
pub struct Leniency {
    /// With the moment of the first refusal.
    forgiven: Vec<(Novelty, Micros)>,
}

impl Leniency {
    /// A connection on which nothing was forgiven yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `None` the first time and for [`REFUSAL_ON_ITS_WAY`] after it, [`Fault::RepeatedUnknown`] when
    /// the peer insists or tries more than [`MAX_FORGIVEN`] different things.
    pub fn judge(&mut self, now: Micros, novelty: Novelty) -> Option<Fault> {
        let known = self.forgiven.iter().find(|(known, _)| *known == novelty);
        if let Some((_, refused)) = known {
            return (now.since(*refused) > REFUSAL_ON_ITS_WAY).then_some(Fault::RepeatedUnknown);
        }
        if self.forgiven.len() >= MAX_FORGIVEN {
            return Some(Fault::RepeatedUnknown);
        }
        self.forgiven.push((novelty, now));
        None
    }
}
