//! The file in which a node keeps what discovery remembers.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::discovery::{MAX_STATE_BYTES, SavedState, StateFault};
use crate::identity::PeerId;
use crate::services::whole_file::{self, with_ending};

/// Where the state of one node is kept, and for which network.
#[derive(Debug, Clone)]
pub(super) struct StateFile {
    path: PathBuf,
    network: [u8; 32],
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Loaded {
    /// The state; an empty one if there is no file.
    State(SavedState),
    /// A file that cannot be used; it is at this path now.
    SetAside(PathBuf, StateFault),
}

impl StateFile {
    pub(super) fn new(directory: &Path, peer: PeerId, network: [u8; 32]) -> Self {
        let path = directory.join(format!("{peer}.discovery"));
        Self { path, network }
    }

    /// Reads the file. One that cannot be used is set aside, for somebody to look at; a new one will
    /// take its place.
    ///
    /// # Errors
    /// What the system said when it read or renamed the file.
    pub(super) fn load(&self) -> io::Result<Loaded> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Loaded::State(SavedState::default()));
            }
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        // One byte more than is allowed shows that there are too many.
        let most = u64::try_from(MAX_STATE_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        file.take(most).read_to_end(&mut bytes)?;
        match SavedState::decode(&Bytes::from(bytes), &self.network) {
            Ok(state) => Ok(Loaded::State(state)),
            Err(fault) => {
                let aside = with_ending(&self.path, ".corrupt");
                fs::rename(&self.path, &aside)?;
                Ok(Loaded::SetAside(aside, fault))
            }
        }
    }

    /// Writes the file: whole, or not at all. Whoever reads it meanwhile gets the one before.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn save(&self, state: SavedState) -> io::Result<()> {
        whole_file::write(&self.path, &state.encode(&self.network))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerId = PeerId::from_bytes([1; 32]);

    fn state() -> SavedState {
        let (_, record) = crate::discovery::record::immutable(Bytes::from_static(b"v")).unwrap();
        SavedState {
            contacts: Vec::new(),
            records: vec![record],
        }
    }

    #[test]
    fn a_state_survives_and_no_file_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path(), PEER, [7; 32]);
        assert_eq!(file.load().unwrap(), Loaded::State(SavedState::default()));
        for _ in 0..2 {
            file.save(state()).unwrap();
            assert_eq!(file.load().unwrap(), Loaded::State(state()));
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no rest of the writing"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path(), PEER, [7; 32]);
        file.save(state()).unwrap();
        let mode = fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_set_aside_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path(), PEER, [7; 32]);
        fs::write(&file.path, b"what is this").unwrap();
        let aside = with_ending(&file.path, ".corrupt");
        let set_aside = Loaded::SetAside(aside.clone(), StateFault::NotAState);
        assert_eq!(file.load().unwrap(), set_aside);
        assert_eq!(fs::read(&aside).unwrap(), b"what is this");
        file.save(state()).unwrap();
        assert_eq!(file.load().unwrap(), Loaded::State(state()));
        let foreign = StateFile::new(folder.path(), PEER, [8; 32]);
        let set_aside = Loaded::SetAside(aside, StateFault::OtherNetwork);
        assert_eq!(foreign.load().unwrap(), set_aside);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_no_panic() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(&folder.path().join("gone"), PEER, [7; 32]);
        assert!(file.save(state()).is_err());
    }
}
