//! Many messages at once, and many wishes: the bounds of what is remembered of them.

use std::time::Duration;

use super::attacks::{forged, ids, now_ms, pair};
use super::rig::{NETWORK, Rig, WALL, key, sign, topic};
use crate::crypto::{ContentDigest, LeafInput, MAX_SEAL_LEAVES, SealBody, Suite};
use crate::gossip::machine::Link;
use crate::gossip::machine::expected::MAX_OPEN_OF_ACCOUNT;
use crate::gossip::machine::neighbour::{MAX_ASKED, Neighbour};
use crate::gossip::machine::parcel::Class;
use crate::gossip::machine::pulls::{MAX_DOUBTFUL, MAX_REVIEWS, Pulls};
use crate::gossip::machine::rates::Heard;
use crate::gossip::{GossipConfig, TopicHash};
use crate::identity::PeerId;
use crate::policy::{IpGroup, Micros};
use crate::wire::codec::{List, Payload, decode};
use crate::wire::message::gossip::{self as wire, Mode};

fn neighbour() -> Neighbour {
    let config = GossipConfig::default();
    let heard = Heard::new(&config.rates, Micros(0));
    Neighbour::new(IpGroup::Local, false, &config.queue, heard)
}

/// Messages of node 1 in as few seals as they fit in: their ids, and what is to be sent of them.
pub(super) struct Crowd {
    pub(super) ids: Vec<[u8; 32]>,
    seals: Vec<wire::Seal>,
    messages: Vec<wire::Message>,
}

pub(super) fn crowd(count: usize, timestamp_ms: u64) -> Crowd {
    let (key, hash) = (key(1), *topic().as_bytes());
    let leaf = |counter: usize| {
        let input = LeafInput {
            network: &NETWORK,
            topic: &hash,
            publisher: key.hash(),
            epoch: WALL,
            counter: counter as u64,
            timestamp_ms,
            content: ContentDigest::of(&counter.to_le_bytes()),
        };
        input.leaf().0
    };
    let ids: Vec<_> = (0..count).map(leaf).collect();
    let lists = ids.chunks(MAX_SEAL_LEAVES).enumerate();
    let seals = lists.map(|(number, leaves)| {
        let first = (number * MAX_SEAL_LEAVES) as u64;
        let (suite, leaves) = (Suite::MlDsa87, leaves.to_vec());
        let body = SealBody::new(suite, key.hash(), hash, WALL, first, leaves.clone());
        wire::Seal {
            key: 0,
            topic: hash,
            epoch: WALL,
            first,
            leaves: List::truncated(leaves),
            signature: *sign(&body.unwrap()).as_bytes(),
        }
    });
    let messages = (0..count).map(|counter| wire::Message {
        seal: (counter / MAX_SEAL_LEAVES) as u64,
        index: u16::try_from(counter % MAX_SEAL_LEAVES).unwrap(),
        timestamp_ms,
        data: Payload::try_from(bytes::Bytes::copy_from_slice(&counter.to_le_bytes())).unwrap(),
    });
    Crowd {
        seals: seals.collect(),
        messages: messages.collect(),
        ids,
    }
}

impl Crowd {
    /// A neighbour sends the key and all seals.
    pub(super) fn name(&self, rig: &mut Rig, from: usize) {
        let (suite, key) = (key(1).suite().byte(), *key(1).as_bytes());
        rig.forge(from, 0, wire::KEY, &wire::Key { suite, key });
        for seal in &self.seals {
            rig.forge(from, 0, wire::SEAL, seal);
        }
    }

    /// It sends one of the messages.
    pub(super) fn say(&self, rig: &mut Rig, from: usize, number: usize) {
        rig.forge(from, 0, wire::MESSAGE, &self.messages[number]);
    }

    fn send(&self, rig: &mut Rig) {
        self.name(rig, 1);
        for number in 0..self.messages.len() {
            self.say(rig, 1, number);
        }
        rig.run_for(Duration::from_millis(50));
        assert_eq!(
            (rig.delivered.len(), &*rig.faults),
            (self.ids.len(), &[][..])
        );
    }
}

