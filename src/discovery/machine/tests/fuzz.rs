//! Whatever comes in, in whatever order: no panic, bounded state, an answer to each request.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::discovery::testing::{below, chance, contact_of, mutable, rng};
use crate::wire::message::discovery::{HandedOff, Providers, Value};

fn bytes(rng: &mut ChaCha8Rng) -> Bytes {
    let mut bytes = vec![0; below(rng, 200)];
    rng.fill_bytes(&mut bytes);
    bytes.into()
}

fn some(rng: &mut ChaCha8Rng) -> Vec<Contact> {
    let count = below(rng, 8);
    (0..count).map(|_| contact(below(rng, 60) as u64)).collect()
}

/// An answer that may or may not fit.
fn answer(rng: &mut ChaCha8Rng) -> (u8, Bytes) {
    let contacts = || List::new();
    let (kind, body) = match below(rng, 7) {
        0 => (wire::NODES, bytes(rng)),
        1 => {
            let (_, record) = mutable("fuzz", 1, wall(), "value");
            (
                wire::VALUE,
                encode(&Value {
                    record,
                    contacts: contacts(),
                }),
            )
        }
        2 => {
            let providers = List::truncated(some(rng));
            (
                wire::PROVIDERS,
                encode(&Providers {
                    providers,
                    contacts: contacts(),
                }),
            )
        }
        3 => {
            let outcomes = List::truncated([StoreOutcome::Stored, StoreOutcome::Full]);
            (wire::STORED, encode(&Stored { outcomes }))
        }
        4 => {
            let records = List::truncated([mutable("fuzz", 2, wall(), "other").1]);
            let next = chance(rng, 50).then_some([9; 32]);
            (wire::HANDED_OFF, encode(&HandedOff { records, next }))
        }
        _ => (wire::NODES, nodes(&some(rng))),
    };
    // Any answer to any question.
    (
        if chance(rng, 10) {
            rng.next_u32().to_le_bytes()[0]
        } else {
            kind
        },
        body,
    )
}

fn command(rng: &mut ChaCha8Rng) -> Command {
    let key = key(below(rng, 5) as u64);
    match below(rng, 7) {
        0 => Command::Bootstrap { seeds: some(rng) },
        1 => Command::FindPeer(peer(below(rng, 60) as u64)),
        2 => Command::Closest(key),
        3 => Command::Get {
            kind: below(rng, 5) as u16,
            key,
            is_hardened: chance(rng, 50),
        },
        4 => Command::Put(mutable("fuzz", below(rng, 3) as u64, wall(), "value").1),
        5 => Command::Put(record::provider(key, Duration::from_secs(60)).unwrap()),
        _ => Command::Providers {
            key,
            limit: below(rng, 4),
            only_live: chance(rng, 50),
        },
    }
}

fn failure(rng: &mut ChaCha8Rng) -> CallFailure {
    let group = IpGroup::V4([20, 0, below(rng, 5) as u8]);
    let all = [
        CallFailure::Unreachable,
        CallFailure::Busy,
        CallFailure::Unsupported,
        CallFailure::Refused,
        CallFailure::NotDialled,
        CallFailure::NoAddress,
        CallFailure::OtherIdentity { group },
        CallFailure::OtherNetwork,
        CallFailure::Malformed,
    ];
    all[below(rng, all.len())]
}

fn input(rng: &mut ChaCha8Rng, calls: u64, request: &mut u64) -> Input {
    let call = CallId(if chance(rng, 90) {
        calls.saturating_sub(below(rng, 12) as u64)
    } else {
        rng.next_u64()
    });
    match below(rng, 16) {
        0 => Input::Connected {
            peer: peer(below(rng, 60) as u64),
            rtt: Duration::from_micros(rng.next_u64() >> 30),
        },
        1 => Input::Met {
            contact: contact_of(peer(below(rng, 60) as u64), below(rng, 9) as u64),
            is_server: chance(rng, 80),
        },
        2 => Input::Disconnected(peer(below(rng, 60) as u64)),
        3 | 4 => {
            *request += 1;
            let (kind, body) = if chance(rng, 50) {
                (below(rng, 7) as u8, bytes(rng))
            } else {
                let records =
                    List::truncated([mutable("fuzz", below(rng, 3) as u64, wall(), "x").1]);
                (wire::STORE, encode(&Store { records }))
            };
            let asker = Asker {
                is_confirmed: chance(rng, 80),
                ..asker(below(rng, 9) as u64)
            };
            Input::Request {
                id: RequestId(*request),
                asker,
                kind,
                body,
            }
        }
        5 => Input::Verified {
            check: CheckId(below(rng, 30) as u64),
            is_valid: chance(rng, 50),
        },
        6 => Input::Veto(peer(below(rng, 60) as u64)),
        7 => Input::Start {
            operation: OperationId(below(rng, 10) as u64),
            command: command(rng),
        },
        8 => Input::Cancel(OperationId(below(rng, 10) as u64)),
        9 if chance(rng, 50) => Input::Serving(chance(rng, 50)),
        9 => Input::Public(chance(rng, 50)),
        10 => Input::Unpublish {
            kind: below(rng, 5) as u16,
            key: key(below(rng, 5) as u64),
        },
        11 => Input::Timer,
        12 => Input::Failed {
            call,
            why: failure(rng),
        },
        _ => {
            let (kind, body) = answer(rng);
            let scope = if chance(rng, 80) {
                Scope::Public
            } else {
                Scope::Local
            };
            Input::Answer {
                call,
                scope,
                kind,
                body,
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn any_inputs_in_any_order(seed: u64) {
        let rng = &mut rng(seed);
        let mut rig = Rig::new();
        let (mut calls, mut request, mut open) = (0, 0, BTreeMap::new());
        for _ in 0..400 {
            if chance(rng, 30) {
                rig.now = rig.now + Duration::from_micros(rng.next_u64() >> (34 + below(rng, 20)));
            }
            let input = input(rng, calls, &mut request);
            if let Input::Request { id, .. } = &input {
                open.insert(*id, 0);
            }
            for output in rig.feed(input) {
                match output {
                    Output::Call { call, contact, .. } => {
                        calls = call.0;
                        prop_assert!(contact.peer != peer(0), "it calls itself");
                    }
                    Output::Reply { id, .. } => *open.get_mut(&id).unwrap() += 1,
                    _ => {}
                }
            }
            let (calls, searches, operations) = rig.machine.pending();
            prop_assert!(calls <= 700 && searches <= 1_100 && operations <= 1_100);
        }
        prop_assert!(open.values().all(|answers| *answers == 1), "{:?}", open);
        // All that was begun ends by itself, and nothing is left.
        let end = rig.now + Duration::from_secs(1_000);
        let is_idle = |rig: &Rig| rig.machine.pending() == (0, 0, 0);
        while !is_idle(&rig) && rig.now < end {
            let next = rig.now + Duration::from_secs(1);
            rig.run_to(next);
        }
        prop_assert!(is_idle(&rig), "{:?}", rig.machine.pending());
    }
}
