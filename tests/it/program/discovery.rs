//! `creto lookup`, `record` and `provide`, against nodes in processes of their own.

use std::fs;
use std::time::Instant;

use tempfile::TempDir;

use super::nodes::node;
use super::process::{Ended, PATIENCE, Running, key, run, text};

/// Three nodes of one network; the address of the first.
fn network(directory: &TempDir) -> (Vec<Running>, String, Vec<String>) {
    let (first, address, peer) = node(directory, "first.pem", &[]);
    let (mut nodes, mut peers) = (vec![first], vec![peer]);
    for name in ["second.pem", "third.pem"] {
        let (other, _, peer) = node(directory, name, &["--bootstrap", &address]);
        other.line("discovery-entered contacts=");
        nodes.push(other);
        peers.push(peer);
    }
    // Who has entered is told to others once it has answered, a moment later.
    let deadline = Instant::now() + PATIENCE;
    let closest = ["lookup", "--closest", &peers[0], "--bootstrap", &address];
    while run(&closest).lines.len() < peers.len() {
        assert!(
            Instant::now() < deadline,
            "the nodes do not find each other"
        );
    }
    (nodes, address, peers)
}

fn succeeds(arguments: &[&str], bootstrap: &str) -> Vec<String> {
    let ended = run(&[arguments, &["--bootstrap", bootstrap]].concat());
    assert_eq!(ended.status, Some(0), "{}", ended.errors);
    ended.lines
}

/// Stores a record at all three nodes; its key. Beside other tests a holder may take longer than the
/// second that a stranger has, and is passed over: then the record is stored again.
fn put_everywhere(arguments: &[&str], bootstrap: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let put = succeeds(&[&["record", "put"], arguments].concat(), bootstrap);
        let (key, replicas) = put[0].split_once(' ').unwrap();
        if replicas == "replicas=3" {
            return key.strip_prefix("key=").unwrap().to_owned();
        }
        assert!(Instant::now() < deadline, "{put:?}");
    }
}

fn ends_with(status: i32, arguments: &[&str]) -> Ended {
    let ended = run(arguments);
    assert_eq!(
        ended.status,
        Some(status),
        "{:?}: {}",
        arguments,
        ended.errors
    );
    ended
}

#[test]
fn a_peer_is_found_through_another_and_an_unknown_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (_nodes, address, peers) = network(&directory);
    let found = succeeds(&["lookup", &peers[2]], &address);
    assert!(found[0].starts_with(&format!("peer={} addresses=/ip4/127.0.0.1/udp/", peers[2])));
    let found = succeeds(&["lookup", "--json", &peers[1]], &address);
    assert!(
        found[0].contains(&format!("\"peer\":\"{}\"", peers[1])),
        "{found:?}"
    );
    assert_eq!(
        succeeds(&["lookup", "--closest", &peers[0]], &address).len(),
        3
    );
    let (_, nobody) = key(&directory, "nobody.pem");
    ends_with(1, &["lookup", &nobody, "--bootstrap", &address]);
}

#[test]
fn a_value_is_stored_by_one_and_read_by_another() {
    let directory = tempfile::tempdir().unwrap();
    let (_nodes, address, _) = network(&directory);
    let key = put_everywhere(&["a value"], &address);
    assert_eq!(succeeds(&["record", "get", &key], &address), ["a value"]);
    let file = directory.path().join("value");
    let out = ["record", "get", &key, "--out", text(&file)];
    assert!(succeeds(&out, &address).is_empty());
    assert_eq!(fs::read(file).unwrap(), b"a value");
}

#[test]
fn a_record_that_changes_is_read_in_its_latest_version() {
    let directory = tempfile::tempdir().unwrap();
    let (_nodes, address, _) = network(&directory);
    let (path, owner) = key(&directory, "owner.pem");
    let signed = ["--salt", "profile", "--key", text(&path)];
    for (sequence, value) in [("1", "first"), ("2", "second")] {
        let put = [value, "--sequence", sequence];
        put_everywhere(&[&put, &signed[..]].concat(), &address);
        let get = ["record", "get", "--owner", &owner, "--salt", "profile"];
        assert_eq!(succeeds(&get, &address), [value]);
    }
}

#[test]
fn who_advertises_a_role_or_provides_a_key_is_found_while_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let (_nodes, address, peers) = network(&directory);
    for (what, how) in [
        (
            ["--role", "consensus"],
            vec!["lookup", "--role", "consensus"],
        ),
        (["--", &peers[0]], vec!["lookup", "--providers", &peers[0]]),
    ] {
        let provide = ["provide", "--bootstrap", &address];
        let provider = Running::start(&[&provide, &what[..]].concat());
        let line = provider.line("providing peer=");
        let peer = line.strip_prefix("providing ").unwrap();
        assert!(succeeds(&how, &address)[0].starts_with(peer), "{line}");
    }
    ends_with(1, &["lookup", "--role", "nobody", "--bootstrap", &address]);
}

#[test]
fn what_cannot_be_used_is_told_with_status_two_and_what_does_not_succeed_with_one() {
    let directory = tempfile::tempdir().unwrap();
    let (_nodes, address, peers) = network(&directory);
    let there = ["--bootstrap", address.as_str()];
    let with = |arguments: &[&'static str]| [arguments, &there[..]].concat();
    ends_with(2, &with(&["lookup", "no-key"]));
    ends_with(2, &["lookup", &peers[0], "--bootstrap", "no-address"]);
    ends_with(2, &["lookup", &peers[0]]);
    ends_with(2, &with(&["record", "put", "x", "--salt", "s"]));
    ends_with(2, &with(&["provide", "--role", "ü"]));
    let long = "x".repeat((16 << 10) + 1);
    let ended = ends_with(2, &["record", "put", &long, "--bootstrap", &address]);
    assert!(ended.errors.contains("discovery"), "{}", ended.errors);
    ends_with(1, &["record", "get", &peers[1], "--bootstrap", &address]);
    let nobody = "/ip4/127.0.0.1/udp/9/quic-v1";
    ends_with(2, &["record", "put", &long, "--bootstrap", nobody]);
    let hurry = ["--timeout-ms", "300"];
    ends_with(
        1,
        &[&["lookup", &peers[0], "--bootstrap", nobody], &hurry[..]].concat(),
    );
}
