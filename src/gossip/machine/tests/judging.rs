//! What the program judges: neighbours take turns, and what waits is bounded.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::attacks::now_ms;
use super::crowds::crowd;
use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::judging::{
    AT_ONCE, AT_ONCE_PER_LINK, Judging, MAX_WAITING, MAX_WAITING_PER_LINK,
};
use crate::gossip::machine::{Fault, Input, Link, TopicOptions, Verdict};
use crate::wire::codec::Payload;
use crate::wire::message::gossip as wire;

const MILLISECOND: Duration = Duration::from_millis(1);

/// A node whose program judges unsigned messages, and neighbours that say whatever the test wants.
fn judge(neighbours: usize) -> Rig {
    let mut rig = Rig::new(1 + neighbours, &GossipConfig::default());
    rig.judging_takes = MILLISECOND * 100;
    for node in 0..=neighbours {
        let options = TopicOptions {
            is_unsigned: true,
            is_judged: node == 0,
        };
        rig.subscribe(node, options);
        if node > 0 {
            rig.connect(node, 0);
        }
    }
    rig.run_for(MILLISECOND * 1_000);
    rig.silent = (1..=neighbours).collect();
    rig
}

fn say(rig: &mut Rig, from: usize, text: String) {
    let data = Payload::try_from(Bytes::from(text)).unwrap();
    rig.forge(from, 0, wire::UNSIGNED, &wire::Unsigned { topic: 0, data });
}

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

#[test]
fn attack_9_a_neighbour_that_floods_delays_no_message_of_another_one() {
    let mut rig = judge(2);
    for number in 0..10_000 {
        say(&mut rig, 1, format!("flood {number}"));
    }
    let expected = (MAX_WAITING_PER_LINK, AT_ONCE_PER_LINK);
    assert_eq!(rig.nodes[0].judging.of(Link(1)), expected);
    for round in 0..20 {
        let text = format!("welcome {round}");
        say(&mut rig, 2, text.clone());
        say(&mut rig, 1, format!("flood again {round}"));
        let before = rig.now;
        rig.run_for(MILLISECOND * 100);
        assert_eq!(rig.receivers(text.as_bytes()), [0], "since {before:?}");
    }
    assert_eq!(rig.faults, []);
}

/// Who waits until another one was blamed is no better: had it asked its program, it would not have sent it.
#[test]
fn attack_who_repeats_what_was_rejected_loses_score_too_and_each_once() {
    let mut rig = judge(3);
    rig.verdict = Verdict::Reject;
    say(&mut rig, 1, "no parents".to_owned());
    rig.run_for(MILLISECOND * 1_000);
    assert_eq!(rig.faults, [(0, Link(1), Fault::Rejected)]);
    for from in [2, 3, 2, 1] {
        say(&mut rig, from, "no parents".to_owned());
    }
    let invalid = |link| {
        let score = rig.nodes[0].score(Link(link)).unwrap();
        score.topics[&topic()].invalid
    };
    assert!(invalid(1) < 0.0);
    assert_eq!((invalid(2), invalid(3)), (invalid(1), invalid(1)));
    assert_eq!((rig.faults.len(), rig.judged), (1, 1));
}

/// What found no place is not taken for seen: it comes with the next neighbour that brings it.
#[test]
fn a_message_that_found_no_place_may_come_again() {
    let mut rig = judge(2);
    let all = MAX_WAITING_PER_LINK + AT_ONCE_PER_LINK;
    for number in 0..all {
        say(&mut rig, 1, format!("flood {number}"));
    }
    say(&mut rig, 1, "again".to_owned());
    rig.run_for(MILLISECOND * 100 * 20);
    assert!(rig.receivers(b"again").is_empty());
    assert_eq!(rig.delivered.len(), all, "and all that did were judged");
    say(&mut rig, 2, "again".to_owned());
    rig.run_for(MILLISECOND * 100);
    assert_eq!(rig.receivers(b"again"), [0]);
}

#[test]
fn the_program_judges_no_more_at_once_than_it_was_told() {
    let mut rig = judge(6);
    for number in 0..100 {
        for from in 1..=6 {
            say(&mut rig, from, format!("{from} says {number}"));
        }
    }
    assert_eq!(rig.judged, AT_ONCE);
    rig.run_for(MILLISECOND * 100);
    assert_eq!(rig.judged, 2 * AT_ONCE);
    rig.run_for(MILLISECOND * 1_000);
    assert_eq!((rig.judged, rig.delivered.len()), (600, 600));
}

#[test]
fn messages_of_a_topic_that_the_program_left_are_not_judged() {
    let mut rig = judge(1);
    for number in 0..100 {
        say(&mut rig, 1, format!("{number}"));
    }
    rig.tell(0, Input::Unsubscribe(topic()));
    rig.run_for(MILLISECOND * 1_000);
    assert_eq!(rig.judged, AT_ONCE_PER_LINK);
    assert_eq!(rig.nodes[0].judging.of(Link(1)), (0, 0));
}

