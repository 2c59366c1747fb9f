//! One process for each identity.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::identity::PeerId;

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process runs a node with this identity.
    #[error("another process uses this identity (lock file {})", .0.display())]
    InUse(PathBuf),
    /// The lock file cannot be made.
    #[error("cannot lock {}: {error}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Held for as long as a node runs. The lock goes with the process, however it ends; the file
/// stays, because removing it would race with the next process.
#[derive(Debug)]
pub(super) struct IdentityLock {
    _file: File,
}

impl IdentityLock {
    /// Takes the lock of `peer` in `directory`, which is created if needed.
    pub(super) fn acquire(directory: &Path, peer: PeerId) -> Result<Self, LockError> {
        let path = directory.join(format!("{peer}.lock"));
        let failed = |error| LockError::Io {
            path: path.clone(),
            error,
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse(path)),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
