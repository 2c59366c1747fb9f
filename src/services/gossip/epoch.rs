//! The publisher's epoch, which no restart repeats.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::gossip::next_epoch;
use crate::policy::UnixMillis;

/// Name of the file, in the node's directory.
const FILE: &str = "gossip-epoch";

/// The epoch of this run, written down before anything is published in it: a run after a crash takes a
/// higher one, also if the clock went back. A file that cannot be read as a number is taken for none.
///
/// # Errors
/// The epoch could not be written: a later run might repeat it.
pub(super) fn begin(directory: Option<&Path>, now: UnixMillis) -> io::Result<u64> {
    let Some(directory) = directory else {
        return Ok(next_epoch(None, now));
    };
    let file = directory.join(FILE);
    let stored = match fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let epoch = next_epoch(stored, now);
    write(&file, epoch)?;
    Ok(epoch)
}

/// All of it or nothing: first beside the file, then in its place.
fn write(file: &Path, epoch: u64) -> io::Result<()> {
    let beside: PathBuf = file.with_extension("new");
    fs::write(&beside, format!("{epoch}\n"))?;
    fs::File::open(&beside)?.sync_all()?;
    fs::rename(beside, file)
}
