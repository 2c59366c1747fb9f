//! Neighbours that say what has to be answered and read nothing.

use std::time::Duration;

use bytes::BytesMut;

use super::rig::{LATENCY, Rig, topic};
use crate::gossip::machine::neighbour::Subscriptions;
use crate::gossip::machine::outbox::{Outbox, Priority};
use crate::gossip::machine::parcel::{Content, Parcel};
use crate::gossip::machine::{Event, Input, Link, TopicOptions};
use crate::gossip::{GossipConfig, QueueConfig, TopicHash};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::codec::{List, decode, encode};
use crate::wire::frame::{FrameDecoder, encode_frame};
use crate::wire::message::gossip::{self as wire, Mode, ModeChange};

const BEAT: Duration = Duration::from_millis(700);

fn id(number: usize) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

/// Room for sixteen kibibytes: what fills a mebibyte in minutes fills it in seconds.
fn small() -> GossipConfig {
    let mut config = GossipConfig::default();
    config.queue.max_bytes = 16 << 10;
    config
}

/// It announces without end and takes nothing.
#[test]
fn attack_15_who_announces_and_does_not_read_has_no_more_than_a_mebibyte_waiting() {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(Duration::from_secs(1));
    rig.silent.push(1);
    rig.stuck.push(1);
    for round in 0..40_usize {
        for part in 0..4 {
            let first = (round * 4 + part) * 1_000;
            let ids = (first..first + 1_000).map(id);
            let ids = List::truncated(ids);
            rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        }
        rig.run_for(Duration::from_millis(700));
    }
    assert!(rig.nodes[0].waiting(Link(1)) <= QueueConfig::default().max_bytes);
}

/// It takes part in every long message from the start, asks for modes, and takes nothing. When it reads at last, it is
/// told what it was not told.
#[test]
fn attack_15_who_takes_part_in_long_messages_and_does_not_read_has_no_more_waiting_than_others() {
    let config = small();
    let mut rig = Rig::all_connected(3, &config);
    rig.run_for(Duration::from_secs(3));
    rig.silent.push(1);
    rig.stuck.push(1);
    let said = |round: usize| vec![round as u8; 4 << 20];
    for round in 0..24 {
        rig.publish(2, &said(round));
        // Before the header is there, so that it is told of each chunk as it comes.
        rig.run_for(LATENCY / 2);
        let message = rig.published.last().unwrap().1.unwrap().id;
        let have = wire::Have {
            message,
            has: List::new(),
            offers: List::new(),
        };
        rig.forge(1, 0, wire::HAVE, &have);
        let change = |number| ModeChange {
            publisher: PeerId::from_bytes(id(number)),
            mode: Mode::Eager,
        };
        let changes = List::truncated((round * 200..(round + 1) * 200).map(change));
        rig.forge(1, 0, wire::MODES, &wire::Modes { topic: 0, changes });
        rig.run_for(BEAT * 3);
        let waiting = rig.nodes[0].waiting(Link(1));
        assert!(waiting <= config.queue.max_bytes, "{waiting} in {round}");
        assert_eq!(rig.receivers(&said(round)), [0], "{round}");
    }
    assert_eq!(rig.ended, []);
    let since = rig.now;
    rig.stuck.clear();
    rig.tell(0, Input::Writable(Link(1)));
    rig.run_for(BEAT);
    let told = rig.sent.iter().filter(|one| {
        let is_new = one.at >= since && (one.from, one.to) == (0, 1);
        is_new && one.frame.kind == wire::HAVE
    });
    let told: Vec<wire::Have> = told.map(|one| decode(&one.frame.body).unwrap()).collect();
    assert!(
        told.iter().any(|have| !have.has.is_empty()),
        "{}",
        told.len()
    );
}

/// What it has to be told cannot be left out: it is let go, and nobody is to blame.
#[test]
fn a_neighbour_that_takes_nothing_of_what_it_has_to_be_told_is_let_go() {
    let config = small();
    let mut rig = Rig::all_connected(2, &config);
    rig.run_for(BEAT);
    rig.silent.push(1);
    rig.stuck.push(1);
    let options = TopicOptions::default();
    for number in 0..1_000_usize {
        let topic = TopicHash::from_bytes(id(number));
        rig.tell(0, Input::Subscribe { topic, options });
        rig.tell(0, Input::Unsubscribe(topic));
        assert!(rig.nodes[0].waiting(Link(1)) <= config.queue.max_bytes);
    }
    assert_eq!(rig.ended, [(0, Link(1))]);
    assert_eq!(rig.faults, []);
}

