//! Who has a place in the table, and what takes it.

use std::collections::BTreeSet;

use super::*;
use crate::discovery::machine::operation::Refresh;
use crate::discovery::testing::{contact_at, contact_of, peers, rng};

#[test]
fn nobody_enters_who_did_not_answer() {
    let mut rig = Rig::new();
    let contact = contact(1);
    let outputs = rig.introduce(&contact, RTT, true);
    assert_eq!(rig.machine.table_len(), 0, "to be connected is not enough");
    let probe = calls(&outputs)[0].clone();
    let question: FindNode = decode(&probe.body).unwrap();
    assert_eq!(
        (probe.kind, question.want),
        (wire::FIND_NODE, 0),
        "a sign of life"
    );
    rig.names(probe.call, &[]);
    assert_eq!(rig.told(&key(1)), [contact]);
}

#[test]
fn a_newcomer_that_is_too_busy_to_answer_at_once_is_asked_again() {
    let mut rig = Rig::new();
    let outputs = rig.introduce(&contact(1), Duration::from_micros(300), true);
    let first = called(&outputs, peer(1)).unwrap();
    let began = rig.now;
    let outputs = rig.run_to(began + Duration::from_millis(999));
    assert!(outputs.is_empty(), "nobody is in a hurry: {outputs:?}");
    let outputs = rig.run_to(began + Duration::from_millis(6_500));
    let second = called(&outputs, peer(1)).expect("asked again after five seconds");
    assert_ne!(first, second);
    rig.names(second, &[]);
    assert_eq!(rig.told(&key(1)), [contact(1)]);
}

#[test]
fn a_newcomer_that_never_answers_is_asked_again_soon_three_times_and_then_once_a_minute() {
    let mut rig = Rig::new();
    rig.introduce(&contact(1), RTT, true);
    let began = rig.now;
    let mut asked = 0;
    let mut by_minute = Vec::new();
    for minute in 1..=4 {
        let outputs = rig.run_to(began + minute * Duration::from_secs(60));
        asked += calls(&outputs).len();
        by_minute.push(asked);
    }
    assert!((3..=4).contains(&by_minute[0]), "{by_minute:?}");
    assert_eq!(by_minute[3] - by_minute[0], 3, "{by_minute:?}");
    assert_eq!(rig.machine.table_len(), 0);
}

/// Those that are silent do not keep the table from being looked after.
#[test]
fn eight_silent_newcomers_at_most_are_asked_again_at_once() {
    for (count, expected) in [(7, 7), (8, 8), (9, 8)] {
        let mut rig = Rig::new();
        for number in 1..=count {
            rig.introduce(&contact(number), RTT, true);
        }
        let outputs = rig.run_to(rig.now + Duration::from_millis(6_500));
        assert_eq!(calls(&outputs).len(), expected, "of {count}");
    }
}

/// A server that says again and again who it is.
#[test]
fn attack_silent_newcomers_hold_no_more_than_eight_probes_however_often_they_say_who_they_are() {
    let mut rig = Rig::new();
    let outputs: Vec<_> = (1..=64)
        .flat_map(|number| rig.introduce(&contact(number), RTT, true))
        .collect();
    assert_eq!(calls(&outputs).len(), 8);
    rig.run_to(rig.now + Duration::from_millis(1_001));
    let outputs: Vec<_> = (1..=8)
        .flat_map(|number| rig.introduce(&contact(number), RTT, true))
        .collect();
    assert!(calls(&outputs).is_empty(), "they had their turn");
    rig.meet(&contact(100));
}

/// Eight of two networks that come again and again leave places to others.
#[test]
fn attack_silent_newcomers_of_one_network_hold_no_more_than_two_probes() {
    let mut rig = Rig::new();
    for (expected, numbers) in [(2, 1..=8), (2, 9..=16), (4, 17..=20), (0, 21..=24)] {
        let of_two = numbers.end() <= &16;
        let group = numbers.start() / 8;
        let introduced = numbers.flat_map(|number| {
            let group = if of_two { group } else { number };
            rig.introduce(&contact_of(peer(number), 100 + group), RTT, true)
        });
        let introduced: Vec<_> = introduced.collect();
        assert_eq!(calls(&introduced).len(), expected);
    }
}

