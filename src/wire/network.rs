//! Which network a node belongs to.

use std::fmt;

use data_encoding::BASE32_NOPAD;

use crate::crypto::{Label, derive_key};

/// The identity of a network: `derive_key(Label::Network, name)`.
///
/// It is part of every signed input and, by its first half, of the ALPN, so that two networks can
/// never merge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId([u8; 32]);

impl NetworkId {
    /// What every ALPN of this protocol begins with.
    pub const ALPN_PREFIX: &'static str = "creto/1/";

    /// How much of the id stands in the ALPN: 16 bytes still collide for nobody, and the ClientHello
    /// stays short.
    const ALPN_ID_LEN: usize = 16;

    /// The network called `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(derive_key(Label::Network, &[name.as_bytes()]))
    }

    /// An id from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The ALPN protocol name (RFC 7301): the prefix and the first 16 bytes of the id in lower-case
    /// base32 without padding (RFC 4648), 34 bytes in all.
    #[must_use]
    pub fn alpn(&self) -> Vec<u8> {
        let (head, _) = self.0.split_at(Self::ALPN_ID_LEN);
        let id = BASE32_NOPAD.encode(head).to_ascii_lowercase();
        [Self::ALPN_PREFIX, &id].concat().into_bytes()
    }
}

impl fmt::Debug for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "NetworkId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
