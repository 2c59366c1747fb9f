//! Seals: one signature over many messages of one publisher on one topic.

use thiserror::Error;

use super::provider::{InvalidSignature, Provider, ProviderFailure, Signature, SigningKey};
use super::{KeyHash, Label, SignedInput, Suite, VerifyingKey, derive_key};

/// The most messages that one seal covers.
///
/// A seal of 1 024 leaves is 37 KB, of which the signature is an eighth: a longer list would save
/// next to nothing a message and hold it back longer.
pub const MAX_SEAL_LEAVES: usize = 1024;

/// The hash of one message in its place; also its message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub [u8; 32]);

/// What a leaf commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafInput<'a> {
    /// The network's id.
    pub network: &'a [u8; 32],
    /// BLAKE3 of the topic's name.
    pub topic: &'a [u8; 32],
    /// Whose message it is.
    pub publisher: KeyHash,
    /// The publisher's epoch: a higher one supersedes.
    pub epoch: u64,
    /// The message's number in this epoch, topic and publisher.
    pub counter: u64,
    /// Milliseconds since 1970-01-01 UTC, by the publisher's clock.
    pub timestamp_ms: u64,
    /// The message.
    pub content: ContentDigest,
}

/// What a leaf says of a message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest {
    /// How many there are.
    pub length: u64,
    /// Their BLAKE3.
    pub hash: [u8; 32],
}

impl ContentDigest {
    /// Of a message that is here.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        Self {
            length: data.len() as u64,
            hash: *blake3::hash(data).as_bytes(),
        }
    }
}

impl LeafInput<'_> {
    /// `derive_key(Label::Leaf, network ‖ topic ‖ publisher ‖ epoch ‖ counter ‖ timestamp ‖ length
    /// ‖ BLAKE3(data))`, integers as eight bytes, little-endian.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf(derive_key(
            Label::Leaf,
            &[
                self.network,
                self.topic,
                self.publisher.as_bytes(),
                &self.epoch.to_le_bytes(),
                &self.counter.to_le_bytes(),
                &self.timestamp_ms.to_le_bytes(),
                &self.content.length.to_le_bytes(),
                &self.content.hash,
            ],
        ))
    }
}

/// A leaf list that is ready to be signed: all of a seal but the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealBody {
    suite: Suite,
    publisher: KeyHash,
    topic: [u8; 32],
    epoch: u64,
    first: u64,
    leaves: Vec<[u8; 32]>,
}

/// Why a leaf list cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealBounds {
    /// Not between 1 and [`MAX_SEAL_LEAVES`].
    #[error("a seal covers 1 to {MAX_SEAL_LEAVES} messages, not {0}")]
    LeafCount(usize),
    /// `first + n` exceeds `u64::MAX`, so that there would be no next counter.
    #[error("{leaves} messages from counter {first} on exceed the last counter")]
    CounterOverflow {
        /// Counter of the first leaf.
        first: u64,
        /// Number of leaves.
        leaves: usize,
    },
}

/// What is wrong with a seal that came from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealFault {
    /// The key is not the one that the seal names.
    #[error("the key is not the publisher's")]
    WrongKey,
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] InvalidSignature),
}

impl SealBody {
    /// Lists `leaves`, the first of which has counter `first`, the next `first + 1`, and so on.
    ///
    /// # Errors
    /// [`SealBounds`] if there are none or more than [`MAX_SEAL_LEAVES`], or if the counters
    /// overflow.
    pub fn new(
        suite: Suite,
        publisher: KeyHash,
        topic: [u8; 32],
        epoch: u64,
        first: u64,
        leaves: Vec<[u8; 32]>,
    ) -> Result<Self, SealBounds> {
        let count = leaves.len();
        if count == 0 || count > MAX_SEAL_LEAVES {
            return Err(SealBounds::LeafCount(count));
        }
        if first.checked_add(count as u64).is_none() {
            return Err(SealBounds::CounterOverflow {
                first,
                leaves: count,
            });
        }
        Ok(Self {
            suite,
            publisher,
            topic,
            epoch,
            first,
            leaves,
        })
    }