#[test]
fn newcomers_without_an_answer_are_asked_again_in_turns() {
    let mut rig = Rig::new();
    (1..=24).for_each(|number| _ = rig.introduce(&contact(number), RTT, true));
    let mut asked: BTreeSet<_> = (1..=8).map(peer).collect();
    for _ in 0..3 {
        let outputs = rig.run_to(rig.now + Duration::from_secs(6));
        asked.extend(calls(&outputs).iter().map(|call| call.contact.peer));
    }
    assert_eq!(asked.len(), 24);
}

/// Two of one network are asked at once: the third has its turn all the same, also where others stand behind it.
#[test]
fn newcomers_of_one_network_have_their_turns_however_they_are_called() {
    let mut rig = Rig::new();
    let mut asked = BTreeSet::new();
    for number in 1..=12 {
        let group = if number % 2 == 0 { 500 } else { number };
        let outputs = rig.introduce(&contact_of(peer(number), group), RTT, true);
        asked.extend(calls(&outputs).iter().map(|call| call.contact.peer));
    }
    for _ in 0..4 {
        let outputs = rig.run_to(rig.now + Duration::from_secs(6));
        asked.extend(calls(&outputs).iter().map(|call| call.contact.peer));
    }
    assert_eq!(asked.len(), 12);
}

/// Nobody could be told where they are.
#[test]
fn attack_newcomers_without_addresses_hold_no_probes() {
    let mut rig = Rig::new();
    for number in 1..=20 {
        let nowhere = contact_at(peer(number), &[]);
        assert!(calls(&rig.introduce(&nowhere, RTT, true)).is_empty());
    }
    assert!(calls(&rig.run_to(rig.now + Duration::from_secs(120))).is_empty());
}

/// They do not keep each other from being left alone.
#[test]
fn many_silent_newcomers_are_asked_again_soon_for_a_while_and_then_eight_a_minute() {
    let mut rig = Rig::new();
    (1..=24).for_each(|number| _ = rig.introduce(&contact(number), RTT, true));
    rig.run_to(rig.now + Duration::from_secs(600));
    for _ in 0..3 {
        let outputs = rig.run_to(rig.now + Duration::from_secs(60));
        assert_eq!(calls(&outputs).len(), 8);
    }
}

/// A host with too much to do is late; it must not forget everybody it knows for that.
#[test]
fn lookups_that_give_a_node_up_do_not_put_it_out_of_the_table() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    for target in 9..=12 {
        rig.start(Command::Closest(key(target)));
        rig.run_to(rig.now + 4 * RTT);
    }
    assert_eq!(rig.failures(&peer(1)), Some(1), "it is told to nobody");
    let outputs = rig.run_to(rig.now + Duration::from_millis(4_000));
    rig.names(called(&outputs, peer(1)).expect("a probe"), &[]);
    assert_eq!(rig.failures(&peer(1)), Some(0));
}

#[test]
fn a_client_is_not_asked_and_a_server_that_becomes_one_leaves() {
    let mut rig = Rig::new();
    let outputs = rig.introduce(&contact(1), RTT, false);
    assert!(calls(&outputs).is_empty());
    rig.meet(&contact(2));
    rig.feed(Input::Met {
        contact: contact(2),
        is_server: false,
    });
    assert_eq!(rig.machine.table_len(), 0);
}

#[test]
fn a_client_that_answers_all_the_same_stays_out() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    rig.introduce(&contact(2), RTT, false);
    let seeds = vec![contact(2)];
    let (_, outputs) = rig.start(Command::Bootstrap { seeds });
    rig.names(called(&outputs, peer(2)).unwrap(), &[]);
    assert_eq!(rig.failures(&peer(2)), None);
}

#[test]
fn the_end_of_a_connection_cuts_off_many_requests_and_evicts_nobody() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let cut_off = [9, 10, 11].map(|target| {
        let (_, outputs) = rig.start(Command::Closest(key(target)));
        called(&outputs, peer(1)).unwrap()
    });
    for call in cut_off {
        let why = CallFailure::Unreachable;
        rig.feed(Input::Failed { call, why });
    }
    assert_eq!(rig.failures(&peer(1)), Some(1), "a probe will tell");
}

/// E19: a flood of disconnections does not flush the table.
#[test]
fn attack_disconnecting_everybody_leaves_the_table_alone() {
    let mut rig = Rig::new();
    rig.meet_many(30);
    let before: Vec<_> = rig.machine.table().collect();
    for number in 1..=30 {
        let outputs = rig.feed(Input::Disconnected(peer(number)));
        assert!(outputs.is_empty(), "{outputs:?}");
    }
    let after: Vec<_> = rig.machine.table().collect();
    assert_eq!(before, after);
    assert_eq!(rig.told(&key(0)).len(), 30);
}

