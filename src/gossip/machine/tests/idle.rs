//! Who brings nothing loses its place in a mesh to whoever brings messages.

use std::collections::BTreeSet;
use std::time::Duration;

use super::rig::{Rig, topic};
use crate::gossip::GossipConfig;
use crate::gossip::machine::contributions::{Contributions, IDLE_AFTER};
use crate::gossip::machine::{Input, Link, TopicOptions};
use crate::wire::codec::List;
use crate::wire::message::gossip as wire;

/// Of these the first nine speak, and bring each other's messages.
const NODES: usize = 21;
const HONEST: usize = 9;

/// Nodes that are all connected, half of which fall silent; then the others say so many messages.
fn half_falls_silent(config: &GossipConfig, is_unsigned: bool, messages: u64) -> Rig {
    let mut rig = Rig::new(NODES, config);
    for node in 0..NODES {
        let options = TopicOptions {
            is_unsigned,
            ..TopicOptions::default()
        };
        rig.subscribe(node, options);
    }
    for one in 0..NODES {
        for other in 0..one {
            rig.connect(one, other);
        }
    }
    rig.run_for(Duration::from_secs(2));
    rig.silent.extend(HONEST..NODES);
    for number in 0..messages {
        let node = usize::try_from(number).unwrap() % HONEST;
        rig.publish(node, &number.to_le_bytes());
        rig.run_for(Duration::from_millis(25));
    }
    rig
}

fn silent_members(rig: &Rig, node: usize) -> usize {
    let members = rig.nodes[node].mesh(&topic());
    members.filter(|link| link.0 >= HONEST as u64).count()
}

#[test]
fn silent_members_lose_their_places_to_those_that_bring_messages() {
    let before = half_falls_silent(&GossipConfig::default(), false, 0);
    let count = (0..HONEST).map(|node| silent_members(&before, node));
    assert!(count.sum::<usize>() > HONEST, "they had many places");
    let rig = half_falls_silent(&GossipConfig::default(), false, 250);
    for node in 0..HONEST {
        assert!(silent_members(&rig, node) <= 1, "node {node}");
        assert!(rig.nodes[node].mesh(&topic()).count() >= 6, "node {node}");
    }
}

/// There the mesh alone says who sends to whom, and who is far from all publishers brings nothing.
#[test]
fn in_a_plain_mesh_and_without_signatures_nobody_leaves_for_bringing_nothing() {
    for (config, is_unsigned) in [
        (GossipConfig::plain(), false),
        (GossipConfig::default(), true),
    ] {
        let before = half_falls_silent(&config, is_unsigned, 0);
        let after = half_falls_silent(&config, is_unsigned, 150);
        for node in 0..HONEST {
            let (before, after) = (silent_members(&before, node), silent_members(&after, node));
            assert!(after >= before, "node {node}: {before}, {after}");
        }
    }
}

/// Where enough members bring messages, strangers get one place among all of them.
#[test]
fn attack_11_of_a_hundred_strangers_one_finds_a_place() {
    let mut rig = half_falls_silent(&GossipConfig::default(), false, 250);
    let before: BTreeSet<_> = rig.nodes[0].mesh(&topic()).collect();
    for stranger in 100..200 {
        come(&mut rig, stranger);
    }
    assert!(
        before.len() + 1 < GossipConfig::default().mesh_n_high,
        "there is room"
    );
    let after: BTreeSet<_> = rig.nodes[0].mesh(&topic()).collect();
    assert!(before.is_subset(&after));
    assert!(after.len() - before.len() <= 1, "{before:?}, {after:?}");
}

/// A node whose mesh is full of twelve that do nothing, and one that it refused.
fn full() -> Rig {
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.subscribe(0, TopicOptions::default());
    rig.subscribe(1, TopicOptions::default());
    for stranger in 100..112 {
        come(&mut rig, stranger);
    }
    rig.connect(1, 0);
    rig.run_for(Duration::from_secs(2));
    rig
}

