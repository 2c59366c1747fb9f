//! Each names what is wrong on standard error and ends with status 2; nothing is overwritten.

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::process::{Ended, Running, key, run, text};

const ANY_PORT: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

fn assert_refused(ended: &Ended, named: &[&str]) {
    assert_eq!(ended.status, Some(2), "{}", ended.errors);
    assert_eq!(ended.lines, [""; 0]);
    for part in named {
        assert!(ended.errors.contains(part), "{part}: {}", ended.errors);
    }
}

fn node(key: &Path, more: &[&str]) -> Ended {
    run(&[&["node", "--key", text(key)], more].concat())
}

fn file(directory: &TempDir, name: &str, contents: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, contents).unwrap();
    path
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_corrupt_key_file_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    let corrupt = fs::read_to_string(&path)
        .unwrap()
        .replace("PRIVATE", "PIRATE");
    fs::write(&path, &corrupt).unwrap();
    assert_refused(&node(&path, &["--listen", ANY_PORT]), &[text(&path)]);
    assert_refused(&run(&["id", text(&path)]), &[text(&path)]);
    assert_refused(&run(&["keygen", "--out", text(&path)]), &[text(&path)]);
    assert_eq!(fs::read_to_string(&path).unwrap(), corrupt);
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    for mode in [0o640, 0o604, 0o644] {
        set_mode(&path, mode);
        let named = [text(&path), &format!("{mode:04o}"), "0600"];
        assert_refused(&node(&path, &["--listen", ANY_PORT]), &named);
        assert_refused(&run(&["id", text(&path)]), &named);
    }
    set_mode(&path, 0o600);
    assert_eq!(run(&["id", text(&path)]).status, Some(0));
}

#[test]
fn a_key_file_that_is_not_there_is_named_and_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("absent.pem");
    assert_refused(&node(&path, &["--listen", ANY_PORT]), &[text(&path)]);
    assert!(!path.exists());
}

#[test]
fn a_taken_port_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    let taken = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let socket = taken.local_addr().unwrap();
    let address = format!("/ip4/127.0.0.1/udp/{}/quic-v1", socket.port());
    let refused = node(&path, &["--listen", &address]);
    assert_refused(&refused, &[&socket.to_string(), "in use"]);
}

#[test]
fn a_bad_address_is_named_with_what_is_wrong_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (path, peer) = key(&directory, "node.pem");
    for (address, wrong) in [
        ("/ip4/127.0.0.1/tcp/1", "`udp`"),
        ("/ip4/127.0.0.256/udp/1/quic-v1", "an IPv4 address"),
        ("/ip4/127.0.0.1/udp/65536/quic-v1", "a port number"),
        ("127.0.0.1:9000", "a leading `/`"),
        ("", "a leading `/`"),
    ] {
        assert_refused(&node(&path, &["--listen", address]), &["--listen", wrong]);
        assert_refused(&node(&path, &["--connect", address]), &["--connect", wrong]);
        assert_refused(&run(&["ping", address]), &["ADDR", wrong]);
        assert_refused(&run(&["send", address, "hello"]), &["ADDR", wrong]);
    }
    let named = format!("{ANY_PORT}/p2p/{peer}");
    let refused = node(&path, &["--listen", &named]);
    assert_refused(&refused, &["listen_addresses[0]"]);
}

#[test]
fn an_invalid_configuration_names_its_field_or_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    for (contents, named) in [
        (r#"{"max_peers": 0}"#, "max_peers is 0, allowed are 1 to"),
        (r#"{"keep_alive_ms": 15001}"#, "keep_alive_ms"),
        (r#"{"max_peer": 3}"#, "max_peer"),
        (r#"{"max_peers": "many"}"#, "node.json"),
        (r#"{"listen_addresses": ["/ip4/x"]}"#, "listen_addresses"),
        (r#"{"limits": {"per_ip": 0}}"#, "limits.per_ip"),
        ("{", "node.json"),
    ] {
        let config = file(&directory, "node.json", contents);
        assert_refused(&node(&path, &["--config", text(&config)]), &[named]);
        assert_eq!(fs::read_to_string(&config).unwrap(), contents);
    }
    let absent = directory.path().join("absent.json");
    let refused = node(&path, &["--config", text(&absent)]);
    assert_refused(&refused, &[text(&absent)]);
    assert_refused(&node(&path, &["--network", ""]), &["network"]);
}

#[test]
fn a_protocol_of_the_stack_cannot_be_listened_to() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = key(&directory, "node.pem");
    let refused = run(&[
        "node",
        "--key",
        text(&path),
        "--protocol",
        "63",
        "--listen",
        ANY_PORT,
    ]);
    assert_refused(&refused, &["--protocol", "0x3f"]);
}

#[test]
fn a_second_process_with_the_same_identity_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (path, peer) = key(&directory, "node.pem");
    let data = directory.path().join("data");
    let contents = serde_json::json!({"data_dir": data, "listen_addresses": [ANY_PORT]});
    let config = file(&directory, "node.json", &contents.to_string());
    let arguments = ["node", "--key", text(&path), "--config", text(&config)];
    let first = Running::start(&arguments);
    first.line("listening");
    let lock = data.join(format!("{peer}.lock"));
    assert_refused(&run(&arguments), &[text(&lock)]);
    drop(first);
    Running::start(&arguments).line("listening");
}
