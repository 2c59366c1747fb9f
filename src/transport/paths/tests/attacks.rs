use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::two_paths::{ACCEPTOR, ACCEPTOR_DIRECT, DIALLER, World, pattern, receive, send};
use super::{LONG, SHORT, at, home, moved_away, short_to, stranger};
use crate::sim::Verdict;
use crate::sim::raw_quinn::address;
use crate::transport::paths::table::{AddPathError, PathId, Source, Table};
use crate::transport::paths::virtual_address::{allocated, bare};

#[test]
fn forged_virtual_source_reaches_no_connection() {
    let mut table = moved_away(stranger(1), stranger(2));
    table.source(home(stranger(1)), LONG);
    for forged in [allocated(1), allocated(2), allocated(u64::MAX)] {
        for socket in [0, 1] {
            assert_eq!(
                table.source(at(socket, forged.into()), SHORT),
                Source::Reserved
            );
            assert_eq!(
                table.source(at(socket, forged.into()), LONG),
                Source::Reserved
            );
        }
    }
}

#[test]
fn reserved_addresses_are_neither_dialled_nor_added_nor_sent_to() {
    let mut table = Table::default();
    let reserved = allocated(7);
    assert_eq!(table.address_to_dial(reserved.into()), None);
    assert_eq!(table.route(reserved), None);
    let added = table.add(bare(stranger(1)), at(1, reserved.into()));
    assert_eq!(added, Err(AddPathError::UnknownAddress));
    assert_eq!(
        table.add(reserved, at(1, stranger(1))),
        Err(AddPathError::UnknownAddress)
    );
}

#[test]
fn flood_of_handshakes_from_a_moved_address_takes_one_entry() {
    let real = stranger(1);
    let mut table = moved_away(real, stranger(2));
    assert_eq!(
        table.source(home(real), &short_to(0)),
        Source::Peer(bare(real))
    );
    for number in 1..10_000 {
        assert_eq!(table.source(home(real), LONG), Source::Peer(allocated(1)));
        assert_eq!(
            table.source(home(real), &short_to(number)),
            Source::Peer(allocated(1))
        );
    }
    assert_eq!(table.len(), 2);
    assert_eq!(
        table.source(home(real), &short_to(0)),
        Source::Peer(bare(real))
    );
}

#[test]
fn truncated_and_absurd_headers_are_mapped_without_a_panic() {
    let mut table = moved_away(stranger(1), stranger(2));
    let mut packets = vec![vec![], vec![0x40], vec![0xc0], vec![0x80; 6]];
    packets.push([&[0xc0, 0, 0, 0, 1][..], &[255; 300]].concat());
    packets.extend((0..LONG.len()).map(|end| LONG[..end].to_vec()));
    packets.extend((1..SHORT.len()).map(|end| SHORT[..end].to_vec()));
    for packet in packets {
        let source = table.source(home(stranger(1)), &packet);
        assert_eq!(source == Source::NotQuic, packet.is_empty());
    }
    assert_eq!(
        table.source(home(stranger(1)), &SHORT[..8]),
        Source::Unproven
    );
}

/// Replays genuine packets of a connection from an address that is not on any of its paths.
#[tokio::test(start_paused = true)]
async fn packets_replayed_from_a_wrong_source_change_nothing() {
    const THIEF: &str = "10.9.9.9:9";
    let world = World::new(1);
    let (dialled, accepted) = world.connect().await;
    let captured: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let log = Arc::clone(&captured);
    world.net.set_tap(move |datagram| {
        // Captured packets do not arrive otherwise, so that the thief's are the first.
        let is_genuine = datagram.from == address(DIALLER) && datagram.contents[0] & 0xc0 == 0x40;
        if is_genuine && log.lock().unwrap().len() < 5 {
            log.lock().unwrap().push(datagram.contents.clone());
            return Verdict::Drop;
        }
        Verdict::Pass
    });
    let sender = tokio::spawn(send(dialled.connection.clone(), pattern(1_000_000, 1)));
    let receiver = tokio::spawn(receive(accepted.connection.clone()));
    tokio::time::sleep(super::millis(50)).await;
    let stolen = captured.lock().unwrap().clone();
    assert_eq!(stolen.len(), 5);
    for packet in &stolen {
        world
            .net
            .inject(address(THIEF), address(ACCEPTOR), packet.clone());
        world
            .net
            .inject(address(THIEF), address(ACCEPTOR_DIRECT), packet.clone());
    }
    sender.await.unwrap();
    assert!(receiver.await.unwrap() == pattern(1_000_000, 1));
    assert_eq!(
        accepted.connection.remote_address(),
        address("[::ffff:10.0.0.1]:4433")
    );
    assert_eq!(accepted.paths.counters().unproven, stolen.len() as u64);
    assert_eq!(
        world
            .net
            .counters(address(ACCEPTOR).ip(), address(THIEF).ip())
            .sent
            .bytes,
        0
    );
    assert_eq!(
        accepted.paths.current(accepted.connection.remote_address()),
        PathId::FIRST
    );
}
