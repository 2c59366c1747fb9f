use std::net::IpAddr;

use proptest::prelude::*;

use crate::policy::{IpGroup, is_globally_routable};

fn group(text: &str) -> IpGroup {
    IpGroup::of(text.parse().unwrap())
}

#[test]
fn a_v4_group_is_a_slash_24() {
    assert_eq!(group("8.8.8.0"), IpGroup::V4([8, 8, 8]));
    assert_eq!(group("8.8.8.0"), group("8.8.8.255"));
    assert_ne!(group("8.8.8.255"), group("8.8.9.0"));
}

#[test]
fn a_v6_group_is_a_slash_48() {
    assert_eq!(
        group("2a00:1450:4001::1"),
        IpGroup::V6([0x2a, 0x00, 0x14, 0x50, 0x40, 0x01])
    );
    assert_eq!(
        group("2a00:1450:4001::"),
        group("2a00:1450:4001:ffff:ffff:ffff:ffff:ffff")
    );
    assert_ne!(group("2a00:1450:4001:ffff::"), group("2a00:1450:4002::"));
}

#[test]
fn one_v4_host_cannot_own_many_v6_groups() {
    let host = group("8.8.8.8");
    assert_eq!(group("::ffff:8.8.8.8"), host);
    assert_eq!(group("64:ff9b::8.8.8.8"), host);
    assert_eq!(group("2002:808:808:1::1"), host);
    assert_eq!(group("2002:808:808:2::1"), host);
}

#[test]
fn a_private_v4_host_stays_private_inside_v6() {
    for text in [
        "::ffff:10.0.0.1",
        "64:ff9b::192.168.0.1",
        "2002:7f00:1::",
        "::ffff:127.0.0.1",
    ] {
        assert_eq!(group(text), IpGroup::Local, "{text}");
    }
}

/// The last address before a block, its first, its last, and the first after it.
#[rustfmt::skip]
const SPECIAL_V4: [(&str, &str, &str, &str); 14] = [
    ("1.0.0.0", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
    ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
    ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
    ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
    ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
    ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
    ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
    ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
    ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
    ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
    ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
    ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
    ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
    ("223.255.255.255", "224.0.0.0", "255.255.255.255", "223.255.255.255"),
];

#[test]
fn special_v4_blocks_have_no_group_and_their_neighbours_do() {
    for (before, first, last, after) in SPECIAL_V4 {
        assert!(!group(before).is_local(), "{before}");
        assert!(group(first).is_local(), "{first}");
        assert!(group(last).is_local(), "{last}");
        assert!(!group(after).is_local(), "{after}");
    }
}

#[test]
fn only_global_unicast_v6_has_a_group() {
    let local = [
        "::",
        "::1",
        "100::1",
        "1fff:ffff::",
        "2001:2::1",
        "2001:10::1",
        "2001:2f:ffff::1",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff:ffff::1",
        "4000::",
        "fc00::1",
        "fdff::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for text in local {
        assert!(group(text).is_local(), "{text}");
    }
    for text in [
        "2000::1",
        "2001:db7::1",
        "2001:db9::1",
        "2001:2:1::1",
        "2001:30::1",
        "3fff:1000::",
    ] {
        assert!(!group(text).is_local(), "{text}");
    }
}

#[test]
fn a_log_line_cannot_leak_the_network() {
    for text in ["93.184.216.34", "2a00:1450:4001::1"] {
        let group = group(text);
        for line in [format!("{group:?}"), format!("{group:#?}")] {
            assert!(line.contains("[redacted]"), "{line}");
            assert!(!line.contains("93") && !line.contains("42"), "{line}");
        }
    }
}

proptest! {
    #[test]
    fn routable_means_to_have_a_group(ip: IpAddr) {
        prop_assert_eq!(is_globally_routable(ip), !IpGroup::of(ip).is_local());
    }
}
