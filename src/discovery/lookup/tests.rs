//! Lookups against a model of the network, under a random scheduler.

mod tellers;
mod witnesses;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::discovery::testing::{at, below, chance, contact_of, distance, key, peers, rng};

const POLICY: LookupPolicy = LookupPolicy {
    alpha: 5,
    alpha_max: 10,
    paths: 1,
};

fn open(size: f64) -> Arc<Density> {
    Arc::new(Density::unbounded(size))
}

/// A network in which nobody comes and goes.
struct Network {
    nodes: Vec<Contact>,
    dead: BTreeSet<PeerId>,
    knows: BTreeMap<PeerId, Vec<Contact>>,
}

impl Network {
    /// Every node knows up to `bucket` random nodes of each bucket, and a few others.
    fn new(rng: &mut ChaCha8Rng, size: usize, bucket: usize, dead: usize) -> Self {
        let nodes: Vec<_> = (0..size as u64)
            .map(|one| contact_of(at(&Key::random(rng)), one))
            .collect();
        let is_dead = |_: &&Contact| chance(rng, dead);
        let dead = nodes.iter().filter(is_dead).map(|one| one.peer).collect();
        let mut knows = BTreeMap::new();
        for node in &nodes {
            let mut known = Vec::new();
            let mut counts = BTreeMap::new();
            let mut others: Vec<_> = nodes.iter().filter(|one| one.peer != node.peer).collect();
            shuffle(&mut others, rng);
            for other in others {
                let bits = Key::from(node.peer).common_prefix(&other.peer.into());
                let count = counts.entry(bits).or_insert(0);
                if *count < bucket || chance(rng, 3) {
                    *count += 1;
                    known.push(other.clone());
                }
            }
            knows.insert(node.peer, known);
        }
        Self { nodes, dead, knows }
    }

    fn is_alive(&self, peer: &PeerId) -> bool {
        !self.dead.contains(peer)
    }

    fn answer(&self, peer: &PeerId, target: &Key) -> Vec<Contact> {
        let mut known = self.knows[peer].clone();
        known.sort_by_key(|one| distance(target, one));
        known.truncate(40);
        known
    }

    /// The `count` live nodes nearest to the target, of `among`.
    fn nearest<'a>(
        &self,
        target: &Key,
        among: impl IntoIterator<Item = &'a PeerId>,
        count: usize,
    ) -> Vec<PeerId> {
        let alive = among.into_iter().filter(|one| self.is_alive(one));
        let mut alive: Vec<_> = alive.copied().collect();
        alive.sort_by_key(|one| target.distance(&(*one).into()));
        alive.truncate(count);
        alive
    }

    /// A lookup as a textbook has it: one question after the other, until the k nearest have
    /// answered.
    fn textbook(&self, target: &Key, seeds: &[Contact]) -> Vec<PeerId> {
        let mut known: BTreeSet<_> = seeds.iter().map(|one| one.peer).collect();
        let mut asked = BTreeSet::new();
        loop {
            let nearest = self.nearest(target, &known, K);
            let Some(next) = nearest.iter().find(|one| !asked.contains(*one)) else {
                return nearest;
            };
            asked.insert(*next);
            known.extend(self.answer(next, target).iter().map(|one| one.peer));
        }
    }
}

fn shuffle<T>(items: &mut [T], rng: &mut ChaCha8Rng) {
    for end in (1..items.len()).rev() {
        items.swap(end, below(rng, end + 1));
    }
}

/// What became of a run.
struct Run {
    found: Found,
    /// In order.
    asked: Vec<PeerId>,
    answered: BTreeSet<PeerId>,
}

/// Runs a lookup with answers, delays, failures and late answers in random order.
fn run(lookup: &mut Lookup, network: &Network, rng: &mut ChaCha8Rng) -> Run {
    let target = *lookup.target();
    let mut open: Vec<PeerId> = Vec::new();
    let (mut asked, mut answered) = (Vec::new(), BTreeSet::new());
    loop {
        while let Some(contact) = lookup.next_request() {
            asked.push(contact.peer);
            open.push(contact.peer);
        }
        if lookup.is_finished() {
            break;
        }
        assert!(
            !open.is_empty(),
            "it neither asks nor ends after {}",
            asked.len()
        );
        let index = below(rng, open.len());
        let peer = open[index];
        if chance(rng, 25) {
            lookup.slow(&peer, false);
            continue;
        }
        open.swap_remove(index);
        if network.is_alive(&peer) {
            if chance(rng, 10) {
                // Given up; its answer comes all the same.
                lookup.failed(&peer);
            }
            lookup.answered(&peer, network.answer(&peer, &target));
            answered.insert(peer);
        } else {
            lookup.failed(&peer);
        }
    }
    let found = lookup.found();
    Run {
        found,
        asked,
        answered,
    }
}

