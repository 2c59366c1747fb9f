//! What a node does at most, on both sides of each bound.

use super::*;
use crate::discovery::testing::{at, contact_of, rng};
use crate::wire::message::discovery::{HandOff, HandedOff};

/// Lookups of nodes beside one peer; the calls that each makes at once.
fn look_up(rig: &mut Rig, count: u64) -> Vec<Vec<Called>> {
    let targets = (0..count).map(|number| key(1_000 + number));
    let commands = targets.map(Command::Closest);
    commands
        .map(|command| calls(&rig.start(command).1))
        .collect()
}

#[test]
fn sixty_four_lookups_are_under_way_at_once_and_others_wait_for_their_turn() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let made = look_up(&mut rig, 65);
    assert!(made[..64].iter().all(|calls| calls.len() == 1));
    assert!(made[64].is_empty(), "it waits");
    let outputs = rig.names(made[0][0].call, &[]);
    assert!(outcome(&outputs).is_some());
    assert_eq!(calls(&outputs).len(), 1, "and has its turn");
}

#[test]
fn a_thousand_and_twenty_four_commands_are_under_way_and_the_next_is_refused() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    look_up(&mut rig, 1_023);
    let (_, last) = rig.start(Command::Closest(key(1)));
    assert_eq!(outcome(&last), None, "it waits");
    let (_, beyond) = rig.start(Command::Closest(key(2)));
    let refused = Outcome::Rejected(Rejection::TooMany);
    assert_eq!(outcome(&beyond), Some(refused));
}

#[test]
fn of_more_than_1024_vetoes_the_oldest_ends_early() {
    for (others, is_out) in [(1_023, true), (1_024, false)] {
        let mut rig = Rig::new();
        rig.meet_many(1);
        rig.feed(Input::Veto(peer(1)));
        for number in 0..others {
            rig.feed(Input::Veto(peer(5_000 + number)));
        }
        rig.feed(Input::Met {
            contact: contact(1),
            is_server: true,
        });
        assert_eq!(rig.failures(&peer(1)).is_none(), is_out, "{others}");
    }
}

/// A neighbour whose next page always begins behind the one before.
#[test]
fn attack_a_hand_off_without_end_is_left_after_128_pages() {
    let mut rig = Rig::new();
    rig.meet_many(1);
    let (_, outputs) = rig.start(Command::Bootstrap { seeds: vec![] });
    let mut outputs = rig.names(calls(&outputs)[0].call, &[]);
    let mut pages = 0_u8;
    while let Some(call) = take(&mut outputs, wire::HAND_OFF) {
        let asked: HandOff = decode(&call.body).unwrap();
        assert_eq!(asked.after, (pages > 0).then_some([pages; 32]));
        pages += 1;
        let (records, next) = (List::new(), Some([pages; 32]));
        let body = encode(&HandedOff { records, next });
        outputs = rig.answer(call.call, wire::HANDED_OFF, body);
    }
    assert_eq!(pages, 128);
}

/// Every answer about a stretch names two nodes that are nearer still.
#[test]
fn attack_nearer_nodes_without_end_are_asked_32_times_for_a_stretch() {
    let mut rig = Rig::new();
    let rng = &mut rng(1);
    rig.meet_many(1);
    let mut outputs = sweep(&mut rig);
    let (mut asked, mut number) = (0, 100);
    while let Some(call) = take(&mut outputs, wire::FIND_NODE) {
        asked += 1;
        let question: FindNode = decode(&call.body).unwrap();
        let target = Key::from_bytes(question.target);
        let nearer = target.common_prefix(&call.contact.peer.into()) + 1;
        let named = [0, 1].map(|more| {
            number += 1;
            contact_of(at(&target.random_with_prefix(nearer + more, rng)), number)
        });
        outputs.extend(rig.names(call.call, &named));
        assert!(asked <= 100);
    }
    assert_eq!(asked, 32);
}

/// Nobody takes the record, and there are always others.
#[test]
fn attack_a_sweep_that_nobody_answers_asks_others_in_eight_rounds_and_no_more() {
    let (asked, complete) = asked_to_store(true);
    assert_eq!(complete, 1);
    assert_eq!(asked_to_store(false), (asked + 8 * 20, 0));
}

/// How many nodes are asked to take a record, of hundreds that a neighbour names, and whether it is stored.
fn asked_to_store(is_taken: bool) -> (usize, usize) {
    let mut rig = Rig::new();
    come(&mut rig, 3_000);
    let mut outputs = sweep(&mut rig);
    let mut number = 10_000;
    while let Some(call) = take(&mut outputs, wire::FIND_NODE) {
        let named: Vec<_> = (number..number + 40).map(contact).collect();
        number += 40;
        outputs.extend(rig.names(call.call, &named));
    }
    let mut asked = 0;
    while let Some(Called { call, .. }) = take(&mut outputs, wire::STORE) {
        asked += 1;
        let outcomes = List::truncated([StoreOutcome::Stored]);
        let why = CallFailure::Unreachable;
        outputs.extend(if is_taken {
            rig.answer(call, wire::STORED, encode(&Stored { outcomes }))
        } else {
            rig.feed(Input::Failed { call, why })
        });
    }
    let complete = outputs.iter().filter_map(|one| match one {
        Output::Done {
            outcome: Outcome::Published { complete, .. },
            ..
        } => Some(*complete),
        _ => None,
    });
    (asked, complete.last().expect("it ends"))
}

/// Nodes 1 to `count` come and answer; full buckets keep some of them out of the table.
fn come(rig: &mut Rig, count: u64) {
    for number in 1..=count {
        let outputs = rig.introduce(&contact(number), RTT, true);
        rig.now = rig.now + RTT;
        for probe in calls(&outputs) {
            rig.names(probe.call, &[]);
        }
    }
}

fn sweep(rig: &mut Rig) -> Vec<Output> {
    let record = record::immutable(Bytes::from_static(b"x")).unwrap().1;
    rig.start(Command::PutMany(vec![record])).1
}

/// The first request of a kind, which is not among the outputs then.
fn take(outputs: &mut Vec<Output>, kind: u8) -> Option<Called> {
    let first = calls(outputs).into_iter().find(|one| one.kind == kind)?;
    outputs.retain(|one| !matches!(one, Output::Call { call, .. } if *call == first.call));
    Some(first)
}
