//! How many links send or announce what a publisher says, and who is asked for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use super::rig::{Rig, key, topic};
use super::scripted::{ask, members, node_with};
use crate::gossip::GossipConfig;
use crate::gossip::config::{BySourceConfig, Spreading};
use crate::gossip::machine::Link;
use crate::gossip::machine::parcel::Class;
use crate::gossip::machine::sources::{Sources, Subscriber};
use crate::identity::PeerId;
use crate::policy::Micros;
use crate::wire::codec::{List, decode};
use crate::wire::message::gossip::{self as wire, Mode};

const NOW: Micros = Micros(1_000_000);

/// From this length on a message is large.
const LARGE: usize = 12 << 10;

fn shipped() -> BySourceConfig {
    let Spreading::BySource(config) = GossipConfig::default().spreading else {
        panic!("links are chosen by source");
    };
    config
}

fn class(number: u8) -> Class {
    (topic(), PeerId::from_bytes([number; 32]))
}

/// The members of a mesh, from the first one on, of which this node dialled some.
fn links(count: u64, dialled: &[u64]) -> Vec<Subscriber> {
    let member = |number| Subscriber {
        link: Link(number),
        in_mesh: true,
        is_outbound: dialled.contains(&number),
    };
    (1..=count).map(member).collect()
}

/// A message of a class is heard of, which links have so many milliseconds after the first one.
fn hear(
    sources: &mut Sources,
    class: Class,
    late: impl IntoIterator<Item = (u64, u64)>,
    rng: &mut ChaCha8Rng,
) {
    let late = late.into_iter();
    let seen: Vec<_> = late
        .map(|(link, late)| (Link(link), Duration::from_millis(late), true))
        .collect();
    let links: Vec<_> = seen.iter().map(|(link, ..)| *link).collect();
    sources.heard(NOW, class, &links, rng);
    sources.sighted(&class, seen);
}

/// How many classes each link sends at once for, if the first two are the fastest for all of them.
fn eager_for(classes: u8, count: u64) -> BTreeMap<Link, usize> {
    let mut sources = Sources::new(shipped());
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    for number in 0..classes {
        hear(&mut sources, class(number), [(1, 0), (2, 0)], rng);
    }
    let mut eager = BTreeMap::new();
    for number in 0..classes {
        let chosen = sources.choose(NOW, &class(number), &links(count, &[]), false);
        let chosen = chosen.iter().filter(|(_, mode)| *mode == Mode::Eager);
        let chosen: Vec<_> = chosen.map(|(link, _)| *link).collect();
        assert_eq!(chosen.len(), shipped().eager, "publisher {number}");
        for link in chosen {
            *eager.entry(link).or_default() += 1;
        }
    }
    eager
}

#[test]
fn no_link_sends_for_more_than_twice_its_share_of_the_publishers() {
    // Of 8 links each has a fair share of a quarter, for there are two to each publisher.
    for (classes, most) in [(12, 6), (9, 5), (4, 2)] {
        let eager = eager_for(classes, 8);
        assert_eq!(eager.values().max(), Some(&most), "of {classes}");
        for fastest in [Link(1), Link(2)] {
            assert_eq!(eager[&fastest], most, "of {classes}");
        }
    }
}

/// Those that announce, where the first two of twenty send at once, and the others are late by what is said.
fn announcers(seed: u64, dialled: &[u64], late: impl Fn(u64) -> u64) -> BTreeSet<Link> {
    let mut sources = Sources::new(shipped());
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let others = (3..=20).map(|link| (link, late(link)));
    let all = [(1, 0), (2, 0)].into_iter().chain(others);
    hear(&mut sources, class(1), all, rng);
    let chosen = sources.choose(NOW, &class(1), &links(20, dialled), false);
    let of = |wanted| {
        let chosen = chosen.iter().filter(move |(_, mode)| *mode == wanted);
        chosen.map(|(link, _)| *link)
    };
    assert_eq!(of(Mode::Eager).collect::<Vec<_>>(), [Link(1), Link(2)]);
    of(Mode::Lazy).collect()
}

/// The same three, in whichever order they are; the two that are there for what they achieve are others.
#[test]
fn three_links_announce_that_are_drawn_by_lot_whatever_they_achieve() {
    const DRAWS: u64 = 600;
    let config = shipped();
    let mut drawn: BTreeMap<Link, u64> = BTreeMap::new();
    for seed in 0..DRAWS {
        let forth = announcers(seed, &[], |link| link);
        let back = announcers(seed, &[], |link| 30 - link);
        let all = config.lazy_random + config.lazy_best;
        assert_eq!((forth.len(), back.len()), (all, all), "seed {seed}");
        let both: Vec<_> = forth.intersection(&back).copied().collect();
        assert_eq!(both.len(), config.lazy_random, "seed {seed}");
        for link in both {
            *drawn.entry(link).or_default() += 1;
        }
    }
    // A sixth of the draws each, within five standard deviations of nine.
    assert_eq!(drawn.len(), 18);
    let fair = DRAWS / 6;
    let is_fair = |times: &u64| times.abs_diff(fair) <= 45;
    assert!(drawn.values().all(is_fair), "{drawn:?}");
}

