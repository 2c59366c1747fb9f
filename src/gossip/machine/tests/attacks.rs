//! Part E of the list of attacks, as far as one machine can answer them.

use std::time::Duration;

use super::rig::{NETWORK, Rig, WALL, key, sign, topic};
use crate::crypto::{ContentDigest, LeafInput, SealBody, Suite};
use crate::gossip::machine::equivocations::TOLD_FOR;
use crate::gossip::machine::missing::MAX_MISSING_OF_LINK;
use crate::gossip::machine::{Event, Fault, Input, Link, TopicOptions, Verdict};
use crate::gossip::{GossipConfig, SharedSeal, TopicHash};
use crate::identity::PeerId;
use crate::wire::codec::{List, Payload};
use crate::wire::message::gossip as wire;

const SECOND: Duration = Duration::from_secs(1);

/// A node with a neighbour that says whatever the test wants.
pub(super) fn pair() -> Rig {
    let mut rig = Rig::all_connected(2, &GossipConfig::default());
    rig.run_for(SECOND);
    rig.silent.push(1);
    rig
}

pub(super) fn ids(from: u32, count: u32) -> List<[u8; 32], { wire::MAX_IDS }> {
    List::truncated((from..from + count).map(|id| {
        let mut bytes = [0xaa; 32];
        bytes[..4].copy_from_slice(&id.to_le_bytes());
        bytes
    }))
}

/// A sealed message of node `who`, as frames.
pub(super) struct Forged {
    pub(super) key: wire::Key,
    pub(super) seal: wire::Seal,
    pub(super) message: wire::Message,
}

pub(super) fn forged(who: usize, counter: u64, text: &'static [u8], timestamp_ms: u64) -> Forged {
    let key = key(who);
    let leaf = LeafInput {
        network: &NETWORK,
        topic: topic().as_bytes(),
        publisher: key.hash(),
        epoch: WALL,
        counter,
        timestamp_ms,
        content: ContentDigest::of(text),
    }
    .leaf();
    let leaves = vec![leaf.0];
    let hash = *topic().as_bytes();
    let body = SealBody::new(Suite::MlDsa87, key.hash(), hash, WALL, counter, leaves).unwrap();
    Forged {
        key: wire::Key {
            suite: key.suite().byte(),
            key: *key.as_bytes(),
        },
        seal: wire::Seal {
            key: 0,
            topic: hash,
            epoch: WALL,
            first: counter,
            leaves: List::truncated([leaf.0]),
            signature: *sign(&body).as_bytes(),
        },
        message: wire::Message {
            seal: 0,
            index: 0,
            timestamp_ms,
            data: Payload::try_from(bytes::Bytes::from_static(text)).unwrap(),
        },
    }
}

impl Forged {
    pub(super) fn send(&self, rig: &mut Rig) {
        rig.forge(1, 0, wire::KEY, &self.key);
        rig.forge(1, 0, wire::SEAL, &self.seal);
        rig.forge(1, 0, wire::MESSAGE, &self.message);
        rig.run_for(Duration::from_millis(10));
    }
}

pub(super) fn now_ms(rig: &Rig) -> u64 {
    rig.time().wall.0
}

#[test]
fn a_forged_message_as_the_tests_make_it_is_accepted() {
    let mut rig = pair();
    forged(1, 0, b"fine", now_ms(&rig)).send(&mut rig);
    assert_eq!(rig.receivers(b"fine"), [0]);
    assert_eq!(rig.faults, []);
}

#[test]
fn attack_1_an_ihave_flood_is_answered_up_to_the_cap() {
    let mut rig = pair();
    let since = rig.now;
    for round in 0..100 {
        let ids = ids(round * 1_000, 1_000);
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    }
    rig.run_for(Duration::from_millis(300));
    let asked: usize = rig
        .sent
        .iter()
        .filter(|one| one.at >= since && one.from == 0 && one.frame.kind == wire::IWANT)
        .map(|one| one.frame.body.len() / 32)
        .sum();
    assert!(
        (1..=MAX_MISSING_OF_LINK).contains(&asked),
        "{asked} asked for"
    );
}

