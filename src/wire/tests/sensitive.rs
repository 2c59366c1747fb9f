use crate::wire::message::observed::Observed;
use crate::wire::{Address, Sensitive};

const TEXT: &str = "/ip4/93.184.216.34/udp/9000/quic-v1";

/// Every way in which a log line formats a value.
fn log_lines<T: std::fmt::Debug>(value: &T) -> [String; 2] {
    [format!("{value:?}"), format!("{value:#?}")]
}

fn leaks(line: &str) -> bool {
    line.contains("93.184") || line.contains("9000") || line.contains("example")
}

#[test]
fn a_log_line_cannot_leak_a_wrapped_value() {
    let address: Address = TEXT.parse().unwrap();
    let wrapped = Sensitive::new(address.clone());
    for line in log_lines(&wrapped)
        .into_iter()
        .chain([format!("{wrapped}"), format!("{wrapped:>80}")])
    {
        assert_eq!(line, "[redacted]");
    }
    assert_eq!(wrapped.reveal(), &address);
    assert!(
        leaks(&wrapped.into_inner().to_string()),
        "the test must know a leak when it sees one"
    );
}

#[test]
fn a_derived_debug_cannot_leak_an_address() {
    for text in [
        TEXT,
        "/ip6/2001:db8::93.184.216.34/udp/9000/quic-v1",
        "/dns4/example.org/udp/9000/quic-v1",
    ] {
        let address: Address = text.parse().unwrap();
        assert!(leaks(text));
        for line in log_lines(&Observed {
            sequence: 1,
            address: address.clone(),
        }) {
            assert!(!leaks(&line), "{line}");
        }
        for line in log_lines(address.host()) {
            assert!(!leaks(&line), "{line}");
        }
    }
}

#[test]
fn an_error_about_an_address_does_not_repeat_it() {
    let error = "/ip4/93.184.216.34/udp/9000/quic-v2"
        .parse::<Address>()
        .unwrap_err();
    assert!(
        !leaks(&error.to_string()) && !leaks(&format!("{error:?}")),
        "{error}"
    );
}
