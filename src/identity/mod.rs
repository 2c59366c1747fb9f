//! Who a node is: its ML-DSA-87 key pair, the [`PeerId`] that names it, and the file it lives in.

mod keypair;
mod peer_id;
mod public_key;

#[cfg(test)]
mod tests;

pub use keypair::Keypair;
pub use peer_id::{PeerId, PeerIdTextError};
pub use public_key::{KeyAlgorithm, PublicKey, SpkiError};
