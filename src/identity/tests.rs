//! Tests of the room, by theme.

use std::sync::Arc;

use super::Keypair;
use crate::crypto::{Provider, RustCrypto, SigningSeed};

#[cfg(unix)]
mod key_file;
mod keypair;
mod peer_id;
mod public_key;

fn provider() -> Arc<dyn Provider> {
    Arc::new(RustCrypto::new())
}

/// The key pair of the fixtures, which OpenSSL made from the seed 0, 1, … 31.
fn published() -> Keypair {
    let seed = std::array::from_fn(|index| index as u8);
    Keypair::from_seed(provider(), SigningSeed::from_bytes(&seed)).unwrap()
}