#[test]
fn messages_of_one_publisher_beyond_its_open_windows_are_delivered_and_owed_by_nobody() {
    let mut rig = pair();
    assert_eq!(rig.nodes[0].mesh(&topic()).count(), 1);
    let crowd = crowd(MAX_OPEN_OF_ACCOUNT + 100, now_ms(&rig));
    crowd.name(&mut rig, 1);
    // After the first one links are chosen: the publisher is no stranger.
    crowd.say(&mut rig, 1, 0);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].expectations.count(), 0);
    for number in 1..crowd.messages.len() {
        crowd.say(&mut rig, 1, number);
    }
    rig.run_for(Duration::from_millis(50));
    assert_eq!(rig.delivered.len(), crowd.ids.len());
    assert_eq!(rig.nodes[0].expectations.count(), MAX_OPEN_OF_ACCOUNT);
    let owed = crowd.ids.iter();
    let owed = owed.filter(|id| {
        rig.nodes[0]
            .store
            .get(id)
            .is_some_and(|one| one.owed.is_some())
    });
    assert_eq!(owed.count(), MAX_OPEN_OF_ACCOUNT);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].expectations.count(), 0);
}

#[test]
fn messages_that_were_asked_for_beyond_the_limit_are_not_looked_at_again() {
    let mut rig = pair();
    let crowd = crowd(MAX_REVIEWS + 100, now_ms(&rig));
    for part in crowd.ids.chunks(wire::MAX_IDS) {
        let ids = List::truncated(part.iter().copied());
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    }
    let since = rig.now;
    rig.run_for(Duration::from_millis(50));
    assert!(rig.count(wire::IWANT, since) > 0, "they are asked for");
    crowd.send(&mut rig);
    assert_eq!(rig.nodes[0].pulls.reviews(), MAX_REVIEWS);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].pulls.reviews(), 0);
}

#[test]
fn messages_that_only_bad_neighbours_announced_are_waited_for_up_to_the_limit() {
    let mut pulls = Pulls::default();
    for number in 0..MAX_DOUBTFUL + 10 {
        pulls.doubt(Micros(0), *blake3::hash(&number.to_le_bytes()).as_bytes());
    }
    assert_eq!(pulls.doubtful(), MAX_DOUBTFUL);
    assert!(
        pulls.next().is_some_and(|at| at > Micros(0)),
        "their time comes"
    );
}

/// When all who announce a message are bad there may be nobody else: they are asked all the same, later.
#[test]
fn a_message_that_only_a_bad_neighbour_announces_is_asked_for_a_little_later() {
    let mut rig = pair();
    let crowd = crowd(1, now_ms(&rig));
    let (now, link) = (rig.now, Link(1));
    let sources = rig.nodes[0].sources.as_mut().unwrap();
    sources.broke_promise(now, link);
    let ids = List::truncated(crowd.ids.iter().copied());
    rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    rig.run_for(Duration::from_millis(100));
    assert_eq!(rig.count(wire::IWANT, now), 0);
    rig.run_for(Duration::from_millis(150));
    assert_eq!(rig.count(wire::IWANT, now), 1);
}

/// It announces again what it was asked for already, or its answer takes longer than the wait before the
/// next one is asked: neither is a broken promise.
#[test]
fn whoever_sends_what_it_was_asked_for_has_kept_its_promise_however_often_it_announced_it() {
    let mut rig = pair();
    let crowd = crowd(20, now_ms(&rig));
    for pause in [50, 50, 700] {
        let ids = List::truncated(crowd.ids.iter().copied());
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.run_for(Duration::from_millis(pause));
    }
    crowd.send(&mut rig);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(rig.nodes[0].score(Link(1)).unwrap().behaviour, 0.0);
    assert!(!rig.nodes[0].is_bad(Link(1)));
}

