//! A seal as every part of the machine holds it.

use std::fmt;
use std::sync::Arc;

use crate::crypto::{
    Label, Leaf, SIGNATURE_BYTES, Seal, SealBody, SealFault, VerifyingKey, derive_key,
};
use crate::gossip::TopicHash;
use crate::identity::PeerId;

/// The name of a seal on this node; it never goes over the wire.
///
/// `derive_key(Label::Seal, signed input ‖ signature)`, both of fixed width. The signed input commits
/// to the network, the publisher (and so to suite and key), topic, epoch, counters and leaves: two
/// seals have one name only if every byte that verification looks at is the same. A forged signature
/// under somebody's list therefore has a name of its own, and its verdict says nothing about the valid
/// one. Two valid signatures under one list have two names, too: only the publisher can make the
/// second (FIPS 204 claims strong unforgeability for ML-DSA), and pays for both verifications.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SealId(pub(super) [u8; 32]);

/// A seal, its name and the publisher's key. Clones share all three.
///
/// The key goes with it because who passes a seal on may have to send the key before it. Whether the
/// signature is valid is not said here: see [`VerifiedSeals`](super::VerifiedSeals).
#[derive(Clone)]
pub struct SharedSeal(Arc<Inner>);

struct Inner {
    id: SealId,
    seal: Seal,
    key: VerifyingKey,
}

/// A message that is in the list of its seal: its leaf was computed and is the one that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub(in crate::gossip) seal: SharedSeal,
    pub(in crate::gossip) counter: u64,
    pub(in crate::gossip) leaf: Leaf,
    pub(in crate::gossip) timestamp_ms: u64,
}

impl SealId {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SealId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "SealId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

impl SharedSeal {
    /// Names a seal and puts its key beside it. Costs a hash of the leaves: 10 µs for the longest list.
    ///
    /// # Errors
    /// [`SealFault::WrongKey`] if the key is not the publisher's.
    pub fn new(network: &[u8; 32], seal: Seal, key: VerifyingKey) -> Result<Self, SealFault> {
        let body = seal.body();
        if key.suite() != body.suite() || key.hash() != body.publisher() {
            return Err(SealFault::WrongKey);
        }
        let input = body.input(network);
        let parts = [input.as_bytes(), seal.signature().as_bytes()];
        let id = SealId(derive_key(Label::Seal, &parts));
        let inner = Arc::new(Inner { id, seal, key });
        #[cfg(feature = "scale")]
        let inner = crate::gossip::pool::pooled(id.0, inner, |_| true);
        Ok(Self(inner))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> SealId {
        self.0.id
    }

    /// The seal.
    #[must_use]
    pub fn seal(&self) -> &Seal {
        &self.0.seal
    }

    /// The signed list.
    #[must_use]
    pub fn body(&self) -> &SealBody {
        self.0.seal.body()
    }

    /// The publisher's key.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.0.key
    }

    /// Whose messages it lists.
    #[must_use]
    pub fn publisher(&self) -> PeerId {
        self.body().publisher().into()
    }

    /// Where they were said.
    #[must_use]
    pub fn topic(&self) -> TopicHash {
        TopicHash::from_bytes(*self.body().topic())
    }

    /// What it takes in memory, in bytes, without the key.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let leaves = self.body().leaves().len().saturating_mul(32);
        size_of::<Inner>()
            .saturating_add(SIGNATURE_BYTES)
            .saturating_add(leaves)
    }

    /// The message at `index`, for a list that this node made itself: it need not compute its leaves
    /// once more. `None` beyond the last.
    #[must_use]
    pub fn own_message(&self, index: u16, timestamp_ms: u64) -> Option<Listed> {
        Some(Listed {
            counter: self.body().counter(index)?,
            leaf: self.body().leaf(index)?,
            seal: self.clone(),
            timestamp_ms,
        })
    }

    /// Whether one publisher gave one counter of one topic and epoch to two messages, in this seal and
    /// in the other. If both signatures are valid, the two seals prove it to anybody.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let (a, b) = (self.body(), other.body());
        let is_same_run =
            a.publisher() == b.publisher() && a.topic() == b.topic() && a.epoch() == b.epoch();
        let first = a.first_counter().max(b.first_counter());
        let end = a.next_counter().min(b.next_counter());
        let leaf = |body: &SealBody, counter| body.index_of(counter).and_then(|at| body.leaf(at));
        is_same_run && (first..end).any(|counter| leaf(a, counter) != leaf(b, counter))
    }
}

impl PartialEq for SharedSeal {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for SharedSeal {}

impl fmt::Debug for SharedSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSeal")
            .field("id", &self.id())
            .field("publisher", &self.publisher())
            .field("leaves", &self.body().leaves().len())
            .finish_non_exhaustive()
    }
}

impl Listed {
    /// The seal that lists it.
    #[must_use]
    pub fn seal(&self) -> &SharedSeal {
        &self.seal
    }

    /// Its number in the publisher's epoch, on its topic.
    #[must_use]
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// Its leaf, which is its id.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        self.leaf
    }

    /// Milliseconds since 1970-01-01 UTC, by the publisher's clock.
    #[must_use]
    pub fn timestamp_ms(&self) -> u64 {
        self.timestamp_ms
    }
}