fn seeds(network: &Network, rng: &mut ChaCha8Rng) -> Vec<Contact> {
    let mut seeds = network.nodes.clone();
    shuffle(&mut seeds, rng);
    // Enough that one is alive.
    seeds.truncate(10 + below(rng, 30));
    seeds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_nearest_live_nodes_are_found_whatever_the_order(seed: u64, dead in 0_usize..30) {
        let rng = &mut rng(seed);
        let size = 20 + below(rng, 100);
        let network = Network::new(rng, size, size, dead);
        let target = Key::random(rng);
        // Everybody knows everybody and names the nearest 40: if so many of them are dead that fewer than
        // k are left, nobody names the rest.
        let all = || network.nodes.iter().map(|one| &one.peer);
        let told = network.answer(&network.nearest(&target, all(), 1)[0], &target);
        let live = network.nearest(&target, told.iter().map(|one| &one.peer), K).len() + 1;
        prop_assume!(live >= K.min(network.nearest(&target, all(), K).len()));
        let seeds = seeds(&network, rng);
        let mut lookup = Lookup::new(target, seeds, &POLICY, open(size as f64));
        let run = run(&mut lookup, &network, rng);
        prop_assert_eq!(peers(&run.found.closest), network.nearest(&target, all(), K));
        prop_assert_eq!(run.found.requests, run.asked.len());
    }

    #[test]
    fn with_partial_knowledge_no_worse_than_the_textbook_and_nothing_known_is_missed(
        seed: u64, dead in 0_usize..30, paths in 1_usize..4,
    ) {
        let rng = &mut rng(seed);
        let network = Network::new(rng, 150, 20, dead);
        let target = Key::random(rng);
        let seeds = seeds(&network, rng);
        let textbook = network.textbook(&target, &seeds);
        let policy = LookupPolicy { paths, ..POLICY };
        let mut lookup = Lookup::new(target, seeds.clone(), &policy, open(150.0));
        let run = run(&mut lookup, &network, rng);
        // Whoever answered, nearest first, and nobody else.
        let expected = network.nearest(&target, &run.answered, usize::MAX);
        prop_assert_eq!(peers(&run.found.answered), expected);
        let closest = peers(&run.found.closest);
        prop_assert_eq!(&closest[..], &peers(&run.found.answered)[..closest.len()]);
        // Of what those that answered know, the nearest live ones.
        if paths == 1 {
            let mut known: BTreeSet<_> = seeds.iter().map(|one| one.peer).collect();
            for peer in &run.answered {
                known.extend(network.answer(peer, &target).iter().map(|one| one.peer));
            }
            prop_assert_eq!(&closest, &network.nearest(&target, &known, K));
            for (found, naive) in closest.iter().zip(&textbook) {
                let (found, naive) = (Key::from(*found), Key::from(*naive));
                prop_assert!(target.distance(&found) <= target.distance(&naive));
            }
        }
    }

    #[test]
    fn disjoint_paths_share_no_node(seed: u64, paths in 1_usize..6) {
        let rng = &mut rng(seed);
        let network = Network::new(rng, 120, 20, 20);
        let seeds = seeds(&network, rng);
        let policy = LookupPolicy { paths, ..POLICY };
        let mut lookup = Lookup::new(Key::random(rng), seeds, &policy, open(120.0));
        let run = run(&mut lookup, &network, rng);
        let distinct: BTreeSet<_> = run.asked.iter().collect();
        prop_assert_eq!(distinct.len(), run.asked.len());
    }

    /// E21: answers with contacts that are ever nearer.
    #[test]
    fn attack_an_endless_chain_of_nearer_contacts_ends(
        seed: u64, width in 1_usize..=40, silent in 0_usize..60, paths in 1_usize..4,
    ) {
        let rng = &mut rng(seed);
        let target = Key::random(rng);
        let policy = LookupPolicy { paths, ..POLICY };
        let seeds: Vec<_> = (0..40).map(|one| contact_of(at(&Key::random(rng)), one)).collect();
        let mut lookup = Lookup::new(target, seeds, &policy, open(1_000.0));
        let (mut open, mut requests, mut depth) = (Vec::new(), 0, 0);
        loop {
            while let Some(contact) = lookup.next_request() {
                open.push(contact.peer);
                requests += 1;
            }
            if lookup.is_finished() {
                break;
            }
            prop_assert!(!open.is_empty(), "it neither asks nor ends after {} requests", requests);
            // Mostly the newest, so that the oldest wait for long.
            let index = if chance(rng, 90) { open.len() - 1 } else { below(rng, open.len()) };
            let peer = open.swap_remove(index);
            if chance(rng, silent) {
                lookup.failed(&peer);
                continue;
            }
            depth = (depth + 1).min(240);
            let nearer = (0..width).map(|_| contact_of(at(&target.random_with_prefix(depth, rng)), 1));
            lookup.answered(&peer, nearer.collect());
        }
        let found = lookup.found();
        prop_assert!(found.hops <= MAX_HOPS);
        prop_assert!(requests <= MAX_REQUESTS * paths);
        prop_assert_eq!(found.requests, requests);
    }
}

