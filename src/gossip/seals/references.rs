//! The numbers under which a stream names keys and seals.
//!
//! Both tables belong to one direction of one stream; a new stream begins with new ones. The stream is
//! ordered, so that sender and receiver count alike. What is beyond the window is sent again under a
//! new number.

use thiserror::Error;

use super::shared::{SealId, SharedSeal};
use super::window::Window;
use crate::crypto::VerifyingKey;
use crate::gossip::Fault;
use crate::identity::PeerId;
use crate::wire::message::gossip::{KEY_WINDOW, SEAL_WINDOW, SEAL_WINDOW_LEAVES};

/// Numbers at the far end of the receiver's windows that the sender does not use any more. Who numbers
/// up to as many frames before writing the first of them still refers to nothing that is gone.
const MARGIN: u64 = 8;

/// The same for [`SEAL_WINDOW_LEAVES`]: as many of the longest lists.
const MARGIN_LEAVES: u64 = MARGIN * crate::crypto::MAX_SEAL_LEAVES as u64;

/// Keys have one length; only their number counts.
const NO_WEIGHT: u64 = 0;

/// How a stream names something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Its receiver holds it under this ordinal.
    Known(u64),
    /// Its frame must be written now, before any other that takes an ordinal of its kind; this is the
    /// one that it takes.
    New(u64),
}

/// What the receiver of a stream holds, as its sender knows.
///
/// At most 1 016 names of publishers and 248 of seals: 50 KiB at worst.
#[derive(Debug, Clone)]
pub struct SentReferences {
    keys: Window<PeerId>,
    seals: Window<SealId>,
}

/// The keys and seals that a stream may refer to, as its receiver holds them.
///
/// At most 1 024 keys (2.7 MB) and 256 seals with 65 536 leaves (3.3 MB), and that only for a
/// neighbour that sends what nobody else sends: what several bring is shared.
#[derive(Debug, Clone)]
pub struct ReceivedReferences {
    keys: Window<VerifyingKey>,
    seals: Window<SharedSeal>,
}

/// An ordinal that was not given yet, or too long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("ordinal {0} names nothing")]
pub struct UnknownOrdinal(pub u64);

impl From<UnknownOrdinal> for Fault {
    fn from(_: UnknownOrdinal) -> Self {
        Self::UnknownOrdinal
    }
}

impl SentReferences {
    /// For a stream on which nothing was written.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keys: Window::new(KEY_WINDOW - MARGIN, NO_WEIGHT),
            seals: Window::new(SEAL_WINDOW - MARGIN, SEAL_WINDOW_LEAVES - MARGIN_LEAVES),
        }
    }

    /// How a SEAL names the key of a publisher. To be asked when the frame is written, not when it is
    /// queued.
    pub fn key(&mut self, publisher: PeerId) -> Reference {
        refer(&mut self.keys, publisher, NO_WEIGHT)
    }

    /// How a MESSAGE names its seal. To be asked when the frame is written, not when it is queued.
    pub fn seal(&mut self, seal: &SharedSeal) -> Reference {
        refer(&mut self.seals, seal.id(), leaves(seal))
    }
}

impl Default for SentReferences {
    fn default() -> Self {
        Self::new()
    }
}

/// Names are looked for one by one, the newest first: most references are to what was numbered last. A name takes
/// one or two nanoseconds, and so all keys, which a new seal may need, one or two microseconds. A tree would take
/// twice the memory of the names.
fn refer<K: Eq>(window: &mut Window<K>, name: K, weight: u64) -> Reference {
    match window.ordinal_of(&name) {
        Some(ordinal) => Reference::Known(ordinal),
        None => Reference::New(window.push(name, weight)),
    }
}

impl ReceivedReferences {
    /// For a stream from which nothing was read.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keys: Window::new(KEY_WINDOW, NO_WEIGHT),
            seals: Window::new(SEAL_WINDOW, SEAL_WINDOW_LEAVES),
        }
    }

    /// A KEY was read. Gives its ordinal.
    pub fn add_key(&mut self, key: VerifyingKey) -> u64 {
        self.keys.push(key, NO_WEIGHT)
    }

    /// A SEAL was read. Gives its ordinal.
    pub fn add_seal(&mut self, seal: SharedSeal) -> u64 {
        let leaves = leaves(&seal);
        self.seals.push(seal, leaves)
    }

    /// The key that a SEAL names.
    ///
    /// # Errors
    /// [`UnknownOrdinal`].
    pub fn key(&self, ordinal: u64) -> Result<&VerifyingKey, UnknownOrdinal> {
        self.keys.get(ordinal).ok_or(UnknownOrdinal(ordinal))
    }

    /// The seal that a MESSAGE names.
    ///
    /// # Errors
    /// [`UnknownOrdinal`].
    pub fn seal(&self, ordinal: u64) -> Result<&SharedSeal, UnknownOrdinal> {
        self.seals.get(ordinal).ok_or(UnknownOrdinal(ordinal))
    }
}

impl Default for ReceivedReferences {
    fn default() -> Self {
        Self::new()
    }
}

fn leaves(seal: &SharedSeal) -> u64 {
    seal.body().leaves().len() as u64
}
