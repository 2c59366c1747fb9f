//! Messages that are longer than a frame.

use std::collections::BTreeSet;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::rig::{LATENCY, Rig, topic};
use crate::crypto::CHUNK_BYTES;
use crate::gossip::machine::{Event, Fault, Input, Link, TopicOptions, Verdict};
use crate::gossip::{CHUNK_DEADLINE, GossipConfig, NotPublished};
use crate::wire::codec::List;
use crate::wire::message::gossip::{ChunkRange, HAVE, Have, IHAVE, IHave, MAX_DATA, MAX_LARGE};

const SECOND: Duration = Duration::from_secs(1);

/// 100 Mbit/s in bytes.
const UPLINK: u64 = 12_500_000;

fn text(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at / 7 % 251) as u8).collect()
}

fn room(nodes: usize) -> Rig {
    let mut rig = Rig::all_connected(nodes, &GossipConfig::default());
    rig.run_for(3 * SECOND);
    rig
}

/// Nodes on a ring, each connected with those next to it on both sides.
fn ring(nodes: usize, each_side: usize) -> Rig {
    let mut rig = Rig::new(nodes, &GossipConfig::default());
    for node in 0..nodes {
        rig.subscribe(node, TopicOptions::default());
    }
    for node in 0..nodes {
        for step in 1..=each_side {
            rig.connect(node, (node + step) % nodes);
        }
    }
    rig.run_for(3 * SECOND);
    rig
}

/// Nodes of which each is connected with so many others, drawn by lot, or one or two more.
fn scattered(nodes: usize, degree: usize, seed: u64) -> Rig {
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rig = Rig::new(nodes, &GossipConfig::default());
    let mut links = BTreeSet::new();
    for node in 0..nodes {
        rig.subscribe(node, TopicOptions::default());
        let of = |links: &BTreeSet<(usize, usize)>, node| {
            links
                .iter()
                .filter(|(one, other)| *one == node || *other == node)
                .count()
        };
        while of(&links, node) < degree {
            let other = rng.next_u32() as usize % nodes;
            if other != node {
                links.insert((node.min(other), node.max(other)));
            }
        }
    }
    for (one, other) in links {
        rig.connect(one, other);
    }
    rig.run_for(3 * SECOND);
    rig
}

fn others(nodes: usize) -> Vec<usize> {
    (1..nodes).collect()
}

#[test]
fn long_messages_of_all_lengths_reach_everybody_as_they_were_said() {
    let lengths = [
        MAX_DATA + 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
        1 << 20,
        (2 << 20) + 77,
    ];
    let mut rig = room(8);
    for bytes in lengths {
        let said = text(bytes);
        rig.publish(0, &said);
        rig.run_for(2 * SECOND);
        assert_eq!(rig.receivers(&said), others(8), "{bytes} bytes");
    }
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}

#[test]
fn the_longest_message_is_carried_and_a_longer_one_refused() {
    let mut rig = room(3);
    let said = text(MAX_LARGE);
    rig.publish(0, &said);
    rig.run_for(10 * SECOND);
    assert_eq!(rig.receivers(&said), [1, 2]);
    rig.publish(0, &text(MAX_LARGE + 1));
    let refused = &rig.published.last().unwrap().1;
    assert_eq!(*refused, Err(NotPublished::TooLong { limit: MAX_LARGE }));
}

/// Nothing says what the chunks of an unsigned message are.
#[test]
fn an_unsigned_topic_carries_no_long_message() {
    let mut rig = Rig::new(1, &GossipConfig::default());
    let is_unsigned = true;
    let options = TopicOptions {
        is_unsigned,
        ..TopicOptions::default()
    };
    rig.subscribe(0, options);
    rig.publish(0, &text(MAX_DATA + 1));
    let refused = &rig.published.last().unwrap().1;
    assert_eq!(*refused, Err(NotPublished::TooLong { limit: MAX_DATA }));
}