/// A crowd of ids at the target that name each other, among honest nodes.
fn besieged(density: &Arc<Density>, seed: u64) -> (Found, usize, Vec<PeerId>) {
    let rng = &mut rng(seed);
    let network = Network::new(rng, 300, 20, 0);
    let target = Key::random(rng);
    let crowd: Vec<_> = (0..64)
        .map(|one| contact_of(at(&target.random_with_prefix(20, rng)), 900 + one))
        .collect();
    let is_crowd = |peer: &PeerId| crowd.iter().any(|one| one.peer == *peer);
    let mut lookup = Lookup::new(target, seeds(&network, rng), &POLICY, density.clone());
    let mut open = Vec::new();
    loop {
        while let Some(contact) = lookup.next_request() {
            open.push(contact.peer);
        }
        if lookup.is_finished() {
            break;
        }
        let peer = open.swap_remove(below(rng, open.len()));
        let mut named = if is_crowd(&peer) {
            crowd.clone()
        } else {
            // Everybody knows the crowd.
            [crowd.clone(), network.answer(&peer, &target)].concat()
        };
        named.sort_by_key(|one| distance(&target, one));
        lookup.answered(&peer, named);
    }
    let all = network.nodes.iter().map(|one| &one.peer);
    let honest = network.nearest(&target, all, K);
    let found = lookup.found();
    let reached = peers(&found.closest)
        .iter()
        .filter(|one| honest.contains(one))
        .count();
    (found, reached, honest)
}

#[test]
fn attack_a_crowd_at_the_target_hides_no_honest_node() {
    for seed in 0..5 {
        let (found, reached, _) = besieged(&Arc::new(Density::of(300.0)), seed);
        assert!(
            reached >= K - 2,
            "{reached} honest with the quota, seed {seed}"
        );
        assert!(
            found.over_quota >= ALARM_AT,
            "{} ids, seed {seed}",
            found.over_quota
        );
        let (_, reached, _) = besieged(&open(300.0), seed);
        assert_eq!(
            reached, 0,
            "without the quota the crowd is all that is seen"
        );
    }
}

#[test]
fn honest_lookups_raise_no_alarm_and_no_suspicion() {
    let (mut suspicious, mut over) = (0, 0);
    for seed in 0..60 {
        let rng = &mut rng(seed);
        let network = Network::new(rng, 200, 20, 0);
        let density = Arc::new(Density::of(200.0));
        let seeds = seeds(&network, rng);
        let mut lookup = Lookup::new(Key::random(rng), seeds, &POLICY, density);
        let run = run(&mut lookup, &network, rng);
        over = over.max(run.found.over_quota);
        suspicious += usize::from(run.found.is_suspicious);
    }
    assert!(over < ALARM_AT / 2, "{over} over the quota");
    assert!(suspicious <= 1, "{suspicious} of 60");
}

// By hand.

fn three() -> (Lookup, Vec<Contact>) {
    let target = key(0);
    let nodes: Vec<_> = (1..4).map(|one| contact_of(at(&key(one)), one)).collect();
    (
        Lookup::new(target, nodes.clone(), &POLICY, open(10.0)),
        nodes,
    )
}

fn drain(lookup: &mut Lookup) -> Vec<PeerId> {
    std::iter::from_fn(|| lookup.next_request())
        .map(|one| one.peer)
        .collect()
}

#[test]
fn a_late_answer_counts_after_the_node_was_given_up() {
    let (mut lookup, nodes) = three();
    drain(&mut lookup);
    lookup.failed(&nodes[0].peer);
    let far = contact_of(at(&key(9)), 9);
    lookup.answered(&nodes[0].peer, vec![far.clone()]);
    assert!(lookup.has_answered(&nodes[0].peer));
    assert_eq!(drain(&mut lookup), [far.peer]);
}

#[test]
fn a_slow_node_keeps_the_end_waiting_and_a_failed_one_does_not() {
    let (mut lookup, nodes) = three();
    drain(&mut lookup);
    lookup.answered(&nodes[0].peer, vec![]);
    lookup.answered(&nodes[1].peer, vec![]);
    lookup.slow(&nodes[2].peer, false);
    assert!(!lookup.is_finished());
    lookup.failed(&nodes[2].peer);
    assert!(lookup.is_finished());
}

