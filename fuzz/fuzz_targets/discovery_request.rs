//! The body of every request of discovery, behind the byte of its frame type.
#![no_main]

use cretoai_network::wire::message::discovery::{
    ACCEPTOR_READS, FIND_NODE, FIND_VALUE, FindNode, FindValue, GET_PROVIDERS, GetProviders,
    HAND_OFF, HandOff, STORE, Store,
};
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, body)) = data.split_first() else {
        return;
    };
    let fixed = match kind {
        FIND_NODE => canonical::<FindNode>(body).is_some(),
        FIND_VALUE => canonical::<FindValue>(body).is_some(),
        GET_PROVIDERS => canonical::<GetProviders>(body).is_some(),
        HAND_OFF => canonical::<HandOff>(body).is_some(),
        STORE => {
            canonical::<Store>(body);
            false
        }
        _ => false,
    };
    if fixed {
        let limit = ACCEPTOR_READS.max_body(kind).unwrap();
        assert!(body.len() <= limit as usize);
    }
});
