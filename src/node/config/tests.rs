use super::*;

fn error_of(change: impl FnOnce(&mut P2PConfig)) -> Option<ConfigError> {
    let mut config = P2PConfig::default();
    change(&mut config);
    config.validate().err()
}

fn field_of(change: impl FnOnce(&mut P2PConfig)) -> Option<&'static str> {
    match error_of(change) {
        Some(
            ConfigError::OutOfRange(error)
            | ConfigError::Discovery(DiscoverySettingsError::OutOfRange(error)),
        ) => Some(error.field),
        Some(other) => panic!("{other}"),
        None => None,
    }
}

/// The last value below, the first and the last inside, and the first above the range.
fn assert_range<T: Copy>(
    field: &'static str,
    [below, first, last, above]: [T; 4],
    set: impl Fn(&mut P2PConfig, T),
) {
    assert_eq!(field_of(|config| set(config, below)), Some(field));
    assert_eq!(
        field_of(|config| set(config, first)),
        None,
        "{field}: smallest"
    );
    assert_eq!(
        field_of(|config| set(config, last)),
        None,
        "{field}: largest"
    );
    assert_eq!(field_of(|config| set(config, above)), Some(field));
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn the_defaults_are_valid() {
    let valid = P2PConfig::default().validate().unwrap();
    assert_eq!(valid.network_id(), NetworkId::of("creto"));
    assert_eq!(valid.listen(), [SocketAddr::from(([0, 0, 0, 0], 0))]);
}

#[test]
fn each_bound_of_a_count_holds() {
    assert_range("max_peers", [0, 1, 8_192, 8_193], |c, v| c.max_peers = v);
    assert_range("max_streams", [7, 8, 1_024, 1_025], |c, v| {
        c.max_streams = v
    });
    let messages = [0, 1, 65_536, 65_537];
    assert_range("send_queue_messages", messages, |c, v| {
        c.send_queue_messages = v
    });
    let bytes = [65_535, 65_536, 67_108_864, 67_108_865];
    assert_range("send_queue_bytes", bytes, |c, v| c.send_queue_bytes = v);
    assert_range("event_capacity", [15, 16, 65_536, 65_537], |c, v| {
        c.event_capacity = v
    });
    assert_range("network.len", [0, 1, 64, 65], |c, v| {
        c.network = "n".repeat(v)
    });
    assert_range("listen_addresses.len", [0, 1, 16, 17], |c, count| {
        let any = address("/ip4/0.0.0.0/udp/0/quic-v1");
        c.listen_addresses = vec![any; count];
    });
}

#[test]
fn each_bound_of_a_time_holds() {
    let ms = Duration::from_millis;
    let range = |values: [u64; 4]| values.map(ms);
    let connection = range([99, 100, 60_000, 60_001]);
    assert_range("connection_timeout_ms", connection, |c, v| {
        c.connection_timeout = v
    });
    let request = range([9, 10, 600_000, 600_001]);
    assert_range("request_timeout_ms", request, |c, v| c.request_timeout = v);
    let slow = range([99, 100, 60_000, 60_001]);
    assert_range("slow_reader_ms", slow, |c, v| c.slow_reader = v);
    let idle = range([1_999, 2_000, 600_000, 600_001]);
    assert_range("idle_timeout_ms", idle, |c, v| {
        (c.idle_timeout, c.keep_alive, c.stream_deadline) = (v, ms(500), ms(100));
    });
}

#[test]
fn the_keep_alive_is_at_most_half_the_idle_timeout() {
    let ms = Duration::from_millis;
    let values = [499, 500, 15_000, 15_001].map(ms);
    assert_range("keep_alive_ms", values, |c, v| c.keep_alive = v);
    let odd =
        |keep_alive| field_of(|c| (c.idle_timeout, c.keep_alive) = (ms(20_001), ms(keep_alive)));
    assert_eq!(odd(10_000), None);
    assert_eq!(odd(10_001), Some("keep_alive_ms"));
}

#[test]
fn a_stream_ends_before_its_connection_would_be_idle() {
    let values = [99, 100, 30_000, 30_001].map(Duration::from_millis);
    assert_range("stream_deadline_ms", values, |c, v| c.stream_deadline = v);
}

#[test]
fn the_nested_parts_are_checked_too() {
    assert_eq!(field_of(|c| c.limits.per_ip = 0), Some("limits.per_ip"));
    assert_eq!(
        field_of(|c| c.reputation.ban_at = 101),
        Some("reputation.ban_at")
    );
}

#[test]
fn each_bound_of_discovery_holds() {
    assert_range("discovery.warm_links", [7, 8, 4_096, 4_097], |c, v| {
        c.discovery.warm_links = v
    });
    assert_range("bootstrap_nodes.len", [65, 0, 64, 65], |c, count| {
        let seed = address("/dns4/seed.example.org/udp/9000/quic-v1");
        c.bootstrap_nodes = vec![seed; count];
    });
    let error = error_of(|c| c.discovery.store.budget_bytes = 1);
    assert!(
        error
            .unwrap()
            .to_string()
            .starts_with("discovery.store.budget_bytes is 1"),
        "the field is named"
    );
}

#[test]
fn a_bootstrap_node_that_cannot_be_dialled_is_refused_by_its_place() {
    let id = "a".repeat(52);
    let good = address(&format!("/ip4/8.8.8.8/udp/9000/quic-v1/p2p/{id}"));
    for bad in [
        "/ip4/8.8.8.8/udp/0/quic-v1".to_owned(),
        "/ip4/0.0.0.0/udp/9000/quic-v1".to_owned(),
        format!("/ip4/8.8.8.8/udp/9000/quic-v1/p2p/{id}/p2p-circuit/p2p/{id}"),
    ] {
        let error = error_of(|c| c.bootstrap_nodes = vec![good.clone(), address(&bad)]);
        let (index, address) = (1, bad);
        assert_eq!(error, Some(ConfigError::BootstrapNode { index, address }));
    }
}

#[test]
fn an_explicit_peer_is_named_and_can_be_dialled() {
    let id = "a".repeat(52);
    let good = address(&format!("/ip4/8.8.8.8/udp/9000/quic-v1/p2p/{id}"));
    assert_range("explicit_peers.len", [33, 0, 32, 33], |c, count| {
        c.explicit_peers = vec![good.clone(); count];
    });
    for bad in [
        "/ip4/8.8.8.8/udp/9000/quic-v1".to_owned(),
        format!("/ip4/8.8.8.8/udp/0/quic-v1/p2p/{id}"),
        format!("/ip4/8.8.8.8/udp/9000/quic-v1/p2p/{id}/p2p-circuit/p2p/{id}"),
    ] {
        let error = error_of(|c| c.explicit_peers = vec![good.clone(), address(&bad)]);
        let (index, address) = (1, bad);
        assert_eq!(error, Some(ConfigError::ExplicitPeer { index, address }));
    }
}

#[test]
fn an_address_that_is_no_socket_of_this_machine_is_refused_by_its_place() {
    let good = address("/ip4/127.0.0.1/udp/9000/quic-v1");
    let id = "a".repeat(52);
    for bad in [
        "/dns4/example.org/udp/9000/quic-v1".to_owned(),
        "/ip4/224.0.0.1/udp/9000/quic-v1".to_owned(),
        format!("/ip4/127.0.0.1/udp/9000/quic-v1/p2p/{id}"),
    ] {
        let error = error_of(|c| c.listen_addresses = vec![good.clone(), address(&bad)]);
        assert_eq!(
            error,
            Some(ConfigError::ListenAddress {
                index: 1,
                address: bad
            })
        );
    }
}

#[test]
fn the_same_address_twice_is_refused_but_two_free_ports_are_not() {
    let fixed = address("/ip4/127.0.0.1/udp/9000/quic-v1");
    let text = fixed.to_string();
    let error = error_of(|c| c.listen_addresses = vec![fixed.clone(), fixed.clone()]);
    assert_eq!(
        error,
        Some(ConfigError::ListenTwice {
            index: 1,
            address: text
        })
    );
    let free = address("/ip4/127.0.0.1/udp/0/quic-v1");
    assert_eq!(
        error_of(|c| c.listen_addresses = vec![free.clone(), free]),
        None
    );
}

#[test]
fn an_empty_data_directory_is_refused() {
    assert_eq!(
        error_of(|c| c.data_dir = Some(PathBuf::new())),
        Some(ConfigError::DataDir)
    );
}

#[test]
fn a_message_names_the_field_the_value_and_the_range() {
    let text = error_of(|c| c.max_peers = 9_000).unwrap().to_string();
    assert_eq!(text, "max_peers is 9000, allowed are 1 to 8192");
}

#[test]
fn a_configuration_survives_its_file() {
    let config = P2PConfig {
        data_dir: Some("state".into()),
        ..P2PConfig::default()
    };
    let text = serde_json::to_string(&config).unwrap();
    assert!(text.contains("\"connection_timeout_ms\":10000"), "{text}");
    assert_eq!(serde_json::from_str::<P2PConfig>(&text).unwrap(), config);
    assert_eq!(
        serde_json::from_str::<P2PConfig>("{}").unwrap(),
        P2PConfig::default()
    );
}

#[test]
fn an_unknown_field_or_a_bad_address_in_a_file_is_named() {
    let error = serde_json::from_str::<P2PConfig>("{\"max_pears\":3}")
        .unwrap_err()
        .to_string();
    assert!(error.contains("max_pears"), "{error}");
    let text = "{\"listen_addresses\":[\"/ip4/300.0.0.1\"]}";
    let error = serde_json::from_str::<P2PConfig>(text)
        .unwrap_err()
        .to_string();
    assert!(error.contains("listen_addresses"), "{error}");
    let text = text.replace("listen_addresses", "bootstrap_nodes");
    let error = serde_json::from_str::<P2PConfig>(&text).unwrap_err();
    assert!(error.to_string().contains("bootstrap_nodes"), "{error}");
}

#[test]
fn relaying_is_refused_rather_than_ignored() {
    let config = P2PConfig {
        enable_relay: true,
        ..P2PConfig::default()
    };
    let field = "enable_relay";
    assert_eq!(
        config.validate().unwrap_err(),
        ConfigError::NotAvailable { field }
    );
}
