use std::fs;
use std::path::{Path, PathBuf};

use pkcs8::der::pem::LineEnding;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::key_file::{read, write};
use super::super::*;
use super::{provider, published};

const OPENSSL: &str = include_str!("fixtures/ml_dsa_87.pem");

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("identity.pem")
    }

    /// Puts a private file with these contents in place.
    fn holding(contents: &[u8]) -> Self {
        let place = Self::new();
        fs::write(place.path(), contents).unwrap();
        set_mode(&place.path(), 0o600);
        place
    }

    fn problem(&self) -> KeyFileProblem {
        let error = read(&self.path(), provider()).unwrap_err();
        assert_eq!(error.path, self.path());
        error.problem
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_key_survives_its_file() {
    let place = Place::new();
    let keypair = Keypair::generate(provider()).unwrap();
    write(&place.path(), &keypair).unwrap();
    let again = read(&place.path(), provider()).unwrap();
    assert_eq!(again.seed(), keypair.seed());
    assert_eq!(again.peer_id(), keypair.peer_id());
}

#[test]
fn the_file_is_the_one_openssl_writes() {
    let place = Place::new();
    write(&place.path(), &published()).unwrap();
    assert_eq!(fs::read_to_string(place.path()).unwrap(), OPENSSL);
    let windows = Place::holding(OPENSSL.replace('\n', "\r\n").as_bytes());
    assert_eq!(
        read(&windows.path(), provider()).unwrap().peer_id(),
        published().peer_id()
    );
}

#[test]
fn a_new_file_is_private_and_alone() {
    let place = Place::new();
    write(&place.path(), &published()).unwrap();
    assert_eq!(mode(&place.path()), 0o600);
    assert_eq!(place.names(), ["identity.pem"]);
}

#[test]
fn nothing_is_overwritten() {
    let place = Place::holding(b"precious");
    let error = write(&place.path(), &published()).unwrap_err();
    assert_eq!(
        error,
        KeyFileError {
            path: place.path(),
            problem: KeyFileProblem::Exists
        }
    );
    assert_eq!(fs::read(place.path()).unwrap(), b"precious");
    assert_eq!(
        place.names(),
        ["identity.pem"],
        "no temporary file stays behind"
    );
}

#[test]
fn a_link_is_not_written_through() {
    let place = Place::new();
    let target = place.directory.path().join("target");
    std::os::unix::fs::symlink(&target, place.path()).unwrap();
    let error = write(&place.path(), &published()).unwrap_err();
    assert_eq!(error.problem, KeyFileProblem::Exists);
    assert!(!target.exists());
}

#[test]
fn a_link_is_read_through_but_its_target_must_be_private() {
    let place = Place::new();
    let target = place.directory.path().join("target");
    write(&target, &published()).unwrap();
    std::os::unix::fs::symlink(&target, place.path()).unwrap();
    assert_eq!(
        read(&place.path(), provider()).unwrap().peer_id(),
        published().peer_id()
    );
    set_mode(&target, 0o640);
    assert_eq!(place.problem(), KeyFileProblem::Permissions { mode: 0o640 });
}

#[test]
fn a_file_that_others_may_use_is_refused() {
    let place = Place::holding(OPENSSL.as_bytes());
    for bit in (0..6).map(|shift| 1 << shift) {
        set_mode(&place.path(), 0o600 | bit);
        assert_eq!(
            place.problem(),
            KeyFileProblem::Permissions { mode: 0o600 | bit }
        );
    }
    for private in [0o400, 0o600, 0o700] {
        set_mode(&place.path(), private);
        assert!(read(&place.path(), provider()).is_ok(), "{private:o}");
    }
}

#[test]
fn a_missing_file_or_directory_is_named() {
    let place = Place::new();
    assert_eq!(
        place.problem(),
        KeyFileProblem::Io(std::io::ErrorKind::NotFound)
    );
    let nowhere = place.directory.path().join("missing").join("identity.pem");
    let error = write(&nowhere, &published()).unwrap_err();
    assert_eq!(
        error.problem,
        KeyFileProblem::Io(std::io::ErrorKind::NotFound)
    );
    let text = error.to_string();
    assert!(
        text.starts_with("key file /") && text.contains("missing/identity.pem: "),
        "{text}"
    );
}

#[test]
fn a_directory_is_no_key_file() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    assert_eq!(place.problem(), KeyFileProblem::NotAFile);
}