#[test]
fn attack_2_who_breaks_promises_is_not_asked_any_more_within_ten_seconds() {
    let mut rig = pair();
    for round in 0..30 {
        let ids = ids(round * 100, 20);
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.run_for(Duration::from_millis(300));
    }
    let since = rig.now;
    let ids = ids(1_000_000, 20);
    rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
    rig.run_for(SECOND);
    assert_eq!(rig.count(wire::IWANT, since), 0);
    let gossip = rig.nodes[0].score.thresholds().gossip;
    assert!(rig.nodes[0].score.score(Link(1)) < gossip);
}

/// The answers come when the asker has given up looking, and before the promise ends: under load they do.
#[test]
fn who_answers_late_but_in_time_has_broken_no_promise() {
    let mut rig = pair();
    let announce = |rig: &mut Rig, number: u32| {
        let mut said = forged(1, number.into(), b"late", now_ms(rig));
        said.message.seal = number.into();
        let ids = List::truncated(said.seal.leaves.iter().copied());
        let since = rig.now;
        rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 0, ids });
        rig.run_for(Duration::from_millis(700));
        assert_eq!(rig.count(wire::IWANT, since), 1, "message {number}");
        said.send(rig);
        rig.run_for(Duration::from_millis(100));
    };
    for number in 0..30 {
        announce(&mut rig, number);
    }
    assert_eq!(rig.delivered.len(), 30);
    rig.run_for(SECOND * 2);
    announce(&mut rig, 30);
}

#[test]
fn attack_3_one_message_is_sent_to_one_neighbour_three_times_at_most() {
    let mut rig = pair();
    rig.publish(0, &[9; 4_000]);
    rig.run_for(Duration::from_millis(100));
    let id = rig.published[0].1.unwrap().id;
    let since = rig.now;
    for _ in 0..50 {
        let ids = List::truncated([id; 100]);
        rig.forge(1, 0, wire::IWANT, &wire::IWant { ids });
    }
    rig.run_for(SECOND);
    assert_eq!(rig.count(wire::MESSAGE, since), 3);
}

#[test]
fn attack_5_grafts_during_backoff_cost_the_sender_and_are_not_answered() {
    let mut rig = pair();
    rig.tell(0, Input::Veto(Link(1)));
    rig.run_for(Duration::from_millis(100));
    let since = rig.now;
    for _ in 0..100 {
        let topics = List::truncated([0; 128]);
        rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
    }
    rig.run_for(Duration::from_millis(500));
    assert_eq!(rig.count(wire::PRUNE, since), 0);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    assert!(rig.nodes[0].is_graylisted(Link(1)), "P7");
}

