// In virtual time a sleep is how a test lets the network run, and it is exact.
#![allow(clippy::disallowed_methods)]
// Clippy knows test code by `cfg(test)` alone, and these tests need the simulator as well.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod amplification;
mod attacks;
mod newcomers;
mod real_udp;
mod socket;
mod switching;
mod table;
mod two_paths;

use std::net::SocketAddr;
use std::time::Duration;

use super::table::{Leg, SocketId, Source, Table};
use super::virtual_address::bare;

pub(super) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The real address of the `number`th stranger; all differ up to 2^24.
pub(super) fn stranger(number: u32) -> SocketAddr {
    let [_, b, c, d] = number.to_be_bytes();
    SocketAddr::from(([100, b, c, d], 4433))
}

pub(super) fn home(real: SocketAddr) -> Leg {
    Leg {
        socket: SocketId::HOME,
        real,
    }
}

pub(super) fn at(socket: u32, real: SocketAddr) -> Leg {
    Leg {
        socket: SocketId(socket),
        real,
    }
}

pub(super) const SHORT: &[u8] = &[0x40, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

pub(super) const LONG: &[u8] = &[0xc0, 0, 0, 0, 1, 2, 0xaa, 0xbb, 1, 0xcc];

/// A short-header packet to the connection id `id`.
pub(super) fn short_to(id: u64) -> Vec<u8> {
    [&[0x5f][..], &id.to_be_bytes(), &[0xee; 20]].concat()
}

pub(super) fn as_bare(real: SocketAddr) -> Source {
    Source::Peer(bare(real))
}

/// A table in which `real`'s connection sends over socket 1 to `further`.
pub(super) fn moved_away(real: SocketAddr, further: SocketAddr) -> Table {
    let mut table = Table::default();
    let path = table.add(bare(real), at(1, further)).unwrap();
    table.switch(bare(real), path).unwrap();
    table
}
