//! The expected peer, as the TLS server name.

use rustls::pki_types;

use crate::identity::PeerId;

/// Suffix of the name of a known peer. `.invalid` (RFC 2606) can never be resolved.
const PEER_SUFFIX: &str = ".peer.invalid";

/// Suffix of the one-off name of a dial whose peer is not known beforehand.
const UNKNOWN_SUFFIX: &str = ".unknown.invalid";

/// The name under which a dial is made.
///
/// Tickets and address tokens are stored under this name; it never travels (SNI is off), or the
/// dialled [`PeerId`] would stand in clear in the ClientHello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerName(String);

impl ServerName {
    /// The name of a peer whose identity the caller expects.
    pub(crate) fn peer(peer: PeerId) -> Self {
        Self(format!("{peer}{PEER_SUFFIX}"))
    }

    /// A name used once: `nonce` must be unpredictable, or two dials to unknown peers could share
    /// a ticket.
    pub(crate) fn unknown(nonce: [u8; 16]) -> Self {
        let label = data_encoding::BASE32_DNSSEC.encode(&nonce);
        Self(format!("{label}{UNKNOWN_SUFFIX}"))
    }

    /// The peer that a rustls server name asks for; `None` if the dial expects no one particular.
    pub(super) fn expected(name: &pki_types::ServerName<'_>) -> Option<PeerId> {
        let pki_types::ServerName::DnsName(name) = name else {
            return None;
        };
        name.as_ref().strip_suffix(PEER_SUFFIX)?.parse().ok()
    }

    /// Whether something may be remembered under this name.
    pub(super) fn may_cache(name: &str) -> bool {
        name.ends_with(PEER_SUFFIX)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