#[test]
fn a_file_of_16_kib_is_read_and_a_longer_one_is_not() {
    let limit = 16 * 1024;
    for length in [limit - 1, limit] {
        let place = Place::holding(&vec![b'x'; length]);
        assert_eq!(place.problem(), KeyFileProblem::Contents(SeedPemError::Pem));
    }
    assert_eq!(
        Place::holding(&vec![b'x'; limit + 1]).problem(),
        KeyFileProblem::TooLong
    );
}

#[test]
fn a_corrupt_file_says_what_is_wrong() {
    let cut = &OPENSSL[..OPENSSL.len() / 2];
    let label = OPENSSL.replace("PRIVATE KEY", "PUBLIC KEY");
    let garbage = pem(&[0x30; 40]);
    let seed_cut = pem(&[0x30, 0x00]);
    for (contents, error) in [
        ("", SeedPemError::Pem),
        (cut, SeedPemError::Pem),
        (&label, SeedPemError::Label),
        (include_str!("fixtures/encrypted.pem"), SeedPemError::Label),
        (&garbage, SeedPemError::Pkcs8),
        (&seed_cut, SeedPemError::Pkcs8),
        (&pem(&expanded_form()), SeedPemError::Form),
    ] {
        let problem = Place::holding(contents.as_bytes()).problem();
        assert_eq!(problem, KeyFileProblem::Contents(error), "{contents}");
    }
}

#[test]
fn a_key_of_another_algorithm_is_named() {
    for (contents, algorithm) in [
        (
            include_str!("fixtures/ml_dsa_44.pem"),
            KeyAlgorithm::MlDsa44,
        ),
        (
            include_str!("fixtures/ml_dsa_65.pem"),
            KeyAlgorithm::MlDsa65,
        ),
        (
            include_str!("fixtures/ed25519.pem"),
            KeyAlgorithm::Classical,
        ),
        (include_str!("fixtures/p256.pem"), KeyAlgorithm::Classical),
    ] {
        let problem = Place::holding(contents.as_bytes()).problem();
        assert_eq!(
            problem,
            KeyFileProblem::Contents(SeedPemError::Algorithm(algorithm))
        );
    }
}

fn pem(der: &[u8]) -> String {
    pkcs8::der::pem::encode_string("PRIVATE KEY", LineEnding::LF, der).unwrap()
}

/// An ML-DSA-87 key in the expanded form of RFC 9881: OCTET STRING of 4 896 bytes.
fn expanded_form() -> Vec<u8> {
    let algorithm = [
        0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13,
    ];
    let inner = [[0x04, 0x82, 0x13, 0x20].as_slice(), &[0; 4896]].concat();
    let body = [
        [0x02, 0x01, 0x00].as_slice(),
        &algorithm,
        &[0x04, 0x82, 0x13, 0x24],
        &inner,
    ]
    .concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [[0x30, 0x82].as_slice(), &length, &body].concat()
}

/// A change may fall on the seed and give another one; it never goes unnoticed, unless it is one
/// line end for another.
#[test]
fn no_changed_byte_reads_as_the_same_key() {
    let published = published();
    let mut contents = OPENSSL.as_bytes().to_vec();
    for position in 0..contents.len() {
        let original = contents[position];
        let unlike = |byte: &u8| *byte != original && (original, *byte) != (b'\n', b'\r');
        for byte in (0..=u8::MAX).filter(unlike) {
            contents[position] = byte;
            if let Ok(seed) = pkcs8_seed::from_pem(&contents) {
                assert_ne!(&seed, published.seed(), "{byte:#04x} at {position}");
            }
        }
        contents[position] = original;
    }
}

#[test]
fn every_truncated_file_is_refused() {
    for length in 0..OPENSSL.trim_end().len() {
        assert!(
            pkcs8_seed::from_pem(&OPENSSL.as_bytes()[..length]).is_err(),
            "{length}"
        );
    }
}

proptest! {
    #[test]
    fn no_contents_make_it_panic(contents: Vec<u8>) {
        prop_assert!(pkcs8_seed::from_pem(&contents).is_err());
    }

    #[test]
    fn no_pem_block_makes_it_panic(der: Vec<u8>) {
        prop_assert!(pkcs8_seed::from_pem(pem(&der).as_bytes()).is_err());
    }
}