#[test]
fn where_few_are_known_those_that_are_given_up_are_waited_for() {
    let (mut lookup, nodes) = three();
    drain(&mut lookup);
    lookup.answered(&nodes[0].peer, vec![]);
    lookup.given_up(&nodes[1].peer);
    lookup.slow(&nodes[2].peer, false);
    lookup.given_up(&nodes[2].peer);
    assert!(!lookup.is_finished(), "this node may be the late one");
    lookup.answered(&nodes[1].peer, vec![]);
    assert!(!lookup.is_finished());
    lookup.failed(&nodes[2].peer);
    assert!(lookup.is_finished());
}

#[test]
fn four_answers_for_each_that_is_given_up_are_enough_not_to_wait() {
    for (answers, is_over) in [(7, false), (8, true), (9, true)] {
        let nodes: Vec<_> = (1..=answers + 2)
            .map(|one| contact_of(at(&key(one)), one))
            .collect();
        let mut lookup = Lookup::new(key(0), nodes.clone(), &POLICY, open(10.0));
        for node in &nodes[2..] {
            drain(&mut lookup);
            lookup.answered(&node.peer, vec![]);
        }
        drain(&mut lookup);
        lookup.given_up(&nodes[0].peer);
        lookup.given_up(&nodes[1].peer);
        assert_eq!(lookup.is_finished(), is_over, "{answers} answers");
    }
}

#[test]
fn an_answer_of_somebody_who_was_not_asked_is_ignored() {
    let (mut lookup, _) = three();
    let stranger = at(&key(77));
    lookup.answered(&stranger, vec![contact_of(at(&key(0)), 5)]);
    lookup.slow(&stranger, false);
    lookup.failed(&stranger);
    assert!(!lookup.has_answered(&stranger));
    assert_eq!(drain(&mut lookup).len(), 3);
}

#[test]
fn five_are_asked_at_first_one_more_for_each_that_is_slow_and_ten_at_most() {
    let target = key(0);
    let nodes: Vec<_> = (1..100).map(|one| contact_of(at(&key(one)), one)).collect();
    let mut lookup = Lookup::new(target, nodes, &POLICY, open(100.0));
    let mut asked = drain(&mut lookup);
    assert_eq!(asked.len(), 5);
    let mut in_flight = 5;
    for round in 0..8 {
        let slow = asked.remove(0);
        lookup.slow(&slow, false);
        let more = drain(&mut lookup);
        in_flight = in_flight - 1 + more.len();
        assert_eq!(in_flight, (6 + round).min(10));
        asked.extend(more);
    }
}

#[test]
fn once_the_nearest_has_answered_the_whole_window_is_asked() {
    let target = key(0);
    let mut nodes: Vec<_> = (1..100).map(|one| contact_of(at(&key(one)), one)).collect();
    nodes.sort_by_key(|one| distance(&target, one));
    let mut lookup = Lookup::new(target, nodes.clone(), &POLICY, open(100.0));
    assert_eq!(drain(&mut lookup).len(), 5);
    lookup.answered(&nodes[0].peer, vec![]);
    assert_eq!(drain(&mut lookup).len(), 28 - 5);
}

/// One that is behind 28 others when it is slow will not be among the k nearest.
#[test]
fn one_of_the_nearest_is_asked_again_when_it_is_slow_and_no_other() {
    let target = key(0);
    let mut nodes: Vec<_> = (1..100).map(|one| contact_of(at(&key(one)), one)).collect();
    nodes.sort_by_key(|one| distance(&target, one));
    let mut lookup = Lookup::new(target, nodes.clone(), &POLICY, open(100.0));
    drain(&mut lookup);
    lookup.answered(&nodes[0].peer, vec![]);
    assert_eq!(drain(&mut lookup).len(), 28 - 5);
    assert!(!lookup.slow(&nodes[26].peer, false), "it may not");
    assert!(lookup.slow(&nodes[27].peer, true));
    assert!(!lookup.slow(&nodes[27].peer, true), "once");
    let nearer = |bits| contact_of(at(&target.with_flipped_bit(bits)), bits.into());
    lookup.answered(&nodes[1].peer, vec![nearer(200), nearer(201), nearer(202)]);
    assert!(!lookup.slow(&nodes[25].peer, true));
    assert!(lookup.slow(&nodes[24].peer, true));
    lookup.given_up(&nodes[2].peer);
    lookup.failed(&nodes[3].peer);
    assert!(lookup.slow(&nodes[23].peer, true));
    let sent = lookup.found().requests;
    assert_eq!(sent, 28 + 3, "they are counted");
}

#[test]
fn a_lookup_that_knows_nobody_is_over() {
    let lookup = Lookup::new(key(0), [], &POLICY, open(1.0));
    assert!(lookup.is_finished());
    assert!(lookup.found().closest.is_empty());
}
