//! Keys and the distance between them.

#[cfg(test)]
mod tests;

use std::fmt;

use rand_core::Rng;

use crate::crypto::{Label, derive_key};
use crate::identity::PeerId;

/// Bits of a key.
pub const KEY_BITS: u32 = 256;

/// A place in the key space: of a node, of a record, or of nothing.
///
/// A node's place is its `PeerId`. The distance between two keys is their XOR, read as a number
/// (Maymounkov and Mazières, *Kademlia*, 2002, section 2.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

/// The XOR of two keys; ordered as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance([u64; 4]);

impl Key {
    /// The key of these bytes, most significant first.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Where an immutable record with this value is held.
    #[must_use]
    pub fn of_value(value: &[u8]) -> Self {
        Self(derive_key(Label::ImmutableKey, &[value]))
    }

    /// Where the mutable record of `owner` with this salt is held.
    #[must_use]
    pub fn of_owner(owner: PeerId, salt: &[u8]) -> Self {
        Self(derive_key(Label::MutableKey, &[owner.as_bytes(), salt]))
    }

    /// Where nodes with this role say so.
    #[must_use]
    pub fn of_role(role: &str) -> Self {
        Self(derive_key(Label::RoleKey, &[role.as_bytes()]))
    }

    /// Any key, all equally likely.
    pub fn random<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Any key that shares the first `bits` bits with this one, all equally likely.
    pub fn random_with_prefix<R: Rng + ?Sized>(&self, bits: u32, rng: &mut R) -> Self {
        let mut drawn = Self::random(rng);
        let whole = (bits.min(KEY_BITS) / 8) as usize;
        drawn.0[..whole].copy_from_slice(&self.0[..whole]);
        if let (Some(byte), Some(own)) = (drawn.0.get_mut(whole), self.0.get(whole)) {
            let mask = !(0xff_u8 >> (bits % 8));
            *byte = (own & mask) | (*byte & !mask);
        }
        drawn
    }

    /// The least and the greatest key that share the first `bits` bits with this one.
    #[must_use]
    pub fn prefix_range(&self, bits: u32) -> (Self, Self) {
        let (mut first, mut last) = (*self, *self);
        let (whole, rest) = ((bits.min(KEY_BITS) / 8) as usize, bits % 8);
        let ends = first.0.iter_mut().zip(&mut last.0).skip(whole);
        for (index, (low, high)) in ends.enumerate() {
            let free = if index == 0 { 0xff >> rest } else { 0xff };
            *low &= !free;
            *high |= free;
        }
        (first, last)
    }

    /// The same key with one bit, counted from the most significant, inverted; the same key if there
    /// is no such bit.
    #[must_use]
    pub fn with_flipped_bit(mut self, bit: u32) -> Self {
        if let Some(byte) = self.0.get_mut((bit / 8) as usize) {
            *byte ^= 0x80 >> (bit % 8);
        }
        self
    }

    /// How far `other` is away; symmetric, and zero only for the same key.
    #[inline]
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let (a, b) = (words(&self.0), words(&other.0));
        Distance([a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3]])
    }

    /// How many leading bits two keys share; 256 for the same key.
    #[must_use]
    pub fn common_prefix(&self, other: &Self) -> u32 {
        self.distance(other).leading_zeros()
    }
}

impl Distance {
    /// No distance at all.
    pub const ZERO: Self = Self([0; 4]);

    /// Leading bits that are zero: those that the two keys share.
    #[must_use]
    pub const fn leading_zeros(&self) -> u32 {
        let [a, b, c, d] = self.0;
        match (a, b, c, d) {
            (0, 0, 0, d) => 192 + d.leading_zeros(),
            (0, 0, c, _) => 128 + c.leading_zeros(),
            (0, b, _, _) => 64 + b.leading_zeros(),
            (a, _, _, _) => a.leading_zeros(),
        }
    }

    /// Whether the two keys differ in this bit, counted from the most significant; they do not beyond
    /// the last one.
    #[must_use]
    pub const fn bit(&self, bit: usize) -> bool {
        bit < KEY_BITS as usize && self.0[bit / 64] << (bit % 64) >> 63 == 1
    }

    /// Leading bits that this distance has in common with another one *to the same key*: those that
    /// the two places share.
    #[must_use]
    pub const fn common_prefix(&self, other: &Self) -> u32 {
        let ([a, b, c, d], [w, x, y, z]) = (self.0, other.0);
        Self([a ^ w, b ^ x, c ^ y, d ^ z]).leading_zeros()
    }

    /// The share of the key space that is nearer, 0 to 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    pub fn fraction(&self) -> f64 {
        const WORD: f64 = 18_446_744_073_709_551_616.0;
        let [a, b, c, d] = self.0.map(|word| word as f64);
        (((d / WORD + c) / WORD + b) / WORD + a) / WORD
    }
}

#[inline]
fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    let (chunks, _) = bytes.as_chunks::<8>();
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_be_bytes(*chunk);
    }
    words
}

impl From<PeerId> for Key {
    #[inline]
    fn from(peer: PeerId) -> Self {
        Self(*peer.as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Key({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Distance(2^-{})", self.leading_zeros())
    }
}
