//! Links are chosen by source.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::rig::{Rig, topic};
use crate::gossip::config::{BySourceConfig, Spreading};
use crate::gossip::machine::Link;
use crate::gossip::machine::parcel::Class;
use crate::gossip::machine::sources::{Sources, Subscriber};
use crate::gossip::{GossipConfig, TopicHash};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// Payloads sent for each delivery of the last ten of many messages.
fn copies(config: &GossipConfig) -> f64 {
    let mut rig = Rig::all_connected(20, config);
    rig.run_for(SECOND * 2);
    for round in 0..30_u8 {
        rig.publish(0, &[round; 2_000]);
        rig.run_for(Duration::from_millis(500));
    }
    let (since, before) = (rig.now, rig.delivered.len());
    for round in 30..40_u8 {
        rig.publish(1, &[round; 2_000]);
        rig.publish(0, &[round + 100; 2_000]);
        rig.run_for(Duration::from_millis(500));
    }
    let delivered = rig.delivered.len() - before;
    assert_eq!(delivered, 20 * 19);
    rig.count(wire::MESSAGE, since) as f64 / delivered as f64
}

#[test]
fn a_message_comes_over_few_links_once_they_are_chosen() {
    let plain = copies(&GossipConfig::plain());
    let by_source = copies(&GossipConfig::default());
    assert!(by_source < plain / 2.0, "{by_source} copies, plain {plain}");
}

#[test]
fn a_message_is_pulled_from_the_next_announcer_when_the_first_falls_silent() {
    let mut rig = Rig::all_connected(12, &GossipConfig::default());
    rig.run_for(SECOND * 2);
    for round in 0..20_u8 {
        rig.publish(0, &[round; 2_000]);
        rig.run_for(Duration::from_millis(300));
    }
    // A fifth is there, and says nothing any more.
    rig.silent = vec![3, 4];
    let before = rig.now;
    rig.publish(0, &[77; 2_000]);
    rig.run_for(SECOND * 2);
    let expected: Vec<_> = (1..12).filter(|node| ![3, 4].contains(node)).collect();
    assert_eq!(rig.receivers(&[77; 2_000]), expected);
    let latest = rig.delivered.iter().map(|(at, ..)| *at).max().unwrap();
    assert!(latest.since(before) < Duration::from_millis(600));
}

/// Fifty seals a second make clumps of twenty messages: more than a trial has, before the member has heard that
/// it is asked. Members have no long record that would hide it.
#[test]
fn of_a_fast_publisher_members_are_tried_with_few_copies_and_none_is_blamed() {
    let mut rig = Rig::all_connected(5, &GossipConfig::default());
    rig.run_for(SECOND);
    for round in 0..20_u32 {
        rig.publish(0, &round.to_le_bytes());
        rig.run_for(SECOND / 10);
    }
    let (since, before) = (rig.now, rig.delivered.len());
    for round in 1_000..9_000_u32 {
        rig.publish(0, &round.to_le_bytes());
        rig.run_for(SECOND / 1_000);
    }
    let copies = rig.count(wire::MESSAGE, since) as f64 / (rig.delivered.len() - before) as f64;
    assert!((1.9..2.2).contains(&copies), "{copies} copies a delivery");
    for node in 0..5 {
        for other in (0..5).filter(|other| *other != node) {
            let score = rig.nodes[node].score(Link(other as u64)).unwrap();
            assert_eq!(score.lost, 0.0, "{node} of {other}: {score:?}");
        }
    }
}

fn class(number: u8) -> Class {
    (topic(), PeerId::from_bytes([number; 32]))
}

fn sources(max_classes: usize) -> Sources {
    let Spreading::BySource(config) = GossipConfig::default().spreading else {
        panic!("links are chosen by source");
    };
    Sources::new(BySourceConfig {
        max_classes,
        ..config
    })
}

const LINKS: [Link; 4] = [Link(1), Link(2), Link(3), Link(4)];

/// A publisher says some things, and two links are chosen that bring them at once.
fn learn(sources: &mut Sources, now: Micros, class: Class, best: [Link; 2]) {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    for _ in 0..4 {
        sources.heard(now, class, &LINKS, rng);
        sources.sighted(&class, best.map(|link| (link, Duration::ZERO, true)));
    }
    let links = LINKS.map(|link| Subscriber {
        link,
        in_mesh: true,
        is_outbound: false,
    });
    sources.choose(now, &class, &links, false);
    for link in best {
        assert_eq!(mode(sources, class, link), Some(wire::Mode::Eager));
    }
}

