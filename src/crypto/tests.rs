//! Tests of the room, by theme.

use std::sync::Arc;

use super::{Entropy, EntropyFailure, Provider, RustCrypto};

mod backends;
mod hybrid;
mod labels;
mod seal;
mod secrets;
mod self_test;
mod signed;
mod subtree;
mod wycheproof_ml_dsa;
mod wycheproof_ml_kem;
mod wycheproof_x25519;

/// Every backend that this build holds.
fn providers() -> Vec<Arc<dyn Provider>> {
    vec![
        Arc::new(RustCrypto::new()),
        #[cfg(feature = "node")]
        Arc::new(super::AwsLc),
    ]
}

/// An entropy source that says what a published vector wants it to say.
#[derive(Debug)]
struct Scripted(Vec<u8>);

impl Entropy for Scripted {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyFailure> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

/// Every ordered pair of backends, a backend with itself included.
fn pairings() -> Vec<(Arc<dyn Provider>, Arc<dyn Provider>)> {
    let providers = providers();
    providers
        .iter()
        .flat_map(|first| {
            providers
                .iter()
                .map(|second| (Arc::clone(first), Arc::clone(second)))
        })
        .collect()
}
