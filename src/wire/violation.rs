//! What a peer can do wrong on the wire, enumerated.

use thiserror::Error;

use super::ErrorCode;

/// Bytes, or an absence of bytes, that the protocol does not allow.
///
/// Whether a violation costs its sender reputation is decided by the swarm; this type only says
/// what happened and which code answers it. None of its values carries bytes of the peer, so it is
/// safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Violation {
    /// A varint longer than its value needs.
    #[error("varint is not in its shortest form")]
    NonMinimalVarint,
    /// The protocol number of a stream is not registered here.
    #[error("protocol {number:#x} is not spoken here")]
    UnknownProtocol {
        /// The number, as sent.
        number: u64,
    },
    /// The protocol is registered, this version of it is not.
    #[error("protocol {protocol:#x} is not spoken in version {version}")]
    UnknownVersion {
        /// Number of the protocol.
        protocol: u32,
        /// The version, as sent.
        version: u64,
    },
    /// A protocol on the kind of stream that it does not use.
    #[error("a stream of the wrong direction for its protocol")]
    WrongStreamKind,
    /// A frame without a type byte.
    #[error("frame of length zero")]
    ZeroLengthFrame,
    /// A frame type that the protocol does not define.
    #[error("frame type {kind:#04x} is unknown")]
    UnknownFrame {
        /// The type byte.
        kind: u8,
    },
    /// A frame type of the protocol in the wrong state or direction.
    #[error("frame type {kind:#04x} is illegal in this state")]
    IllegalFrame {
        /// The type byte.
        kind: u8,
    },
    /// A frame that must wait until the handshake is confirmed.
    #[error("frame type {kind:#04x} came before the handshake was confirmed")]
    EarlyFrame {
        /// The type byte.
        kind: u8,
    },
    /// A frame body above the limit of its type.
    #[error("frame type {kind:#04x} has {length} bytes, its limit is {limit}")]
    OversizeFrame {
        /// The type byte.
        kind: u8,
        /// Announced length of the body.
        length: u64,
        /// Limit of this type.
        limit: u32,
    },
    /// A frame after the last one that the protocol allows on the stream.
    #[error("frame after the last one")]
    ExtraFrame,
    /// The stream ended after its header, before the frame that must be there.
    #[error("stream ended before its frame")]
    MissingFrame,
    /// The stream ended before the end of its header, or in the middle of a frame.
    #[error("stream ended inside its header or a frame")]
    UnfinishedFrame,
    /// The stream was not finished in time.
    #[error("stream was not finished in time")]
    Deadline,
    /// The body ends before the message does.
    #[error("message is truncated")]
    Truncated,
    /// The body goes on after the message.
    #[error("bytes after the end of the message")]
    TrailingBytes,
    /// The body is not what an encoder makes of the decoded message.
    #[error("message is not in canonical form")]
    NonCanonical,
    /// A list, text or payload longer than its type allows.
    #[error("a length of {length} is above the limit of {limit}")]
    OverLimit {
        /// Announced number of elements or bytes.
        length: u64,
        /// Limit of the field.
        limit: u32,
    },
    /// An integer out of the range of its field, or an enum variant that does not exist.
    #[error("a field holds a value that its type does not have")]
    InvalidValue,
    /// A text that is not in its field's alphabet.
    #[error("a text field holds a character outside its alphabet")]
    InvalidText,
    /// An address whose parts do not fit together.
    #[error("an address is not valid")]
    InvalidAddress,
}

impl Violation {
    /// The code that the stream is reset and stopped with.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::NonMinimalVarint => ErrorCode::NonShortestVarint,
            Self::UnknownProtocol { .. } => ErrorCode::UnknownProtocol,
            Self::UnknownVersion { .. } => ErrorCode::UnknownVersion,
            Self::ZeroLengthFrame => ErrorCode::ZeroLength,
            Self::UnknownFrame { .. } => ErrorCode::UnknownFrame,
            Self::IllegalFrame { .. } | Self::WrongStreamKind => ErrorCode::IllegalFrame,
            Self::EarlyFrame { .. } => ErrorCode::Early,
            Self::OversizeFrame { .. } => ErrorCode::Oversize,
            Self::ExtraFrame | Self::TrailingBytes => ErrorCode::TrailingBytes,
            Self::Deadline => ErrorCode::Deadline,
            Self::MissingFrame
            | Self::UnfinishedFrame
            | Self::Truncated
            | Self::NonCanonical
            | Self::OverLimit { .. }
            | Self::InvalidValue
            | Self::InvalidText
            | Self::InvalidAddress => ErrorCode::Malformed,
        }
    }

    /// Whether a correct peer of another version could have sent this: a protocol or version that
    /// only it knows. The network must stay upgradable, so the first one on a connection is no fault.
    #[must_use]
    pub const fn is_version_skew(self) -> bool {
        matches!(
            self,
            Self::UnknownProtocol { .. } | Self::UnknownVersion { .. }
        )
    }
}
