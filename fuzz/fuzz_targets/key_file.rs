//! A key file is read without a panic, and a key that was read is written and read again.
#![no_main]

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use cretoai_network::crypto::RustCrypto;
use cretoai_network::identity::key_file;
use libfuzzer_sys::fuzz_target;

/// A folder of this process, in memory where the system has such a place.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let parent = if memory.is_dir() {
        memory
    } else {
        std::env::temp_dir()
    };
    let folder = parent.join(format!("creto-fuzz-key-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
});

fuzz_target!(|data: &[u8]| {
    let (given, written) = (FOLDER.join("given"), FOLDER.join("written"));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&given)
        .unwrap();
    file.write_all(data).unwrap();
    drop(file);
    let provider = Arc::new(RustCrypto::new());
    if let Ok(keypair) = key_file::read(&given, provider.clone()) {
        let _ = std::fs::remove_file(&written);
        key_file::write(&written, &keypair).unwrap();
        let again = key_file::read(&written, provider).unwrap();
        assert_eq!(again.peer_id(), keypair.peer_id());
    }
});
