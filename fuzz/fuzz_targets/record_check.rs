//! Validating records and holding them: bytes that choose a time, a kind and a body.
#![no_main]

use bytes::Bytes;
use cretoai_network::discovery::record::{self, CheckContext, Content, MAX_CLOCK_SKEW};
use cretoai_network::discovery::store::{Holder, Judgement, RecordStore, StoreConfig};
use cretoai_network::identity::PeerId;
use cretoai_network::policy::{IpGroup, Micros, Now, UnixMillis};
use cretoai_network::wire::message::discovery::{Record, StoreOutcome};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&number, body)) = data.split_first() else {
        return;
    };
    let Some(kind) = record::kind(number.into()) else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    let sender = PeerId::from_bytes([7; 32]);
    // The times of the vectors: most of their records are valid in this hour.
    let now = Now {
        mono: Micros(1_000_000),
        wall: UnixMillis(1_700_000_000_500),
    };
    let network = [0; 32];
    let context = CheckContext {
        network,
        now,
        sender,
    };
    let Ok(checked) = kind.check(&context, &body) else {
        return;
    };
    assert!(body.len() <= kind.max_bytes as usize);
    // An owner whose clock is ahead counts from there.
    assert!(checked.lifetime(now.mono) <= kind.max_lifetime + MAX_CLOCK_SKEW);
    assert_eq!(checked.body, body);
    let Ok(payload) = body.try_into() else {
        panic!("a valid record does not fit a message");
    };
    let record = Record {
        kind: kind.number,
        body: payload,
    };
    assert!(
        Content::of(&record).is_ok(),
        "a valid record cannot be read"
    );
    if kind.slots != 1 || checked.lifetime(now.mono).is_zero() {
        return;
    }
    let mut store = RecordStore::new(StoreConfig::default());
    let group = IpGroup::V4([8, 8, 8]);
    let holder = Holder {
        peer: sender,
        group,
    };
    assert_eq!(
        store.judge(now.mono, &holder, kind, &checked),
        Judgement::Store
    );
    let outcome = store.put(now.mono, &holder, kind, &checked);
    assert_eq!(outcome, StoreOutcome::Stored);
    assert_eq!(store.get(kind.number, &checked.key, now.mono), Some(record));
    store.expire(checked.expires);
    assert_eq!(store.len(), 0, "it outlives its end");
});
