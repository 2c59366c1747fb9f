//! The file in which an identity lives.
//!
//! A key file is PKCS#8 PEM with the seed-only private key of RFC 9881, section 6: the standard's
//! tools read and write it. It is written once and never overwritten, and refused when anyone but
//! its owner may read or change it.
//!
//! Symbolic links: reading follows them (secrets are often mounted as links), and it is the file
//! at their end that must be private. Writing never does: a link at the target, even a dangling
//! one, is a file that exists.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use zeroize::Zeroizing;

use super::Keypair;
use super::pkcs8_seed::{self, SeedPemError};
use crate::crypto::{Provider, ProviderFailure};

/// The most bytes that are read: a seed-only key file has 128, one with the expanded key, which is
/// told apart from a corrupt one, about 6 700.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// Bits of the file mode that a key file must not have: any right of group and others.
#[cfg(unix)]
const FOREIGN_RIGHTS: u32 = 0o077;

/// A key file that could not be read or written. Its text names the file and the problem.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("key file {}: {problem}", path.display())]
pub struct KeyFileError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub problem: KeyFileProblem,
}

/// What is wrong with a key file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyFileProblem {
    /// It is there already, and a key is never overwritten.
    #[error("exists already, and a key is never overwritten")]
    Exists,
    /// It is a directory, a pipe or a device.
    #[error("is not a regular file")]
    NotAFile,
    /// Group or others may read or change it.
    #[error("has mode {mode:04o}, so that others may use the key; set it to 0600")]
    Permissions {
        /// Its permission bits.
        mode: u32,
    },
    /// It is too long for a key file.
    #[error("is too long for a key file")]
    TooLong,
    /// It holds no ML-DSA-87 key.
    #[error(transparent)]
    Contents(#[from] SeedPemError),
    /// The provider could not expand the key.
    #[error(transparent)]
    Provider(#[from] ProviderFailure),
    /// The operating system refused.
    #[error("{0}")]
    Io(io::ErrorKind),
}

impl From<io::Error> for KeyFileProblem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists,
            kind => Self::Io(kind),
        }
    }
}

/// Reads the key pair in the file at `path`.
///
/// On Unix the file must grant nothing to group and others; elsewhere the rights are not checked.
///
/// # Errors
/// [`KeyFileError`] naming the file and the problem.
pub fn read(path: &Path, provider: Arc<dyn Provider>) -> Result<Keypair, KeyFileError> {
    read_text(path)
        .and_then(|text| Ok(pkcs8_seed::from_pem(&text)?))
        .and_then(|seed| Ok(Keypair::from_seed(provider, seed)?))
        .map_err(|problem| KeyFileError {
            path: path.to_owned(),
            problem,
        })
}

/// Writes the seed of `keypair` to a new file at `path`, with mode 0600.
///
/// The file appears complete or not at all: a temporary file in the same directory is written,
/// flushed to the disk and then linked to its name, which fails if there is such a name already.
/// The file system must know hard links.
///
/// # Errors
/// [`KeyFileError`] naming the file and the problem. A file that was there is untouched; the new
/// one is there only if cleaning up or flushing the directory failed after it was complete.
pub fn write(path: &Path, keypair: &Keypair) -> Result<(), KeyFileError> {
    write_new(path, keypair).map_err(|problem| KeyFileError {
        path: path.to_owned(),
        problem,
    })
}

fn read_text(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileProblem> {
    // Opening a pipe would wait for its writer, so that this is asked before.
    if !fs::metadata(path)?.is_file() {
        return Err(KeyFileProblem::NotAFile);
    }
    let file = File::open(path)?;
    check_permissions(&file)?;
    // Reserved at once: growing would leave copies of the secret behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE_BYTES as usize + 1));
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(KeyFileProblem::TooLong);
    }
    Ok(text)
}

/// Asks the open file, not its name, which may point elsewhere by now.
#[cfg(unix)]
fn check_permissions(file: &File) -> Result<(), KeyFileProblem> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode() & 0o7777;
    if mode & FOREIGN_RIGHTS == 0 {
        Ok(())
    } else {
        Err(KeyFileProblem::Permissions { mode })
    }
}

#[cfg(not(unix))]
fn check_permissions(_: &File) -> Result<(), KeyFileProblem> {
    Ok(())
}

fn write_new(path: &Path, keypair: &Keypair) -> Result<(), KeyFileProblem> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let temporary = temporary_path(directory, &**keypair.provider())?;
    let linked = write_temporary(&temporary, &pkcs8_seed::to_pem(keypair.seed()))
        .and_then(|()| fs::hard_link(&temporary, path));
    let removed = fs::remove_file(&temporary);
    linked?;
    removed?;
    sync_directory(directory)?;
    Ok(())
}

fn temporary_path(directory: &Path, provider: &dyn Provider) -> Result<PathBuf, ProviderFailure> {
    let mut number = [0; 8];
    provider.random(&mut number)?;
    Ok(directory.join(format!(
        ".creto-key-{:016x}.tmp",
        u64::from_le_bytes(number)
    )))
}

fn write_temporary(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Makes the new name durable. Windows has no such call for directories.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}
