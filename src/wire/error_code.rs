//! The registry of QUIC application error codes: what a stream is reset or stopped with, and what
//! a connection is closed with.

use std::fmt;

/// Defines the registry once: the enum, both conversions, the names and the list of all codes.
macro_rules! registry {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// A QUIC application error code (RFC 9000 §20.2).
        ///
        /// `0x00` means nothing; `0x10`–`0x1f` something the receiver does not offer; `0x20`–`0x2f` bytes
        /// that break the format; `0x30`–`0x3f` a stream that ended for a reason of timing, load or
        /// choice; `0x100`–`0x1ff` close the whole connection. All other numbers are unassigned.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)+
            /// A number that this version does not know. It is preserved, and never one of the
            /// numbers above: build it with [`ErrorCode::from`].
            Unknown(u64),
        }

        impl ErrorCode {
            /// Every assigned code, in ascending order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name of the code in the specification, `UNKNOWN` if it is not assigned.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown(_) => "UNKNOWN",
                }
            }
        }

        impl From<ErrorCode> for u64 {
            fn from(code: ErrorCode) -> Self {
                match code {
                    $(ErrorCode::$variant => $number,)+
                    ErrorCode::Unknown(number) => number,
                }
            }
        }

        impl From<u64> for ErrorCode {
            fn from(number: u64) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    other => Self::Unknown(other),
                }
            }
        }
    };
}

registry! {
    /// No reason was given: QUIC implementations send it when a handle is dropped.
    Unspecified = 0x00, "UNSPECIFIED";

    /// The protocol number at the head of the stream is not spoken here.
    UnknownProtocol = 0x10, "UNKNOWN_PROTOCOL";
    /// The protocol is spoken here, but not in this version.
    UnknownVersion = 0x11, "UNKNOWN_VERSION";
    /// The frame was understood; the kind of record or the option in it is not offered here.
    Unsupported = 0x12, "UNSUPPORTED";

    /// The bytes do not decode: truncated, not canonical, a value out of its range, or a stream that
    /// ended in the middle of a frame.
    Malformed = 0x20, "MALFORMED";
    /// A frame longer than its type allows in this state.
    Oversize = 0x21, "OVERSIZE";
    /// A frame of length zero: not even its type byte.
    ZeroLength = 0x22, "ZERO_LENGTH";
    /// Bytes after the end of a message, or frames after the last one that the protocol allows.
    TrailingBytes = 0x23, "TRAILING_BYTES";
    /// A varint that a shorter form would have carried.
    NonShortestVarint = 0x24, "NON_SHORTEST_VARINT";
    /// A frame type that the protocol does not define.
    UnknownFrame = 0x25, "UNKNOWN_FRAME";
    /// A frame type of the protocol that must not appear in this state or direction.
    IllegalFrame = 0x26, "ILLEGAL_FRAME";

    /// The frame must not be sent before the handshake is confirmed: repeat it then.
    Early = 0x30, "EARLY";
    /// The stream was not finished in the time that its protocol allows.
    Deadline = 0x31, "DEADLINE";
    /// The receiver is at a limit of its own: try later or elsewhere.
    Busy = 0x32, "BUSY";
    /// The sender of this code lost interest in the answer.
    Cancelled = 0x33, "CANCELLED";
    /// The handler of the protocol declined the request.
    Refused = 0x34, "REFUSED";
    /// The sender of this code failed; the receiver did nothing wrong.
    Internal = 0x35, "INTERNAL";

    /// The node is stopping.
    Shutdown = 0x100, "SHUTDOWN";
    /// Another connection between the same two peers survives.
    Redundant = 0x101, "REDUNDANT";
    /// The peer is on the ban list.
    Banned = 0x102, "BANNED";
    /// A limit on connections (total, per peer or per IP group) is reached.
    Limit = 0x103, "LIMIT";
    /// The peer's faults added up to the limit.
    Misbehaved = 0x104, "MISBEHAVED";
    /// The peer does not read what it is sent.
    SlowReader = 0x105, "SLOW_READER";
    /// The peer is not the one that was dialled.
    WrongIdentity = 0x106, "WRONG_IDENTITY";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#04x})", self.name(), u64::from(*self))
    }
}
