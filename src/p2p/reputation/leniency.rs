use super::Fault;

/// Unknown things forgiven on one connection. A peer of a later version may speak a handful of
/// protocols that we do not; one that tries more than eight numbers is guessing.
pub const MAX_FORGIVEN: usize = 8;

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
/// protocol, version or record kind is answered with its code and is no fault the first time.
#[derive(Debug, Clone, Default)]
pub struct Leniency {
    forgiven: Vec<Novelty>,
}

impl Leniency {
    /// A connection on which nothing was forgiven yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `None` the first time, [`Fault::RepeatedUnknown`] when the peer insists or tries more than
    /// [`MAX_FORGIVEN`] different things.
    pub fn judge(&mut self, novelty: Novelty) -> Option<Fault> {
        if self.forgiven.len() >= MAX_FORGIVEN || self.forgiven.contains(&novelty) {
            return Some(Fault::RepeatedUnknown);
        }
        self.forgiven.push(novelty);
        None
    }
}