#[test]
fn neighbours_take_turns() {
    let mut judging = Judging::default();
    for number in 0..30 {
        judging.put(Link(1), id(number));
    }
    for (link, number) in [(2, 100), (2, 101), (3, 102)] {
        judging.put(Link(link), id(number));
    }
    let begun: Vec<_> = (0..6).filter_map(|_| judging.begin()).collect();
    assert_eq!(begun, [0, 100, 102, 1, 101, 2].map(id));
    // One neighbour never has all the places.
    let rest = std::iter::from_fn(|| judging.begin()).count();
    assert_eq!(rest, AT_ONCE_PER_LINK - 3);
    judging.end(&id(0));
    judging.end(&id(0));
    judging.end(&id(999));
    assert!(judging.begin().is_some());
    assert!(judging.begin().is_none());
}

#[test]
fn what_waits_for_all_neighbours_is_bounded_and_the_longest_line_gives_way() {
    let mut judging = Judging::default();
    let full = MAX_WAITING / MAX_WAITING_PER_LINK;
    for link in 0..full {
        for number in 0..MAX_WAITING_PER_LINK {
            assert!(judging.has_room(Link(link as u64)), "{link} {number}");
            let number = link * MAX_WAITING_PER_LINK + number;
            assert_eq!(judging.put(Link(link as u64), id(number)), None);
        }
        assert!(!judging.has_room(Link(link as u64)));
    }
    let newcomer = Link(100);
    for number in 0..MAX_WAITING_PER_LINK {
        if !judging.has_room(newcomer) {
            break;
        }
        let displaced = judging.put(newcomer, id(10_000 + number));
        assert!(displaced.is_some());
    }
    // All have the same now, but for one.
    let lines = (0..full as u64).chain([100]);
    let lines: Vec<_> = lines.map(|link| judging.of(Link(link)).0).collect();
    assert_eq!(lines.iter().sum::<usize>(), MAX_WAITING);
    let (least, most) = (lines.iter().min().unwrap(), lines.iter().max().unwrap());
    assert!(most - least <= 1, "{lines:?}");
}

#[test]
fn a_verdict_that_nobody_asked_for_changes_nothing() {
    let mut rig = judge(1);
    let (id, verdict) = (id(1), Verdict::Reject);
    rig.tell(0, Input::Judged { id, verdict });
    assert_eq!(rig.faults, []);
}

/// All have as much in line as they may; the newcomer takes the place of one.
#[test]
fn a_message_that_lost_its_place_to_another_neighbours_may_come_again() {
    let full = MAX_WAITING / MAX_WAITING_PER_LINK;
    let count = MAX_WAITING + AT_ONCE;
    let mut rig = Rig::new(full + 2, &GossipConfig::default());
    rig.judging_takes = MILLISECOND * 1_000;
    for node in 0..full + 2 {
        let is_judged = node == 0;
        rig.subscribe(
            node,
            TopicOptions {
                is_judged,
                ..TopicOptions::default()
            },
        );
        if node > 0 {
            rig.connect(node, 0);
        }
    }
    rig.run_for(MILLISECOND * 1_000);
    rig.silent = (1..full + 2).collect();
    let crowd = crowd(count + 1, now_ms(&rig));
    for link in 1..full + 2 {
        crowd.name(&mut rig, link);
    }
    rig.run_for(MILLISECOND);
    for number in 0..count {
        crowd.say(&mut rig, 1 + number % full, number);
    }
    rig.run_for(MILLISECOND * 10);
    let lines: Vec<_> = (1..=full as u64)
        .map(|link| rig.nodes[0].judging.of(Link(link)).0)
        .collect();
    assert_eq!(
        lines,
        [MAX_WAITING_PER_LINK; MAX_WAITING / MAX_WAITING_PER_LINK]
    );
    crowd.say(&mut rig, full + 1, count);
    rig.run_for(MILLISECOND * 100_000);
    let heard: BTreeSet<_> = rig.delivered.iter().map(|(.., one)| one.id).collect();
    assert_eq!(heard.len(), count);
    let lost = (0..=count).find(|number| !heard.contains(&crowd.ids[*number]));
    let lost = lost.unwrap();
    crowd.say(&mut rig, full + 1, lost);
    rig.run_for(MILLISECOND * 2_000);
    assert_eq!(rig.delivered.last().unwrap().2.id, crowd.ids[lost]);
}

/// They stand in line like others, with the neighbour that gave the last chunk.
#[test]
fn long_messages_that_are_here_are_judged_no_more_at_once_than_others() {
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.judging_takes = MILLISECOND * 1_000;
    for node in 0..2 {
        let is_judged = node == 0;
        rig.subscribe(
            node,
            TopicOptions {
                is_judged,
                ..TopicOptions::default()
            },
        );
    }
    rig.connect(1, 0);
    rig.run_for(MILLISECOND * 1_000);
    let count = AT_ONCE_PER_LINK + 4;
    for number in 0..count {
        rig.publish(1, &vec![number as u8; wire::MAX_DATA + 1]);
    }
    rig.run_for(MILLISECOND * 900);
    assert_eq!(rig.judged, AT_ONCE_PER_LINK);
    rig.run_for(MILLISECOND * 2_000);
    assert_eq!((rig.judged, rig.delivered.len()), (count, count));
}
