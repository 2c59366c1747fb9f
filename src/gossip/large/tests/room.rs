//! Memory, shares of it, and who has none.

use super::{MILLISECOND, START, id, of_publisher, outline, rng, takes_part, transfers, zeros};
use bytes::Bytes;

use crate::crypto::CHUNK_BYTES;
use crate::gossip::Link;
use crate::gossip::large::transfers::{DISTRUST, IDLE, MAX_DISTRUSTED, STALLED};
use crate::gossip::large::{NotBegun, Transfers};
use crate::wire::message::gossip::MAX_LARGE;

/// Whether a message of so many chunks begins to be fetched.
fn fetch(all: &mut Transfers, number: u16, publisher: u16, chunks: u16) -> Option<NotBegun> {
    let origin = of_publisher(publisher);
    all.fetch(START, id(number), origin, &outline(chunks)).err()
}

#[test]
fn one_publisher_has_room_for_one_of_the_longest_messages_that_is_not_here() {
    let mut all = transfers();
    let half = (MAX_LARGE / CHUNK_BYTES / 2) as u16;
    assert_eq!(fetch(&mut all, 0, 0, half), None);
    assert_eq!(fetch(&mut all, 1, 0, half), None);
    assert_eq!(fetch(&mut all, 2, 0, 1), Some(NotBegun::Full));
    assert_eq!(fetch(&mut all, 0, 0, half), Some(NotBegun::Known));
    assert_eq!(fetch(&mut all, 2, 1, half), None);
    all.drop(&id(0)).unwrap();
    assert_eq!(fetch(&mut all, 3, 0, 1), None);
}

#[test]
fn what_is_here_makes_room_and_what_is_not_keeps_it() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    for number in 0..4 {
        let (outline, data) = (outline(2), zeros(2));
        let now = START + MILLISECOND * u32::from(number);
        all.publish(now, id(number), of_publisher(0), &outline, &data)
            .unwrap();
    }
    assert_eq!(all.bytes(), 8 * CHUNK_BYTES);
    assert_eq!(fetch(&mut all, 4, 1, 3), None);
    // The two that moved least lately.
    let is_here = |all: &mut Transfers, number| all.get_mut(&id(number)).is_some();
    let here: Vec<_> = (0..5).filter(|number| is_here(&mut all, *number)).collect();
    assert_eq!(here, [2, 3, 4]);
    assert_eq!(all.bytes(), 7 * CHUNK_BYTES);
}

#[test]
fn attack_a_header_for_which_there_is_no_room_drives_nothing_out() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    let (whole, data) = (outline(4), zeros(4));
    all.publish(START, id(0), of_publisher(0), &whole, &data)
        .unwrap();
    assert_eq!(fetch(&mut all, 1, 1, 4), None);
    assert_eq!(fetch(&mut all, 2, 2, 5), Some(NotBegun::Full));
    assert!(all.get_mut(&id(0)).is_some());
}

#[test]
fn attack_headers_of_strangers_drive_no_message_of_this_node_out_while_it_is_given_out() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    let (whole, data) = (outline(4), zeros(4));
    all.publish(START, id(0), of_publisher(0), &whole, &data)
        .unwrap();
    let (later, new) = (START + IDLE, outline(4));
    let before = later - MILLISECOND;
    assert!(all.fetch(before, id(1), of_publisher(1), &new).is_ok());
    assert!(
        all.fetch(before, id(3), of_publisher(3), &outline(1))
            .is_err()
    );
    assert!(all.fetch(before, id(2), of_publisher(2), &new).is_err());
    assert!(all.fetch(later, id(2), of_publisher(2), &new).is_ok());
    assert!(all.get_mut(&id(0)).is_none());
}

/// What this node gives out is no reason to keep them.
#[test]
fn attack_a_header_whose_chunks_do_not_come_gives_way_beside_a_message_of_this_node() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    let (whole, data) = (outline(3), zeros(3));
    all.publish(START, id(0), of_publisher(0), &whole, &data)
        .unwrap();
    assert_eq!(fetch(&mut all, 1, 1, 5), None);
    let (new, stalled) = (outline(1), START + STALLED);
    let before = stalled - MILLISECOND;
    assert!(all.fetch(before, id(2), of_publisher(2), &new).is_err());
    // What does not fit beside this node's own drives nothing out.
    assert!(
        all.fetch(stalled, id(3), of_publisher(3), &outline(6))
            .is_err()
    );
    assert_eq!(all.take_given_up(), Vec::<[u8; 32]>::new());
    assert!(all.fetch(stalled, id(2), of_publisher(2), &new).is_ok());
    assert_eq!(all.take_given_up(), [id(1)]);
    assert!(all.get_mut(&id(0)).is_some());
}

