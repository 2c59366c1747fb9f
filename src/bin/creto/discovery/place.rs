//! Keys on the command line.

use std::fmt;
use std::str::FromStr;

use cretoai_network::discovery::Key;
use cretoai_network::identity::{PeerId, PeerIdTextError};

/// A key as people write it: like a peer id, 52 characters of base32. A peer id is the key of its
/// peer.
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
        text.parse::<PeerId>().map(|peer| Self(peer.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.peer(), f)
    }
}
