//! When a lookup asks, hedges, gives up and ends, in virtual time.

use super::*;
use crate::discovery::testing::{at, contact_of, peers, rng};

/// When the log shows a call to a peer.
fn called_at(rig: &Rig, peer: PeerId) -> Vec<Micros> {
    let is_it =
        |output: &Output| matches!(output, Output::Call { contact, .. } if contact.peer == peer);
    let log = rig.log.iter().filter(|(_, output)| is_it(output));
    log.map(|(at, _)| *at).collect()
}

/// Numbers of the met nodes, nearest to a key first.
fn by_distance(target: &Key, count: u64) -> Vec<u64> {
    let mut numbers: Vec<_> = (1..=count).collect();
    numbers.sort_by_key(|number| target.distance(&key(*number)));
    numbers
}

#[test]
fn a_known_peer_is_hedged_after_one_and_a_half_round_trips_and_given_up_after_three() {
    let mut rig = Rig::new();
    rig.meet_many(6);
    let target = key(99);
    let order = by_distance(&target, 6);
    let began = rig.now;
    let (_, outputs) = rig.start(Command::Closest(target));
    assert_eq!(calls(&outputs).len(), 5);
    assert!(called(&outputs, peer(order[5])).is_none());
    rig.run_to(began + Duration::from_millis(149));
    assert!(called_at(&rig, peer(order[5])).len() == 1, "only the probe");
    rig.run_to(began + Duration::from_millis(150));
    let sixth = called_at(&rig, peer(order[5]));
    assert_eq!(sixth.last(), Some(&(began + Duration::from_millis(150))));
    rig.run_to(began + Duration::from_millis(299));
    assert_eq!(rig.failures(&peer(order[0])), Some(0), "slow is no failure");
    rig.run_to(began + Duration::from_millis(300));
    assert_eq!(rig.failures(&peer(order[0])), Some(1));
}

#[test]
fn a_peer_never_met_is_hedged_after_200_ms_and_given_up_after_a_second() {
    let mut rig = Rig::new();
    let began = rig.now;
    let seeds: Vec<_> = (1..=6).map(contact).collect();
    let order = by_distance(&key(0), 6);
    let (_, outputs) = rig.start(Command::Bootstrap { seeds });
    assert_eq!(calls(&outputs).len(), 5);
    rig.run_to(began + Duration::from_millis(199));
    assert!(called_at(&rig, peer(order[5])).is_empty());
    let outputs = rig.run_to(began + Duration::from_millis(200));
    assert!(called(&outputs, peer(order[5])).is_some());
    let outputs = rig.run_to(began + Duration::from_millis(1_199));
    assert!(outcome(&outputs).is_none());
    let outputs = rig.run_to(began + Duration::from_millis(1_200));
    assert_eq!(
        outcome(&outputs),
        Some(Outcome::Bootstrapped { contacts: 0 })
    );
}

#[test]
fn where_new_contacts_take_longer_the_hedge_waits_for_nine_of_ten() {
    let mut rig = Rig::new();
    for number in 1..=20 {
        let (_, outputs) = rig.start(Command::Bootstrap {
            seeds: vec![contact(number)],
        });
        let call = called(&outputs, peer(number)).unwrap();
        // Two of twenty take 900 ms.
        let span = if number <= 2 { 900 } else { 400 };
        rig.now = rig.now + Duration::from_millis(span);
        // Without a connection nothing is learnt about the round trip.
        rig.names(call, &[]);
        for number in 1..=number {
            rig.feed(Input::Veto(peer(number)));
        }
    }
    let began = rig.now;
    let seeds: Vec<_> = (31..=36).map(contact).collect();
    let (_, outputs) = rig.start(Command::Bootstrap { seeds });
    assert_eq!(calls(&outputs).len(), 5);
    let before = |rig: &Rig| {
        rig.log.iter().filter(|(_, one)| matches!(one, Output::Call { contact, .. } if (31..=36).any(|n| contact.peer == peer(n)))).count()
    };
    rig.run_to(began + Duration::from_millis(899));
    assert_eq!(before(&rig), 5);
    rig.run_to(began + Duration::from_millis(900));
    assert_eq!(
        before(&rig),
        6,
        "p90 of the recent ones, and no more than a second"
    );
}

#[test]
fn no_dead_peer_adds_more_than_one_timeout() {
    for dead in 0..20 {
        let mut rig = Rig::new();
        rig.meet_many(20);
        let target = key(99);
        let dead = peer(by_distance(&target, 20)[dead]);
        let began = rig.now;
        let (_, outputs) = rig.start(Command::Closest(target));
        let mut open: Vec<_> = calls(&outputs);
        let mut answers = 0;
        let done = loop {
            // All calls of one moment are answered a round trip later.
            let outputs = rig.run_to(rig.now + RTT);
            let mut new = calls(&outputs);
            if let Some(outcome) = outcome(&outputs) {
                break outcome;
            }
            let mut done = None;
            for call in std::mem::take(&mut open) {
                if call.contact.peer != dead {
                    answers += 1;
                    let outputs = rig.names(call.call, &[]);
                    new.extend(calls(&outputs));
                    done = done.or(outcome(&outputs));
                }
            }
            if let Some(done) = done {
                break done;
            }
            open = new;
        };
        assert_eq!(answers, 19);
        assert!(matches!(done, Outcome::Closest(found) if found.len() == 19));
        let took = rig.now.since(began);
        // Without the dead one four rounds at most; it costs 3 round trips more at most.
        assert!(took <= 7 * RTT, "{took:?} with {dead:?} dead");
    }
}

