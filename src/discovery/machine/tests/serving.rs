//! What is answered, how often, and to whom.

use proptest::prelude::*;

use super::*;
use crate::discovery::config::{Rate, ServingConfig};
use crate::discovery::machine::serve::HAND_OFF_SCAN;
use crate::discovery::record::immutable;
use crate::discovery::testing::{at, contact_of, mutable, rng};
use crate::wire::message::discovery::{FindValue, GetProviders, HandOff, HandedOff};

const NO_LIMIT: Rate = Rate {
    burst: 1_000_000,
    per_second: 1_000_000,
};

fn rig(peer: Rate, group: Rate, total: Rate) -> Rig {
    Rig::with(DiscoveryConfig {
        serving: ServingConfig { peer, group, total },
        ..DiscoveryConfig::default()
    })
}

const fn rate(burst: u32) -> Rate {
    Rate {
        burst,
        per_second: 10,
    }
}

fn question() -> Bytes {
    encode(&FindNode {
        target: [1; 32],
        want: 40,
    })
}

fn is_served(rig: &mut Rig, asker: Asker, kind: u8, body: Bytes) -> bool {
    let outputs = rig.ask(asker, kind, body);
    let is_blame = |one: &Output| matches!(one, Output::Fault { .. });
    assert!(!outputs.iter().any(is_blame), "busy is nobody's fault");
    match reply(&outputs) {
        Ok(_) => true,
        Err(Refuse::Busy) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// How many of `count` questions are answered.
fn served(rig: &mut Rig, askers: impl Iterator<Item = Asker>) -> usize {
    askers
        .filter(|one| is_served(rig, *one, wire::FIND_NODE, question()))
        .count()
}

#[test]
fn a_peer_has_a_bucket_of_its_own() {
    for (asked, expected) in [(7, 7), (8, 8), (9, 8)] {
        let mut rig = rig(rate(8), NO_LIMIT, NO_LIMIT);
        assert_eq!(served(&mut rig, (0..asked).map(|_| asker(1))), expected);
        assert_eq!(
            served(&mut rig, (0..8).map(|_| asker(2))),
            8,
            "another is not touched"
        );
        rig.now = rig.now + Duration::from_millis(200);
        let left = 8 - expected;
        assert_eq!(
            served(&mut rig, (0..9).map(|_| asker(1))),
            (left + 2).min(8)
        );
    }
}

#[test]
fn an_ip_group_has_a_bucket_of_its_own() {
    let of_group = |group: u8| {
        move |number: u64| Asker {
            group: IpGroup::V4([8, 8, group]),
            ..asker(number)
        }
    };
    for (asked, expected) in [(7, 7), (8, 8), (9, 8)] {
        let mut rig = rig(NO_LIMIT, rate(8), NO_LIMIT);
        assert_eq!(served(&mut rig, (0..asked).map(of_group(1))), expected);
        assert_eq!(served(&mut rig, (0..9).map(of_group(2))), 8);
    }
    let mut rig = rig(NO_LIMIT, rate(8), NO_LIMIT);
    let local = |number| Asker {
        group: IpGroup::Local,
        ..asker(number)
    };
    assert_eq!(
        served(&mut rig, (0..50).map(local)),
        50,
        "no group, no limit"
    );
}

#[test]
fn all_together_have_a_bucket() {
    for (asked, expected) in [(7, 7), (8, 8), (9, 8)] {
        let mut rig = rig(NO_LIMIT, NO_LIMIT, rate(8));
        assert_eq!(served(&mut rig, (0..asked).map(asker)), expected);
    }
}

#[test]
fn bulk_costs_what_it_takes_to_do_and_who_cannot_pay_pays_nothing() {
    let hand_off = (wire::HAND_OFF, encode(&HandOff { after: None }), 16);
    // A token for each 2 KiB, from one to sixty-four.
    let small = (wire::STORE, store_of(&[100]), 1);
    let middling = (wire::STORE, store_of(&[16_000; 2]), 15);
    let large = (wire::STORE, store_of(&[16_000; 20]), 64);
    for (kind, body, cost) in [hand_off, small, middling, large] {
        for burst in [cost - 1, cost, cost + 1]
            .into_iter()
            .filter(|burst| *burst > 0)
        {
            let mut rig = rig(rate(burst), NO_LIMIT, NO_LIMIT);
            let is_paid = burst >= cost;
            assert_eq!(is_served(&mut rig, asker(1), kind, body.clone()), is_paid);
            let left = if is_paid { burst - cost } else { burst };
            let more = served(&mut rig, (0..=burst).map(|_| asker(1)));
            assert_eq!(more, left as usize);
        }
    }
}

/// A STORE of immutable records with values of these lengths.
fn store_of(lengths: &[usize]) -> Bytes {
    let values = (0..).zip(lengths).map(|(byte, length)| vec![byte; *length]);
    let records = values.map(|value| immutable(value.into()).unwrap().1);
    let records = List::truncated(records);
    encode(&Store { records })
}

#[test]
fn a_provisional_asker_is_charged_to_its_group_alone() {
    let mut rig = rig(rate(2), rate(8), NO_LIMIT);
    let provisional = Asker {
        is_confirmed: false,
        ..asker(1)
    };
    // Somebody replays the peer's first flight, again and again.
    assert_eq!(
        served(&mut rig, (0..6).map(|_| provisional)),
        6,
        "the peer's bucket is not looked at"
    );
    assert_eq!(served(&mut rig, (0..3).map(|_| asker(1))), 2, "nor charged");
    assert_eq!(
        served(&mut rig, [provisional].into_iter()),
        0,
        "the group's is"
    );
}

#[test]
fn store_and_hand_off_before_the_handshake_is_confirmed_are_refused_as_early() {
    let mut rig = Rig::new();
    let provisional = Asker {
        is_confirmed: false,
        ..asker(1)
    };
    let (key, record) = mutable("early", 1, wall(), "value");
    let records = List::truncated([record]);
    for (kind, body) in [
        (wire::STORE, encode(&Store { records })),
        (wire::HAND_OFF, encode(&HandOff { after: None })),
    ] {
        let outputs = rig.ask(provisional, kind, body);
        assert_eq!(outputs.len(), 1, "nothing else happens: {outputs:?}");
        assert_eq!(reply(&outputs), Err(Refuse::Early));
    }
    assert!(!rig.machine.holds(2, &key));
    for (kind, body) in [
        (wire::FIND_NODE, question()),
        (
            wire::FIND_VALUE,
            encode(&FindValue {
                target: [1; 32],
                kind: 1,
                key: [1; 32],
            }),
        ),
        (
            wire::GET_PROVIDERS,
            encode(&GetProviders {
                target: [1; 32],
                key: [1; 32],
            }),
        ),
    ] {
        assert!(reply(&rig.ask(provisional, kind, body)).is_ok());
    }
}

#[test]
fn asking_teaches_nothing() {
    let mut rig = Rig::new();
    rig.ask(asker(1), wire::FIND_NODE, question());
    assert_eq!(rig.machine.table_len(), 0, "whoever asks did not answer");
    assert!(rig.told(&key(1)).is_empty());
}

#[test]
fn many_peers_do_not_make_the_memory_of_their_rates_grow_or_give_back_tokens_early() {
    let mut rig = rig(rate(4), NO_LIMIT, NO_LIMIT);
    assert_eq!(served(&mut rig, (0..9).map(|_| asker(1))), 4);
    // Fewer than one generation holds.
    assert_eq!(served(&mut rig, (100..2_100).map(asker)), 2_000);
    assert_eq!(served(&mut rig, (0..9).map(|_| asker(1))), 0);
}

fn frame_of(seed: u64) -> (u8, Bytes) {
    let rng = &mut rng(seed);
    let length = crate::discovery::testing::below(rng, 120);
    let mut body = vec![0; length];
    rng.fill_bytes(&mut body);
    let kind = u8::try_from(crate::discovery::testing::below(rng, 8)).unwrap();
    let kind = if kind == 7 { 0x11 } else { kind };
    let body = match seed % 5 {
        0 => question(),
        1 => encode(&HandOff { after: None }),
        2 => encode(&FindValue {
            target: [1; 32],
            kind: 2,
            key: [3; 32],
        }),
        _ => Bytes::from(body),
    };
    (kind, body)
}

proptest! {
    #[test]
    fn every_request_is_answered_once_whatever_it_says(seeds: Vec<u64>) {
        let mut rig = Rig::new();
        rig.meet_many(5);
        for seed in seeds {
            let (kind, body) = frame_of(seed);
            let asker = Asker { is_confirmed: seed % 3 > 0, ..asker(seed % 7) };
            // `reply` asserts that there is one.
            let answer = reply(&rig.ask(asker, kind, body));
            if let Ok(frame) = answer {
                prop_assert!(frame.kind >= wire::NODES);
            }
        }
    }
}

#[test]
fn a_request_that_does_not_decode_or_is_none_is_a_violation() {
    let mut rig = Rig::new();
    for kind in 0..=255_u8 {
        let outputs = rig.ask(asker(u64::from(kind)), kind, Bytes::from_static(&[9; 3]));
        assert!(
            matches!(reply(&outputs), Err(Refuse::Violation(_))),
            "{kind}"
        );
    }
}

/// Whoever asks has none of them: twenty others are nearer to each.
#[test]
fn a_page_of_a_hand_off_looks_at_1024_records() {
    let half = |zero: bool| Key::from_bytes([if zero { 0 } else { 0xff }; 32]);
    let near = (0..).map(|number: u64| {
        let (key, record) = immutable(number.to_be_bytes().to_vec().into()).unwrap();
        (key.common_prefix(&half(true)) > 0).then_some(record)
    });
    let records: Vec<_> = near.flatten().take(HAND_OFF_SCAN + 1).collect();
    for (count, goes_on) in [
        (HAND_OFF_SCAN - 1, false),
        (HAND_OFF_SCAN, false),
        (HAND_OFF_SCAN + 1, true),
    ] {
        let mut rig = rig(NO_LIMIT, NO_LIMIT, NO_LIMIT);
        for number in 0..20 {
            let place = half(true).random_with_prefix(1, &mut rng(number));
            rig.meet(&contact_of(at(&place), number));
        }
        for (sender, part) in (1_000..).zip(records[..count].chunks(41)) {
            let (outcomes, _) = rig.store(sender, part.to_vec());
            assert!(outcomes.iter().all(|one| *one == StoreOutcome::Stored));
        }
        let stranger = Asker {
            peer: at(&half(false)),
            ..asker(1)
        };
        let body = encode(&HandOff { after: None });
        let outputs = rig.ask(stranger, wire::HAND_OFF, body);
        let answer: HandedOff = decode(&reply(&outputs).unwrap().body).unwrap();
        assert_eq!(answer.records.len(), 0);
        assert_eq!(answer.next.is_some(), goes_on, "{count}");
    }
}
