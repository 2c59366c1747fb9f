use std::net::UdpSocket;

use tempfile::TempDir;

use super::process::{Running, key, run, text};

const ANY_PORT: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// A node with a fresh key, its address and its peer id.
pub(super) fn node(directory: &TempDir, name: &str, more: &[&str]) -> (Running, String, String) {
    let (path, peer) = key(directory, name);
    let arguments = [&["node", "--key", text(&path), "--listen", ANY_PORT], more].concat();
    let node = Running::start(&arguments);
    let line = node.line("listening");
    let address = line.strip_prefix("listening address=").unwrap().to_owned();
    assert!(address.ends_with(&format!("/p2p/{peer}")));
    (node, address, peer)
}

#[test]
fn two_nodes_connect_and_a_message_sent_to_one_is_printed_by_it_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (first, address, first_peer) = node(&directory, "first.pem", &[]);
    let (second, _, second_peer) = node(&directory, "second.pem", &["--connect", &address]);
    first.line(&format!(
        "peer-connected peer={second_peer} direction=incoming"
    ));
    second.line(&format!(
        "peer-connected peer={first_peer} direction=outgoing"
    ));
    let (key, sender) = key(&directory, "sender.pem");
    let sent = run(&[
        "send",
        "--key",
        text(&key),
        &address,
        "hello",
        "wörld\u{1b}[2J",
    ]);
    assert_eq!(sent.status, Some(0), "{}", sent.errors);
    assert_eq!(sent.lines, [format!("sent peer={first_peer} messages=2")]);
    let head = format!("message peer={sender} protocol=0x40 ");
    let tails = [
        r#"bytes=5 text="hello""#,
        r#"bytes=10 text="wörld\u{1b}[2J""#,
    ];
    for tail in tails {
        assert_eq!(first.line("message"), format!("{head}{tail}"));
    }
}

#[cfg(unix)]
#[test]
fn a_node_says_goodbye_when_it_is_told_to_stop() {
    let directory = tempfile::tempdir().unwrap();
    let (watcher, address, _) = node(&directory, "watcher.pem", &[]);
    for (name, signal) in [("one.pem", "TERM"), ("two.pem", "INT")] {
        let (stopped, _, peer) = node(&directory, name, &["--connect", &address]);
        watcher.line(&format!("peer-connected peer={peer}"));
        stopped.line("peer-connected");
        stopped.signal(signal);
        let ended = stopped.end();
        assert_eq!((ended.status, ended.errors), (Some(0), String::new()));
        let gone = watcher.line("peer-disconnected");
        let head = format!("peer-disconnected peer={peer} reason=closed by the peer: ");
        assert!(gone.starts_with(&head), "{gone}");
    }
}

#[test]
fn a_named_peer_is_dialled_until_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let late = format!(
        "/ip4/127.0.0.1/udp/{}/quic-v1",
        port.local_addr().unwrap().port()
    );
    let config = directory.path().join("node.json");
    std::fs::write(&config, r#"{"connection_timeout_ms": 200}"#).unwrap();
    let more = ["--connect", &late, "--config", text(&config)];
    let (early, _, _) = node(&directory, "early.pem", &more);
    let failed = early.line("dial-failed");
    assert!(!failed.contains("127.0.0.1"), "{failed}");
    drop(port);
    let (path, peer) = key(&directory, "late.pem");
    let _late = Running::start(&["node", "--key", text(&path), "--listen", &late]);
    early.line(&format!("peer-connected peer={peer}"));
}

#[test]
fn ping_prints_a_line_for_each_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let (_node, address, peer) = node(&directory, "node.pem", &[]);
    let pinged = run(&["ping", &address, "--count", "3"]);
    assert_eq!(pinged.status, Some(0), "{}", pinged.errors);
    assert_eq!(pinged.lines[0], format!("connected peer={peer}"));
    let heads = [
        "ping number=1 ms=",
        "ping number=2 ms=",
        "ping number=3 ms=",
    ];
    assert_eq!(pinged.lines.len(), 4);
    for (line, head) in pinged.lines[1..].iter().zip(heads) {
        let millis: f64 = line.strip_prefix(head).unwrap().parse().unwrap();
        assert!(millis > 0.0);
    }
}

#[test]
fn a_peer_that_does_not_answer_is_a_failed_operation() {
    let silent = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let address = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
    let ping = ["ping", &address, "--timeout-ms", "200"];
    let send = ["send", &address, "hello", "--timeout-ms", "200"];
    for arguments in [ping.as_slice(), send.as_slice()] {
        let failed = run(arguments);
        assert_eq!((failed.status, failed.lines), (Some(1), vec![]));
        assert!(
            failed.errors.contains("no answer in time"),
            "{}",
            failed.errors
        );
    }
}

#[test]
fn another_identity_and_another_network_are_failed_operations() {
    let directory = tempfile::tempdir().unwrap();
    let (_node, address, peer) = node(&directory, "node.pem", &[]);
    let (_, other) = key(&directory, "other.pem");
    let wrong = run(&["ping", &address.replace(&peer, &other)]);
    assert_eq!(wrong.status, Some(1));
    assert!(
        wrong.errors.contains("another identity"),
        "{}",
        wrong.errors
    );
    let away = run(&["ping", &address, "--network", "away"]);
    assert_eq!(away.status, Some(1));
    assert!(away.errors.contains("another network"), "{}", away.errors);
}

#[test]
fn messages_of_a_protocol_that_the_peer_does_not_speak_are_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let (_node, address, _) = node(&directory, "node.pem", &[]);
    let sent = run(&["send", &address, "hello", "--protocol", "70"]);
    assert_eq!((sent.status, sent.lines), (Some(1), vec![]));
    assert!(
        sent.errors.contains("does not speak protocol 0x46"),
        "{}",
        sent.errors
    );
}

#[test]
fn json_lines_carry_the_same_as_the_text() {
    let directory = tempfile::tempdir().unwrap();
    let (path, peer) = key(&directory, "node.pem");
    let arguments = ["node", "--json", "--key", text(&path), "--listen", ANY_PORT];
    let node = Running::start(&arguments);
    let json = |line: String| serde_json::from_str::<serde_json::Value>(&line).unwrap();
    let listening = json(node.line("{"));
    assert_eq!(listening["event"], "listening");
    let address = listening["address"].as_str().unwrap();
    assert!(address.ends_with(&peer));
    let sent = run(&["send", address, "hello"]);
    assert_eq!(sent.status, Some(0), "{}", sent.errors);
    let mut events = std::iter::repeat_with(|| json(node.line("{")));
    let connected = events
        .find(|line| line["event"] == "peer-connected")
        .unwrap();
    let message = events.find(|line| line["event"] == "message").unwrap();
    assert_eq!(message["peer"], connected["peer"]);
    assert_eq!(
        (&message["text"], &message["bytes"]),
        (&"hello".into(), &5.into())
    );
}
