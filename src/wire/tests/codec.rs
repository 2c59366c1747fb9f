use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use crate::identity::PeerId;
use crate::wire::Violation;
use crate::wire::codec::{
    List, OverLimit, Payload, Text, TextError, WireType, decode, encode, encode_into, keep,
    wire_message,
};

wire_message! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Sample {
        byte: u8,
        number: u64,
        array: [u8; 3],
        list: List<u32, 4>,
        choice: Choice,
        option: Option<u16>,
        text: Text<8>,
        payload: Payload<1000>,
    }
}

wire_message! {
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Choice {
        Nothing = 0,
        Number(number: u16) = 3,
        Pair { left: u8, right: [u8; 2] } = 4,
    }
}

fn sample() -> Sample {
    Sample {
        byte: 255,
        number: 251,
        array: [1, 2, 3],
        list: vec![7, 65_536].try_into().unwrap(),
        choice: Choice::Pair {
            left: 9,
            right: [8, 7],
        },
        option: Some(250),
        text: "hi".parse().unwrap(),
        payload: Bytes::from_static(b"xyz").try_into().unwrap(),
    }
}

#[test]
fn every_kind_of_field_has_its_bytes() {
    let expected = [
        &[255][..],               // u8: as it is
        &[251, 251, 0],           // u64 above 250: marker, little-endian
        &[1, 2, 3],               // array: no length
        &[2, 7, 252, 0, 0, 1, 0], // list: length, elements
        &[4, 9, 8, 7],            // variant number, fields
        &[1, 250],                // Some, u16 up to 250: one byte
        &[2, b'h', b'i'],         // text: length, characters
        &[3, b'x', b'y', b'z'],   // payload: length, bytes
    ]
    .concat();
    assert_eq!(encode(&sample()), expected);
    assert_eq!(decode(&expected.into()), Ok(sample()));
}

#[test]
fn a_variant_has_the_number_it_was_declared_with() {
    assert_eq!(encode(&Choice::Nothing), &[0][..]);
    assert_eq!(encode(&Choice::Number(5)), &[3, 5][..]);
    for unassigned in [1, 2, 5] {
        assert_eq!(
            decode::<Choice>(&vec![unassigned, 5].into()),
            Err(Violation::InvalidValue)
        );
    }
}

#[test]
fn the_shortest_encoding_is_known_to_the_type() {
    assert_eq!(Choice::MIN_LEN, 1);
    assert_eq!(Sample::MIN_LEN, 1 + 1 + 3 + 1 + 1 + 1 + 1 + 1);
    assert_eq!(PeerId::MIN_LEN, 32);
    assert_eq!(Option::<PeerId>::MIN_LEN, 1);
}

#[test]
fn encode_into_appends() {
    let mut out = BytesMut::from(&b"head"[..]);
    encode_into(&7u8, &mut out);
    assert_eq!(&out[..], b"head\x07");
}

#[test]
fn a_payload_is_a_slice_of_the_message() {
    let body = encode(&Payload::<1000>::try_from(Bytes::from(vec![5; 900])).unwrap());
    let payload: Payload<1000> = decode(&body).unwrap();
    assert_eq!(
        payload.as_bytes().as_ptr(),
        body[body.len() - 900..].as_ptr()
    );
}

#[test]
fn a_short_slice_is_copied_before_it_is_kept() {
    let backing = Bytes::from(vec![0; 100]);
    for (length, copied) in [
        (0, true),
        (49, true),
        (50, false),
        (51, false),
        (100, false),
    ] {
        let slice = backing.slice(100 - length..);
        let kept = keep(slice.clone(), backing.len());
        assert_eq!(kept, slice);
        assert_eq!(kept.as_ptr() != slice.as_ptr(), copied, "{length}");
    }
    let odd = Bytes::from(vec![0; 101]);
    assert_ne!(keep(odd.slice(..50), 101).as_ptr(), odd.as_ptr());
    assert_eq!(keep(odd.slice(..51), 101).as_ptr(), odd.as_ptr());
}

#[test]
fn a_list_takes_its_limit_and_not_one_more() {
    let mut list = List::<u8, 3>::new();
    for element in 0..3 {
        assert_eq!(list.push(element), Ok(()));
    }
    assert_eq!(list.push(3), Err(OverLimit { limit: 3 }));
    assert_eq!(list.len(), 3);
    assert!(List::<u8, 3>::try_from(vec![0; 3]).is_ok());
    assert_eq!(
        List::<u8, 3>::try_from(vec![0; 4]),
        Err(OverLimit { limit: 3 })
    );
    assert_eq!(List::<u8, 3>::truncated(0..9).into_vec(), [0, 1, 2]);
}

#[test]
fn a_text_is_printable_ascii_within_its_limit() {
    assert!("12345678".parse::<Text<8>>().is_ok());
    assert_eq!(
        "123456789".parse::<Text<8>>(),
        Err(TextError::TooLong { limit: 8 })
    );
    for text in ["\u{1f}", "\u{7f}", "\n", "é"] {
        assert_eq!(
            text.parse::<Text<8>>(),
            Err(TextError::NotPrintable),
            "{text:?}"
        );
    }
    assert_eq!(" ~".parse::<Text<8>>().unwrap().as_str(), " ~");
}

#[test]
fn a_payload_takes_its_limit_and_not_one_more() {
    assert!(Payload::<4>::try_from(Bytes::from(vec![0; 4])).is_ok());
    assert!(Payload::<4>::try_from(Bytes::from(vec![0; 5])).is_err());
}

#[test]
fn bincode_is_named_by_the_codec_alone() {
    fn visit(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                visit(&path, found);
            } else if name.ends_with(".rs")
                && std::fs::read_to_string(&path)
                    .unwrap()
                    .contains("bincode::")
            {
                found.push(name);
            }
        }
    }
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    visit(&source, &mut found);
    let outside = |name: &String| !name.contains("wire/codec/") && !name.contains("wire/tests/");
    assert!(
        found.iter().any(|name| !outside(name)),
        "the search must find the codec"
    );
    assert_eq!(
        found
            .iter()
            .filter(|name| outside(name))
            .collect::<Vec<_>>(),
        [""; 0]
    );
}

proptest! {
    #[test]
    fn integers_survive(byte: u8, short: u16, word: u32, long: u64) {
        prop_assert_eq!(decode(&encode(&byte)), Ok(byte));
        prop_assert_eq!(decode(&encode(&short)), Ok(short));
        prop_assert_eq!(decode(&encode(&word)), Ok(word));
        prop_assert_eq!(decode(&encode(&long)), Ok(long));
    }
}
