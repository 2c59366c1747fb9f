use bytes::Bytes;
use proptest::prelude::*;

use super::strategies;
use crate::wire::codec::{decode, encode};
use crate::wire::{Address, Violation};

fn verdict(parts: &[&[u8]]) -> Result<String, Violation> {
    decode::<Address>(&parts.concat().into()).map(|address| address.to_string())
}

#[test]
fn an_ipv4_address_takes_nine_bytes() {
    let address: Address = "/ip4/1.2.3.4/udp/9000/quic-v1".parse().unwrap();
    assert_eq!(encode(&address), &[0, 1, 2, 3, 4, 251, 0x28, 0x23, 0][..]);
}

#[test]
fn a_relayed_address_has_the_relay_first() {
    let (relay, target) = ([1; 32], [2; 32]);
    let text = verdict(&[&[0, 1, 2, 3, 4, 80, 2], &relay, &target]).unwrap();
    let address: Address = text.parse().unwrap();
    assert_eq!(address.peer_id().unwrap().as_bytes(), &target);
    assert_eq!(
        address.relay().unwrap().peer_id().unwrap().as_bytes(),
        &relay
    );
}

#[test]
fn unknown_hosts_and_routes_are_refused() {
    assert_eq!(
        verdict(&[&[4, 1, 2, 3, 4, 80, 0]]),
        Err(Violation::InvalidValue)
    );
    assert_eq!(
        verdict(&[&[0, 1, 2, 3, 4, 80, 3]]),
        Err(Violation::InvalidValue)
    );
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_refused() {
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 8, 8, 8, 8];
    assert_eq!(
        verdict(&[&[1], &mapped, &[80, 0]]),
        Err(Violation::InvalidAddress)
    );
}

#[test]
fn a_name_that_is_no_host_name_is_refused() {
    for name in [&b"A"[..], b"", b"a..b", b"1.2.3.4", b"a/b", b"a_b"] {
        let length = [u8::try_from(name.len()).unwrap()];
        let verdict = verdict(&[&[2], &length, name, &[80, 0]]);
        assert_eq!(verdict, Err(Violation::InvalidAddress), "{name:?}");
    }
}

#[test]
fn a_name_beyond_its_limit_is_refused_before_it_is_read() {
    let over = Violation::OverLimit {
        length: 254,
        limit: 253,
    };
    assert_eq!(verdict(&[&[2, 251, 254, 0]]), Err(over));
    assert_eq!(verdict(&[&[2, 251, 253, 0]]), Err(Violation::Truncated));
}

proptest! {
    #[test]
    fn binary_and_value_are_one_to_one(address in strategies::address()) {
        prop_assert_eq!(decode(&encode(&address)), Ok(address));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let body = Bytes::from(bytes);
        if let Ok(address) = decode::<Address>(&body) {
            prop_assert_eq!(encode(&address), body);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}
