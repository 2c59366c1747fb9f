use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::wire::{StreamHeader, StreamHeaderDecoder, Varint, Violation};

fn header(protocol: u64, version: u64) -> Bytes {
    let mut out = BytesMut::new();
    Varint::try_from(protocol).unwrap().encode(&mut out);
    Varint::try_from(version).unwrap().encode(&mut out);
    out.freeze()
}

fn decode(mut bytes: Bytes) -> Result<Option<StreamHeader>, Violation> {
    StreamHeaderDecoder::new().decode(&mut bytes)
}

#[test]
fn the_largest_numbers_pass_and_one_more_is_unknown() {
    let largest = StreamHeader {
        protocol: u32::MAX,
        version: u16::MAX,
    };
    assert_eq!(
        decode(header(u32::MAX.into(), u16::MAX.into())),
        Ok(Some(largest))
    );
    let number = u64::from(u32::MAX) + 1;
    assert_eq!(
        decode(header(number, 1)),
        Err(Violation::UnknownProtocol { number })
    );
    let version = u64::from(u16::MAX) + 1;
    let unknown = Violation::UnknownVersion {
        protocol: 0x40,
        version,
    };
    assert_eq!(decode(header(0x40, version)), Err(unknown));
}

#[test]
fn a_longer_form_of_the_protocol_number_is_refused() {
    assert_eq!(
        decode(Bytes::from_static(&[0x40, 1, 1])),
        Err(Violation::NonMinimalVarint)
    );
    assert_eq!(
        decode(Bytes::from_static(&[1, 0x40, 1])),
        Err(Violation::NonMinimalVarint)
    );
}

proptest! {
    #[test]
    fn a_header_survives_any_split_and_leaves_the_frames(
        protocol: u32,
        version: u16,
        tail in prop::collection::vec(any::<u8>(), 0..20),
        cut in 0usize..30,
    ) {
        let header = StreamHeader { protocol, version };
        let mut out = BytesMut::new();
        header.encode(&mut out);
        let length = out.len();
        out.extend_from_slice(&tail);
        let mut rest = out.freeze();
        let mut head = rest.split_to(cut.min(rest.len()));
        let mut decoder = StreamHeaderDecoder::new();
        let first = decoder.decode(&mut head).unwrap();
        if cut < length {
            prop_assert_eq!(first, None);
            prop_assert_eq!(decoder.decode(&mut rest), Ok(Some(header)));
            prop_assert_eq!(rest, tail);
        } else {
            prop_assert_eq!(first, Some(header));
            prop_assert_eq!([head, rest].concat(), tail);
        }
    }
}