#[test]
fn a_late_answer_is_merged_while_its_lookup_lives_and_ignored_afterwards() {
    let mut rig = Rig::new();
    let seeds = vec![contact(1), contact(2)];
    let (_, outputs) = rig.start(Command::Bootstrap { seeds });
    let (late, prompt) = (
        called(&outputs, peer(1)).unwrap(),
        called(&outputs, peer(2)).unwrap(),
    );
    let began = rig.now;
    rig.run_to(began + Duration::from_millis(900));
    let outputs = rig.names(prompt, &[contact(3)]);
    let third = called(&outputs, peer(3)).unwrap();
    rig.run_to(began + Duration::from_millis(1_500));
    rig.introduce(&contact(1), RTT, true);
    let outputs = rig.names(late, &[contact(4)]);
    let fourth = called(&outputs, peer(4)).expect("what a late answer names is asked");
    assert!(rig.failures(&peer(1)).is_some(), "it is there after all");
    let outputs = rig.run_to(began + Duration::from_millis(3_000));
    assert!(outcome(&outputs).is_some());
    let before = rig.machine.table_len();
    for call in [third, fourth, late] {
        assert!(
            rig.names(call, &[contact(5)]).is_empty(),
            "nobody waits any more"
        );
    }
    assert_eq!(rig.machine.table_len(), before);
}

/// E21: every answer takes nearly as long as it may and names one nearer contact.
#[test]
fn attack_slow_answers_hold_a_lookup_for_ten_seconds_at_most() {
    let mut rig = Rig::new();
    let rng = &mut rng(1);
    let began = rig.now;
    let seeds = vec![contact(1)];
    let (_, mut outputs) = rig.start(Command::Bootstrap { seeds });
    let mut bits = 1;
    while outcome(&outputs).is_none() {
        let call = calls(&outputs)[0].call;
        outputs = rig.run_to(rig.now + Duration::from_millis(990));
        if outcome(&outputs).is_none() {
            let nearer = at(&key(0).random_with_prefix(bits, rng));
            bits += 1;
            outputs = rig.names(call, &[contact_of(nearer, bits.into())]);
        }
        assert!(rig.now.since(began) < Duration::from_secs(30));
    }
    let done = rig
        .log
        .iter()
        .find(|(_, one)| matches!(one, Output::Done { .. }));
    assert_eq!(done.unwrap().0, began + Duration::from_secs(10));
}

#[test]
fn a_lookup_for_a_peer_ends_when_the_peer_answers() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let (_, outputs) = rig.start(Command::FindPeer(peer(50)));
    let call = calls(&outputs)[0].call;
    let outputs = rig.names(call, &[contact(50), contact(51)]);
    let goal = called(&outputs, peer(50)).unwrap();
    let outputs = rig.names(goal, &[]);
    let Some(Outcome::Peer {
        contact: Some(found),
        has_answered: true,
    }) = outcome(&outputs)
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(found, contact(50));
    let abandoned = outputs
        .iter()
        .filter(|one| matches!(one, Output::Abandon(_)));
    assert_eq!(abandoned.count(), 3, "the others need not answer");
}

#[test]
fn a_cancelled_lookup_leaves_nothing_behind() {
    let mut rig = Rig::new();
    rig.meet_many(10);
    assert_eq!(rig.machine.pending(), (0, 0, 0));
    let commands = [
        Command::Closest(key(99)),
        Command::FindPeer(peer(99)),
        Command::Bootstrap { seeds: vec![] },
        Command::Get {
            kind: 1,
            key: key(99),
            is_hardened: true,
        },
        Command::Providers {
            key: key(99),
            limit: 3,
            only_live: true,
        },
        Command::Put(record::immutable(Bytes::from_static(b"x")).unwrap().1),
    ];
    for command in commands {
        let (operation, outputs) = rig.start(command.clone());
        let is_hardened = matches!(command, Command::Get { .. } | Command::Providers { .. });
        assert_eq!(calls(&outputs).len(), if is_hardened { 10 } else { 5 });
        // One answer, so that it is in its midst.
        rig.names(calls(&outputs)[0].call, &[contact(77)]);
        let open = rig.machine.pending().0;
        let outputs = rig.feed(Input::Cancel(operation));
        let abandoned = outputs
            .iter()
            .filter(|one| matches!(one, Output::Abandon(_)));
        assert_eq!(abandoned.count(), open);
        assert_eq!(rig.machine.pending(), (0, 0, 0), "{command:?}");
        assert!(outcome(&outputs).is_none());
    }
}

