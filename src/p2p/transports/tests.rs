use super::*;

/// The sockets in the order in which a dial to `remote` prefers them.
fn preferred<'a>(remote: &str, sockets: &[&'a str]) -> Vec<&'a str> {
    let remote = SocketAddr::new(remote.parse().unwrap(), 9000);
    let mut suited: Vec<_> = sockets
        .iter()
        .filter_map(|text| {
            let local = SocketAddr::new(text.parse().unwrap(), 4000);
            Some((fitness(local, remote)?, *text))
        })
        .collect();
    suited.sort_by_key(|(fitness, _)| *fitness);
    suited.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_dial_to_the_outside_does_not_leave_by_the_loopback() {
    let sockets = ["127.0.0.1", "192.168.1.5"];
    assert_eq!(
        preferred("192.0.2.7", &sockets),
        ["192.168.1.5", "127.0.0.1"]
    );
}

#[test]
fn a_dial_to_this_host_prefers_the_loopback() {
    let sockets = ["192.168.1.5", "127.0.0.1"];
    assert_eq!(
        preferred("127.0.0.1", &sockets),
        ["127.0.0.1", "192.168.1.5"]
    );
}

#[test]
fn a_socket_bound_to_no_interface_is_preferred_for_every_address_of_its_family() {
    let sockets = ["127.0.0.1", "192.168.1.5", "0.0.0.0"];
    for remote in ["127.0.0.1", "192.0.2.7", "192.168.1.9"] {
        assert_eq!(preferred(remote, &sockets)[0], "0.0.0.0", "{remote}");
    }
    assert_eq!(preferred("2001:db8::7", &["::1", "::"]), ["::", "::1"]);
}

#[test]
fn ipv6_for_all_carries_ipv4_before_the_loopback_does() {
    assert_eq!(
        preferred("192.0.2.7", &["127.0.0.1", "::", "::1"]),
        ["::", "127.0.0.1"]
    );
}

#[test]
fn ipv4_carries_no_ipv6() {
    assert!(preferred("2001:db8::7", &["0.0.0.0", "192.168.1.5"]).is_empty());
}
