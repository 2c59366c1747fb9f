//! `creto pub` and `creto sub`, through nodes in processes of their own.

use super::nodes::node;
use super::process::{Running, key, run, text};

#[test]
fn what_one_process_publishes_another_prints_across_two_nodes() {
    let directory = tempfile::tempdir().unwrap();
    let (_first, first, _) = node(&directory, "first.pem", &["--topic", "news"]);
    let more = ["--topic", "news", "--bootstrap", &first];
    let (second_node, second, _) = node(&directory, "second.pem", &more);
    second_node.line("discovery-entered contacts=");
    let reader = Running::start(&["sub", "news", "--count", "1", "--bootstrap", &second]);
    reader.line("subscribed topic=\"news\"");
    let (path, publisher) = key(&directory, "publisher.pem");
    let said = ["pub", "news", "w\u{f6}rld\u{1b}[2J", "--bootstrap", &first];
    let said = run(&[&said[..], &["--key", text(&path)]].concat());
    assert_eq!(said.status, Some(0), "{}", said.errors);
    assert!(said.lines[0].starts_with("id="), "{:?}", said.lines);
    let expected = format!("{publisher} w\u{f6}rld\\u{{1b}}[2J");
    assert_eq!(reader.line(&publisher), expected);
    assert_eq!(reader.end().status, Some(0));
}

#[test]
fn who_says_something_that_nobody_wants_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (_node, address, _) = node(&directory, "node.pem", &[]);
    let said = run(&["pub", "news", "hello", "--bootstrap", &address]);
    assert_eq!(said.status, Some(1));
    assert!(said.errors.contains("nobody"), "{}", said.errors);
}

#[test]
fn a_message_that_is_too_long_is_bad_input() {
    let directory = tempfile::tempdir().unwrap();
    let (_node, address, _) = node(&directory, "node.pem", &["--topic", "news"]);
    let long = "x".repeat(16_385);
    let said = run(&["pub", "news", &long, "--unsigned", "--bootstrap", &address]);
    assert_eq!(said.status, Some(2), "{}", said.errors);
}