/// Who brings messages and is late may be overloaded. Who then sends nothing at all is not excused.
#[test]
fn an_overloaded_neighbour_has_the_whole_time_of_a_promise_and_no_more() {
    let mut rig = pair();
    forged(1, 1_000, b"brought", now_ms(&rig)).send(&mut rig);
    rig.run_for(Duration::from_millis(100));
    assert_eq!(rig.delivered.drain(..).count(), 1);
    let mut late = crowd(20, now_ms(&rig));
    // The first seal of the stream is that of the first message.
    late.messages
        .iter_mut()
        .for_each(|message| message.seal += 1);
    let announce = |rig: &mut Rig, ids| {
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    };
    let behaviour = |rig: &Rig| rig.nodes[0].score(Link(1)).unwrap().behaviour;
    announce(&mut rig, List::truncated(late.ids.iter().copied()));
    rig.run_for(Duration::from_millis(2_500));
    late.send(&mut rig);
    rig.run_for(Duration::from_secs(2));
    assert_eq!(behaviour(&rig), 0.0);
    announce(&mut rig, ids(0, 20));
    rig.run_for(Duration::from_millis(2_900));
    assert_eq!(behaviour(&rig), 0.0);
    rig.run_for(Duration::from_millis(500));
    assert!(behaviour(&rig) < -100.0);
}

/// The other way round: announcing again moves no promise.
#[test]
fn attack_2_announcing_again_and_again_puts_no_promise_off() {
    let mut rig = pair();
    let crowd = crowd(20, now_ms(&rig));
    for _ in 0..20 {
        let ids = List::truncated(crowd.ids.iter().copied());
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.run_for(Duration::from_millis(100));
    }
    assert!(rig.nodes[0].score(Link(1)).unwrap().behaviour < -100.0);
}

/// Who falls asleep over a publisher and is woken hears of what came meanwhile.
#[test]
fn whoever_wakes_a_neighbour_hears_of_what_it_kept_silent_about() {
    let mut rig = pair();
    let publisher = key(0).hash().into();
    let mode = Mode::Silent;
    let changes = List::truncated([wire::ModeChange { publisher, mode }]);
    rig.forge(1, 0, wire::MODES, &wire::Modes { topic: 0, changes });
    rig.nodes[0].config.flood_publish = false;
    for round in 0..20_u8 {
        rig.publish(0, &[round; 100]);
        rig.run_for(Duration::from_millis(20));
    }
    let since = rig.now;
    let wake = |rig: &mut Rig| {
        let topics = List::truncated([0]);
        rig.forge(1, 0, wire::WAKE, &wire::Topics { topics });
        rig.run_for(Duration::from_millis(1));
        rig.count(wire::IHAVE, since)
    };
    assert_eq!(wake(&mut rig), 1);
    let told = rig.sent.iter().rfind(|one| one.frame.kind == wire::IHAVE);
    let told: wire::IHave = decode(&told.unwrap().frame.body).unwrap();
    assert!((15..=20).contains(&told.ids.len()), "{}", told.ids.len());
    assert_eq!(wake(&mut rig), 1, "nothing is said again to who is awake");
}

#[test]
fn modes_beyond_the_limit_are_not_heard_and_those_before_may_change() {
    let mut neighbour = neighbour();
    let class = |number: usize| {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of(["one", "other"][number % 2]), publisher)
    };
    let all = |_: &Class| true;
    for number in 0..=MAX_ASKED {
        neighbour.ask(class(number), Mode::Lazy, all);
    }
    let asked = |neighbour: &Neighbour, number| neighbour.asked(&class(number));
    assert_eq!(asked(&neighbour, MAX_ASKED - 1), Some(Mode::Lazy));
    assert_eq!(asked(&neighbour, MAX_ASKED), None);
    neighbour.ask(class(0), Mode::Eager, all);
    assert_eq!(asked(&neighbour, 0), Some(Mode::Eager));
    // What it asked for on a topic that it left makes room.
    neighbour.unsubscribed(&TopicHash::of("other"), false);
    neighbour.ask(class(MAX_ASKED), Mode::Lazy, all);
    assert_eq!(asked(&neighbour, MAX_ASKED), Some(Mode::Lazy));
    assert_eq!(asked(&neighbour, 1), None);
}

