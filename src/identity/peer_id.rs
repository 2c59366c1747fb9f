//! The name of a peer.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use thiserror::Error;

use crate::crypto::KeyHash;

/// The name of a peer: the hash of its suite byte and public key.
///
/// As text it is 52 characters of lower-case base32 without padding (RFC 4648, section 6). There is
/// exactly one text for a peer: upper case, any other length and non-zero bits after the last byte
/// are refused. `Debug` prints the first eight characters only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId([u8; 32]);

/// Why a text is not a [`PeerId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeerIdTextError {
    /// The text has another length, in bytes.
    #[error("a peer id has {TEXT_LENGTH} characters, not {0}", TEXT_LENGTH = PeerId::TEXT_LENGTH)]
    Length(usize),
    /// A character is not one of `a`–`z`, `2`–`7`.
    #[error("character {position} of a peer id must be one of a-z and 2-7")]
    Character {
        /// Its byte offset.
        position: usize,
    },
    /// The unused low bits of the last character are not zero.
    #[error("the last character of a peer id has bits that no peer id sets")]
    TrailingBits,
}

impl PeerId {
    /// Length of the text form.
    pub const TEXT_LENGTH: usize = 52;

    /// Any 32 bytes name a peer; only a key can prove that it has this name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn text(self) -> String {
        let mut text = BASE32_NOPAD.encode(&self.0);
        text.make_ascii_lowercase();
        text
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.8}…", self.text())
    }
}

impl FromStr for PeerId {
    type Err = PeerIdTextError;

    fn from_str(text: &str) -> Result<Self, PeerIdTextError> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(PeerIdTextError::Length(text.len()));
        }
        let outside = |byte: u8| !matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        if let Some(position) = text.bytes().position(outside) {
            return Err(PeerIdTextError::Character { position });
        }
        // Length and alphabet are right, so that only the unused bits can be wrong.
        BASE32_NOPAD
            .decode(text.to_ascii_uppercase().as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(PeerIdTextError::TrailingBits)
    }
}

impl From<KeyHash> for PeerId {
    fn from(hash: KeyHash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl From<PeerId> for KeyHash {
    fn from(peer: PeerId) -> Self {
        Self::from_bytes(peer.0)
    }
}
