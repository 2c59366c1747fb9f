//! The body of a record, behind a byte with the number of its kind.
#![no_main]

use cretoai_network::wire::message::discovery::{
    ImmutableRecord, MAX_RECORD_BODY, MutableRecord, ProviderRecord, kind,
};
use cretoai_network_fuzz::canonical;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&number, body)) = data.split_first() else {
        return;
    };
    let decodes = match u16::from(number) {
        kind::IMMUTABLE => canonical::<ImmutableRecord>(body).is_some(),
        kind::MUTABLE => canonical::<MutableRecord>(body).is_some(),
        kind::PROVIDER => canonical::<ProviderRecord>(body).is_some(),
        _ => false,
    };
    assert!(!decodes || body.len() <= MAX_RECORD_BODY);
});
