//! Verdicts on seals.

use std::collections::{BTreeMap, VecDeque};

use thiserror::Error;

use super::admission::MAX_IN_FLIGHT;
use super::shared::{SealId, SharedSeal};

/// Verdicts that are remembered: what the default admission lets through in six seconds, longer than
/// anybody holds a message for those who ask (4.2 s). About 2 MB.
pub const MAX_VERDICTS: usize = 16_384;

/// Bytes of valid seals that are held beside their verdicts, for those who bring them once more and as
/// evidence: the last 6 500 of the smallest seals, or the last 800 of the longest lists.
pub const MAX_HELD_BYTES: usize = 32 << 20;

/// Seals that are being verified: no more than [`Admission`](super::Admission) lets through.
pub const MAX_BEING_VERIFIED: usize = MAX_IN_FLIGHT;

/// What is known of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealState {
    /// Nothing, or nothing any more.
    Unknown,
    /// Its verdict is to come.
    BeingVerified,
    /// The publisher signed it.
    Valid,
    /// The publisher did not sign it.
    Invalid,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// The publisher signed it.
    Valid,
    /// The publisher did not sign it.
    Invalid,
}

/// Why a verification did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotBegun {
    /// It began before.
    #[error("the seal is known")]
    Known(SealState),
    /// More are being verified than [`Admission`](super::Admission) lets through.
    #[error("too many seals are being verified")]
    TooMany,
}

/// The verdicts on the seals that were verified last, by [name](SealId): each is verified once, from
/// however many neighbours it comes.
///
/// They leave in the order in which they came: a seal is asked for while its messages spread, which
/// takes seconds, so that an order of use would be the same. A seal that leaves and comes back is
/// verified once more, at its publisher's cost.
#[derive(Debug, Clone, Default)]
pub struct VerifiedSeals {
    seals: BTreeMap<SealId, Entry>,
    verdicts: VecDeque<SealId>,
    /// How many of the oldest verdicts have no seal any more.
    without_seal: usize,
    held_bytes: usize,
    being_verified: usize,
}

#[derive(Debug, Clone)]
enum Entry {
    BeingVerified(SharedSeal),
    Valid(Option<SharedSeal>),
    Invalid,
}

impl VerifiedSeals {
    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known of a seal.
    #[must_use]
    pub fn state(&self, seal: &SealId) -> SealState {
        match self.seals.get(seal) {
            None => SealState::Unknown,
            Some(Entry::BeingVerified(_)) => SealState::BeingVerified,
            Some(Entry::Valid(_)) => SealState::Valid,
            Some(Entry::Invalid) => SealState::Invalid,
        }
    }

    /// A seal that is valid or being verified, if it is still held.
    #[must_use]
    pub fn get(&self, seal: &SealId) -> Option<&SharedSeal> {
        match self.seals.get(seal)? {
            Entry::BeingVerified(seal) => Some(seal),
            Entry::Valid(seal) => seal.as_ref(),
            Entry::Invalid => None,
        }
    }

    /// The copy of a seal that is held, or else the given one: what several neighbours bring is in
    /// memory once.
    #[must_use]
    pub fn share(&self, seal: SharedSeal) -> SharedSeal {
        self.get(&seal.id()).cloned().unwrap_or(seal)
    }

    /// A seal is about to be verified.
    ///
    /// # Errors
    /// [`NotBegun`]; nothing has changed then.
    pub fn begin(&mut self, seal: SharedSeal) -> Result<(), NotBegun> {
        match self.state(&seal.id()) {
            SealState::Unknown => {}
            known => return Err(NotBegun::Known(known)),
        }
        if self.being_verified >= MAX_BEING_VERIFIED {
            return Err(NotBegun::TooMany);
        }
        self.being_verified = self.being_verified.saturating_add(1);
        self.seals.insert(seal.id(), Entry::BeingVerified(seal));
        Ok(())
    }

    /// The verdict on a seal that was being verified; gives the seal. `None`, and nothing happens, for
    /// any other.
    pub fn finish(&mut self, seal: &SealId, validity: Validity) -> Option<SharedSeal> {
        let Some(Entry::BeingVerified(found)) = self.seals.get(seal) else {
            return None;
        };
        let found = found.clone();
        self.being_verified = self.being_verified.saturating_sub(1);
        self.settle(&found, validity);
        Some(found)
    }

    /// A seal that this node made itself. Nothing happens if it is known.
    pub fn add_own(&mut self, seal: &SharedSeal) {
        if self.state(&seal.id()) == SealState::Unknown {
            self.settle(seal, Validity::Valid);
        }
    }

    /// How many verdicts are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.verdicts.len()
    }

    /// Whether no verdict is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.verdicts.is_empty()
    }

    /// Bytes of the valid seals that are held.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    fn settle(&mut self, seal: &SharedSeal, validity: Validity) {
        let id = seal.id();
        self.verdicts.push_back(id);
        match validity {
            Validity::Invalid => {
                self.seals.insert(id, Entry::Invalid);
            }
            Validity::Valid => {
                self.seals.insert(id, Entry::Valid(Some(seal.clone())));
                self.held_bytes = self.held_bytes.saturating_add(seal.bytes());
            }
        }
        while self.held_bytes > MAX_HELD_BYTES && self.without_seal < self.verdicts.len() {
            self.let_go();
        }
        while self.verdicts.len() > MAX_VERDICTS {
            self.forget_oldest();
        }
    }

    /// Keeps of the next verdict nothing but itself.
    fn let_go(&mut self) {
        let next = self.verdicts.get(self.without_seal);
        if let Some(Entry::Valid(seal)) = next.and_then(|id| self.seals.get_mut(id))
            && let Some(seal) = seal.take()
        {
            self.held_bytes = self.held_bytes.saturating_sub(seal.bytes());
        }
        self.without_seal += 1;
    }

    fn forget_oldest(&mut self) {
        if self.without_seal == 0 {
            self.let_go();
        }
        self.without_seal -= 1;
        if let Some(oldest) = self.verdicts.pop_front() {
            self.seals.remove(&oldest);
        }
    }
}
