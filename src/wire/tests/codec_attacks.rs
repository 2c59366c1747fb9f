use bytes::Bytes;

use crate::identity::PeerId;
use crate::wire::Violation;
use crate::wire::codec::{List, Payload, Text, WireType, decode};

fn verdict<T: WireType>(bytes: &[u8]) -> Result<(), Violation> {
    decode::<T>(&Bytes::copy_from_slice(bytes)).map(drop)
}

/// A length of 2^29 or more in nine bytes.
fn long_length(length: u64) -> Vec<u8> {
    [&[253][..], &length.to_le_bytes()].concat()
}

#[test]
fn a_list_bomb_of_nine_bytes_allocates_nothing() {
    for length in [1 << 29, 1 << 32, u64::MAX] {
        let bomb = long_length(length);
        assert_eq!(bomb.len(), 9);
        let over = Violation::OverLimit {
            length,
            limit: 1024,
        };
        assert_eq!(verdict::<List<u8, 1024>>(&bomb), Err(over));
    }
    for length in [1 << 29, 1 << 39] {
        let lie = verdict::<List<u64, { 1 << 40 }>>(&long_length(length));
        assert_eq!(lie, Err(Violation::Truncated));
    }
}

#[test]
fn a_list_must_have_the_bytes_of_its_elements() {
    let list = |length: u8, bytes: usize| [&[length][..], &vec![0; bytes]].concat();
    assert_eq!(verdict::<List<PeerId, 3>>(&list(3, 96)), Ok(()));
    assert_eq!(
        verdict::<List<PeerId, 3>>(&list(3, 95)),
        Err(Violation::Truncated)
    );
    assert_eq!(
        verdict::<List<PeerId, 3>>(&list(2, 96)),
        Err(Violation::TrailingBytes)
    );
    let over = Violation::OverLimit {
        length: 4,
        limit: 3,
    };
    assert_eq!(verdict::<List<PeerId, 3>>(&list(4, 128)), Err(over));
}

#[test]
fn a_payload_must_have_the_bytes_it_announces() {
    assert_eq!(verdict::<Payload<4>>(&[3, 1, 2, 3]), Ok(()));
    assert_eq!(
        verdict::<Payload<4>>(&[4, 1, 2, 3]),
        Err(Violation::Truncated)
    );
    assert_eq!(
        verdict::<Payload<4>>(&[2, 1, 2, 3]),
        Err(Violation::TrailingBytes)
    );
    let over = |length| Err(Violation::OverLimit { length, limit: 4 });
    assert_eq!(verdict::<Payload<4>>(&[5, 1, 2, 3, 4, 5]), over(5));
    assert_eq!(
        verdict::<Payload<4>>(&long_length(u64::MAX)),
        over(u64::MAX)
    );
    assert_eq!(
        verdict::<Payload<{ usize::MAX }>>(&long_length(1 << 62)),
        Err(Violation::Truncated)
    );
}

#[test]
fn a_longer_form_of_an_integer_is_not_canonical() {
    assert_eq!(verdict::<u64>(&[250]), Ok(()));
    assert_eq!(verdict::<u64>(&[251, 250, 0]), Err(Violation::NonCanonical));
    assert_eq!(verdict::<u64>(&[251, 251, 0]), Ok(()));
    assert_eq!(
        verdict::<u64>(&[252, 251, 0, 0, 0]),
        Err(Violation::NonCanonical)
    );
    assert_eq!(
        verdict::<u64>(&[253, 0, 0, 1, 0, 0, 0, 0, 0]),
        Err(Violation::NonCanonical)
    );
    assert_eq!(verdict::<u64>(&[253, 0, 0, 0, 0, 1, 0, 0, 0]), Ok(()));
}

#[test]
fn a_longer_form_of_a_length_is_not_canonical() {
    assert_eq!(
        verdict::<List<u8, 4>>(&[251, 1, 0, 7]),
        Err(Violation::NonCanonical)
    );
    assert_eq!(
        verdict::<Payload<4>>(&[251, 1, 0, 7]),
        Err(Violation::NonCanonical)
    );
    assert_eq!(
        verdict::<Text<4>>(&[251, 1, 0, b'a']),
        Err(Violation::NonCanonical)
    );
}

#[test]
fn an_integer_wider_than_its_field_is_refused() {
    assert_eq!(
        verdict::<u16>(&[252, 0, 0, 1, 0]),
        Err(Violation::InvalidValue)
    );
    assert_eq!(
        verdict::<u32>(&[253, 0, 0, 0, 0, 1, 0, 0, 0]),
        Err(Violation::InvalidValue)
    );
    assert_eq!(verdict::<u64>(&[254; 17]), Err(Violation::InvalidValue));
    assert_eq!(verdict::<u64>(&[255]), Err(Violation::InvalidValue));
}

#[test]
fn an_option_is_none_or_some() {
    assert_eq!(verdict::<Option<u8>>(&[0]), Ok(()));
    assert_eq!(verdict::<Option<u8>>(&[1, 9]), Ok(()));
    assert_eq!(verdict::<Option<u8>>(&[2, 9]), Err(Violation::InvalidValue));
    assert_eq!(
        verdict::<Option<u8>>(&[0, 9]),
        Err(Violation::TrailingBytes)
    );
}

#[test]
fn control_characters_and_broken_utf8_are_no_text() {
    for bytes in [
        &[1, 0x1b][..],
        &[1, 0x7f],
        &[1, 0xff],
        &[2, 0xc3, 0xa9],
        &[1, b'\n'],
    ] {
        assert_eq!(
            verdict::<Text<4>>(bytes),
            Err(Violation::InvalidText),
            "{bytes:?}"
        );
    }
}

#[test]
fn an_empty_body_is_truncated() {
    assert_eq!(verdict::<u8>(&[]), Err(Violation::Truncated));
    assert_eq!(verdict::<PeerId>(&[0; 31]), Err(Violation::Truncated));
    assert_eq!(verdict::<PeerId>(&[0; 32]), Ok(()));
    assert_eq!(verdict::<PeerId>(&[0; 33]), Err(Violation::TrailingBytes));
}

#[test]
fn fields_beyond_the_memory_net_are_refused() {
    // 256 KiB less the eight bytes that the length itself counts for.
    const ROOM: usize = 256 * 1024 - 8;
    let one_element = |size: usize| [&[1][..], &vec![0; size]].concat();
    assert_eq!(
        verdict::<List<[u8; ROOM - 1], 1>>(&one_element(ROOM - 1)),
        Ok(())
    );
    assert_eq!(verdict::<List<[u8; ROOM], 1>>(&one_element(ROOM)), Ok(()));
    let over = verdict::<List<[u8; ROOM + 1], 1>>(&one_element(ROOM + 1));
    assert_eq!(over, Err(Violation::InvalidValue));
}