    /// The bytes to sign: label ‖ network ‖ publisher ‖ topic ‖ epoch ‖ first ‖ n ‖ BLAKE3(leaves).
    #[must_use]
    pub fn input(&self, network: &[u8; 32]) -> SignedInput {
        SignedInput::new(Label::Seal, network)
            .array(self.publisher.as_bytes())
            .array(&self.topic)
            .u64(self.epoch)
            .u64(self.first)
            .u16(self.leaf_count())
            .hash_of(self.leaves.as_flattened())
    }

    /// Signs at once, on this thread.
    ///
    /// # Errors
    /// [`ProviderFailure`] if randomness or the backend fails.
    pub fn sign(self, network: &[u8; 32], key: &dyn SigningKey) -> Result<Seal, ProviderFailure> {
        let signature = key.sign(self.input(network).as_bytes())?;
        Ok(self.with_signature(signature))
    }

    /// Joins a signature that was made, or received, elsewhere. It is not verified here.
    #[must_use]
    pub fn with_signature(self, signature: Signature) -> Seal {
        Seal {
            body: self,
            signature,
        }
    }

    /// The suite of the publisher's key.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Whose messages these are.
    #[must_use]
    pub fn publisher(&self) -> KeyHash {
        self.publisher
    }

    /// BLAKE3 of the topic's name.
    #[must_use]
    pub fn topic(&self) -> &[u8; 32] {
        &self.topic
    }

    /// The publisher's epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Counter of the first leaf.
    #[must_use]
    pub fn first_counter(&self) -> u64 {
        self.first
    }

    /// The counter after the last leaf's.
    #[must_use]
    pub fn next_counter(&self) -> u64 {
        self.first.saturating_add(self.leaves.len() as u64)
    }

    /// All leaves, in order.
    #[must_use]
    pub fn leaves(&self) -> &[[u8; 32]] {
        &self.leaves
    }

    /// The leaf at `index`, counted from 0; `None` beyond the last.
    #[must_use]
    pub fn leaf(&self, index: u16) -> Option<Leaf> {
        self.leaves.get(usize::from(index)).copied().map(Leaf)
    }

    /// The counter of the leaf at `index`; `None` beyond the last.
    #[must_use]
    pub fn counter(&self, index: u16) -> Option<u64> {
        (index < self.leaf_count()).then(|| self.first.saturating_add(u64::from(index)))
    }

    /// The index of the leaf with this counter; `None` if this list has none.
    #[must_use]
    pub fn index_of(&self, counter: u64) -> Option<u16> {
        let index = u16::try_from(counter.checked_sub(self.first)?).ok()?;
        (index < self.leaf_count()).then_some(index)
    }

    /// How many leaves there are: 1 to [`MAX_SEAL_LEAVES`], which fits.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "bounded by MAX_SEAL_LEAVES"
    )]
    fn leaf_count(&self) -> u16 {
        self.leaves.len() as u16
    }
}

/// A signed leaf list. It says nothing until it is [verified](Self::verify).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    body: SealBody,
    signature: Signature,
}

impl Seal {
    /// Checks that `key` is the publisher's and that it signed this leaf list on this network.
    ///
    /// # Errors
    /// [`SealFault`], with the cheaper check first.
    pub fn verify(
        &self,
        provider: &dyn Provider,
        network: &[u8; 32],
        key: &VerifyingKey,
    ) -> Result<(), SealFault> {
        if key.suite() != self.body.suite || key.hash() != self.body.publisher {
            return Err(SealFault::WrongKey);
        }
        let input = self.body.input(network);
        Ok(provider.verify(key.as_bytes(), input.as_bytes(), self.signature.as_bytes())?)
    }

    /// The signed leaf list.
    #[must_use]
    pub fn body(&self) -> &SealBody {
        &self.body
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}
