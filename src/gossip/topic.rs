//! The name of a topic on the wire.

use std::fmt;

/// BLAKE3 of a topic's name: names stay at home, and every topic takes 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicHash([u8; 32]);

impl TopicHash {
    /// The topic with this name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(*blake3::hash(name.as_bytes()).as_bytes())
    }

    /// Any 32 bytes name a topic.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TopicHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "TopicHash({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
