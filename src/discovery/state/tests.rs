use proptest::prelude::*;

use super::*;
use crate::discovery::Key;
use crate::discovery::record;
use crate::identity::PeerId;
use crate::wire::codec::{Payload, SharedList};

const NETWORK: [u8; 32] = [7; 32];

fn contact(number: usize) -> Contact {
    let [high, low, ..] = u32::try_from(number).unwrap().to_le_bytes();
    let address = format!("/ip4/8.8.{high}.{low}/udp/4000/quic-v1")
        .parse()
        .unwrap();
    Contact {
        peer: PeerId::from_bytes(*Key::of_value(&number.to_le_bytes()).as_bytes()),
        addresses: SharedList::truncated([address]),
    }
}

fn sample() -> SavedState {
    let (_, record) = record::immutable(Bytes::from_static(b"value")).unwrap();
    SavedState {
        contacts: (0..3).map(contact).collect(),
        records: vec![record],
    }
}

fn read(file: &[u8]) -> Result<SavedState, StateFault> {
    SavedState::decode(&Bytes::copy_from_slice(file), &NETWORK)
}

#[test]
fn what_is_written_is_read() {
    for state in [SavedState::default(), sample()] {
        assert_eq!(read(&state.clone().encode(&NETWORK)), Ok(state));
    }
}

#[test]
fn no_truncation_and_no_extension_is_read() {
    let file = sample().encode(&NETWORK);
    for length in 0..file.len() {
        let fault = read(&file[..length]).unwrap_err();
        let is_told = matches!(fault, StateFault::TooShort | StateFault::Checksum);
        assert!(is_told, "{length}: {fault}");
    }
    assert_eq!(read(&[&file[..], &[0]].concat()), Err(StateFault::Checksum));
}

#[test]
fn no_flipped_bit_is_read() {
    let file = sample().encode(&NETWORK);
    for bit in 0..file.len() * 8 {
        let mut flipped = file.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn each_part_of_the_head_is_named_when_it_is_wrong() {
    let file = sample().encode(&NETWORK);
    let with = |at: usize, byte: u8| {
        let mut changed = file.to_vec();
        changed[at] = byte;
        read(&changed)
    };
    assert_eq!(with(0, b'x'), Err(StateFault::NotAState));
    assert_eq!(with(8, 2), Err(StateFault::OtherVersion(2)));
    assert_eq!(with(9, 1), Err(StateFault::OtherVersion(257)));
    assert_eq!(with(10, 8), Err(StateFault::OtherNetwork));
    assert_eq!(with(60, 0xff), Err(StateFault::Checksum));
    assert_eq!(read(b"creto"), Err(StateFault::TooShort));
    assert_eq!(read(b"nothing like it"), Err(StateFault::NotAState));
}

#[test]
fn a_content_with_a_right_checksum_is_checked_all_the_same() {
    let mut file = BytesMut::from(&sample().encode(&NETWORK)[..HEAD_BYTES]);
    file.extend_from_slice(&[0xff; 5]);
    let checksum = derive_key(Label::DiscoveryState, &[&file]);
    file.extend_from_slice(&checksum);
    assert!(matches!(read(&file), Err(StateFault::Malformed(_))));
}

#[test]
fn contacts_and_records_above_their_bounds_are_left_out() {
    let record = || record::immutable(Bytes::new()).unwrap().1;
    let both = |contacts, records| SavedState {
        contacts: (0..contacts).map(contact).collect(),
        records: std::iter::repeat_with(record).take(records).collect(),
    };
    for over in [0, 1, 2] {
        let state = both(MAX_SAVED_CONTACTS - 1 + over, MAX_SAVED_RECORDS - 1 + over);
        let kept = read(&state.encode(&NETWORK)).unwrap();
        assert_eq!(kept.contacts.len(), MAX_SAVED_CONTACTS - 1 + over.min(1));
        assert_eq!(kept.records.len(), MAX_SAVED_RECORDS - 1 + over.min(1));
    }
}

#[test]
fn records_above_the_bound_of_bytes_are_left_out() {
    let body = Payload::try_from(Bytes::from(vec![1; 64 << 10])).unwrap();
    let record = Record { kind: 1, body };
    let most = MAX_SAVED_BYTES / (64 << 10);
    for (count, kept) in [(most - 1, most - 1), (most, most), (most + 1, most)] {
        let state = SavedState {
            contacts: (0..MAX_SAVED_CONTACTS).map(contact).collect(),
            records: vec![record.clone(); count],
        };
        assert_eq!(read(&state.encode(&NETWORK)).unwrap().records.len(), kept);
    }
}

#[test]
fn a_file_longer_than_any_that_is_written_is_not_looked_at() {
    let mut file = MAGIC.to_vec();
    file.resize(MAX_STATE_BYTES, 0);
    assert_ne!(read(&file), Err(StateFault::TooLong));
    file.push(0);
    assert_eq!(read(&file), Err(StateFault::TooLong));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(file in proptest::collection::vec(any::<u8>(), 0..300)) {
        _ = read(&file);
        _ = read(&[&MAGIC[..], &file].concat());
    }
}