/// Somebody with thousands of keys said one thing under each, and every neighbour chose its links for them.
#[test]
fn attack_modes_for_publishers_that_are_forgotten_make_room_for_others() {
    let mut neighbour = neighbour();
    let class = |number: usize| {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of("one"), publisher)
    };
    for number in 0..MAX_ASKED {
        neighbour.ask(class(number), Mode::Lazy, |_| true);
    }
    let is_known = |known: &Class| *known == class(0);
    neighbour.ask(class(MAX_ASKED), Mode::Eager, is_known);
    let asked = |neighbour: &Neighbour, number| neighbour.asked(&class(number));
    assert_eq!(asked(&neighbour, MAX_ASKED), Some(Mode::Eager));
    assert_eq!(asked(&neighbour, 0), Some(Mode::Lazy));
    assert_eq!(asked(&neighbour, 1), None);
    // All is gone through once in a heartbeat.
    for number in 1..MAX_ASKED {
        neighbour.ask(class(number), Mode::Lazy, |_| true);
    }
    neighbour.ask(class(MAX_ASKED + 1), Mode::Eager, |_| false);
    assert_eq!(asked(&neighbour, MAX_ASKED + 1), None);
    neighbour.beat(1, |_| false);
    neighbour.ask(class(MAX_ASKED + 1), Mode::Eager, |_| false);
    assert_eq!(asked(&neighbour, MAX_ASKED + 1), Some(Mode::Eager));
}

/// Over the stream, and of publishers that never said anything.
#[test]
fn attack_a_neighbour_with_wishes_without_end_is_heard_up_to_the_limit() {
    let mut rig = pair();
    for round in 0..40_usize {
        let changes = (0..wire::MAX_CHANGES).map(|number| {
            let number = round * wire::MAX_CHANGES + number;
            let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
            let mode = Mode::Silent;
            wire::ModeChange { publisher, mode }
        });
        let changes = List::truncated(changes);
        rig.forge(1, 0, wire::MODES, &wire::Modes { topic: 0, changes });
    }
    assert_eq!(rig.nodes[0].neighbours[&Link(1)].wishes(), MAX_ASKED);
    assert_eq!(rig.faults, []);
}

/// Who was first to bring a message so lately may be overloaded; who was not is a stranger.
#[test]
fn a_neighbour_brings_messages_for_ten_seconds_after_the_last_one() {
    let mut neighbour = neighbour();
    assert!(!neighbour.brings(Micros(0)));
    neighbour.has_brought(Micros(5));
    for (at, brings) in [
        (5, true),
        (10_000_004, true),
        (10_000_005, false),
        (10_000_006, false),
    ] {
        assert_eq!(neighbour.brings(Micros(at)), brings, "{at}");
    }
}

/// What it announced on its streams went with them.
#[test]
fn who_is_gone_and_comes_back_owes_nothing_of_before() {
    let mut rig = pair();
    rig.forge(
        1,
        0,
        wire::IHAVE,
        &wire::IHave {
            topic: 0,
            ids: ids(0, 20),
        },
    );
    rig.run_for(Duration::from_millis(100));
    assert!(rig.count(wire::IWANT, Micros(0)) > 0, "it was asked");
    rig.disconnect(0, 1);
    rig.connect(0, 1);
    rig.run_for(Duration::from_secs(4));
    assert_eq!(rig.nodes[0].score(Link(1)).unwrap().behaviour, 0.0);
}

/// What it said of others is not gone through for that: whoever comes and goes on one topic would have all of it
/// looked at each time.
#[test]
fn who_leaves_a_topic_loses_its_wishes_there_and_only_these() {
    let mut neighbour = neighbour();
    let all = |_: &Class| true;
    let class = |topic: &str, number: usize| {
        let publisher = PeerId::from_bytes(*blake3::hash(&number.to_le_bytes()).as_bytes());
        (TopicHash::of(topic), publisher)
    };
    let asked = |neighbour: &Neighbour, topic| neighbour.asked(&class(topic, 0));
    for number in 0..MAX_ASKED / 2 {
        neighbour.ask(class("left", number), Mode::Lazy, all);
        neighbour.ask(class("kept", number), Mode::Eager, all);
    }
    assert_eq!(neighbour.wishes(), MAX_ASKED);
    for _ in 0..3 {
        neighbour.unsubscribed(&TopicHash::of("left"), true);
        neighbour.unsubscribed(&TopicHash::of("never"), true);
        assert_eq!(neighbour.wishes(), MAX_ASKED / 2);
    }
    assert_eq!(asked(&neighbour, "left"), None);
    assert_eq!(asked(&neighbour, "kept"), Some(Mode::Eager));
    for number in 0..=MAX_ASKED / 2 {
        neighbour.ask(class("back", number), Mode::Lazy, all);
    }
    assert_eq!(neighbour.wishes(), MAX_ASKED, "as many as went");
}