/// Node 1 is no more than what the test says.
fn tell_away(rig: &mut Rig) {
    let prune = wire::Prune {
        topic: 0,
        backoff_s: 60,
        peers: List::new(),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
}

fn graft(rig: &mut Rig) {
    let topics = List::truncated([0]);
    rig.forge(1, 0, wire::GRAFT, &wire::Topics { topics });
}

#[test]
fn attack_5_who_prunes_and_grafts_in_turns_pays_for_it() {
    let mut rig = pair();
    for _ in 0..100 {
        tell_away(&mut rig);
        graft(&mut rig);
    }
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    assert!(rig.nodes[0].is_graylisted(Link(1)), "P7");
}

#[test]
fn who_told_a_neighbour_to_stay_away_may_take_its_word_back() {
    let mut rig = pair();
    tell_away(&mut rig);
    rig.run_for(SECOND);
    assert!(rig.nodes[0].mesh(&topic()).next().is_none());
    graft(&mut rig);
    assert_eq!(rig.nodes[0].mesh(&topic()).collect::<Vec<_>>(), [Link(1)]);
    assert_eq!(rig.nodes[0].score(Link(1)).unwrap().behaviour, 0.0);
}

#[test]
fn attack_6_no_backoff_reaches_the_clock() {
    let mut rig = pair();
    let prune = wire::Prune {
        topic: 0,
        backoff_s: u32::MAX,
        peers: List::new(),
    };
    rig.forge(1, 0, wire::PRUNE, &prune);
    rig.run_for(Duration::from_secs(3_605));
    assert!(
        rig.nodes[0].mesh(&topic()).next().is_some(),
        "after an hour it may come back"
    );
}

#[test]
fn attack_8_a_subscription_flood_is_a_fault_and_takes_no_memory() {
    let mut rig = pair();
    for round in 0..100_u32 {
        let topics = (0..128_u32).map(|number| {
            let name = format!("topic {round} {number}");
            *TopicHash::of(&name).as_bytes()
        });
        let topics = List::truncated(topics);
        rig.forge(1, 0, wire::SUBSCRIBE, &wire::Subscribe { topics });
    }
    let expected = (0, Link(1), Fault::TooManySubscriptions);
    assert!(rig.faults.contains(&expected));
}

#[test]
fn attack_9_a_garbage_signature_is_a_fault_at_once() {
    let mut rig = pair();
    let mut forged = forged(1, 0, b"garbage", now_ms(&rig));
    forged.seal.signature[100] ^= 1;
    forged.send(&mut rig);
    assert!(rig.receivers(b"garbage").is_empty());
    assert_eq!(rig.faults, [(0, Link(1), Fault::InvalidSignature)]);
}

/// A garbage seal over a leaf must not keep the true message away.
#[test]
fn attack_9_a_message_with_a_forged_seal_may_still_come_with_the_true_one() {
    let mut rig = Rig::all_connected(3, &GossipConfig::default());
    rig.run_for(SECOND);
    let mut false_one = forged(1, 0, b"true", now_ms(&rig));
    false_one.seal.signature[100] ^= 1;
    false_one.send(&mut rig);
    assert!(rig.receivers(b"true").is_empty());
    let valid = forged(1, 0, b"true", now_ms(&rig));
    rig.forge(2, 0, wire::KEY, &valid.key);
    rig.forge(2, 0, wire::SEAL, &valid.seal);
    rig.forge(2, 0, wire::MESSAGE, &valid.message);
    rig.run_for(SECOND / 10);
    assert!(rig.receivers(b"true").contains(&0));
}

#[test]
fn attack_10_a_message_is_delivered_once_also_after_it_was_forgotten() {
    let mut rig = pair();
    let mut message = forged(1, 0, b"once", now_ms(&rig));
    message.send(&mut rig);
    for round in 1..5 {
        rig.run_for(Duration::from_secs(40));
        (message.seal.key, message.message.seal) = (round, round);
        message.send(&mut rig);
    }
    assert_eq!(rig.receivers(b"once"), [0]);
    assert_eq!(rig.faults, [], "a replay is ignored");
}

/// What node 0 tells of publishers that contradict themselves.
fn equivocations(rig: &Rig) -> Vec<(PeerId, &[SharedSeal; 2])> {
    let told = rig.happened.iter().filter_map(|(node, event)| match event {
        Event::Equivocation { publisher, seals } if *node == 0 => Some((*publisher, seals)),
        _ => None,
    });
    told.collect()
}

#[test]
fn attack_10_a_counter_that_is_used_twice_is_told_and_nobody_is_punished() {
    let mut rig = pair();
    forged(1, 0, b"one", now_ms(&rig)).send(&mut rig);
    let mut other = forged(1, 0, b"other", now_ms(&rig));
    (other.seal.key, other.message.seal) = (1, 1);
    other.send(&mut rig);
    assert_eq!(rig.receivers(b"one"), [0]);
    assert!(rig.receivers(b"other").is_empty());
    assert_eq!(rig.faults, []);
    let told = equivocations(&rig);
    let (publisher, seals) = told[0];
    assert_eq!(publisher, key(1).hash().into());
    assert_ne!(seals[0], seals[1]);
    // Each further message proves the same.
    for counter in 1..=3 {
        let ordinal = 2 * counter;
        for (ordinal, text) in [(ordinal, b"first"), (ordinal + 1, b"again")] {
            let mut one = forged(1, counter, text, now_ms(&rig));
            (one.seal.key, one.message.seal) = (ordinal, ordinal);
            one.send(&mut rig);
        }
    }
    assert_eq!(equivocations(&rig).len(), 1);
    rig.run_for(TOLD_FOR);
    for (ordinal, text) in [(8, b"first"), (9, b"again")] {
        let mut one = forged(1, 4, text, now_ms(&rig));
        (one.seal.key, one.message.seal) = (ordinal, ordinal);
        one.send(&mut rig);
    }
    assert_eq!(equivocations(&rig).len(), 2);
}

#[test]
fn a_clock_ten_minutes_off_is_ignored_and_nobodys_fault() {
    for off in [-600_000, 600_000_i64] {
        let mut rig = pair();
        let timestamp = now_ms(&rig).checked_add_signed(off).unwrap();
        forged(1, 0, b"off", timestamp).send(&mut rig);
        assert!(rig.receivers(b"off").is_empty(), "{off} ms");
        assert_eq!(rig.faults, [], "{off} ms");
    }
}

#[test]
fn a_message_that_its_seal_does_not_list_is_a_fault_and_an_invalid_message() {
    let another = |said: &mut Forged| {
        said.message.data = Payload::try_from(bytes::Bytes::from_static(b"not")).unwrap();
    };
    let beyond_the_list = |said: &mut Forged| said.message.index = 1;
    let changes: [&dyn Fn(&mut Forged); 2] = [&another, &beyond_the_list];
    for change in changes {
        let mut rig = pair();
        let mut said = forged(1, 0, b"listed", now_ms(&rig));
        change(&mut said);
        let score = |rig: &Rig| rig.nodes[0].score.score(Link(1));
        let before = score(&rig);
        said.send(&mut rig);
        assert_eq!(rig.faults, [(0, Link(1), Fault::NotInSeal)]);
        assert!(score(&rig) < before, "P4");
    }
}

#[test]
fn a_header_that_its_seal_does_not_list_is_an_invalid_message() {
    let mut rig = pair();
    let said = forged(1, 0, b"listed", now_ms(&rig));
    let before = rig.nodes[0].score.score(Link(1));
    let header = wire::Large {
        seal: said.message.seal,
        index: 1,
        timestamp_ms: said.message.timestamp_ms,
        length: 1 << 20,
        chunks: List::truncated([[0; 32]; 16]),
    };
    rig.forge(1, 0, wire::KEY, &said.key);
    rig.forge(1, 0, wire::SEAL, &said.seal);
    rig.forge(1, 0, wire::LARGE, &header);
    rig.run_for(Duration::from_millis(10));
    assert_eq!(rig.faults, [(0, Link(1), Fault::NotInSeal)]);
    assert!(rig.nodes[0].score.score(Link(1)) < before, "P4");
}

#[test]
fn ordinals_that_name_nothing_are_faults() {
    let mut rig = pair();
    let mut forged = forged(1, 0, b"listed", now_ms(&rig));
    forged.seal.key = 5;
    forged.send(&mut rig);
    let unknown = (0, Link(1), Fault::UnknownOrdinal);
    assert_eq!(rig.faults, [unknown], "the key; the message is not heard");
    let mut rig = pair();
    rig.forge(1, 0, wire::MESSAGE, &forged.message);
    assert_eq!(rig.faults, [unknown], "the seal");
    let mut rig = pair();
    let ids = ids(0, 1);
    rig.forge(1, 0, wire::IHAVE, &wire::IHave { topic: 7, ids });
    assert_eq!(rig.faults, [unknown]);
}

#[test]
fn a_key_of_somebody_else_makes_no_seal_of_theirs() {
    let mut rig = pair();
    let mut forged = forged(1, 0, b"mine", now_ms(&rig));
    forged.key.key[100] ^= 1;
    forged.send(&mut rig);
    assert!(rig.receivers(b"mine").is_empty());
    assert_eq!(
        rig.faults,
        [(0, Link(1), Fault::NotInSeal)],
        "the leaf names another publisher"
    );
}

#[test]
fn a_leaf_twice_in_a_seal_is_a_fault() {
    let mut rig = pair();
    let mut forged = forged(1, 0, b"twice", now_ms(&rig));
    let leaf = forged.seal.leaves[0];
    forged.seal.leaves = List::truncated([leaf, leaf]);
    forged.send(&mut rig);
    assert!(rig.faults.contains(&(0, Link(1), Fault::InvalidSeal)));
    assert!(rig.receivers(b"twice").is_empty());
}

#[test]
fn a_signed_message_on_an_unsigned_topic_is_a_fault_and_the_reverse() {
    let mut rig = Rig::new(2, &GossipConfig::default());
    let options = TopicOptions {
        is_unsigned: true,
        ..TopicOptions::default()
    };
    rig.subscribe(0, options);
    rig.subscribe(1, options);
    rig.connect(0, 1);
    rig.run_for(SECOND);
    forged(1, 0, b"signed", now_ms(&rig)).send(&mut rig);
    assert_eq!(rig.faults, [(0, Link(1), Fault::WrongTopic)]);
    let mut rig = pair();
    let data = Payload::try_from(bytes::Bytes::from_static(b"unsigned")).unwrap();
    rig.forge(1, 0, wire::UNSIGNED, &wire::Unsigned { topic: 0, data });
    assert_eq!(rig.faults, [(0, Link(1), Fault::WrongTopic)]);
}

#[test]
fn what_the_program_rejects_is_held_against_who_brought_it_and_what_it_ignores_is_not() {
    for (verdict, faults) in [
        (Verdict::Reject, 1),
        (Verdict::Ignore, 0),
        (Verdict::Accept, 0),
    ] {
        let mut rig = pair();
        rig.verdict = verdict;
        let options = TopicOptions {
            is_judged: true,
            ..TopicOptions::default()
        };
        rig.subscribe(0, options);
        forged(1, 0, b"judged", now_ms(&rig)).send(&mut rig);
        assert_eq!(rig.faults.len(), faults, "{verdict:?}");
        let delivered = usize::from(verdict == Verdict::Accept);
        assert_eq!(rig.receivers(b"judged").len(), delivered, "{verdict:?}");
    }
}

/// It subscribes, grafts, takes everything, and passes nothing on (CVE-2022-47547).
#[test]
fn attack_14_a_member_that_passes_nothing_on_is_out_of_the_meshes() {
    // In a plain mesh one message in sixteen is owed; by source every member sends some, in its turn.
    // Some take it in when others have sent it away, and each needs its half minute.
    for (config, every) in [(GossipConfig::plain(), 50), (GossipConfig::default(), 100)] {
        let mut rig = Rig::all_connected(12, &config);
        rig.run_for(SECOND * 2);
        rig.mute.push(5);
        for round in 0..120_000_u32 / every {
            let from = [0, 1, 2, 3][round as usize % 4];
            rig.publish(from, &[&round.to_le_bytes()[..], &[0; 1_500]].concat());
            rig.run_for(Duration::from_millis(every.into()));
        }
        let others = (0..12).filter(|node| *node != 5);
        let with_it = others.filter(|node| {
            let mut mesh = rig.nodes[*node].mesh(&topic());
            mesh.any(|link| link == Link(5))
        });
        assert_eq!(with_it.count(), 0, "{:?}", config.spreading);
        for node in (0..12).filter(|node| *node != 5) {
            let mesh = rig.nodes[node].mesh(&topic()).count();
            assert!(mesh >= config.mesh_n_low, "node {node} has {mesh}");
        }
    }
}
