use std::time::Duration;

use super::*;

const START: Micros = Micros(1_000_000);

fn peer(number: u8) -> PeerId {
    PeerId::from_bytes([number; 32])
}

fn network() -> NetworkId {
    NetworkId::of("home")
}

fn filter() -> Filter {
    Filter::new(peer(0), network(), START)
}

fn claim(number: u8, hosts: &[&str]) -> Claim {
    Claim {
        id: peer(number).to_string(),
        network: network_text(network()),
        port: 9_000,
        hosts: hosts.iter().map(|host| host.parse().unwrap()).collect(),
    }
}

#[test]
fn an_announced_peer_is_found_at_each_of_its_addresses_in_a_fixed_order() {
    let found = filter().take(START, &claim(1, &["192.168.0.9", "192.168.0.2"]));
    let texts: Vec<_> = found.iter().map(|one| one.address.to_string()).collect();
    let id = peer(1);
    let expected =
        ["2", "9"].map(|host| format!("/ip4/192.168.0.{host}/udp/9000/quic-v1/p2p/{id}"));
    assert_eq!(texts, expected);
}

#[test]
fn another_network_the_node_itself_and_nonsense_are_passed_over() {
    let other = Claim {
        network: network_text(NetworkId::of("away")),
        ..claim(1, &["192.168.0.2"])
    };
    let nonsense = Claim {
        id: "nobody".to_owned(),
        ..claim(1, &["192.168.0.2"])
    };
    for claim in [other, nonsense, claim(0, &["192.168.0.2"])] {
        assert_eq!(filter().take(START, &claim), []);
    }
}

#[test]
fn addresses_to_which_nobody_can_send_are_left_out() {
    let found = filter().take(
        START,
        &claim(1, &["224.0.0.1", "fe80::1", "0.0.0.0", "10.0.0.1"]),
    );
    assert_eq!(found.len(), 1);
    let portless = Claim {
        port: 0,
        ..claim(1, &["10.0.0.1"])
    };
    assert_eq!(filter().take(START, &portless), []);
}

#[test]
fn an_announcement_gives_four_addresses_at_most() {
    let hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"];
    for (given, taken) in [(3, 3), (4, 4), (5, 4)] {
        assert_eq!(
            filter().take(START, &claim(1, &hosts[..given])).len(),
            taken
        );
    }
}

#[test]
fn a_flood_of_invented_peers_is_cut_to_the_rate() {
    let mut filter = filter();
    let taken = (1..=200).filter(|number| {
        !filter
            .take(START, &claim(*number, &["10.0.0.1"]))
            .is_empty()
    });
    assert_eq!(taken.count(), 64);
    let later = START + Duration::from_millis(250);
    assert_eq!(filter.take(later, &claim(1, &["10.0.0.1"])).len(), 1);
    assert_eq!(filter.take(later, &claim(1, &["10.0.0.1"])), []);
}

#[test]
fn what_is_announced_is_what_the_filter_of_another_node_accepts() {
    let service = announcement(peer(1), network(), 9_000).unwrap();
    let text = |key| service.get_property_val_str(key).unwrap().to_owned();
    let hosts = vec!["10.0.0.1".parse().unwrap()];
    let claim = Claim {
        id: text(KEY_ID),
        network: text(KEY_NETWORK),
        port: 9_000,
        hosts,
    };
    assert_eq!(filter().take(START, &claim).len(), 1);
    assert_eq!(service.get_type(), SERVICE);
    assert_eq!(text(KEY_NETWORK).len(), 16);
}