fn mode(sources: &Sources, class: Class, link: Link) -> Option<wire::Mode> {
    sources.learned(&class)?.mode(link)
}

#[test]
fn a_publisher_that_gave_way_to_others_is_known_to_be_forgotten_until_it_is_back() {
    let (mut sources, now) = (sources(2), Micros(1_000_000));
    for number in [1, 2, 3] {
        let at = now + SECOND * u32::from(number);
        learn(&mut sources, at, class(number), [Link(1), Link(2)]);
    }
    let forgotten = [1, 2, 3, 4].map(|number| sources.is_forgotten(&class(number)));
    assert_eq!(forgotten, [true, false, false, false]);
    let later = now + SECOND * 10;
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    sources.heard(later, class(1), &LINKS, rng);
    assert!(!sources.is_forgotten(&class(1)));
    let learned = sources.learned(&class(1)).unwrap();
    assert!(
        !learned.owes(Link(1), true, later),
        "it may remember other words"
    );
}

#[test]
fn who_left_a_topic_is_not_eager_there_and_others_are_chosen_at_once() {
    let (mut sources, now) = (sources(10), Micros(1_000_000));
    learn(&mut sources, now, class(1), [Link(1), Link(2)]);
    sources.lost_subscriber(now, &TopicHash::of("other"), Link(1));
    assert_eq!(mode(&sources, class(1), Link(1)), Some(wire::Mode::Eager));
    sources.lost_subscriber(now, &topic(), Link(1));
    assert_eq!(mode(&sources, class(1), Link(1)), None);
    assert_eq!(sources.next(), Some(now));
}

#[test]
fn one_trial_in_eight_is_with_a_member_that_sends_for_somebody_else() {
    let (mut sources, mut now) = (sources(10), Micros(1_000_000));
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    learn(&mut sources, now, class(1), [Link(1), Link(2)]);
    learn(&mut sources, now, class(2), [Link(2), Link(3)]);
    // The first one sends for one of two, the fourth for nobody.
    let members = [Link(1), Link(4)];
    let mut tried: Vec<Link> = Vec::new();
    for _ in 0..24 {
        for number in [1, 2] {
            sources.heard(now, class(number), &LINKS, rng);
        }
        sources.try_members(now, (topic(), &members), |_| false, rng);
        let is_tried = |link: &&Link| {
            let classes = [class(1), class(2)];
            let mut tried = classes.iter().map(|one| sources.tried(now, one, **link));
            tried.any(|tried| tried.is_some())
        };
        tried.extend(members.iter().find(is_tried));
        // A trial lasts thirty seconds at most.
        now = now + SECOND * 31;
    }
    assert_eq!(tried.len(), 24);
    let of_the_first = (0..24).filter(|place| tried[*place] == Link(1));
    assert_eq!(of_the_first.collect::<Vec<_>>(), [7, 15, 23]);
}

#[test]
fn who_leaves_the_mesh_in_the_midst_of_its_trial_has_the_next_one_when_it_is_back() {
    for (leaves, expected) in [(false, Link(3)), (true, Link(4))] {
        let (mut sources, now) = (sources(10), Micros(1_000_000));
        let rng = &mut ChaCha8Rng::seed_from_u64(4);
        learn(&mut sources, now, class(1), [Link(1), Link(2)]);
        let mut tries = |after: u32, members: &[Link]| {
            let at = now + SECOND * after;
            sources.heard(at, class(1), &LINKS, rng);
            sources.try_members(at, (topic(), members), |_| false, rng);
            let is_tried = |link: &&Link| sources.tried(at, &class(1), **link).is_some();
            LINKS.iter().find(is_tried).copied()
        };
        assert_eq!(tries(0, &[Link(3)]), Some(Link(3)));
        assert_eq!(tries(40, &[Link(4)]), Some(Link(4)));
        if leaves {
            assert_eq!(tries(41, &[]), None);
        }
        // The third was tried longer ago than the fourth, unless that trial does not count.
        assert_eq!(tries(80, &[Link(3), Link(4)]), Some(expected));
    }
}