/// Two identities would have all of the room for half a minute, and for ever with a chunk in each.
#[test]
fn attack_headers_whose_chunks_do_not_come_give_way_to_newcomers_after_five_seconds() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    assert_eq!(fetch(&mut all, 1, 1, 4), None);
    assert_eq!(fetch(&mut all, 2, 2, 4), None);
    let new = outline(4);
    let before = START + STALLED - MILLISECOND;
    let refused = all.fetch(before, id(3), of_publisher(3), &new).err();
    assert_eq!(refused, Some(NotBegun::Full));
    assert_eq!(all.take_given_up(), Vec::<[u8; 32]>::new());
    // One of the two gains a chunk.
    chunk(&mut all, 1, 0);
    let after = START + STALLED;
    assert!(all.fetch(after, id(3), of_publisher(3), &new).is_ok());
    assert_eq!(all.take_given_up(), [id(2)], "the machine must know");
    let refused = all.fetch(after, id(4), of_publisher(4), &new).err();
    assert_eq!(refused, Some(NotBegun::Full), "the others are young");
    assert!(all.bytes() <= 8 * CHUNK_BYTES);
    // What does not fit all the same drives nothing out.
    let later = after + STALLED;
    let large = outline(9);
    assert!(all.fetch(later, id(5), of_publisher(5), &large).is_err());
    assert_eq!(all.take_given_up(), Vec::<[u8; 32]>::new());
}

/// A chunk that comes at the last moment.
fn chunk(all: &mut Transfers, number: u16, index: u16) {
    let at = START + STALLED - MILLISECOND;
    let transfer = all.get_mut(&id(number)).unwrap();
    transfer.arrive(at, index, Bytes::from(vec![0; CHUNK_BYTES]));
}

/// A chunk now and then is no progress of a message of five hundred.
#[test]
fn attack_a_trickle_of_chunks_keeps_no_room() {
    let most = (MAX_LARGE / CHUNK_BYTES) as u16;
    for (chunks, stays) in [(most / 64 - 1, false), (most / 64, true)] {
        let mut all = Transfers::new(MAX_LARGE);
        assert_eq!(fetch(&mut all, 1, 1, most), None);
        (0..chunks).for_each(|index| chunk(&mut all, 1, index));
        let begun = all.fetch(START + STALLED, id(2), of_publisher(2), &outline(1));
        assert_eq!(begun.is_err(), stays, "{chunks}");
    }
}

/// Nor do they keep it from beginning: of those that are not here the one that moved least lately goes.
#[test]
fn attack_headers_of_strangers_keep_no_message_of_this_node_from_being_given_out() {
    let mut all = Transfers::new(8 * CHUNK_BYTES);
    assert_eq!(fetch(&mut all, 1, 1, 4), None);
    assert_eq!(fetch(&mut all, 2, 2, 4), None);
    let (whole, data) = (outline(4), zeros(4));
    all.publish(START, id(0), of_publisher(0), &whole, &data)
        .unwrap();
    assert!(all.bytes() <= 8 * CHUNK_BYTES);
    assert!(all.get_mut(&id(0)).is_some());
}

#[test]
fn what_nobody_brings_or_asks_for_is_forgotten_after_30_seconds() {
    let mut rng = rng(30);
    let mut all = transfers();
    let (whole, data) = (outline(1), zeros(1));
    let transfer = all.publish(START, id(0), of_publisher(0), &whole, &data);
    takes_part(transfer.unwrap(), 0);
    assert_eq!(fetch(&mut all, 1, 1, 1), None);
    assert_eq!(all.poll(START, &mut rng).1.len(), 1);
    let asked = START + 5 * MILLISECOND;
    assert!(all.give(asked, &id(0), Link(0), 0).is_some());
    assert_eq!(all.gave_at(), asked);
    assert_eq!(all.age(START + IDLE - MILLISECOND), Vec::<[u8; 32]>::new());
    // Of the one that was not here the machine must know.
    assert_eq!(all.age(START + IDLE), [id(1)]);
    assert!(all.get_mut(&id(0)).is_some());
    assert_eq!(all.age(asked + IDLE), Vec::<[u8; 32]>::new());
    assert_eq!(all.bytes(), 0);
}

#[test]
fn no_long_message_of_a_publisher_whose_one_was_rejected_is_carried_for_ten_minutes() {
    let mut all = transfers();
    all.distrust(START, of_publisher(0).source.publisher);
    assert_eq!(fetch(&mut all, 0, 0, 1), Some(NotBegun::Distrusted));
    assert_eq!(fetch(&mut all, 0, 1, 1), None);
    all.age(START + DISTRUST - MILLISECOND);
    assert_eq!(fetch(&mut all, 1, 0, 1), Some(NotBegun::Distrusted));
    all.age(START + DISTRUST);
    assert_eq!(fetch(&mut all, 1, 0, 1), None);
}

#[test]
fn of_1024_distrusted_publishers_the_first_makes_room() {
    assert_eq!(MAX_DISTRUSTED, 1_024);
    let mut all = transfers();
    let publisher = |number| of_publisher(number).source.publisher;
    for number in 0..=MAX_DISTRUSTED as u16 {
        all.distrust(START + MILLISECOND * u32::from(number), publisher(number));
    }
    assert_eq!(fetch(&mut all, 0, 0, 1), None);
    for (number, of) in [(1, 2), (2, MAX_DISTRUSTED as u16)] {
        assert_eq!(fetch(&mut all, number, of, 1), Some(NotBegun::Distrusted));
    }
    // Who is distrusted once more drives nobody out.
    all.distrust(START, publisher(5));
    assert_eq!(fetch(&mut all, 1, 1, 1), Some(NotBegun::Distrusted));
}