#[test]
fn control_makes_messages_wait_by_name_and_none_is_lost() {
    let config = small().queue;
    let mut outbox = Outbox::new(&config);
    let parcel = |number| {
        std::sync::Arc::new(Parcel {
            id: id(number),
            topic: topic(),
            proof: None,
            content: Content::Whole(vec![0; 1_000].into()),
        })
    };
    let mut own = 0;
    while !outbox.is_behind() {
        assert!(outbox.put(parcel(own), Micros(0), Priority::Own, &config));
        own += 1;
    }
    let mut frame = BytesMut::new();
    let topics = List::truncated([0_u64; 100]);
    let topics = wire::Topics { topics };
    encode_frame(wire::WAKE, &encode(&topics), &mut frame);
    let fit = config.max_bytes / frame.len();
    for number in 0..fit {
        outbox.control(wire::WAKE, &topics);
        assert!(outbox.bytes() <= config.max_bytes, "{number}");
        assert!(!outbox.is_overfull(), "{number}");
    }
    outbox.control(wire::WAKE, &topics);
    assert!(outbox.is_overfull() && outbox.bytes() <= config.max_bytes);
    let mut theirs = Subscriptions::default();
    theirs.add(topic());
    let held = |of: &[u8; 32]| (0..own).map(parcel).find(|parcel| parcel.id == *of);
    let mut kinds = Vec::new();
    while let Some(mut frames) = outbox.take(Micros(1), &theirs, &config, |_| false, held) {
        outbox.writable();
        let mut decoder = FrameDecoder::new();
        while let Some(frame) = decoder.decode(&mut frames, wire::RECEIVER_READS).unwrap() {
            kinds.push(frame.kind);
        }
    }
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!((count(wire::WAKE), count(wire::UNSIGNED)), (fit, own));
}

/// Node 0 says half a mebibyte a second for a while; whether it takes its first neighbour for a slow reader, and has
/// it in its mesh.
fn is_slow_in_flood(rig: &mut Rig, mut before: impl FnMut(&mut Rig, usize)) -> (bool, bool) {
    for round in 0..150_usize {
        before(rig, round);
        for part in 0..50_usize {
            let mut text = vec![0; 1_000];
            text[..8].copy_from_slice(&(round * 50 + part).to_le_bytes());
            rig.publish(0, &text);
        }
        rig.run_for(Duration::from_millis(100));
    }
    let is_slow = |event: &(usize, Event)| *event == (0, Event::SlowReader(Link(1)));
    let mut mesh = rig.nodes[0].mesh(&topic());
    (
        rig.happened.iter().any(is_slow),
        mesh.any(|link| link == Link(1)),
    )
}

/// What it takes meanwhile is not much, and may be all that its line carries: that alone has no consequences.
#[test]
fn attack_15_who_reads_nothing_is_seen_within_two_seconds_and_who_reads_again_at_once_keeps_its_place()
 {
    let stalls = |rig: &Rig| {
        let all = rig.happened.iter();
        all.filter(|event| **event == (0, Event::Stalls(Link(1))))
            .count()
    };
    for phase in (0..700).step_by(37).map(Duration::from_millis) {
        let mut rig = Rig::all_connected(2, &GossipConfig::default());
        rig.run_for(Duration::from_secs(2) + phase);
        rig.silent.push(1);
        rig.stuck.push(1);
        rig.happened.clear();
        let since = rig.now;
        rig.publish(0, b"this is on its way, and not taken");
        rig.publish(0, b"this waits");
        rig.run_for(Duration::from_millis(1_199));
        assert_eq!(stalls(&rig), 0, "{phase:?}");
        rig.run_for(Duration::from_millis(801));
        assert_eq!(
            (stalls(&rig), rig.now.since(since)),
            (1, Duration::from_secs(2)),
            "{phase:?}"
        );
        rig.stuck.clear();
        rig.tell(0, Input::Writable(Link(1)));
        rig.run_for(Duration::from_secs(3));
        assert_eq!(rig.happened, [(0, Event::Stalls(Link(1)))], "{phase:?}");
        // Once more, when it has caught up.
        rig.stuck.push(1);
        rig.publish(0, b"this is on its way again");
        rig.publish(0, b"this waits");
        rig.run_for(Duration::from_secs(2));
        assert_eq!(stalls(&rig), 2, "{phase:?}");
        // A little of much that waits is not all of it.
        for _ in 0..20 {
            rig.publish(0, &[7; 9_000]);
        }
        rig.tell(0, Input::Writable(Link(1)));
        rig.run_for(Duration::from_secs(2));
        assert_eq!(stalls(&rig), 2, "{phase:?}");
    }
}

/// It takes 64 KiB as often as keeps it from having taken nothing for three seconds.
#[test]
fn attack_15_who_reads_a_trickle_is_in_no_mesh() {
    let mut rig = Rig::all_connected(8, &GossipConfig::default());
    rig.run_for(Duration::from_secs(3));
    rig.silent.push(1);
    rig.paused.push(1);
    let (is_slow, in_mesh) = is_slow_in_flood(&mut rig, |rig, round| {
        if round % 29 == 0 {
            for node in (0..8).filter(|node| *node != 1) {
                rig.tell(node, Input::Writable(Link(1)));
            }
        }
    });
    assert!(is_slow && !in_mesh);
}

/// It takes a third of what is said.
#[test]
fn who_has_a_slow_line_and_reads_all_that_it_carries_stays_in_the_mesh() {
    let mut rig = Rig::all_connected(8, &GossipConfig::default());
    rig.run_for(Duration::from_secs(3));
    let mut since = rig.now;
    rig.paused.push(1);
    let (is_slow, in_mesh) = is_slow_in_flood(&mut rig, |rig, _| {
        // A batch of 64 KiB takes three tenths of a second.
        if rig.now.since(since) >= Duration::from_millis(300) {
            since = rig.now;
            rig.tell(0, Input::Writable(Link(1)));
        }
        for node in 2..8 {
            rig.tell(node, Input::Writable(Link(1)));
        }
    });
    assert!(!is_slow && in_mesh);
}