/// Most links may belong to one attacker that dialled in, and be faster than all others: two that this node
/// dialled announce all the same, and the third is drawn of all.
#[test]
fn two_links_announce_that_this_node_dialled_however_many_dial_in() {
    let config = shipped();
    let all = config.lazy_random + config.lazy_best;
    let mut drawn = BTreeSet::new();
    let mut ever = BTreeSet::new();
    for seed in 0..100 {
        for (first_dialled, possible) in [(13, 2..=3), (19, 2..=2), (20, 1..=1), (21, 0..=0)] {
            let dialled: Vec<_> = (first_dialled..=20).collect();
            let announcers = announcers(seed, &dialled, |link| link);
            assert_eq!(announcers.len(), all, "seed {seed}");
            let own = announcers.iter().filter(|link| dialled.contains(&link.0));
            let own: BTreeSet<_> = own.copied().collect();
            let count = own.len();
            ever.extend(own);
            assert!(possible.contains(&count), "seed {seed}: {announcers:?}");
            drawn.insert((first_dialled, count));
        }
    }
    assert!(
        drawn.contains(&(13, 2)) && drawn.contains(&(13, 3)),
        "{drawn:?}"
    );
    // Of eight all are drawn now and then, also those that are the latest.
    assert_eq!(ever, (13..=20).map(Link).collect());
}

/// One that broke its promise announces nothing, and one that sends at once needs not announce.
#[test]
fn a_dialled_link_that_is_bad_or_eager_takes_none_of_their_places() {
    for seed in 0..20 {
        let mut sources = Sources::new(shipped());
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let late = (1..=20).map(|link| (link, link));
        hear(&mut sources, class(1), late, rng);
        sources.broke_promise(NOW, Link(20));
        let subscribers = links(20, &[1, 18, 19, 20]);
        let chosen = sources.choose(NOW, &class(1), &subscribers, false);
        let chosen: BTreeMap<_, _> = chosen.into_iter().collect();
        let modes = [1, 18, 19, 20].map(|link| chosen[&Link(link)]);
        let expected = [Mode::Eager, Mode::Lazy, Mode::Lazy, Mode::Silent];
        assert_eq!(modes, expected, "seed {seed}");
    }
}

#[test]
fn one_link_sends_large_messages_at_once_and_two_send_others() {
    for (bytes, expected) in [(LARGE - 1, shipped().eager), (LARGE, shipped().eager_large)] {
        let mut rig = Rig::all_connected(12, &GossipConfig::default());
        rig.run_for(Duration::from_secs(2));
        for round in 0..2 {
            rig.publish(1, &vec![round; bytes]);
            rig.run_for(Duration::from_millis(500));
        }
        let class = (topic(), key(1).hash().into());
        for node in (0..12).filter(|node| *node != 1) {
            let sources = rig.nodes[node].sources.as_ref().unwrap();
            let learned = sources.learned(&class).unwrap();
            let eager = (0..12).filter(|link| learned.mode(Link(*link)) == Some(Mode::Eager));
            assert_eq!(eager.count(), expected, "node {node}, {bytes} bytes");
        }
    }
}

/// Ids that a neighbour was told of.
fn announced_to(rig: &Rig, neighbour: usize) -> usize {
    let sent = rig.sent.iter();
    let sent = sent.filter(|one| one.to == neighbour && one.frame.kind == wire::IHAVE);
    let ids = sent.map(|one| decode::<wire::IHave>(&one.frame.body).unwrap().ids.len());
    ids.sum()
}

/// Else it would not be seen when it becomes the better one.
#[test]
fn a_silent_link_announces_one_message_in_thirty_two() {
    const MESSAGES: u32 = 6_400;
    let config = GossipConfig {
        flood_publish: false,
        ..GossipConfig::default()
    };
    let mut rig = node_with(&config, 3);
    assert_eq!(members(&rig), [1, 2, 3]);
    ask(&mut rig, 2, 0, Mode::Silent);
    ask(&mut rig, 3, 0, Mode::Lazy);
    for number in 0..MESSAGES {
        rig.publish(0, &number.to_le_bytes());
        if number % 64 == 63 {
            rig.run_for(Duration::from_millis(100));
        }
    }
    rig.run_for(Duration::from_secs(1));
    assert_eq!(announced_to(&rig, 1), 0, "it is sent them");
    assert_eq!(announced_to(&rig, 3), MESSAGES as usize);
    // Within four standard deviations of fourteen.
    let told = announced_to(&rig, 2);
    let expected = MESSAGES as usize / 32;
    assert!(told.abs_diff(expected) <= 56, "{told} of {expected}");
}

#[test]
fn a_message_is_asked_of_one_announcer_first_and_then_of_two_at_once() {
    let mut rig = node_with(&GossipConfig::default(), 6);
    for from in 1..=6 {
        let ids = List::truncated([[9; 32]]);
        rig.forge(from, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.run_for(Duration::from_millis(1));
    }
    rig.run_for(Duration::from_secs(1));
    let mut asked: BTreeMap<Micros, Vec<usize>> = BTreeMap::new();
    let sent = rig.sent.iter();
    for one in sent.filter(|one| one.frame.kind == wire::IWANT) {
        asked.entry(one.at).or_default().push(one.to);
    }
    let asked: Vec<_> = asked.into_values().collect();
    assert_eq!(asked, [vec![1], vec![2, 3], vec![4, 5], vec![6]]);
}
