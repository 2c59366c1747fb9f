//! Attack 16: lists that claim to be long, with an allocator that counts.
//!
//! A program of its own: what other tests allocate at the same time would count, too.

use std::alloc::System;
use std::fmt::Debug;

use bytes::Bytes;
use cretoai_network::wire::codec::{WireType, decode};
use cretoai_network::wire::message::chunks::Chunk;
use cretoai_network::wire::message::gossip::{
    Have, IDontWant, IHave, IWant, Large, Message, Modes, Prune, Seal, Subscribe, Topics, Unsigned,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Less than any of these lists has room for. The test's own thread allocates nothing meanwhile; what
/// waits for it may.
const SOME_BYTES: usize = 1_024;

#[test]
fn attack_16_a_list_that_claims_to_be_long_allocates_nothing_before_it_is_refused() {
    for length in [64, 1 << 17, 1 << 29, u64::MAX] {
        refuses::<Subscribe>(&[], length);
        refuses::<Topics>(&[], length);
        refuses::<Prune>(&[0, 0], length);
        refuses::<IHave>(&[0], length);
        refuses::<IWant>(&[], length);
        refuses::<IDontWant>(&[], length);
        refuses::<Modes>(&[0], length);
        refuses::<Seal>(&[0; 35], length);
        refuses::<Message>(&[0; 3], length);
        refuses::<Unsigned>(&[0], length);
        refuses::<Large>(&[0; 4], length);
        refuses::<Have>(&[0; 32], length);
        refuses::<Have>(&[0; 33], length);
        refuses::<Chunk>(&[], length);
    }
}

fn refuses<T: WireType + Debug>(head: &[u8], length: u64) {
    // 0xfd: a length of eight bytes follows, the least significant first.
    let bomb = Bytes::from([head, &[253], &length.to_le_bytes()[..]].concat());
    let region = Region::new(ALLOCATOR);
    let refused = decode::<T>(&bomb);
    let bytes = region.change().bytes_allocated;
    assert!(refused.is_err(), "{refused:?}");
    assert!(
        bytes < SOME_BYTES,
        "{} of {length}: {bytes} bytes",
        std::any::type_name::<T>()
    );
}
