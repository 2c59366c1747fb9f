//! Why a handshake failed and why a connection ended, told apart by blame.

use quinn::{ConnectionError, TransportErrorCode, VarInt};

use crate::wire::ErrorCode;

/// TLS alerts travel as QUIC error codes from this number on (RFC 9001 §4.8).
const CRYPTO_BASE: u64 = 0x100;

/// TLS alert numbers (RFC 8446 §6) that tell a reason of ours apart.
mod alert {
    pub(super) const HANDSHAKE_FAILURE: u8 = 40;
    pub(super) const BAD_CERTIFICATE: u8 = 42;
    pub(super) const UNSUPPORTED_CERTIFICATE: u8 = 43;
    pub(super) const ILLEGAL_PARAMETER: u8 = 47;
    pub(super) const ACCESS_DENIED: u8 = 49;
    pub(super) const DECRYPT_ERROR: u8 = 51;
    pub(super) const PROTOCOL_VERSION: u8 = 70;
    pub(super) const CERTIFICATE_REQUIRED: u8 = 116;
    pub(super) const NO_APPLICATION_PROTOCOL: u8 = 120;
}

/// Why a handshake was not completed.
///
/// The end that detects a fault sends a TLS alert, so both ends can name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum HandshakeFailure {
    /// The key that the acceptor proved is not the one that was dialled.
    #[error("the peer at this address has another identity")]
    WrongPeer,
    /// The ends speak for different networks: no ALPN in common.
    #[error("the peer belongs to another network")]
    WrongNetwork,
    /// The credential holds no ML-DSA-87 key.
    #[error("the credential is not an ML-DSA-87 key")]
    UnsupportedKey,
    /// The credential could not be read.
    #[error("the credential is malformed")]
    BadCredential,
    /// The proof of possession of the key is wrong.
    #[error("the handshake signature is invalid")]
    BadSignature,
    /// The dialler did not present a credential.
    #[error("no credential was presented")]
    NoCredential,
    /// No common version, cipher suite, key-exchange group or credential type: an end without
    /// post-quantum cryptography, for example.
    #[error("the peer's handshake parameters are not acceptable")]
    Incompatible,
    /// Another TLS alert, by its number.
    #[error("TLS alert {0}")]
    Alert(u8),
}

impl HandshakeFailure {
    fn from_code(code: TransportErrorCode) -> Option<Self> {
        let alert = u8::try_from(u64::from(code).checked_sub(CRYPTO_BASE)?).ok()?;
        Some(match alert {
            alert::ACCESS_DENIED => Self::WrongPeer,
            alert::NO_APPLICATION_PROTOCOL => Self::WrongNetwork,
            alert::UNSUPPORTED_CERTIFICATE => Self::UnsupportedKey,
            alert::BAD_CERTIFICATE => Self::BadCredential,
            alert::DECRYPT_ERROR => Self::BadSignature,
            alert::CERTIFICATE_REQUIRED => Self::NoCredential,
            alert::HANDSHAKE_FAILURE | alert::ILLEGAL_PARAMETER | alert::PROTOCOL_VERSION => {
                Self::Incompatible
            }
            other => Self::Alert(other),
        })
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum CloseReason {
    /// This node closed it.
    #[error("closed by this node")]
    Local,
    /// The peer closed it, with a code of the registry.
    #[error("closed by the peer: {0}")]
    Peer(ErrorCode),
    /// Nothing arrived within the idle timeout.
    #[error("timed out")]
    TimedOut,
    /// The peer does not know the connection any more: it restarted.
    #[error("reset: the peer restarted")]
    Reset,
    /// The acceptor had no room for the connection.
    #[error("refused by the peer")]
    Refused,
    /// The handshake failed; `by_peer` tells which end found the fault.
    #[error("handshake failed: {failure}")]
    Handshake {
        /// What was wrong.
        failure: HandshakeFailure,
        /// Whether the peer refused us, instead of us the peer.
        by_peer: bool,
    },
    /// A violation of QUIC itself, by its transport error code (RFC 9000 §20.1).
    #[error("QUIC transport error {0:#x}")]
    Transport(u64),
}

impl From<ConnectionError> for CloseReason {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::LocallyClosed => Self::Local,
            ConnectionError::ApplicationClosed(close) => {
                Self::Peer(ErrorCode::from(close.error_code.into_inner()))
            }
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Reset,
            ConnectionError::ConnectionClosed(close)
                if close.error_code == TransportErrorCode::CONNECTION_REFUSED =>
            {
                Self::Refused
            }
            ConnectionError::ConnectionClosed(close) => Self::from_code(close.error_code, true),
            ConnectionError::TransportError(error) => Self::from_code(error.code, false),
            ConnectionError::VersionMismatch => Self::Handshake {
                failure: HandshakeFailure::Incompatible,
                by_peer: true,
            },
            ConnectionError::CidsExhausted => {
                Self::Transport(TransportErrorCode::INTERNAL_ERROR.into())
            }
        }
    }
}

impl CloseReason {
    fn from_code(code: TransportErrorCode, by_peer: bool) -> Self {
        match HandshakeFailure::from_code(code) {
            Some(failure) => Self::Handshake { failure, by_peer },
            None => Self::Transport(code.into()),
        }
    }
}

/// A code of the registry as quinn wants it. All codes of the registry fit.
pub(super) fn quinn_code(code: ErrorCode) -> VarInt {
    VarInt::from_u64(code.into()).unwrap_or(VarInt::MAX)
}
