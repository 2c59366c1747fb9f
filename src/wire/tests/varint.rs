use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::wire::Violation;
use crate::wire::varint::{Varint, VarintDecoder, VarintOverflow};

fn encoded(value: u64) -> Bytes {
    let mut out = BytesMut::new();
    Varint::try_from(value).unwrap().encode(&mut out);
    out.freeze()
}

/// The form of `length` bytes, whether or not it is the shortest.
fn form(value: u64, length: usize) -> Vec<u8> {
    let mut bytes = value.to_be_bytes()[8 - length..].to_vec();
    bytes[0] |= u8::try_from(length.ilog2()).unwrap() << 6;
    bytes
}

#[test]
fn the_examples_of_rfc_9000_decode() {
    let examples: [(&[u8], u64); 4] = [
        (
            &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            151_288_809_941_952_652,
        ),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0x7b, 0xbd], 15_293),
        (&[0x25], 37),
    ];
    for (bytes, value) in examples {
        let varint = Varint::try_from(value).unwrap();
        assert_eq!(Varint::decode(bytes), Ok(Some((varint, bytes.len()))));
        assert_eq!(encoded(value), bytes);
    }
}

#[test]
fn the_longer_form_of_rfc_9000_is_refused() {
    assert_eq!(
        Varint::decode(&[0x40, 0x25]),
        Err(Violation::NonMinimalVarint)
    );
}

#[test]
fn each_length_ends_where_the_next_begins() {
    let edges = [
        (0, 1),
        ((1 << 6) - 1, 1),
        (1 << 6, 2),
        ((1 << 14) - 1, 2),
        (1 << 14, 4),
        ((1 << 30) - 1, 4),
        (1 << 30, 8),
        ((1 << 62) - 1, 8),
    ];
    for (value, length) in edges {
        assert_eq!(encoded(value).len(), length, "{value}");
        assert_eq!(encoded(value), form(value, length), "{value}");
    }
}

#[test]
fn every_longer_form_is_refused() {
    for (value, longer) in [
        (0, 2),
        (63, 2),
        (63, 4),
        (64, 4),
        (64, 8),
        (16_383, 4),
        (1 << 14, 8),
    ] {
        let bytes = form(value, longer);
        assert_eq!(
            Varint::decode(&bytes),
            Err(Violation::NonMinimalVarint),
            "{value} in {longer}"
        );
    }
    assert_eq!(
        Varint::decode(&form((1 << 30) - 1, 8)),
        Err(Violation::NonMinimalVarint)
    );
}

#[test]
fn values_of_63_bits_have_no_varint() {
    assert_eq!(Varint::try_from((1u64 << 62) - 1), Ok(Varint::MAX));
    assert_eq!(Varint::try_from(1u64 << 62), Err(VarintOverflow(1 << 62)));
    assert_eq!(Varint::try_from(u64::MAX), Err(VarintOverflow(u64::MAX)));
}

#[test]
fn a_part_of_a_varint_asks_for_more() {
    for length in [2, 4, 8] {
        let bytes = form(1 << 30, 8)[..length - 1].to_vec();
        assert_eq!(Varint::decode(&bytes), Ok(None));
    }
    assert_eq!(Varint::decode(&[]), Ok(None));
}

proptest! {
    #[test]
    fn a_value_survives_and_leaves_what_follows(value in 0..1u64 << 62, tail: Vec<u8>) {
        let varint = Varint::try_from(value).unwrap();
        let mut bytes = encoded(value).to_vec();
        prop_assert_eq!(bytes.len(), varint.encoded_len());
        bytes.extend(tail);
        prop_assert_eq!(Varint::decode(&bytes), Ok(Some((varint, varint.encoded_len()))));
    }

    #[test]
    fn what_decodes_is_what_encodes(bytes in prop::collection::vec(any::<u8>(), 0..10)) {
        if let Ok(Some((varint, length))) = Varint::decode(&bytes) {
            prop_assert_eq!(encoded(varint.get()), &bytes[..length]);
        }
    }

    #[test]
    fn pieces_decode_like_the_whole(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let whole = Varint::decode(&bytes);
        let mut decoder = VarintDecoder::default();
        let mut in_pieces = Ok(None);
        let mut used = 0;
        for &byte in &bytes {
            used += 1;
            in_pieces = decoder.decode(&mut Bytes::copy_from_slice(&[byte]));
            if in_pieces != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(in_pieces.map(|value| value.map(|value| (value, used))), whole);
    }
}
