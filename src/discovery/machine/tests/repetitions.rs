//! Questions that are asked again, of whom and until when.

use super::*;

/// Six known nodes of which all but one have answered a question, which `command` asks; the rig and the one.
fn all_but_one_answered(command: Command) -> (Rig, Called) {
    let mut rig = Rig::new();
    rig.meet_many(5);
    let (_, outputs) = rig.start(command);
    let mut asked = calls(&outputs);
    asked.sort_by_key(|one| key(99).distance(&Key::from(one.contact.peer)));
    assert_eq!(asked.len(), 5);
    let silent = asked.remove(2);
    rig.now = rig.now + RTT;
    for call in asked {
        rig.names(call.call, &[]);
    }
    (rig, silent)
}

/// Question and answer may both have been lost, and what is repeated then comes after the end. So may one of the
/// repetition's.
#[test]
fn a_near_node_whose_answer_is_late_is_asked_twice_more_and_any_answer_counts() {
    for (which, after) in [
        (0, 0),
        (1, 0),
        (0, 25),
        (1, 25),
        (2, 25),
        (0, 149),
        (2, 149),
    ] {
        let (mut rig, silent) = all_but_one_answered(Command::Closest(key(99)));
        let late = rig.now + RTT / 2;
        let mut outputs = rig.run_to(late);
        let mut asked = vec![silent.clone()];
        asked.extend(calls(&outputs));
        assert_eq!(asked.len(), 2);
        outputs = rig.run_to(late + Duration::from_millis(after.min(24)));
        assert!(outputs.is_empty(), "a quarter of a round trip is not over");
        outputs = rig.run_to(late + Duration::from_millis(after));
        asked.extend(calls(&outputs));
        assert_eq!(asked.len(), if after < 25 { 2 } else { 3 });
        for again in &asked[1..] {
            assert_eq!(
                (&again.contact, &again.body),
                (&silent.contact, &silent.body)
            );
        }
        let outputs = rig.names(asked[which].call, &[]);
        let Some(Outcome::Closest(found)) = outcome(&outputs) else {
            panic!("{outputs:?}")
        };
        assert_eq!(found.len(), 5);
        let abandoned = |call| {
            let is_it = |one: &Output| matches!(one, Output::Abandon(other) if *other == call);
            outputs.iter().any(is_it)
        };
        for (number, one) in asked.iter().enumerate() {
            assert_eq!(abandoned(one.call), number != which, "{which}, {number}");
        }
        assert_eq!(rig.machine.pending(), (0, 0, 0));
    }
}

#[test]
fn who_answers_no_question_is_given_up_with_the_first_and_is_one_failure() {
    let (mut rig, silent) = all_but_one_answered(Command::Closest(key(99)));
    let outputs = rig.run_to(rig.now + RTT * 2);
    let Some(Outcome::Closest(found)) = outcome(&outputs) else {
        panic!("{outputs:?}")
    };
    assert_eq!(found.len(), 4);
    assert_eq!(rig.failures(&silent.contact.peer), Some(1));
    assert_eq!(rig.machine.pending(), (0, 0, 0));
}

/// Nothing is repeated to who is gone, nor by a node that was itself held up.
#[test]
fn a_question_is_repeated_over_a_connection_and_in_time_alone() {
    let again = |act: &dyn Fn(&mut Rig, PeerId)| {
        let (mut rig, silent) = all_but_one_answered(Command::Closest(key(99)));
        let peer = silent.contact.peer;
        act(&mut rig, peer);
        let outputs = rig.run_to(rig.now + RTT / 2);
        called(&outputs, peer).is_some()
    };
    assert!(again(&|_, _| {}));
    assert!(!again(&|rig, peer| _ = rig.feed(Input::Disconnected(peer))));
    // An answer would come as late as one is waited for.
    assert!(again(
        &|rig, _| rig.now = rig.now + Duration::from_millis(99)
    ));
    assert!(!again(
        &|rig, _| rig.now = rig.now + Duration::from_millis(100)
    ));
}

/// Who was given up meanwhile, or is gone, is not asked for the third time.
#[test]
fn a_question_is_repeated_for_the_last_time_over_a_connection_and_in_time_alone() {
    let last = |act: &dyn Fn(&mut Rig, &Called)| {
        let (mut rig, silent) = all_but_one_answered(Command::Closest(key(99)));
        let peer = silent.contact.peer;
        let outputs = rig.run_to(rig.now + RTT / 2);
        assert!(called(&outputs, peer).is_some());
        act(&mut rig, &silent);
        let outputs = rig.run_to(rig.now + RTT / 4);
        called(&outputs, peer).is_some()
    };
    assert!(last(&|_, _| {}));
    assert!(!last(
        &|rig, silent| _ = rig.feed(Input::Disconnected(silent.contact.peer))
    ));
    assert!(last(&|rig, _| rig.now = rig.now + Duration::from_millis(49)));
    assert!(!last(
        &|rig, _| rig.now = rig.now + Duration::from_millis(50)
    ));
    // It has no time.
    assert!(!last(&|rig, silent| {
        let (call, why) = (silent.call, CallFailure::Busy);
        rig.feed(Input::Failed { call, why });
    }));
}

/// Forty lookups with five questions each, asked three times, would be 600 calls: those that are late together
/// may be late since this node's own line is full, and there is room for as many first questions.
#[test]
fn no_question_is_repeated_while_256_calls_are_open() {
    let mut rig = Rig::new();
    rig.meet_many(5);
    for number in 0..40 {
        rig.start(Command::Closest(key(1_000 + number)));
    }
    let (calls, _, _) = rig.machine.pending();
    assert_eq!(calls, 200);
    rig.run_to(rig.now + RTT * 2);
    let (calls, _, _) = rig.machine.pending();
    assert_eq!(calls, 256);
}

/// What is asked for may come from anybody.
#[test]
fn a_question_for_a_record_is_not_repeated() {
    let command = Command::Get {
        kind: 1,
        key: key(99),
        is_hardened: false,
    };
    let (mut rig, silent) = all_but_one_answered(command);
    let outputs = rig.run_to(rig.now + RTT);
    assert!(called(&outputs, silent.contact.peer).is_none());
}
