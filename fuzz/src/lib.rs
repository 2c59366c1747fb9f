//! What the targets share.

pub mod script;
pub mod sealed;

use std::fmt::Debug;

use bytes::Bytes;
use cretoai_network::wire::codec::{WireType, decode, encode};

/// What decodes is the only encoding of its value, and the value survives.
pub fn canonical<T: WireType + PartialEq + Debug>(data: &[u8]) -> Option<T> {
    let body = Bytes::copy_from_slice(data);
    let message: T = decode(&body).ok()?;
    assert_eq!(encode(&message), body);
    Some(message)
}

/// Cuts a stream into chunks of `size` bytes.
pub fn chunks(data: &[u8], size: usize) -> impl Iterator<Item = Bytes> + '_ {
    data.chunks(size).map(Bytes::copy_from_slice)
}