fn come(rig: &mut Rig, stranger: usize) {
    let address = ([93, 184, stranger as u8, 1], 9_000).into();
    rig.place(0, stranger, address);
    let topics = List::truncated([*topic().as_bytes()]);
    rig.forge(stranger, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    let topics = List::truncated([0]);
    rig.forge(stranger, 0, wire::GRAFT, &wire::Topics { topics });
}

#[test]
fn who_was_refused_and_brings_messages_takes_the_place_of_an_idle_member() {
    let mut rig = full();
    assert!(rig.nodes[0].mesh(&topic()).all(|link| link != Link(1)));
    for number in 0..200_u64 {
        rig.publish(1, &number.to_le_bytes());
        rig.run_for(Duration::from_millis(20));
    }
    for (node, other) in [(0, Link(1)), (1, Link(0))] {
        let mut mesh = rig.nodes[node].mesh(&topic());
        assert!(mesh.any(|link| link == other), "node {node}");
    }
    assert_eq!(rig.nodes[1].score(Link(0)).unwrap().behaviour, 0.0);
}

#[test]
fn a_veto_is_not_taken_back() {
    let mut rig = half_falls_silent(&GossipConfig::default(), false, 100);
    rig.tell(0, Input::Veto(Link(1)));
    for number in 0..200_u64 {
        rig.publish(
            1 + usize::try_from(number).unwrap() % 8,
            &(number + 1_000).to_le_bytes(),
        );
        rig.run_for(Duration::from_millis(25));
    }
    assert!(rig.nodes[0].mesh(&topic()).all(|link| link != Link(1)));
}

fn mesh(rig: &Rig) -> BTreeSet<Link> {
    rig.nodes[0].mesh(&topic()).collect()
}

/// What node 0 knows of what others contribute.
fn contributions(rig: &mut Rig) -> &mut Contributions {
    let known = rig.nodes[0].topics.get_mut(&topic());
    &mut known.unwrap().contributions
}

/// So many seconds in which others say much, and these neighbours bring some of it.
fn pass(rig: &mut Rig, bringers: &[usize], seconds: u32) {
    for _ in 0..seconds {
        let now = rig.now;
        for _ in 0..IDLE_AFTER {
            contributions(rig).accept(None, now);
        }
        for bringer in bringers {
            contributions(rig).accept(Some(Link(*bringer as u64)), now);
        }
        rig.run_for(Duration::from_secs(1));
    }
}

/// What it brings may be all but the messages of one publisher.
#[test]
fn attack_12_who_dials_in_finds_no_place_in_a_mesh_that_is_served_whatever_it_brings() {
    let config = GossipConfig::default();
    let (aimed_at, enough) = (config.mesh_n, config.mesh_n_low);
    for (members, bringers, finds_place) in [
        (aimed_at, aimed_at, true),
        (aimed_at + 1, enough - 1, true),
        (aimed_at + 1, enough, false),
        (aimed_at + 3, enough, false),
    ] {
        let mut rig = Rig::new(1, &config);
        rig.subscribe(0, TopicOptions::default());
        let now = rig.now;
        for member in 100..100 + members {
            come(&mut rig, member);
        }
        for bringer in (100..100 + bringers).chain([200]) {
            contributions(&mut rig).accept(Some(Link(bringer as u64)), now);
        }
        come(&mut rig, 200);
        let is_in = mesh(&rig).contains(&Link(200));
        assert_eq!(is_in, finds_place, "{bringers} of {members}");
        assert_eq!(mesh(&rig).len(), members + usize::from(is_in));
    }
}

#[test]
fn no_more_than_three_neighbours_make_themselves_a_place_between_heartbeats() {
    let mut rig = full();
    pass(&mut rig, &[], 3);
    let bringers: Vec<_> = (200..206).collect();
    let since = rig.now;
    for bringer in &bringers {
        let now = rig.now;
        contributions(&mut rig).accept(Some(Link(*bringer as u64)), now);
        come(&mut rig, *bringer);
    }
    assert_eq!(rig.now, since, "no heartbeat");
    let came = mesh(&rig).into_iter().filter(|link| link.0 >= 200);
    assert_eq!((came.count(), mesh(&rig).len()), (3, 12));
}

#[test]
fn as_many_members_as_a_mesh_needs_of_those_that_this_node_dialled_stay() {
    let least = GossipConfig::default().mesh_outbound_min;
    for (dialled, stay) in [(least - 1, least - 1), (least, least), (least + 1, least)] {
        let mut rig = Rig::new(1 + dialled, &GossipConfig::default());
        for node in 0..=dialled {
            rig.subscribe(node, TopicOptions::default());
        }
        for other in 1..=dialled {
            rig.connect(0, other);
        }
        rig.run_for(Duration::from_secs(2));
        rig.silent.extend(1..=dialled);
        let bringers: Vec<_> = (200..212).collect();
        for bringer in &bringers {
            come(&mut rig, *bringer);
        }
        pass(&mut rig, &bringers, 8);
        let own = mesh(&rig)
            .into_iter()
            .filter(|link| link.0 <= dialled as u64);
        assert_eq!(own.count(), stay, "{dialled} were dialled");
    }
}

/// The bookkeeping of who comes back is not in the hands of who does.
#[test]
fn attack_13_who_leaves_a_topic_and_comes_back_again_and_again_is_idle_all_the_same() {
    let mut rig = full();
    pass(&mut rig, &[], 3);
    for round in 0..3 {
        let topics = List::truncated([round]);
        rig.forge(100, 0, wire::UNSUBSCRIBE, &wire::Topics { topics });
        rig.run_for(Duration::from_secs(1));
        let topics = List::truncated([*topic().as_bytes()]);
        rig.forge(100, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
        let topics = List::truncated([0]);
        rig.forge(100, 0, wire::GRAFT, &wire::Topics { topics });
    }
    assert!(mesh(&rig).contains(&Link(100)), "it is in again");
    let now = rig.now;
    assert!(contributions(&mut rig).is_idle(Link(100), now));
}

/// A program that takes its time judges messages of those that are gone.
#[test]
fn of_who_brought_a_message_and_left_nothing_is_known() {
    let mut rig = Rig::new(2, &GossipConfig::default());
    rig.judging_takes = Duration::from_secs(1);
    for node in 0..2 {
        let is_judged = true;
        let options = TopicOptions {
            is_judged,
            ..TopicOptions::default()
        };
        rig.subscribe(node, options);
    }
    rig.connect(0, 1);
    rig.run_for(Duration::from_secs(2));
    rig.publish(1, b"judged");
    rig.run_for(Duration::from_millis(500));
    assert_eq!(contributions(&mut rig).known(), 1);
    rig.disconnect(0, 1);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.receivers(b"judged"), [0], "it was judged afterwards");
    assert_eq!(contributions(&mut rig).known(), 0);
}
