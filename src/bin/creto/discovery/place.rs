//! Keys on the command line.

use std::fmt;
use std::str::FromStr;

use cretoai_network::discovery::Key;
use cretoai_network::identity::{PeerId, PeerIdTextError};
use data_encoding::HEXLOWER_PERMISSIVE;

/// A key as people write it: like a peer id, 52 characters of base32, or as 64 of hexadecimal. A peer
/// id is the key of its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(pub(super) Key);

impl Place {
    /// The peer whose place this is.
    pub(super) const fn peer(self) -> PeerId {
        PeerId::from_bytes(*self.0.as_bytes())
    }
}

impl FromStr for Place {
    type Err = PeerIdTextError;

    fn from_str(text: &str) -> Result<Self, PeerIdTextError> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
        match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
            Some(bytes) => Ok(Self(Key::from_bytes(bytes))),
            None => text.parse::<PeerId>().map(|peer| Self(peer.into())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.peer(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_base32_and_in_hexadecimal() {
        let place: Place = "0123456789abcdef".repeat(4).parse().unwrap();
        assert_eq!(place.0.as_bytes()[..2], [0x01, 0x23]);
        let again: Place = place.to_string().parse().unwrap();
        assert_eq!(again, place);
        for text in ["", "01", &"0".repeat(65), &"g".repeat(64)] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
