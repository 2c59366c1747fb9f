//! Who a node is: its ML-DSA-87 key pair, the [`PeerId`] that names it, and the file it lives in.

pub mod key_file;
mod keypair;
mod peer_id;
mod pkcs8_seed;
mod public_key;

#[cfg(test)]
mod tests;

pub use key_file::{KeyFileError, KeyFileProblem};
pub use keypair::Keypair;
pub use peer_id::{PeerId, PeerIdTextError};
pub use pkcs8_seed::SeedPemError;
pub use public_key::{KeyAlgorithm, PublicKey, SpkiError};