/// The row of ten mebibytes: each node with about twenty neighbours, 25 ms away.
#[test]
fn ten_mebibytes_reach_36_nodes_in_little_more_than_one_takes_to_send_them() {
    let (nodes, bytes) = (36, 10 << 20);
    let mut rig = scattered(nodes, 20, 1);
    rig.chunks.uplink = Some(UPLINK);
    let (said, start) = (text(bytes), rig.now);
    rig.publish(0, &said);
    rig.run_for(10 * SECOND);
    assert_eq!(rig.receivers(&said), others(nodes));
    let last = rig.delivered.iter().map(|(at, ..)| *at).max().unwrap();
    let once = Duration::from_micros(bytes as u64 * 1_000_000 / UPLINK);
    // Two links are the longest way.
    let limit = once * 3 / 2 + 2 * LATENCY;
    let took = last.since(start);
    println!("{took:?}, once {once:?}, limit {limit:?}");
    assert!(took <= limit, "{took:?} of {limit:?}");
    let given: usize = rig.chunks.given.values().sum();
    let needed = (nodes - 1) * bytes / CHUNK_BYTES;
    assert!(given * 100 <= needed * 105, "{given} of {needed}");
}

#[test]
fn a_header_that_the_program_refuses_costs_no_chunk() {
    for verdict in [Verdict::Ignore, Verdict::Reject] {
        let mut rig = Rig::new(2, &GossipConfig::default());
        let is_judged = true;
        for node in 0..2 {
            let options = TopicOptions {
                is_judged,
                ..TopicOptions::default()
            };
            rig.subscribe(node, options);
        }
        rig.connect(0, 1);
        rig.run_for(SECOND);
        rig.header_verdict = verdict;
        rig.publish(0, &text(1 << 20));
        rig.run_for(5 * SECOND);
        assert!(rig.chunks.given.is_empty() && rig.delivered.is_empty());
        let is_blamed = rig.faults == [(1, Link(0), Fault::Rejected)];
        assert_eq!(is_blamed, verdict == Verdict::Reject, "{:?}", rig.faults);
    }
}

/// Its chunks were passed on before anybody could judge it: those who did are not to blame.
#[test]
fn attack_a_long_message_that_is_rejected_at_its_end_counts_against_its_publisher_alone() {
    let mut rig = Rig::new(6, &GossipConfig::default());
    for node in 0..6 {
        let options = TopicOptions {
            is_judged: true,
            ..TopicOptions::default()
        };
        rig.subscribe(node, options);
        for other in 0..node {
            rig.connect(node, other);
        }
    }
    rig.run_for(2 * SECOND);
    rig.verdict = Verdict::Reject;
    rig.publish(0, &text(1 << 20));
    rig.run_for(3 * SECOND);
    assert!(rig.delivered.is_empty());
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
    let distrusted = rig.happened.iter();
    let distrusted = distrusted.filter(|(_, event)| matches!(event, Event::Distrusted(_)));
    assert_eq!(distrusted.count(), 5);
    // Nothing long of this publisher is carried now, and that of others is.
    rig.verdict = Verdict::Accept;
    let given = rig.chunks.given.clone();
    rig.publish(0, &text(1 << 19));
    rig.run_for(3 * SECOND);
    assert_eq!(rig.chunks.given, given);
    let other = text((1 << 19) + 1);
    rig.publish(1, &other);
    rig.run_for(3 * SECOND);
    assert_eq!(rig.receivers(&other), [0, 2, 3, 4, 5]);
}

#[test]
fn attack_a_forged_chunk_is_found_and_the_true_one_comes_from_others() {
    let mut rig = room(8);
    rig.chunks.forgers = vec![3];
    let said = text(2 << 20);
    rig.publish(0, &said);
    rig.run_for(5 * SECOND);
    assert_eq!(rig.receivers(&said), others(8));
    assert!(!rig.faults.is_empty());
    for (node, link, fault) in &rig.faults {
        assert_eq!((*link, *fault), (Link(3), Fault::ForgedChunk), "{node}");
    }
}

/// A chunk that was asked for is late for one patience, not for ever.
#[test]
fn attack_who_has_everything_and_gives_nothing_only_delays_a_little() {
    let mut rig = ring(20, 5);
    rig.chunks.misers = vec![2, 7, 11, 19];
    let (said, start) = (text(2 << 20), rig.now);
    rig.publish(0, &said);
    rig.run_for(20 * SECOND);
    assert_eq!(rig.receivers(&said), others(20));
    let last = rig.delivered.iter().map(|(at, ..)| *at).max().unwrap();
    assert!(last.since(start) < 5 * SECOND, "{:?}", last.since(start));
}