#[test]
fn one_request_that_fails_late_and_then_for_good_is_one_failure() {
    let mut rig = Rig::new();
    rig.meet_many(8);
    let (_, outputs) = rig.start(Command::Closest(key(9)));
    let call = calls(&outputs)[0].clone();
    rig.run_to(rig.now + 3 * RTT);
    assert_eq!(rig.failures(&call.contact.peer), Some(1), "given up");
    let why = CallFailure::Unreachable;
    rig.feed(Input::Failed {
        call: call.call,
        why,
    });
    assert_eq!(
        rig.failures(&call.contact.peer),
        Some(1),
        "and now it is certain"
    );
}

#[test]
fn a_node_that_failed_once_is_asked_again_soon_and_leaves_if_it_is_silent() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let (_, outputs) = rig.start(Command::Closest(key(9)));
    let call = called(&outputs, peer(1)).unwrap();
    rig.feed(Input::Failed {
        call,
        why: CallFailure::Unreachable,
    });
    assert_eq!(rig.failures(&peer(1)), Some(1));
    assert!(!peers(&rig.told(&key(1))).contains(&peer(1)), "not told");
    let outputs = rig.run_to(rig.now + Duration::from_millis(5_100));
    let probe = called(&outputs, peer(1)).expect("asked again after five seconds");
    rig.feed(Input::Failed {
        call: probe,
        why: CallFailure::Unreachable,
    });
    assert_eq!(rig.failures(&peer(1)), None);
}

#[test]
fn a_node_that_failed_once_and_answers_again_is_told_again() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let (_, outputs) = rig.start(Command::Closest(key(9)));
    let call = called(&outputs, peer(1)).unwrap();
    rig.feed(Input::Failed {
        call,
        why: CallFailure::Unreachable,
    });
    let outputs = rig.run_to(rig.now + Duration::from_millis(5_100));
    rig.names(called(&outputs, peer(1)).unwrap(), &[]);
    assert_eq!(rig.failures(&peer(1)), Some(0));
    assert!(peers(&rig.told(&key(1))).contains(&peer(1)));
}

#[test]
fn a_peer_of_another_network_is_out_at_once() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    let (_, outputs) = rig.start(Command::Closest(key(9)));
    let call = called(&outputs, peer(1)).unwrap();
    rig.feed(Input::Failed {
        call,
        why: CallFailure::OtherNetwork,
    });
    assert_eq!(rig.failures(&peer(1)), None);
}

#[test]
fn a_veto_keeps_a_peer_out_for_ten_minutes() {
    let mut rig = Rig::new();
    rig.meet_many(3);
    rig.feed(Input::Veto(peer(1)));
    assert_eq!(rig.failures(&peer(1)), None);
    let met = Input::Met {
        contact: contact(1),
        is_server: true,
    };
    assert!(calls(&rig.feed(met.clone())).is_empty());
    // Nor is it asked when others name it.
    let (operation, outputs) = rig.start(Command::Closest(key(9)));
    let outputs = rig.names(calls(&outputs)[0].call, &[contact(1), contact(7)]);
    assert!(called(&outputs, peer(1)).is_none());
    assert!(called(&outputs, peer(7)).is_some());
    rig.feed(Input::Cancel(operation));
    rig.now = rig.now + Duration::from_secs(600);
    rig.feed(met);
    assert_eq!(
        rig.failures(&peer(1)),
        Some(0),
        "it answered before, and is taken at its word"
    );
}

#[test]
fn private_nodes_leave_when_the_node_becomes_public_and_the_program_hears_of_it() {
    let mut rig = Rig::new();
    rig.meet(&contact_at(peer(1), &["/ip4/192.168.1.2/udp/1"]));
    rig.meet(&contact(2));
    let outputs = rig.feed(Input::Public(true));
    let is_told =
        |one: &Output| matches!(one, Output::Event(Event::Removed(who)) if *who == peer(1));
    assert!(outputs.iter().any(is_told), "{outputs:?}");
    assert_eq!(rig.machine.table_len(), 1);
}

