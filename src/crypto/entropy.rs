//! Where random bytes come from.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use thiserror::Error;

/// A source of random bytes fit for keys.
///
/// Production code uses [`OsEntropy`]; a simulation injects [`SeededEntropy`], so that the same
/// seed gives the same run.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `out` completely.
    ///
    /// # Errors
    /// [`EntropyFailure`] if the source cannot deliver; `out` must not be used then.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyFailure>;
}

/// The entropy source could not deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the entropy source failed")]
pub struct EntropyFailure;

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[allow(
        clippy::disallowed_methods,
        reason = "this type is where the OS is asked"
    )]
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyFailure> {
        getrandom::fill(out).map_err(|_| EntropyFailure)
    }
}

/// ChaCha20 from a fixed seed: for simulations and tests only.
///
/// Whoever knows the seed knows every key drawn from it.
pub struct SeededEntropy(Mutex<ChaCha20Rng>);

impl SeededEntropy {
    /// A stream that depends on nothing but `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Mutex::new(ChaCha20Rng::from_seed(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyFailure> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(out);
        Ok(())
    }
}

impl fmt::Debug for SeededEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededEntropy(secret)")
    }
}