/// Of sixteen chunks at once two would come in time, and the others would not come at all.
#[test]
fn a_line_that_carries_a_chunk_in_four_seconds_brings_a_message_all_the_same() {
    let mut rig = room(2);
    rig.chunks.uplink = Some(CHUNK_BYTES as u64 / 4);
    let said = text(40 * CHUNK_BYTES);
    rig.publish(0, &said);
    rig.run_for(CHUNK_DEADLINE);
    assert!(rig.receivers(&said).is_empty());
    rig.run_for(40 * CHUNK_DEADLINE);
    assert_eq!(rig.receivers(&said), [1]);
    let given = rig.chunks.given[&0];
    assert_eq!(given, 40, "what came in time");
}

/// The publisher may be asked for sixteen chunks at once: the other messages wait, and are not forgotten.
#[test]
fn several_long_messages_of_one_neighbour_come_one_after_the_other() {
    let mut rig = room(2);
    rig.chunks.uplink = Some(UPLINK);
    let said: Vec<_> = (0..6).map(|more| text((20 * CHUNK_BYTES) + more)).collect();
    said.iter().for_each(|said| _ = rig.publish(0, said));
    rig.run_for(5 * SECOND);
    for said in &said {
        assert_eq!(rig.receivers(said), [1]);
    }
}

#[test]
fn a_publisher_that_leaves_when_each_chunk_is_with_somebody_is_not_needed() {
    let mut rig = room(6);
    rig.chunks.uplink = Some(UPLINK);
    let said = text(2 << 20);
    rig.publish(0, &said);
    // 32 chunks of 5.2 ms, and the way there.
    rig.run_for(Duration::from_millis(350));
    for node in 1..6 {
        rig.disconnect(0, node);
    }
    rig.run_for(5 * SECOND);
    assert_eq!(rig.receivers(&said), others(6));
}

#[test]
fn attack_chunks_that_do_not_exist_and_announcements_without_end() {
    let fetching = || {
        let mut rig = room(3);
        rig.chunks.uplink = Some(UPLINK / 100);
        rig.publish(0, &text(1 << 20));
        rig.run_for(Duration::from_millis(100));
        let (_, published) = rig.published.last().unwrap();
        let message = published.as_ref().unwrap().id;
        (rig, message)
    };
    let have = |message, first, count| Have {
        message,
        has: List::default(),
        offers: List::truncated([ChunkRange { first, count }]),
    };
    for (first, count) in [(16, 1), (0, 17), (3, 0), (u16::MAX, 1)] {
        let (mut rig, message) = fetching();
        rig.forge(2, 1, HAVE, &have(message, first, count));
        assert_eq!(
            rig.faults,
            [(1, Link(2), Fault::FalseChunks)],
            "{first} {count}"
        );
    }
    let (mut rig, message) = fetching();
    let mut heard = 0;
    while rig.faults.is_empty() {
        rig.forge(2, 1, HAVE, &have(message, 0, 16));
        heard += 1;
    }
    // Four for each chunk, and a few more.
    assert!((4 * 16..=4 * 16 + 8).contains(&heard), "{heard}");
}

/// A neighbour is given what a message needs, and not the same for ever.
#[test]
fn attack_who_asks_for_one_chunk_without_end_is_given_no_more_than_two_messages() {
    let mut rig = room(2);
    rig.publish(0, &text(1 << 20));
    rig.run_for(2 * SECOND);
    let before = rig.chunks.given[&0];
    let message = rig.published.last().unwrap().1.as_ref().unwrap().id;
    for _ in 0..200 {
        rig.ask_chunk(1, Link(0), message, 3);
    }
    rig.run_for(SECOND);
    assert_eq!(before, 16);
    assert_eq!(rig.chunks.given[&0], 2 * 16 + 8);
}

#[test]
fn what_nobody_brings_is_given_up_and_leaves_room() {
    let config = GossipConfig {
        large_memory: 3 << 20,
        ..GossipConfig::default()
    };
    let mut rig = Rig::all_connected(3, &config);
    rig.run_for(2 * SECOND);
    rig.chunks.misers = vec![0, 2];
    rig.publish(0, &text(2 << 20));
    rig.run_for(2 * SECOND);
    assert_eq!(rig.nodes[1].large_bytes(), 2 << 20);
    // There is no room for another one meanwhile.
    let refused = text((2 << 20) + 1);
    rig.publish(2, &refused);
    rig.run_for(SECOND);
    assert_eq!(rig.nodes[1].large_bytes(), 2 << 20);
    rig.run_for(26 * SECOND);
    assert_eq!(rig.nodes[1].large_bytes(), 2 << 20, "nobody needs its room");
    rig.run_for(12 * SECOND);
    assert_eq!(rig.nodes[1].large_bytes(), 0);
    rig.chunks.misers.clear();
    let said = text((2 << 20) + 2);
    rig.publish(2, &said);
    rig.run_for(3 * SECOND);
    assert!(rig.receivers(&said).contains(&1));
}