#[test]
fn nothing_is_learnt_from_a_reply_that_names_this_node_itself() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let (_, outputs) = rig.start(Command::Closest(beside(0)));
    let itself = contact(0);
    let outputs = rig.names(calls(&outputs)[0].call, &[itself, contact(2)]);
    assert_eq!(
        peers(
            &calls(&outputs)
                .iter()
                .map(|one| one.contact.clone())
                .collect::<Vec<_>>()
        ),
        [peer(2)]
    );
}

#[test]
fn a_number_that_is_used_twice_is_the_later_commands() {
    let mut rig = Rig::new();
    rig.meet_many(5);
    let operation = OperationId(7);
    let put = Command::Put(record::immutable(Bytes::from_static(b"x")).unwrap().1);
    let mut outputs = rig.feed(Input::Start {
        operation,
        command: put.clone(),
    });
    while !calls(&outputs).iter().any(|one| one.kind == wire::STORE) {
        let questions = calls(&outputs);
        outputs = questions
            .iter()
            .flat_map(|one| rig.names(one.call, &[]))
            .collect();
    }
    let store = calls(&outputs)
        .into_iter()
        .find(|one| one.kind == wire::STORE)
        .unwrap();
    rig.feed(Input::Start {
        operation,
        command: put,
    });
    let outcomes = List::truncated([StoreOutcome::Stored]);
    rig.answer(store.call, wire::STORED, encode(&Stored { outcomes }));
    let outputs = rig.run_to(rig.now + Duration::from_secs(30));
    assert_eq!(outcome(&outputs), Some(Outcome::Stored { replicas: 0 }));
    assert_eq!(rig.machine.pending(), (0, 0, 0));
}

/// Peer `number` answers a search for providers with these.
fn names_providers(rig: &mut Rig, call: CallId, providers: &[u64]) -> Vec<Output> {
    let providers = providers.iter().map(|number| contact(*number));
    let answer = wire::Providers {
        providers: List::truncated(providers),
        contacts: List::new(),
    };
    rig.answer(call, wire::PROVIDERS, encode(&answer))
}

#[test]
fn attack_the_first_teller_of_providers_does_not_decide_alone() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let command = Command::Providers {
        key: key(9),
        limit: 4,
        only_live: false,
    };
    let (_, outputs) = rig.start(command);
    let [liar, second, third] = [1, 2, 3].map(|number| called(&outputs, peer(number)).unwrap());
    let outputs = names_providers(&mut rig, liar, &[101, 102, 103, 104]);
    assert_eq!(
        outcome(&outputs),
        None,
        "four were wanted, one teller named them"
    );
    let outputs = names_providers(&mut rig, second, &[5]);
    assert_eq!(outcome(&outputs), None);
    let outputs = names_providers(&mut rig, third, &[]);
    let Some(Outcome::Providers(found)) = outcome(&outputs) else {
        panic!("all have been heard: {outputs:?}");
    };
    // One of the first, then the one of the second, and then what is left of the first.
    assert_eq!(peers(&found), [101, 5, 102, 103].map(peer));
}

/// A provider is looked for where it is said to be, and whoever says no there is there.
#[test]
fn a_provider_that_is_busy_or_does_not_serve_is_live_and_one_that_is_gone_is_not() {
    for (why, is_live) in [
        (CallFailure::Busy, true),
        (CallFailure::Refused, true),
        (CallFailure::Unreachable, false),
        (CallFailure::NotDialled, false),
    ] {
        let mut rig = Rig::new();
        rig.meet_many(1);
        let command = Command::Providers {
            key: key(9),
            limit: 1,
            only_live: true,
        };
        let (_, outputs) = rig.start(command);
        let outputs = names_providers(&mut rig, calls(&outputs)[0].call, &[70]);
        let call = called(&outputs, peer(70)).unwrap();
        let outputs = rig.feed(Input::Failed { call, why });
        let found = Outcome::Providers(vec![contact(70)]);
        assert_eq!(outcome(&outputs) == Some(found), is_live, "{why:?}");
    }
}

/// Liars that are heard before the others name as many as they like behind relays, or at hosts that have no budget left.
#[test]
fn attack_providers_that_cannot_be_dialled_use_up_no_sign_of_life() {
    for why in [CallFailure::NotDialled, CallFailure::NoAddress] {
        let mut rig = Rig::new();
        rig.meet_many(15);
        let command = Command::Providers {
            key: key(9),
            limit: 1,
            only_live: true,
        };
        let (_, outputs) = rig.start(command);
        let mut open = calls(&outputs);
        let honest = open.remove(0);
        let (mut invented, mut asked) = (1_000, 0);
        while let Some(one) = open.pop() {
            let outputs = if one.kind == wire::GET_PROVIDERS {
                let named: Vec<_> = (invented..invented + 30).collect();
                invented += 30;
                names_providers(&mut rig, one.call, &named)
            } else {
                asked += 1;
                rig.feed(Input::Failed {
                    call: one.call,
                    why,
                })
            };
            open.extend(calls(&outputs));
        }
        assert!(asked > 256, "{asked} are more than are asked in all");
        let outputs = names_providers(&mut rig, honest.call, &[70]);
        assert!(called(&outputs, peer(70)).is_some(), "{why:?}");
    }
}