#[test]
fn private_addresses_are_not_told_to_a_public_asker_and_public_ones_to_all() {
    let mut rig = Rig::new();
    rig.meet(&contact_at(peer(1), &["/ip4/192.168.1.2/udp/1"]));
    rig.meet(&contact(2));
    assert_eq!(peers(&rig.told(&key(1))), [peer(2)]);
    let question = FindNode {
        target: [1; 32],
        want: 40,
    };
    let local = Asker {
        scope: Scope::Local,
        ..asker(50)
    };
    let outputs = rig.ask(local, wire::FIND_NODE, encode(&question));
    let answer: Nodes = decode(&reply(&outputs).unwrap().body).unwrap();
    assert_eq!(answer.contacts.len(), 2);
}

/// It holds nothing for others: to hand it records would be lost work.
#[test]
fn who_does_not_answer_queries_takes_nothing_over_until_it_does() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let hands_over = |outputs: &[Output]| {
        let called = calls(outputs);
        called.iter().any(|call| call.kind == wire::HAND_OFF)
    };
    rig.feed(Input::Serving(false));
    let seeds = vec![contact(1)];
    let (_, outputs) = rig.start(Command::Bootstrap { seeds });
    let outputs = rig.names(called(&outputs, peer(1)).unwrap(), &[]);
    assert!(!hands_over(&outputs));
    assert!(hands_over(&rig.feed(Input::Serving(true))));
    assert!(!hands_over(&rig.feed(Input::Serving(true))));
}

/// A neighbour that answers a hundred requests at once would soon have no time for more.
#[test]
fn to_enter_again_within_a_minute_costs_one_question_and_no_more() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let began = rig.now;
    for (at, expected) in [(0, true), (1, false), (59, false), (60, true), (61, false)] {
        rig.run_to(began + Duration::from_secs(at));
        let seeds = vec![contact(1)];
        let (_, outputs) = rig.start(Command::Bootstrap { seeds });
        let outputs = rig.names(called(&outputs, peer(1)).unwrap(), &[]);
        let follows = calls(&outputs)
            .iter()
            .any(|call| call.kind == wire::HAND_OFF);
        assert_eq!(follows, expected, "after {at} s");
    }
}

/// How often this node looks for `target` within `span`. Every question is answered with nobody.
fn lookups_for(rig: &mut Rig, target: &Key, span: Duration) -> usize {
    let (begin, end) = (rig.now, rig.now + span);
    while rig.now < end {
        let mut outputs = rig.feed(Input::Timer);
        outputs.extend(rig.run_to(rig.now + RTT));
        let mut open = calls(&outputs);
        while let Some(call) = open.pop() {
            open.extend(calls(&rig.names(call.call, &[])));
        }
    }
    let is_meant = |(at, output): &&(Micros, Output)| {
        let Output::Event(Event::Looked(looked)) = output else {
            return false;
        };
        *at >= begin && looked.target == *target
    };
    rig.log.iter().filter(is_meant).count()
}

/// It enters when it knows too few to tell a crowd from a network.
#[test]
fn the_own_place_is_looked_for_again_once_the_network_is_known_and_every_ten_minutes() {
    let own = Key::from(peer(0));
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let mut rig = Rig::new();
    rig.meet_many(19);
    let few = lookups_for(&mut rig, &own, minutes(12));
    assert_eq!(few, 0, "nineteen are no neighbourhood");
    rig.meet(&contact(20));
    for span in [minutes(10), minutes(10), minutes(10)] {
        assert_eq!(lookups_for(&mut rig, &own, span), 1, "in {span:?}");
    }
}

/// Whoever crowds at a node would make it believe in a larger network, in which a crowd is none.
#[test]
fn attack_lookups_that_end_around_this_node_do_not_feed_its_estimate() {
    let own = Key::from(peer(0));
    for (bits, is_near) in [(3, false), (4, true), (5, true)] {
        let mut rig = Rig::new();
        rig.meet_many(30);
        let sibling = own.with_flipped_bit(bits);
        let target = sibling.random_with_prefix(bits + 1, &mut rng(1));
        let core = &mut rig.machine.core;
        // One is missing.
        for _ in 0..7 {
            core.estimate.sample(rig.now, &own.distance(&target));
        }
        assert!(core.estimate.wants_sample(rig.now));
        rig.machine
            .begin(vec![Operation::Refresh(Refresh::new(target))]);
        assert_eq!(lookups_for(&mut rig, &target, RTT * 10), 1);
        let wants_sample = rig.machine.core.estimate.wants_sample(rig.now);
        assert_eq!(wants_sample, is_near, "{bits} bits");
    }
}
