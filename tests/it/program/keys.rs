use std::fs;

use super::process::{key, run, text};

#[test]
fn the_peer_id_that_keygen_prints_is_the_one_that_id_reads_back() {
    let directory = tempfile::tempdir().unwrap();
    let (path, peer) = key(&directory, "node.pem");
    assert_eq!(peer.len(), 52);
    let read = run(&["id", text(&path)]);
    assert_eq!((read.status, read.lines), (Some(0), vec![peer]));
}

#[test]
fn two_keys_are_two_identities() {
    let directory = tempfile::tempdir().unwrap();
    let (_, one) = key(&directory, "one.pem");
    let (_, other) = key(&directory, "other.pem");
    assert_ne!(one, other);
}

#[cfg(unix)]
#[test]
fn a_new_key_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn keygen_never_overwrites_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, peer) = key(&directory, "node.pem");
    let before = fs::read(&path).unwrap();
    let again = run(&["keygen", "--out", text(&path)]);
    assert_eq!((again.status, again.lines), (Some(2), vec![]));
    assert!(again.errors.contains(text(&path)), "{}", again.errors);
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(run(&["id", text(&path)]).lines, [peer]);
}
