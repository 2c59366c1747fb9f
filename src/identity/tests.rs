//! Tests of the room, by theme.
//!
//! The fixtures were written by OpenSSL, through version 48 of Python's `cryptography`, from the
//! seed 0, 1, … 31 for every algorithm: an implementation that shares nothing with ours.

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

/// The ML-DSA-87 key pair of the fixtures.
fn published() -> Keypair {
    let seed = std::array::from_fn(|index| index as u8);
    Keypair::from_seed(provider(), SigningSeed::from_bytes(&seed)).unwrap()
}
