use proptest::prelude::*;

use super::*;
use crate::crypto::MAX_SEAL_LEAVES;
use crate::gossip::Fault;
use crate::gossip::seals::testing::{List, below, key, rng};
use crate::identity::PeerId;
use crate::wire::message::gossip::{KEY_WINDOW, SEAL_WINDOW, SEAL_WINDOW_LEAVES};

fn name(number: u64) -> PeerId {
    key(number).hash().into()
}

fn seal(number: u64) -> SharedSeal {
    List::of(number, 1).seal(&key(0))
}

/// Both ends of a stream.
#[derive(Default)]
struct Ends {
    sender: SentReferences,
    receiver: ReceivedReferences,
}

impl Ends {
    /// Sends what is missing, as a SEAL with this key would.
    fn key(&mut self, number: u64) -> u64 {
        match self.sender.key(name(number)) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                assert_eq!(self.receiver.add_key(key(number)), ordinal);
                ordinal
            }
        }
    }

    /// Sends what is missing, as a MESSAGE of this seal would.
    fn seal(&mut self, seal: &SharedSeal) -> u64 {
        match self.sender.seal(seal) {
            Reference::Known(ordinal) => ordinal,
            Reference::New(ordinal) => {
                assert_eq!(self.receiver.add_seal(seal.clone()), ordinal);
                ordinal
            }
        }
    }
}

#[test]
fn a_key_and_a_seal_go_over_a_stream_once() {
    let mut ends = Ends::default();
    assert_eq!(ends.sender.key(name(1)), Reference::New(0));
    assert_eq!(ends.sender.key(name(2)), Reference::New(1));
    assert_eq!(ends.sender.key(name(1)), Reference::Known(0));
    assert_eq!(ends.sender.seal(&seal(1)), Reference::New(0));
    assert_eq!(ends.sender.seal(&seal(1)), Reference::Known(0));
}

#[test]
fn an_ordinal_that_was_never_given_is_refused() {
    let mut receiver = ReceivedReferences::new();
    assert_eq!(receiver.key(0), Err(UnknownOrdinal(0)));
    receiver.add_key(key(1));
    receiver.add_seal(seal(1));
    assert_eq!(receiver.key(0), Ok(&key(1)));
    for ordinal in [1, u64::MAX] {
        assert_eq!(receiver.key(ordinal), Err(UnknownOrdinal(ordinal)));
        let refused = receiver.seal(ordinal).map_err(Fault::from);
        assert_eq!(refused, Err(Fault::UnknownOrdinal));
    }
}

#[test]
fn a_recycled_ordinal_is_refused() {
    let mut receiver = ReceivedReferences::new();
    for number in 0..KEY_WINDOW + 1 {
        receiver.add_key(key(number));
    }
    assert_eq!(receiver.key(0), Err(UnknownOrdinal(0)));
    assert_eq!(receiver.key(1), Ok(&key(1)));
    assert_eq!(receiver.key(KEY_WINDOW), Ok(&key(KEY_WINDOW)));
    for number in 0..SEAL_WINDOW + 1 {
        receiver.add_seal(seal(number));
    }
    assert_eq!(receiver.seal(0), Err(UnknownOrdinal(0)));
    assert_eq!(receiver.seal(1), Ok(&seal(1)));
}

#[test]
fn a_stream_of_the_longest_lists_holds_no_more_leaves_than_it_may() {
    let longest = MAX_SEAL_LEAVES as u64;
    let lists = SEAL_WINDOW_LEAVES / longest;
    let mut receiver = ReceivedReferences::new();
    let long = |number| List::of(number * longest, longest).seal(&key(0));
    for number in 0..lists {
        receiver.add_seal(long(number));
    }
    assert!(receiver.seal(0).is_ok());
    receiver.add_seal(seal(u64::MAX - 5));
    assert!(receiver.seal(0).is_err());
    assert!(receiver.seal(1).is_ok());
}

#[test]
fn what_the_receiver_forgot_is_sent_again() {
    let mut ends = Ends::default();
    ends.key(0);
    for number in 1..KEY_WINDOW {
        ends.key(number);
    }
    // The sender forgets a few earlier than the receiver, and never one later.
    assert!(matches!(ends.sender.key(name(0)), Reference::New(_)));
}

#[test]
fn a_reference_holds_while_the_margin_is_written_before_it() {
    let mut ends = Ends::default();
    for number in 0..SEAL_WINDOW - 8 {
        ends.seal(&seal(number));
    }
    let Reference::Known(ordinal) = ends.sender.seal(&seal(0)) else {
        panic!("the oldest is in the window");
    };
    for number in 1_000..1_008 {
        ends.seal(&seal(number));
    }
    assert_eq!(ends.receiver.seal(ordinal), Ok(&seal(0)));
}

#[test]
fn a_thousand_streams_share_one_copy() {
    let (key, seal) = (key(1), seal(1));
    let mut streams = vec![ReceivedReferences::new(); 1_000];
    for stream in &mut streams {
        stream.add_key(key.clone());
        stream.add_seal(seal.clone());
    }
    for stream in &streams {
        let held = stream.key(0).unwrap();
        assert!(std::ptr::eq(held.as_bytes(), key.as_bytes()));
        assert!(std::ptr::eq(stream.seal(0).unwrap().seal(), seal.seal()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn sender_and_receiver_never_disagree(seed: u64, publishers in 1u64..1_500, lists in 1u64..400) {
        let rng = &mut rng(seed);
        let mut ends = Ends::default();
        let keys: Vec<_> = (0..publishers).map(key).collect();
        let seals: Vec<_> = (0..lists)
            .map(|number| {
                // Long lists now and then, so that leaves bound the window, too.
                let leaves = if below(rng, 4) == 0 { 1_024 } else { 1 };
                List::of(number, leaves).seal(&keys[0])
            })
            .collect();
        let (mut last_key, mut last_seal) = (0, 0);
        for _ in 0..4_000 {
            let number = below(rng, publishers);
            let ordinal = ends.key(number);
            prop_assert_eq!(ends.receiver.key(ordinal), Ok(&keys[number as usize]));
            last_key = ordinal.max(last_key);
            let one = &seals[below(rng, lists) as usize];
            let ordinal = ends.seal(one);
            prop_assert_eq!(ends.receiver.seal(ordinal), Ok(one));
            last_seal = ordinal.max(last_seal);
            prop_assert!(ends.receiver.key(last_key + 1).is_err());
            prop_assert!(ends.receiver.seal(last_seal + 1).is_err());
            if let Some(recycled) = last_key.checked_sub(KEY_WINDOW) {
                prop_assert!(ends.receiver.key(recycled).is_err());
            }
            if let Some(recycled) = last_seal.checked_sub(SEAL_WINDOW) {
                prop_assert!(ends.receiver.seal(recycled).is_err());
            }
        }
    }
}
