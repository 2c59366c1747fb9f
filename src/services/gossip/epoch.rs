//! The publisher's epoch, which no restart repeats.

use std::fs;
use std::io;
use std::path::Path;

use crate::gossip::next_epoch;
use crate::policy::UnixMillis;
use crate::services::whole_file;

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
    let stored = match fs::read(&file) {
        Ok(bytes) => number(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let epoch = next_epoch(stored, now);
    whole_file::write(&file, format!("{epoch}\n").as_bytes())?;
    Ok(epoch)
}

fn number(bytes: &[u8]) -> Option<u64> {
    str::from_utf8(bytes).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    #[test]
    fn no_run_repeats_the_epoch_of_one_before_also_if_the_clock_went_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = Some(directory.path());
        let mut last = begin(path, NOW).unwrap();
        for now in [NOW, UnixMillis(10), UnixMillis(5_000), UnixMillis(0)] {
            let epoch = begin(path, now).unwrap();
            assert!(epoch > last && epoch >= now.0, "{epoch} after {last}");
            last = epoch;
        }
        let left: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing but the file is left");
    }

    #[test]
    fn a_file_that_holds_no_number_is_taken_for_none_and_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let texts: [&[u8]; 5] = [
            b"",
            b"garbage",
            b"-1",
            b"99999999999999999999999",
            b"\xff\xfe1",
        ];
        for text in texts {
            fs::write(directory.path().join(FILE), text).unwrap();
            assert_eq!(
                begin(Some(directory.path()), NOW).unwrap(),
                1_000,
                "{text:?}"
            );
        }
        assert_eq!(begin(Some(directory.path()), NOW).unwrap(), 1_001);
    }

    #[test]
    fn an_epoch_that_cannot_be_kept_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        assert!(begin(Some(&missing), NOW).is_err());
        assert_eq!(begin(None, NOW).unwrap(), 1_000);
    }
}
