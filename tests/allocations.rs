//! Attack 16: lists that claim to be long, with an allocator that counts.
//!
//! A program of its own: what other tests allocate at the same time would count, too.

use std::alloc::System;
use std::any::type_name;
use std::fmt::Debug;

use bytes::Bytes;
use cretoai_network::crypto::{CHUNK_BYTES, MAX_SEAL_LEAVES};
use cretoai_network::wire::codec::{WireType, decode};
use cretoai_network::wire::message::chunks::Chunk;
use cretoai_network::wire::message::gossip::{
    Have, IDontWant, IHave, IWant, Large, MAX_CHANGES, MAX_CHUNKS, MAX_DATA, MAX_EXCHANGED,
    MAX_IDS, MAX_RANGES, MAX_TOPICS, MAX_UNWANTED, Message, Modes, Prune, Seal, Subscribe, Topics,
    Unsigned,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The threads of the test's own runner may allocate meanwhile, but not each time.
const TIMES: usize = 16;

#[test]
fn attack_16_a_list_that_claims_to_be_long_allocates_nothing_before_it_is_refused() {
    refuses::<Subscribe>(&[], MAX_TOPICS);
    refuses::<Topics>(&[], MAX_TOPICS);
    refuses::<Prune>(&[0, 0], MAX_EXCHANGED);
    refuses::<IHave>(&[0], MAX_IDS);
    refuses::<IWant>(&[], MAX_IDS);
    refuses::<IDontWant>(&[], MAX_UNWANTED);
    refuses::<Modes>(&[0], MAX_CHANGES);
    refuses::<Seal>(&[0; 35], MAX_SEAL_LEAVES);
    refuses::<Message>(&[0; 3], MAX_DATA);
    refuses::<Unsigned>(&[0], MAX_DATA);
    refuses::<Large>(&[0; 4], MAX_CHUNKS);
    refuses::<Have>(&[0; 32], MAX_RANGES);
    refuses::<Have>(&[0; 33], MAX_RANGES);
    refuses::<Chunk>(&[], CHUNK_BYTES);
}

/// Behind the fields before it stands a list as long as it may be, and one that is longer; none of its bytes is there.
fn refuses<T: WireType + Debug>(head: &[u8], limit: usize) {
    for length in [limit as u64, limit as u64 + 1, 1 << 29, u64::MAX] {
        // 0xfd: a length of eight bytes follows, the least significant first.
        let bomb = Bytes::from([head, &[253], &length.to_le_bytes()[..]].concat());
        let allocated = (0..TIMES).map(|_| {
            let region = Region::new(ALLOCATOR);
            let refused = decode::<T>(&bomb);
            let allocated = region.change().bytes_allocated;
            assert!(refused.is_err(), "{refused:?}");
            allocated
        });
        let least = allocated.min();
        assert_eq!(least, Some(0), "{}, {length}", type_name::<T>());
    }
}
