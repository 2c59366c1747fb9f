//! The wire format: varints, frames, the canonical codec, addresses, error codes and messages.
//!
//! A stream begins with a [`StreamHeader`]; then come [`Frame`]s. A frame's body is bytes of the
//! application or a message that the codec reads and writes. Nothing here knows a socket, a
//! clock or a task.

pub mod address;
pub mod codec;
mod error_code;
pub mod frame;
pub mod message;
mod network;
mod sensitive;
pub mod varint;
mod violation;

#[cfg(test)]
pub(crate) mod tests;

pub use address::Address;
pub use error_code::ErrorCode;
pub use frame::{Frame, FrameDecoder, FrameRule, FrameRules, StreamHeader, StreamHeaderDecoder};
pub use network::NetworkId;
pub use sensitive::Sensitive;
pub use varint::Varint;
pub use violation::Violation;