#[test]
fn what_is_here_makes_room_for_what_comes() {
    let config = GossipConfig {
        large_memory: 5 << 20,
        ..GossipConfig::default()
    };
    let mut rig = Rig::all_connected(4, &config);
    rig.run_for(2 * SECOND);
    for number in 0..6 {
        let said = text((2 << 20) + number);
        rig.publish(0, &said);
        rig.run_for(2 * SECOND);
        assert_eq!(rig.receivers(&said), others(4), "{number}");
        for node in &rig.nodes {
            assert!(node.large_bytes() <= 5 << 20);
        }
    }
}

/// Its headers reserve room only as far as one of the longest messages.
#[test]
fn attack_a_publisher_whose_chunks_never_come_keeps_room_for_others() {
    let mut rig = room(4);
    rig.chunks.misers = vec![3];
    for number in 0..8 {
        rig.publish(3, &text((10 << 20) + number));
    }
    rig.run_for(2 * SECOND);
    assert!(rig.nodes[0].large_bytes() <= MAX_LARGE);
    let said = text(10 << 20);
    rig.publish(1, &said);
    rig.run_for(10 * SECOND);
    assert_eq!(rig.receivers(&said), [0, 2, 3]);
}

#[test]
fn small_messages_overtake_a_long_one() {
    let mut rig = room(5);
    rig.chunks.uplink = Some(UPLINK);
    rig.publish(0, &text(10 << 20));
    rig.run_for(Duration::from_millis(100));
    let start = rig.now;
    rig.publish(0, b"short");
    rig.run_for(Duration::from_millis(100));
    assert_eq!(rig.receivers(b"short"), others(5));
    assert!(rig.now.since(start) <= Duration::from_millis(100));
}

#[test]
fn a_node_that_unsubscribes_fetches_no_more() {
    let mut rig = room(3);
    rig.chunks.uplink = Some(UPLINK / 10);
    rig.publish(0, &text(2 << 20));
    rig.run_for(Duration::from_millis(300));
    assert_eq!(rig.nodes[1].large_bytes(), 2 << 20);
    rig.tell(1, Input::Unsubscribe(topic()));
    assert_eq!(rig.nodes[1].large_bytes(), 0);
}

/// As when two connections of the same two nodes become one.
#[test]
fn a_neighbour_that_comes_back_is_asked_for_the_rest() {
    let mut rig = room(2);
    rig.chunks.uplink = Some(UPLINK / 10);
    let said = text(2 << 20);
    rig.publish(0, &said);
    rig.run_for(Duration::from_millis(500));
    assert_eq!(rig.nodes[1].large_bytes(), 2 << 20);
    rig.disconnect(0, 1);
    rig.run_for(Duration::from_millis(100));
    rig.connect(1, 0);
    rig.run_for(10 * SECOND);
    assert_eq!(rig.receivers(&said), [1]);
    assert!(rig.faults.is_empty(), "{:?}", rig.faults);
}

/// Attackers' headers, of which no chunk comes, have all of the room. What found none is announced once more.
#[test]
fn attack_a_header_that_found_no_room_is_taken_when_it_is_announced_again() {
    let config = GossipConfig {
        large_memory: 4 * CHUNK_BYTES,
        ..GossipConfig::default()
    };
    let mut rig = Rig::all_connected(4, &config);
    rig.run_for(3 * SECOND);
    rig.chunks.misers = vec![1, 2];
    for attacker in [1, 2] {
        rig.publish(attacker, &vec![attacker as u8; 2 * CHUNK_BYTES]);
    }
    rig.run_for(2 * SECOND);
    assert_eq!(rig.nodes[0].large_bytes(), 4 * CHUNK_BYTES);
    let said = text(2 * CHUNK_BYTES);
    rig.publish(3, &said);
    rig.run_for(3 * SECOND);
    assert!(rig.receivers(&said).is_empty(), "there is no room");
    let id = rig.published.last().unwrap().1.unwrap().id;
    let ids = List::truncated([id]);
    rig.forge(3, 0, IHAVE, &IHave { topic: 0, ids });
    rig.run_for(SECOND);
    assert!(rig.receivers(&said).contains(&0));
    assert_eq!(rig.faults, []);
}
